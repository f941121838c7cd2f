package githubtest

import (
	"maps"
	"net/http"
	"strconv"
)

// invitation waits for a user to accept a role on a repository.
type invitation struct {
	id, repo, user, by int64
	role               Role
}

// listCollaborators is GET …/collaborators, which wants push of a person who asks. affiliation=outside leaves
// those who are not of the organization, direct those with a grant of their own.
func listCollaborators(g *GitHub, c *call) answer {
	r, refused := g.pushers(c)
	if refused != nil {
		return *refused
	}
	q := c.URL.Query()
	all := []any{}
	for _, u := range g.collaboratorsOf(r) {
		role := g.role(u.id, r)
		_, direct := r.grants[u.id]
		_, member := g.accounts[r.owner].members[u.id]
		switch {
		case q.Get("affiliation") == "outside" && (!direct || member),
			q.Get("affiliation") == "direct" && !direct && r.owner != u.id,
			q.Get("permission") != "" && role < roleNamed(q.Get("permission")):
			continue
		}
		d := g.simpleUser(c, u)
		d["permissions"], d["role_name"] = role.permissions(), role.String()
		all = append(all, d)
	}
	return page(c, all, func(items []any) any { return items })
}

// pushers is repository for a caller who may push there, or an app.
func (g *GitHub) pushers(c *call) (*repo, *answer) {
	r, refused := g.repository(c)
	switch {
	case refused != nil:
		return nil, refused
	case c.token == nil:
		return nil, fail(http.StatusUnauthorized, "Requires authentication")
	case c.token.user != 0 && g.role(c.token.user, r) < Push:
		return nil, fail(http.StatusForbidden, "Must have push access to view repository collaborators.")
	case c.token.scoped() && c.token.reach(r) < Write:
		return nil, notFound()
	case !c.token.scoped() && !c.token.selected(r):
		return nil, forbidden(c.token)
	}
	return r, nil
}

func checkCollaborator(g *GitHub, c *call) answer {
	r, refused := g.pushers(c)
	if refused != nil {
		return *refused
	}
	u, refused := g.userOfPath(c)
	if refused != nil {
		return *refused
	}
	if g.givenRole(u.id, r) == NoRole {
		return *notFound()
	}
	return noContent
}

// putCollaborator changes the role of a collaborator, or gives a member of the organization one, with 204;
// anybody else is invited with 201.
func putCollaborator(g *GitHub, c *call) answer {
	r, refused := g.repoAdmin(c)
	if refused != nil {
		return *refused
	}
	u, refused := g.userOfPath(c)
	if refused != nil {
		return *refused
	}
	asked := struct{ Permission string }{"push"}
	if refused := jsonInto(c, &asked); refused != nil {
		return *refused
	}
	role := roleNamed(asked.Permission)
	owner := g.accounts[r.owner]
	if !owner.org {
		role = Push // there are no others on repositories of people
	}
	if role == NoRole || r.owner == u.id {
		return *invalid("Validation Failed")
	}
	_, direct := r.grants[u.id]
	if _, member := owner.members[u.id]; direct || member {
		g.grant(r, u.id, role)
		return noContent
	}
	g.withdraw(r, u.id)
	i := &invitation{id: g.nextID(), repo: r.id, user: u.id, by: c.token.user, role: role}
	g.invitations[i.id] = i
	return answer{status: http.StatusCreated, body: g.invitationDocument(c, i)}
}

// withdraw takes the user's invitations to the repository back.
func (g *GitHub) withdraw(r *repo, user int64) {
	maps.DeleteFunc(g.invitations, func(_ int64, i *invitation) bool { return i.repo == r.id && i.user == user })
}

func (g *GitHub) invitationDocument(c *call, i *invitation) map[string]any {
	r := g.repos[i.repo]
	inviter := g.accounts[i.by]
	if inviter == nil {
		inviter = g.ownerOf(g.accounts[r.owner])
	}
	d := g.document(c, r)
	delete(d, "permissions")
	return map[string]any{
		"id": i.id, "node_id": nodeID("RI", i.id), "repository": d, "invitee": g.simpleUser(c, g.accounts[i.user]), "inviter": g.simpleUser(c, inviter),
		"permissions": i.role.String(), "created_at": stamp(r.created), "expired": false,
		"url":      c.base + "/user/repository_invitations/" + strconv.FormatInt(i.id, 10),
		"html_url": c.web + "/" + g.fullName(r) + "/invitations",
	}
}

// deleteCollaborator is by who administers the repository, or by the collaborator.
func deleteCollaborator(g *GitHub, c *call) answer {
	r, refused := g.repository(c)
	if refused != nil {
		return *refused
	}
	u, unknown := g.userOfPath(c)
	self := unknown == nil && c.token != nil && c.token.user == u.id && c.token.reach(r) >= Write
	if refused := g.administers(c, r); refused != nil && !self {
		return *refused
	}
	if unknown != nil {
		return *unknown
	}
	g.revoke(r, u.id)
	g.withdraw(r, u.id)
	return noContent
}

func listInvitations(g *GitHub, c *call) answer {
	if refused := invitee(c); refused != nil {
		return *refused
	}
	all := []any{}
	for _, id := range sortedKeys(maps.Keys(g.invitations)) {
		if i := g.invitations[id]; i.user == c.token.user && g.repos[i.repo] != nil {
			all = append(all, g.invitationDocument(c, i))
		}
	}
	return page(c, all, func(items []any) any { return items })
}

// invitee refuses credentials that may not answer invitations.
func invitee(c *call) *answer {
	switch refused := person(c); {
	case refused != nil:
		return refused
	case !c.token.scoped():
		return forbidden(c.token)
	case !c.token.has("repo") && !c.token.has("repo:invite"):
		return notFound()
	}
	return nil
}

func acceptInvitation(g *GitHub, c *call) answer {
	if refused := invitee(c); refused != nil {
		return *refused
	}
	id, _ := strconv.ParseInt(c.PathValue("invitation"), 10, 64)
	i := g.invitations[id]
	if i == nil || i.user != c.token.user || g.repos[i.repo] == nil {
		return *notFound()
	}
	delete(g.invitations, id)
	g.grant(g.repos[i.repo], i.user, i.role)
	return noContent
}

// AcceptInvitation has the user accept the invitation to a repository.
func (g *GitHub) AcceptInvitation(user, fullName string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	r, u := g.mustRepo(fullName), g.mustUser(user)
	for id, i := range g.invitations {
		if i.repo == r.id && i.user == u.id {
			delete(g.invitations, id)
			g.grant(r, u.id, i.role)
			return
		}
	}
	panic("githubtest: " + user + " is not invited to " + fullName)
}
