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
		Mint: func(ctx context.Context, who scopes.Principal, name string, until time.Time, behind oauth.Credential) (string, error) {
			_, minted, err := r.tokens.Create(ctx, scopes.Token{
				Owner: scopes.Account{ID: who.ID, Login: who.Login}, Name: name, Grant: scopes.Grant{Rights: scopes.All(), Until: until}, Behind: who.Credential,
			}, tokens.Credential(behind))
			return minted, err
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

func TestLogin(t *testing.T) {
	r := start(t)
	n := r.begin()
	if status, _ := r.collect(n); status != 202 {
		t.Errorf("npm is told %d before anything has happened", status)
	}
	b := newBrowser(t)
	page := b.do("GET", n.LoginURL, "")
	for _, want := range []string{"npm 11.19.1 on Linux", "192.0.2.7", "Only continue if you have just run npm login yourself", "Continue with GitHub", "less than a minute ago"} {
		if !strings.Contains(page.body, want) {
			t.Errorf("the page lacks %q:\n%s", want, page.body)
		}
	}
	authorize := b.press(n)
	q, _ := url.Parse(authorize)
	for name, want := range map[string]string{"scope": "repo read:org", "prompt": "select_account", "code_challenge_method": "S256", "redirect_uri": r.server.URL + "/-/login/callback"} {
		if got := q.Query().Get(name); got != want {
			t.Errorf("GitHub is asked with %s=%q, want %q", name, got, want)
		}
	}
	done := b.do("GET", r.approve("wendy", authorize), "")
	if done.StatusCode != 200 || !strings.Contains(done.body, "npm is logged in as wendy") || !strings.Contains(done.body, "close this window") {
		t.Errorf("%d %s", done.StatusCode, done.body)
	}
	status, token := r.collect(n)
	if status != 200 {
		t.Fatalf("npm is told %d", status)
	}
	minted, behind, err := r.tokens.Open(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	if minted.Owner.Login != "wendy" || !strings.HasPrefix(minted.Name, "npm login on 192.0.2.7 ") || !minted.Grant.Until.Equal(r.now.Add(24*time.Hour)) || !scopes.All().Within(minted.Grant.Rights) || !strings.HasPrefix(behind.Access, "gho_") {
		t.Errorf("%+v", minted)
	}
}

// TestDoneURLFetchedTwice: the token is handed out once.
func TestDoneURLFetchedTwice(t *testing.T) {
	r := start(t)
	n := r.begin()
	b := newBrowser(t)
	b.do("GET", r.approve("wendy", b.press(n)), "")
	var group sync.WaitGroup
	got := make(chan string, 16)
	for range cap(got) {
		group.Go(func() {
			if _, token := r.collect(n); token != "" {
				got <- token
			}
		})
	}
	group.Wait()
	if len(got) != 1 {
		t.Errorf("%d of 16 got the token", len(got))
	}
	if status, _ := r.collect(n); status != 404 {
		t.Errorf("afterwards npm is told %d", status)
	}
	if a := b.do("GET", n.LoginURL, ""); a.StatusCode != 404 {
		t.Errorf("afterwards the page is a %d", a.StatusCode)
	}
}

// TestDoneURLGuessed: the page's address, which is shown and passed on, collects nothing.
func TestDoneURLGuessed(t *testing.T) {
	r := start(t)
	n := r.begin()
	b := newBrowser(t)
	b.do("GET", r.approve("wendy", b.press(n)), "")
	page := n.LoginURL[strings.LastIndex(n.LoginURL, "/")+1:]
	for _, guess := range []string{page, strings.Repeat("A", 43), "x", page + "A"} {
		if status, token := r.collect(npm{DoneURL: r.server.URL + "/-/v1/done/" + guess}); status != 404 || token != "" {
			t.Errorf("%q collects: %d", guess, status)
		}
	}
	ticket := n.DoneURL[strings.LastIndex(n.DoneURL, "/")+1:]
	if a := b.do("GET", r.server.URL+"/-/login/"+ticket, ""); a.StatusCode != 404 {
		t.Errorf("the ticket is a page: %d", a.StatusCode)
	}
	if status, token := r.collect(n); status != 200 || token == "" {
		t.Error("the guesses have cost npm its token")
	}
}

// TestStateMismatch: an answer of GitHub's that belongs to another login ends in nothing, also in the right browser.
func TestStateMismatch(t *testing.T) {
	r := start(t)
	n := r.begin()
	b := newBrowser(t)
	callback := r.approve("wendy", b.press(n))
	u, _ := url.Parse(callback)
	for _, state := range []string{"", "x", strings.Repeat("A", 43)} {
		q := u.Query()
		q.Set("state", state)
		other := *u
		other.RawQuery = q.Encode()
		if a := b.do("GET", other.String(), ""); a.StatusCode != 403 || !strings.Contains(a.body, "That was another login") {
			t.Errorf("the state %q: %d %s", state, a.StatusCode, a.body)
		}
	}
	if status, _ := r.collect(n); status != 202 {
		t.Errorf("npm is told %d", status)
	}
}

// TestOtherBrowsersCallback: somebody who talks a victim into opening the attacker's callback, or who has seen the victim's, gets nowhere.
func TestOtherBrowsersCallback(t *testing.T) {
	r := start(t)
	n := r.begin()
	attacker, victim := newBrowser(t), newBrowser(t)
	callback := r.approve("mallory", attacker.press(n))
	if a := victim.do("GET", callback, ""); a.StatusCode != 403 || !strings.Contains(a.body, "Another browser began this") {
		t.Errorf("without a cookie: %d", a.StatusCode)
	}
	own := r.begin()
	victim.press(own)
	if a := victim.do("GET", callback, ""); a.StatusCode != 403 {
		t.Errorf("with the cookie of another login: %d", a.StatusCode)
	}
	// The button pressed again, elsewhere: the login is that browser's now.
	victim.press(n)
	if a := attacker.do("GET", callback, ""); a.StatusCode != 403 {
		t.Errorf("with the cookie of before: %d", a.StatusCode)
	}
	for _, n := range []npm{n, own} {
		if status, _ := r.collect(n); status != 202 {
			t.Errorf("npm is told %d", status)
		}
	}
}

// TestCodeReplay: GitHub's answer is good once, also where the first time failed.
func TestCodeReplay(t *testing.T) {
	r := start(t)
	n := r.begin()
	b := newBrowser(t)
	callback := r.approve("wendy", b.press(n))
	cookies := b.Jar.Cookies(mustParse(t, callback))
	if a := b.do("GET", callback, ""); a.StatusCode != 200 {
		t.Fatal(a.StatusCode)
	}
	again := newBrowser(t)
	again.Jar.SetCookies(mustParse(t, callback), cookies)
	if a := again.do("GET", callback, ""); a.StatusCode != 409 || !strings.Contains(a.body, "This login is over") {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
	if status, token := r.collect(n); status != 200 || token == "" {
		t.Errorf("npm is told %d", status)
	}
}

// TestSessionReuse: a login that has its token takes no other.
func TestSessionReuse(t *testing.T) {
	r := start(t)
	n := r.begin()
	b := newBrowser(t)
	b.do("GET", r.approve("wendy", b.press(n)), "")
	other := newBrowser(t)
	if a := other.do("POST", n.LoginURL, "", "Origin", r.server.URL); a.StatusCode != 409 {
		t.Errorf("the button can be pressed again: %d", a.StatusCode)
	}
	if a := other.do("GET", n.LoginURL, ""); !strings.Contains(a.body, "npm is logged in as wendy") {
		t.Error(a.body)
	}
	if _, token := r.collect(n); token == "" {
		t.Error("npm gets no token")
	}
}

func TestExpired(t *testing.T) {
	r := start(t)
	n := r.begin()
	b := newBrowser(t)
	callback := r.approve("wendy", b.press(n))
	r.pass(10 * time.Minute)
	for _, address := range []string{n.LoginURL, callback} {
		if a := b.do("GET", address, ""); a.StatusCode != 404 || !strings.Contains(a.body, "Run npm login again") {
			t.Errorf("%s: %d", address, a.StatusCode)
		}
	}
	if status, _ := r.collect(n); status != 404 {
		t.Errorf("npm is told %d", status)
	}
}

// TestCSRF: the button works from the registry's own page and from nowhere else.
func TestCSRF(t *testing.T) {
	r := start(t)
	n := r.begin()
	for _, from := range [][]string{
		{"Origin", "https://evil.example"}, {"Origin", "null"}, {"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"},
		{"Sec-Fetch-Site", "cross-site", "Origin", r.server.URL},
	} {
		b := newBrowser(t)
		if a := b.do("POST", n.LoginURL, "", from...); a.StatusCode != 403 || len(a.Cookies()) > 0 {
			t.Errorf("%v: %d, %v", from, a.StatusCode, a.Cookies())
		}
	}
	if a := newBrowser(t).do("GET", n.LoginURL, ""); a.Header.Get("Referrer-Policy") != "same-origin" {
		t.Error("over plain http a browser would send the form with the origin null")
	}
}

func TestCookieFlags(t *testing.T) {
	for base, want := range map[string]string{
		"https://npm.example/": "__Host-gatehouse-login", "http://npm.example/": "gatehouse-login",
	} {
		r := start(t, func(_ *githubtest.Fixture, _ *oauth.Options, o *login.Options) {
			o.Base = func(*http.Request) (string, error) { return base, nil }
		})
		n := r.begin()
		if !strings.HasPrefix(n.LoginURL, base+"-/login/") || !strings.HasPrefix(n.DoneURL, base+"-/v1/done/") {
			t.Errorf("%+v", n)
		}
		a := newBrowser(t).do("POST", r.server.URL+"/"+strings.TrimPrefix(n.LoginURL, base), "", "Sec-Fetch-Site", "same-origin")
		if len(a.Cookies()) != 1 {
			t.Fatalf("%d %v", a.StatusCode, a.Header)
		}
		c := a.Cookies()[0]
		if c.Name != want || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || c.MaxAge != 600 || c.Secure != strings.HasPrefix(base, "https:") {
			t.Errorf("%s: %s", base, c)
		}
	}
}

// TestElsewhere: somebody else's link asks for more than a click.
func TestElsewhere(t *testing.T) {
	r := start(t)
	n := r.begin()
	r.at("198.51.100.9")
	b := newBrowser(t)
	page := b.do("GET", n.LoginURL, "")
	if !strings.Contains(page.body, "192.0.2.7") || !strings.Contains(page.body, "198.51.100.9") || !strings.Contains(page.body, `type="checkbox" name="mine" value="yes" required`) {
		t.Error(page.body)
	}
	form := func(body string) answer {
		return b.do("POST", n.LoginURL, body, "Origin", r.server.URL, "Content-Type", "application/x-www-form-urlencoded")
	}
	if a := form(""); a.StatusCode != 403 || len(a.Cookies()) > 0 || !strings.Contains(a.body, "Was it you?") {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
	if a := form("mine=yes"); a.StatusCode != 200 || len(a.Cookies()) != 1 {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
}

// TestForeignAppsToken: a token that GitHub gave another app for the same person is not taken, whichever way it comes.
func TestForeignAppsToken(t *testing.T) {
	r := start(t)
	r.github.AddOAuthApp("evil", "s")
	app, err := oauth.New(oauth.Options{APIURL: r.github.APIURL(), WebURL: r.github.URL(), ClientID: clientID, ClientSecret: secret})
	if err != nil {
		t.Fatal(err)
	}
	for name, token := range map[string]string{"another app's": r.github.Login("evil", "wendy", "repo"), "personal": r.github.Wendy, "none": "x"} {
		if _, err := app.Check(t.Context(), token); err != oauth.ErrForeign {
			t.Errorf("%s: %v", name, err)
		}
	}
	status, body := r.legacy("wendy", r.github.Login("evil", "wendy", "repo"))
	if status != 403 || !strings.Contains(body, "every site that you log in to") {
		t.Errorf("as a password: %d %s", status, body)
	}
}

// TestOpenRedirect: nothing that comes with a request decides where a browser is sent.
func TestOpenRedirect(t *testing.T) {
	r := start(t)
	n := r.begin()
	b := newBrowser(t)
	for _, more := range []string{"?redirect_uri=https://evil.example", "?return_to=//evil.example", "?state=x&redirect=https://evil.example"} {
		a := b.do("POST", n.LoginURL+more, "next=https://evil.example&redirect_uri=https://evil.example", "Origin", r.server.URL, "Content-Type", "application/x-www-form-urlencoded", "Referer", "https://evil.example/", "X-Forwarded-Host", "evil.example")
		if strings.Contains(a.body, "evil.example") || a.Header.Get("Location") != "" || !strings.Contains(a.body, r.github.URL()+"/login/oauth/authorize?") {
			t.Errorf("%s: %v %s", more, a.Header, a.body)
		}
	}
	for _, path := range []string{"/-/login/callback?code=x&state=//evil.example", "/-/login/callback?error=x&error_uri=https://evil.example", "/-/login/https:%2F%2Fevil.example"} {
		if a := b.do("GET", r.server.URL+path, ""); a.Header.Get("Location") != "" || strings.Contains(a.body, "evil.example") {
			t.Errorf("%s: %v %s", path, a.Header, a.body)
		}
	}
}

// TestOtherHost: the host that somebody wrote into the request that began a login is none that a browser is sent to from here.
func TestOtherHost(t *testing.T) {
	for _, settings := range [][]setting{nil, {withoutSecret}} {
		var mu sync.Mutex
		base := "https://evil.example/"
		r := start(t, append(settings, func(_ *githubtest.Fixture, _ *oauth.Options, o *login.Options) {
			own := o.Base
			o.Base = func(r *http.Request) (string, error) {
				mu.Lock()
				defer mu.Unlock()
				if base != "" {
					return base, nil
				}
				return own(r)
			}
		})...)
		n := r.begin()
		mu.Lock()
		base = ""
		mu.Unlock()
		n.LoginURL = r.server.URL + "/" + strings.TrimPrefix(n.LoginURL, "https://evil.example/")
		for _, method := range []string{"GET", "POST"} {
			a := newBrowser(t).do(method, n.LoginURL, "", "Sec-Fetch-Site", "same-origin")
			if a.StatusCode != 404 || strings.Contains(a.body, "evil.example") || a.Header.Get("Location") != "" || len(a.Cookies()) > 0 {
				t.Errorf("%s: %d %v %s", method, a.StatusCode, a.Header, a.body)
			}
		}
	}
}

// TestFlood: whoever begins logins without end is told to wait, and nobody else is.
func TestFlood(t *testing.T) {
	r := start(t)
	for range 100 {
		r.begin()
	}
	a := newBrowser(t).do("POST", r.server.URL+"/-/v1/login", "{}")
	if a.StatusCode != 429 || a.Header.Get("Retry-After") == "" {
		t.Errorf("%d %v", a.StatusCode, a.Header)
	}
	r.at("2001:db8::1")
	r.begin()
	r.at("192.0.2.7")
	r.pass(10 * time.Minute)
	r.begin()
}

func TestDenied(t *testing.T) {
	r := start(t)
	n := r.begin()
	b := newBrowser(t)
	callback, err := r.github.DenyLogin(b.press(n))
	if err != nil {
		t.Fatal(err)
	}
	a := b.do("GET", callback, "")
	if a.StatusCode != 403 || !strings.Contains(a.body, "GitHub was told no") || !strings.Contains(a.body, `href="`+n.LoginURL+`"`) {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
	// The same login can be gone on with.
	b.do("GET", r.approve("wendy", b.press(n)), "")
	if _, token := r.collect(n); token == "" {
		t.Error("npm gets no token")
	}
}

func TestGitHubDown(t *testing.T) {
	r := start(t)
	n := r.begin()
	b := newBrowser(t)
	callback := r.approve("wendy", b.press(n))
	heal := r.github.Outage(502)
	a := b.do("GET", callback, "")
	if a.StatusCode != 503 || a.Header.Get("Retry-After") == "" || !strings.Contains(a.body, n.LoginURL) {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
	if status, _ := r.collect(n); status != 202 {
		t.Errorf("npm is told %d", status)
	}
	heal()
	b.do("GET", r.approve("wendy", b.press(n)), "")
	if _, token := r.collect(n); token == "" {
		t.Error("npm gets no token")
	}
}

func TestWrongSecret(t *testing.T) {
	r := start(t, func(_ *githubtest.Fixture, o *oauth.Options, _ *login.Options) { o.ClientSecret = "another" })
	n := r.begin()
	b := newBrowser(t)
	a := b.do("GET", r.approve("wendy", b.press(n)), "")
	if a.StatusCode != 503 || !strings.Contains(a.body, "client secret is wrong") || strings.Contains(a.body, "another") {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
}

func mustParse(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}
