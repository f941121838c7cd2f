package people

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"gatehouse/scopes"
	"gatehouse/server/audit"
	"gatehouse/server/gate"
)

// mayChange returns nil if the caller's changes go on to GitHub. Whether the caller may know what is to be changed comes before it.
func (p *People) mayChange(who gate.Caller, page string) error {
	if err := p.Gate.MayChangePeople(who); err != nil {
		return told(err, who, "", "", page)
	}
	if !p.Change {
		return refuse(http.StatusForbidden, "people are GitHub's, and this registry changes none of them (auth.github.change_people is off). The page: %s", page)
	}
	return nil
}

// change has GitHub make a change in the caller's name, and notes it for the audit log. pkg is the package that it was asked for, if it was for one.
func (p *People) change(c *gin.Context, who gate.Caller, pkg string, change scopes.PeopleChange, what, there, page string) (scopes.PeopleOutcome, error) {
	if err := p.mayChange(who, page); err != nil {
		return scopes.PeopleOutcome{}, err
	}
	outcome, err := p.Gate.ChangePeople(c.Request.Context(), who, change)
	if err != nil {
		return outcome, told(err, who, what, there, page)
	}
	audit.Changed(c, audit.Change{Action: change.What.String(), Package: pkg, Note: note(change, outcome)})
	return outcome, nil
}

// note is a change in the words of the audit log.
func note(change scopes.PeopleChange, outcome scopes.PeopleOutcome) string {
	var words []string
	for _, of := range []struct{ key, value string }{
		{"organisation", change.Org}, {"team", change.Team}, {"user", change.Login}, {"repository", strings.TrimPrefix(outcome.Repo.String(), "/")},
	} {
		if of.value != "" {
			words = append(words, of.key+" "+of.value)
		}
	}
	if change.Permission > scopes.None {
		words = append(words, "permission "+change.Permission.String())
	}
	if change.Owner {
		words = append(words, "as owner")
	}
	if outcome.Invited {
		words = append(words, "invited")
	}
	return "on GitHub: " + strings.Join(words, ", ")
}

// holding is a repository with the packages that are bound to it: what a change of its people reaches here.
func (p *People) holding(c *gin.Context, repo scopes.Repo) string {
	names, err := p.Registry.Packages(c.Request.Context(), repo.ID)
	switch {
	case err != nil || len(names) == 0:
		return repo.String()
	case len(names) == 1:
		return repo.String() + ", which holds 1 package: " + names[0]
	case len(names) <= 5:
		return fmt.Sprintf("%s, which holds %d packages: %s and %s", repo, len(names), strings.Join(names[:len(names)-1], ", "), names[len(names)-1])
	}
	return fmt.Sprintf("%s, which holds %d packages, %s among them", repo, len(names), strings.Join(names[:3], ", "))
}
