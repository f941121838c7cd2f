package s3

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"gatehouse/store/blob"
	"gatehouse/store/s3/s3test"
)

// serve answers a request with an object, as the registry does.
func serve(t *testing.T, s *Store, key, method, span string) *httptest.ResponseRecorder {
	t.Helper()
	o, err := s.Open(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	defer o.Body.Close()
	r := httptest.NewRequest(method, "/", nil)
	if span != "" {
		r.Header.Set("Range", span)
	}
	w := httptest.NewRecorder()
	w.Header().Set("Content-Type", "application/octet-stream")
	http.ServeContent(w, r, "", time.Time{}, o.Body)
	return w
}

// TestServeContent counts what serving an object costs at S3.
func TestServeContent(t *testing.T) {
	s, proxy := openFaulty(t, s3test.New(t), 0)
	content := random(3<<20, 1)
	put(t, s, "a", content)
	proxy.Requests()
	for name, c := range map[string]struct {
		method, span string
		status       int
		want         string
		requests     int
	}{
		"whole":        {http.MethodGet, "", 200, content, 1},
		"head":         {http.MethodHead, "", 200, "", 1},
		"from start":   {http.MethodGet, "bytes=0-999", 206, content[:1000], 1},
		"near start":   {http.MethodGet, "bytes=1000-1999", 206, content[1000:2000], 1},
		"in the midst": {http.MethodGet, "bytes=2000000-2000999", 206, content[2000000:2001000], 2},
		"the end":      {http.MethodGet, "bytes=-1000", 206, content[len(content)-1000:], 2},
		"behind":       {http.MethodGet, "bytes=9000000-", 416, "", 1},
	} {
		w := serve(t, s, "a", c.method, c.span)
		if w.Code != c.status || c.status < 300 && w.Body.String() != c.want {
			t.Errorf("%s: status %d, %d bytes", name, w.Code, w.Body.Len())
		}
		if got := proxy.Requests(); len(got) != c.requests {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// TestConnectionIsKept: reading, and leaving little unread, keeps the connection; a missing object too.
func TestConnectionIsKept(t *testing.T) {
	server := s3test.New(t)
	opened := 0
	front := httptest.NewUnstartedServer(s3test.NewProxy(t, server.URL))
	front.Config.ConnState = countNew(&opened)
	front.Start()
	defer front.Close()
	s := mustOpen(t, options(t, server, front.URL))
	for range 20 {
		put(t, s, "a", "content")
		get(t, s, "a")
		serve(t, s, "a", http.MethodHead, "")
		if _, err := s.Open(t.Context(), "b"); !errors.Is(err, blob.ErrNotFound) {
			t.Fatal(err)
		}
		if err := s.Delete(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
	}
	front.Close()
	if opened > 2 {
		t.Errorf("%d connections for requests one after the other", opened)
	}
}

// TestReadGetsOverIt: a body that breaks off is read on from there, by another request.
func TestReadGetsOverIt(t *testing.T) {
	s, proxy := openFaulty(t, s3test.New(t), impatience("hangs"))
	content := random(3<<20, 1)
	put(t, s, "a", content)
	put(t, s, "empty", "")
	for name, faults := range map[string][]s3test.Fault{
		"breaks off":         {{Method: http.MethodGet, Times: 1, Do: s3test.Truncate(1 << 20)}},
		"no byte":            {{Method: http.MethodGet, Times: 1, Do: s3test.Truncate(0)}},
		"last byte":          {{Method: http.MethodGet, Times: 1, Do: s3test.Truncate(3<<20 - 1)}},
		"three times":        {{Method: http.MethodGet, Times: 3, Do: s3test.Truncate(1000)}},
		"and is not let in":  {{Method: http.MethodGet, Times: 1, Do: s3test.Truncate(1 << 20)}, {Method: http.MethodGet, Times: 1, Do: slowDown}},
		"dropped at first":   {{Method: http.MethodGet, Times: 2, Do: s3test.Drop}},
		"slow down at first": {{Method: http.MethodGet, Times: 2, Do: slowDown}},
		"hangs at first":     {{Method: http.MethodGet, Times: 1, Do: s3test.Hang}},
	} {
		proxy.Fail(faults...)
		if get(t, s, "a") != content {
			t.Errorf("%s: other bytes than were put", name)
		}
		if got := proxy.Requests(); len(got) < 2 {
			t.Errorf("%s: nothing failed: %q", name, got)
		}
	}
	proxy.Fail()
	if get(t, s, "empty") != "" {
		t.Error("an empty object has bytes")
	}
}

// TestReadFails: what cannot be read is an error, for those too who copy as many bytes as the object has and look no further.
func TestReadFails(t *testing.T) {
	s, proxy := openFaulty(t, s3test.New(t), impatience("hangs"))
	content := random(1<<20, 1)
	put(t, s, "a", content)
	for name, do := range map[string]s3test.Action{
		"breaks off each time": s3test.Truncate(1000),
		"a bit has flipped":    s3test.Change(5),
	} {
		proxy.Fail(s3test.Fault{Method: http.MethodGet, Do: do})
		o, err := s.Open(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		var got bytes.Buffer
		n, err := io.CopyN(&got, o.Body, o.Size)
		if n == o.Size || err == nil || err == io.EOF || !errors.Is(err, blob.ErrUnavailable) {
			t.Errorf("%s: %d of %d bytes, %v", name, n, o.Size, err)
		}
		if !strings.HasPrefix(err.Error(), "s3: reading a: ") || !strings.Contains(err.Error(), "does not give what it has promised") {
			t.Errorf("%s: %v", name, err)
		}
		t.Logf("%s: after %d bytes: %v", name, n, err)
		o.Body.Close()
	}
	proxy.Fail(s3test.Fault{Method: http.MethodGet, Do: s3test.Hang})
	begun := time.Now()
	if _, err := s.Open(t.Context(), "a"); !errors.Is(err, blob.ErrUnavailable) || time.Since(begun) > 10*time.Second {
		t.Errorf("a server that hangs: after %v, %v", time.Since(begun), err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := s.Open(ctx, "a"); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, blob.ErrUnavailable) {
		t.Errorf("a deadline that passes: %v", err)
	}
	// Of what stands in front of S3, a 404 says nothing about the object.
	proxy.Fail(s3test.Fault{Do: func(_ *s3test.Proxy, w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) }})
	if _, err := s.Open(t.Context(), "a"); errors.Is(err, blob.ErrNotFound) || !errors.Is(err, blob.ErrUnavailable) {
		t.Errorf("404 of a proxy: %v", err)
	}
	if err := s.Delete(t.Context(), "a"); !errors.Is(err, blob.ErrUnavailable) {
		t.Errorf("404 of a proxy, deleting: %v", err)
	}
}

// TestObjectIsReplaced: an object that is deleted and put again while it is read is not mixed with the new one.
func TestObjectIsReplaced(t *testing.T) {
	s, proxy := openFaulty(t, s3test.New(t), 0)
	first, second := random(1<<20, 1), random(1<<20, 2)
	put(t, s, "a", first)
	proxy.Fail(s3test.Fault{Method: http.MethodGet, Times: 1, Do: s3test.Truncate(1000)})
	o, err := s.Open(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	defer o.Body.Close()
	if _, err := io.ReadFull(o.Body, make([]byte, 1000)); err != nil {
		t.Fatal(err)
	}
	if err := s.Delete(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	if n, err := o.Body.Read(make([]byte, 10)); n > 0 || err == nil || err == io.EOF {
		t.Errorf("deleted: %d bytes, %v", n, err)
	}
	put(t, s, "a", second)
	if n, err := o.Body.Read(make([]byte, 10)); n > 0 || err == nil || err == io.EOF {
		t.Errorf("replaced: %d bytes, %v", n, err)
	}
}

// TestBodyOutlivesContext: the context is for opening. The Body ends with Close.
func TestBodyOutlivesContext(t *testing.T) {
	server := s3test.New(t)
	s := mustOpen(t, options(t, server, server.URL))
	content := random(3<<20, 1)
	put(t, s, "a", content)
	ctx, cancel := context.WithCancel(t.Context())
	o, err := s.Open(ctx, "a")
	cancel()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(o.Body); err != nil || string(got) != content {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if _, err := o.Body.Seek(-1, io.SeekStart); err == nil {
		t.Error("a place before the start was not refused")
	}
	if _, err := o.Body.Seek(100, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	if err := o.Body.Close(); err != nil {
		t.Fatal(err)
	}
	if n, err := o.Body.Read(make([]byte, 1)); n > 0 || err == nil || err == io.EOF {
		t.Errorf("after Close: %d bytes, %v", n, err)
	}
}

func TestKeyIsTooLong(t *testing.T) {
	server := s3test.New(t)
	s := mustOpen(t, options(t, server, server.URL))
	key := strings.Repeat(strings.Repeat("x", 250)+"/", 5) + "y"
	if err := s.Put(t.Context(), key, 1, strings.NewReader("x")); err == nil || !strings.Contains(err.Error(), "1024") {
		t.Errorf("Put: %v", err)
	}
	if _, err := s.Open(t.Context(), key); err == nil || errors.Is(err, blob.ErrNotFound) {
		t.Errorf("Open: %v", err)
	}
}
