package server_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"gatehouse/githubauth"
	"gatehouse/githubauth/githubtest"
	"gatehouse/scopes"
	"gatehouse/server"
	"gatehouse/server/gate"
	"gatehouse/server/npm"
	"gatehouse/store"
	"gatehouse/store/disk"
	"gatehouse/store/leveldb"
	"gatehouse/store/packument/packumenttest"
	"gatehouse/store/tokens"
)

// BenchmarkRead is the whole way of a warm read, from the door to the last byte written, without the connection.
func BenchmarkRead(b *testing.B) {
	handler, token := benchRegistry(b, 10)
	header := http.Header{
		"Authorization": {"Bearer " + token}, "Accept-Encoding": {"gzip"}, "User-Agent": {"npm/11.0.0 node/v22.0.0 linux x64"},
		"Npm-Command": {"install"}, "Connection": {"keep-alive"},
	}
	short := header.Clone()
	short.Set("Accept", "application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*")
	unchanged := short.Clone()
	minted := short.Clone()
	minted.Set("Authorization", "Bearer "+mint(b, handler, token))
	w := &discard{header: http.Header{}}
	handler.ServeHTTP(w, ask("/@acme%2fui", short))
	unchanged.Set("If-None-Match", w.header.Get("ETag"))

	for _, c := range []struct {
		name, path string
		header     http.Header
		status     int
	}{
		{"packument", "/@acme%2fui", header, 200},
		{"short", "/@acme%2fui", short, 200},
		{"minted", "/@acme%2fui", minted, 200},
		{"unchanged", "/@acme%2fui", unchanged, 304},
		{"manifest", "/@acme%2fui/latest", header, 200},
		{"tarball", "/@acme/ui/-/ui-1.0.0.tgz", header, 200},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				w := &discard{header: http.Header{}}
				handler.ServeHTTP(w, ask(c.path, c.header))
				if w.status != c.status {
					b.Fatalf("%d", w.status)
				}
			}
		})
	}
}

// benchRegistry is a registry on disk with that many versions of @acme/ui.
func benchRegistry(b *testing.B, versions int) (http.Handler, string) {
	github := githubtest.Acme(githubtest.Seed(1)).Start()
	b.Cleanup(github.Close)
	facts, err := githubauth.New(githubauth.Options{APIURL: github.APIURL(), WebURL: github.URL()})
	if err != nil {
		b.Fatal(err)
	}
	meta, err := leveldb.Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = meta.Close() })
	blobs, err := disk.Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = blobs.Close() })
	packages, err := store.Open(b.Context(), meta, blobs, store.Options{})
	if err != nil {
		b.Fatal(err)
	}
	own, err := tokens.New(meta, packages, tokens.Options{})
	if err != nil {
		b.Fatal(err)
	}
	handler := server.New(server.Options{
		Limits: server.Limits{PerToken: 1e9, PerAddress: 1e9},
		NPM: npm.Options{
			Registry: packages, Gate: gate.New(facts, scopes.Namespaces{Host: "github.com", Owners: []string{"acme"}}).UseTokens(own), Tokens: own,
			MaxPublish: 64 << 20, Spool: b.TempDir(), MailDomain: "users.noreply.github.com",
		},
		Metrics: server.NewMetrics("test"), Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	for i := range versions {
		p := packumenttest.Package{Name: "@acme/ui", Version: fmt.Sprintf("1.%d.0", i), Repository: "github:acme/ui"}
		w := &discard{header: http.Header{}}
		r := ask(p.Path(), http.Header{"Authorization": {"Bearer " + github.Wendy}})
		r.Method = http.MethodPut
		body := p.Body()
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		if handler.ServeHTTP(w, r); w.status != http.StatusCreated {
			b.Fatalf("publishing: %d %s", w.status, w.text)
		}
	}
	return handler, github.Rita
}

// mint has the registry make a token that may read what that one may.
func mint(b *testing.B, handler http.Handler, token string) string {
	r := ask("/-/npm/v1/tokens", http.Header{"Authorization": {"Bearer " + token}})
	body := `{"readonly":true}`
	r.Method, r.Body, r.ContentLength = http.MethodPost, io.NopCloser(strings.NewReader(body)), int64(len(body))
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	var made struct{ Token string }
	if err := json.Unmarshal(w.Body.Bytes(), &made); err != nil || w.Code != http.StatusOK {
		b.Fatalf("minting: %d %s", w.Code, w.Body)
	}
	return made.Token
}

func ask(path string, header http.Header) *http.Request {
	u, err := url.ParseRequestURI(path)
	if err != nil {
		panic(err)
	}
	return &http.Request{Method: http.MethodGet, URL: u, Host: "registry.test:3000", Header: header, Body: http.NoBody, RequestURI: path, RemoteAddr: "127.0.0.1:1234", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1}
}

// discard is a connection that costs nothing.
type discard struct {
	header http.Header
	status int
	text   string
}

func (w *discard) Header() http.Header { return w.header }
func (w *discard) WriteHeader(s int)   { w.status = s }
func (w *discard) Write(p []byte) (int, error) {
	if w.status >= 400 {
		w.text += string(p)
	}
	return len(p), nil
}
func (w *discard) ReadFrom(r io.Reader) (int64, error) { return io.Copy(io.Discard, r) }
func (w *discard) SetWriteDeadline(time.Time) error    { return nil }
func (w *discard) SetReadDeadline(time.Time) error     { return nil }
