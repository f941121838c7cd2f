package githubtest

import (
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestChecksum(t *testing.T) {
	// The vector of gist coolaj86/eb8cddfd3e4251258712dfed03e1f86d; it has a leading zero.
	if got := checksum("zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ"); got != "0mLq17" {
		t.Errorf("checksum %q", got)
	}
}

func TestTokenShapes(t *testing.T) {
	f := Acme()
	inst := Installation{Owner: "acme", Contents: Read}
	for _, c := range []struct {
		kind    Kind
		options []TokenOption
		shape   string
		checked bool
	}{
		{Classic{User: "ada"}, nil, `^ghp_[0-9A-Za-z]{36}$`, true},
		{Classic{User: "ada"}, []TokenOption{OldShape()}, `^[0-9a-f]{40}$`, false},
		{OAuth{User: "ada"}, nil, `^gho_[0-9A-Za-z]{36}$`, true},
		{AppUser{User: "ada"}, nil, `^ghu_[0-9A-Za-z]{36}$`, true},
		{FineGrained{User: "ada"}, nil, `^github_pat_[0-9A-Za-z]{22}_[0-9A-Za-z]{59}$`, false},
		{inst, []TokenOption{OldShape()}, `^ghs_[0-9A-Za-z]{36}$`, true},
		{inst, nil, `^ghs_[0-9]+_[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$`, false},
		{Actions{Repo: "acme/ui"}, []TokenOption{Label("a long label, with odd characters: ü")}, `^ghs_[A-Za-z0-9._-]{480,560}$`, false},
	} {
		for range 20 {
			token := f.Token(c.kind, c.options...)
			if !regexp.MustCompile(c.shape).MatchString(token) {
				t.Errorf("%T: %d characters: %s", c.kind, len(token), token)
			}
			if body := token[4:34]; c.checked && token[34:] != checksum(body) {
				t.Errorf("%s: checksum", token)
			}
		}
	}
	if token := f.Token(Classic{User: "ada"}, Label("ada")); !strings.HasPrefix(token, "ghp_FAKEada") {
		t.Errorf("label: %s", token)
	}
}

func TestSeed(t *testing.T) {
	if a, b := Acme(Seed(7)), Acme(Seed(7)); a.Wendy != b.Wendy || a.ActionsReads != b.ActionsReads {
		t.Error("the same seed minted different tokens")
	}
	if a, b := Acme(Seed(7)), Acme(Seed(8)); a.Wendy == b.Wendy {
		t.Error("different seeds minted the same token")
	}
	if a, b := Acme(), Acme(); a.Wendy == b.Wendy {
		t.Error("two fakes minted the same token")
	}
}

func TestRevokedAndExpired(t *testing.T) {
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	f := started(t, Clock(func() time.Time { return now }))
	expiring := f.Token(Classic{User: "rita"}, Expires(now.Add(time.Minute)))

	r := f.as(t, expiring).want(200, GetUser)
	if got := r.Header.Get("github-authentication-token-expiration"); got != "2026-11-20 12:01:00 UTC" {
		t.Errorf("expiration header %q", got)
	}
	if got := f.as(t, f.Rita).get("/user").Header.Get("github-authentication-token-expiration"); got != "" {
		t.Errorf("a token without expiry announces %q", got)
	}
	now = now.Add(time.Minute)
	if r := f.as(t, expiring).want(401, GetUser); r.message(t) != "Bad credentials" {
		t.Error(r.message(t))
	}
	f.RevokeToken(f.Rita)
	f.as(t, f.Rita).want(401, GetUser)
	f.as(t, f.Rita).want(401, "GET /repos/acme/open")
	if r := f.git(t, "git-upload-pack", "acme/open", f.Rita); r.StatusCode != 401 {
		t.Errorf("git with a revoked token: %d", r.StatusCode)
	}
}

func TestEditedToken(t *testing.T) {
	f := started(t)
	rita := f.as(t, f.Rita)
	rita.want(200, "GET /repos/acme/ui")
	f.Edit(f.Rita, Classic{User: "rita", Scopes: []string{"read:org", "gist"}})
	rita.want(404, "GET /repos/acme/ui")
	if got := rita.get("/user").Header.Get("X-OAuth-Scopes"); got != "read:org, gist" {
		t.Errorf("scopes %q", got)
	}
}

func TestWaysToSendACredential(t *testing.T) {
	f := started(t)
	f.AddOAuthApp("Iv1.fake", "secret")
	nobody := f.as(t, "")
	for header, status := range map[string]int{
		"Bearer " + f.Wendy:              200,
		"bearer " + f.Wendy:              200,
		"token " + f.Wendy:               200,
		basic("wendy", f.Wendy):          200,
		basic(f.Wendy, "x-oauth-basic"):  200,
		basic(f.Wendy, ""):               200,
		basic("Iv1.fake", "secret"):      401, // an app, not a person
		basic("Iv1.fake", "wrong"):       401,
		"Digest " + f.Wendy:              401,
		"Bearer":                         401,
		"Basic %":                        401,
		"Bearer " + f.Wendy + "x":        401,
		"Bearer eyJhbGciOiJSUzI1NiJ9.e.": 401,
	} {
		if r := nobody.get("/user", "Authorization", header); r.StatusCode != status {
			t.Errorf("%s: %d, want %d", header, r.StatusCode, status)
		}
	}
	r := nobody.get("/repos/acme/open", "Authorization", basic("Iv1.fake", "secret"))
	if r.StatusCode != 200 || r.document(t)["permissions"] != nil || r.Header.Get("X-RateLimit-Limit") != "5000" {
		t.Errorf("OAuth app on a public repository: %d %v %s", r.StatusCode, r.Header, r.body)
	}
	if r := nobody.get("/repos/acme/ui", "Authorization", basic("Iv1.fake", "secret")); r.StatusCode != 404 {
		t.Errorf("OAuth app on a private repository: %d", r.StatusCode)
	}
}
