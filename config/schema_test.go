package config

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// Every key fills one field of Config, and every field is filled by one key.
func TestSchemaAndConfigAgree(t *testing.T) {
	c := new(Config)
	fields := map[any]string{}
	var walk func(v reflect.Value, name string)
	walk = func(v reflect.Value, name string) {
		for i := range v.NumField() {
			f := v.Type().Field(i)
			switch {
			case !f.IsExported():
			case f.Anonymous:
				walk(v.Field(i), name)
			case f.Type == reflect.TypeFor[map[string]*Namespace]():
				walk(reflect.ValueOf(c.namespace("namespace")).Elem(), name+"."+f.Name+".namespace")
			case f.Type.Kind() == reflect.Struct && f.Type != reflect.TypeFor[Secret]():
				walk(v.Field(i), name+"."+f.Name)
			default:
				fields[v.Field(i).Addr().Interface()] = name + "." + f.Name
			}
		}
	}
	walk(reflect.ValueOf(c).Elem(), "Config")
	total := len(fields)

	seen := map[string]bool{}
	for _, k := range schema {
		if k.each != nil {
			k.kind = k.each("namespace")
		}
		p := k.field(c)
		name, ok := fields[p]
		if !ok {
			t.Errorf("%s fills no field of its own", k.name)
			continue
		}
		delete(fields, p)
		if got, want := bare(strings.TrimPrefix(name, "Config")), bare(k.name); got != want {
			t.Errorf("%s fills %s", k.name, name)
		}
		if folded := strings.ToLower(k.name); seen[folded] {
			t.Errorf("%s is declared twice", k.name)
		} else {
			seen[folded] = true
		}
	}
	for _, name := range fields {
		t.Errorf("%s has no key", name)
	}
	if total != len(schema) {
		t.Errorf("%d fields, %d keys", total, len(schema))
	}
}

func TestSchemaDeclarations(t *testing.T) {
	for _, k := range schema {
		if strings.ContainsAny(k.meaning, "`|\n") || !strings.HasSuffix(k.meaning, ".") {
			t.Errorf("%s: the meaning is not a line of plain sentences: %q", k.name, k.meaning)
		}
		if !regexp.MustCompile(`^[a-z][a-z_]*(\.[a-z][a-z0-9_]*)+$`).MatchString(strings.ToLower(k.name)) || strings.Contains(k.name, "__") {
			t.Errorf("%s: not a name that every source can write", k.name)
		}
		c := new(Config)
		if k.each != nil {
			if k.def != "" || !strings.HasPrefix(k.name, "namespaces."+forEach+".") {
				t.Errorf("%s: a key for each namespace has no default, and is in the section namespaces", k.name)
			}
			continue
		}
		if err := k.set(c, setting{Text: k.def}); err != nil {
			t.Errorf("%s: default: %v", k.name, err)
		} else if got := k.show(c); got != k.def {
			t.Errorf("%s: default is written %q and shown %q", k.name, k.def, got)
		}
		if k.word == "" || k.set == nil || k.show == nil || k.field == nil {
			t.Errorf("%s: its kind is incomplete", k.name)
		}
		for section := range later {
			if k.name == section || strings.HasPrefix(k.name, section+".") {
				t.Errorf("%s is declared and said to come later", k.name)
			}
		}
	}
}

func TestReadmeTable(t *testing.T) {
	const start, end = "<!-- config:start -->", "<!-- config:end -->"
	readme, err := os.ReadFile("../README.md")
	if os.IsNotExist(err) {
		t.Skip("there is no README.md")
	}
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(readme), start)
	if !ok {
		t.Skipf("README.md has no %s", start)
	}
	table, _, ok := strings.Cut(rest, end)
	if !ok {
		t.Fatalf("README.md has %s and no %s", start, end)
	}
	if strings.TrimSpace(table) != strings.TrimSpace(Markdown()) {
		t.Errorf("the table in README.md differs from the schema; put this between the markers:\n%s", Markdown())
	}
}

func TestMarkdownNamesEveryKey(t *testing.T) {
	lines := strings.Split(strings.TrimSpace(Markdown()), "\n")
	if len(lines) != len(schema)+2 {
		t.Fatalf("%d lines for %d keys", len(lines), len(schema))
	}
	for i, k := range schema {
		if !strings.HasPrefix(lines[i+2], "| `"+k.name+"` |") || strings.Count(lines[i+2], "|") != 4 {
			t.Errorf("%s: %q", k.name, lines[i+2])
		}
	}
}
