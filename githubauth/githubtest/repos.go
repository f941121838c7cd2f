package githubtest

import "maps"

// AddRepo adds a repository with one commit on branch main. A name that redirected to another repository
// stops doing so, and a name used before gets a new id.
func (g *GitHub) AddRepo(fullName string, v Visibility) Repo {
	g.mu.Lock()
	defer g.mu.Unlock()
	owner, name := splitName(fullName)
	if _, taken := g.names[fold(fullName)]; taken {
		panic("githubtest: the repository exists: " + fullName)
	}
	now := g.now()
	r := &repo{
		id: g.nextID(), owner: g.mustAccount(owner).id, name: name, visibility: v,
		branch: "main", grants: map[int64]Role{}, created: now, updated: now,
	}
	g.repos[r.id] = r
	g.names[fold(fullName)] = r.id
	delete(g.moved, fold(fullName))
	g.named(r)
	g.tellRepo("created", r, nil)
	return g.repo(r)
}

// Repo returns the repository that has this name now.
func (g *GitHub) Repo(fullName string) Repo {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.repo(g.mustRepo(fullName))
}

// Grant gives a user a role on a repository, replacing the one granted before. Other sources (ownership,
// base permission, teams) stay; the highest counts.
func (g *GitHub) Grant(user, fullName string, role Role) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.grant(g.mustRepo(fullName), g.mustUser(user).id, role)
}

func (g *GitHub) grant(r *repo, user int64, role Role) {
	was, had := r.grants[user]
	r.grants[user] = role
	switch {
	case !had:
		g.tellMember("added", r, user, NoRole, role)
	case was != role:
		g.tellMember("edited", r, user, was, role)
	}
}

// Revoke takes back what Grant gave.
func (g *GitHub) Revoke(user, fullName string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.revoke(g.mustRepo(fullName), g.mustUser(user).id)
}

func (g *GitHub) revoke(r *repo, user int64) {
	if was, had := r.grants[user]; had {
		delete(r.grants, user)
		g.tellMember("removed", r, user, was, NoRole)
	}
}

// Rename changes the name within the owner. The former name redirects ("Renaming a repository").
func (g *GitHub) Rename(fullName, name string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	r := g.mustRepo(fullName)
	g.mustBeFree(g.accounts[r.owner].login+"/"+name, r)
	g.reName(r, fold(fullName), fold(g.accounts[r.owner].login+"/"+name))
	was := r.name
	g.named(r)
	r.name, r.updated = name, g.now()
	g.tellRepo("renamed", r, map[string]any{"changes": map[string]any{"repository": map[string]any{"name": from(was)}}})
}

// Transfer gives the repository to another owner. The id stays, the former name redirects, roles granted
// directly stay and those of the former organization's base permission and teams go.
func (g *GitHub) Transfer(fullName, owner string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	r, to := g.mustRepo(fullName), g.mustAccount(owner)
	g.mustBeFree(to.login+"/"+r.name, r)
	if from := g.accounts[r.owner]; from.org {
		for _, t := range from.teams {
			delete(t.repos, r.id)
		}
	}
	g.reName(r, fold(fullName), fold(to.login+"/"+r.name))
	was := g.accounts[r.owner]
	g.named(r)
	r.owner, r.updated = to.id, g.now()
	g.tellTransfer(r, was)
}

// Archive makes the repository read-only, or writable again.
func (g *GitHub) Archive(fullName string, archived bool) {
	g.change(fullName, func(r *repo) {
		was := r.archived
		r.archived = archived
		switch {
		case archived && !was:
			g.tellRepo("archived", r, nil)
		case was && !archived:
			g.tellRepo("unarchived", r, nil)
		}
	})
}

// SetVisibility makes the repository public, private or internal.
func (g *GitHub) SetVisibility(fullName string, v Visibility) {
	g.change(fullName, func(r *repo) {
		was := r.visibility
		r.visibility = v
		g.tellVisibility(r, was)
	})
}

// SetDefaultBranch renames the only branch.
func (g *GitHub) SetDefaultBranch(fullName, branch string) {
	g.change(fullName, func(r *repo) {
		was := r.branch
		r.branch = branch
		g.tellRepo("edited", r, map[string]any{"changes": map[string]any{"default_branch": from(was)}})
	})
}

// SetEmpty takes the only commit away, or gives it back.
func (g *GitHub) SetEmpty(fullName string, empty bool) {
	g.change(fullName, func(r *repo) { r.empty = empty })
}

// Block disables access: with 451 for the reason "dmca", with 403 for any other, such as "tos"; the
// answers carry a `block` object. The empty reason lifts it.
func (g *GitHub) Block(fullName, reason string) {
	g.change(fullName, func(r *repo) { r.blocked = reason })
}

// DeleteRepo removes the repository, its grants and every redirect to it.
func (g *GitHub) DeleteRepo(fullName string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	r := g.mustRepo(fullName)
	g.tellRepo("deleted", r, nil)
	delete(g.names, fold(fullName))
	delete(g.repos, r.id)
	maps.DeleteFunc(g.moved, func(_ string, id int64) bool { return id == r.id })
}

func (g *GitHub) change(fullName string, f func(*repo)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	r := g.mustRepo(fullName)
	f(r)
	r.updated = g.now()
}

func (g *GitHub) mustBeFree(fullName string, r *repo) {
	if id, taken := g.names[fold(fullName)]; taken && id != r.id {
		panic("githubtest: the repository exists: " + fullName)
	}
}

// reName moves an entry of the name table and leaves a redirect.
func (g *GitHub) reName(r *repo, from, to string) {
	delete(g.names, from)
	g.names[to] = r.id
	delete(g.moved, to)
	if from != to {
		g.moved[from] = r.id
	}
}
