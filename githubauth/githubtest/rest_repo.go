package githubtest

import (
	"net/http"
	"strconv"
	"strings"
)

// repository finds the repository that the path names, for a caller who may see it. The answer, if there is
// one, is the refusal: 404 for what isn't there or is hidden, a redirect from a former name, 403 or 451 for
// policies and blocks.
func (g *GitHub) repository(c *call) (*repo, *answer) {
	r, moved := g.repoOfPath(c)
	if r == nil || !g.visible(c.caller, r) {
		return nil, notFound()
	}
	if p := g.policy(c.caller, g.accounts[r.owner]); p != nil {
		return nil, p.answer(c)
	}
	if r.blocked != "" {
		return nil, blocked(c, g.fullName(r), r)
	}
	if moved {
		return nil, redirect(c, r)
	}
	return r, nil
}

// repoOfPath finds the repository that the path names, by name or by id, for anybody.
func (g *GitHub) repoOfPath(c *call) (r *repo, moved bool) {
	if id := c.PathValue("id"); id != "" {
		n, _ := strconv.ParseInt(id, 10, 64)
		return g.repos[n], false
	}
	return g.findRepo(c.PathValue("owner"), c.PathValue("repo"))
}

// redirect leads from a former name to the same route below the id: with 301, or 307 where the method must
// stay ("Best practices for using the REST API", Follow redirects).
func redirect(c *call, r *repo) *answer {
	status := http.StatusMovedPermanently
	if c.Method != http.MethodGet && c.Method != http.MethodHead {
		status = http.StatusTemporaryRedirect
	}
	rest := strings.SplitN(strings.TrimPrefix(c.Request.URL.EscapedPath(), "/repos/"), "/", 3)
	to := c.base + "/repositories/" + strconv.FormatInt(r.id, 10)
	if len(rest) == 3 {
		to += "/" + rest[2]
	}
	if c.URL.RawQuery != "" {
		to += "?" + c.URL.RawQuery
	}
	a := fail(status, http.StatusText(status))
	a.body = problem{Message: http.StatusText(status), URL: to}
	*a = a.with("Location", to)
	return a
}

func blocked(c *call, fullName string, r *repo) *answer {
	status := http.StatusForbidden
	var page any
	if r.blocked == "dmca" {
		status, page = http.StatusUnavailableForLegalReasons, "https://github.com/github/dmca"
	}
	a := fail(status, "")
	a.body = problem{Message: "Repository access blocked", Block: map[string]any{
		"reason": r.blocked, "created_at": stamp(r.updated), "html_url": page,
	}}
	return a
}

func getRepo(g *GitHub, c *call) answer {
	r, refused := g.repository(c)
	if refused != nil {
		return *refused
	}
	a := ok(g.fullDocument(c, r))
	a.modified = r.updated
	return a
}

// forbidden is how the contents of a visible repository are refused to the two families of tokens with
// permissions, and to one with scopes, for which GitHub says 404.
func forbidden(t *token) *answer {
	switch t.form {
	case fineGrained:
		return fail(http.StatusForbidden, "Resource not accessible by personal access token")
	case appUser, installation, actions:
		return fail(http.StatusForbidden, "Resource not accessible by integration")
	}
	return notFound()
}

func listBranches(g *GitHub, c *call) answer {
	r, refused := g.repository(c)
	if refused != nil {
		return *refused
	}
	if !g.reads(c.caller, r) {
		return *forbidden(c.token)
	}
	branches := []any{}
	if !r.empty {
		branches = append(branches, map[string]any{
			"name":      r.branch,
			"commit":    map[string]any{"sha": commitOf(r), "url": c.base + "/repos/" + g.fullName(r) + "/commits/" + commitOf(r)},
			"protected": false,
		})
	}
	return page(c, branches, func(items []any) any { return items })
}

// getCollaboratorPermission wants push of a person who asks, which GitHub does and its OpenAPI description
// doesn't say; an installation needs metadata only (github.md §3.5).
func getCollaboratorPermission(g *GitHub, c *call) answer {
	r, refused := g.repository(c)
	if refused != nil {
		return *refused
	}
	if c.token == nil {
		return *fail(http.StatusUnauthorized, "Requires authentication")
	}
	if c.token.user != 0 && g.role(c.token.user, r) < Push {
		return *fail(http.StatusForbidden, "Must have push access to view collaborator permission.")
	}
	u := g.accounts[g.logins[fold(c.PathValue("username"))]]
	if u == nil || u.org {
		return *fail(http.StatusNotFound, c.PathValue("username")+" is not a user")
	}
	role := g.role(u.id, r)
	person := g.simpleUser(c, u)
	person["permissions"] = role.permissions()
	person["role_name"] = role.String()
	return ok(map[string]any{"permission": role.legacy(), "role_name": role.String(), "user": person})
}

func getMeta(*GitHub, *call) answer {
	return ok(map[string]any{
		"verifiable_password_authentication": false,
		"hooks":                              []string{"127.0.0.0/8", "::1/128"},
		"web":                                []string{"127.0.0.0/8", "::1/128"},
		"api":                                []string{"127.0.0.0/8", "::1/128"},
		"git":                                []string{"127.0.0.0/8", "::1/128"},
	})
}
