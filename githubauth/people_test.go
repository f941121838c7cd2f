package githubauth_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"gatehouse/githubauth"
	"gatehouse/githubauth/githubtest"
	"gatehouse/scopes"
)

func repoOf(r githubtest.Repo) scopes.Repo {
	return scopes.Repo{ID: r.ID, OwnerID: r.OwnerID, Owner: r.Owner, Name: r.Name}
}

// TestPeopleAreKeptForAMoment: a list is asked for once in ten seconds for each token, and anew after a change.
func TestPeopleAreKeptForAMoment(t *testing.T) {
	f, c, now := start(t)
	repo := repoOf(f.UI)
	list := func(token string, calls int) {
		t.Helper()
		f.ResetCounts()
		members, err := c.Collaborators(t.Context(), token, repo)
		if err != nil || len(members.List) < 3 || members.Cut {
			t.Fatalf("%+v, %v", members, err)
		}
		if got := f.Counts().Total(); got != calls {
			t.Errorf("%d calls, want %d\n%v", got, calls, f.Counts())
		}
	}
	list(f.Ada, 1)
	list(f.Ada, 0)
	list(f.Wendy, 1) // never another's answer
	now.pass(9 * time.Second)
	list(f.Ada, 0)
	now.pass(time.Second)
	list(f.Ada, 1)
	change := scopes.PeopleChange{What: scopes.AddCollaborator, Repo: repo, Login: "rita", Permission: scopes.Write}
	if _, err := c.ChangePeople(t.Context(), f.Ada, change); err != nil {
		t.Fatal(err)
	}
	list(f.Ada, 1)
	if got, err := c.Collaborator(t.Context(), f.Ada, repo, "rita"); got != scopes.Write || err != nil {
		t.Errorf("rita has %v, %v", got, err)
	}
}

// TestLongListsAreCut: a list costs ten calls at most, and says that there is more.
func TestLongListsAreCut(t *testing.T) {
	f, c, _ := start(t)
	token := f.Token(githubtest.Classic{User: "ada", Scopes: []string{"repo", "read:org"}})
	for i := range 1050 {
		login := fmt.Sprintf("member%d", i)
		f.AddUser(login)
		f.AddMember("acme", login)
	}
	f.ResetCounts()
	members, err := c.OrgMembers(t.Context(), token, "acme")
	if err != nil || len(members.List) != 1001 || !members.Cut {
		t.Errorf("%d members, cut %v, %v", len(members.List), members.Cut, err)
	}
	if got := f.Counts().Total(); got != 11 {
		t.Errorf("%d calls: one for the owners and ten for the members\n%v", got, f.Counts())
	}
}

// TestDenied: what GitHub says no with is told apart, and trouble is none of it.
func TestDenied(t *testing.T) {
	f, c, _ := start(t)
	admin := f.Token(githubtest.Classic{User: "ada", Scopes: []string{"repo", "admin:org"}})
	f.AddToTeam("acme", "devs", "wendy")
	deny := func(err error) scopes.Denied {
		t.Helper()
		d := (*scopes.Denied)(nil)
		if !errors.As(err, &d) {
			t.Errorf("%v", err)
			return scopes.Denied{}
		}
		return *d
	}
	_, err := c.OrgTeams(t.Context(), f.Ada, "acme")
	if d := deny(err); d.Hidden || d.Takes != "the scope admin:org or read:org or write:org" {
		t.Errorf("without the scope: %+v", d)
	}
	_, err = c.TeamMembers(t.Context(), admin, "acme", "no")
	if d := deny(err); !d.Hidden || d.Takes != "" {
		t.Errorf("no such team: %+v", d)
	}
	_, err = c.Collaborators(t.Context(), f.Rita, repoOf(f.UI))
	if d := deny(err); d.Hidden || d.Wrong || d.Why != "Must have push access to view repository collaborators" {
		t.Errorf("a reader: %+v", d)
	}
	_, err = c.ChangePeople(t.Context(), admin, scopes.PeopleChange{What: scopes.CreateTeam, Org: "acme", Team: "devs"})
	if d := deny(err); !d.Wrong || d.Why == "" {
		t.Errorf("a team that is there: %+v", d)
	}
	_, err = c.ChangePeople(t.Context(), admin, scopes.PeopleChange{})
	if err == nil {
		t.Error("a change that is none was made")
	}
	f.RequireSSO("acme", true)
	_, err = c.TeamMembers(t.Context(), admin, "acme", "devs")
	if d := deny(err); !strings.Contains(d.Why, "single sign-on") || !strings.Contains(d.Why, "authorise it") {
		t.Errorf("single sign-on: %+v", d)
	}
	f.RequireSSO("acme", false)

	heal := f.Outage(503)
	_, err = c.TeamMembers(t.Context(), admin, "acme", "devs")
	if u := (*githubauth.Unavailable)(nil); !errors.As(err, &u) {
		t.Errorf("an outage is %v", err)
	}
	heal()
	other := f.Token(githubtest.Classic{User: "ada", Scopes: []string{"admin:org"}})
	heal = f.Fail("", githubtest.PrimaryLimit(403))
	_, err = c.OrgTeams(t.Context(), other, "acme")
	if u := (*githubauth.Unavailable)(nil); !errors.As(err, &u) {
		t.Errorf("a rate limit is %v", err)
	}
	heal()
	if _, err = c.OrgTeams(t.Context(), "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", "acme"); !errors.Is(err, githubauth.ErrBadCredential) {
		t.Errorf("a token of nobody's is %v", err)
	}
}

// TestChangesFollowTheNumber: a repository that was renamed, and whose name is another's by now, is still the one that is meant.
func TestChangesFollowTheNumber(t *testing.T) {
	f, c, _ := start(t)
	admin := f.Token(githubtest.Classic{User: "ada", Scopes: []string{"repo", "admin:org"}})
	f.AddToTeam("acme", "devs", "wendy")
	f.AddUser("alice")
	f.AddMember("acme", "alice")
	stale := repoOf(f.UI)
	f.Rename("acme/ui", "web")
	squatter := f.AddRepo("acme/ui", githubtest.Private)
	for _, change := range []scopes.PeopleChange{
		{What: scopes.AddCollaborator, Repo: stale, Login: "alice", Permission: scopes.Write},
		{What: scopes.GrantTeam, Org: "acme", Team: "devs", Repo: stale, Permission: scopes.Read},
	} {
		if _, err := c.ChangePeople(t.Context(), admin, change); err != nil {
			t.Fatal(change.What, err)
		}
	}
	repos, err := c.TeamRepos(t.Context(), admin, "acme", "devs")
	if err != nil || repos.Permissions[f.UI.ID] != scopes.Read || repos.Permissions[squatter.ID] != scopes.None {
		t.Errorf("the team has %v, %v", repos, err)
	}
	for repo, want := range map[int64]scopes.Permission{f.UI.ID: scopes.Write, squatter.ID: scopes.None} {
		if got, err := c.Collaborator(t.Context(), admin, scopes.Repo{ID: repo}, "alice"); got != want || err != nil {
			t.Errorf("alice has %v on %d, %v", got, repo, err)
		}
	}
}

// TestChangesForget: whom a change takes access from has none at once; and a change that GitHub refuses costs nobody what is known of them.
func TestChangesForget(t *testing.T) {
	f, c, _ := start(t)
	admin := f.Token(githubtest.Classic{User: "ada", Scopes: []string{"repo", "admin:org"}})
	repo := repoOf(f.UI)
	reads := func(token string) bool {
		t.Helper()
		a, err := c.Access(t.Context(), token, repo, scopes.Read)
		if err != nil {
			t.Fatal(err)
		}
		return a.Permission() >= scopes.Read
	}
	if !reads(f.Rita) || !reads(f.Wendy) {
		t.Fatal("they cannot read")
	}
	f.ResetCounts()
	for _, change := range []scopes.PeopleChange{
		{What: scopes.RemoveCollaborator, Repo: repo, Login: "rita"},
		{What: scopes.SetMember, Org: "acme", Login: "mallory", Owner: true},
	} {
		if _, err := c.ChangePeople(t.Context(), f.Mallory, change); err == nil {
			t.Errorf("a stranger may %v", change.What)
		}
	}
	asked := f.Counts().Total()
	if !reads(f.Rita) || !reads(f.Wendy) || f.Counts().Total() != asked {
		t.Errorf("a stranger's refused changes have everybody asked about again\n%v", f.Counts())
	}
	if _, err := c.ChangePeople(t.Context(), admin, scopes.PeopleChange{What: scopes.RemoveCollaborator, Repo: repo, Login: "rita"}); err != nil {
		t.Fatal(err)
	}
	if reads(f.Rita) {
		t.Error("rita still reads what was taken from her")
	}
	f.AddToTeam("acme", "devs", "rita")
	f.GrantTeam("acme", "devs", "acme/ui", githubtest.Pull)
	c.Forget(githubauth.Forgotten{All: true})
	if !reads(f.Rita) {
		t.Fatal("rita cannot read through the team")
	}
	if _, err := c.ChangePeople(t.Context(), admin, scopes.PeopleChange{What: scopes.DeleteTeam, Org: "acme", Team: "devs"}); err != nil {
		t.Fatal(err)
	}
	if reads(f.Rita) {
		t.Error("rita still reads what her team had")
	}
}
