package server_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
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
	"gatehouse/store/memory"
	"gatehouse/store/packument/packumenttest"
)

// serve starts a registry on acme's GitHub.
func serve(t testing.TB, f *githubtest.Fixture, change func(*server.Options)) *httptest.Server {
	t.Helper()
	c, err := githubauth.New(githubauth.Options{APIURL: f.APIURL(), WebURL: f.URL()})
	if err != nil {
		t.Fatal(err)
	}
	packages, err := store.Open(t.Context(), memory.NewKV(), memory.NewBlob(), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	o := server.Options{
		NPM: npm.Options{Registry: packages, Gate: gate.New(c, scopes.Namespaces{Host: "github.com"}), MaxPublish: 64 << 20, Spool: t.TempDir()},
		Log: slog.New(slog.DiscardHandler), Ready: packages.Ready,
	}
	change(&o)
	s := httptest.NewServer(server.New(o))
	t.Cleanup(s.Close)
	return s
}

// slowPublish sends the beginning of a publish and returns the connection and the rest.
func slowPublish(t *testing.T, s *httptest.Server, p packumenttest.Package, token string, first int) (net.Conn, []byte) {
	t.Helper()
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	body := p.Body()
	_, err = fmt.Fprintf(conn, "PUT %s HTTP/1.1\r\nHost: registry\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		p.Path(), token, len(body), body[:first])
	if err != nil {
		t.Fatal(err)
	}
	return conn, body[first:]
}

func status(t *testing.T, conn net.Conn) int {
	t.Helper()
	_ = conn.SetReadDeadline(time.Now().Add(30 * time.Second))
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

func publishNow(t *testing.T, s *httptest.Server, p packumenttest.Package, token string) int {
	t.Helper()
	req, err := http.NewRequest(http.MethodPut, s.URL+p.Path(), bytes.NewReader(p.Body()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	return resp.StatusCode
}

func ui(version string) packumenttest.Package {
	return packumenttest.Package{Name: "@acme/ui", Version: version, Repository: "github:acme/ui"}
}

// TestRightLostDuringUpload: what was allowed when a body began is asked again before it counts.
func TestRightLostDuringUpload(t *testing.T) {
	t.Parallel()
	f := githubtest.Acme().Start()
	defer f.Close()
	s := serve(t, f, func(o *server.Options) { o.NPM.VerdictFor = time.Nanosecond })
	if got := publishNow(t, s, ui("1.0.0"), f.Wendy); got != http.StatusCreated {
		t.Fatal(got)
	}
	f.ResetCounts()
	conn, rest := slowPublish(t, s, ui("1.1.0"), f.Wendy, 100)
	until(t, func() bool { return f.Counts().Of(githubtest.GetRepoByID) > 0 })
	f.Revoke("wendy", "acme/ui")
	if _, err := conn.Write(rest); err != nil {
		t.Fatal(err)
	}
	if got := status(t, conn); got != http.StatusNotFound {
		t.Errorf("published by somebody who lost the right meanwhile: %d", got)
	}
}

func until(t *testing.T, yes func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !yes(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it did not come to that")
		}
	}
}

// TestOneCallerHoldsNotAllPlaces: somebody who begins many publishes and finishes none is in nobody's way but their own.
func TestOneCallerHoldsNotAllPlaces(t *testing.T) {
	t.Parallel()
	f := githubtest.Acme().Start()
	defer f.Close()
	s := serve(t, f, func(*server.Options) {})
	for i := range 100 {
		p := ui("1.0.0")
		p.Name = fmt.Sprintf("@acme/squat-%d", i)
		slowPublish(t, s, p, f.Mallory, 50)
	}
	began := time.Now()
	if got := publishNow(t, s, ui("1.0.0"), f.Wendy); got != http.StatusCreated {
		t.Errorf("%d", got)
	}
	if took := time.Since(began); took > 15*time.Second {
		t.Errorf("it waited %s for them", took)
	}
}

// TestSilenceIsCutOff: bytes that came fast at first buy no time to say nothing, with a credential or without.
func TestSilenceIsCutOff(t *testing.T) {
	t.Parallel()
	f := githubtest.Acme().Start()
	defer f.Close()
	s := serve(t, f, func(o *server.Options) { o.Patience = 200 * time.Millisecond })
	p := ui("1.0.0")
	p.Files = map[string]string{"big": strings.Repeat("0123456789abcdef", 1<<16)}
	for what, token := range map[string]string{"known": f.Wendy, "unknown": "x"} {
		conn, rest := slowPublish(t, s, p, token, 1000)
		if _, err := conn.Write(rest[:len(rest)/2]); err != nil {
			t.Fatal(err)
		}
		_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
		if _, err := io.Copy(io.Discard, conn); err != nil {
			t.Errorf("%s: still open: %v", what, err)
		}
	}
}
