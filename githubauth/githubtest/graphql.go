package githubtest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// postGraphQL is POST /graphql. The answer is 200 even if everything went wrong inside; what can't be
// resolved is null and has an entry in errors, beside the data of the rest.
func postGraphQL(g *GitHub, c *call) answer {
	if c.token == nil {
		return *fail(http.StatusUnauthorized, "This endpoint requires you to be authenticated.")
	}
	if g.noGraphQL != 0 {
		return *fail(g.noGraphQL, http.StatusText(g.noGraphQL))
	}
	var request struct {
		Query     string
		Variables map[string]any
	}
	body, err := io.ReadAll(io.LimitReader(c.Body, 1<<20))
	if err != nil || json.Unmarshal(body, &request) != nil {
		return *fail(http.StatusBadRequest, "Problems parsing JSON")
	}
	q, err := parse(request.Query, request.Variables)
	if err != nil {
		return ok(map[string]any{"errors": []any{map[string]any{"message": err.Error()}}})
	}
	x := &execution{g: g, c: c, fragments: q.fragments}
	kind := "Query"
	if q.mutation {
		kind = "Mutation"
	}
	data := x.resolve(object{kind: kind, field: x.root}, q.inside, nil)
	answer := map[string]any{"data": data}
	switch {
	case x.invalid:
		delete(answer, "data")
	case x.void:
		answer["data"] = nil
	}
	if len(x.errors) > 0 {
		answer["errors"] = x.errors
	}
	a := ok(answer)
	if x.sso != "" {
		a = a.with("X-GitHub-SSO", x.sso)
	}
	return a
}

// RefuseGraphQL has every query of an authenticated caller answered with this status, as a proxy or an
// Enterprise Server's administrator may; 0 allows them again.
func (g *GitHub) RefuseGraphQL(status int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.noGraphQL = status
}

// execution answers one query.
type execution struct {
	g         *GitHub
	c         *call
	fragments map[string]selection
	errors    []any
	invalid   bool   // the query doesn't fit the schema, so there is no data
	void      bool   // a field that may not be null failed, so data is null
	sso       string // X-GitHub-SSO of the first organization that wants single sign-on
	depth     int
}

// object is a value with fields. The interfaces are those that its type implements.
type object struct {
	kind       string
	interfaces []string
	field      func(s selection, path []any) (value any, exists bool)
}

func (o object) is(kind string) bool {
	if kind == "" || kind == o.kind {
		return true
	}
	for _, i := range o.interfaces {
		if i == kind {
			return true
		}
	}
	return false
}

// resolve makes the answer for a selection set.
func (x *execution) resolve(o object, set []selection, path []any) map[string]any {
	out := map[string]any{}
	x.into(out, o, set, path)
	return out
}

func (x *execution) into(out map[string]any, o object, set []selection, path []any) {
	if x.depth++; x.depth > 100 { // fragments in a circle
		x.invalid = true
		return
	}
	defer func() { x.depth-- }()
	for _, s := range set {
		if s.name == "" {
			on, inside := s.on, s.inside
			if s.spread != "" {
				on, inside = x.fragments[s.spread].on, x.fragments[s.spread].inside
			}
			if o.is(on) {
				x.into(out, o, inside, path)
			}
			continue
		}
		at := append(path[:len(path):len(path)], s.key())
		if s.name == "__typename" {
			out[s.key()] = o.kind
			continue
		}
		value, exists := o.field(s, at)
		if !exists {
			x.invalid = true
			x.fail(s, at, "", fmt.Sprintf("Field '%s' doesn't exist on type '%s'", s.name, o.kind), map[string]any{
				"code": "undefinedField", "typeName": o.kind, "fieldName": s.name,
			})
			continue
		}
		out[s.key()] = x.complete(value, s, at)
	}
}

// complete turns a value of a field into JSON.
func (x *execution) complete(value any, s selection, path []any) any {
	switch v := value.(type) {
	case object:
		return x.resolve(v, s.inside, path)
	case []any:
		list := make([]any, len(v))
		for i, item := range v {
			list[i] = x.complete(item, s, append(path[:len(path):len(path)], i))
		}
		return list
	}
	return value
}

func (x *execution) fail(s selection, path []any, kind, message string, extensions map[string]any) {
	e := map[string]any{"message": message, "path": path, "locations": []any{map[string]any{"line": s.line, "column": s.col}}}
	if kind != "" {
		e["type"] = kind
	}
	if extensions != nil {
		e["extensions"] = extensions
	}
	x.errors = append(x.errors, e)
}
