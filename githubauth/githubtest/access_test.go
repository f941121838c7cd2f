package githubtest

import (
	"fmt"
	"strings"
	"testing"
)

// TestReach is github.md §1.3 and §1.4: for every kind of token, what a repository shows and what the probes
// say.
func TestReach(t *testing.T) {
	f := started(t)
	f.Grant("wendy", "acme/open", Push)
	only := func(name string) []string { return []string{name} }
	scopes := func(s ...string) []string { return s }
	tokens := map[string]string{
		"none": "", "mallory": f.Mallory, "rita": f.Rita, "wendy": f.Wendy, "ada": f.Ada,
		"wendy public_repo": f.Token(Classic{User: "wendy", Scopes: scopes("public_repo")}),
		"wendy no scope":    f.WendyScopes,
		"wendy oauth":       f.Token(OAuth{User: "wendy", Scopes: scopes("repo")}),
		"wendy pat none":    f.Token(FineGrained{User: "wendy", Owner: "acme"}),
		"wendy pat read":    f.WendyReads,
		"wendy pat write":   f.WendyWrites,
		"wendy pat public":  f.Token(FineGrained{User: "wendy"}),
		"rita pat write":    f.Token(FineGrained{User: "rita", Owner: "acme", Contents: Write}),
		"wendy ghu read":    f.Token(AppUser{User: "wendy", Contents: Read}),
		"wendy ghu write":   f.Token(AppUser{User: "wendy", Owner: "acme", Repos: only("acme/ui"), Contents: Write}),
		"app read":          f.Token(Installation{Owner: "acme", Contents: Read}),
		"app write api":     f.Token(Installation{Owner: "acme", Repos: only("acme/api"), Contents: Write}, OldShape()),
		"actions none":      f.Token(Actions{Repo: "acme/ui"}),
		"actions read":      f.ActionsReads, "actions write": f.ActionsWrites,
	}
	// GET /repos, the role shown, R1, R2, W1, W2, W3, W4.
	for line := range strings.Lines(`
		none              | acme/ui   | 404 -    404 401 401 404 404 404
		mallory           | acme/ui   | 404 -    404 404 404 404 404 404
		rita              | acme/ui   | 200 pull 200 200 403 404 404 404
		wendy             | acme/ui   | 200 push 200 200 200 422 422 422
		ada               | acme/ui   | 200 admin 200 200 200 422 422 422
		wendy public_repo | acme/ui   | 404 -    404 404 404 404 404 404
		wendy no scope    | acme/ui   | 404 -    404 404 404 404 404 404
		wendy oauth       | acme/ui   | 200 push 200 200 200 422 422 422
		wendy pat none    | acme/ui   | 200 push 403 403 403 403 403 403
		wendy pat read    | acme/ui   | 200 push 200 200 403 403 403 403
		wendy pat write   | acme/ui   | 200 push 200 200 200 422 422 422
		wendy pat write   | acme/api  | 404 -    404 404 404 404 404 404
		wendy pat public  | acme/ui   | 404 -    404 404 404 404 404 404
		rita pat write    | acme/ui   | 200 pull 200 200 403 403 403 403
		wendy ghu read    | acme/ui   | 200 push 200 200 403 403 403 403
		wendy ghu write   | acme/ui   | 200 push 200 200 200 422 422 422
		wendy ghu write   | acme/api  | 404 -    404 404 404 404 404 404
		app read          | acme/ui   | 200 none 200 200 403 403 403 403
		app write api     | acme/api  | 200 none 200 200 200 422 422 422
		app write api     | acme/ui   | 404 -    404 404 404 404 404 404
		actions none      | acme/ui   | 200 none 403 403 403 403 403 403
		actions read      | acme/ui   | 200 none 200 200 403 403 403 403
		actions write     | acme/ui   | 200 none 200 200 200 422 422 422
		actions write     | acme/api  | 404 -    404 404 404 404 404 404
		none              | acme/open | 200 -    200 200 401 401 401 401
		mallory           | acme/open | 200 pull 200 200 403 404 404 404
		wendy             | acme/open | 200 push 200 200 200 422 422 422
		wendy public_repo | acme/open | 200 push 200 200 200 422 422 404
		wendy no scope    | acme/open | 200 push 200 200 403 404 404 404
		wendy pat none    | acme/open | 200 push 200 200 403 403 403 403
		wendy pat read    | acme/open | 200 push 200 200 403 403 403 403
		wendy pat public  | acme/open | 200 push 200 200 403 403 403 403
		actions write     | acme/open | 200 none 200 200 403 403 403 403
		app write api     | acme/open | 200 none 200 200 403 403 403 403
	`) {
		part := strings.Split(line, "|")
		if len(part) != 3 {
			continue
		}
		name, repo := strings.TrimSpace(part[0]), strings.TrimSpace(part[1])
		token, known := tokens[name]
		if !known {
			t.Fatal("no token", name)
		}
		a := f.as(t, token)
		shown := a.get("/repos/" + repo)
		got := []string{fmt.Sprint(shown.StatusCode), shownRole(t, shown)}
		add := func(r reply) { got = append(got, fmt.Sprint(r.StatusCode)) }
		add(a.get("/repos/" + repo + "/branches?per_page=1"))
		add(f.git(t, "git-upload-pack", repo, token))
		add(f.git(t, "git-receive-pack", repo, token))
		add(a.do("POST /repos/"+repo+"/releases/generate-notes", "{}"))
		add(a.do("DELETE /repos/"+repo+"/git/refs/heads/0123456789abcdef0123456789abcdef", ""))
		add(a.do("POST /repos/"+repo+"/git/refs", `{"ref":"refs/heads/x","sha":"`+strings.Repeat("0", 40)+`"}`))
		if want := strings.Fields(part[2]); strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("%s on %s:\n got %v\nwant %v", name, repo, got, want)
		}
	}
}

// shownRole is the highest true key of the permissions map; "none" if all are false, "-" without the key.
func shownRole(t *testing.T, r reply) string {
	m, there := r.document(t)["permissions"].(map[string]any)
	if !there {
		return "-"
	}
	if len(m) != 5 {
		t.Errorf("keys of permissions: %v", m)
	}
	for _, key := range []string{"admin", "maintain", "push", "triage", "pull"} {
		if m[key] == true {
			return key
		}
	}
	return "none"
}

func TestRoleSources(t *testing.T) {
	f := started(t)
	f.AddUser("tess")
	token := f.Token(Classic{User: "tess", Scopes: []string{"repo"}})
	shown := func() string { return shownRole(t, f.as(t, token).get("/repos/acme/ui")) }
	step := func(what, want string) {
		t.Helper()
		if got := shown(); got != want {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
	}
	step("a stranger", "-")
	f.AddMember("acme", "tess")
	step("a member without base permission", "-")
	f.SetVisibility("acme/ui", Internal)
	step("a member of the enterprise", "pull")
	f.SetVisibility("acme/ui", Private)
	f.SetBasePermission("acme", Triage)
	step("base permission", "triage")
	f.AddToTeam("acme", "Core", "tess")
	f.GrantTeam("acme", "core", "acme/ui", Maintain)
	step("a team", "maintain")
	f.Grant("tess", "acme/ui", Pull)
	step("a lower grant", "maintain")
	f.AddOwner("acme", "tess")
	step("an owner", "admin")
	f.RemoveMember("acme", "tess")
	step("an outside collaborator", "pull")
	f.Revoke("tess", "acme/ui")
	step("revoked", "-")
	own := f.AddRepo("tess/mine", Private)
	if got := shownRole(t, f.as(t, token).get("/repos/"+own.FullName())); got != "admin" {
		t.Errorf("one's own: %s", got)
	}
}

func TestIdentity(t *testing.T) {
	f := started(t)
	for name, token := range map[string]string{
		"classic": f.Wendy, "fine-grained": f.WendyReads, "ghu": f.Token(AppUser{User: "wendy"}), "no scope": f.WendyScopes,
	} {
		d := f.as(t, token).want(200, GetUser).document(t)
		if d["login"] != "wendy" || d["id"] != float64(f.Account("wendy").ID) {
			t.Errorf("%s: %v", name, d)
		}
		if r := f.as(t, token).want(403, GetInstallationRepos); r.message(t) == "" {
			t.Error("no message")
		}
	}
	for _, token := range []string{f.ActionsReads, f.Token(Installation{Owner: "acme"})} {
		if r := f.as(t, token).want(403, GetUser); r.message(t) != "Resource not accessible by integration" {
			t.Error(r.message(t))
		}
		f.as(t, token).want(200, "HEAD /installation/repositories")
		f.as(t, token).want(403, "GET /user/repos")
	}
	if r := f.as(t, "").want(401, GetUser); r.message(t) != "Requires authentication" {
		t.Error(r.message(t))
	}
	f.as(t, f.ActionsReads).want(200, fmt.Sprintf("GET /user/%d", f.Account("ada").ID))
	f.as(t, f.Rita).want(200, "GET /users/ACME")
	f.as(t, f.Rita).want(404, "GET /users/nobody")
	f.as(t, f.Rita).want(404, "GET /user/17")
}

func TestCollaboratorPermission(t *testing.T) {
	f := started(t)
	path := func(repo, user string) string {
		return "GET /repos/acme/" + repo + "/collaborators/" + user + "/permission"
	}
	for _, c := range []struct{ repo, user, permission, role string }{
		{"ui", "wendy", "write", "write"}, {"ui", "Rita", "read", "read"}, {"ui", "ada", "admin", "admin"},
		{"ui", "mallory", "none", "none"}, {"open", "mallory", "read", "read"},
	} {
		d := f.as(t, f.ActionsReads).want(200, path(c.repo, c.user)).document(t)
		if d["permission"] != c.permission || d["role_name"] != c.role {
			t.Errorf("%s on %s: %v %v", c.user, c.repo, d["permission"], d["role_name"])
		}
	}
	f.Grant("rita", "acme/api", Maintain)
	if d := f.as(t, f.Wendy).want(200, path("api", "rita")).document(t); d["permission"] != "write" || d["role_name"] != "maintain" {
		t.Errorf("maintain: %v %v", d["permission"], d["role_name"])
	}
	f.as(t, f.Rita).want(403, path("ui", "rita")) // who may not push may not ask
	f.as(t, f.Mallory).want(404, path("ui", "rita"))
	f.as(t, "").want(401, path("open", "rita"))
	f.as(t, f.Wendy).want(404, path("ui", "nobody"))
}

func TestHeadersAboutTheToken(t *testing.T) {
	f := started(t)
	h := f.as(t, f.Wendy).get("/repos/acme/ui").Header
	if h.Get("X-OAuth-Scopes") != "repo" || h.Get("X-Accepted-OAuth-Scopes") != "repo" || h.Get("X-Accepted-GitHub-Permissions") != "" {
		t.Errorf("classic: %v", h)
	}
	h = f.as(t, f.WendyScopes).get("/user").Header
	if v, there := h["X-Oauth-Scopes"]; !there || v[0] != "" {
		t.Errorf("no scopes: %v", h)
	}
	h = f.as(t, f.WendyReads).get("/repos/acme/ui/branches").Header
	if h.Get("X-Accepted-GitHub-Permissions") != "contents=read" || len(h["X-Oauth-Scopes"]) != 0 {
		t.Errorf("fine-grained: %v", h)
	}
	if h.Get("X-GitHub-Request-Id") == "" || h.Get("X-GitHub-Media-Type") == "" || h.Get("Content-Type") != "application/json; charset=utf-8" {
		t.Errorf("common: %v", h)
	}
}
