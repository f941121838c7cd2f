package githubtest

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// TestPeopleAuthorization is github.md §7: who may, with which credential.
func TestPeopleAuthorization(t *testing.T) {
	classic := func(f *Fixture, user string, scopes ...string) string {
		return f.Token(Classic{User: user, Scopes: scopes})
	}
	fine := func(f *Fixture, user string, p Permissions) string {
		return f.Token(FineGrained{User: user, Owner: "acme", Permissions: p})
	}
	app := func(f *Fixture, p Permissions) string { return f.Token(Installation{Owner: "acme", Permissions: p}) }
	tokens := map[string]func(*Fixture) string{
		"nobody":           func(*Fixture) string { return "" },
		"ada all":          func(f *Fixture) string { return classic(f, "ada", "repo", "admin:org") },
		"ada repo":         func(f *Fixture) string { return f.Ada },
		"ada read:org":     func(f *Fixture) string { return classic(f, "ada", "read:org") },
		"wendy all":        func(f *Fixture) string { return classic(f, "wendy", "repo", "admin:org") },
		"mallory all":      func(f *Fixture) string { return classic(f, "mallory", "repo", "admin:org") },
		"ada fine none":    func(f *Fixture) string { return fine(f, "ada", nil) },
		"ada fine read":    func(f *Fixture) string { return fine(f, "ada", Permissions{"members": Read, "administration": Read}) },
		"ada fine members": func(f *Fixture) string { return fine(f, "ada", Permissions{"members": Write}) },
		"ada fine admin":   func(f *Fixture) string { return fine(f, "ada", Permissions{"administration": Write}) },
		"ada fine both":    func(f *Fixture) string { return fine(f, "ada", Permissions{"administration": Write, "members": Read}) },
		"wendy fine": func(f *Fixture) string {
			return fine(f, "wendy", Permissions{"administration": Write, "members": Write})
		},
		"ada fine of her own": func(f *Fixture) string {
			return f.Token(FineGrained{User: "ada", Owner: "ada", Permissions: Permissions{"members": Write}})
		},
		"app none":    func(f *Fixture) string { return app(f, nil) },
		"app members": func(f *Fixture) string { return app(f, Permissions{"members": Write}) },
		"app admin":   func(f *Fixture) string { return app(f, Permissions{"administration": Write, "members": Read}) },
		"actions":     func(f *Fixture) string { return f.ActionsWrites },
	}
	routes := []string{
		"GET /orgs/acme/memberships/rita", "PUT /orgs/acme/memberships/mallory", "GET /orgs/acme/teams", "POST /orgs/acme/teams",
		"PUT /orgs/acme/teams/core/memberships/rita", "PUT /orgs/acme/teams/core/repos/acme/ui",
		"GET /repos/acme/ui/collaborators", "PUT /repos/acme/ui/collaborators/rita",
	}
	for line := range strings.Lines(`
		nobody              | 401 401 401 401 401 401 404 404
		ada all             | 200 200 200 201 200 204 200 204
		ada repo            | 404 404 404 404 404 204 200 204
		ada read:org        | 200 404 200 404 404 404 404 404
		wendy all           | 200 403 200 201 403 403 200 403
		mallory all         | 403 403 403 403 403 403 404 404
		ada fine none       | 403 403 403 403 403 403 200 403
		ada fine read       | 200 403 200 403 403 403 200 403
		ada fine members    | 200 200 200 201 200 403 200 403
		ada fine admin      | 403 403 403 403 403 403 200 204
		ada fine both       | 200 403 200 403 403 204 200 204
		wendy fine          | 200 403 200 201 403 403 200 403
		ada fine of her own | 403 403 403 403 403 403 404 404
		app none            | 403 403 403 403 403 403 200 403
		app members         | 200 200 200 201 200 403 200 403
		app admin           | 200 403 200 403 403 204 200 204
		actions             | 403 403 403 403 403 403 200 403
	`) {
		name, wants, is := strings.Cut(line, "|")
		if !is {
			continue
		}
		f := started(t)
		f.AddToTeam("acme", "Core")
		f.AddToTeam("acme", "Core", "ada")
		token := tokens[strings.TrimSpace(name)](f)
		var got []string
		for _, route := range routes {
			r := f.as(t, token).do(route, `{"name":"fresh"}`)
			got = append(got, fmt.Sprint(r.StatusCode))
		}
		if want := strings.Fields(wants); !slices.Equal(got, want) {
			t.Errorf("%s\n got %v\nwant %v", name, got, want)
		}
		f.Close()
	}
}

// TestInvitations: nothing is granted before the invited agree, through teams neither.
func TestInvitations(t *testing.T) {
	f := started(t)
	ada := f.as(t, f.Token(Classic{User: "ada", Scopes: []string{"repo", "admin:org"}}))
	mallory := f.as(t, f.Mallory)
	f.GrantTeam("acme", "core", "acme/api", Pull)
	ada.want(201, "PUT /repos/acme/ui/collaborators/mallory")
	ada.want(200, "PUT /orgs/acme/teams/core/memberships/mallory")
	mallory.want(404, "GET /repos/acme/ui")
	mallory.want(404, "GET /repos/acme/api")
	if got := ada.get("/orgs/acme/teams/core/memberships/mallory").document(t)["state"]; got != "pending" {
		t.Error(got)
	}
	invited := mallory.get("/user/repository_invitations").list(t)
	if len(invited) != 1 || invited[0].(map[string]any)["permissions"] != "write" {
		t.Fatal(invited)
	}
	mallory.want(204, fmt.Sprintf("PATCH /user/repository_invitations/%.0f", invited[0].(map[string]any)["id"]))
	mallory.want(200, "GET /repos/acme/ui")
	f.AcceptMembership("acme", "mallory")
	mallory.want(200, "GET /repos/acme/api")
	ada.want(204, "DELETE /orgs/acme/memberships/mallory")
	mallory.want(404, "GET /repos/acme/api")
	mallory.want(204, "DELETE /repos/acme/ui/collaborators/mallory") // anybody may leave
	mallory.want(404, "GET /repos/acme/ui")
	ada.want(201, "PUT /repos/acme/ui/collaborators/mallory")
	f.AcceptInvitation("mallory", "acme/ui")
	mallory.want(200, "GET /repos/acme/ui")
}

func TestTeamRoutes(t *testing.T) {
	f := started(t)
	rc := receive(t, "s", 200)
	f.AddHook(rc.URL, "s")
	ada := f.as(t, f.Token(Classic{User: "ada", Scopes: []string{"repo", "admin:org"}}))
	wendy := f.as(t, f.Token(Classic{User: "wendy", Scopes: []string{"repo", "admin:org"}}))
	rita := f.as(t, f.Token(Classic{User: "rita", Scopes: []string{"repo", "admin:org"}}))
	if r := wendy.do("POST /orgs/acme/teams", `{"name":"Front End","privacy":"closed"}`); r.document(t)["slug"] != "front-end" {
		t.Fatalf("%s", r.body)
	}
	wendy.do("POST /orgs/acme/teams", `{"name":"hidden"}`)
	rita.want(404, "GET /orgs/acme/teams/hidden")
	ada.want(200, "GET /orgs/acme/teams/hidden")
	if n := len(rita.get("/orgs/acme/teams").list(t)); n != 1 {
		t.Errorf("rita sees %d teams", n)
	}
	wendy.want(200, "PUT /orgs/acme/teams/front-end/memberships/rita")
	rita.want(403, "PUT /orgs/acme/teams/front-end/memberships/ada")
	if r := ada.do("PUT /orgs/acme/teams/front-end/repos/acme/open", `{"permission":"maintain"}`); r.StatusCode != 204 {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
	if got := shownRole(t, rita.get("/repos/acme/open")); got != "maintain" {
		t.Error(got)
	}
	repos := rita.get("/orgs/acme/teams/front-end/repos").list(t)
	if len(repos) != 1 || repos[0].(map[string]any)["role_name"] != "maintain" {
		t.Errorf("%v", repos)
	}
	f.SyncTeam("acme", "Front End", true)
	ada.want(403, "DELETE /orgs/acme/teams/front-end/memberships/rita")
	f.ForbidTeams("acme", true)
	wendy.want(403, "POST /orgs/acme/teams")
	ada.want(422, "POST /orgs/acme/teams")
	wendy.want(204, "DELETE /orgs/acme/teams/front-end")
	if got := shownRole(t, rita.get("/repos/acme/open")); got != "pull" {
		t.Errorf("after the team's end: %s", got)
	}
	if err := f.AwaitDeliveries(t.Context()); err != nil {
		t.Fatal(err)
	}
	events, _ := rc.take()
	want := []string{
		"team.created", "membership.added", "team.created", "membership.added", "membership.added", "team.added_to_repository", "team_add", "team.deleted",
	}
	if !slices.Equal(events, want) {
		t.Errorf("told %v", events)
	}
}

func TestCollaboratorList(t *testing.T) {
	f := started(t)
	f.Grant("mallory", "acme/ui", Pull)
	logins := func(query string) string {
		var all []string
		for _, u := range f.as(t, f.Wendy).get("/repos/acme/ui/collaborators" + query).list(t) {
			all = append(all, u.(map[string]any)["login"].(string)+"="+u.(map[string]any)["role_name"].(string))
		}
		return strings.Join(all, " ")
	}
	for query, want := range map[string]string{
		"":                     "ada=admin wendy=write rita=read mallory=read",
		"?permission=push":     "ada=admin wendy=write",
		"?affiliation=outside": "mallory=read",
		"?affiliation=direct":  "wendy=write rita=read mallory=read",
		"?per_page=1&page=2":   "wendy=write",
	} {
		if got := logins(query); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	f.RequireSSO("acme", true)
	for _, path := range []string{"GET /repos/acme/ui/collaborators", "GET /orgs/acme/teams"} {
		if r := f.as(t, f.Token(Classic{User: "wendy", Scopes: []string{"repo", "read:org"}})).want(http.StatusForbidden, path); r.Header.Get("X-GitHub-SSO") == "" {
			t.Errorf("%s: %v", path, r.Header)
		}
	}
}

func TestAffiliation(t *testing.T) {
	f := started(t)
	f.AddRepo("wendy/own", Public)
	f.AddRepo("mallory/shared", Private)
	f.Grant("wendy", "mallory/shared", Pull)
	f.SetBasePermission("acme", Pull)
	f.Revoke("wendy", "acme/api")
	for query, want := range map[string]string{
		"":                                     "acme/ui acme/api acme/open wendy/own mallory/shared",
		"?affiliation=owner":                   "wendy/own",
		"?affiliation=collaborator":            "acme/ui mallory/shared",
		"?affiliation=organization_member":     "acme/ui acme/api acme/open",
		"?affiliation=owner,collaborator":      "acme/ui wendy/own mallory/shared",
		"?visibility=private":                  "acme/ui acme/api mallory/shared",
		"?visibility=public&affiliation=owner": "wendy/own",
	} {
		var got []string
		for _, r := range f.as(t, f.Wendy).get("/user/repos" + query).list(t) {
			got = append(got, r.(map[string]any)["full_name"].(string))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %v, want %s", query, got, want)
		}
	}
}
