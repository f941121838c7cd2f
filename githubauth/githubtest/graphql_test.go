package githubtest

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"testing"
)

func (a asker) query(text string, variables map[string]any) map[string]any {
	a.t.Helper()
	body, err := json.Marshal(map[string]any{"query": text, "variables": variables})
	if err != nil {
		a.t.Fatal(err)
	}
	r := a.do(PostGraphQL, string(body))
	if r.StatusCode != 200 {
		a.t.Fatalf("%d %s", r.StatusCode, r.body)
	}
	return r.document(a.t)
}

func jsonOf(t *testing.T, text string) (v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return v
}

func TestNodes(t *testing.T) {
	f := started(t)
	other := f.AddRepo("mallory/secret", Private)
	const text = `
		# as in github.md §3.5
		query Batch($first: [ID!]!, $second: [ID!]! = []) {
			viewer { login, databaseId }
			a: nodes(ids: $first) { ...facts }
			b: nodes(ids: $second) { ... on Repository { databaseId } ... on User { login } }
			rateLimit { cost }
		}
		fragment facts on Repository {
			__typename id databaseId nameWithOwner isPrivate visibility isArchived isDisabled viewerPermission owner { id login }
		}`
	got := f.as(t, f.Wendy).query(text, map[string]any{
		"first":  []string{f.UI.NodeID, other.NodeID, f.Open.NodeID},
		"second": []string{f.Account("rita").NodeID, "R_kgDOAAAAAA", "nonsense"},
	})
	want := jsonOf(t, fmt.Sprintf(`{
		"viewer": {"login": "wendy", "databaseId": %d},
		"a": [
			{"__typename": "Repository", "id": %q, "databaseId": %d, "nameWithOwner": "acme/ui", "isPrivate": true, "visibility": "PRIVATE",
			 "isArchived": false, "isDisabled": false, "viewerPermission": "WRITE", "owner": {"id": %q, "login": "acme"}},
			null,
			{"__typename": "Repository", "id": %q, "databaseId": %d, "nameWithOwner": "acme/open", "isPrivate": false, "visibility": "PUBLIC",
			 "isArchived": false, "isDisabled": false, "viewerPermission": "READ", "owner": {"id": %q, "login": "acme"}}
		],
		"b": [{"login": "rita"}, null, null],
		"rateLimit": {"cost": 1}
	}`, f.Account("wendy").ID, f.UI.NodeID, f.UI.ID, f.Account("acme").NodeID, f.Open.NodeID, f.Open.ID, f.Account("acme").NodeID))
	if !reflect.DeepEqual(got["data"], want) {
		t.Errorf("got %v\nwant %v", got["data"], want)
	}
	paths := []string{}
	for _, e := range got["errors"].([]any) {
		e := e.(map[string]any)
		if e["type"] != "NOT_FOUND" || !strings.HasPrefix(e["message"].(string), "Could not resolve to a node with the global id of '") {
			t.Errorf("%v", e)
		}
		paths = append(paths, fmt.Sprint(e["path"]))
	}
	if want := "[a 1] [b 1] [b 2]"; strings.Join(paths, " ") != want {
		t.Errorf("paths %v, want %s", paths, want)
	}
}

func TestNodesLimit(t *testing.T) {
	f := started(t)
	ids := make([]string, 101)
	for i := range ids {
		ids[i] = f.UI.NodeID
	}
	const text = `query($a:[ID!]!,$b:[ID!]!){a:nodes(ids:$a){id} b:nodes(ids:$b){id}}`
	got := f.as(t, f.Wendy).query(text, map[string]any{"a": ids[:100], "b": ids[:100]})
	if got["errors"] != nil || len(got["data"].(map[string]any)["b"].([]any)) != 100 {
		t.Errorf("twice 100: %v", got["errors"])
	}
	got = f.as(t, f.Wendy).query(text, map[string]any{"a": ids[:100], "b": ids})
	if got["data"] != nil || !strings.Contains(fmt.Sprint(got["errors"]), "100 node ids") {
		t.Errorf("101: %v", got["errors"])
	}
}

func TestGraphQLCallers(t *testing.T) {
	f := started(t)
	const text = `query($o:String!,$n:String!){viewer{login databaseId} repository(owner:$o,name:$n){databaseId viewerPermission}}`
	ui := map[string]any{"o": "ACME", "n": "ui"}
	for _, c := range []struct {
		token, login string
		permission   any
	}{
		{f.WendyReads, "wendy", "WRITE"}, {f.Rita, "rita", "READ"}, {f.Ada, "ada", "ADMIN"}, {f.ActionsWrites, "github-actions[bot]", nil},
		{f.Token(Installation{App: "gatehouse", Owner: "acme"}), "gatehouse[bot]", nil},
	} {
		data := f.as(t, c.token).query(text, ui)["data"].(map[string]any)
		repository, _ := data["repository"].(map[string]any)
		if data["viewer"].(map[string]any)["login"] != c.login || repository["databaseId"] != float64(f.UI.ID) || repository["viewerPermission"] != c.permission {
			t.Errorf("%s: %v", c.login, data)
		}
	}
	f.Rename("acme/ui", "widgets")
	if got := f.as(t, f.Rita).query(text, ui); got["errors"] != nil {
		t.Errorf("a renamed repository: %v", got)
	}
	got := f.as(t, f.Mallory).query(text, ui)
	if got["data"].(map[string]any)["repository"] != nil || !strings.Contains(fmt.Sprint(got["errors"]), "Could not resolve to a Repository with the name 'ACME/ui'.") {
		t.Errorf("a stranger: %v", got)
	}
	f.as(t, "").want(401, PostGraphQL)
	f.as(t, "ghp_wrong").want(401, PostGraphQL)
	// The path of github.com
	if r := (asker{t, f.URL(), f.Rita}).do(PostGraphQL, `{"query":"{viewer{login}}"}`); r.StatusCode != 200 {
		t.Errorf("%d", r.StatusCode)
	}
	if r := (asker{t, f.URL() + "/api", f.Rita}).do(PostGraphQL, `{"query":"{viewer{login}}"}`); r.StatusCode != 200 {
		t.Errorf("%d", r.StatusCode)
	}
}

func TestBadQueries(t *testing.T) {
	f := started(t)
	for text, want := range map[string]string{
		`{viewer{login}`:               "Parse error",
		`{viewer{login password}}`:     "Field 'password' doesn't exist on type 'User'",
		`{everything}`:                 "doesn't exist on type 'Query'",
		`mutation{addStar{id}}`:        "doesn't exist on type 'Mutation'",
		``:                             "A query attribute must be specified",
		`{node(id:"unterminated){id}}`: "",
		`{node(id:-1.5){id}}`:          "Parse error",
		`{viewer{...a}} fragment a on User{...a}`: "",
	} {
		got := f.as(t, f.Wendy).query(text, nil)
		if _, there := got["data"]; there || !strings.Contains(fmt.Sprint(got["errors"]), want) {
			t.Errorf("%s: %v", text, got)
		}
	}
	if r := f.as(t, f.Wendy).do(PostGraphQL, `{"query":`); r.StatusCode != 400 {
		t.Errorf("%d", r.StatusCode)
	}
}

func TestQuerySyntax(t *testing.T) {
	f := started(t)
	for _, text := range []string{
		`query ($id: ID = "$UI") @cached(ttl: 1.5) { node(id: $id) @skip(if: false) { ... { id } ... @include(if: true) { id } ... on Node { id } } }`,
		`{ node(id: "$UI", hints: {a: 1, b: [true, null, RED], c: "x,y"}) { id ...on User { login } } } # done`,
	} {
		text = strings.ReplaceAll(text, "$UI", f.UI.NodeID)
		got := f.as(t, f.Wendy).query(text, nil)
		want := map[string]any{"data": map[string]any{"node": map[string]any{"id": f.UI.NodeID}}}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v", text, got)
		}
	}
}

// TestPartialSSO is cli/cli#7881: beside protected nodes, the others are answered, and the header says where
// to authorise the token.
func TestPartialSSO(t *testing.T) {
	f := started(t)
	own := f.AddRepo("wendy/notes", Private)
	f.RequireSSO("acme", true)
	text := fmt.Sprintf(`{"query":"{nodes(ids:[\"%s\",\"%s\"]){... on Repository{name}}}"}`, f.UI.NodeID, own.NodeID)
	r := f.as(t, f.Wendy).do(PostGraphQL, text)
	if want := jsonOf(t, `{"nodes":[null,{"name":"notes"}]}`); r.StatusCode != 200 || !reflect.DeepEqual(r.document(t)["data"], want) {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
	if h := r.Header.Get("X-GitHub-SSO"); !strings.HasPrefix(h, "required; url="+f.URL()+"/orgs/acme/sso?") {
		t.Errorf("%q", h)
	}
	f.AuthorizeSSO(f.Wendy, "acme")
	if r := f.as(t, f.Wendy).do(PostGraphQL, text); r.document(t)["errors"] != nil || r.Header.Get("X-GitHub-SSO") != "" {
		t.Errorf("authorised: %s", r.body)
	}
}

func TestGraphQLPolicies(t *testing.T) {
	f := started(t)
	text := fmt.Sprintf(`{"query":"{node(id:\"%s\"){id}}"}`, f.UI.NodeID)
	refused := func(token, want string) {
		t.Helper()
		r := f.as(t, token).do(PostGraphQL, text)
		e, _ := r.document(t)["errors"].([]any)
		if len(e) != 1 || r.Header.Get("X-GitHub-SSO") != "" {
			t.Fatalf("%s", r.body)
		}
		first := e[0].(map[string]any)
		if first["type"] != "FORBIDDEN" || !strings.Contains(first["message"].(string), want) || first["extensions"].(map[string]any)["saml_failure"] != false {
			t.Errorf("%v", first)
		}
	}
	f.ForbidClassic("acme", true)
	refused(f.Wendy, "forbids access via a personal access token (classic)")
	f.AllowAddresses("acme", netip.MustParsePrefix("192.0.2.0/24"))
	refused(f.WendyReads, "IP allow list")
	f.AllowAddresses("acme")
	f.RefuseGraphQL(403)
	f.as(t, f.WendyReads).want(403, PostGraphQL)
	f.as(t, f.WendyReads).want(200, "GET /repos/acme/ui")
	f.RefuseGraphQL(0)
	f.as(t, f.WendyReads).want(200, PostGraphQL)
}

func TestGraphQLCollaborators(t *testing.T) {
	f := started(t)
	const text = `query($l:String){repository(owner:"acme",name:"open"){collaborators(login:$l,first:1){totalCount edges{permission node{login}}}}}`
	f.Grant("wendy", "acme/open", Push)
	one := func(token, login string) any {
		t.Helper()
		return f.as(t, token).query(text, map[string]any{"l": login})["data"].(map[string]any)["repository"].(map[string]any)["collaborators"]
	}
	if got, want := one(f.Wendy, "ADA"), jsonOf(t, `{"totalCount":1,"edges":[{"permission":"ADMIN","node":{"login":"ada"}}]}`); !reflect.DeepEqual(got, want) {
		t.Errorf("%v", got)
	}
	if got, want := one(f.Wendy, "mallory"), jsonOf(t, `{"totalCount":0,"edges":[]}`); !reflect.DeepEqual(got, want) {
		t.Errorf("a stranger on a public repository: %v", got)
	}
	if got := one(f.Rita, "ada"); got != nil {
		t.Errorf("shown to a reader: %v", got)
	}
}
