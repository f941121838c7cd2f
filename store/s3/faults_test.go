package s3

import (
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/store/blob"
	"gatehouse/store/s3/s3test"
)

// random returns n bytes, the same ones for each seed.
func random(n int, seed byte) string {
	r := rand.NewChaCha8([32]byte{seed})
	p := make([]byte, n)
	r.Read(p)
	return string(p)
}

const large = 2*partSize + 12345 // three parts

// impatience is the timeout for a fault. Only what hangs is worth a short one, which a busy machine may miss.
func impatience(how string) time.Duration {
	if how == "hangs" {
		return 1500 * time.Millisecond
	}
	return 0
}

// openFaulty opens a new bucket behind a proxy.
func openFaulty(t *testing.T, server *s3test.Server, timeout time.Duration) (*Store, *s3test.Proxy) {
	t.Helper()
	proxy := s3test.NewProxy(t, server.URL)
	o := options(t, server, proxy.URL)
	o.Timeout = timeout
	s := mustOpen(t, o)
	proxy.Requests()
	return s, proxy
}

var slowDown = s3test.Answer(http.StatusServiceUnavailable, "SlowDown", "Please reduce your request rate.")

// passing are the faults that a repeated request gets over.
var passing = map[string]s3test.Action{
	"dropped": s3test.Drop, "slow down": slowDown, "answer lost": s3test.LoseAnswer, "failed after": s3test.FailAfter, "hangs": s3test.Hang,
}

// requests are all those of an upload, by what tells them apart.
var requests = map[string]struct {
	method, query string
	size          int
}{
	"put":      {http.MethodPut, "x-id=PutObject", 100_000},
	"create":   {http.MethodPost, "uploads", large},
	"part":     {http.MethodPut, "uploadId", large},
	"complete": {http.MethodPost, "uploadId", large},
}

// TestPutGetsOverIt: each request of an upload fails once, in each way, and the upload succeeds.
func TestPutGetsOverIt(t *testing.T) {
	server := s3test.New(t)
	for what, c := range requests {
		for how, do := range passing {
			t.Run(what+", "+how, func(t *testing.T) {
				t.Parallel()
				s, proxy := openFaulty(t, server, impatience(how))
				content := random(c.size, 1)
				for i, r := range []io.Reader{stream(content), strings.NewReader(content)} {
					key := []string{"stream", "read/anywhere"}[i]
					if i > 0 && how == "hangs" {
						continue // once is long enough
					}
					proxy.Fail(s3test.Fault{Method: c.method, Query: c.query, Times: 1, Do: do})
					if err := s.Put(t.Context(), key, int64(len(content)), r); err != nil {
						t.Fatalf("%s: %v", key, err)
					}
					if failed := len(proxy.Requests()); failed < 2 {
						t.Fatal("nothing failed: the test shows nothing")
					}
					proxy.Fail()
					if get(t, s, key) != content {
						t.Error("other bytes than were put")
					}
				}
				// An upload that was begun twice, since the first answer got lost, is known to nobody.
				if left := uploads(t, s); len(left) > 0 && what != "create" {
					t.Errorf("left behind: %q", left)
				}
				if _, err := s.AbortUnfinished(t.Context(), time.Now().Add(time.Hour)); err != nil {
					t.Fatal(err)
				}
				if left := uploads(t, s); len(left) > 0 {
					t.Errorf("AbortUnfinished has left %q", left)
				}
			})
		}
	}
}

// TestPutGivesUp: each request fails for as long as it is tried. The error says so, in time; nothing is left, and the next one works.
func TestPutGivesUp(t *testing.T) {
	server := s3test.New(t)
	for what, c := range requests {
		for how, do := range map[string]s3test.Action{"dropped": s3test.Drop, "slow down": slowDown, "hangs": s3test.Hang} {
			t.Run(what+", "+how, func(t *testing.T) {
				t.Parallel()
				s, proxy := openFaulty(t, server, impatience(how))
				content := random(c.size, 1)
				proxy.Fail(s3test.Fault{Method: c.method, Query: c.query, Do: do})
				begun := time.Now()
				err := s.Put(t.Context(), "a", int64(len(content)), stream(content))
				if !errors.Is(err, blob.ErrUnavailable) || !strings.HasPrefix(err.Error(), "s3: storing a: http://127.0.0.1:") {
					t.Errorf("error %v", err)
				}
				if took := time.Since(begun); took > 20*time.Second {
					t.Errorf("it took %v", took)
				}
				proxy.Fail()
				if left := append(all(t, s), uploads(t, s)...); len(left) > 0 {
					t.Errorf("left behind: %q", left)
				}
				put(t, s, "a", content)
				if get(t, s, "a") != content {
					t.Error("other bytes than were put")
				}
				if len(s.buffers) > 0 {
					t.Errorf("%d buffers were not given back", len(s.buffers))
				}
			})
		}
	}
}

// TestNoRoom: what servers say when they are full or a quota is used up.
func TestNoRoom(t *testing.T) {
	s, proxy := openFaulty(t, s3test.New(t), 0)
	for code, status := range map[string]int{"QuotaExceeded": 403, "InsufficientStorage": 507, "XMinioStorageFull": 507, "Unheard": 507} {
		for _, c := range requests {
			proxy.Fail(s3test.Fault{Method: c.method, Query: c.query, Do: s3test.Answer(status, code, "No.")})
			content := random(c.size, 1)
			err := s.Put(t.Context(), "a", int64(len(content)), strings.NewReader(content))
			if !errors.Is(err, blob.ErrFull) || errors.Is(err, blob.ErrUnavailable) || errors.Is(err, ErrDenied) {
				t.Errorf("%d %s: %v, want ErrFull", status, code, err)
			}
			proxy.Fail()
			if left := append(all(t, s), uploads(t, s)...); len(left) > 0 {
				t.Errorf("left behind: %q", left)
			}
		}
	}
}

// TestConflict: the server cannot tell yet who wins.
func TestConflict(t *testing.T) {
	s, proxy := openFaulty(t, s3test.New(t), 0)
	conflict := s3test.Answer(http.StatusConflict, "ConditionalRequestConflict", "Try again.")
	proxy.Fail(s3test.Fault{Method: http.MethodPut, Times: 2, Do: conflict})
	put(t, s, "a", "content")
	proxy.Fail(s3test.Fault{Method: http.MethodPut, Do: conflict})
	put(t, s, "a", "somebody else has won")
	if err := s.Put(t.Context(), "b", 1, strings.NewReader("x")); !errors.Is(err, blob.ErrUnavailable) {
		t.Errorf("a conflict for ever: %v", err)
	}
	content := random(large, 1)
	proxy.Fail(s3test.Fault{Method: http.MethodPost, Query: "uploadId", Do: conflict})
	if err := s.Put(t.Context(), "c", large, strings.NewReader(content)); !errors.Is(err, blob.ErrUnavailable) {
		t.Errorf("a conflict in parts: %v", err)
	}
	proxy.Fail()
	if got := append(all(t, s), uploads(t, s)...); !slices.Equal(got, []string{"a"}) || get(t, s, "a") != "content" {
		t.Errorf("there are %q", got)
	}
}
