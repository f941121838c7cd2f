package people

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"gatehouse/scopes"
	"gatehouse/server/gate"
	"gatehouse/store"
	"gatehouse/store/packument"
)

// Owners lists whoever can write to the package's repository, which is who can publish the package, in order. stamp stands for just this
// list. Where GitHub shows it to the caller not, there is no stamp, and the notice says so.
func (p *People) Owners(ctx context.Context, who gate.Caller, head store.Head) (owners []scopes.Member, stamp, notice string, err error) {
	repo := head.Binding.Repo
	list, err := p.Gate.Collaborators(ctx, who, repo)
	refused, denied := (*gate.PeopleRefusal)(nil), (*scopes.Denied)(nil)
	switch {
	case errors.As(err, &denied):
		return nil, "", "GitHub shows who can work on " + repo.String() + " to those who can write to it; this is who published the newest version", nil
	case errors.As(err, &refused), errors.Is(err, gate.ErrNoCredential):
		return nil, "", "who can work on " + repo.String() + " is not for this token to see; this is who published the newest version", nil
	case err != nil:
		return nil, "", "", err
	}
	for _, m := range list.List {
		if m.Permission >= scopes.Write {
			owners = append(owners, m)
		}
	}
	return owners, stampOf(logins(owners)), cut(list.Cut, len(list.List), p.repoPage(repo)), nil
}

func logins(members []scopes.Member) (list []string) {
	for _, m := range members {
		list = append(list, m.Login)
	}
	return list
}

func stampOf(logins []string) string {
	sum := sha256.Sum256([]byte(strings.Join(logins, "\n")))
	return hex.EncodeToString(sum[:8])
}

// SetOwners makes the one change by which those wanted differ from the list that the stamp stands for, and answers the request. If that is no longer the list,
// nothing is changed: the difference would mean something else by now.
func (p *People) SetOwners(c *gin.Context, who gate.Caller, head store.Head, stamp string, wanted []string) error {
	if err := p.mayChange(who, p.repoPage(head.Binding.Repo)); err != nil {
		return err
	}
	now, current, _, err := p.Owners(c.Request.Context(), who, head)
	if err != nil {
		return err
	}
	if current != stamp {
		return store.ErrStale
	}
	added, removed := missing(wanted, logins(now)), missing(logins(now), wanted)
	switch {
	case len(added) == 1 && len(removed) == 0:
		return p.AddOwner(c, who, head, added[0])
	case len(added) == 0 && len(removed) == 1:
		return p.RemoveOwner(c, who, head, removed[0])
	case len(added)+len(removed) == 0:
		return done(c, "nothing was changed: they are the owners already")
	}
	return &packument.Invalid{Field: "maintainers", Problem: "differs from the owners by more than one; add or remove one at a time"}
}

// missing returns those of from that are not in list.
func missing(from, list []string) (out []string) {
	for _, s := range from {
		same := func(o string) bool { return strings.EqualFold(o, s) }
		if !slices.ContainsFunc(list, same) && !slices.ContainsFunc(out, same) {
			out = append(out, s)
		}
	}
	return out
}

// AddOwner lets somebody write to the package's repository, and answers the request. Who can already is left alone: GitHub would take away what is
// more than that.
func (p *People) AddOwner(c *gin.Context, who gate.Caller, head store.Head, user string) error {
	repo, page := head.Binding.Repo, p.repoPage(head.Binding.Repo)
	user, err := login(user)
	if err != nil {
		return err
	}
	if err := p.mayChange(who, page); err != nil {
		return err
	}
	what := "give " + user + " write on " + repo.String()
	has, err := p.Gate.Collaborator(c.Request.Context(), who, repo, user)
	if err != nil {
		return told(err, who, what, "account "+user, page)
	}
	if has >= scopes.Write {
		return done(c, "nothing was changed: "+user+" already has "+has.String()+" on "+p.holding(c, repo))
	}
	change := scopes.PeopleChange{What: scopes.AddCollaborator, Repo: repo, Login: user, Permission: scopes.Write}
	outcome, err := p.change(c, who, change, what, "account "+user, page)
	if err != nil {
		return err
	}
	if outcome.Invited {
		return done(c, user+" is invited to have write on "+p.holding(c, repo)+", and has it after accepting at "+p.page(repo.String(), "invitations"))
	}
	return done(c, "this gives "+user+" write on "+p.holding(c, repo))
}

// RemoveOwner takes from somebody what they were themselves given on the package's repository, and answers the request. What they have through a team or
// as a member of the organisation is not theirs alone, and stays: the answer is then a refusal that says so.
func (p *People) RemoveOwner(c *gin.Context, who gate.Caller, head store.Head, user string) error {
	repo, page := head.Binding.Repo, p.repoPage(head.Binding.Repo)
	user, err := login(user)
	if err != nil {
		return err
	}
	if err := p.mayChange(who, page); err != nil {
		return err
	}
	holding := p.holding(c, repo)
	change := scopes.PeopleChange{What: scopes.RemoveCollaborator, Repo: repo, Login: user}
	if _, err := p.change(c, who, change, "take "+user+"'s access to "+repo.String(), "account "+user, page); err != nil {
		return err
	}
	left, err := p.Gate.Collaborator(c.Request.Context(), who, repo, user)
	if err == nil && left >= scopes.Write {
		return refuse(http.StatusConflict, "%s still has %s on %s, through a team, or as an owner or member of %s: what %s was given alone is taken back, the rest is changed at %s",
			user, left, holding, repo.Owner, user, page)
	}
	if err != nil { // who removed themselves, for one, is shown nothing any more
		return done(c, "this takes back what "+user+" was given on "+holding)
	}
	said := "this takes " + user + "'s access to " + holding
	if left > scopes.None {
		said += "; " + user + " can still " + left.String() + " it"
	}
	return done(c, said)
}
