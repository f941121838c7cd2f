package githubtest

import (
	"maps"
	"net/http"
	"slices"
)

var noContent = answer{status: http.StatusNoContent}

// listMembers is GET /orgs/{org}/members. Every membership here is concealed, so only members see any, with
// a credential that may read them.
func listMembers(g *GitHub, c *call) answer {
	o, refused := g.memberOrg(c, Read, readOrg...)
	if refused != nil {
		known := g.accounts[g.logins[fold(c.PathValue("org"))]]
		if c.token != nil && !c.token.scoped() || known == nil || !known.org || g.policy(c.caller, known) != nil {
			return *refused
		}
		return page(c, []any{}, func(items []any) any { return items })
	}
	role := c.URL.Query().Get("role")
	all := []any{}
	for _, id := range sortedKeys(maps.Keys(o.members)) {
		if owner := o.members[id]; role != "admin" && role != "member" || owner == (role == "admin") {
			all = append(all, g.accounts[id])
		}
	}
	return page(c, all, func(items []any) any { return g.people(c, items) })
}

func (g *GitHub) people(c *call, items []any) []any {
	docs := make([]any, len(items))
	for i, u := range items {
		docs[i] = g.simpleUser(c, u.(*account))
	}
	return docs
}

// userOfPath is the person that the path names.
func (g *GitHub) userOfPath(c *call) (*account, *answer) {
	u := g.accounts[g.logins[fold(c.PathValue("username"))]]
	if u == nil || u.org {
		return nil, notFound()
	}
	return u, nil
}

// membership is the schema org-membership; absent if the user is neither a member nor invited.
func (g *GitHub) membership(c *call, o, u *account) *answer {
	owner, member := o.members[u.id]
	invitedAsOwner, invited := o.invited[u.id]
	if !member && !invited {
		return notFound()
	}
	d := g.membershipDocument(c, o, u, owner || invitedAsOwner)
	d["organization"] = g.simpleOrg(c, o)
	a := ok(d)
	return &a
}

func getMembership(g *GitHub, c *call) answer {
	o, refused := g.memberOrg(c, Read, readOrg...)
	if refused != nil {
		return *refused
	}
	u, refused := g.userOfPath(c)
	if refused != nil {
		return *refused
	}
	return *g.membership(c, o, u)
}

// putMembership changes a member's role at once, and invites anybody else: pending until accepted.
func putMembership(g *GitHub, c *call) answer {
	o, refused := g.ownedOrg(c)
	if refused != nil {
		return *refused
	}
	u, refused := g.userOfPath(c)
	if refused != nil {
		return *refused
	}
	asked := struct{ Role string }{"member"}
	if refused := jsonInto(c, &asked); refused != nil {
		return *refused
	}
	if asked.Role != "member" && asked.Role != "admin" {
		return *invalid("Validation Failed")
	}
	if _, member := o.members[u.id]; member {
		o.members[u.id] = asked.Role == "admin"
	} else {
		o.invited[u.id] = asked.Role == "admin"
	}
	return *g.membership(c, o, u)
}

func deleteMembership(g *GitHub, c *call) answer {
	o, refused := g.ownedOrg(c)
	if refused != nil {
		return *refused
	}
	u, refused := g.userOfPath(c)
	if refused != nil {
		return *refused
	}
	if a := g.membership(c, o, u); a.status != http.StatusOK {
		return *a
	}
	g.leave(o, u.id)
	return noContent
}

// acceptMembership is PATCH /user/memberships/orgs/{org} by who was invited.
func acceptMembership(g *GitHub, c *call) answer {
	if refused := person(c); refused != nil {
		return *refused
	}
	o := g.accounts[g.logins[fold(c.PathValue("org"))]]
	if o == nil || !o.org || c.token.scoped() && !c.token.has("admin:org") && !c.token.has("write:org") {
		return *notFound()
	}
	var asked struct{ State string }
	if refused := jsonInto(c, &asked); refused != nil {
		return *refused
	}
	if asked.State != "active" {
		return *invalid("Validation Failed")
	}
	u := g.accounts[c.token.user]
	if a := g.membership(c, o, u); a.status != http.StatusOK {
		return *a
	}
	g.accept(o, u.id)
	return *g.membership(c, o, u)
}

// accept turns an invitation into a membership.
func (g *GitHub) accept(o *account, user int64) {
	owner, invited := o.invited[user]
	if !invited {
		return
	}
	delete(o.invited, user)
	o.members[user] = owner
	g.tellOrgMember("member_added", o, user, owner)
	for _, slug := range slices.Sorted(maps.Keys(o.teams)) {
		if _, in := o.teams[slug].members[user]; in {
			g.tellMembership("added", o.teams[slug], user)
		}
	}
}

// AcceptMembership has an invited user join the organization.
func (g *GitHub) AcceptMembership(org, user string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.accept(g.mustOrg(org), g.mustUser(user).id)
}

// listUserOrgs is GET /user/orgs.
func listUserOrgs(g *GitHub, c *call) answer {
	if refused := person(c); refused != nil {
		return *refused
	}
	t := c.token
	if t.scoped() && !t.has("user") && !t.has("read:org") && !t.has("write:org") && !t.has("admin:org") {
		return *fail(http.StatusForbidden, "You need at least read:org scope or user scope to list your organizations.")
	}
	all := []any{}
	for _, id := range sortedKeys(maps.Keys(g.accounts)) {
		o := g.accounts[id]
		if _, member := o.members[t.user]; member && (t.scoped() || t.onAccount(o)) && g.policy(c.caller, o) == nil {
			all = append(all, g.simpleOrg(c, o))
		}
	}
	return page(c, all, func(items []any) any { return items })
}
