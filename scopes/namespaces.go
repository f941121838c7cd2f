package scopes

import (
	"maps"
	"slices"
	"strings"
)

// Namespaces says which GitHub instance, and which of its owners, this registry's names stand for.
type Namespaces struct {
	// Host is the GitHub instance's name as it appears in repository addresses: "github.com".
	Host string
	// Owners lists the owners whose namespaces are served, compared without regard to case. Empty: every
	// namespace is served, by whoever GitHub says owns it.
	Owners []string
	// Aliases are the namespaces that stand for an owner of another name, in lower case. An alias goes before an owner who is called like it.
	Aliases map[string]string
	// Global: names without a namespace are packages of this registry too, published from repositories of Owners.
	// With no Owners nobody may publish them: anybody could take any name.
	Global bool
	// Assigned are names without a namespace that are packages of this registry whatever Global says, each with its repository as "owner/name".
	Assigned map[string]string
	// ToAll: what is public on GitHub may be read without a credential. ToAllOf says otherwise for single namespaces, in lower case.
	ToAll   bool
	ToAllOf map[string]bool
}

// Namespace is that of a package, without "@"; "" if it has none.
func Namespace(pkg string) string {
	if scoped, ok := strings.CutPrefix(pkg, "@"); ok {
		namespace, _, _ := strings.Cut(scoped, "/")
		return namespace
	}
	return ""
}

// Serves reports whether packages of the namespace (without "@") belong to this registry. Those that
// do are never looked for anywhere else.
func (n Namespaces) Serves(namespace string) bool {
	if namespace == "" {
		return false
	}
	return len(n.Owners) == 0 || n.Owns(namespace) || n.Aliases[namespace] != ""
}

// Has reports whether a package of that name belongs to this registry, whether or not there is one.
func (n Namespaces) Has(pkg string) bool {
	if namespace := Namespace(pkg); namespace != "" {
		return n.Serves(namespace)
	}
	return n.Global || n.Assigned[pkg] != ""
}

// Owns reports whether the owner is one of those listed.
func (n Namespaces) Owns(owner string) bool {
	return slices.ContainsFunc(n.Owners, func(o string) bool { return strings.EqualFold(o, owner) })
}

// Owner is the login that the namespace stands for.
func (n Namespaces) Owner(namespace string) string {
	if o := n.Aliases[namespace]; o != "" {
		return o
	}
	return namespace
}

// Served lists the namespaces that are served, in lower case; none if all are.
func (n Namespaces) Served() []string {
	if len(n.Owners) == 0 {
		return nil
	}
	var list []string
	for _, o := range n.Owners {
		list = append(list, strings.ToLower(o))
	}
	for _, alias := range slices.Sorted(maps.Keys(n.Aliases)) {
		if !slices.Contains(list, alias) {
			list = append(list, alias)
		}
	}
	return list
}

// PublicToAll reports whether a package, if its repository is public, may be read by callers without a credential.
func (n Namespaces) PublicToAll(pkg string) bool {
	if only, ok := n.ToAllOf[Namespace(pkg)]; ok {
		return only
	}
	return n.ToAll
}
