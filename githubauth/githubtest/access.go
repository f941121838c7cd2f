package githubtest

import (
	"net/netip"
	"time"
)

// caller is who sent a request.
type caller struct {
	token  *token // nil: anonymous, or an OAuth app
	client string // the OAuth app's client id
	app    *app   // a GitHub App, by its JWT
	addr   netip.Addr
}

func (c caller) anonymous() bool { return c.token == nil && c.client == "" && c.app == nil }

// role is the highest of ownership, organization, team, direct grant and visibility.
func (g *GitHub) role(user int64, r *repo) Role {
	given := g.givenRole(user, r)
	if r.visibility == Public {
		given = max(given, Pull)
	}
	return given
}

// givenRole is role without what everybody has on a public repository: whoever has one is a collaborator in
// the sense of GitHub's lists.
func (g *GitHub) givenRole(user int64, r *repo) Role {
	switch user {
	case 0:
		return NoRole
	case r.owner:
		return Admin
	}
	best := r.grants[user]
	owner := g.accounts[r.owner]
	if isOwner, member := owner.members[user]; isOwner {
		return Admin
	} else if member {
		best = max(best, owner.base)
	}
	_, invited := owner.invited[user]
	for _, t := range owner.teams {
		if _, in := t.members[user]; in && !invited {
			best = max(best, t.repos[r.id])
		}
	}
	if r.visibility == Internal && g.member(user) {
		best = max(best, Pull)
	}
	return best
}

// member says whether the user belongs to any organization, hence to the enterprise.
func (g *GitHub) member(user int64) bool {
	for _, a := range g.accounts {
		if _, ok := a.members[user]; ok {
			return true
		}
	}
	return false
}

// selected says whether a token with permissions was given this repository. A repository that went to another
// owner is out of reach: such tokens have one resource owner, installations one account.
func (t *token) selected(r *repo) bool {
	switch {
	case t.install != nil && !t.install.reaches(r):
		return false
	case t.client != nil && t.client.app != nil:
		return t.client.app.installs[r.owner].reaches(r)
	}
	return !t.pending && (t.owner == 0 || t.owner == r.owner) && (t.all || t.repos[r.id])
}

// visible says whether the caller may read the repository's metadata. What isn't visible is answered with
// 404 ("Troubleshooting the REST API", 404 Not Found for an existing resource).
func (g *GitHub) visible(c caller, r *repo) bool {
	if r.visibility == Public {
		return true
	}
	t := c.token
	switch {
	case t == nil:
		return false
	case t.user != 0 && g.role(t.user, r) < Pull:
		return false
	case t.scoped():
		return t.has("repo")
	}
	return t.selected(r)
}

// reach is what the credential may do with the repository's contents, whatever its user's role.
func (t *token) reach(r *repo) Level {
	level := None
	switch {
	case t.scoped() && (t.has("repo") || t.has("public_repo") && r.visibility == Public):
		level = Write
	case !t.scoped() && t.selected(r):
		level = t.contents
	}
	if r.visibility == Public {
		level = max(level, Read)
	}
	return level
}

// reads says whether the caller may read the contents.
func (g *GitHub) reads(c caller, r *repo) bool {
	return g.visible(c, r) && (r.visibility == Public || c.token.reach(r) >= Read)
}

// writes says whether the caller may change the contents, were the repository not archived: role and reach.
func (g *GitHub) writes(c caller, r *repo) bool {
	t := c.token
	return t != nil && g.visible(c, r) && t.reach(r) >= Write && (t.user == 0 || g.role(t.user, r) >= Push)
}

// refusal is a policy of an organization that a good credential meets.
type refusal struct {
	message string
	sso     bool
	org     *account
}

// ssoHeader is the X-GitHub-SSO of a refusal: where to authorise the token.
func (p *refusal) ssoHeader(web string) string {
	return "required; url=" + web + "/orgs/" + p.org.login + "/sso?authorization_request=FAKE"
}

// policy returns the organization's objection to this credential, if it has one.
func (g *GitHub) policy(c caller, owner *account) *refusal {
	if !owner.org || c.token == nil {
		return nil
	}
	t := c.token
	if len(owner.allow) > 0 && !contains(owner.allow, c.addr) {
		return &refusal{org: owner, message: "Although you appear to have the correct authorization credentials, the `" +
			owner.login + "` organization has an IP allow list enabled, and your IP address is not permitted to access this resource."}
	}
	if t.form == classic && owner.forbidClassic {
		return &refusal{org: owner, message: "`" + owner.login + "` forbids access via a personal access token (classic). " +
			"Please use a GitHub App, OAuth App, or a personal access token with fine-grained permissions."}
	}
	if _, member := owner.members[t.user]; t.form == classic && owner.sso && member && !t.sso[owner.id] {
		return &refusal{org: owner, sso: true, message: "Resource protected by organization SAML enforcement. " +
			"You must grant your Personal Access token access to this organization."}
	}
	return nil
}

func contains(prefixes []netip.Prefix, addr netip.Addr) bool {
	for _, p := range prefixes {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

func (t *token) expired(now time.Time) bool { return !t.expires.IsZero() && !now.Before(t.expires) }
