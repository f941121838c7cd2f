package githubtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"
)

func oauthExchanges(f *Fixture) []exchange {
	f.AddOAuthApp("site", "s3")
	f.AddOAuthApp("elsewhere", "s4")
	body := func() string { return fmt.Sprintf(`{"access_token":%q}`, f.Login("site", "wendy", "repo")) }
	checked, reset := body(), body()
	const token, grant = "/applications/{client_id}/token", "/applications/{client_id}/grant"
	return []exchange{
		{"site:s3", "POST /applications/site/token", checked, token, 200, ""},
		{"site:s3", "POST /applications/site/token", `{}`, token, 422, ""},
		{"elsewhere:s4", "POST /applications/elsewhere/token", checked, token, 404, ""},
		{"site:s3", "PATCH /applications/site/token", reset, token, 200, ""},
		{"site:s3", "POST /applications/site/token", reset, token, 404, ""},
		{"site:s3", "DELETE /applications/site/token", body(), token, 204, ""},
		{"site:s3", "DELETE /applications/site/grant", body(), grant, 204, ""},
		{"site:s3", "POST /applications/site/token", checked, token, 404, ""},
		{"nobody", "POST /credentials/revoke", `{"credentials":["ghp_nothing"]}`, "/credentials/revoke", 202, ""},
		{"nobody", "POST /credentials/revoke", `{}`, "/credentials/revoke", 422, ""},
	}
}

func (f *Fixture) config(id, secret, callback string, scopes ...string) *oauth2.Config {
	return &oauth2.Config{ClientID: id, ClientSecret: secret, RedirectURL: callback, Scopes: scopes, Endpoint: oauth2.Endpoint{
		AuthURL: f.URL() + "/login/oauth/authorize", TokenURL: f.URL() + "/login/oauth/access_token",
		DeviceAuthURL: f.URL() + "/login/device/code", AuthStyle: oauth2.AuthStyleInParams,
	}}
}

func parametersOf(t *testing.T, address string) url.Values {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query()
}

func TestWebFlow(t *testing.T) {
	f := started(t)
	const callback = "http://127.0.0.1:1/callback"
	f.AddOAuthApp("site", "s3", callback)
	c := f.config("site", "s3", callback, "repo", "read:org")
	verifier := oauth2.GenerateVerifier()
	back, err := f.AuthorizeAs("wendy", c.AuthCodeURL("state", oauth2.S256ChallengeOption(verifier)))
	if err != nil {
		t.Fatal(err)
	}
	q := parametersOf(t, back)
	if !strings.HasPrefix(back, callback+"?") || q.Get("state") != "state" {
		t.Fatal(back)
	}
	token, err := c.Exchange(t.Context(), q.Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(token.AccessToken, "gho_") || token.TokenType != "bearer" || token.Extra("scope") != "read:org,repo" || !token.Expiry.IsZero() || token.RefreshToken != "" {
		t.Errorf("%+v", token)
	}
	r := f.as(t, token.AccessToken).want(200, GetUser)
	if r.document(t)["login"] != "wendy" || r.Header.Get("X-OAuth-Scopes") != "read:org, repo" {
		t.Errorf("%s %v", r.body, r.Header)
	}
	f.as(t, token.AccessToken).want(200, "GET /repos/acme/ui")
	if _, err := c.Exchange(t.Context(), q.Get("code"), oauth2.VerifierOption(verifier)); err == nil || !strings.Contains(err.Error(), "bad_verification_code") {
		t.Errorf("a code a second time: %v", err)
	}
	f.RevokeGrant("site", "wendy")
	f.as(t, token.AccessToken).want(401, GetUser)
}

func TestWebFlowRefusals(t *testing.T) {
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	f := started(t, Clock(func() time.Time { return now }))
	const callback = "http://127.0.0.1:1/callback"
	f.AddOAuthApp("site", "s3", callback)
	f.AddOAuthApp("elsewhere", "s4", callback)
	c := f.config("site", "s3", callback)
	verifier := oauth2.GenerateVerifier()
	fresh := func() string {
		t.Helper()
		back, err := f.AuthorizeAs("wendy", c.AuthCodeURL("s", oauth2.S256ChallengeOption(verifier)))
		if err != nil {
			t.Fatal(err)
		}
		return parametersOf(t, back).Get("code")
	}
	for name, other := range map[string]struct {
		config *oauth2.Config
		proof  string
		says   string
	}{
		"another verifier": {c, "x", "bad_verification_code"},
		"no verifier":      {c, "", "bad_verification_code"},
		"another secret":   {f.config("site", "s4", callback), verifier, "incorrect_client_credentials"},
		"another app":      {f.config("elsewhere", "s4", callback), verifier, "bad_verification_code"},
		"another callback": {f.config("site", "s3", callback+"/"), verifier, "redirect_uri_mismatch"},
		"an unknown app":   {f.config("nobody", "s3", callback), verifier, "Not Found"},
	} {
		if _, err := other.config.Exchange(t.Context(), fresh(), oauth2.VerifierOption(other.proof)); err == nil || !strings.Contains(err.Error(), other.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	late := fresh()
	now = now.Add(codeLife)
	if _, err := c.Exchange(t.Context(), late, oauth2.VerifierOption(verifier)); err == nil {
		t.Error("a code after ten minutes")
	}
	for name, address := range map[string]string{
		"callback":  f.config("site", "", callback+"x").AuthCodeURL("s"),
		"app":       f.config("nobody", "", callback).AuthCodeURL("s"),
		"plain":     c.AuthCodeURL("s") + "&code_challenge=abc&code_challenge_method=plain",
		"no method": c.AuthCodeURL("s") + "&code_challenge=abc",
	} {
		if back, err := f.AuthorizeAs("wendy", address); err == nil {
			t.Errorf("%s: %s", name, back)
		}
	}
	back, err := f.DenyLogin(c.AuthCodeURL("s"))
	if q := parametersOf(t, back); err != nil || q.Get("error") != "access_denied" || q.Get("state") != "s" || q.Get("code") != "" {
		t.Errorf("%s %v", back, err)
	}
}

// TestAuthorizePage goes through the page as a browser does.
func TestAuthorizePage(t *testing.T) {
	f := started(t)
	f.AddOAuthApp("site", "s3")
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	const callback = "http://127.0.0.1:1/callback"
	c := f.config("site", "s3", callback, "repo")
	ask := func(options ...oauth2.AuthCodeOption) (int, string, string) {
		t.Helper()
		res, err := browser.Get(c.AuthCodeURL("<s>", options...))
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b := make([]byte, 1<<16)
		n, _ := res.Body.Read(b)
		return res.StatusCode, res.Header.Get("Location"), string(b[:n])
	}
	status, _, page := ask()
	if status != 200 || !strings.Contains(page, `name="user" value="rita"`) || !strings.Contains(page, `name="state" value="&lt;s&gt;"`) || strings.Contains(page, "acme") {
		t.Fatalf("%d %s", status, page)
	}
	form := parametersOf(t, c.AuthCodeURL("<s>"))
	form.Set("user", "rita")
	res, err := browser.PostForm(f.URL()+"/login/oauth/authorize", form)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	token, err := c.Exchange(t.Context(), parametersOf(t, res.Header.Get("Location")).Get("code"))
	if err != nil {
		t.Fatal(err)
	}
	if got := f.as(t, token.AccessToken).get("/user").document(t)["login"]; got != "rita" {
		t.Error(got)
	}
	// She is logged in now and has agreed, so she isn't asked again, unless the app wants her to be.
	if status, back, _ := ask(); status != 302 || parametersOf(t, back).Get("code") == "" || parametersOf(t, back).Get("state") != "<s>" {
		t.Errorf("a second time: %d %s", status, back)
	}
	if status, _, _ := ask(oauth2.SetAuthURLParam("prompt", "select_account")); status != 200 {
		t.Errorf("prompt=select_account: %d", status)
	}
	if status, _, _ := ask(oauth2.SetAuthURLParam("scope", "repo admin:org")); status != 200 {
		t.Errorf("a further scope: %d", status)
	}
	form.Set("deny", "1")
	if res, err = browser.PostForm(f.URL()+"/login/oauth/authorize", form); err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if got := parametersOf(t, res.Header.Get("Location")).Get("error"); got != "access_denied" {
		t.Error(got)
	}
	if r := (asker{t: t, base: f.URL()}).get("/login/oauth/authorize?client_id=nobody"); r.StatusCode != 404 || r.Header.Get("Location") != "" {
		t.Errorf("an unknown app: %d", r.StatusCode)
	}
	f.as(t, "").want(404, GetAuthorize) // not below /api/v3
	if counts := f.Counts(); counts.API() != 2 || counts.Of(PostAccessToken) != 1 {
		t.Errorf("\n%s", counts)
	}
}

func TestRefresh(t *testing.T) {
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	f := started(t, Clock(func() time.Time { return now }))
	app := f.AddApp(App{Slug: "gatehouse", Permissions: Permissions{"contents": Read}})
	f.Install("gatehouse", "acme", "acme/ui")
	c := f.config(app.ClientID, app.ClientSecret, "http://127.0.0.1:1/callback")
	back, err := f.AuthorizeAs("wendy", c.AuthCodeURL("s"))
	if err != nil {
		t.Fatal(err)
	}
	first, err := c.Exchange(t.Context(), parametersOf(t, back).Get("code"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(first.AccessToken, "ghu_") || !strings.HasPrefix(first.RefreshToken, "ghr_") || fmt.Sprint(first.Extra("expires_in")) != "28800" {
		t.Fatalf("%+v", first)
	}
	f.as(t, first.AccessToken).want(200, "GET /repos/acme/ui/branches")
	f.as(t, first.AccessToken).want(404, "GET /repos/acme/api")
	f.as(t, first.RefreshToken).want(401, GetUser)
	now = now.Add(userLife)
	f.as(t, first.AccessToken).want(401, GetUser)

	refresh := func(token string) (*oauth2.Token, error) {
		return c.TokenSource(t.Context(), &oauth2.Token{RefreshToken: token}).Token()
	}
	second, err := refresh(first.RefreshToken)
	if err != nil {
		t.Fatal(err)
	}
	f.as(t, second.AccessToken).want(200, GetUser)
	if _, err := refresh(first.RefreshToken); err == nil || !strings.Contains(err.Error(), "bad_refresh_token") {
		t.Errorf("a refresh token a second time: %v", err)
	}
	third, err := refresh(second.RefreshToken)
	if err != nil {
		t.Fatal(err)
	}
	f.as(t, second.AccessToken).want(401, GetUser) // ends with its refresh token
	f.as(t, third.AccessToken).want(200, GetUser)
	f.RevokeGrant(app.ClientID, "wendy")
	f.as(t, third.AccessToken).want(401, GetUser)
	if _, err := refresh(third.RefreshToken); err == nil {
		t.Error("a refresh token outlived the grant")
	}
	back, _ = f.AuthorizeAs("wendy", c.AuthCodeURL("s"))
	fourth, err := c.Exchange(t.Context(), parametersOf(t, back).Get("code"))
	if err != nil {
		t.Fatal(err)
	}
	now = now.Add(refreshLife)
	if _, err := refresh(fourth.RefreshToken); err == nil {
		t.Error("a refresh token after half a year")
	}
}

// TestTokensOfOthers is the trap of github.md §9: a token of another site is good at GET /user, and not one of
// ours where an app asks about its own.
func TestTokensOfOthers(t *testing.T) {
	f := started(t)
	f.AddOAuthApp("site", "s3")
	f.AddOAuthApp("evil", "s4")
	stolen := f.Login("evil", "wendy")
	f.as(t, stolen).want(200, GetUser)
	check := func(token, id, path string, header ...string) int {
		body, _ := json.Marshal(map[string]string{"access_token": token})
		return f.as(t, "").do("POST /applications/"+path+"/token", string(body), header...).StatusCode
	}
	own := f.Login("site", "wendy")
	for name, c := range map[string]struct {
		token, id, secret, path string
		want                    int
	}{
		"own": {own, "site", "s3", "site", 200}, "another's": {stolen, "site", "s3", "site", 404}, "personal": {f.Wendy, "site", "s3", "site", 404},
		"wrong secret": {own, "site", "s4", "site", 401}, "wrong path": {own, "evil", "s4", "site", 404},
	} {
		if got := check(c.token, c.id, c.path, "Authorization", basic(c.id, c.secret)); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
	if got := check(own, "site", "site"); got != 404 {
		t.Errorf("nobody: %d", got)
	}
	// Ten tokens of one app, user and set of scopes; the eleventh ends the first.
	for range tokenCap {
		f.as(t, own).want(200, GetUser)
		f.Login("site", "wendy")
	}
	f.as(t, own).want(401, GetUser)
	f.as(t, "").do("POST /credentials/revoke", fmt.Sprintf(`{"credentials":[%q,%q]}`, stolen, f.ActionsReads))
	f.as(t, stolen).want(401, GetUser)
	f.as(t, f.ActionsReads).want(200, "GET /repos/acme/ui")
}
