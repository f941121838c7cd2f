package githubtest

import (
	"net/http"
	"slices"
)

// Who may look at people and teams, and change them. As for repositories it takes both: what the person may do
// and what the credential was granted.

// onAccount says whether a token with permissions was granted them on this account.
func (t *token) onAccount(a *account) bool {
	switch {
	case t.pending:
		return false
	case t.install != nil:
		return t.install.account == a.id && t.install.suspended.IsZero()
	case t.client != nil && t.client.app != nil:
		in := t.client.app.installs[a.id]
		return in != nil && in.suspended.IsZero()
	}
	return t.owner == a.id || t.form == appUser && t.owner == 0
}

// orgAccess finds the organization that the path names, for a credential that was granted the level on its
// members, or has one of the scopes. Without a scope GitHub says 404.
func (g *GitHub) orgAccess(c *call, level Level, scopes ...string) (*account, *answer) {
	o := g.accounts[g.logins[fold(c.PathValue("org"))]]
	t := c.token
	switch {
	case o == nil || !o.org:
		return nil, notFound()
	case t == nil:
		return nil, fail(http.StatusUnauthorized, "Requires authentication")
	}
	if p := g.policy(c.caller, o); p != nil {
		return nil, p.answer(c)
	}
	switch {
	case t.scoped() && !slices.ContainsFunc(scopes, t.has):
		return nil, notFound()
	case !t.scoped() && (!t.onAccount(o) || t.level("members") < level):
		return nil, forbidden(t)
	}
	return o, nil
}

func (p *refusal) answer(c *call) *answer {
	a := fail(http.StatusForbidden, p.message)
	if p.sso {
		*a = a.with("X-GitHub-SSO", p.ssoHeader(c.web))
	}
	return a
}

// scopes that include reading, or changing, an organization.
var readOrg, writeOrg = []string{"read:org", "write:org", "admin:org"}, []string{"admin:org"}

// memberOrg is orgAccess for a caller who is a member: apps are.
func (g *GitHub) memberOrg(c *call, level Level, scopes ...string) (*account, *answer) {
	o, refused := g.orgAccess(c, level, scopes...)
	if refused != nil {
		return nil, refused
	}
	if _, member := o.members[c.token.user]; !member && c.token.user != 0 {
		return nil, fail(http.StatusForbidden, "You must be a member of "+o.login+" to do this.")
	}
	return o, nil
}

// ownedOrg is orgAccess to change it, for a caller who owns it.
func (g *GitHub) ownedOrg(c *call) (*account, *answer) {
	o, refused := g.memberOrg(c, Write, writeOrg...)
	if refused != nil {
		return nil, refused
	}
	if !o.members[c.token.user] && c.token.user != 0 {
		return nil, fail(http.StatusForbidden, "You must be an admin of the organization to do this.")
	}
	return o, nil
}

// runsOrg says whether the caller is an owner of the organization, or an app that changes its members.
func (g *GitHub) runsOrg(c *call, o *account) bool {
	return c.token.user == 0 || o.members[c.token.user]
}

// seenTeam finds the team that the path names, if the caller may see it: secret ones are seen by their members
// and the owners.
func (g *GitHub) seenTeam(c *call, o *account) (*team, *answer) {
	t := o.teams[fold(c.PathValue("team"))]
	if t == nil || !g.seesTeam(c, t) {
		return nil, notFound()
	}
	return t, nil
}

func (g *GitHub) seesTeam(c *call, t *team) bool {
	_, in := t.members[c.token.user]
	return !t.secret || in || g.runsOrg(c, t.org)
}

// readTeam is seenTeam for a caller who may read the organization's members.
func (g *GitHub) readTeam(c *call) (*team, *answer) {
	o, refused := g.memberOrg(c, Read, readOrg...)
	if refused != nil {
		return nil, refused
	}
	return g.seenTeam(c, o)
}

// runTeam is readTeam for a caller who may change it: an owner, or a maintainer of the team.
func (g *GitHub) runTeam(c *call) (*team, *answer) {
	o, refused := g.memberOrg(c, Write, writeOrg...)
	if refused != nil {
		return nil, refused
	}
	t, refused := g.seenTeam(c, o)
	switch {
	case refused != nil:
		return nil, refused
	case !g.runsOrg(c, o) && !t.members[c.token.user]:
		return nil, fail(http.StatusForbidden, "You must be an owner of the organization or a maintainer of the team to do this.")
	}
	return t, nil
}

// repoAdmin is repository for a caller who may change who has access to it.
func (g *GitHub) repoAdmin(c *call) (*repo, *answer) {
	r, refused := g.repository(c)
	if refused != nil {
		return nil, refused
	}
	return r, g.administers(c, r)
}

func (g *GitHub) administers(c *call, r *repo) *answer {
	t := c.token
	switch {
	case t == nil:
		return fail(http.StatusUnauthorized, "Requires authentication")
	case t.user != 0 && g.role(t.user, r) < Admin:
		return fail(http.StatusForbidden, "Must have admin rights to Repository.")
	case t.scoped() && t.reach(r) < Write:
		return notFound()
	case !t.scoped() && (!t.selected(r) || t.level("administration") < Write):
		return forbidden(t)
	}
	return nil
}
