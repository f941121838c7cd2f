package githubtest

import (
	"maps"
	"net/http"
	"strconv"
	"time"
)

// hookEvents are what an app of ours subscribes to.
var hookEvents = []string{"member", "membership", "organization", "public", "repository", "team", "team_add"}

func getApp(g *GitHub, c *call) answer {
	a := c.app
	return ok(map[string]any{
		"id": a.ID, "slug": a.Slug, "client_id": a.ClientID, "node_id": nodeID("A", a.ID), "owner": g.simpleUser(c, g.accounts[a.owner]),
		"name": a.Slug, "description": nil, "external_url": "https://example.com", "html_url": c.web + "/apps/" + a.Slug,
		"created_at": stamp(a.created), "updated_at": stamp(a.created), "permissions": a.Permissions.document(),
		"events": hookEvents, "installations_count": len(a.installs),
	})
}

// document leaves out what is not granted.
func (p Permissions) document() map[string]string {
	d := map[string]string{}
	for name, level := range p {
		switch level {
		case Read:
			d[name] = "read"
		case Write:
			d[name] = "write"
		}
	}
	return d
}

func listInstallations(g *GitHub, c *call) answer {
	return page(c, g.sortedInstalls(c.app), func(items []any) any { return g.installDocuments(c, items) })
}

func (g *GitHub) sortedInstalls(a *app) []any {
	all := []any{}
	for _, account := range sortedKeys(maps.Keys(a.installs)) {
		all = append(all, a.installs[account])
	}
	return all
}

func (g *GitHub) installDocuments(c *call, items []any) []any {
	docs := make([]any, len(items))
	for i, in := range items {
		docs[i] = g.installDocument(c, in.(*installed))
	}
	return docs
}

// listUserInstallations is GET /user/installations: those of the app whose token it is, on accounts where the
// user can see something.
func listUserInstallations(g *GitHub, c *call) answer {
	if refused := person(c); refused != nil {
		return *refused
	}
	if c.token.client == nil || c.token.client.app == nil {
		return *fail(http.StatusForbidden, "You must authenticate with an access token authorized to a GitHub App in order to list installations")
	}
	mine := []any{}
	for _, v := range g.sortedInstalls(c.token.client.app) {
		in := v.(*installed)
		for _, r := range g.sortedRepos() {
			if in.reaches(r) && g.givenRole(c.token.user, r) >= Pull {
				mine = append(mine, in)
				break
			}
		}
	}
	return page(c, mine, func(items []any) any {
		return map[string]any{"total_count": len(mine), "installations": g.installDocuments(c, items)}
	})
}

func getInstallation(g *GitHub, c *call) answer {
	in, refused := g.ownInstall(c)
	if refused != nil {
		return *refused
	}
	return ok(g.installDocument(c, in))
}

// ownInstall finds the installation that the path names by its number, if it is the app's own.
func (g *GitHub) ownInstall(c *call) (*installed, *answer) {
	id, _ := strconv.ParseInt(c.PathValue("installation"), 10, 64)
	for _, in := range c.app.installs {
		if in.id == id {
			return in, nil
		}
	}
	return nil, notFound()
}

// getAccountInstallation is GET /orgs/{org}/installation and GET /users/{username}/installation.
func getAccountInstallation(g *GitHub, c *call) answer {
	login := c.PathValue("org")
	if login == "" {
		login = c.PathValue("username")
	}
	in := c.app.installs[g.logins[fold(login)]]
	if in == nil {
		return *notFound()
	}
	return ok(g.installDocument(c, in))
}

func getRepoInstallation(g *GitHub, c *call) answer {
	r, moved := g.repoOfPath(c)
	if r == nil || !c.app.installs[r.owner].reaches(r) {
		return *notFound()
	}
	if moved {
		return *redirect(c, r)
	}
	return ok(g.installDocument(c, c.app.installs[r.owner]))
}

func (g *GitHub) installDocument(c *call, in *installed) map[string]any {
	account := g.accounts[in.account]
	id := strconv.FormatInt(in.id, 10)
	html := c.web + "/settings/installations/" + id
	kind := "User"
	if account.org {
		kind, html = "Organization", c.web+"/organizations/"+account.login+"/settings/installations/"+id
	}
	selection := "selected"
	if in.all {
		selection = "all"
	}
	d := map[string]any{
		"id": in.id, "account": g.simpleUser(c, account), "repository_selection": selection,
		"access_tokens_url": c.base + "/app/installations/" + id + "/access_tokens", "repositories_url": c.base + "/installation/repositories",
		"html_url": html, "app_id": in.app.ID, "client_id": in.app.ClientID, "app_slug": in.app.Slug, "target_id": account.id, "target_type": kind,
		"permissions": in.app.Permissions.document(), "events": hookEvents, "created_at": stamp(in.created), "updated_at": stamp(in.created),
		"single_file_name": nil, "has_multiple_single_files": false, "single_file_paths": []string{}, "suspended_by": nil, "suspended_at": nil,
	}
	if !in.suspended.IsZero() {
		d["suspended_at"], d["suspended_by"] = stamp(in.suspended), g.simpleUser(c, account)
	}
	return d
}

// createInstallToken is POST /app/installations/{id}/access_tokens: a token for an hour, which may be
// narrowed to repositories and to lower permissions.
func createInstallToken(g *GitHub, c *call) answer {
	in, refused := g.ownInstall(c)
	if refused != nil {
		return *refused
	}
	if !in.suspended.IsZero() {
		return *fail(http.StatusForbidden, "This installation has been suspended")
	}
	var asked struct {
		Repositories  []string          `json:"repositories"`
		RepositoryIDs []int64           `json:"repository_ids"`
		Permissions   map[string]string `json:"permissions"`
	}
	if refused := jsonInto(c, &asked); refused != nil {
		return *refused
	}
	t := &token{
		form: installation, install: in, bot: in.app.Slug + "[bot]", owner: in.account, all: in.all, repos: maps.Clone(in.repos),
		expires: g.now().Add(time.Hour), sso: map[int64]bool{}, permissions: in.app.Permissions, made: g.now(),
	}
	narrowed := len(asked.Repositories)+len(asked.RepositoryIDs) > 0
	if narrowed {
		t.all, t.repos = false, map[int64]bool{}
	}
	for _, name := range asked.Repositories {
		r, _ := g.findRepo(g.accounts[in.account].login, name)
		asked.RepositoryIDs = append(asked.RepositoryIDs, idOf(r))
	}
	for _, id := range asked.RepositoryIDs {
		if r := g.repos[id]; r == nil || !in.reaches(r) {
			return *invalid("There is at least one repository that does not exist or is not accessible to the parent installation.")
		}
		t.repos[id] = true
	}
	if asked.Permissions != nil {
		t.permissions = Permissions{"metadata": Read}
	}
	for name, word := range asked.Permissions {
		level := map[string]Level{"read": Read, "write": Write}[word]
		if level == None || level > in.app.Permissions[name] {
			return *invalid("The permissions requested are not granted to this installation.")
		}
		t.permissions[name] = level
	}
	t.contents = t.permissions["contents"]
	g.keep(t)
	d := map[string]any{"token": t.secret, "expires_at": stamp(t.expires), "permissions": t.permissions.document(), "repository_selection": "all"}
	if !t.all {
		d["repository_selection"] = "selected"
	}
	if narrowed {
		repos := []any{}
		for _, r := range g.sortedRepos() {
			if t.repos[r.id] {
				repos = append(repos, g.document(c, r))
			}
		}
		d["repositories"] = repos
	}
	return answer{status: http.StatusCreated, body: d}
}

func idOf(r *repo) int64 {
	if r == nil {
		return 0
	}
	return r.id
}

// deleteInstallToken is DELETE /installation/token, which ends the token that asks.
func deleteInstallToken(g *GitHub, c *call) answer {
	if c.token == nil {
		return *fail(http.StatusUnauthorized, "Requires authentication")
	}
	if c.token.user != 0 {
		return *fail(http.StatusForbidden, "You must authenticate with an installation access token in order to revoke it.")
	}
	delete(g.tokens, c.token.secret)
	return answer{status: http.StatusNoContent}
}
