package login_test

import (
	"context"
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"gatehouse/githubauth"
	"gatehouse/githubauth/githubtest"
	"gatehouse/githubauth/oauth"
	"gatehouse/scopes"
	"gatehouse/server/gate"
	"gatehouse/server/login"
	"gatehouse/store"
	"gatehouse/store/memory"
	"gatehouse/store/sessions"
	"gatehouse/store/tokens"
)

const (
	clientID = "0123456789abcdef0123"
	secret   = "the-secret-of-the-app"
)

// registry is a registry that people log in to, and the GitHub that they do it with.
type registry struct {
	t      *testing.T
	github *githubtest.Fixture
	server *httptest.Server
	tokens *tokens.Tokens

	mu   sync.Mutex
	now  time.Time
	from netip.Addr // of the requests
}

type setting func(*githubtest.Fixture, *oauth.Options, *login.Options)

func withoutSecret(f *githubtest.Fixture, o *oauth.Options, _ *login.Options) {
	o.ClientSecret = ""
	f.SetDeviceFlow(o.ClientID, true)
}

func start(t *testing.T, settings ...setting) *registry {
	t.Helper()
	r := &registry{t: t, now: time.Now(), from: netip.MustParseAddr("192.0.2.7")}
	clock := func() time.Time { r.mu.Lock(); defer r.mu.Unlock(); return r.now }
	r.github = githubtest.Acme(githubtest.Seed(1), githubtest.Clock(clock)).Start()
	t.Cleanup(r.github.Close)
	r.github.AddOAuthApp(clientID, secret)
	engine := memory.NewKV()
	packages, err := store.Open(t.Context(), engine, memory.NewBlob(), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if r.tokens, err = tokens.New(engine, packages, tokens.Options{Now: clock}); err != nil {
		t.Fatal(err)
	}
	client, err := githubauth.New(githubauth.Options{APIURL: r.github.APIURL(), WebURL: r.github.URL(), Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	app := oauth.Options{APIURL: r.github.APIURL(), WebURL: r.github.URL(), ClientID: clientID, ClientSecret: secret}
	o := login.Options{
		Sessions: sessions.New(engine, clock), Gate: gate.New(client, scopes.Namespaces{Host: "github.com"}).UseTokens(r.tokens), Expires: 24 * time.Hour, Host: "github.com", Now: clock,
		Mint: func(ctx context.Context, who scopes.Principal, name string, until time.Time, behind oauth.Credential) (scopes.Token, string, error) {
			return r.tokens.Create(ctx, scopes.Token{
				Owner: scopes.Account{ID: who.ID, Login: who.Login}, Name: name, Grant: scopes.Grant{Rights: scopes.All(), Until: until}, Behind: who.Credential,
			}, tokens.Credential{Access: behind.Access, Refresh: behind.Refresh, Expires: behind.Expires})
		},
		Base: func(*http.Request) (string, error) { return r.server.URL + "/", nil },
		From: func(*http.Request) netip.Addr { r.mu.Lock(); defer r.mu.Unlock(); return r.from },
	}
	for _, s := range settings {
		s(r.github, &app, &o)
	}
	if o.App, err = oauth.New(app); err != nil {
		t.Fatal(err)
	}
	gin.SetMode(gin.ReleaseMode)
	e := gin.New()
	login.Mount(e, o)
	r.server = httptest.NewServer(e)
	t.Cleanup(r.server.Close)
	return r
}

func (r *registry) pass(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now = r.now.Add(d)
}

func (r *registry) at(addr string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.from = netip.MustParseAddr(addr)
}

// npm is what npm was told when it began a login.
type npm struct{ LoginURL, DoneURL string }

func (r *registry) begin() npm {
	r.t.Helper()
	a := newBrowser(r.t).do("POST", r.server.URL+"/-/v1/login", "{}", "User-Agent", "npm/11.19.1 node/v24.21.0 linux x64 workspaces/false")
	var n npm
	if err := json.Unmarshal([]byte(a.body), &n); err != nil || a.StatusCode != 200 {
		r.t.Fatalf("%d %s", a.StatusCode, a.body)
	}
	return n
}

// collect is one question of npm's: the status, and the token if there is one.
func (r *registry) collect(n npm) (int, string) {
	r.t.Helper()
	a := newBrowser(r.t).do("GET", n.DoneURL, "")
	var got struct{ Token string }
	if err := json.Unmarshal([]byte(a.body), &got); err != nil {
		r.t.Fatalf("npm cannot read %q", a.body)
	}
	if a.StatusCode == 202 && a.Header.Get("Retry-After") == "" {
		r.t.Error("npm would ask without a pause")
	}
	return a.StatusCode, got.Token
}

// browser keeps cookies and follows nothing by itself.
type browser struct {
	t *testing.T
	http.Client
}

func newBrowser(t *testing.T) *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t, http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

type answer struct {
	*http.Response
	body string
}

func (b *browser) do(method, address, body string, header ...string) answer {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := b.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	read, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	a := answer{resp, string(read)}
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") {
		b.page(a)
	}
	return a
}

// page is what holds of every page.
func (b *browser) page(a answer) {
	b.t.Helper()
	h := a.Header
	csp := h.Get("Content-Security-Policy")
	if h.Get("Cache-Control") != "no-store" || !strings.HasPrefix(csp, "default-src 'none'; style-src 'sha256-") || strings.Contains(csp, "unsafe") || !strings.Contains(csp, "frame-ancestors 'none'") {
		b.t.Errorf("a page with the headers %v", h)
	}
	if policy := h.Get("Referrer-Policy"); policy != "no-referrer" && policy != "same-origin" {
		b.t.Errorf("Referrer-Policy: %q", policy)
	}
	if strings.Contains(a.body, "<script") || strings.Contains(a.body, "gth_") || strings.Contains(a.body, "ZgotmplZ") {
		b.t.Errorf("on a page: %s", a.body)
	}
}

// press presses the button of a login's page, as a browser that sends no Sec-Fetch-Site, and returns where it leads to.
func (b *browser) press(n npm) string {
	b.t.Helper()
	u, _ := url.Parse(n.LoginURL)
	a := b.do("POST", n.LoginURL, "", "Origin", u.Scheme+"://"+u.Host, "Content-Type", "application/x-www-form-urlencoded")
	m := regexp.MustCompile(`<meta http-equiv="refresh" content="0; url=([^"]*)">`).FindStringSubmatch(a.body)
	if a.StatusCode != 200 || m == nil {
		b.t.Fatalf("%d %s", a.StatusCode, a.body)
	}
	return html.UnescapeString(m[1])
}

// approve is GitHub's side: the callback that it sends the browser to.
func (r *registry) approve(who, authorize string) string {
	r.t.Helper()
	callback, err := r.github.AuthorizeAs(who, authorize)
	if err != nil {
		r.t.Fatal(err)
	}
	return callback
}
