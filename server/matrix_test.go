package server_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gatehouse/githubauth"
	"gatehouse/githubauth/githubtest"
	"gatehouse/scopes"
	"gatehouse/server"
	"gatehouse/server/gate"
	"gatehouse/server/npm"
	"gatehouse/store"
	"gatehouse/store/memory"
	"gatehouse/store/packument/packumenttest"
)

var update = flag.Bool("update", false, "write the golden tables anew")

// matrix is a registry with a package for each sort of repository, and everybody who may want something of them.
type matrix struct {
	t         *testing.T
	github    *githubtest.Fixture
	url       string
	published int
}

// visibilities are the repositories; each is called like its column.
var visibilities = []string{"private", "internal", "public", "archived"}

var matrixRoles = []struct {
	name  string
	role  githubtest.Role
	level scopes.Permission
}{
	{"none", githubtest.NoRole, scopes.None}, {"pull", githubtest.Pull, scopes.Read}, {"triage", githubtest.Triage, scopes.Read},
	{"push", githubtest.Push, scopes.Write}, {"maintain", githubtest.Maintain, scopes.Write}, {"admin", githubtest.Admin, scopes.Admin},
}

// matrixCredentials are those of a person, with what each can reach at most on a private repository and on a public one.
var matrixCredentials = []struct {
	name            string
	private, public scopes.Permission
	mint            func(g *githubtest.Fixture, user string) string
}{
	{"classic, repo", scopes.Admin, scopes.Admin, func(g *githubtest.Fixture, user string) string {
		return g.Token(githubtest.Classic{User: user, Scopes: []string{"repo"}})
	}},
	{"classic, public_repo", scopes.None, scopes.Admin, func(g *githubtest.Fixture, user string) string {
		return g.Token(githubtest.Classic{User: user, Scopes: []string{"public_repo"}})
	}},
	{"classic, no scope", scopes.None, scopes.Read, func(g *githubtest.Fixture, user string) string {
		return g.Token(githubtest.Classic{User: user})
	}},
	{"40 hex digits, repo", scopes.Admin, scopes.Admin, func(g *githubtest.Fixture, user string) string {
		return g.Token(githubtest.Classic{User: user, Scopes: []string{"repo"}}, githubtest.OldShape())
	}},
	{"OAuth, repo", scopes.Admin, scopes.Admin, func(g *githubtest.Fixture, user string) string {
		return g.Token(githubtest.OAuth{User: user, Scopes: []string{"repo"}})
	}},
	{"OAuth, no scope", scopes.None, scopes.Read, func(g *githubtest.Fixture, user string) string {
		return g.Token(githubtest.OAuth{User: user})
	}},
	{"fine-grained, write", scopes.Write, scopes.Write, func(g *githubtest.Fixture, user string) string {
		return g.Token(githubtest.FineGrained{User: user, Owner: "acme", Contents: githubtest.Write})
	}},
	{"fine-grained, read", scopes.Read, scopes.Read, func(g *githubtest.Fixture, user string) string {
		return g.Token(githubtest.FineGrained{User: user, Owner: "acme", Contents: githubtest.Read})
	}},
	{"fine-grained, metadata", scopes.None, scopes.Read, func(g *githubtest.Fixture, user string) string {
		return g.Token(githubtest.FineGrained{User: user, Owner: "acme"})
	}},
	{"fine-grained, elsewhere", scopes.None, scopes.Read, func(g *githubtest.Fixture, user string) string {
		return g.Token(githubtest.FineGrained{User: user, Owner: "acme", Repos: []string{"acme/ui"}, Contents: githubtest.Write})
	}},
	{"fine-grained, pending", scopes.None, scopes.Read, func(g *githubtest.Fixture, user string) string {
		return g.Token(githubtest.FineGrained{User: user, Owner: "acme", Contents: githubtest.Write}, githubtest.Pending())
	}},
	{"App user, write", scopes.Write, scopes.Write, func(g *githubtest.Fixture, user string) string {
		return g.Token(githubtest.AppUser{User: user, Owner: "acme", Contents: githubtest.Write})
	}},
	{"App user, read", scopes.Read, scopes.Read, func(g *githubtest.Fixture, user string) string {
		return g.Token(githubtest.AppUser{User: user, Owner: "acme", Contents: githubtest.Read})
	}},
	{"App user, metadata", scopes.None, scopes.Read, func(g *githubtest.Fixture, user string) string {
		return g.Token(githubtest.AppUser{User: user, Owner: "acme"})
	}},
}

// matrixApps are credentials without a person, whose role is no limit; a workflow's is one of the repository acme/private.
var matrixApps = []struct {
	name            string
	private, public scopes.Permission
	mint            func(g *githubtest.Fixture) string
}{
	{"installation, write", scopes.Write, scopes.Write, func(g *githubtest.Fixture) string {
		return g.Token(githubtest.Installation{Owner: "acme", Contents: githubtest.Write})
	}},
	{"installation, read", scopes.Read, scopes.Read, func(g *githubtest.Fixture) string {
		return g.Token(githubtest.Installation{Owner: "acme", Contents: githubtest.Read})
	}},
	{"installation, metadata", scopes.None, scopes.Read, func(g *githubtest.Fixture) string {
		return g.Token(githubtest.Installation{Owner: "acme"})
	}},
	{"installation, old, write", scopes.Write, scopes.Write, func(g *githubtest.Fixture) string {
		return g.Token(githubtest.Installation{Owner: "acme", Contents: githubtest.Write}, githubtest.OldShape())
	}},
	{"workflow, write", scopes.Write, scopes.Read, func(g *githubtest.Fixture) string {
		return g.Token(githubtest.Actions{Repo: "acme/private", Contents: githubtest.Write})
	}},
	{"workflow, read", scopes.Read, scopes.Read, func(g *githubtest.Fixture) string {
		return g.Token(githubtest.Actions{Repo: "acme/private", Contents: githubtest.Read})
	}},
	{"workflow, old, write", scopes.Write, scopes.Read, func(g *githubtest.Fixture) string {
		return g.Token(githubtest.Actions{Repo: "acme/private", Contents: githubtest.Write}, githubtest.OldShape())
	}},
	{"workflow elsewhere", scopes.None, scopes.Read, func(g *githubtest.Fixture) string {
		return g.Token(githubtest.Actions{Repo: "acme/ui", Contents: githubtest.Write})
	}},
	{"no such token", scopes.None, scopes.None, func(*githubtest.Fixture) string { return "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" }},
	{"no token at all", scopes.None, scopes.Read, func(*githubtest.Fixture) string { return "" }},
}

// matrixActions are the columns' letters, with what each takes. None of them leaves anything behind that another would notice.
var matrixActions = []struct {
	name  string
	needs scopes.Permission
	do    func(m *matrix, token, repository string) int
}{
	{"view", scopes.Read, func(m *matrix, token, r string) int { return m.ask(token, "GET", "/@acme/"+r, nil) }},
	{"install", scopes.Read, func(m *matrix, token, r string) int {
		return m.ask(token, "GET", "/@acme/"+r+"/-/"+r+"-1.0.0.tgz", nil)
	}},
	{"publish", scopes.Write, func(m *matrix, token, r string) int { return m.publish(token, r) }},
	{"tag", scopes.Write, func(m *matrix, token, r string) int {
		return m.ask(token, "PUT", "/-/package/@acme%2f"+r+"/dist-tags/stable", []byte(`"1.0.0"`))
	}},
	{"deprecate", scopes.Write, func(m *matrix, token, r string) int {
		return m.ask(token, "PUT", "/@acme%2f"+r, []byte(`{"name":"@acme/`+r+`","versions":{"1.0.0":{"name":"@acme/`+r+`","version":"1.0.0"}}}`))
	}},
	{"unpublish", scopes.Write, func(m *matrix, token, r string) int {
		return m.ask(token, "DELETE", "/@acme%2f"+r+"/-/"+r+"-0.0.1.tgz/-rev/1-0", nil) // of what has been unpublished: done already
	}},
	{"rebind", scopes.Admin, func(m *matrix, token, r string) int {
		return m.ask(token, "PUT", "/-/package/@acme%2f"+r+"/binding", []byte(`{"repository":"acme/`+r+`"}`))
	}},
}

func newMatrix(t *testing.T) *matrix {
	m := &matrix{t: t, github: githubtest.Acme(githubtest.Seed(1)).Start()}
	t.Cleanup(m.github.Close)
	m.github.AddUser("registry")
	own := m.github.Token(githubtest.Classic{User: "registry"}) // without one GitHub answers sixty times an hour
	asked, err := githubauth.New(githubauth.Options{APIURL: m.github.APIURL(), WebURL: m.github.URL(), Server: githubauth.Server{Token: own}})
	if err != nil {
		t.Fatal(err)
	}
	packages, err := store.Open(t.Context(), memory.NewKV(), memory.NewBlob(), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	names := scopes.Namespaces{Host: "github.com", Owners: []string{"acme"}, ToAll: true}
	served := httptest.NewServer(server.New(server.Options{
		NPM: npm.Options{Registry: packages, Gate: gate.New(asked, names), MaxPublish: 1 << 20, Spool: t.TempDir()},
		Log: slog.New(slog.DiscardHandler), Ready: packages.Ready,
	}))
	t.Cleanup(served.Close)
	m.url = served.URL
	for name, v := range map[string]githubtest.Visibility{"private": githubtest.Private, "internal": githubtest.Internal, "public": githubtest.Public, "archived": githubtest.Private} {
		m.github.AddRepo("acme/"+name, v)
		for _, version := range []string{"0.0.1", "1.0.0"} {
			body := packumenttest.Package{Name: "@acme/" + name, Version: version, Repository: "github:acme/" + name}.Body()
			if status := m.ask(m.github.Ada, "PUT", "/@acme%2f"+name, body); status != http.StatusCreated {
				t.Fatalf("publishing %s: %d", name, status)
			}
		}
		head, err := packages.Head(t.Context(), "@acme/"+name)
		if err == nil {
			_, err = packages.Unpublish(t.Context(), head.Name, func(v string) bool { return v != "0.0.1" }, "", store.Edit{Where: head.Binding})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	m.github.Archive("acme/archived", true)
	return m
}

func (m *matrix) publish(token, r string) int {
	m.published++
	return m.ask(token, "PUT", "/@acme%2f"+r, packumenttest.Package{Name: "@acme/" + r, Version: fmt.Sprintf("2.0.%d", m.published), Repository: "github:acme/" + r}.Body())
}

func (m *matrix) ask(token, method, path string, body []byte) int {
	m.t.Helper()
	req, err := http.NewRequestWithContext(m.t.Context(), method, m.url+path, bytes.NewReader(body))
	if err != nil {
		m.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		m.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		m.t.Fatal(err)
	}
	if resp.StatusCode >= 400 && (!json.Valid(answer) || token != "" && bytes.Contains(answer, []byte(token))) {
		m.t.Errorf("%s %s: %s", method, path, answer)
	}
	return resp.StatusCode
}

// matrixCodes are the answers, one letter each.
var matrixCodes = map[int]byte{
	http.StatusOK: 'Y', http.StatusCreated: 'Y', http.StatusUnauthorized: 'u', http.StatusForbidden: 'f', http.StatusNotFound: '.',
}

// TestMatrix pins what each credential may do, with each role, on each sort of repository, as the status of the answer. A change of the table is a change of
// who may do what. What must hold whatever it looks like is asked of every cell: nothing above the role, nothing above the reach, no change of
// what is archived, no sight of what cannot be read.
func TestMatrix(t *testing.T) {
	m := newMatrix(t)
	var table strings.Builder
	table.WriteString("Y done, u 401, f 403, . 404; in each group: view, install, publish, tag, deprecate, unpublish, rebind\n\n")
	fmt.Fprintf(&table, "%-34s %-8s %-8s %-8s %-8s\n", "", visibilities[0], visibilities[1], visibilities[2], visibilities[3])
	row := func(credential, role, token string, level, private, public scopes.Permission) {
		fmt.Fprintf(&table, "%-25s %-8s", credential, role)
		for _, v := range visibilities {
			table.WriteByte(' ')
			reach := private
			if v == "public" {
				reach = public
			}
			for _, a := range matrixActions {
				status := a.do(m, token, v)
				code, known := matrixCodes[status]
				if !known {
					t.Errorf("%s with %s, %s %s: status %d", credential, role, a.name, v, status)
					code = '!'
				}
				table.WriteByte(code)
				may := min(level, reach)
				if v == "public" && credential != "no such token" {
					may = max(may, scopes.Read)
				}
				switch {
				case code == 'Y' && may < a.needs:
					t.Errorf("%s with %s may %s %s, which takes %s", credential, role, a.name, v, a.needs)
				case code == 'Y' && v == "archived" && a.needs == scopes.Write:
					t.Errorf("%s with %s may %s what is archived", credential, role, a.name)
				case code == 'f' && a.name != "publish" && may < scopes.Read:
					t.Errorf("%s with %s learns of %s by %s", credential, role, v, a.name)
				}
			}
			table.WriteByte(' ')
		}
		table.WriteByte('\n')
	}
	for _, r := range matrixRoles {
		user := "user-" + r.name
		m.github.AddUser(user)
		for _, v := range visibilities {
			if r.role != githubtest.NoRole {
				m.github.Grant(user, "acme/"+v, r.role)
			}
		}
		for _, c := range matrixCredentials {
			row(c.name, r.name, c.mint(m.github, user), r.level, c.private, c.public)
		}
		table.WriteByte('\n')
	}
	for _, a := range matrixApps {
		row(a.name, "-", a.mint(m.github), scopes.Admin, a.private, a.public)
	}

	path := filepath.Join("testdata", "matrix.golden")
	got := strings.ReplaceAll(table.String(), " \n", "\n")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines, wants := strings.Split(got, "\n"), strings.Split(string(want), "\n")
	if len(lines) != len(wants) {
		t.Fatalf("%d lines, want %d", len(lines), len(wants))
	}
	for i, line := range lines {
		if line != wants[i] {
			t.Errorf("line %d:\n got %s\nwant %s", i+1, line, wants[i])
		}
	}
}
