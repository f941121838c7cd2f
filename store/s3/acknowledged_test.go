package s3

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"gatehouse/store/blob"
	"gatehouse/store/s3/s3test"
)

// TestAcknowledgedButNotKept: a server says 200 to an upload and throws it away, as versitygw 1.8.0 does when another
// request removes the folder meanwhile. That is not believed: the object is sent again, and Put fails when that is of no use.
func TestAcknowledgedButNotKept(t *testing.T) {
	s, proxy := openFaulty(t, s3test.New(t), 0)
	content := random(100_000, 1)
	for times := range 3 {
		proxy.Fail(s3test.Fault{Method: http.MethodPut, Times: times + 1, Do: s3test.Pretend})
		key := "lost/" + strings.Repeat("x", times+1)
		if err := s.Put(t.Context(), key, int64(len(content)), stream(content)); err != nil {
			t.Fatalf("lost %d times: %v", times+1, err)
		}
		if get(t, s, key) != content {
			t.Errorf("lost %d times: other bytes than were put", times+1)
		}
	}
	proxy.Fail(s3test.Fault{Method: http.MethodPut, Do: s3test.Pretend})
	err := s.Put(t.Context(), "a", int64(len(content)), stream(content))
	if !errors.Is(err, blob.ErrUnavailable) || !errors.Is(err, errNotKept) || !strings.Contains(err.Error(), "does not give what it has promised") {
		t.Errorf("lost each time: %v", err)
	}
	if len(s.buffers) > 0 {
		t.Errorf("%d buffers were not given back", len(s.buffers))
	}
}

// TestAcknowledgement counts what it costs: one request where the server repeats the checksum, and one more where it
// does not, for which the object that is there is good.
func TestAcknowledgement(t *testing.T) {
	s, proxy := openFaulty(t, s3test.New(t), 0)
	silent := func(p *s3test.Proxy, w http.ResponseWriter, r *http.Request) { p.Forward(withoutChecksum{w}, r) }
	for name, c := range map[string]struct {
		faults []s3test.Fault
		want   string
	}{
		"repeats the checksum": {nil, "PUT"},
		"does not":             {[]s3test.Fault{{Method: http.MethodPut, Do: silent}}, "PUT HEAD"},
	} {
		proxy.Fail(c.faults...)
		proxy.Requests()
		put(t, s, name[:4], "content")
		var methods []string
		for _, request := range proxy.Requests() {
			method, _, _ := strings.Cut(request, " ")
			methods = append(methods, method)
		}
		if got := strings.Join(methods, " "); got != c.want {
			t.Errorf("a server that %s: %s, want %s", name, got, c.want)
		}
	}
}

// withoutChecksum takes the checksum out of an answer.
type withoutChecksum struct{ http.ResponseWriter }

func (w withoutChecksum) WriteHeader(status int) {
	w.Header().Del("X-Amz-Checksum-Crc32")
	w.ResponseWriter.WriteHeader(status)
}
