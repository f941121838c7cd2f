package login_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"gatehouse/githubauth/githubtest"
	"gatehouse/githubauth/oauth"
	"gatehouse/scopes"
	"gatehouse/server/login"
)

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
