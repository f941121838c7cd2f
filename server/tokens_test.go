package server_test

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
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
	"gatehouse/store/tokens"
)

// TestPersonaVerbs is the table of what each of the five personas can do with the registry over HTTP: their scope document is minted over a credential that may
// do everything with the organization's repositories, so that it is the grant that decides. A letter is an answer: Y done, n 403, . as if there were nothing.
func TestPersonaVerbs(t *testing.T) {
	github := githubtest.New(githubtest.Seed(1)).Start()
	t.Cleanup(github.Close)
	for _, org := range []string{"organization", "another"} {
		github.AddOrg(org)
	}
	github.AddUser("johnsmith")
	for _, repo := range []string{"organization/package-name", "organization/sibling", "another/package-name"} {
		github.AddRepo(repo, githubtest.Private)
		github.Grant("johnsmith", repo, githubtest.Admin)
	}
	john := github.Token(githubtest.Classic{User: "johnsmith", Scopes: []string{"repo"}})
	r := startOn(t, github)
	for _, repo := range []string{"organization/package-name", "organization/sibling", "another/package-name"} {
		r.publish(t, john, "@"+repo, "1.0.0", repo)
	}

	verbs := []struct{ name, method, path, body string }{
		{"whoami", "GET", "/-/whoami", ""},
		{"install own", "GET", "/@organization%2fpackage-name", ""},
		{"tarball own", "GET", "/@organization/package-name/-/package-name-1.0.0.tgz", ""},
		{"tag own", "PUT", "/-/package/@organization%2fpackage-name/dist-tags/PERSONA", `"1.0.0"`},
		{"publish own", "PUBLISH", "@organization/package-name", "organization/package-name"},
		{"install sibling", "GET", "/@organization%2fsibling", ""},
		{"tag sibling", "PUT", "/-/package/@organization%2fsibling/dist-tags/PERSONA", `"1.0.0"`},
		{"publish new", "PUBLISH", "@organization/of-PERSONA", "organization/sibling"},
		{"install other", "GET", "/@another%2fpackage-name", ""},
		{"tag other", "PUT", "/-/package/@another%2fpackage-name/dist-tags/PERSONA", `"1.0.0"`},
		{"token list", "GET", "/-/npm/v1/tokens", ""},
		{"mint own read", "POST", "/-/npm/v1/tokens", `{"scope":[{"values":["@organization/package-name"],"types":{"pkg":{"read":true}}}]}`},
		{"mint all", "POST", "/-/npm/v1/tokens", `{"packages_all":true,"packages_and_scopes_permission":"read-write"}`},
		{"token revoke", "DELETE", "/-/npm/v1/tokens/token/KEY", ""},
	}
	want := map[string]string{
		//            whoami own: install tarball tag publish; sibling: install tag; new; other: install tag; tokens: list, mint own, mint all, revoke
		"subscriber": "Y YYnn .. n .. YYnY",
		"member":     "Y YYYY YY Y .. YYnY",
		"ci":         "Y YYYY YY Y .. YYnY",
		"orgadmin":   "Y YYYY YY Y .. YYnY",
		"owner":      "Y YYYY YY Y YY YYYY",
	}
	for n, persona := range []string{"subscriber", "member", "ci", "orgadmin", "owner"} {
		document, err := os.ReadFile(filepath.Join("..", "scopes", "testdata", "personas", persona+".json"))
		if err != nil {
			t.Fatal(err)
		}
		mint := func() (secret, key string) {
			t.Helper()
			status, body := r.do(t, john, "POST", "/-/npm/v1/tokens", `{"name":"`+persona+`","scope":`+string(document)+`}`)
			var made struct{ Token, Key string }
			if json.Unmarshal(body, &made) != nil || made.Token == "" {
				t.Fatalf("%s: %d %s", persona, status, body)
			}
			return made.Token, made.Key
		}
		token, _ := mint()
		_, victim := mint()
		got := ""
		for _, v := range verbs {
			fill := strings.NewReplacer("PERSONA", persona, "KEY", victim)
			var status int
			var body []byte
			if v.method == "PUBLISH" {
				status, body = r.put(t, token, fill.Replace(v.path), fmt.Sprintf("1.%d.0", n+1), v.body)
			} else {
				status, body = r.do(t, token, v.method, fill.Replace(v.path), v.body)
			}
			letter, known := map[int]string{200: "Y", 201: "Y", 403: "n", 404: "."}[status]
			if !known {
				t.Errorf("%s, %s: %d %s", persona, v.name, status, body)
			}
			t.Logf("%-10s %-15s %d %.200s", persona, v.name, status, body[:min(len(body), 200)])
			got += letter
		}
		if got != strings.ReplaceAll(want[persona], " ", "") {
			t.Errorf("%s: got %s, want %s", persona, got, want[persona])
		}
	}
}

// TestForeignSiteToken is the trap of a token that any site holds that somebody once logged in to: it answers to their name, and says nothing about their
// tokens. It can be narrowed, and nothing that comes of it can do more.
func TestForeignSiteToken(t *testing.T) {
	github := githubtest.Acme(githubtest.Seed(1)).Start()
	t.Cleanup(github.Close)
	site := github.Token(githubtest.OAuth{User: "wendy", Scopes: []string{"repo"}})
	r := startOn(t, github.GitHub)
	_, body := r.do(t, github.Wendy, "POST", "/-/npm/v1/tokens", `{"name":"mine","readonly":true}`)
	var mine struct{ Token, Key string }
	if err := json.Unmarshal(body, &mine); err != nil {
		t.Fatal(err)
	}
	full := `{"scope":[{"values":["*"],"types":{"pkg":{"write":true},"user":{"write":true}}}]}`
	for _, c := range []struct {
		method, path, body string
		want               int
	}{
		{"GET", "/-/npm/v1/tokens", "", http.StatusForbidden},
		{"DELETE", "/-/npm/v1/tokens/token/" + mine.Key, "", http.StatusForbidden},
		{"POST", "/-/npm/v1/tokens", full, http.StatusForbidden},
		{"POST", "/-/npm/v1/tokens", `{"packages_all":true,"packages_and_scopes_permission":"read-write"}`, http.StatusOK},
	} {
		if status, body := r.do(t, site, c.method, c.path, c.body); status != c.want {
			t.Errorf("%s %s: %d %s", c.method, c.path, status, body)
		}
	}
	if status, _ := r.do(t, mine.Token, "GET", "/-/whoami", ""); status != http.StatusOK {
		t.Error("the token is gone")
	}
}

// TestTwoTokensAtOnce: two tokens of one person at the same time, each judged by its own grant, and one that is not a token at all by what GitHub says.
func TestTwoTokensAtOnce(t *testing.T) {
	github := githubtest.Acme(githubtest.Seed(1)).Start()
	t.Cleanup(github.Close)
	r := startOn(t, github.GitHub)
	r.publish(t, github.Wendy, "@acme/ui", "1.0.0", "acme/ui")
	r.publish(t, github.Wendy, "@acme/api", "1.0.0", "acme/api")
	mint := func(pkg string) string {
		_, body := r.do(t, github.Wendy, "POST", "/-/npm/v1/tokens", `{"packages":["`+pkg+`"],"packages_and_scopes_permission":"read-only"}`)
		var made struct{ Token string }
		if json.Unmarshal(body, &made) != nil || made.Token == "" {
			t.Fatalf("%s", body)
		}
		return made.Token
	}
	ui, api := mint("@acme/ui"), mint("@acme/api")
	t.Run("at once", func(t *testing.T) {
		for _, c := range []struct {
			name, token string
			ui, api     int
		}{{"ui", ui, 200, 404}, {"api", api, 404, 200}, {"wendy", github.Wendy, 200, 200}, {"mallory", github.Mallory, 404, 404}} {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				for range 20 {
					a, _ := r.do(t, c.token, "GET", "/@acme%2fui", "")
					b, _ := r.do(t, c.token, "GET", "/@acme%2fapi", "")
					if a != c.ui || b != c.api {
						t.Fatalf("%d and %d, want %d and %d", a, b, c.ui, c.api)
					}
				}
			})
		}
	})
}

// house is a registry with tokens of its own on a given GitHub, in memory.
type house struct {
	handler http.Handler
	tokens  *tokens.Tokens
}

func startOn(t testing.TB, github *githubtest.GitHub, change ...func(*server.Options)) *house {
	t.Helper()
	facts, err := githubauth.New(githubauth.Options{APIURL: github.APIURL(), WebURL: github.URL()})
	if err != nil {
		t.Fatal(err)
	}
	meta := memory.NewKV()
	packages, err := store.Open(t.Context(), meta, memory.NewBlob(), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	kept, err := tokens.New(meta, packages, tokens.Options{})
	if err != nil {
		t.Fatal(err)
	}
	o := server.Options{
		NPM: npm.Options{
			Registry: packages, Gate: gate.New(facts, scopes.Namespaces{Host: "github.com"}).UseTokens(kept), Tokens: kept,
			MaxPublish: 1 << 20, Spool: t.TempDir(), MailDomain: "users.noreply.github.com",
		},
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
	for _, c := range change {
		c(&o)
	}
	return &house{server.New(o), kept}
}

func (h *house) do(t testing.TB, token, method, path, body string) (int, []byte) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	if r.RemoteAddr = "127.0.0.1:1234"; token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	h.handler.ServeHTTP(w, r)
	return w.Code, w.Body.Bytes()
}

func (h *house) put(t testing.TB, token, name, version, repo string) (int, []byte) {
	t.Helper()
	p := packumenttest.Package{Name: name, Version: version, Repository: "github:" + repo}
	return h.do(t, token, "PUT", p.Path(), string(p.Body()))
}

func (h *house) publish(t testing.TB, token, name, version, repo string) {
	t.Helper()
	if status, body := h.put(t, token, name, version, repo); status != http.StatusCreated {
		t.Fatalf("publishing %s: %d %s", name, status, body)
	}
}

// TestTokensThatEnded: each end has its own sentence, and none of them reveals anything but to who holds the secret.
func TestTokensThatEnded(t *testing.T) {
	github := githubtest.Acme(githubtest.Seed(1)).Start()
	t.Cleanup(github.Close)
	h := startOn(t, github.GitHub)
	if status, body := h.do(t, github.Wendy, "POST", "/-/npm/v1/tokens", `{"readonly":true}`); status != http.StatusOK {
		t.Fatalf("%s", body)
	}
	var wendy scopes.Account
	for token, err := range h.tokens.All(t.Context()) {
		if wendy = token.Owner; err != nil || wendy.Login != "wendy" || wendy.ID == 0 {
			t.Fatal(token, err)
		}
	}
	mint := func(owner scopes.Account, grant scopes.Grant, behind string) string {
		t.Helper()
		_, secret, err := h.tokens.Create(t.Context(), scopes.Token{Owner: owner, Grant: grant}, tokens.Credential{Access: behind})
		if err != nil {
			t.Fatal(err)
		}
		return secret
	}
	all := scopes.Grant{Rights: scopes.All()}
	for name, c := range map[string]struct {
		secret string
		status int
		says   string
	}{
		"works":       {mint(wendy, all, github.Wendy), 200, "wendy"},
		"expired":     {mint(wendy, scopes.Grant{Rights: scopes.All(), Until: time.Now().Add(-time.Minute)}, github.Wendy), 401, "this token has expired: it ended on 20"},
		"elsewhere":   {mint(wendy, scopes.Grant{Rights: scopes.All(), From: []netip.Prefix{netip.MustParsePrefix("2001:db8::/32")}}, github.Wendy), 403, "not be used from this address"},
		"not hers":    {mint(wendy, all, github.Rita), 401, "the GitHub credential behind this token is gone"},
		"a robot's":   {mint(wendy, all, github.ActionsWrites), 401, "the GitHub credential behind this token is gone"},
		"not a token": {mint(wendy, all, "hunter2"), 401, "the GitHub credential behind this token is gone"},
		"mistyped":    {mint(wendy, all, github.Wendy)[:20], 401, "mistyped"},
	} {
		status, body := h.do(t, c.secret, "GET", "/-/whoami", "")
		if status != c.status || !strings.Contains(string(body), c.says) {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
}

// TestWorkflowToken: a workflow writes to packages of its own repository and within its grant, asks GitHub nothing, and mints nothing.
func TestWorkflowToken(t *testing.T) {
	github := githubtest.Acme(githubtest.Seed(1)).Start()
	t.Cleanup(github.Close)
	h := startOn(t, github.GitHub)
	h.publish(t, github.Wendy, "@acme/ui", "1.0.0", "acme/ui")
	h.publish(t, github.Wendy, "@acme/ui-kit", "1.0.0", "acme/ui")
	h.publish(t, github.Wendy, "@acme/api", "1.0.0", "acme/api")
	run := &scopes.Workflow{Repo: scopes.Repo{ID: github.UI.ID, OwnerID: github.UI.OwnerID, Owner: "acme", Name: "ui"}, Event: "push"}
	secret := func(values ...string) string {
		t.Helper()
		grant := scopes.Grant{Rights: scopes.Rights{{Values: values, Types: scopes.Types{Pkg: scopes.Use{Write: true}}}}, Until: time.Now().Add(10 * time.Minute)}
		_, s, err := h.tokens.CreateWorkflow(t.Context(), scopes.Token{Workflow: run, Grant: grant}, tokens.Proof{ID: strings.Join(values, " "), Until: time.Now().Add(time.Minute)})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	one, both := secret("@acme/ui"), secret("@acme/ui", "@acme/api", "@acme/new", "@acme/foreign")
	github.ResetCounts()
	for name, c := range map[string]struct {
		token, method, path, body string
		status                    int
	}{
		"install":            {one, "GET", "/@acme%2fui", "", 200},
		"tag":                {one, "PUT", "/-/package/@acme%2fui/dist-tags/ci", `"1.0.0"`, 200},
		"outside the grant":  {one, "GET", "/@acme%2fui-kit", "", 404},
		"another repository": {both, "GET", "/@acme%2fapi", "", 404},
		"tag another":        {both, "PUT", "/-/package/@acme%2fapi/dist-tags/ci", `"1.0.0"`, 404},
		"mint":               {both, "POST", "/-/npm/v1/tokens", `{"readonly":true}`, 403},
		"list":               {both, "GET", "/-/npm/v1/tokens", "", 403},
		"whoami":             {both, "GET", "/-/whoami", "", 200},
	} {
		if status, body := h.do(t, c.token, c.method, c.path, c.body); status != c.status && !(c.status == 200 && status == 201) {
			t.Errorf("%s: %d %.300s", name, status, body)
		}
	}
	if n := github.Counts().Total(); n != 0 {
		t.Errorf("GitHub was asked %d times about a workflow's token", n)
	}
	for name, c := range map[string]struct {
		token, pkg, repo string
		status           int
	}{
		"publish":             {one, "@acme/ui", "acme/ui", 201},
		"first publish":       {both, "@acme/new", "acme/ui", 201},
		"first, another repo": {both, "@acme/foreign", "acme/api", 403},
		"first, not granted":  {one, "@acme/newer", "acme/ui", 403},
	} {
		if status, body := h.put(t, c.token, c.pkg, "1.1.0", c.repo); status != c.status {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
}

// TestTokensAudited: minting and revoking are changes, and what a minted token does is written down under its own name and fingerprint.
func TestTokensAudited(t *testing.T) {
	github := githubtest.Acme(githubtest.Seed(1)).Start()
	t.Cleanup(github.Close)
	s := &site{github: github, log: &lockedBuffer{}}
	h := startOn(t, github.GitHub, func(o *server.Options) { o.Log = slog.New(slog.NewJSONHandler(s.log, nil)) })
	h.publish(t, github.Wendy, "@acme/ui", "1.0.0", "acme/ui")
	_, body := h.do(t, github.Wendy, "POST", "/-/npm/v1/tokens", `{"packages":["@acme/ui"],"packages_and_scopes_permission":"read-write"}`)
	var made struct{ Token, Key string }
	if err := json.Unmarshal(body, &made); err != nil {
		t.Fatal(err)
	}
	expect := func(want map[string]string) {
		t.Helper()
		line, _ := s.lastAudit(t)
		for key, value := range want {
			if got := fmt.Sprint(line[key]); got != value {
				t.Errorf("%s is %q, want %q: %v", key, got, value, line)
			}
		}
	}
	expect(map[string]string{"verdict": "allowed", "action": "mint", "note": "the token " + made.Key + " of wendy", "login": "wendy", "credential": "classic personal access token", "fingerprint": printOf(github.Wendy)})
	h.do(t, made.Token, "PUT", "/-/package/@acme%2fui/dist-tags/beta", `"1.0.0"`)
	expect(map[string]string{"verdict": "allowed", "action": "tag", "token": made.Key, "login": "wendy", "credential": "granular access token", "fingerprint": printOf(made.Token)})
	h.do(t, made.Token, "GET", "/-/npm/v1/tokens", "")
	expect(map[string]string{"verdict": "refused", "action": "list token", "reason": "grant-too-narrow", "token": made.Key})
	h.do(t, made.Token, "GET", "/@acme%2fapi", "")
	h.do(t, github.Wendy, "DELETE", "/-/npm/v1/tokens/token/"+made.Key, "")
	expect(map[string]string{"verdict": "allowed", "action": "revoke", "note": "the token " + made.Key + " of wendy"})
	h.do(t, made.Token, "GET", "/-/whoami", "")
	expect(map[string]string{"verdict": "refused", "reason": "bad-credential", "fingerprint": printOf(made.Token)})
	first := made
	for what, end := range map[string]string{"by its secret": "/-/npm/v1/tokens/token/", ", by logging out": "/-/user/token/"} {
		_, body := h.do(t, github.Wendy, "POST", "/-/npm/v1/tokens", `{"readonly":true}`)
		if err := json.Unmarshal(body, &made); err != nil {
			t.Fatal(err)
		}
		h.do(t, made.Token, "DELETE", end+made.Token, "")
		expect(map[string]string{"verdict": "allowed", "action": "revoke", "note": "the token " + made.Key + " of wendy" + strings.TrimPrefix(what, "by its secret")})
		if strings.Contains(s.log.String(), made.Token[8:]) {
			t.Error("the token is in the log")
		}
	}
	if strings.Contains(s.log.String(), first.Token[8:]) {
		t.Error("the token is in the log")
	}
}

// TestMintedUnder: of a token that was minted with another it is on record which was the first, since they stand on the same credential.
func TestMintedUnder(t *testing.T) {
	github := githubtest.Acme(githubtest.Seed(1)).Start()
	t.Cleanup(github.Close)
	h := startOn(t, github.GitHub)
	type minted struct{ Token, Key string }
	mint := func(with string) (m minted) {
		t.Helper()
		_, body := h.do(t, with, "POST", "/-/npm/v1/tokens", `{"scope":[{"values":["~wendy"],"types":{"user":{"write":true}}}]}`)
		if json.Unmarshal(body, &m) != nil || m.Token == "" {
			t.Fatalf("%s", body)
		}
		return m
	}
	first := mint(github.Wendy)
	second := mint(first.Token)
	third := mint(second.Token)
	for token, err := range h.tokens.All(t.Context()) {
		want := map[string]string{first.Key: "", second.Key: first.Key, third.Key: first.Key}[token.ID]
		if err != nil || token.Under != want {
			t.Errorf("%s is under %q, want %q", token.ID, token.Under, want)
		}
	}
}

// TestProfileTakesAUserRight is the hole of a token for packages that was told its owner's private address: what GitHub shows to the credential behind a token
// of its owner is about a user, and takes a right to that user.
func TestProfileTakesAUserRight(t *testing.T) {
	github := githubtest.Acme(githubtest.Seed(1)).Start()
	t.Cleanup(github.Close)
	h := startOn(t, github.GitHub)
	wendy := github.Token(githubtest.Classic{User: "wendy", Scopes: []string{"repo", "user"}})
	for right, private := range map[string]bool{
		`{"values":["*"],"types":{"pkg":{"write":true}}}`:       false,
		`{"values":["~rita"],"types":{"user":{"write":true}}}`:  false,
		`{"values":["~wendy"],"types":{"user":{"read":true}}}`:  true,
		`{"values":["~wendy"],"types":{"user":{"write":true}}}`: true,
	} {
		_, body := h.do(t, wendy, "POST", "/-/npm/v1/tokens", `{"scope":[`+right+`]}`)
		var made struct{ Token string }
		if json.Unmarshal(body, &made) != nil || made.Token == "" {
			t.Fatalf("%s", body)
		}
		status, body := h.do(t, made.Token, "GET", "/-/npm/v1/user", "")
		var profile struct {
			Name, Email string
			Verified    bool `json:"email_verified"`
		}
		if err := json.Unmarshal(body, &profile); err != nil || status != http.StatusOK || profile.Name != "wendy" {
			t.Fatalf("%s: %d %s", right, status, body)
		}
		if shown := profile.Verified || !strings.HasSuffix(profile.Email, "+wendy@users.noreply.github.com"); shown != private {
			t.Errorf("%s: %s", right, body)
		}
	}
}

// TestMintSaysOneThing is the trap of a request that says something twice, in one case or another: who looks it over and who mints by it could read two things.
func TestMintSaysOneThing(t *testing.T) {
	github := githubtest.Acme(githubtest.Seed(1)).Start()
	t.Cleanup(github.Close)
	h := startOn(t, github.GitHub)
	for _, body := range []string{
		`{"packages_all":true,"packages_and_scopes_permission":"read-only","packages_and_scopes_permission":"read-write"}`,
		`{"readonly":true,"Readonly":false}`,
		`{"READONLY":false}`,
		`{"scope":[{"values":["@acme/ui"],"Values":["*"],"types":{"pkg":{"read":true}}}]}`,
		`{"scope":[{"values":["@acme/ui"],"types":{"pkg":{"read":true}},"types":{"pkg":{"write":true}}}]}`,
		`{"scope":[{"values":["@acme/ui"],"types":{"pkg":{"read":true,"WRITE":true}}}]}`,
	} {
		if status, answer := h.do(t, github.Wendy, "POST", "/-/npm/v1/tokens", body); status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", body, status, answer)
		}
	}
}

// TestWhyOfAToken: whoever asks with a token of the registry's own is told which it is and what it was minted for, also where the package is hidden from it.
func TestWhyOfAToken(t *testing.T) {
	github := githubtest.Acme(githubtest.Seed(1)).Start()
	t.Cleanup(github.Close)
	h := startOn(t, github.GitHub)
	h.publish(t, github.Wendy, "@acme/ui", "1.0.0", "acme/ui")
	end := time.Now().UTC().AddDate(0, 0, 30)
	_, body := h.do(t, github.Wendy, "POST", "/-/npm/v1/tokens",
		`{"name":"ci of ui","scope":[{"values":["@acme/ui"],"types":{"pkg":{"read":true}}},{"values":["~wendy"],"types":{"user":{"write":true}}}],"cidr":["127.0.0.0/8"],"expires":"`+end.Format(time.RFC3339)+`"}`)
	var made struct{ Token, Key string }
	if err := json.Unmarshal(body, &made); err != nil || made.Token == "" {
		t.Fatalf("%v: %s", err, body)
	}
	ask := func(path string) (gate.Why, string) {
		t.Helper()
		_, body := h.do(t, made.Token, "GET", path, "")
		var w gate.Why
		if err := json.Unmarshal(body, &w); err != nil {
			t.Fatalf("%v: %s", err, body)
		}
		return w, w.Words()
	}
	w, words := ask("/-/why/@acme%2fui/publish")
	if w.Allowed || w.Reason != "grant-too-narrow" || w.Grant != "read" || w.Caller.Token == nil || w.Caller.Token.ID != made.Key || w.Caller.Token.Until.IsZero() {
		t.Errorf("%+v", w)
	}
	for _, want := range []string{
		"  token       " + made.Key + `, "ci of ui", until ` + end.Format("2006-01-02 15:04") + ` UTC, from 127.0.0.0/8 only` + "\n",
		"  minted for  @acme/ui: read to packages\n              ~wendy: write to users\n",
		"  scope       read, which is what this token leaves of that for this package\n",
	} {
		if !strings.Contains(words, want) {
			t.Errorf("%q is not in\n%s", want, words)
		}
	}
	if w, words := ask("/-/why/@acme%2fapi/install"); w.Caller.Token == nil || w.Caller.Token.ID != made.Key || strings.Contains(words, "acme/api, number") {
		t.Errorf("a package that is hidden from it: %+v", w)
	}
	if _, body := h.do(t, github.Wendy, "GET", "/-/why/@acme%2fui/publish", ""); strings.Contains(string(body), `"token"`) {
		t.Errorf("a token of GitHub's own: %s", body)
	}
}

// TestMintedInARenewedLogin: a token over a credential that is renewed hands on no copy of it, which would end with the day, but itself.
func TestMintedInARenewedLogin(t *testing.T) {
	github := githubtest.Acme(githubtest.Seed(1)).Start()
	t.Cleanup(github.Close)
	h := startOn(t, github.GitHub)
	wendy := github.Account("wendy")
	_, login, err := h.tokens.Create(t.Context(), scopes.Token{
		Owner: scopes.Account{ID: wendy.ID, Login: wendy.Login}, Name: "npm login", Grant: scopes.Grant{Rights: scopes.All(), Until: time.Now().Add(time.Hour)}, Behind: scopes.AppUser,
	}, tokens.Credential{Access: github.Wendy, Refresh: "ghr_of_wendy", Expires: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	status, body := h.do(t, login, "POST", "/-/npm/v1/tokens", `{"readonly":true}`)
	var made struct{ Token, Key string }
	if err := json.Unmarshal(body, &made); err != nil || status != http.StatusOK {
		t.Fatalf("%d %s", status, body)
	}
	if _, behind, err := h.tokens.Open(t.Context(), made.Token); err != nil || behind != (tokens.Credential{Parent: login}) {
		t.Errorf("%v, %v", behind.Access != "", err)
	}
	if status, body := h.do(t, made.Token, "GET", "/-/whoami", ""); status != http.StatusOK {
		t.Errorf("%d %s", status, body)
	}
	h.do(t, login, "DELETE", "/-/user/token/"+login, "")
	if status, body := h.do(t, made.Token, "GET", "/-/whoami", ""); status != http.StatusUnauthorized || !strings.Contains(string(body), "npm login that this token was minted with has ended: log in again") {
		t.Errorf("after logging out: %d %s", status, body)
	}
}

// TestStarTakesAUserRight is the hole of a token for reading that changed something: a star is what its owner says, and everybody sees it.
func TestStarTakesAUserRight(t *testing.T) {
	github := githubtest.Acme(githubtest.Seed(1)).Start()
	t.Cleanup(github.Close)
	h := startOn(t, github.GitHub)
	h.publish(t, github.Wendy, "@acme/ui", "1.0.0", "acme/ui")
	h.publish(t, github.Ada, "@acme/open", "1.0.0", "acme/open")
	for scope, want := range map[string]int{
		`{"values":["*"],"types":{"pkg":{"read":true}}}`:                                                       403,
		`{"values":["*"],"types":{"pkg":{"write":true}}}`:                                                      403,
		`{"values":["*"],"types":{"pkg":{"read":true}}},{"values":["~wendy"],"types":{"user":{"read":true}}}`:  403,
		`{"values":["*"],"types":{"pkg":{"read":true}}},{"values":["~wendy"],"types":{"user":{"write":true}}}`: 200,
	} {
		_, body := h.do(t, github.Wendy, "POST", "/-/npm/v1/tokens", `{"scope":[`+scope+`]}`)
		var made struct{ Token string }
		if json.Unmarshal(body, &made) != nil || made.Token == "" {
			t.Fatalf("%s", body)
		}
		for _, name := range []string{"ui", "open"} {
			document := `{"_id":"@acme/` + name + `","name":"@acme/` + name + `","users":{"wendy":true}}`
			if status, body := h.do(t, made.Token, "PUT", "/@acme%2f"+name, document); status != want {
				t.Errorf("%s, %s: %d %s", scope, name, status, body)
			}
		}
	}
}
