package githubtest

import (
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestSSO(t *testing.T) {
	f := started(t)
	f.RequireSSO("acme", true)
	wendy := f.as(t, f.Wendy)
	for _, path := range []string{"/repos/acme/ui", "/repos/acme/open"} {
		r := wendy.want(403, "GET "+path)
		if h := r.Header.Get("X-GitHub-SSO"); !strings.HasPrefix(h, "required; url="+f.URL()+"/orgs/acme/sso?") {
			t.Errorf("%s: %q", path, h)
		}
	}
	r := wendy.want(200, "GET /user/repos")
	if h := r.Header.Get("X-GitHub-SSO"); !strings.HasPrefix(h, "partial-results; organizations=1") || len(r.list(t)) != 0 {
		t.Errorf("%q %s", h, r.body)
	}
	if r := f.git(t, "git-upload-pack", "acme/ui", f.Wendy); r.StatusCode != 403 {
		t.Errorf("git: %d", r.StatusCode)
	}
	d := wendy.do(PostGraphQL, `{"query":"{nodes(ids:[\"`+f.UI.NodeID+`\"]){id}}"}`).document(t)
	if e := d["errors"].([]any)[0].(map[string]any); e["type"] != "FORBIDDEN" || e["extensions"].(map[string]any)["saml_failure"] != true {
		t.Errorf("%v", d)
	}
	// Whom it doesn't concern: strangers on what is public, nobody, fine-grained tokens, apps.
	f.as(t, f.Mallory).want(200, "GET /repos/acme/open")
	f.as(t, f.Mallory).want(404, "GET /repos/acme/ui")
	f.as(t, "").want(200, "GET /repos/acme/open")
	f.as(t, f.WendyReads).want(200, "GET /repos/acme/ui")
	f.as(t, f.ActionsReads).want(200, "GET /repos/acme/ui")
	f.as(t, f.Token(OAuth{User: "wendy", Scopes: []string{"repo"}})).want(200, "GET /repos/acme/ui")

	f.AuthorizeSSO(f.Wendy, "acme")
	wendy.want(200, "GET /repos/acme/ui")
	f.as(t, f.Rita).want(403, "GET /repos/acme/ui")
}

func TestForbiddenClassic(t *testing.T) {
	f := started(t)
	f.ForbidClassic("acme", true)
	if r := f.as(t, f.Wendy).want(403, "GET /repos/acme/ui"); !strings.Contains(r.message(t), "personal access token (classic)") || r.Header.Get("X-GitHub-SSO") != "" {
		t.Error(r.message(t))
	}
	f.as(t, f.Mallory).want(403, "GET /repos/acme/open")
	f.as(t, f.Mallory).want(404, "GET /repos/acme/ui")
	f.as(t, f.WendyReads).want(200, "GET /repos/acme/ui")
	f.as(t, "").want(200, "GET /repos/acme/open")
}

func TestAllowList(t *testing.T) {
	f := started(t)
	f.AllowAddresses("acme", netip.MustParsePrefix("192.0.2.0/24"))
	for _, token := range []string{f.Wendy, f.WendyReads, f.ActionsReads} {
		if r := f.as(t, token).want(403, "GET /repos/acme/ui"); !strings.Contains(r.message(t), "IP allow list") {
			t.Error(r.message(t))
		}
	}
	f.as(t, f.Mallory).want(403, "GET /repos/acme/open")
	f.as(t, "").want(200, "GET /repos/acme/open")
	f.AllowAddresses("acme", netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("127.0.0.0/8"))
	f.as(t, f.Wendy).want(200, "GET /repos/acme/ui")
	f.AllowAddresses("acme")
	f.as(t, f.Wendy).want(200, "GET /repos/acme/ui")
}

func TestPending(t *testing.T) {
	f := started(t)
	token := f.Token(FineGrained{User: "wendy", Owner: "acme", Contents: Write}, Pending())
	f.as(t, token).want(200, GetUser)
	f.as(t, token).want(200, "GET /repos/acme/open")
	f.as(t, token).want(404, "GET /repos/acme/ui")
	f.Approve(token)
	f.as(t, token).want(422, "POST /repos/acme/ui/releases/generate-notes")
}

func TestSuspended(t *testing.T) {
	f := started(t)
	f.Suspend("wendy", true)
	f.as(t, f.Wendy).want(403, GetUser)
	f.as(t, f.WendyReads).want(403, "GET /repos/acme/open")
	if r := f.git(t, "git-upload-pack", "acme/open", f.Wendy); r.StatusCode != 403 {
		t.Errorf("git: %d", r.StatusCode)
	}
	f.as(t, f.ActionsReads).want(200, "GET /repos/acme/ui")
	f.Suspend("wendy", false)
	f.as(t, f.Wendy).want(200, GetUser)
}

func TestLockOut(t *testing.T) {
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	f := started(t, LockOut(10), Clock(func() time.Time { return now }))
	for range 10 {
		f.as(t, "ghp_wrong").want(401, GetUser)
	}
	f.as(t, "ghp_wrong").want(403, GetUser)
	f.as(t, f.Wendy).want(403, GetUser)
	f.as(t, "").want(200, "GET /repos/acme/open")
	now = now.Add(time.Minute)
	f.as(t, f.Wendy).want(200, GetUser)

	g := started(t) // off by default
	for range 20 {
		g.as(t, "ghp_wrong").want(401, GetUser)
	}
	g.as(t, g.Wendy).want(200, GetUser)
}
