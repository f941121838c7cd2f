package githubtest

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// listUserRepos is GET /user/repos: what the user owns, collaborates on, or has through an organization, as
// far as the token reaches. Public repositories of strangers are not in it.
func listUserRepos(g *GitHub, c *call) answer {
	if refused := person(c); refused != nil {
		return *refused
	}
	return g.list(c, g.document, func(r *repo) bool {
		return g.affiliated(c.token.user, r, c.URL.Query().Get("affiliation")) && (c.token.scoped() || c.token.selected(r)) && wanted(c, r)
	})
}

// affiliated says whether the user has something to do with the repository, apart from its being public, in one
// of the ways asked for: owner, collaborator, organization_member; all of them if none is.
func (g *GitHub) affiliated(user int64, r *repo, asked string) bool {
	if asked == "" {
		asked = "owner,collaborator,organization_member"
	}
	_, member := g.accounts[r.owner].members[user]
	ways := map[string]bool{
		"owner": r.owner == user, "collaborator": r.grants[user] > NoRole, "organization_member": member && g.role(user, r) >= Pull,
	}
	for way := range strings.SplitSeq(asked, ",") {
		if ways[way] {
			return true
		}
	}
	return false
}

// listOrgRepos is GET /orgs/{org}/repos: those the caller may see.
func listOrgRepos(g *GitHub, c *call) answer {
	org := g.accounts[g.logins[fold(c.PathValue("org"))]]
	if org == nil || !org.org {
		return *notFound()
	}
	return g.list(c, g.minimalDocument, func(r *repo) bool { return r.owner == org.id && wanted(c, r) })
}

// listInstallationRepos is GET /installation/repositories: exactly what the installation token was given.
// HEAD tells whether a token is one.
func listInstallationRepos(g *GitHub, c *call) answer {
	switch {
	case c.token == nil:
		return *fail(http.StatusUnauthorized, "Requires authentication")
	case c.token.user != 0:
		return *fail(http.StatusForbidden, "You must authenticate with an installation access token in order to list repositories for an installation.")
	}
	repos, header := g.collect(c, c.token.selected)
	a := page(c, repos, func(items []any) any {
		selection := "selected"
		if c.token.all {
			selection = "all"
		}
		return map[string]any{"total_count": len(repos), "repository_selection": selection, "repositories": g.documents(c, items, g.document)}
	})
	return a.adopt(header)
}

// wanted applies the parameters visibility and type.
func wanted(c *call, r *repo) bool {
	q := c.URL.Query()
	for _, v := range []string{q.Get("visibility"), q.Get("type")} {
		switch v {
		case "public":
			if r.visibility != Public {
				return false
			}
		case "private":
			if r.visibility == Public {
				return false
			}
		}
	}
	return true
}

func (g *GitHub) list(c *call, form func(*call, *repo) map[string]any, which func(*repo) bool) answer {
	repos, header := g.collect(c, which)
	return page(c, repos, func(items []any) any { return g.documents(c, items, form) }).adopt(header)
}

// collect gathers visible repositories. Those of organizations whose policy objects are left out, and single
// sign-on is announced with "partial-results" ("Authenticating to the REST API", SSO).
func (g *GitHub) collect(c *call, which func(*repo) bool) ([]any, http.Header) {
	repos := []any{}
	var left []string
	seen := map[int64]bool{}
	for _, r := range g.sortedRepos() {
		if !which(r) || !g.visible(c.caller, r) || r.blocked != "" {
			continue
		}
		if p := g.policy(c.caller, g.accounts[r.owner]); p != nil {
			if p.sso && !seen[r.owner] {
				seen[r.owner] = true
				left = append(left, strconv.FormatInt(r.owner, 10))
			}
			continue
		}
		repos = append(repos, r)
	}
	header := http.Header{}
	if len(left) > 0 {
		header.Set("X-GitHub-SSO", "partial-results; organizations="+strings.Join(left, ","))
	}
	return repos, header
}

func (g *GitHub) documents(c *call, repos []any, form func(*call, *repo) map[string]any) []any {
	docs := make([]any, len(repos))
	for i, r := range repos {
		docs[i] = form(c, r.(*repo))
	}
	return docs
}

// page cuts a list by per_page (30, at most 100) and page, and adds Link ("Using pagination in the REST
// API").
func page(c *call, items []any, render func([]any) any) answer {
	q := c.URL.Query()
	size := number(q, "per_page", 30, 100)
	at := number(q, "page", 1, 1<<20)
	last := max(1, (len(items)+size-1)/size)
	from := min(len(items), (at-1)*size)
	to := min(len(items), from+size)
	a := ok(render(items[from:to:to]))
	var links []string
	link := func(n int, rel string) {
		q.Set("page", strconv.Itoa(n))
		links = append(links, fmt.Sprintf(`<%s%s?%s>; rel="%s"`, c.base, c.URL.EscapedPath(), q.Encode(), rel))
	}
	if at > 1 {
		link(min(at-1, last), "prev")
	}
	if at < last {
		link(at+1, "next")
		link(last, "last")
	}
	if at > 1 {
		link(1, "first")
	}
	if len(links) > 0 {
		a = a.with("Link", strings.Join(links, ", "))
	}
	return a
}

func number(q url.Values, name string, without, most int) int {
	n, err := strconv.Atoi(q.Get(name))
	if err != nil || n < 1 {
		return without
	}
	return min(n, most)
}

// adopt adds headers.
func (a answer) adopt(h http.Header) answer {
	for name := range h {
		a = a.with(name, h.Get(name))
	}
	return a
}
