package githubtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// GitHub's own OpenAPI description of its REST API, as its client libraries get it.
const openAPIFile = "../../scripts/clients/node_modules/@octokit/openapi/generated/api.github.com.json"

// description is the OpenAPI document, of which single responses are made into JSON schemas. Only the
// components that these need are looked at: the file is 13 MB.
type description struct {
	document map[string]any
	schemas  map[string]any // components, as JSON schemas
}

var loadDescription = sync.OnceValues(func() (*description, error) {
	name := os.Getenv("GATEHOUSE_OPENAPI")
	if name == "" {
		name = openAPIFile
	}
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	d := &description{schemas: map[string]any{}}
	return d, json.Unmarshal(b, &d.document)
})

// openAPI returns the description, or skips the test; in CI it must be there.
func openAPI(t *testing.T) *description {
	t.Helper()
	d, err := loadDescription()
	if err == nil {
		return d
	}
	message := fmt.Sprintf("%v\nGet it with `npm ci` in scripts/clients, or `npm install @octokit/openapi@23.0.2` anywhere and "+
		"GATEHOUSE_OPENAPI=…/node_modules/@octokit/openapi/generated/api.github.com.json", err)
	if os.Getenv("CI") != "" || os.Getenv("GATEHOUSE_OPENAPI") != "" {
		t.Fatal(message)
	}
	t.Skip(message)
	return nil
}

// at follows a JSON pointer's segments.
func (d *description) at(segments ...string) map[string]any {
	m := d.document
	for _, s := range segments {
		m, _ = m[s].(map[string]any)
	}
	return m
}

// resolve follows a $ref.
func (d *description) resolve(m map[string]any) map[string]any {
	for {
		ref, is := m["$ref"].(string)
		if !is {
			return m
		}
		m = d.at(strings.Split(strings.TrimPrefix(ref, "#/"), "/")...)
	}
}

// response returns the schema of an operation's answer; nil if it has no body, ok false if the status isn't
// described.
func (d *description) response(method, path, status string) (schema map[string]any, ok bool) {
	r := d.resolve(d.at("paths", path, strings.ToLower(method), "responses", status))
	if r == nil {
		return nil, false
	}
	content, _ := r["content"].(map[string]any)
	media, _ := content["application/json"].(map[string]any)
	schema, _ = media["schema"].(map[string]any)
	return schema, true
}

// component names a shared schema, for answers that the description leaves out.
func component(name string) map[string]any {
	return map[string]any{"$ref": "#/components/schemas/" + name}
}

// compile makes a validator of an OpenAPI 3.0 schema.
func (d *description) compile(schema map[string]any) (*jsonschema.Schema, error) {
	root := map[string]any{
		"$schema":    "http://json-schema.org/draft-04/schema#",
		"components": map[string]any{"schemas": d.schemas},
		"answer":     d.translate(schema),
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("file:///github.json", root); err != nil {
		return nil, err
	}
	return c.Compile("file:///github.json#/answer")
}

// translate turns a schema of OpenAPI 3.0 into one of JSON Schema draft 4, its near relation: nullable
// becomes a choice. Components that it refers to are added to d.schemas.
func (d *description) translate(v any) any {
	switch v := v.(type) {
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = d.translate(v[i])
		}
		return list
	case map[string]any:
		if ref, is := v["$ref"].(string); is {
			name := strings.TrimPrefix(ref, "#/components/schemas/")
			if _, done := d.schemas[name]; !done {
				d.schemas[name] = true // referred to by itself, perhaps
				d.schemas[name] = d.translate(d.at("components", "schemas", name))
			}
			return map[string]any{"$ref": ref}
		}
		m := map[string]any{}
		for key, value := range v {
			switch key {
			case "nullable", "example", "examples", "default", "enum", "description", "discriminator":
			case "format":
				if value != "uri-template" { // the validator rejects {/user}, which RFC 6570 has
					m[key] = value
				}
			default:
				m[key] = d.translate(value)
			}
		}
		if enum, is := v["enum"].([]any); is {
			m["enum"] = enum
		}
		if v["nullable"] == true {
			return map[string]any{"anyOf": []any{map[string]any{"type": "null"}, m}}
		}
		return m
	}
	return v
}

// invented returns the fields of an answer that GitHub's answer doesn't have. A schema allows them, but
// gatehouse might come to rely on one.
func (d *description) invented(schema map[string]any, value any, path string) []string {
	var found []string
	schema = d.resolve(schema)
	switch v := value.(type) {
	case []any:
		items, _ := schema["items"].(map[string]any)
		for i, item := range v {
			found = append(found, d.invented(items, item, fmt.Sprintf("%s[%d]", path, i))...)
		}
	case map[string]any:
		known := d.properties(schema)
		if _, open := schema["additionalProperties"].(map[string]any); open || len(known) == 0 {
			return nil // anything goes
		}
		for name, inner := range v {
			property, there := known[name].(map[string]any)
			if !there {
				found = append(found, path+"."+name)
				continue
			}
			found = append(found, d.invented(property, inner, path+"."+name)...)
		}
	}
	return found
}

// properties are those of a schema and of the schemas it is composed of.
func (d *description) properties(schema map[string]any) map[string]any {
	schema = d.resolve(schema)
	all := map[string]any{}
	for _, part := range []string{"allOf", "anyOf", "oneOf"} {
		list, _ := schema[part].([]any)
		for _, s := range list {
			maps.Copy(all, d.properties(s.(map[string]any)))
		}
	}
	own, _ := schema["properties"].(map[string]any)
	maps.Copy(all, own)
	return all
}
