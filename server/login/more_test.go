package login_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"gatehouse/githubauth/githubtest"
	"gatehouse/githubauth/oauth"
	"gatehouse/scopes"
	"gatehouse/server/login"
)

// legacy is npm login --auth-type=legacy.
func (r *registry) legacy(name, password string) (int, string) {
	r.t.Helper()
	body, err := json.Marshal(map[string]any{"_id": "org.couchdb.user:" + name, "name": name, "password": password, "type": "user", "roles": []string{}, "date": "2026-11-20T12:00:00.000Z"})
	if err != nil {
		r.t.Fatal(err)
	}
	a := newBrowser(r.t).do("PUT", r.server.URL+"/-/user/org.couchdb.user:"+name, string(body))
	return a.StatusCode, a.body
}

func TestLegacy(t *testing.T) {
	r := start(t)
	status, body := r.legacy("Wendy", r.github.Wendy)
	var got struct {
		OK    bool
		Token string
	}
	if err := json.Unmarshal([]byte(body), &got); err != nil || status != 201 || !got.OK {
		t.Fatalf("%d %s", status, body)
	}
	minted, behind, err := r.tokens.Open(t.Context(), got.Token)
	if err != nil || minted.Owner.Login != "wendy" || behind.Access != r.github.Wendy || minted.Grant.Until.IsZero() || minted.Behind != scopes.Classic {
		t.Errorf("%+v %v", minted, err)
	}
	// The registry's own token as the password is what npm gets.
	if status, body := r.legacy("wendy", got.Token); status != 201 || !strings.Contains(body, got.Token) {
		t.Errorf("%d %s", status, body)
	}
	for name, c := range map[string]struct {
		user, password string
		status         int
		says           string
	}{
		"a password":       {"wendy", "correct horse battery staple", 401, "has to be a GitHub token"},
		"nothing":          {"wendy", "", 400, "as the password"},
		"an unknown token": {"wendy", "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", 401, "GitHub knows no such token"},
		"another's token":  {"rita", r.github.Wendy, 403, "belongs to wendy"},
		"a job's token":    {"wendy", r.github.ActionsWrites, 403, "no person"},
	} {
		status, body := r.legacy(c.user, c.password)
		if status != c.status || !strings.Contains(body, c.says) || c.password != "" && strings.Contains(body, c.password) {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
}

// TestOddRequests: a client's mistake is a client's mistake.
func TestOddRequests(t *testing.T) {
	r := start(t)
	b := newBrowser(t)
	for name, c := range map[string]struct {
		method, path, body string
		status             int
	}{
		"no user":          {"PUT", "/-/user/wendy", "{}", 404},
		"no name":          {"PUT", "/-/user/org.couchdb.user:", "{}", 404},
		"another name":     {"PUT", "/-/user/org.couchdb.user:rita", `{"name":"wendy","password":"x"}`, 400},
		"no JSON":          {"PUT", "/-/user/org.couchdb.user:rita", "{", 400},
		"a list":           {"PUT", "/-/user/org.couchdb.user:rita", "[]", 400},
		"a huge body":      {"PUT", "/-/user/org.couchdb.user:rita", `{"name":"` + strings.Repeat("x", 20_000), 413},
		"a huge beginning": {"POST", "/-/v1/login", `{"hostname":"` + strings.Repeat("x", 20_000), 413},
		"an odd beginning": {"POST", "/-/v1/login", `"x"`, 400},
		"no page":          {"GET", "/-/login/x", "", 404},
		"no callback":      {"GET", "/-/login/callback", "", 403},
		"no button":        {"POST", "/-/login/callback", "", 404},
	} {
		if a := b.do(c.method, r.server.URL+c.path, c.body); a.StatusCode != c.status {
			t.Errorf("%s: %d %s", name, a.StatusCode, a.body)
		}
	}
	if a := b.do("POST", r.server.URL+"/-/v1/login", ""); a.StatusCode != 200 {
		t.Errorf("yarn's empty body: %d", a.StatusCode)
	}
}

// TestMarkup: what a client says of itself is shown only if it looks like what it should.
func TestMarkup(t *testing.T) {
	r := start(t)
	a := newBrowser(t).do("POST", r.server.URL+"/-/v1/login", `{"hostname":"<b>laptop</b>"}`, "User-Agent", "npm/<script>alert(1)</script> linux")
	var n npm
	if err := json.Unmarshal([]byte(a.body), &n); err != nil {
		t.Fatal(err)
	}
	if page := newBrowser(t).do("GET", n.LoginURL, ""); strings.Contains(page.body, "laptop") || strings.Contains(page.body, "alert") {
		t.Error(page.body)
	}
}

func TestWithoutAnApp(t *testing.T) {
	r := start(t, func(_ *githubtest.Fixture, _ *oauth.Options, o *login.Options) { o.Mint = nil })
	a := newBrowser(t).do("POST", r.server.URL+"/-/v1/login", "{}")
	if a.StatusCode < 400 || a.StatusCode > 499 || !strings.Contains(a.body, "--auth-type=legacy") {
		t.Errorf("npm falls back to the prompt at a 4xx only: %d %s", a.StatusCode, a.body)
	}
	if status, body := r.legacy("wendy", r.github.Wendy); status != 403 || !strings.Contains(body, "_authToken") {
		t.Errorf("%d %s", status, body)
	}
}

// device begins a login by code and returns what the page shows.
func (b *browser) device(n npm) (code, page string) {
	b.t.Helper()
	a := b.do("POST", n.LoginURL, "", "Sec-Fetch-Site", "same-origin")
	if a.StatusCode != 303 || a.Header.Get("Location") != n.LoginURL {
		b.t.Fatalf("%d %v %s", a.StatusCode, a.Header, a.body)
	}
	a = b.do("GET", n.LoginURL, "")
	m := regexp.MustCompile(`<p class="code">([A-Z-]{9})</p>`).FindStringSubmatch(a.body)
	if m == nil || !strings.Contains(a.body, "/login/device") {
		b.t.Fatal(a.body)
	}
	return m[1], a.body
}

func TestDeviceFlow(t *testing.T) {
	r := start(t, withoutSecret)
	n := r.begin()
	b := newBrowser(t)
	if page := b.do("GET", n.LoginURL, ""); !strings.Contains(page.body, "Show me the code") {
		t.Error(page.body)
	}
	code, page := b.device(n)
	if !strings.Contains(page, `<meta http-equiv="refresh" content="5">`) || strings.Contains(page, "user_code=") {
		t.Error(page)
	}
	// Whoever else has the link sees the question and not the code.
	if other := newBrowser(t).do("GET", n.LoginURL, ""); strings.Contains(other.body, code) {
		t.Error("the code is shown to another browser")
	}
	r.pass(5 * time.Second)
	if status, _ := r.collect(n); status != 202 {
		t.Errorf("npm is told %d", status)
	}
	if err := r.github.AuthorizeDevice("wendy", code); err != nil {
		t.Fatal(err)
	}
	if status, _ := r.collect(n); status != 202 {
		t.Errorf("GitHub was asked again at once: npm is told %d", status)
	}
	r.pass(5 * time.Second)
	if a := b.do("GET", n.LoginURL, ""); !strings.Contains(a.body, "npm is logged in as wendy") {
		t.Error(a.body)
	}
	status, token := r.collect(n)
	if minted, _, err := r.tokens.Open(t.Context(), token); status != 200 || err != nil || minted.Owner.Login != "wendy" {
		t.Errorf("%d %+v %v", status, minted, err)
	}
}

func TestDeviceFlowEnds(t *testing.T) {
	r := start(t, withoutSecret)
	n := r.begin()
	b := newBrowser(t)
	code, _ := b.device(n)
	if err := r.github.DenyDevice(code); err != nil {
		t.Fatal(err)
	}
	r.pass(5 * time.Second)
	if status, _ := r.collect(n); status != 404 {
		t.Errorf("npm is told %d after a no", status)
	}
	if a := b.do("GET", n.LoginURL, ""); a.StatusCode != 403 || !strings.Contains(a.body, "told not to") {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
	r.github.SetDeviceFlow(clientID, false)
	n = r.begin()
	if a := b.do("POST", n.LoginURL, "", "Sec-Fetch-Site", "same-origin"); a.StatusCode != 503 || !strings.Contains(a.body, "device flow is not enabled") {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
}
