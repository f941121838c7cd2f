package server_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// peopleVerbs are npm's commands about people, as npm and pnpm 12 send them; those with a body or a DELETE change something.
var peopleVerbs = []struct{ name, request, body string }{
	{"owner ls", "GET /@acme%2fui", ""},
	{"access list collaborators", "GET /-/package/@acme%2fui/collaborators", ""},
	{"access list collaborators, public", "GET /-/package/@acme%2fopen/collaborators", ""},
	{"access get status", "GET /-/package/@acme%2fui/visibility", ""},
	{"access list packages", "GET /-/org/acme/package", ""},
	{"access list packages team", "GET /-/team/acme/devs/package", ""},
	{"org ls", "GET /-/org/acme/user", ""},
	{"team ls", "GET /-/org/acme/team?format=cli", ""},
	{"team ls team", "GET /-/team/acme/devs/user?format=cli", ""},
	{"owner's user", "GET /-/user/org.couchdb.user:alice", ""},
	{"owner add", "PUT /-/package/@acme%2fui/owners", `{"user":"alice"}`},
	{"owner add, public", "PUT /-/package/@acme%2fopen/owners", `{"user":"alice"}`},
	{"owner rm", "DELETE /-/package/@acme%2fui/owners/rita", ""},
	{"access grant", "PUT /-/team/acme/devs/package", `{"package":"@acme/ui","permissions":"read-write"}`},
	{"access revoke", "DELETE /-/team/acme/devs/package", `{"package":"@acme/ui"}`},
	{"access set status", "POST /-/package/@acme%2fui/access", `{"access":"public"}`},
	{"team create", "PUT /-/org/acme/team", `{"name":"ops"}`},
	{"team destroy", "DELETE /-/team/acme/devs", ""},
	{"team add", "PUT /-/team/acme/devs/user", `{"user":"rita"}`},
	{"team rm", "DELETE /-/team/acme/devs/user", `{"user":"wendy"}`},
	{"org set", "PUT /-/org/acme/user", `{"user":"alice"}`},
	{"org rm", "DELETE /-/org/acme/user", `{"user":"rita"}`},
}

// peopleCallers are who sends them: nobody, a stranger, a reader, a writer, and an owner of the organisation by a classic token for
// repositories, by one for organisations besides, and by a fine-grained one; an App and a workflow, which GitHub would let do all of it, or much; and that
// owner by the registry's own tokens, one for everything and one for all packages, behind which there is a credential that may do all of it.
var peopleCallers = []string{"", "mallory", "rita", "wendy", "wendy-org", "ada", "ada-org", "ada-fine", "app", "ci-writes", "gat-all", "gat-pkg"}

// TestPeopleTable holds what each of them is answered, each on a GitHub of its own, and that no change goes on to GitHub but with a token of a person's.
func TestPeopleTable(t *testing.T) {
	var table strings.Builder
	fmt.Fprintf(&table, "%-34s", "")
	for _, who := range peopleCallers {
		fmt.Fprintf(&table, " %-9s", map[bool]string{true: "nobody", false: who}[who == ""])
	}
	table.WriteString("\n")
	for _, verb := range peopleVerbs {
		fmt.Fprintf(&table, "%-34s", verb.name)
		for _, who := range peopleCallers {
			fmt.Fprintf(&table, " %-9d", askPeople(t, verb.request, verb.body, who))
		}
		table.WriteString("\n")
	}
	path := filepath.Join("testdata", "people.golden")
	if *update {
		if err := os.WriteFile(path, []byte(table.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if table.String() != string(want) {
		t.Errorf("the table is now\n%s\nand was\n%s(-update writes it)", table.String(), want)
	}
}

var peopleTokens = map[string]string{
	"gat-all": "POST /-/npm/v1/tokens as ada-org\n" +
		`> body {"name":"all","scope":[{"values":["*"],"types":{"pkg":{"read":true,"write":true},"user":{"read":true,"write":true}}}]}` + "\n< 200\n< savefield gat-all token\n",
	"gat-pkg": "POST /-/npm/v1/tokens as ada-org\n" +
		`> body {"name":"pkg","packages_all":true,"packages_and_scopes_permission":"read-write"}` + "\n< 200\n< savefield gat-pkg token\n",
}

const peopleSetup = `
github user alice
github team acme devs wendy
github grant-team acme devs acme/ui push
PUT /@acme%2fui as wendy
> publish @acme/ui 1.0.0
< 201
PUT /@acme%2fopen as ada
> publish @acme/open 1.0.0 repository=github:acme/open
< 201
`

// askPeople sends one request and returns the status of the answer.
func askPeople(t *testing.T, request, body, who string) int {
	t.Helper()
	s := &script{t: t, file: request + " as " + who, saved: map[string]string{}, extra: map[string]string{}}
	s.run(peopleSetup + peopleTokens[who])
	defer s.server.Close()
	defer s.github.Close()
	line := request
	if who != "" {
		line += " as " + who
	}
	s.begin(line)
	if body != "" {
		s.prepare("body " + body)
	}
	if strings.HasPrefix(request, "GET /@") {
		s.prepare("npm-command: owner")
	}
	s.github.ResetCounts()
	s.send()
	for route, n := range s.github.Counts().Routes() {
		changes := strings.HasPrefix(route, "PUT ") || strings.HasPrefix(route, "DELETE ") || strings.HasPrefix(route, "POST /orgs/")
		if person := !slices.Contains([]string{"", "app", "ci-writes", "gat-all", "gat-pkg"}, who); changes && n > 0 && (!person || strings.HasPrefix(request, "GET ")) {
			t.Errorf("%s as %q went on to GitHub as %s", request, who, route)
		}
	}
	return s.answer.StatusCode
}

// TestGrantToATeamOfManyRepositories is the trap of a team with more repositories than are looked at: what it has on one of the others is not known, and to
// grant write could take admin away.
func TestGrantToATeamOfManyRepositories(t *testing.T) {
	var setup strings.Builder
	setup.WriteString(peopleSetup)
	for i := range 1001 {
		fmt.Fprintf(&setup, "github add acme/repo-%d\ngithub grant-team acme devs acme/repo-%d pull\n", i, i)
	}
	s := &script{t: t, file: "many", saved: map[string]string{}, extra: map[string]string{}}
	s.run(setup.String() + `
github add acme/zoo
github grant-team acme devs acme/zoo admin
PUT /@acme%2fzoo as ada-org
> publish @acme/zoo 1.0.0 repository=github:acme/zoo
< 201
PUT /-/team/acme/devs/package as ada-org
> body {"package":"@acme/zoo","permissions":"read-write"}
< 409
< body ~ more repositories than
PUT /-/team/acme/devs/package as ada-org
> body {"package":"@acme/zoo","permissions":"read-only"}
< 200
PUT /-/team/acme/devs/package as ada-org
> body {"package":"@acme/ui","permissions":"read-write"}
< 200
`)
	s.server.Close()
}
