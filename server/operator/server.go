package operator

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"gatehouse/store/backup"
)

const (
	errorTrailer   = "Gatehouse-Error"
	summaryTrailer = "Gatehouse-Summary"
	expectedHeader = "Gatehouse-Expected"

	// maxBody is more than any verb takes.
	maxBody = 1 << 20
	// stopWithin is how long work that was told to end may take for it.
	stopWithin = 5 * time.Second
)

// Server answers at the socket.
type Server struct {
	desk     *Desk
	log      *slog.Logger
	listener *net.UnixListener
	path     string
}

// Listen opens the socket of a registry whose metadata are in a folder. The caller holds the lock on them until after Serve or Close.
func Listen(metadata string, desk *Desk, log *slog.Logger) (*Server, error) {
	l, err := listen(metadata)
	if err != nil {
		return nil, fmt.Errorf("the operator's socket: %w", err)
	}
	return &Server{desk: desk, log: log, listener: l, path: Path(metadata)}, nil
}

// Close closes and removes the socket of a server that does not serve.
func (s *Server) Close() error {
	err := s.listener.Close()
	if errors.Is(err, net.ErrClosed) {
		err = nil
	}
	if rerr := os.Remove(s.path); rerr != nil && !errors.Is(rerr, os.ErrNotExist) {
		err = errors.Join(err, rerr)
	}
	return err
}

// Serve answers until ctx ends, and closes and removes the socket. Work that is under way is told to end: it would keep the registry from stopping.
func (s *Server) Serve(ctx context.Context) error {
	server := &http.Server{
		Handler:           s.routes(),
		ReadHeaderTimeout: 10 * time.Second,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		<-ctx.Done()
		late, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
		defer cancel()
		if server.Shutdown(late) != nil {
			_ = server.Close()
		}
	}()
	err := server.Serve(s.listener)
	if errors.Is(err, http.ErrServerClosed) {
		<-stopped
		err = nil
	}
	return errors.Join(err, s.Close())
}

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /fsck", s.check)
	mux.HandleFunc("POST /gc", s.collect)
	mux.HandleFunc("POST /backup", s.backup)
	mux.HandleFunc("POST /bind", s.bind)
	mux.HandleFunc("POST /admit", s.admit)
	mux.HandleFunc("POST /why", s.why)
	mux.HandleFunc("POST /token/list", s.tokens)
	mux.HandleFunc("POST /token/revoke", s.revoke)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.log.Info("operator", "command", strings.TrimPrefix(r.URL.Path, "/"))
		// All of it now: only behind the body does the server see that the caller has gone away.
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		mux.ServeHTTP(w, r)
	})
}

func (s *Server) check(w http.ResponseWriter, r *http.Request) {
	var what Check
	tell, ok := s.begin(w, r, &what)
	if !ok {
		return
	}
	sum, err := s.desk.Check(r.Context(), what, tell)
	s.finish(r, tell, Message{Checked: &sum}, err)
}

func (s *Server) collect(w http.ResponseWriter, r *http.Request) {
	var what Collect
	tell, ok := s.begin(w, r, &what)
	if !ok {
		return
	}
	sum, err := s.desk.Collect(r.Context(), what, tell)
	s.finish(r, tell, Message{Collected: &sum}, err)
}

func (s *Server) why(w http.ResponseWriter, r *http.Request) {
	var what Why
	tell, ok := s.begin(w, r, &what)
	if !ok {
		return
	}
	answer, err := s.desk.Why(r.Context(), what)
	s.finish(r, tell, Message{Why: &answer}, err)
}

func (s *Server) backup(w http.ResponseWriter, r *http.Request) {
	expected, err := backup.Expect(r.Context(), s.desk.Store)
	if err != nil {
		http.Error(w, s.words(r, err), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/x-tar")
	w.Header().Set(expectedHeader, marshal(expected))
	w.Header().Set("Trailer", errorTrailer+", "+summaryTrailer)
	sum, err := backup.Write(r.Context(), w, s.desk.Store, s.desk.Blobs, backup.Options{By: s.desk.by(), Expected: &expected})
	if err != nil {
		w.Header().Set(errorTrailer, strings.ReplaceAll(s.words(r, err), "\n", "; "))
	}
	w.Header().Set(summaryTrailer, marshal(sum))
}

// begin reads what a verb takes and begins its answer.
func (s *Server) begin(w http.ResponseWriter, r *http.Request, what any) (tell func(Message), ok bool) {
	if err := json.NewDecoder(r.Body).Decode(what); err != nil {
		http.Error(w, "the body has to be JSON: "+err.Error(), http.StatusBadRequest)
		return nil, false
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	out := json.NewEncoder(w)
	flush := http.NewResponseController(w)
	var last time.Time
	return func(m Message) {
		// Progress is for people: some times a second will do.
		if m.Progress != nil {
			if time.Since(last) < 200*time.Millisecond {
				return
			}
			last = time.Now()
		}
		// Who has gone away has ended the request's context too.
		_ = out.Encode(m)
		_ = flush.Flush()
	}, true
}

// finish ends an answer.
func (s *Server) finish(r *http.Request, tell func(Message), result Message, err error) {
	if err != nil {
		result = Message{Error: s.words(r, err)}
	}
	tell(result)
}

// words are an error for the operator.
func (s *Server) words(r *http.Request, err error) string {
	if r.Context().Err() != nil {
		return "the registry is stopping, and the work was cut off: do it again when it is stopped or runs again"
	}
	return err.Error()
}

func marshal(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return "{}" // plain structs: it cannot be
	}
	return string(b)
}
