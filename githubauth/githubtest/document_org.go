package githubtest

import (
	"maps"
	"strconv"
)

// simpleOrg is the schema organization-simple.
func (g *GitHub) simpleOrg(c *call, o *account) map[string]any {
	url := c.base + "/orgs/" + o.login
	return map[string]any{
		"login": o.login, "id": o.id, "node_id": o.nodeID(), "url": url, "repos_url": url + "/repos", "events_url": url + "/events",
		"hooks_url": url + "/hooks", "issues_url": url + "/issues", "members_url": url + "/members{/member}",
		"public_members_url": url + "/public_members{/member}", "description": "",
		"avatar_url": c.web + "/avatars/u/" + strconv.FormatInt(o.id, 10) + "?v=4",
	}
}

// membershipDocument is the schema org-membership without the organization, which deliveries have beside it.
func (g *GitHub) membershipDocument(c *call, o, user *account, owner bool) map[string]any {
	role, state := "member", "active"
	if owner {
		role = "admin"
	}
	if _, invited := o.invited[user.id]; invited {
		state = "pending"
	}
	url := c.base + "/orgs/" + o.login
	return map[string]any{
		"url": url + "/memberships/" + user.login, "state": state, "role": role, "organization_url": url, "user": g.simpleUser(c, user),
		"direct_membership": true, "enterprise_teams_providing_indirect_membership": []any{},
	}
}

// teamDocument is the schema team.
func (g *GitHub) teamDocument(c *call, t *team) map[string]any {
	url := c.base + "/organizations/" + strconv.FormatInt(t.org.id, 10) + "/team/" + strconv.FormatInt(t.id, 10)
	privacy := "closed"
	if t.secret {
		privacy = "secret"
	}
	return map[string]any{
		"id": t.id, "node_id": nodeID("T", t.id), "name": t.name, "slug": t.slug, "description": "", "privacy": privacy,
		"notification_setting": "notifications_enabled", "permission": "pull", "parent": nil, "type": "organization", "organization_id": t.org.id,
		"url": url, "members_url": url + "/members{/member}", "repositories_url": url + "/repos",
		"html_url": c.web + "/orgs/" + t.org.login + "/teams/" + t.slug,
	}
}

// fullTeamDocument is the schema team-full.
func (g *GitHub) fullTeamDocument(c *call, t *team) map[string]any {
	d := g.teamDocument(c, t)
	d["created_at"], d["updated_at"] = stamp(t.created), stamp(t.created)
	d["members_count"], d["repos_count"] = len(t.members), len(t.repos)
	o := g.simpleOrg(c, t.org)
	maps.Copy(o, map[string]any{
		"name": t.org.login, "html_url": c.web + "/" + t.org.login, "type": "Organization", "has_organization_projects": true,
		"has_repository_projects": true, "public_repos": 0, "public_gists": 0, "followers": 0, "following": 0,
		"created_at": stamp(t.org.created), "updated_at": stamp(t.org.created), "archived_at": nil,
	})
	d["organization"] = o
	return d
}
