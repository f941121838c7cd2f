package main

import (
	"slices"
	"strings"
	"testing"

	"gatehouse/cmd/gatehouse/clienttest"
	"gatehouse/githubauth/githubtest"
)

// peopleStep is one command about people, as an owner of the organisation types it.
type peopleStep struct {
	command string // of npm
	pnpm    string // of pnpm 12, where it has another; "-" if it has none
	prints  []string
	says    string // what npm besides prints of the answer, which pnpm 12 does not
	refused string // the sentence, for a command that has to be refused
}

const holds = "on acme/ui, which holds 1 package: @acme/ui"

var peopleSteps = []peopleStep{
	{command: "owner ls @acme/ui", pnpm: "-", prints: []string{"ada <", "wendy <"}},
	{command: "owner add rita @acme/ui", pnpm: "owner add @acme/ui rita", prints: []string{"rita"}, says: "this gives rita write " + holds},
	{command: "owner ls @acme/ui", pnpm: "-", prints: []string{"ada <", "rita <", "wendy <"}},
	{command: "owner rm rita @acme/ui", pnpm: "owner rm @acme/ui rita", prints: []string{"rita"}, says: "this takes rita's access to acme/ui"},
	{command: "owner add alice @acme/ui", pnpm: "owner add @acme/ui alice", prints: []string{"alice"}, says: "alice is invited to have write " + holds},
	{command: "access list packages acme", prints: []string{"@acme/ui: "}},
	{command: "access list packages", pnpm: "-", prints: []string{"@acme/ui: read-write"}},
	{command: "access list collaborators @acme/ui", prints: []string{"ada: ", "wendy: "}},
	{command: "access get status @acme/ui", prints: []string{"@acme/ui"}},
	{command: "access set status=public @acme/ui", refused: "https://github.com/acme/ui/settings"},
	{command: "access set mfa=none @acme/ui", refused: "https://github.com/acme/ui/settings"},
	{command: "team create @acme:devs", prints: []string{"acme:devs"}, says: "this makes the team devs in the GitHub organisation acme"},
	{command: "team ls @acme", prints: []string{"acme:devs"}},
	{command: "team add @acme:devs wendy", prints: []string{"wendy", "acme:devs"}, says: "this puts wendy into the team devs"},
	{command: "team ls @acme:devs", prints: []string{"wendy"}},
	{command: "access grant read-write @acme:devs @acme/ui", says: "this gives the team devs write " + holds},
	{command: "access list packages @acme:devs", prints: []string{"@acme/ui: "}},
	{command: "access revoke @acme:devs @acme/ui", says: "this takes from the team devs what it was given " + holds},
	{command: "team rm @acme:devs wendy", prints: []string{"wendy"}, says: "this takes wendy out of the team devs"},
	{command: "team destroy @acme:devs", prints: []string{"acme:devs"}, says: "this deletes the team devs"},
	{command: "org ls acme", pnpm: "-", prints: []string{"ada - owner", "wendy - developer"}},
	{command: "org set acme bob", pnpm: "-", prints: []string{"Added bob as developer to acme"}, says: "bob is invited to be a member of the GitHub organisation acme"},
	{command: "org set acme rita owner", pnpm: "-", prints: []string{"Added rita as owner to acme"}, says: "this makes rita an owner"},
	{command: "org rm acme rita", pnpm: "-", prints: []string{"Successfully removed rita from acme. You now have 2 members"}, says: "this takes rita out of the GitHub organisation acme"},
	{command: "org set acme wendy admin", pnpm: "-", refused: "GitHub has nothing between the two"},
}

// Every client that has commands about people works GitHub with them, and says what was done where it prints what it is told. Each has a GitHub of its
// own. The transcript is the log of the test.
func TestClientsPeople(t *testing.T) {
	for _, client := range clienttest.All(t) {
		if !slices.Contains([]string{"npm-10", "npm-11", "npm-12", "pnpm-10", "pnpm-12"}, client.Name) {
			continue // yarn 1's are to paths that nobody has, and the others have none
		}
		t.Run(client.Name, func(t *testing.T) {
			t.Parallel()
			at := startRegistry(t)
			for _, login := range []string{"alice", "bob"} {
				at.github.AddUser(login)
			}
			at.publish(t, "@acme/ui", "1.0.0")
			ada := at.github.Token(githubtest.Classic{User: "ada", Scopes: []string{"repo", "admin:org"}}, githubtest.Label("adaorg"))
			user := client.User(t, clienttest.Setup{Registry: at.url, Global: true, Scopes: []string{"@acme"}, Token: ada})
			dir := clienttest.Project(t, map[string]any{"name": "@acme/ui", "version": "0.0.0", "private": true})
			var transcript strings.Builder
			for _, step := range peopleSteps {
				pnpm12, command := client.Name == "pnpm-12", step.command
				if pnpm12 && step.pnpm != "" {
					command = step.pnpm
				}
				if command == "-" || client.Name == "pnpm-10" && strings.HasPrefix(command, "org ") { // the rest it has npm do
					continue
				}
				r := user.Run(dir, strings.Fields(command)...)
				transcript.WriteString("$ " + strings.TrimSuffix(client.Name, "-"+client.Name[strings.LastIndex(client.Name, "-")+1:]) + " " + command + "\n" + strings.TrimRight(r.Output, "\n") + "\n")
				squeeze := strings.NewReplacer(" ", "", "\n", "", "│", "", `\`, "").Replace
				if step.refused != "" {
					r.MustFail(t)
					if !strings.Contains(squeeze(r.Output), squeeze(step.refused)) {
						t.Errorf("it does not say %q:\n%v", step.refused, r)
					}
					continue
				}
				if !r.OK() {
					t.Errorf("this should have succeeded:\n%v", r)
				}
				want := step.prints
				if !pnpm12 && step.says != "" {
					want = append(slices.Clone(want), step.says)
				}
				for _, text := range want {
					if !strings.Contains(r.Output, text) {
						t.Errorf("it does not print %q:\n%v", text, r)
					}
				}
			}
			t.Logf("what %s prints\n%s", client.Name, transcript.String())
		})
	}
}
