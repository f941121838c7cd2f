package people

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"gatehouse/scopes"
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

// change has GitHub make a change in the caller's name, and writes a line in the log of every one that may have been made.
func (p *People) change(c *gin.Context, who gate.Caller, change scopes.PeopleChange, what, there, page string) (scopes.PeopleOutcome, error) {
	if err := p.mayChange(who, page); err != nil {
		return scopes.PeopleOutcome{}, err
	}
	outcome, err := p.Gate.ChangePeople(c.Request.Context(), who, change)
	attrs := []any{
		"id", c.Writer.Header().Get("X-Request-Id"), "login", who.Login, "what", change.What.String(),
	}
	for _, of := range []struct{ key, value string }{
		{"org", change.Org}, {"team", change.Team}, {"user", change.Login}, {"repository", strings.TrimPrefix(change.Repo.String(), "/")},
	} {
		if of.value != "" {
			attrs = append(attrs, of.key, of.value)
		}
	}
	if change.Permission > scopes.None {
		attrs = append(attrs, "permission", change.Permission.String())
	}
	if change.Owner {
		attrs = append(attrs, "owner", true)
	}
	if err != nil {
		p.Log.Info("github did not change people", append(attrs, "error", err.Error())...)
		return outcome, told(err, who, what, there, page)
	}
	p.Log.Info("github changed people", append(attrs, "invited", outcome.Invited)...)
	return outcome, nil
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
