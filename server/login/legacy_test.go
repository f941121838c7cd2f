package login_test

import (
	"encoding/json"
	"strings"
	"testing"

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
