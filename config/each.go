package config

import (
	"regexp"
	"slices"
	"strings"
)

// A key with forEach in its name is declared once and becomes a key of its own for each namespace that a source names. From then on it is one
// like all others: it has its place, it can be overridden and be wrong, and "config print" shows it. Flags know only names that are there
// before they are read, so these keys have none.

// namespaceName is what a namespace may be called: in front of the slash of an npm name. Without a dot, which parts the names of keys.
var namespaceName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,99}$`)

// isNamed reports whether a name, in lower case, is the one of the schema, or one that it stands for.
func isNamed(known, name string) bool {
	before, after, found := strings.Cut(known, forEach)
	if !found {
		return strings.EqualFold(known, name)
	}
	ns, ok := strings.CutPrefix(name, strings.ToLower(before))
	if ok {
		ns, ok = strings.CutSuffix(ns, strings.ToLower(after))
	}
	return ok && namespaceName.MatchString(ns)
}

// find returns the key of a name in lower case. One of a namespace that is met for the first time brings all the keys of that namespace.
func (l *loader) find(name string) (key, bool) {
	if k, ok := l.known[name]; ok {
		return k, true
	}
	if !slices.ContainsFunc(l.schema, func(k key) bool { return k.each != nil && isNamed(k.name, name) }) {
		return key{}, false
	}
	ns := strings.Split(name, ".")[1]
	for _, k := range l.schema {
		if k.each != nil {
			made := key{name: strings.Replace(k.name, forEach, ns, 1), meaning: k.meaning, kind: k.each(ns)}
			l.known[made.name] = made
			l.found = append(l.found, made)
		}
	}
	k, ok := l.known[name]
	return k, ok
}

// concrete are the keys that have a value: those of the schema, and those of each namespace in the place of what stands for them.
func (l *loader) concrete() []key {
	var list []key
	placed := false
	for _, k := range l.schema {
		switch {
		case k.each == nil:
			list = append(list, k)
		case !placed:
			placed = true
			list = append(list, l.found...)
		}
	}
	return list
}

// near are names to suggest to somebody who wrote the given one: what is said for each namespace is said for theirs.
func near(known []string, name string) []string {
	parts := strings.Split(strings.ToLower(name), ".")
	if len(parts) < 2 || !namespaceName.MatchString(parts[1]) {
		return known
	}
	list := make([]string, len(known))
	for i, k := range known {
		list[i] = strings.Replace(k, forEach, parts[1], 1)
	}
	return list
}

// followForAll gives a namespace what holds for all where nothing is set for it.
func (l *loader) followForAll() {
	c, from := l.cfg, l.cfg.origin.from
	for _, k := range l.found {
		if from[k.name] != "" {
			continue
		}
		all, ok := l.known[forAll(k.name)]
		if !ok {
			continue // in the schemas of tests
		}
		from[k.name] = all.name
		switch p, general := k.field(c), all.field(c); p := p.(type) {
		case *PublicPackages:
			*p = *general.(*PublicPackages)
		case *bool:
			*p = *general.(*bool)
		case *[]string:
			*p = *general.(*[]string)
		}
	}
}

// forAll is the key that holds for all namespaces where one of theirs is not set.
func forAll(name string) string {
	rest := strings.SplitN(name, ".", 3)[2]
	if rest == "allow_previous_version" {
		return "settings." + rest
	}
	return "auth.github." + rest
}

// checkNamespaces reports settings of namespaces that are not served: a name written wrongly would leave the one that was meant more open than its
// operator thinks.
func (l *loader) checkNamespaces() {
	g := l.cfg.Auth.GitHub
	if len(g.Orgs) == 0 || l.bad["auth.github.orgs"] || l.bad["auth.github.namespaces"] {
		return
	}
	for _, k := range l.found {
		ns := strings.Split(k.name, ".")[1]
		if where := l.cfg.origin.from[k.name]; g.Namespaces[ns] == "" && !holds(g.Orgs, ns) && !strings.HasPrefix(where, "auth.") && !strings.HasPrefix(where, "settings.") {
			l.report(where, k.name+" is about a namespace that this registry does not serve; it serves those in auth.github.orgs and auth.github.namespaces")
		}
	}
}

func holds(list []string, name string) bool {
	return slices.ContainsFunc(list, func(s string) bool { return strings.EqualFold(s, name) })
}
