package githubtest

import (
	"crypto/sha1"
	"encoding/hex"
	"strconv"
	"strings"
	"time"
)

// repoLinks are the URLs of a repository's document below its own.
var repoLinks = map[string]string{
	"archive_url": "/{archive_format}{/ref}", "assignees_url": "/assignees{/user}", "blobs_url": "/git/blobs{/sha}",
	"branches_url": "/branches{/branch}", "collaborators_url": "/collaborators{/collaborator}", "comments_url": "/comments{/number}",
	"commits_url": "/commits{/sha}", "compare_url": "/compare/{base}...{head}", "contents_url": "/contents/{+path}",
	"contributors_url": "/contributors", "deployments_url": "/deployments", "downloads_url": "/downloads", "events_url": "/events",
	"forks_url": "/forks", "git_commits_url": "/git/commits{/sha}", "git_refs_url": "/git/refs{/sha}", "git_tags_url": "/git/tags{/sha}",
	"hooks_url": "/hooks", "issue_comment_url": "/issues/comments{/number}", "issue_events_url": "/issues/events{/number}",
	"issues_url": "/issues{/number}", "keys_url": "/keys{/key_id}", "labels_url": "/labels{/name}", "languages_url": "/languages",
	"merges_url": "/merges", "milestones_url": "/milestones{/number}", "notifications_url": "/notifications{?since,all,participating}",
	"pulls_url": "/pulls{/number}", "releases_url": "/releases{/id}", "stargazers_url": "/stargazers", "statuses_url": "/statuses/{sha}",
	"subscribers_url": "/subscribers", "subscription_url": "/subscription", "tags_url": "/tags", "teams_url": "/teams",
	"trees_url": "/git/trees{/sha}", "url": "",
}

// document is the schema repository, as lists have it.
func (g *GitHub) document(c *call, r *repo) map[string]any {
	owner := g.accounts[r.owner]
	full := g.fullName(r)
	_, host, _ := strings.Cut(c.web, "://")
	d := map[string]any{
		"id": r.id, "node_id": r.nodeID(), "name": r.name, "full_name": full, "owner": g.simpleUser(c, owner),
		"private": r.visibility != Public, "visibility": string(r.visibility),
		"archived": r.archived, "disabled": r.blocked != "", "default_branch": r.branch,
		"description": nil, "homepage": nil, "language": nil, "license": nil, "mirror_url": nil,
		"fork": false, "is_template": false, "allow_forking": r.visibility == Public, "web_commit_signoff_required": false,
		"has_issues": true, "has_projects": true, "has_wiki": true, "has_pages": false, "has_downloads": true, "has_discussions": false,
		"topics": []string{}, "size": 1, "forks": 0, "forks_count": 0, "watchers": 0, "watchers_count": 0, "stargazers_count": 0,
		"open_issues": 0, "open_issues_count": 0,
		"created_at": stamp(r.created), "updated_at": stamp(r.updated), "pushed_at": stamp(r.created),
		"html_url": c.web + "/" + full, "clone_url": c.web + "/" + full + ".git", "svn_url": c.web + "/" + full,
		"git_url": "git://" + host + "/" + full + ".git", "ssh_url": "git@" + host + ":" + full + ".git",
	}
	for name, suffix := range repoLinks {
		d[name] = c.base + "/repos/" + full + suffix
	}
	if shown := g.shownPermissions(c.caller, r); shown != nil {
		d["permissions"] = shown
	}
	return d
}

// shownPermissions is the `permissions` map: the person's role whatever the token may do, all false for an
// installation token whatever it may do, and no key without a user (github.md §1.3). It is not what anybody
// should decide by.
func (g *GitHub) shownPermissions(c caller, r *repo) map[string]bool {
	switch {
	case c.token == nil:
		return nil
	case c.token.user == 0:
		return NoRole.permissions()
	}
	return g.role(c.token.user, r).permissions()
}

// minimalDocument is the schema minimal-repository, of GET /orgs/{org}/repos.
func (g *GitHub) minimalDocument(c *call, r *repo) map[string]any {
	d := g.document(c, r)
	d["security_and_analysis"] = map[string]any{}
	return d
}

// fullDocument is the schema full-repository, of GET /repos/{owner}/{repo}.
func (g *GitHub) fullDocument(c *call, r *repo) map[string]any {
	d := g.document(c, r)
	d["network_count"], d["subscribers_count"], d["temp_clone_token"] = 0, 0, nil
	if g.accounts[r.owner].org {
		d["organization"] = g.simpleUser(c, g.accounts[r.owner])
	}
	return d
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// commitOf is the repository's only commit.
func commitOf(r *repo) string {
	sum := sha1.Sum([]byte(strconv.FormatInt(r.id, 10)))
	return hex.EncodeToString(sum[:])
}
