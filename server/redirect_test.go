package server_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"gatehouse/githubauth/githubtest"
	"gatehouse/server"
	"gatehouse/store"
	"gatehouse/store/memory"
	"gatehouse/store/packument/packumenttest"
	"gatehouse/store/s3"
	"gatehouse/store/s3/s3test"
)

// away is a registry whose tarballs are in a bucket.
type away struct {
	t        *testing.T
	github   *githubtest.Fixture
	registry *httptest.Server
	bucket   *s3test.Proxy
	log      *lockedBuffer
}

func startAway(t *testing.T, change func(*server.Options)) *away {
	t.Helper()
	a := &away{t: t, github: githubtest.Acme().Start(), log: &lockedBuffer{}}
	t.Cleanup(a.github.Close)
	behind := s3test.New(t)
	a.bucket = s3test.NewProxy(t, behind.URL)
	engine, err := s3.Open(t.Context(), s3.Options{
		AccessKeyID: behind.AccessKeyID, SecretAccessKey: behind.SecretAccessKey, Region: s3test.Region,
		Bucket: behind.Bucket(t), Prefix: "npm", Endpoint: a.bucket.URL, PathStyle: true, Timeout: 2 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	packages, err := store.Open(t.Context(), memory.NewKV(), engine, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	a.registry = serve(t, a.github, func(o *server.Options) {
		o.NPM.Registry, o.NPM.Redirect, o.Log = packages, time.Minute, slog.New(slog.NewTextHandler(a.log, nil))
		if change != nil {
			change(o)
		}
	})
	t.Cleanup(func() {
		if log := a.log.String(); strings.Contains(log, "X-Amz-Signature") || strings.Contains(log, "Credential=") {
			t.Errorf("an address that opens a tarball is in the log:\n%s", log)
		}
	})
	return a
}

var large = packumenttest.Package{Name: "@acme/ui", Version: "1.0.0", Repository: "github:acme/ui", Files: map[string]string{"data": noise(300_000)}}

// noise is text that does not compress to nothing.
func noise(n int) string {
	b := make([]byte, n/2)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(b) // never fails
	return hex.EncodeToString(b)
}

const uiTarball = "/@acme/ui/-/ui-1.0.0.tgz"

// ask sends a request and follows nothing. The headers are pairs; one for "Host" is the host that is asked.
func (a *away) ask(method, path, token string, body []byte, headers ...string) (*http.Response, []byte) {
	a.t.Helper()
	req, err := http.NewRequest(method, a.registry.URL+path, bytes.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	req.Host = "registry.test"
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			req.Host = headers[i+1]
		}
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		a.t.Fatal(err)
	}
	content, err := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if err != nil {
		a.t.Fatal(err)
	}
	return res, content
}

func (a *away) publish(p packumenttest.Package, want int) *http.Response {
	a.t.Helper()
	res, body := a.ask(http.MethodPut, p.Path(), a.github.Wendy, p.Body(), "Content-Type", "application/json")
	if res.StatusCode != want {
		a.t.Fatalf("publishing %s@%s: %d %s, want %d", p.Name, p.Version, res.StatusCode, body, want)
	}
	return res
}

// TestRedirect: who may read a tarball is sent to the bucket for it, with an address that needs nothing else.
func TestRedirect(t *testing.T) {
	t.Parallel()
	a := startAway(t, nil)
	a.publish(large, http.StatusCreated)
	a.bucket.Requests()

	res, body := a.ask(http.MethodGet, uiTarball, a.github.Rita, nil)
	if res.StatusCode != http.StatusFound || res.Header.Get("Cache-Control") != "no-store" || res.Header.Get("ETag") != "" || len(body) > 0 {
		t.Fatalf("%d %v %s", res.StatusCode, res.Header, body)
	}
	address, err := res.Location()
	if err != nil || "http://"+address.Host != a.bucket.URL || address.Query().Get("X-Amz-Expires") != "60" || !strings.HasSuffix(address.Path, ".tgz") {
		t.Errorf("it leads to %v, %v", address, err)
	}
	if asked := a.bucket.Requests(); len(asked) != 0 {
		t.Errorf("the bucket was asked for a redirect: %q", asked)
	}
	got, err := http.Get(address.String())
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(got.Body)
	_ = got.Body.Close()
	if err != nil || got.StatusCode != http.StatusOK || !bytes.Equal(content, large.Tarball()) || !strings.Contains(got.Header.Get("Content-Disposition"), `"ui-1.0.0.tgz"`) {
		t.Errorf("there: %d, %d bytes, %v, %v", got.StatusCode, len(content), got.Header, err)
	}

	// The documents name the registry and nothing else.
	for _, path := range []string{"/@acme%2fui", "/@acme/ui/1.0.0"} {
		res, body := a.ask(http.MethodGet, path, a.github.Rita, nil)
		if res.StatusCode != http.StatusOK || !bytes.Contains(body, []byte(`"http://registry.test/@acme/ui/-/ui-1.0.0.tgz"`)) || bytes.Contains(body, []byte("127.0.0.1")) {
			t.Errorf("%s: %d %s", path, res.StatusCode, body)
		}
	}
}

// TestRedirectAfterVerdict: who may not read gets the answer they would get without a bucket, and nobody gets an address.
func TestRedirectAfterVerdict(t *testing.T) {
	t.Parallel()
	a := startAway(t, nil)
	a.publish(large, http.StatusCreated)
	if res, _ := a.ask(http.MethodGet, uiTarball, a.github.WendyReads, nil); res.StatusCode != http.StatusFound {
		t.Fatalf("a reader: %d", res.StatusCode)
	}
	refused := func(what, path, token string, want int) {
		t.Helper()
		res, body := a.ask(http.MethodGet, path, token, nil)
		if res.StatusCode != want || res.Header.Get("Location") != "" || bytes.Contains(body, []byte("X-Amz")) {
			t.Errorf("%s: %d %v %s, want %d", what, res.StatusCode, res.Header, body, want)
		}
	}
	refused("nobody", uiTarball, "", 401)
	refused("an unknown token", uiTarball, githubtest.Unknown, 401)
	refused("a stranger", uiTarball, a.github.Mallory, 404)
	refused("no such version", "/@acme/ui/-/ui-2.0.0.tgz", a.github.WendyReads, 404)
	refused("no such file", "/@acme/ui/-/other-1.0.0.tgz", a.github.WendyReads, 404)
	refused("no such package", "/@acme/no/-/no-1.0.0.tgz", a.github.WendyReads, 404)

	two := large
	two.Version = "2.0.0"
	a.publish(two, http.StatusCreated)
	var d struct {
		Rev string `json:"_rev"`
	}
	_, body := a.ask(http.MethodGet, "/@acme%2fui?write=true", a.github.Wendy, nil)
	if err := json.Unmarshal(body, &d); err != nil {
		t.Fatal(err)
	}
	res, body := a.ask(http.MethodPut, "/@acme%2fui/-rev/"+d.Rev, a.github.Wendy, []byte(`{"_id":"@acme/ui","name":"@acme/ui","versions":{"2.0.0":{}}}`), "Content-Type", "application/json")
	if res.StatusCode != http.StatusOK {
		t.Fatalf("unpublishing: %d %s", res.StatusCode, body)
	}
	refused("an unpublished version", uiTarball, a.github.WendyReads, 410)

	// rita has not asked before, so that no older verdict stands.
	a.github.AddOrg("evil")
	a.github.Transfer("acme/ui", "evil")
	refused("a frozen package", "/@acme/ui/-/ui-2.0.0.tgz", a.github.Mallory, 404)
	a.publish(two, http.StatusForbidden)
	refused("a frozen package, by a reader", "/@acme/ui/-/ui-2.0.0.tgz", a.github.Rita, 403)
}

// TestNoRedirect: what a presigned address cannot answer, and callers who want the bytes themselves.
func TestNoRedirect(t *testing.T) {
	t.Parallel()
	a := startAway(t, nil)
	a.publish(large, http.StatusCreated)
	tarball := large.Tarball()
	res, _ := a.ask(http.MethodHead, uiTarball, a.github.Rita, nil)
	etag := res.Header.Get("ETag")
	if res.StatusCode != http.StatusOK || res.ContentLength != int64(len(tarball)) || etag == "" {
		t.Fatalf("HEAD: %d, %d bytes, %v", res.StatusCode, res.ContentLength, res.Header)
	}
	for what, c := range map[string]struct {
		path    string
		headers []string
		status  int
		body    []byte
	}{
		"a range":          {uiTarball, []string{"Range", "bytes=10-19"}, 206, tarball[10:20]},
		"a validator":      {uiTarball, []string{"If-None-Match", etag}, 304, nil},
		"an old validator": {uiTarball, []string{"If-None-Match", `"other"`}, 200, tarball},
		"the header":       {uiTarball, []string{"X-Gatehouse-No-Redirect", "1"}, 200, tarball},
		"the query":        {uiTarball + "?redirect=false", nil, 200, tarball},
	} {
		res, body := a.ask(http.MethodGet, c.path, a.github.Rita, nil, c.headers...)
		if res.StatusCode != c.status || !bytes.Equal(body, c.body) || res.Header.Get("Cache-Control") != "private, no-cache" {
			t.Errorf("%s: %d, %d bytes, %v; want %d, %d bytes", what, res.StatusCode, len(body), res.Header, c.status, len(c.body))
		}
	}
	a.bucket.Requests()
	a.ask(http.MethodGet, uiTarball, a.github.Rita, nil, "X-Gatehouse-No-Redirect", "1")
	if asked := a.bucket.Requests(); len(asked) != 1 {
		t.Errorf("serving a tarball took %q", asked)
	}
	// What the metadata know is answered without the storage, with all that a GET would say, even while it is down.
	full, _ := a.ask(http.MethodGet, uiTarball, a.github.Rita, nil, "X-Gatehouse-No-Redirect", "1")
	a.bucket.Requests()
	a.bucket.Fail(s3test.Fault{Do: s3test.Drop})
	head, _ := a.ask(http.MethodHead, uiTarball, a.github.Rita, nil, "Range", "bytes=10-19")
	for _, name := range []string{"Accept-Ranges", "Cache-Control", "Content-Length", "Content-Type", "Etag"} {
		if head.StatusCode != http.StatusOK || head.Header.Get(name) != full.Header.Get(name) {
			t.Errorf("HEAD: %d, %s is %q, and %q of a GET", head.StatusCode, name, head.Header.Get(name), full.Header.Get(name))
		}
	}
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		res, _ := a.ask(method, uiTarball, a.github.Rita, nil, "If-None-Match", `"other", W/`+etag)
		if res.StatusCode != http.StatusNotModified || res.Header.Get("Etag") != etag || res.Header.Get("Content-Type") != "" {
			t.Errorf("%s with the validator: %d %v", method, res.StatusCode, res.Header)
		}
		if res, _ := a.ask(method, "/@acme/ui/-/ui-9.9.9.tgz", a.github.Rita, nil, "If-None-Match", "*"); res.StatusCode != http.StatusNotFound {
			t.Errorf("%s of a version that is not there: %d", method, res.StatusCode)
		}
		if res, _ := a.ask(method, uiTarball, a.github.Mallory, nil, "If-None-Match", etag); res.StatusCode != http.StatusNotFound || res.Header.Get("Etag") != "" {
			t.Errorf("%s by a stranger who knows the validator: %d %v", method, res.StatusCode, res.Header)
		}
	}
	if asked := a.bucket.Requests(); len(asked) != 0 {
		t.Errorf("the storage was asked %q", asked)
	}
	a.bucket.Fail()
	for what, path := range map[string]string{"another query": uiTarball + "?redirect=true", "an odd query": uiTarball + "?write=true&redirect"} {
		if res, _ := a.ask(http.MethodGet, path, a.github.Rita, nil); res.StatusCode != http.StatusFound {
			t.Errorf("%s: %d", what, res.StatusCode)
		}
	}

	off := startAway(t, func(o *server.Options) { o.NPM.Redirect = 0 })
	off.publish(large, http.StatusCreated)
	if res, body := off.ask(http.MethodGet, uiTarball, off.github.Rita, nil); res.StatusCode != http.StatusOK || !bytes.Equal(body, tarball) {
		t.Errorf("without redirects: %d, %d bytes", res.StatusCode, len(body))
	}
}

// TestNoRedirectToOwnHost: npm and yarn 1 send their token along when only the port changes, so the bucket must not have a name that clients know us by.
func TestNoRedirectToOwnHost(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		url, host string // server.url, and the host that is asked
		want      int
	}{
		"the request's name":            {"", "127.0.0.1:3000", 200},
		"the request's name, no port":   {"", "127.0.0.1", 200},
		"another name":                  {"", "localhost:3000", 302},
		"the documents' name":           {"https://127.0.0.1:8443/npm/", "inner.test:3000", 200},
		"a public name, asked by ours":  {"https://npm.example.org/", "127.0.0.1:3000", 200},
		"a public name, asked by it":    {"https://npm.example.org/", "npm.example.org", 302},
		"a name that begins like it":    {"", "127.0.0.1.example.org", 302},
		"a public name, asked by a dot": {"https://npm.example.org/", "127.0.0.1.", 200},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			a := startAway(t, func(o *server.Options) {
				if c.url != "" {
					o.URL, _ = url.Parse(c.url)
				}
			})
			a.publish(large, http.StatusCreated)
			for range 3 {
				res, body := a.ask(http.MethodGet, uiTarball, a.github.Rita, nil, "Host", c.host)
				if res.StatusCode != c.want || c.want == 200 && !bytes.Equal(body, large.Tarball()) {
					t.Errorf("%d, %d bytes, want %d", res.StatusCode, len(body), c.want)
				}
			}
			warned := strings.Count(a.log.String(), "the storage has the registry's own host name")
			if want := map[int]int{200: 1, 302: 0}[c.want]; warned != want {
				t.Errorf("the log says so %d times, want %d", warned, want)
			}
		})
	}
}

// TestStorageBreaksOff: a tarball that cannot be read to its end is cut short so that the client notices, and the log says why.
func TestStorageBreaksOff(t *testing.T) {
	t.Parallel()
	a := startAway(t, func(o *server.Options) { o.NPM.Redirect = 0 })
	a.publish(large, http.StatusCreated)
	a.bucket.Fail(s3test.Fault{Method: http.MethodGet, Do: s3test.Truncate(1000)})
	req, err := http.NewRequest(http.MethodGet, a.registry.URL+uiTarball, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+a.github.Rita)
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	content, err := io.ReadAll(res.Body)
	if err == nil || len(content) >= len(large.Tarball()) {
		t.Errorf("%d bytes of %d, %v", len(content), len(large.Tarball()), err)
	}
	a.registry.Close() // the line is written after the answer
	if log := a.log.String(); !strings.Contains(log, "level=ERROR") || !strings.Contains(log, "s3: reading @acme/ui/") {
		t.Errorf("the log:\n%s", log)
	}
}

// TestStorageDown: while the bucket cannot be reached reads and publishes are 503 and nothing half published is seen; afterwards everything works.
func TestStorageDown(t *testing.T) {
	t.Parallel()
	a := startAway(t, func(o *server.Options) { o.NPM.Redirect = 0 })
	a.publish(large, http.StatusCreated)
	two := large
	two.Version = "2.0.0"
	for what, fault := range map[string]s3test.Action{
		"it refuses":           s3test.Answer(403, "AccessDenied", "Access Denied"),
		"it is overloaded":     s3test.Answer(503, "SlowDown", "Please reduce your request rate."),
		"its bucket is gone":   s3test.Answer(404, "NoSuchBucket", "The specified bucket does not exist"),
		"it drops connections": s3test.Drop,
	} {
		a.bucket.Fail(s3test.Fault{Do: fault})
		began := time.Now()
		for which, res := range map[string]*http.Response{
			"a publish": a.publish(two, http.StatusServiceUnavailable),
			"a read": func() *http.Response {
				res, body := a.ask(http.MethodGet, uiTarball, a.github.Rita, nil)
				if !bytes.Contains(body, []byte(`{"error":"the registry's storage cannot be reached right now; nothing was done, try again later"}`)) {
					t.Errorf("%s: a read says %s", what, body)
				}
				return res
			}(),
		} {
			if res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") == "" || res.Header.Get("ETag") != "" {
				t.Errorf("%s: %s: %d %v", what, which, res.StatusCode, res.Header)
			}
		}
		if took := time.Since(began); took > 15*time.Second {
			t.Errorf("%s: two answers took %v", what, took)
		}
		res, body := a.ask(http.MethodGet, "/@acme/ui", a.github.Rita, nil)
		if res.StatusCode != http.StatusOK || bytes.Contains(body, []byte("2.0.0")) {
			t.Errorf("%s: the document: %d %s", what, res.StatusCode, body)
		}
		a.bucket.Fail()
	}
	a.publish(two, http.StatusCreated)
	if res, body := a.ask(http.MethodGet, "/@acme/ui/-/ui-2.0.0.tgz", a.github.Rita, nil); res.StatusCode != http.StatusOK || !bytes.Equal(body, two.Tarball()) {
		t.Errorf("afterwards: %d, %d bytes", res.StatusCode, len(body))
	}
}
