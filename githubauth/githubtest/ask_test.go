package githubtest

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
)

// reply is an answer that was read.
type reply struct {
	*http.Response
	body []byte
}

func (r reply) document(t *testing.T) map[string]any {
	t.Helper()
	d := map[string]any{}
	if err := json.Unmarshal(r.body, &d); err != nil {
		t.Fatalf("%v in %s", err, r.body)
	}
	return d
}

func (r reply) message(t *testing.T) string {
	t.Helper()
	m, _ := r.document(t)["message"].(string)
	return m
}

// asker sends requests to a fake as one caller.
type asker struct {
	t     *testing.T
	base  string
	token string
}

func (f *Fixture) as(t *testing.T, token string) asker { return asker{t, f.APIURL(), token} }

func started(t *testing.T, options ...Option) *Fixture {
	t.Helper()
	f := Acme(options...).Start()
	t.Cleanup(f.Close)
	return f
}

// do sends "METHOD /path"; header is pairs. Redirects are not followed.
func (a asker) do(request, body string, header ...string) reply {
	a.t.Helper()
	r, err := a.try(request, body, header...)
	if err != nil {
		a.t.Fatal(err)
	}
	return r
}

func (a asker) try(request, body string, header ...string) (reply, error) {
	method, path, _ := strings.Cut(request, " ")
	req, err := http.NewRequest(method, a.base+path, strings.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	req.Header.Set("User-Agent", "test")
	if a.token != "" {
		req.Header.Set("Authorization", "Bearer "+a.token)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return reply{}, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return reply{res, b}, err
}

func (a asker) get(path string, header ...string) reply {
	a.t.Helper()
	return a.do("GET "+path, "", header...)
}

// want fails unless the answer to a request has the status.
func (a asker) want(status int, request string) reply {
	a.t.Helper()
	body := ""
	if strings.HasPrefix(request, "POST ") {
		body = "{}"
	}
	r := a.do(request, body)
	if r.StatusCode != status {
		a.t.Errorf("%s: %d, want %d: %s", request, r.StatusCode, status, r.body)
	}
	return r
}

// git is the status of git's first request, with Basic credentials as git sends them.
func (f *Fixture) git(t *testing.T, service, fullName, token string) reply {
	t.Helper()
	a := asker{t: t, base: f.URL()}
	var header []string
	if token != "" {
		header = []string{"Authorization", basic("x-access-token", token)}
	}
	return a.do("GET /"+fullName+".git/info/refs?service="+service, "", header...)
}

func basic(user, password string) string {
	r := http.Request{Header: http.Header{}}
	r.SetBasicAuth(user, password)
	return r.Header.Get("Authorization")
}

func (r reply) list(t *testing.T) []any {
	t.Helper()
	var l []any
	if err := json.Unmarshal(r.body, &l); err != nil {
		t.Fatalf("%v in %s", err, r.body)
	}
	return l
}
