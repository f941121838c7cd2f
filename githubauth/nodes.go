package githubauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"gatehouse/scopes"
)

const (
	perField = 100 // node ids that one field of GraphQL takes
	perBatch = 500 // repositories in one request
)

// node is a repository as GraphQL shows it.
type node struct {
	ID         string `json:"id"`
	DatabaseID int64  `json:"databaseId"`
	Name       string `json:"name"`
	Owner      struct {
		Login      string `json:"login"`
		DatabaseID int64  `json:"databaseId"`
	} `json:"owner"`
	IsPrivate        *bool  `json:"isPrivate"`
	Visibility       string `json:"visibility"`
	IsArchived       bool   `json:"isArchived"`
	IsDisabled       bool   `json:"isDisabled"`
	ViewerPermission string `json:"viewerPermission"`
}

// internal reports whether all of the owner's enterprise sees it.
func (n *node) internal() bool {
	return n.Visibility == "INTERNAL" && n.IsPrivate != nil && *n.IsPrivate
}

// public reports whether everybody sees it; a missing field must not read as public.
func (n *node) public() bool {
	return n.IsPrivate != nil && !*n.IsPrivate && (n.Visibility == "" || n.Visibility == "PUBLIC")
}

func (n *node) repo() scopes.Repo {
	return scopes.Repo{ID: n.DatabaseID, OwnerID: n.Owner.DatabaseID, Owner: n.Owner.Login, Name: n.Name, Node: n.ID}
}

func (n *node) role() scopes.Permission {
	switch n.ViewerPermission {
	case "ADMIN":
		return scopes.Admin
	case "MAINTAIN", "WRITE":
		return scopes.Write
	case "TRIAGE", "READ":
		return scopes.Read
	}
	return scopes.None
}

// seen is GraphQL's answer about one repository: a node, or why there is none. Neither: it did not say.
type seen struct {
	node *node
	err  error // errNotShown or *refused
}

// viewer is the account that a token acts as.
type viewer struct {
	Login      string `json:"login"`
	DatabaseID int64  `json:"databaseId"`
}

// nodesAnswer is what one query brought. repos is in the order of the question.
type nodesAnswer struct {
	viewer viewer
	repos  []seen
	header http.Header
}

type nodeError struct {
	Type       string `json:"type"`
	Message    string `json:"message"`
	Path       []any  `json:"path"`
	Extensions struct {
		SAML bool `json:"saml_failure"`
	} `json:"extensions"`
}

// askNodes asks GraphQL who the token acts as and what it sees of repos, at most perBatch of them, each with its Node. Beside the errors of call it
// returns *refused or errNotShown where there is no GraphQL for this token.
func (c *Client) askNodes(ctx context.Context, k *credential, token string, repos []scopes.Repo) (nodesAnswer, error) {
	var answer struct {
		Data map[string]*nodesOrViewer `json:"data"`
		Errs []nodeError               `json:"errors"`
	}
	query, variables := nodesQuery(repos)
	resp, err := c.call(ctx, k, plan{"GraphQL nodes", graphQL, func(ctx context.Context) (*http.Response, error) {
		g := c.as(token, sameHost)
		req, err := g.NewRequest(http.MethodPost, c.graphql.String(), map[string]any{"query": query, "variables": variables})
		if err != nil {
			return nil, err
		}
		resp, err := g.Do(ctx, req, &answer)
		if resp == nil {
			return nil, err
		}
		for _, e := range answer.Errs {
			if e.Type == "RATE_LIMITED" {
				return resp.Response, &Unavailable{Retry: c.untilReset(resp.Header), Cause: "rate limit of GraphQL", limit: true}
			}
		}
		return resp.Response, err
	}})
	if err != nil {
		return nodesAnswer{}, err
	}
	if answer.Data == nil || answer.Data["viewer"] == nil || answer.Data["viewer"].viewer.Login == "" {
		return nodesAnswer{}, &Unavailable{Retry: time.Minute, Cause: "GraphQL names no viewer"}
	}
	found := nodesAnswer{viewer: answer.Data["viewer"].viewer, repos: make([]seen, len(repos)), header: resp.Header}
	for i, r := range repos {
		field := answer.Data[fieldOf(i)]
		if field == nil || i%perField >= len(field.nodes) {
			continue
		}
		// A node that answers with another number is not the one that was asked for.
		if n := field.nodes[i%perField]; n != nil && n.DatabaseID == r.ID && n.Owner.DatabaseID != 0 {
			n.ID = r.Node
			found.repos[i].node = n
		}
	}
	for _, e := range answer.Errs {
		if i, ok := indexOf(e.Path); ok && i < len(repos) && found.repos[i].node == nil {
			found.repos[i].err = c.nodeVerdict(e, resp.Header.Get("X-GitHub-SSO"))
		}
	}
	return found, nil
}

// nodesQuery puts up to perField ids into each of several fields of one query.
func nodesQuery(repos []scopes.Repo) (string, map[string]any) {
	variables := map[string]any{}
	var declared, fields strings.Builder
	for i := 0; i < len(repos); i += perField {
		var ids []string
		for _, r := range repos[i:min(i+perField, len(repos))] {
			ids = append(ids, r.Node)
		}
		name := fieldOf(i)
		variables[name] = ids
		fmt.Fprintf(&declared, "$%s:[ID!]!", name)
		fmt.Fprintf(&fields, " %s:nodes(ids:$%s){...r}", name, name)
	}
	if len(repos) == 0 {
		return "query{viewer{login databaseId}}", nil
	}
	return "query(" + declared.String() + "){viewer{login databaseId}" + fields.String() +
		"} fragment r on Repository{id databaseId name owner{login ...on User{databaseId} ...on Organization{databaseId}} isPrivate visibility isArchived isDisabled viewerPermission}", variables
}

func fieldOf(i int) string { return fmt.Sprintf("n%d", i/perField) }

// indexOf reads the path of an error, ["n2", 17] for instance, back into a place in the question.
func indexOf(path []any) (int, bool) {
	if len(path) < 2 {
		return 0, false
	}
	field, _ := path[0].(string)
	at, isNumber := path[1].(float64)
	var block int
	if n, err := fmt.Sscanf(field, "n%d", &block); n != 1 || err != nil || !isNumber || at < 0 || at >= perField || block < 0 || block > perBatch {
		return 0, false
	}
	return block*perField + int(at), true
}

// nodeVerdict is what an error beside the data says of its repository; nil if that is not clear.
func (c *Client) nodeVerdict(e nodeError, sso string) error {
	switch e.Type {
	case "NOT_FOUND":
		return errNotShown
	case "FORBIDDEN":
		if !e.Extensions.SAML {
			sso = "" // the header is about another organisation's repositories
		}
		return c.refusal(e.Message, sso)
	}
	return nil
}

// unclear reports an error after which another way of asking makes sense.
func unclear(err error) bool {
	return err != nil && !errors.Is(err, ErrBadCredential)
}
