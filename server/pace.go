package server

import (
	"cmp"
	"errors"
	"io"
	"net"
	"net/http"
	"time"
)

// A client that neither sends nor takes bytes holds a connection, and memory with it. What is expected of everybody: to begin at once, and to go on at
// no less than slowest on average.
const (
	patience = 30 * time.Second
	slowest  = 16 << 10  // bytes per second
	piece    = 256 << 10 // bytes written under one deadline
)

// paced holds request bodies and answers to that pace. Deadlines are for each connection and set again by net/http for the next request.
func paced(patience time.Duration, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Deadlines fail where there is no connection underneath, as in tests; there is nothing to pace then.
		control := http.NewResponseController(w)
		p := &pacedWriter{ResponseWriter: w, control: control, patience: patience}
		p.conn, _ = r.Context().Value(connKey{}).(*conn)
		p.extend()
		if len(r.TransferEncoding) > 0 {
			// Where one request ends and the next begins must not depend on who reads them: no client sends chunks, and after them the connection goes.
			w.Header().Set("Connection", "close")
		}
		if r.Body != nil && r.Body != http.NoBody {
			// Also for the body that no handler reads: net/http looks at its beginning before it answers.
			_ = control.SetReadDeadline(time.Now().Add(patience))
			r.Body = &pacedBody{ReadCloser: r.Body, control: control, patience: patience}
		}
		next.ServeHTTP(p, r)
	})
}

// pacedBody gives a body the time its bytes may take. net/http buffers what arrives while a handler does not
// read, so time spent elsewhere, waiting for GitHub say, is not the client's: it counts while reading only.
type pacedBody struct {
	io.ReadCloser
	control  *http.ResponseController
	patience time.Duration
	spent    time.Duration // in Read
	got      int64
}

func (b *pacedBody) Read(p []byte) (int, error) {
	began := time.Now()
	// The average may lag, but no single silence may be long: what came fast at first buys no hours of it.
	allowed := b.patience + time.Duration(b.got/slowest)*time.Second - b.spent
	_ = b.control.SetReadDeadline(began.Add(min(max(allowed, 0), b.patience)))
	n, err := b.ReadCloser.Read(p)
	b.got += int64(n)
	b.spent += time.Since(began)
	switch t := net.Error(nil); {
	case errors.As(err, &t) && t.Timeout():
		err = errors.Join(errSlow, err)
	case err != nil:
		// From here on net/http reads, to notice when the client hangs up; a deadline would look like that.
		_ = b.control.SetReadDeadline(time.Time{})
	}
	return n, err
}

var errSlow = errors.New("the body arrives too slowly")

// pacedWriter renews the deadline for each piece written, counts what was sent, and lets the kernel copy files to the socket.
type pacedWriter struct {
	http.ResponseWriter
	control  *http.ResponseController
	conn     *conn // nil where there is none that holds
	patience time.Duration
	status   int
	sent     int64
}

func (w *pacedWriter) extend() {
	_ = w.control.SetWriteDeadline(time.Now().Add(w.patience + piece/slowest*time.Second))
}

func (w *pacedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// WriteHeader sends the first status given. gin gives its own once more for answers that went past it.
func (w *pacedWriter) WriteHeader(status int) {
	if w.status != 0 {
		return
	}
	if status >= 200 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// small is what is surely sent in one piece, with its header.
const small = 3 << 10

func (w *pacedWriter) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	if w.conn == nil || w.sent > 0 || len(p) < small {
		return w.write(p)
	}
	w.conn.hold()
	n, err := w.write(p)
	return n, cmp.Or(err, w.release())
}

// release sends what net/http and the connection have kept back.
func (w *pacedWriter) release() error {
	return cmp.Or(w.control.Flush(), w.conn.release())
}

func (w *pacedWriter) write(p []byte) (total int, err error) {
	for {
		part := p[:min(len(p), piece)]
		w.extend()
		n, err := w.ResponseWriter.Write(part)
		w.sent += int64(n)
		total += n
		if err != nil {
			return total, err
		}
		if p = p[n:]; len(p) == 0 {
			return total, nil
		}
	}
}

// ReadFrom passes a file on, piece by piece, to net/http's own ReadFrom, which has sendfile. What is in memory is written as it lies there.
func (w *pacedWriter) ReadFrom(r io.Reader) (int64, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	// A LimitedReader over a file is what net looks for; http.ServeContent hands one over, and one inside another would not be recognised.
	limit := &io.LimitedReader{R: r, N: 1 << 62}
	if l, ok := r.(*io.LimitedReader); ok {
		limit = l
	}
	if memory, ok := limit.R.(interface {
		io.WriterTo
		Len() int
	}); ok && int64(memory.Len()) <= limit.N {
		return memory.WriteTo(struct{ io.Writer }{w})
	}
	if w.conn == nil || w.sent > 0 || limit.N < small {
		return w.readFrom(limit)
	}
	w.conn.hold()
	n, err := w.readFrom(limit)
	return n, cmp.Or(err, w.release())
}

func (w *pacedWriter) readFrom(r *io.LimitedReader) (total int64, err error) {
	for total < r.N {
		w.extend()
		n, err := io.Copy(w.ResponseWriter, io.LimitReader(r.R, min(r.N-total, piece)))
		w.sent += n
		total += n
		if err != nil || n == 0 {
			return total, err
		}
	}
	return total, nil
}
