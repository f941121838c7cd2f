package githubtest

import (
	"maps"
	"net/http"
	"slices"
)

func listTeams(g *GitHub, c *call) answer {
	o, refused := g.memberOrg(c, Read, readOrg...)
	if refused != nil {
		return *refused
	}
	all := []any{}
	for _, slug := range slices.Sorted(maps.Keys(o.teams)) {
		if t := o.teams[slug]; g.seesTeam(c, t) {
			all = append(all, g.teamDocument(c, t))
		}
	}
	return page(c, all, func(items []any) any { return items })
}

// createTeam is POST /orgs/{org}/teams: by any member, unless the organization forbids it. Who creates it
// maintains it.
func createTeam(g *GitHub, c *call) answer {
	o, refused := g.memberOrg(c, Write, writeOrg...)
	if refused != nil {
		return *refused
	}
	if o.ownersMakeTeams && !g.runsOrg(c, o) {
		return *fail(http.StatusForbidden, "You do not have permission to create teams in this organization.")
	}
	var asked struct{ Name, Privacy string }
	if refused := jsonInto(c, &asked); refused != nil {
		return *refused
	}
	slug := slugOf(asked.Name)
	if slug == "" || o.teams[slug] != nil {
		a := invalid("Validation Failed")
		p := a.body.(problem)
		p.Errors = []any{map[string]any{"resource": "Team", "code": "unprocessable", "field": "data", "message": "Name must be unique for this org"}}
		a.body = p
		return *a
	}
	t := g.team(o, asked.Name)
	t.secret = asked.Privacy != "closed"
	if c.token.user != 0 {
		g.joinTeam(t, c.token.user, true)
	}
	return answer{status: http.StatusCreated, body: g.fullTeamDocument(c, t)}
}

func getTeam(g *GitHub, c *call) answer {
	t, refused := g.readTeam(c)
	if refused != nil {
		return *refused
	}
	return ok(g.fullTeamDocument(c, t))
}

func removeTeam(g *GitHub, c *call) answer {
	t, refused := g.runTeam(c)
	if refused != nil {
		return *refused
	}
	g.deleteTeam(t)
	return noContent
}

func listTeamMembers(g *GitHub, c *call) answer {
	t, refused := g.readTeam(c)
	if refused != nil {
		return *refused
	}
	role := c.URL.Query().Get("role")
	all := []any{}
	for _, id := range sortedKeys(maps.Keys(t.members)) {
		if maintains := t.members[id] || t.org.members[id]; role != "maintainer" && role != "member" || maintains == (role == "maintainer") {
			all = append(all, g.accounts[id])
		}
	}
	return page(c, all, func(items []any) any { return g.people(c, items) })
}

// teamMembership is the schema of that name. Owners of the organization maintain every team they are in.
func (g *GitHub) teamMembership(c *call, t *team, u *account) answer {
	maintainer, in := t.members[u.id]
	_, invited := t.org.invited[u.id]
	if !in {
		return *notFound()
	}
	role, state := "member", "active"
	if maintainer || t.org.members[u.id] {
		role = "maintainer"
	}
	if invited {
		state = "pending"
	}
	url, _ := g.teamDocument(c, t)["url"].(string)
	return ok(map[string]any{"role": role, "state": state, "url": url + "/memberships/" + u.login})
}

func getTeamMembership(g *GitHub, c *call) answer {
	t, refused := g.readTeam(c)
	if refused != nil {
		return *refused
	}
	u, refused := g.userOfPath(c)
	if refused != nil {
		return *refused
	}
	return g.teamMembership(c, t, u)
}

// changedTeam is runTeam for a change of members, which an identity provider's groups don't allow.
func (g *GitHub) changedTeam(c *call) (*team, *account, *answer) {
	t, refused := g.runTeam(c)
	if refused != nil {
		return nil, nil, refused
	}
	if t.synced {
		return nil, nil, fail(http.StatusForbidden, "This team is externally managed. Its members can be changed at the identity provider only.")
	}
	u, refused := g.userOfPath(c)
	return t, u, refused
}

// putTeamMembership adds a member of the organization at once, and invites anybody else into both.
func putTeamMembership(g *GitHub, c *call) answer {
	t, u, refused := g.changedTeam(c)
	if refused != nil {
		return *refused
	}
	asked := struct{ Role string }{"member"}
	if refused := jsonInto(c, &asked); refused != nil {
		return *refused
	}
	if asked.Role != "member" && asked.Role != "maintainer" {
		return *invalid("Validation Failed")
	}
	if _, member := t.org.members[u.id]; !member {
		if !g.runsOrg(c, t.org) {
			return *fail(http.StatusForbidden, "You must be an owner of the organization to invite "+u.login+".")
		}
		if _, invited := t.org.invited[u.id]; !invited {
			t.org.invited[u.id] = false
		}
	}
	g.joinTeam(t, u.id, asked.Role == "maintainer")
	return g.teamMembership(c, t, u)
}

func deleteTeamMembership(g *GitHub, c *call) answer {
	t, u, refused := g.changedTeam(c)
	if refused != nil {
		return *refused
	}
	if _, in := t.members[u.id]; !in {
		return *notFound()
	}
	g.leaveTeam(t, u.id)
	return noContent
}

// listTeamRepos shows those that the caller may see.
func listTeamRepos(g *GitHub, c *call) answer {
	t, refused := g.readTeam(c)
	if refused != nil {
		return *refused
	}
	form := func(c *call, r *repo) map[string]any {
		d := g.minimalDocument(c, r)
		d["permissions"], d["role_name"] = t.repos[r.id].permissions(), t.repos[r.id].String()
		return d
	}
	return g.list(c, form, func(r *repo) bool { return t.repos[r.id] > NoRole })
}

// teamRepo finds the team and the repository that the path names. Both have to be seen; scope and permission
// are those of the repository's administration, with reading the team.
func (g *GitHub) teamRepo(c *call) (*team, *repo, *answer) {
	scopes := append(slices.Clone(readOrg), "repo")
	o, refused := g.memberOrg(c, Read, scopes...)
	if refused != nil {
		return nil, nil, refused
	}
	t, refused := g.seenTeam(c, o)
	if refused != nil {
		return nil, nil, refused
	}
	if _, moved := g.repoOfPath(c); moved {
		return nil, nil, notFound()
	}
	r, refused := g.repository(c)
	return t, r, refused
}

func checkTeamRepo(g *GitHub, c *call) answer {
	t, r, refused := g.teamRepo(c)
	if refused != nil {
		return *refused
	}
	if t.repos[r.id] == NoRole {
		return *notFound()
	}
	return noContent
}

// putTeamRepo is by who administers the repository and sees the team.
func putTeamRepo(g *GitHub, c *call) answer {
	t, r, refused := g.teamRepo(c)
	if refused != nil {
		return *refused
	}
	if refused := g.administers(c, r); refused != nil {
		return *refused
	}
	if r.owner != t.org.id {
		return *invalid("Validation Failed")
	}
	asked := struct{ Permission string }{"pull"}
	if refused := jsonInto(c, &asked); refused != nil {
		return *refused
	}
	role := roleNamed(asked.Permission)
	if role == NoRole {
		return *invalid("Validation Failed")
	}
	g.grantTeam(t, r, role)
	return noContent
}

// deleteTeamRepo is by an owner of the organization, a maintainer of the team, or who administers the
// repository.
func deleteTeamRepo(g *GitHub, c *call) answer {
	t, r, refused := g.teamRepo(c)
	if refused != nil {
		return *refused
	}
	if refused := g.administers(c, r); refused != nil && (!c.token.scoped() || !c.token.has("repo") || !t.members[c.token.user]) {
		return *refused
	}
	g.grantTeam(t, r, NoRole)
	return noContent
}

// roleNamed reads the permission of a request.
func roleNamed(name string) Role {
	return map[string]Role{"pull": Pull, "triage": Triage, "push": Push, "maintain": Maintain, "admin": Admin}[name]
}

// ForbidTeams lets owners only create teams.
func (g *GitHub) ForbidTeams(org string, forbidden bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.mustOrg(org).ownersMakeTeams = forbidden
}

// SyncTeam has an identity provider say who is in the team, so that the API refuses to.
func (g *GitHub) SyncTeam(org, name string, synced bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.team(g.mustOrg(org), name).synced = synced
}
