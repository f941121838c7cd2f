package githubtest

import (
	"context"
	"maps"
)

// Event is a webhook to send by hand. The names are looked up now and become the parts of the body that such
// an event has; Fields are added or replace them.
type Event struct {
	Name, Action string // "repository", "renamed"
	Repo         string // owner/name: repository, organization
	Org          string
	User         string // member, or the user of membership
	Team         string // of Org or of Repo's owner
	Fields       map[string]any
}

// SendHook delivers an event that needs no change to happen, to a loopback address, and waits for the answer:
// for events that have no method here, repeated ones, and ones with a wrong secret.
func (g *GitHub) SendHook(url, secret string, e Event) Delivery {
	compose := func() *Delivery {
		g.mu.Lock()
		defer g.mu.Unlock()
		return g.delivery(&hook{id: g.nextID(), url: url, secret: secret}, e.Name, e.Action, g.accountOf(e), g.fieldsOf(e))
	}
	d := compose()
	d.Status, d.Err = post(context.Background(), d)
	return *d
}

func (g *GitHub) accountOf(e Event) int64 {
	switch {
	case e.Repo != "":
		return g.mustRepo(e.Repo).owner
	case e.Org != "":
		return g.mustOrg(e.Org).id
	case e.User != "":
		return g.mustUser(e.User).id
	}
	return 0
}

func (g *GitHub) fieldsOf(e Event) map[string]any {
	c := g.hookCall()
	fields := map[string]any{}
	if e.Repo != "" {
		fields["repository"] = g.document(c, g.mustRepo(e.Repo))
	}
	if e.User != "" {
		u := g.mustUser(e.User)
		if e.Name == "organization" {
			fields["membership"] = g.membershipDocument(c, g.mustOrg(e.Org), u, false)
		} else {
			fields["member"] = g.simpleUser(c, u)
		}
	}
	if e.Team != "" {
		t := g.accounts[g.accountOf(e)].teams[slugOf(e.Team)]
		if t == nil {
			panic("githubtest: no team " + e.Team)
		}
		fields["team"] = g.teamDocument(c, t)
	}
	maps.Copy(fields, e.Fields)
	return fields
}

// Below, what changes tell. Each is called under the lock.

func (g *GitHub) tellRepo(action string, r *repo, fields map[string]any) {
	all := map[string]any{"repository": g.document(g.hookCall(), r)}
	maps.Copy(all, fields)
	g.emit("repository", action, r.owner, all)
}

func from(v any) map[string]any { return map[string]any{"from": v} }

// tellVisibility: GitHub has events for what becomes public and for what stops being so, not for a change
// between private and internal.
func (g *GitHub) tellVisibility(r *repo, was Visibility) {
	switch {
	case was != Public && r.visibility == Public:
		g.tellRepo("publicized", r, nil)
		g.emit("public", "", r.owner, map[string]any{"repository": g.document(g.hookCall(), r)})
	case was == Public && r.visibility != Public:
		g.tellRepo("privatized", r, nil)
	}
}

func (g *GitHub) tellTransfer(r *repo, was *account) {
	c := g.hookCall()
	kind, former := "user", any(g.simpleUser(c, was))
	if was.org {
		kind, former = "organization", g.simpleOrg(c, was)
	}
	g.emit("repository", "transferred", r.owner, map[string]any{
		"changes":    map[string]any{"owner": from(map[string]any{kind: former})},
		"repository": g.document(c, r),
	}, was.id)
}

func (g *GitHub) tellMember(action string, r *repo, user int64, was, is Role) {
	c := g.hookCall()
	fields := map[string]any{"repository": g.document(c, r), "member": g.simpleUser(c, g.accounts[user])}
	switch action {
	case "added":
		fields["changes"] = map[string]any{"permission": map[string]any{"to": is.legacy()}, "role_name": map[string]any{"to": is.String()}}
	case "edited":
		fields["changes"] = map[string]any{
			"old_permission": from(was.legacy()), "permission": map[string]any{"from": was.legacy(), "to": is.legacy()},
		}
	}
	g.emit("member", action, r.owner, fields)
}

func (g *GitHub) tellOrgMember(action string, org *account, user int64, owner bool) {
	c := g.hookCall()
	g.emit("organization", action, org.id, map[string]any{"membership": g.membershipDocument(c, org, g.accounts[user], owner)})
}

func (g *GitHub) tellMembership(action string, t *team, user int64) {
	c := g.hookCall()
	g.emit("membership", action, t.org.id, map[string]any{
		"scope": "team", "team": g.teamDocument(c, t), "member": g.simpleUser(c, g.accounts[user]),
	})
}

func (g *GitHub) tellTeam(action string, t *team, r *repo, fields map[string]any) {
	c := g.hookCall()
	all := map[string]any{"team": g.teamDocument(c, t)}
	if r != nil {
		d := g.document(c, r)
		delete(d, "has_discussions") // left out of this event
		delete(d, "web_commit_signoff_required")
		all["repository"] = d
	}
	maps.Copy(all, fields)
	g.emit("team", action, t.org.id, all)
	if action == "added_to_repository" {
		all["repository"] = g.document(c, r)
		g.emit("team_add", "", t.org.id, all)
	}
}

// tellApproval tells that an organization let a fine-grained token in.
func (g *GitHub) tellApproval(t *token) {
	c := g.hookCall()
	added := map[string]any{"organization": map[string]any{}, "repository": map[string]any{"metadata": "read"}, "other": map[string]any{}}
	fields := map[string]any{
		"id": t.id, "owner": g.simpleUser(c, g.accounts[t.user]), "permissions_added": added, "permissions_result": added,
		"permissions_upgraded": map[string]any{}, "repository_selection": "subset", "repository_count": len(t.repos), "repositories": nil,
		"created_at": stamp(t.made), "token_id": t.id, "token_name": "fine-grained token", "token_expired": false,
		"token_expires_at": nil, "token_last_used_at": nil,
	}
	if t.all {
		fields["repository_selection"], fields["repository_count"] = "all", nil
	}
	if !t.expires.IsZero() {
		fields["token_expires_at"] = stamp(t.expires)
	}
	g.emit("personal_access_token_request", "approved", t.owner, map[string]any{"personal_access_token_request": fields})
}

func (g *GitHub) tellInstallation(action string, in *installed) {
	c := g.hookCall()
	g.emit("installation", action, in.account, map[string]any{"installation": g.installDocument(c, in), "repositories": g.chosen(in), "requester": nil})
}

// tellChoice tells which repositories an installation won and lost.
func (g *GitHub) tellChoice(in *installed, won, lost []any) {
	c := g.hookCall()
	d := g.installDocument(c, in)
	for action, repos := range map[string][]any{"added": won, "removed": lost} {
		if len(repos) == 0 {
			continue
		}
		fields := map[string]any{
			"installation": d, "repository_selection": d["repository_selection"], "requester": nil,
			"repositories_added": []any{}, "repositories_removed": []any{},
		}
		fields["repositories_"+action] = repos
		g.emit("installation_repositories", action, in.account, fields)
	}
}

// chosen are the repositories of an installation, as deliveries have them.
func (g *GitHub) chosen(in *installed) []any {
	all := []any{}
	for _, r := range g.sortedRepos() {
		if in.account == r.owner && (in.all || in.repos[r.id]) {
			all = append(all, map[string]any{
				"id": r.id, "node_id": r.nodeID(), "name": r.name, "full_name": g.fullName(r), "private": r.visibility != Public,
			})
		}
	}
	return all
}

func (g *GitHub) tellAccountName(a *account, was string) {
	c := g.hookCall()
	changes := map[string]any{"login": from(was)}
	if a.org {
		g.emit("organization", "renamed", a.id, map[string]any{"changes": changes})
	}
	for _, id := range sortedKeys(maps.Keys(g.apps)) {
		if in := g.apps[id].installs[a.id]; in != nil {
			account := g.simpleUser(c, a)
			kind := "User"
			if a.org {
				kind = "Organization"
			}
			g.emit("installation_target", "renamed", a.id, map[string]any{"account": account, "changes": changes, "target_type": kind})
		}
	}
}
