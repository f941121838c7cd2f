package gate

import (
	"context"
	"errors"

	"gatehouse/scopes"
)

// People is how GitHub is asked about people, and told to change what they may do (met by *githubauth.Client, whose comments hold).
type People interface {
	Collaborators(ctx context.Context, token string, repo scopes.Repo) (scopes.Members, error)
	Collaborator(ctx context.Context, token string, repo scopes.Repo, login string) (scopes.Permission, error)
	Account(ctx context.Context, token, login string) (account scopes.Member, organisation bool, err error)
	OrgMembers(ctx context.Context, token, org string) (scopes.Members, error)
	OrgTeams(ctx context.Context, token, org string) (scopes.Teams, error)
	TeamMembers(ctx context.Context, token, org, team string) (scopes.Members, error)
	TeamRepos(ctx context.Context, token, org, team string) (scopes.TeamRepos, error)
	ChangePeople(ctx context.Context, token string, change scopes.PeopleChange) (scopes.PeopleOutcome, error)
}

// PeopleRefusal is a no to a caller whose questions about people, or changes, do not go on to GitHub.
type PeopleRefusal struct {
	scopes.Verdict
	Question scopes.PeopleQuestion
}

func (e *PeopleRefusal) Error() string {
	switch {
	case e.Reason == scopes.NotBound:
		return "this registry does not ask who is calling (auth.type none), and keeps no people"
	case e.Reason == scopes.GrantTooNarrow && e.Question.What == scopes.ChangePeople:
		return "people are GitHub's, and a token of this registry's own never changes them: use a GitHub token of yours for this command, or do it on GitHub"
	case e.Reason == scopes.GrantTooNarrow && e.Question.What == scopes.Star:
		return `this token may not star packages: everybody sees a star as ` + e.Question.Who.Login + `'s, so it takes the right "write" to the user ~` + e.Question.Who.Login + " in its scope"
	case e.Reason == scopes.GrantTooNarrow:
		return `this token may not list people: it needs the right to read all users, {"values": ["*"], "types": {"user": {"read": true}}}; or use a GitHub token of yours`
	case e.Reason == scopes.NotAPerson:
		return "people are GitHub's, and the token of an app or a workflow never changes them from here: use a GitHub token of yours for this command, or do it on GitHub"
	}
	return "people are GitHub's, and this credential does not reach them from here"
}

// mayAsk settles whether GitHub is asked at all. The error is ErrNoCredential or a *PeopleRefusal.
func (g *Gate) mayAsk(who Caller, what scopes.PeopleAction) error {
	q := scopes.PeopleQuestion{Who: who.Principal, Grant: who.grant(), What: what}
	if g.Open() {
		q.Who.Kind = scopes.Anyone
	}
	switch v := scopes.DecidePeople(q); {
	case v.OK:
		return nil
	case v.Reason == scopes.NoCredential:
		return ErrNoCredential
	default:
		return &PeopleRefusal{Verdict: v, Question: q}
	}
}

// MayChangePeople returns nil if the caller's changes of people go on to GitHub, which then decides. Errors: ErrNoCredential, *PeopleRefusal.
func (g *Gate) MayChangePeople(who Caller) error { return g.mayAsk(who, scopes.ChangePeople) }

// MayStar returns nil if the caller may say that they like a package. Whether they may know of it has to be settled before. Errors are those of
// MayChangePeople.
func (g *Gate) MayStar(who Caller) error { return g.mayAsk(who, scopes.Star) }

// ChangePeople has GitHub make a change in the caller's name. Errors are those of MayChangePeople and of the GitHub interface.
func (g *Gate) ChangePeople(ctx context.Context, who Caller, change scopes.PeopleChange) (scopes.PeopleOutcome, error) {
	if err := g.mayAsk(who, scopes.ChangePeople); err != nil {
		return scopes.PeopleOutcome{}, err
	}
	return g.github.ChangePeople(ctx, who.token, change)
}

// Collaborators lists who may do what with a repository, as GitHub shows it to the caller. Whether the caller may know of the package behind which it
// is has to be settled before. Errors of this and of the other lists are ErrNoCredential, *PeopleRefusal, and those of the GitHub interface.
func (g *Gate) Collaborators(ctx context.Context, who Caller, repo scopes.Repo) (scopes.Members, error) {
	if err := g.mayAsk(who, scopes.ListPeople); err != nil {
		return scopes.Members{}, err
	}
	found, err := g.github.Collaborators(ctx, who.token, repo)
	return found, who.behind(err)
}

// Collaborator tells what somebody may do with a repository now.
func (g *Gate) Collaborator(ctx context.Context, who Caller, repo scopes.Repo, login string) (scopes.Permission, error) {
	if err := g.mayAsk(who, scopes.ListPeople); err != nil {
		return scopes.None, err
	}
	found, err := g.github.Collaborator(ctx, who.token, repo, login)
	return found, who.behind(err)
}

// Account finds the account of a login, and reports whether it is an organisation's. That is no secret of GitHub's, so every caller may ask who is somebody.
func (g *Gate) Account(ctx context.Context, who Caller, login string) (account scopes.Member, organisation bool, err error) {
	switch {
	case g.Open():
		return scopes.Member{}, false, g.mayAsk(who, scopes.ListPeople)
	case who.Kind == scopes.Nobody:
		return scopes.Member{}, false, ErrNoCredential
	case who.token == "": // a workflow's token, behind which there is none of GitHub's
		return scopes.Member{}, false, g.mayAsk(who, scopes.ListPeople)
	}
	account, organisation, err = g.github.Account(ctx, who.token, login)
	return account, organisation, who.behind(err)
}

// OrgMembers lists the members of an organisation.
func (g *Gate) OrgMembers(ctx context.Context, who Caller, org string) (scopes.Members, error) {
	if err := g.mayAsk(who, scopes.ListPeople); err != nil {
		return scopes.Members{}, err
	}
	found, err := g.github.OrgMembers(ctx, who.token, org)
	return found, who.behind(err)
}

// OrgTeams lists the teams of an organisation.
func (g *Gate) OrgTeams(ctx context.Context, who Caller, org string) (scopes.Teams, error) {
	if err := g.mayAsk(who, scopes.ListPeople); err != nil {
		return scopes.Teams{}, err
	}
	found, err := g.github.OrgTeams(ctx, who.token, org)
	return found, who.behind(err)
}

// TeamMembers lists the members of a team.
func (g *Gate) TeamMembers(ctx context.Context, who Caller, org, team string) (scopes.Members, error) {
	if err := g.mayAsk(who, scopes.ListPeople); err != nil {
		return scopes.Members{}, err
	}
	found, err := g.github.TeamMembers(ctx, who.token, org, team)
	return found, who.behind(err)
}

// TeamRepos lists what a team may do with which repositories.
func (g *Gate) TeamRepos(ctx context.Context, who Caller, org, team string) (scopes.TeamRepos, error) {
	if err := g.mayAsk(who, scopes.ListPeople); err != nil {
		return scopes.TeamRepos{}, err
	}
	found, err := g.github.TeamRepos(ctx, who.token, org, team)
	return found, who.behind(err)
}

// Everybody reports whether everybody may install the package, also those who show no credential.
func (g *Gate) Everybody(ctx context.Context, pkg string, where scopes.Binding) (bool, error) {
	if g.Open() {
		return true, nil
	}
	if where.Kind != scopes.GitHub {
		return false, nil
	}
	public, err := g.github.Public(ctx, where.Repo)
	if err != nil {
		return false, err
	}
	public.ToAll = g.names.PublicToAll(pkg)
	return scopes.Decide(scopes.Question{What: scopes.Install, Where: where, Public: public}).OK, nil
}

// Held is what the caller may do with the package by what GitHub says of them: None if they may not know of it. Of what is above reading it may say more
// than the credential reaches, which is only established for those who use it.
//
// It is for lists, which are about every package there is: so the caller's credential is asked first, and whether a repository is public, which the
// registry pays for, only where that leaves it open. To a credential of GitHub's that no policy keeps out, everything public is shown.
func (g *Gate) Held(ctx context.Context, who Caller, pkg string, where scopes.Binding) (scopes.Permission, error) {
	q := question(who, pkg, where, scopes.Install)
	if who.token != "" && where.Kind == scopes.GitHub && !g.Open() {
		var err error
		if q.Access, err = g.access(ctx, who, q); err == nil && q.Access.Why == "" && scopes.Decide(q).Reason == scopes.NotReadable {
			return scopes.None, nil
		}
	}
	access := q.Access
	if !scopes.Decide(q).OK {
		var err error
		access, err = g.Allow(ctx, who, pkg, where, scopes.Install)
		if refused := (*Refusal)(nil); errors.As(err, &refused) {
			return scopes.None, nil
		}
		if err != nil {
			return scopes.None, err
		}
	}
	if g.Open() {
		return scopes.Write, nil
	}
	if access.Role == scopes.None && who.Kind != scopes.Nobody { // everybody may read it, so it was not asked what the caller may
		var err error
		if access, err = g.access(ctx, who, question(who, pkg, where, scopes.Install)); err != nil {
			return scopes.None, err
		}
	}
	held := access.Role
	if who.Kind != scopes.Person {
		held = access.Permission()
	}
	if grant := who.grant(); grant != nil {
		held = min(held, grant.Rights.Package(pkg))
	}
	return max(held, scopes.Read), nil
}
