package githubtest

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"maps"
	"strings"
)

// root is the type Query.
func (x *execution) root(s selection, path []any) (any, bool) {
	switch s.name {
	case "viewer":
		if t := x.c.token; t.user == 0 {
			return bot(t), true
		}
		return accountObject(x.g.accounts[x.c.token.user]), true
	case "node":
		id, _ := s.args["id"].(string)
		return x.node(id, s, path), true
	case "nodes":
		return x.nodes(s, path), true
	case "repository":
		owner, _ := s.args["owner"].(string)
		name, _ := s.args["name"].(string)
		r, _ := x.g.findRepo(owner, name)
		return x.repository(r, s, path, fmt.Sprintf("Could not resolve to a Repository with the name '%s/%s'.", owner, name)), true
	case "rateLimit":
		b := x.g.bucketOf(x.c.caller, route{pattern: PostGraphQL})
		return object{kind: "RateLimit", field: fields(map[string]any{
			"cost": 1, "limit": b.limit, "remaining": b.remaining() - 1, "used": b.used + 1, "resetAt": stamp(b.reset),
		})}, true
	}
	return nil, false
}

// nodes takes at most 100 ids a field; several aliased fields may share a query (sourcecred/sourcecred#908).
func (x *execution) nodes(s selection, path []any) any {
	ids, _ := s.args["ids"].([]any)
	if len(ids) > 100 {
		x.void = true
		x.fail(s, path, "ARGUMENT_LIMIT", fmt.Sprintf("You may not provide more than 100 node ids; you provided %d.", len(ids)), nil)
		return nil
	}
	found := make([]any, len(ids))
	for i, v := range ids {
		id, _ := v.(string)
		found[i] = x.node(id, s, append(path[:len(path):len(path)], i))
	}
	return found
}

func (x *execution) node(id string, s selection, path []any) any {
	missing := fmt.Sprintf("Could not resolve to a node with the global id of '%s'.", id)
	kind, n := parseNodeID(id)
	switch a := x.g.accounts[n]; {
	case kind == "R":
		return x.repository(x.g.repos[n], s, path, missing)
	case a != nil && a.nodeID() == id:
		return accountObject(a)
	}
	x.fail(s, path, "NOT_FOUND", missing, nil)
	return nil
}

// repository is the type Repository, for those who may see it.
func (x *execution) repository(r *repo, s selection, path []any, missing string) any {
	g, c := x.g, x.c
	if r == nil || !g.visible(c.caller, r) {
		x.fail(s, path, "NOT_FOUND", missing, nil)
		return nil
	}
	owner := g.accounts[r.owner]
	if p := g.policy(c.caller, owner); p != nil {
		if p.sso && x.sso == "" {
			x.sso = p.ssoHeader(c.web)
		}
		x.fail(s, path, "FORBIDDEN", p.message, map[string]any{"saml_failure": p.sso})
		return nil
	}
	// What an installation token sees here is not known; null has nobody take it for a permission.
	var permission any
	if c.token.user != 0 {
		permission = g.role(c.token.user, r).graphql()
	}
	plain := fields(map[string]any{
		"id": r.nodeID(), "databaseId": r.id, "name": r.name, "nameWithOwner": g.fullName(r), "url": c.web + "/" + g.fullName(r),
		"isPrivate": r.visibility != Public, "visibility": strings.ToUpper(string(r.visibility)),
		"isArchived": r.archived, "isDisabled": r.blocked != "", "isEmpty": r.empty, "isFork": false,
		"isInOrganization": owner.org, "viewerPermission": permission,
		"owner": accountObject(owner), "updatedAt": stamp(r.updated), "createdAt": stamp(r.created),
	})
	return object{kind: "Repository", interfaces: []string{"Node", "UniformResourceLocatable"}, field: func(s selection, path []any) (any, bool) {
		if s.name == "collaborators" {
			return x.collaborators(r, s, path), true
		}
		return plain(s, path)
	}}
}

// collaborators is Repository.collaborators, which wants push of a person who asks, as the REST list does.
// The argument login leaves the one with that login.
func (x *execution) collaborators(r *repo, s selection, path []any) any {
	g, t := x.g, x.c.token
	if t.user != 0 && g.role(t.user, r) < Push {
		x.fail(s, path, "FORBIDDEN", "You do not have permission to view repository collaborators.", nil)
		return nil
	}
	login, one := s.args["login"].(string)
	edges, nodes := []any{}, []any{}
	for _, u := range g.collaboratorsOf(r) {
		if one && fold(u.login) != fold(login) {
			continue
		}
		edges = append(edges, object{kind: "RepositoryCollaboratorEdge", field: fields(map[string]any{
			"permission": g.role(u.id, r).graphql(), "node": accountObject(u), "cursor": u.nodeID(),
		})})
		nodes = append(nodes, accountObject(u))
	}
	total := len(edges)
	if first, given := s.args["first"].(float64); given {
		n := min(total, max(0, int(first)))
		edges, nodes = edges[:n], nodes[:n]
	}
	return object{kind: "RepositoryCollaboratorConnection", field: fields(map[string]any{
		"totalCount": total, "edges": edges, "nodes": nodes,
	})}
}

// collaboratorsOf returns the people who have a role of their own on the repository, oldest first.
func (g *GitHub) collaboratorsOf(r *repo) []*account {
	var all []*account
	for _, id := range sortedKeys(maps.Keys(g.accounts)) {
		if u := g.accounts[id]; !u.org && g.givenRole(u.id, r) > NoRole {
			all = append(all, u)
		}
	}
	return all
}

// accountObject is a User or an Organization. In the interface RepositoryOwner real GitHub has no databaseId:
// it needs a fragment on the type, which works here too.
func accountObject(a *account) object {
	o := object{kind: "User", interfaces: []string{"Node", "Actor", "RepositoryOwner"}, field: fields(map[string]any{
		"id": a.nodeID(), "databaseId": a.id, "login": a.login, "name": a.login,
	})}
	if a.org {
		o.kind = "Organization"
	}
	return o
}

// bot is the viewer of an installation token: <slug>[bot]. github-actions[bot] has a well-known number.
func bot(t *token) object {
	id := int64(41898282)
	if t.form != actions {
		id = 1000 + int64(len(t.bot))
	}
	return object{kind: "User", interfaces: []string{"Node", "Actor"}, field: fields(map[string]any{
		"id": nodeID("BOT", id), "databaseId": id, "login": t.bot, "name": nil,
	})}
}

func fields(values map[string]any) func(selection, []any) (any, bool) {
	return func(s selection, _ []any) (any, bool) {
		v, exists := values[s.name]
		return v, exists
	}
}

// parseNodeID takes a node id apart.
func parseNodeID(id string) (kind string, n int64) {
	kind, packed, _ := strings.Cut(id, "_")
	b, err := base64.RawURLEncoding.DecodeString(packed)
	if err != nil || len(b) != 7 {
		return "", 0
	}
	return kind, int64(binary.BigEndian.Uint32(b[3:]))
}
