package server_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

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

// site is a whole registry on the fake GitHub acme, as scripts have it, for tests that are no scripts.
type site struct {
	http.Handler
	github *githubtest.Fixture
	log    *lockedBuffer
}

func newSite(t *testing.T, change func(*server.Options)) *site {
	t.Helper()
	s := &site{github: githubtest.Acme(githubtest.Seed(1)).Start(), log: &lockedBuffer{}}
	t.Cleanup(s.github.Close)
	facts, err := githubauth.New(githubauth.Options{APIURL: s.github.APIURL(), WebURL: s.github.URL()})
	if err != nil {
		t.Fatal(err)
	}
	packages, err := store.Open(t.Context(), memory.NewKV(), memory.NewBlob(), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	o := server.Options{
		NPM: npm.Options{
			Registry: packages, Gate: gate.New(facts, scopes.Namespaces{Host: "github.com", Owners: []string{"acme"}}),
			MaxPublish: 1 << 20, Spool: t.TempDir(), MailDomain: "users.noreply.github.com",
		},
		Log: slog.New(slog.NewJSONHandler(s.log, nil)),
	}
	if change != nil {
		change(&o)
	}
	s.Handler = server.New(o)
	return s
}

// do asks for something; body may be "".
func (s *site) do(method, path, token, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

func (s *site) publish(t *testing.T, version, token string) {
	t.Helper()
	p := packumenttest.Package{Name: "@acme/ui", Version: version, Repository: "github:acme/ui"}
	if w := s.do(http.MethodPut, p.Path(), token, string(p.Body())); w.Code != http.StatusCreated {
		t.Fatalf("publishing: %d %s", w.Code, w.Body)
	}
}

func scrape(t *testing.T, m *server.Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, server.MetricsPath, nil))
	if w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	return w.Body.String()
}

func TestMetrics(t *testing.T) {
	m := server.NewMetrics("1.2.3")
	s := newSite(t, func(o *server.Options) { o.Metrics = m })
	m.GitHubCall("GET /user", "ok", 30*time.Millisecond, 4999)
	m.GitHubCall("GET /repositories/{id}", "refused", 40*time.Millisecond, 17)
	m.GitHubCall("git upload-pack", "ok", 40*time.Millisecond, -1)
	m.GitHubCache(func() server.CacheStats { return server.CacheStats{Hits: 5, Misses: 3, Stale: 1, Entries: 2} })
	s.publish(t, "1.0.0", s.github.Wendy)
	for range 3 {
		s.do(http.MethodGet, "/@acme%2fui", s.github.Rita, "")
	}
	s.do(http.MethodGet, "/@acme%2fui", s.github.Mallory, "")
	s.do(http.MethodPut, "/-/package/@acme%2fui/dist-tags/beta", s.github.Rita, `"1.0.0"`)
	s.do("BREW", "/nowhere/at/all/of/this", "", "")
	s.do(http.MethodGet, "/..%2f", "", "")

	text := scrape(t, m)
	for _, want := range []string{
		`gatehouse_requests_total{class="2xx",code="200",method="GET",route="/:name"} 3`,
		`gatehouse_requests_total{class="4xx",code="404",method="GET",route="/:name"} 1`,
		`gatehouse_requests_total{class="2xx",code="201",method="PUT",route="/:name"} 1`,
		`gatehouse_requests_total{class="4xx",code="404",method="none",route="none"} 2`,
		`gatehouse_request_duration_seconds_count{method="GET",route="/:name"} 4`,
		`gatehouse_requests_in_flight{method="GET",route="/:name"} 0`,
		`gatehouse_verdicts_total{action="install",allowed="true",reason="allowed"} 4`,
		`gatehouse_verdicts_total{action="install",allowed="false",reason="not-readable"} 1`,
		`gatehouse_verdicts_total{action="publish",allowed="true",reason="allowed"} 1`,
		`gatehouse_verdicts_total{action="tag",allowed="false",reason="role-too-low"} 1`,
		`gatehouse_github_call_duration_seconds_count{endpoint="GET /user",outcome="ok"} 1`,
		`gatehouse_github_rate_limit_remaining 17`,
		`gatehouse_github_cache_reads_total{result="stale"} 1`,
		`gatehouse_github_cache_entries 2`,
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("missing: %s", want)
		}
	}
	for _, want := range []string{`(?m)^gatehouse_build_info\{go="go1[^"]*",version="1.2.3"\} 1$`, `(?m)^gatehouse_response_bytes_total\{method="GET",route="/:name"\} [1-9]`, `(?m)^go_goroutines `, `(?m)^process_open_fds `} {
		if !regexp.MustCompile(want).MatchString(text) {
			t.Errorf("missing: %s", want)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
	// Nothing of who asks for what, and no more series than routes.
	if regexp.MustCompile(`acme|rita|wendy|mallory|BREW|nowhere`).MatchString(text) {
		t.Error("a name is in the metrics")
	}
	problems, err := promlint.New(strings.NewReader(text)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

// TestMetricsToken: on the registry's own address the metrics are for who has their token, and without one configured there are none.
func TestMetricsToken(t *testing.T) {
	with := newSite(t, func(o *server.Options) { o.Metrics, o.MetricsToken = server.NewMetrics("1"), "s3cret-of-metrics" })
	for token, status := range map[string]int{"": 401, "s3cret": 401, with.github.Wendy: 401, "s3cret-of-metrics": 200} {
		w := with.do(http.MethodGet, server.MetricsPath, token, "")
		if w.Code != status || strings.Contains(w.Body.String(), "gatehouse_") != (status == 200) {
			t.Errorf("with the token %q: %d, want %d", token, w.Code, status)
		}
	}
	if w := with.do(http.MethodGet, server.MetricsPath+"?token=s3cret-of-metrics", "", ""); w.Code != http.StatusUnauthorized {
		t.Errorf("a token in the query: %d", w.Code)
	}
	if strings.Contains(with.log.String(), "s3cret") {
		t.Error("the token is in the log")
	}
	for name, without := range map[string]*site{
		"no token":   newSite(t, func(o *server.Options) { o.Metrics = server.NewMetrics("1") }),
		"no metrics": newSite(t, func(o *server.Options) { o.MetricsToken = "s3cret-of-metrics" }),
	} {
		got, unknown := without.do(http.MethodGet, server.MetricsPath, "s3cret-of-metrics", ""), without.do(http.MethodGet, "/-/unknown", "s3cret-of-metrics", "")
		if got.Code != http.StatusNotFound || got.Body.String() != unknown.Body.String() {
			t.Errorf("%s: %d %s, an unknown address %s", name, got.Code, got.Body, unknown.Body)
		}
	}
}

// TestMetricsListener: their own address has nothing else.
func TestMetricsListener(t *testing.T) {
	h := server.NewMetrics("1").Handler()
	for path, status := range map[string]int{server.MetricsPath: 200, "/": 404, "/@acme/ui": 404} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		_, _ = io.Copy(io.Discard, w.Body)
		if w.Code != status {
			t.Errorf("%s: %d, want %d", path, w.Code, status)
		}
	}
}
