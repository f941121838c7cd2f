package config

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// sections are the names that have keys under them: "auth", "auth.github", …
func sections(schema []key) []string {
	var list []string
	for _, k := range schema {
		for i, r := range k.name {
			if s := k.name[:i]; r == '.' && !slices.Contains(list, s) {
				list = append(list, s)
			}
		}
	}
	return list
}

// walker turns the nodes of a file into settings.
type walker struct {
	*loader
	file     string
	out      layer
	lines    map[string]int // where a name was first seen
	sections []string
}

func (w *walker) at(line int) string { return fmt.Sprintf("%s:%d", w.file, line) }

// mapping takes the keys of a section. What is not known is reported and not looked into, so the depth is
// the schema's, whatever a file's aliases do.
func (w *walker) mapping(n *yaml.Node, section string) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		for v.Kind == yaml.AliasNode {
			v = v.Alias
		}
		if k.Kind != yaml.ScalarNode {
			w.report(w.at(k.Line), "a key must be a plain word")
			continue
		}
		name := k.Value
		if section != "" {
			name = section + "." + name
		}
		folded := strings.ToLower(name)
		if first, ok := w.lines[folded]; ok {
			w.report(w.at(k.Line), fmt.Sprintf("%s is in this file twice; it was set on line %d already", plain(name), first))
			continue
		}
		w.lines[folded] = k.Line
		known, isKey := w.find(folded)
		isSection := slices.ContainsFunc(w.sections, func(s string) bool { return isNamed(s, folded) })
		switch {
		case isKey:
			w.value(known, v, k.Line)
		case isSection && v.Kind == yaml.MappingNode:
			w.mapping(v, name)
		case isSection && !isNull(v):
			w.report(w.at(k.Line), name+" must be a section with keys under it, not a value")
		case !isSection:
			w.unknown(name, k.Line)
		}
	}
}

func (w *walker) unknown(name string, line int) {
	if why := notYet(name); why != "" {
		w.report(w.at(line), why)
		return
	}
	message := plain(name) + " is not a known key"
	if near := nearest(name, near(append(names(w.schema), w.sections...), name)); near != "" {
		message += "; did you mean " + near + "?"
	}
	w.report(w.at(line), message)
}

// plain is a name from a file, fit for an error sentence.
func plain(name string) string {
	if name == "" || len(name) > 100 || strings.ContainsFunc(name, unicode.IsControl) {
		return setting{}.quote(name)
	}
	return name
}

// value takes the value of a key as text, untouched by what YAML would make of it.
func (w *walker) value(k key, n *yaml.Node, line int) {
	if isNull(n) {
		return
	}
	folded := strings.ToLower(k.name)
	s := setting{Where: w.at(line)}
	switch n.Kind {
	case yaml.ScalarNode:
		s.Text = n.Value
	case yaml.SequenceNode:
		s.Items = []string{}
		for _, item := range n.Content {
			for item.Kind == yaml.AliasNode {
				item = item.Alias
			}
			if item.Kind != yaml.ScalarNode {
				w.bad[folded] = true
				w.report(w.at(item.Line), k.name+" must be a list of plain values")
				return
			}
			if !isNull(item) {
				s.Items = append(s.Items, item.Value)
			}
		}
	case yaml.MappingNode:
		if !k.pairs {
			w.bad[folded] = true
			w.report(s.Where, k.name+" must be a value, not a section with keys under it")
			return
		}
		s.Items = []string{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			left, right := n.Content[i], n.Content[i+1]
			for right.Kind == yaml.AliasNode {
				right = right.Alias
			}
			if left.Kind != yaml.ScalarNode || right.Kind != yaml.ScalarNode {
				w.bad[folded] = true
				w.report(w.at(left.Line), k.name+" must have one plain value in each line")
				return
			}
			s.Items = append(s.Items, left.Value+"="+right.Value)
		}
	}
	w.out[folded] = s
}
