package githubtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// exchange is a request, and the operation and answer of GitHub's description that it must fit.
type exchange struct {
	who, request, body string
	path               string // in the description
	status             int
	instead            string // component, where the description lacks this status
}

func exchanges(f *Fixture) (all []exchange, tokens map[string]string) {
	tokens = map[string]string{
		"nobody": "", "wendy": f.Wendy, "rita": f.Rita, "fine": f.WendyReads, "actions": f.ActionsWrites, "bad": "ghp_bad",
		"private": f.Token(Classic{User: "wendy", Scopes: []string{"repo", "user"}}),
	}
	const repoPath, branches, refs, notes = "/repos/{owner}/{repo}", "/repos/{owner}/{repo}/branches", "/repos/{owner}/{repo}/git/refs", "/repos/{owner}/{repo}/releases/generate-notes"
	const deletes, permission, account = refs + "/{ref}", repoPath + "/collaborators/{username}/permission", "/user/{account_id}"
	byID := fmt.Sprintf("GET /repositories/%d", f.UI.ID)
	id := func(login string) string { return fmt.Sprintf("GET /user/%d", f.Account(login).ID) }
	zero := strings.Repeat("0", 40)
	commit := commitOf(&repo{id: f.UI.ID})
	return []exchange{
		{"wendy", GetUser, "", "/user", 200, ""},
		{"private", GetUser, "", "/user", 200, ""},
		{"fine", GetUser, "", "/user", 200, ""},
		{"actions", GetUser, "", "/user", 403, ""},
		{"nobody", GetUser, "", "/user", 401, ""},
		{"bad", GetUser, "", "/user", 401, ""},
		{"nobody", id("wendy"), "", account, 200, ""},
		{"nobody", id("acme"), "", account, 200, ""},
		{"nobody", "GET /user/1", "", account, 404, ""},
		{"wendy", "GET /users/rita", "", "/users/{username}", 200, ""},
		{"wendy", "GET /users/acme", "", "/users/{username}", 200, ""},
		{"wendy", "GET /users/nobody", "", "/users/{username}", 404, ""},

		{"wendy", "GET /repos/acme/ui", "", repoPath, 200, ""},
		{"wendy", byID, "", repoPath, 200, ""},
		{"actions", "GET /repos/acme/ui", "", repoPath, 200, ""},
		{"nobody", "GET /repos/acme/open", "", repoPath, 200, ""},
		{"nobody", "GET /repos/acme/ui", "", repoPath, 404, ""},
		{"wendy", "GET /repos/acme/former", "", repoPath, 301, ""},
		{"wendy", "GET /repos/acme/blocked", "", repoPath, 403, ""},
		{"bad", "GET /repos/acme/open", "", repoPath, 401, "basic-error"},
		{"wendy", "GET /repos/acme/ui/branches", "", branches, 200, ""},
		{"rita", "GET /repos/acme/empty/branches", "", branches, 404, ""},
		{"wendy", "GET /repos/acme/empty/branches", "", branches, 200, ""},

		{"wendy", "POST /repos/acme/ui/releases/generate-notes", `{"tag_name":"v1"}`, notes, 200, ""},
		{"rita", "POST /repos/acme/ui/releases/generate-notes", `{}`, notes, 404, ""},
		{"wendy", "POST /repos/acme/ui/releases/generate-notes", `{}`, notes, 422, "basic-error"},
		{"fine", "POST /repos/acme/ui/releases/generate-notes", `{}`, notes, 403, "basic-error"},
		{"wendy", "POST /repos/acme/ui/git/refs", `{"ref":"refs/heads/x","sha":"` + zero + `"}`, refs, 422, ""},
		{"wendy", "POST /repos/acme/ui/git/refs", `{"ref":"refs/heads/x","sha":"` + commit + `"}`, refs, 201, ""},
		{"wendy", "DELETE /repos/acme/ui/git/refs/heads/nothing", "", deletes, 422, ""},
		{"wendy", "DELETE /repos/acme/former/git/refs/heads/nothing", "", repoPath, 307, ""},

		{"wendy", "GET /repos/acme/ui/collaborators/rita/permission", "", permission, 200, ""},
		{"wendy", "GET /repos/acme/ui/collaborators/nobody/permission", "", permission, 404, ""},
		{"rita", "GET /repos/acme/ui/collaborators/rita/permission", "", permission, 403, "basic-error"},

		{"actions", GetInstallationRepos, "", "/installation/repositories", 200, ""},
		{"wendy", GetInstallationRepos, "", "/installation/repositories", 403, ""},
		{"nobody", GetInstallationRepos, "", "/installation/repositories", 401, ""},
		{"wendy", "GET /user/repos", "", "/user/repos", 200, ""},
		{"actions", "GET /user/repos", "", "/user/repos", 403, ""},
		{"nobody", "GET /user/repos", "", "/user/repos", 401, ""},
		{"wendy", "GET /orgs/acme/repos", "", "/orgs/{org}/repos", 200, ""},
		{"nobody", "GET /orgs/acme/repos", "", "/orgs/{org}/repos", 200, ""},
		{"nobody", "GET /orgs/nothing/repos", "", "/orgs/{org}/repos", 404, "basic-error"},
		{"wendy", "GET /rate_limit", "", "/rate_limit", 200, ""},
		{"nobody", "GET /rate_limit", "", "/rate_limit", 200, ""},
		{"nobody", "GET /meta", "", "/meta", 200, ""},
	}, tokens
}

// schemaOf is the schema that an exchange's answer must fit. Where GitHub describes the status of DELETE on
// refs without a body, its errors have one all the same.
func (d *description) schemaOf(t *testing.T, x exchange) map[string]any {
	t.Helper()
	if name, isList := strings.CutPrefix(x.instead, "[]"); isList { // where the description contradicts itself
		return map[string]any{"type": "array", "items": component(name)}
	}
	method, _, _ := strings.Cut(x.request, " ")
	schema, described := d.response(method, x.path, fmt.Sprint(x.status))
	if described == (x.instead != "") {
		t.Fatalf("%s %s %d: described %v, but instead is %q", method, x.path, x.status, described, x.instead)
	}
	if x.instead != "" {
		schema = component(x.instead)
	}
	if schema == nil && x.status >= 400 {
		schema = component("basic-error")
	}
	return schema
}

// TestAgainstGitHubsDescription holds the answers of every REST route against GitHub's published OpenAPI
// description: right types, nothing missing, nothing invented.
func TestAgainstGitHubsDescription(t *testing.T) {
	d := openAPI(t)
	f := started(t)
	for _, name := range []string{"acme/former", "acme/blocked", "acme/empty"} {
		f.AddRepo(name, Private)
		f.Grant("wendy", name, Push)
	}
	f.Rename("acme/former", "present")
	f.Block("acme/blocked", "tos")
	f.SetEmpty("acme/empty", true)
	all, tokens := exchanges(f)
	all = append(all, appExchanges(f, tokens)...)
	all = append(all, oauthExchanges(f)...)
	all = append(all, peopleExchanges(f, tokens)...)
	for _, x := range all {
		t.Run(fmt.Sprintf("%s %s %d", x.who, x.request, x.status), func(t *testing.T) {
			var header []string
			if id, secret, isClient := strings.Cut(x.who, ":"); isClient {
				header = []string{"Authorization", basic(id, secret)}
			}
			r := f.as(t, tokens[x.who]).do(x.request, x.body, header...)
			if r.StatusCode != x.status {
				t.Fatalf("%d: %s", r.StatusCode, r.body)
			}
			for _, complaint := range d.complaints(t, x, r.body) {
				t.Error(complaint)
			}
		})
	}
	t.Run("every route", func(t *testing.T) {
		counts := f.Counts()
		for _, rt := range slices.Concat(table, peopleTable) {
			if rt.pattern != "/" && rt.pattern != PostGraphQL && counts.Of(rt.pattern) == 0 {
				t.Errorf("%s was not asked", rt.pattern)
			}
		}
	})
}

// complaints is what is wrong with an answer's body.
func (d *description) complaints(t *testing.T, x exchange, body []byte) []string {
	t.Helper()
	schema := d.schemaOf(t, x)
	if schema == nil {
		if len(body) > 0 {
			return []string{"GitHub answers without a body"}
		}
		return nil
	}
	var value any
	if err := json.Unmarshal(body, &value); err != nil {
		return []string{err.Error()}
	}
	compiled, err := d.compile(schema)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	if err := compiled.Validate(value); err != nil {
		all = append(all, err.Error())
	}
	for _, name := range d.invented(schema, value, "") {
		if undescribed[name] == 0 || x.status < undescribed[name] {
			all = append(all, "GitHub has no field "+name)
		}
	}
	return all
}

// undescribed are fields of errors that GitHub sends and its description leaves out, and the lowest status
// they come with: status is in basic-error but not in validation-error; block is described for gists only
// (forbidden_gist), while go-github has it in every ErrorResponse.
var undescribed = map[string]int{".status": 422, ".block": 403}

// TestDescriptionComplains sees that the test above can fail: each mutation of a good answer is noticed.
func TestDescriptionComplains(t *testing.T) {
	d := openAPI(t)
	f := started(t)
	x := exchange{"wendy", "GET /repos/acme/ui", "", "/repos/{owner}/{repo}", 200, ""}
	good := f.as(t, f.Wendy).do(x.request, "").body
	for name, mutate := range map[string]func(repo map[string]any){
		"missing":         func(m map[string]any) { delete(m, "default_branch") },
		"type":            func(m map[string]any) { m["id"] = "17" },
		"null":            func(m map[string]any) { m["private"] = nil },
		"format":          func(m map[string]any) { m["created_at"] = "yesterday" },
		"permission":      func(m map[string]any) { delete(m["permissions"].(map[string]any), "pull") },
		"inner type":      func(m map[string]any) { m["owner"].(map[string]any)["login"] = 1 },
		"invented":        func(m map[string]any) { m["token_permissions"] = map[string]any{} },
		"invented inside": func(m map[string]any) { m["owner"].(map[string]any)["login_id"] = 1 },
	} {
		t.Run(name, func(t *testing.T) {
			var m map[string]any
			if err := json.Unmarshal(good, &m); err != nil {
				t.Fatal(err)
			}
			mutate(m)
			bad, err := json.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			if found := d.complaints(t, x, bad); len(found) == 0 {
				t.Error("not noticed")
			}
		})
	}
	if found := d.complaints(t, x, good); len(found) != 0 {
		t.Error(found)
	}
	x.status = http.StatusNotFound
	if found := d.complaints(t, x, []byte(`{"message": 404}`)); len(found) == 0 {
		t.Error("an error's message: not noticed")
	}
}
