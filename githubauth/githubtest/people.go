package githubtest

import (
	"iter"
	"maps"
	"net/netip"
	"slices"
	"strings"
)

// AddUser adds a person.
func (g *GitHub) AddUser(login string) Account { return g.addAccount(login, false) }

// AddOrg adds an organization without members. Its base permission is read, GitHub's default.
func (g *GitHub) AddOrg(login string) Account { return g.addAccount(login, true) }

func (g *GitHub) addAccount(login string, org bool) Account {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, taken := g.logins[fold(login)]; taken {
		panic("githubtest: the login is taken: " + login)
	}
	a := &account{id: g.nextID(), login: login, org: org, created: g.now()}
	if org {
		a.base = Pull
		a.members = map[int64]bool{}
		a.teams = map[string]*team{}
		a.invited = map[int64]bool{}
	}
	g.accounts[a.id] = a
	g.logins[fold(login)] = a.id
	return g.account(a)
}

// Account returns the user or the organization that has this login now.
func (g *GitHub) Account(login string) Account {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.account(g.mustAccount(login))
}

// RenameAccount changes a login. The former one is free for anybody at once and answers 404 itself,
// while names of its repositories redirect until somebody takes them ("Username reference").
func (g *GitHub) RenameAccount(login, to string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	a := g.mustAccount(login)
	if id, taken := g.logins[fold(to)]; taken && id != a.id {
		panic("githubtest: the login is taken: " + to)
	}
	delete(g.logins, fold(login))
	g.logins[fold(to)] = a.id
	for _, r := range g.repos {
		if r.owner == a.id {
			g.reName(r, fold(login+"/"+r.name), fold(to+"/"+r.name))
		}
	}
	a.login = to
	g.tellAccountName(a, login)
}

// Suspend has every credential of the user refused with 403; false lifts it.
func (g *GitHub) Suspend(user string, suspended bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.mustUser(user).suspended = suspended
}

// AddMember makes a user a member of the organization, or an owner a member again.
func (g *GitHub) AddMember(org, user string) { g.join(org, user, false) }

// AddOwner makes a user an owner of the organization: admin on all its repositories.
func (g *GitHub) AddOwner(org, user string) { g.join(org, user, true) }

func (g *GitHub) join(org, user string, owner bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	o, id := g.mustOrg(org), g.mustUser(user).id
	_, was := o.members[id]
	o.members[id] = owner
	delete(o.invited, id)
	if !was {
		g.tellOrgMember("member_added", o, id, owner)
	}
}

// RemoveMember takes a user out of the organization and of its teams. Direct grants stay, so the user
// may remain as an outside collaborator.
func (g *GitHub) RemoveMember(org, user string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	o, id := g.mustOrg(org), g.mustUser(user).id
	g.leave(o, id)
}

// leave ends a membership, and tells so if there was one.
func (g *GitHub) leave(o *account, id int64) {
	owner, was := o.members[id]
	delete(o.members, id)
	delete(o.invited, id)
	for _, slug := range slices.Sorted(maps.Keys(o.teams)) {
		g.leaveTeam(o.teams[slug], id)
	}
	if was {
		g.tellOrgMember("member_removed", o, id, owner)
	}
}

func (g *GitHub) leaveTeam(t *team, id int64) {
	if _, in := t.members[id]; in {
		delete(t.members, id)
		g.tellMembership("removed", t, id)
	}
}

// SetBasePermission sets what every member may do on every repository of the organization.
func (g *GitHub) SetBasePermission(org string, role Role) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.mustOrg(org).base = role
}

// AddToTeam puts users into a team of the organization, and makes the team if there is none.
func (g *GitHub) AddToTeam(org, name string, users ...string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	t := g.team(g.mustOrg(org), name)
	for _, user := range users {
		g.joinTeam(t, g.mustUser(user).id, false)
	}
}

func (g *GitHub) joinTeam(t *team, id int64, maintainer bool) {
	_, was := t.members[id]
	t.members[id] = maintainer
	if _, pending := t.org.invited[id]; !was && !pending {
		g.tellMembership("added", t, id)
	}
}

// GrantTeam gives a team a role on a repository of its organization; NoRole takes it back.
func (g *GitHub) GrantTeam(org, name, fullName string, role Role) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.grantTeam(g.team(g.mustOrg(org), name), g.mustRepo(fullName), role)
}

func (g *GitHub) grantTeam(t *team, r *repo, role Role) {
	was, had := t.repos[r.id]
	t.repos[r.id] = role
	if role == NoRole {
		delete(t.repos, r.id)
	}
	switch {
	case had && role == NoRole:
		g.tellTeam("removed_from_repository", t, r, nil)
	case !had && role != NoRole:
		g.tellTeam("added_to_repository", t, r, nil)
	case had && was != role:
		g.tellTeam("edited", t, r, map[string]any{"changes": map[string]any{"repository": map[string]any{"permissions": from(map[string]any{
			"admin": was >= Admin, "push": was >= Push, "pull": was >= Pull,
		})}}})
	}
}

// team finds a team by name or slug, or makes it.
func (g *GitHub) team(o *account, name string) *team {
	slug := slugOf(name)
	t := o.teams[slug]
	if t == nil {
		t = &team{id: g.nextID(), org: o, name: name, slug: slug, members: map[int64]bool{}, repos: map[int64]Role{}, created: g.now()}
		o.teams[slug] = t
		g.tellTeam("created", t, nil, nil)
	}
	return t
}

// DeleteTeam deletes a team, and with it what its members had through it.
func (g *GitHub) DeleteTeam(org, name string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	t := g.mustOrg(org).teams[slugOf(name)]
	if t == nil {
		panic("githubtest: no team " + name)
	}
	g.deleteTeam(t)
}

func (g *GitHub) deleteTeam(t *team) {
	delete(t.org.teams, t.slug)
	g.tellTeam("deleted", t, nil, nil)
}

// slugOf is a team's name in URLs.
func slugOf(name string) string {
	return strings.Trim(strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '_' || c == '-' {
			return c
		}
		return '-'
	}, fold(name)), "-")
}

// RequireSSO has the organization enforce SAML single sign-on: members' classic tokens are refused with
// 403 and X-GitHub-SSO until AuthorizeSSO. Fine-grained tokens are authorised as they are made and
// those of apps by the app's grant ("Authorizing a personal access token for use with single sign-on").
func (g *GitHub) RequireSSO(org string, required bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.mustOrg(org).sso = required
}

// ForbidClassic has the organization refuse classic personal access tokens with 403 ("Setting a personal
// access token policy for your organization").
func (g *GitHub) ForbidClassic(org string, forbidden bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.mustOrg(org).forbidClassic = forbidden
}

// AllowAddresses gives the organization an IP allow list; without addresses it has none. Credentials used
// from elsewhere are refused with 403, on public repositories too, where anonymous calls still pass.
func (g *GitHub) AllowAddresses(org string, prefixes ...netip.Prefix) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.mustOrg(org).allow = slices.Clone(prefixes)
}

func sortedKeys(keys iter.Seq[int64]) []int64 { return slices.Sorted(keys) }

func splitName(fullName string) (owner, name string) {
	owner, name, ok := strings.Cut(fullName, "/")
	if !ok || owner == "" || name == "" || strings.Contains(name, "/") {
		panic("githubtest: not a repository name: " + fullName)
	}
	return owner, name
}
