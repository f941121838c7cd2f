package s3test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// Proxy forwards to an S3 server, unless a fault is due. Its URL is an endpoint.
type Proxy struct {
	URL string

	forward *httputil.ReverseProxy
	closed  chan struct{}

	mu       sync.Mutex
	faults   []*Fault
	requests []string
}

// Fault says which requests go wrong, and how.
type Fault struct {
	// Method and Query choose requests: by their method, and by a text in their query, such as "uploadId". Empty: all.
	Method, Query string
	// Skip lets the first ones pass. Times is how many fail then; 0: all.
	Skip, Times int
	Do          Action

	seen int
}

// Action is what happens to a request.
type Action func(p *Proxy, w http.ResponseWriter, r *http.Request)

// NewProxy returns a proxy in front of an endpoint, which ends with the test.
func NewProxy(t testing.TB, endpoint string) *Proxy {
	t.Helper()
	target, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 32}
	p := &Proxy{closed: make(chan struct{})}
	p.forward = &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host // is part of the signature
		},
		Transport:    transport,
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	server := httptest.NewServer(p)
	p.URL = server.URL
	t.Cleanup(func() {
		close(p.closed)
		server.CloseClientConnections()
		server.Close()
		transport.CloseIdleConnections()
	})
	return p
}

// Fail arms faults, in the place of those that were armed. Without any, the proxy only forwards.
func (p *Proxy) Fail(faults ...Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = nil
	for i := range faults {
		p.faults = append(p.faults, &faults[i])
	}
}

// Requests returns what came since it was last called: methods and paths with queries, in order of arrival.
func (p *Proxy) Requests() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	came := p.requests
	p.requests = nil
	return came
}

func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if do := p.due(r); do != nil {
		do(p, w, r)
		return
	}
	p.Forward(w, r)
}

// Forward passes a request on, for an Action that does something besides.
func (p *Proxy) Forward(w http.ResponseWriter, r *http.Request) { p.forward.ServeHTTP(w, r) }

func (p *Proxy) due(r *http.Request) Action {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.requests = append(p.requests, r.Method+" "+r.URL.RequestURI())
	for _, f := range p.faults {
		if f.Method != "" && f.Method != r.Method || !strings.Contains(r.URL.RawQuery, f.Query) {
			continue
		}
		f.seen++
		if f.seen > f.Skip && (f.Times == 0 || f.seen <= f.Skip+f.Times) {
			return f.Do
		}
	}
	return nil
}

// Answer refuses a request as S3 does, in the server's stead. The headers are pairs.
func Answer(status int, code, message string, headers ...string) Action {
	return func(_ *Proxy, w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		refuse(w, r, status, code, message, headers...)
	}
}

func refuse(w http.ResponseWriter, r *http.Request, status int, code, message string, headers ...string) {
	for i := 0; i+1 < len(headers); i += 2 {
		w.Header().Set(headers[i], headers[i+1])
	}
	w.Header().Set("Content-Type", "application/xml")
	w.Header().Set("X-Amz-Request-Id", "TEST0REQUEST")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?><Error><Code>%s</Code><Message>%s</Message></Error>`, code, message)
	}
}

// Drop closes the connection before the request has reached the server.
func Drop(*Proxy, http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// LoseAnswer has the server do what it is asked, and closes the connection in the place of the answer.
func LoseAnswer(p *Proxy, _ http.ResponseWriter, r *http.Request) {
	p.forward.ServeHTTP(&sink{header: http.Header{}}, r)
	panic(http.ErrAbortHandler)
}

// FailAfter has the server do what it is asked, and says that it failed.
func FailAfter(p *Proxy, w http.ResponseWriter, r *http.Request) {
	p.forward.ServeHTTP(&sink{header: http.Header{}}, r)
	refuse(w, r, http.StatusInternalServerError, "InternalError", "We encountered an internal error. Please try again.")
}

// Pretend acknowledges an upload as versitygw does one that it has lost: with an ETag, and without the checksum that was sent.
func Pretend(_ *Proxy, w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	w.Header().Set("ETag", `"0123456789abcdef0123456789abcdef"`)
	w.WriteHeader(http.StatusOK)
}

// Hang never answers.
func Hang(p *Proxy, _ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	select {
	case <-p.closed:
	case <-r.Context().Done():
	}
	panic(http.ErrAbortHandler)
}

// Truncate closes the connection after n bytes of the answer's body.
func Truncate(n int64) Action {
	return func(p *Proxy, w http.ResponseWriter, r *http.Request) {
		p.forward.ServeHTTP(&limited{ResponseWriter: w, left: n}, r)
	}
}

// Change flips a bit in the answer's body, at offset n.
func Change(n int64) Action {
	return func(p *Proxy, w http.ResponseWriter, r *http.Request) {
		p.forward.ServeHTTP(&changed{ResponseWriter: w, at: n}, r)
	}
}

// Refuse answers "not implemented" to a request with a header, and passes any other on.
func Refuse(header string) Action {
	refusal := Answer(http.StatusNotImplemented, "NotImplemented", "A header you provided implies functionality that is not implemented.")
	return func(p *Proxy, w http.ResponseWriter, r *http.Request) {
		if r.Header.Get(header) != "" {
			refusal(p, w, r)
			return
		}
		p.forward.ServeHTTP(w, r)
	}
}

// sink swallows an answer.
type sink struct{ header http.Header }

func (s *sink) Header() http.Header         { return s.header }
func (s *sink) Write(p []byte) (int, error) { return len(p), nil }
func (s *sink) WriteHeader(int)             {}

// limited aborts after some bytes.
type limited struct {
	http.ResponseWriter
	left int64
}

func (l *limited) Write(p []byte) (int, error) {
	n, err := l.ResponseWriter.Write(p[:min(int64(len(p)), l.left)])
	l.left -= int64(n)
	if l.left == 0 {
		_ = http.NewResponseController(l.ResponseWriter).Flush()
		panic(http.ErrAbortHandler)
	}
	return n, err
}

// changed flips a bit.
type changed struct {
	http.ResponseWriter
	at int64
}

func (c *changed) Write(p []byte) (int, error) {
	if c.at >= 0 && c.at < int64(len(p)) {
		p = append([]byte(nil), p...)
		p[c.at] ^= 1
	}
	c.at -= int64(len(p))
	return c.ResponseWriter.Write(p)
}
