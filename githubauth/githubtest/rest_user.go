package githubtest

import (
	"net/http"
	"strconv"
)

// getAuthenticatedUser is GET /user. Installation tokens have no user: 403.
func getAuthenticatedUser(g *GitHub, c *call) answer {
	if refused := person(c); refused != nil {
		return *refused
	}
	t := c.token
	private := t.scoped() && (t.has("user") || t.has("read:user"))
	return ok(g.userDocument(c, g.accounts[t.user], private))
}

// listEmails is GET /user/emails, for the scope user:email or the permission on emails.
func listEmails(g *GitHub, c *call) answer {
	if refused := person(c); refused != nil {
		return *refused
	}
	t := c.token
	switch {
	case t.scoped() && !t.has("user") && !t.has("user:email"):
		return *notFound()
	case !t.scoped() && t.level("emails") < Read:
		return *forbidden(t)
	}
	all := []any{map[string]any{"email": g.accounts[t.user].login + "@example.com", "primary": true, "verified": true, "visibility": "private"}}
	return page(c, all, func(items []any) any { return items })
}

// person refuses callers that are not people.
func person(c *call) *answer {
	switch {
	case c.token == nil:
		return fail(http.StatusUnauthorized, "Requires authentication")
	case c.token.user == 0:
		return fail(http.StatusForbidden, "Resource not accessible by integration")
	}
	return nil
}

// getUserByID is GET /user/{account_id}; organizations are accounts too.
func getUserByID(g *GitHub, c *call) answer {
	id, _ := strconv.ParseInt(c.PathValue("id"), 10, 64)
	a := g.accounts[id]
	if a == nil {
		return *notFound()
	}
	return ok(g.userDocument(c, a, false))
}

func getUser(g *GitHub, c *call) answer {
	a := g.accounts[g.logins[fold(c.PathValue("username"))]]
	if a == nil {
		return *notFound()
	}
	return ok(g.userDocument(c, a, false))
}

// simpleUser is the schema simple-user: an account inside another document.
func (g *GitHub) simpleUser(c *call, a *account) map[string]any {
	api := c.base + "/users/" + a.login
	kind := "User"
	if a.org {
		kind = "Organization"
	}
	return map[string]any{
		"login": a.login, "id": a.id, "node_id": a.nodeID(), "type": kind, "site_admin": false,
		"user_view_type": "public", "gravatar_id": "",
		"avatar_url":          c.web + "/avatars/u/" + strconv.FormatInt(a.id, 10) + "?v=4",
		"url":                 api,
		"html_url":            c.web + "/" + a.login,
		"followers_url":       api + "/followers",
		"following_url":       api + "/following{/other_user}",
		"gists_url":           api + "/gists{/gist_id}",
		"starred_url":         api + "/starred{/owner}{/repo}",
		"subscriptions_url":   api + "/subscriptions",
		"organizations_url":   api + "/orgs",
		"repos_url":           api + "/repos",
		"events_url":          api + "/events{/privacy}",
		"received_events_url": api + "/received_events",
	}
}

// userDocument is the schema public-user, or private-user for oneself with the scope user.
func (g *GitHub) userDocument(c *call, a *account, private bool) map[string]any {
	d := g.simpleUser(c, a)
	public, hidden := 0, 0
	for _, r := range g.repos {
		switch {
		case r.owner != a.id:
		case r.visibility == Public:
			public++
		default:
			hidden++
		}
	}
	for _, name := range []string{"name", "company", "location", "email", "hireable", "bio", "twitter_username"} {
		d[name] = nil
	}
	for _, name := range []string{"public_gists", "followers", "following"} {
		d[name] = 0
	}
	d["name"], d["blog"], d["public_repos"] = a.login, "", public
	d["created_at"], d["updated_at"] = stamp(a.created), stamp(a.created)
	if private {
		d["user_view_type"] = "private"
		d["private_gists"], d["disk_usage"], d["collaborators"] = 0, 0, 0
		d["total_private_repos"], d["owned_private_repos"] = hidden, hidden
		d["two_factor_authentication"] = true
		d["plan"] = map[string]any{"name": "free", "space": 976562499, "collaborators": 0, "private_repos": 10000}
	}
	return d
}
