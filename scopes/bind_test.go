package scopes

import (
	"errors"
	"strings"
	"testing"
)

func TestParseRepository(t *testing.T) {
	for _, c := range []struct{ field, host, want string }{
		{"github:acme/ui", "github.com", "acme/ui"},
		{"acme/ui", "github.com", "acme/ui"},
		{"acme/ui#main", "github.com", "acme/ui"},
		{"https://github.com/acme/ui", "github.com", "acme/ui"},
		{"https://github.com/acme/ui/", "github.com", "acme/ui"},
		{"https://github.com/acme/ui.git", "github.com", "acme/ui"},
		{"https://GitHub.com/Acme/UI", "github.com", "Acme/UI"},
		{"http://www.github.com/acme/ui", "github.com", "acme/ui"},
		{"git+https://github.com/acme/ui.git#v1", "github.com", "acme/ui"},
		{"git+https://git@github.com/acme/ui.git", "github.com", "acme/ui"},
		{"git://github.com/acme/ui.git", "github.com", "acme/ui"},
		{"ssh://git@github.com/acme/ui.git", "github.com", "acme/ui"},
		{"git+ssh://git@github.com/acme/ui.git", "github.com", "acme/ui"},
		{"git+ssh://git@github.com:acme/ui.git", "github.com", "acme/ui"},
		{"git@github.com:acme/ui.git", "github.com", "acme/ui"},
		{" git@github.com:acme/ui.git ", "github.com", "acme/ui"},
		{"https://github.com/acme_corp/a.b-c_d", "github.com", "acme_corp/a.b-c_d"},
		{"https://git.example.org/acme/ui", "git.example.org", "acme/ui"},
		{"github:acme/ui", "git.example.org", "acme/ui"},

		// Not that host.
		{"https://gitlab.com/acme/ui", "github.com", ""},
		{"https://github.com/acme/ui", "git.example.org", ""},
		{"https://evil.tld/github.com/acme/ui", "github.com", ""},
		{"https://github.com.evil.tld/acme/ui", "github.com", ""},
		{"https://evilgithub.com/acme/ui", "github.com", ""},
		{"https://github.com@evil.tld/acme/ui", "github.com", ""},
		{"https://evil.tld#@github.com/acme/ui", "github.com", ""},
		{"https://evil.tld\\@github.com/acme/ui", "github.com", ""},
		{"git@evil.tld:acme/ui.git", "github.com", ""},
		{"gitlab:acme/ui", "github.com", ""},
		{"gist:11081aaa281", "github.com", ""},
		{"https://gist.github.com/acme/11081aaa281", "github.com", ""},
		{"https://ssh.github.com:443/acme/ui", "github.com", ""},

		// Not a repository.
		{"", "github.com", ""},
		{"acme", "github.com", ""},
		{"/acme/ui", "github.com", ""},
		{"acme/ui/tree/main", "github.com", ""},
		{"https://github.com/acme/ui/tree/main/packages/ui", "github.com", ""},
		{"https://github.com/acme", "github.com", ""},
		{"https://github.com/acme/..", "github.com", ""},
		{"https://github.com/../ui", "github.com", ""},
		{"https://github.com/acme/ui?x=y", "github.com", ""},
		{"https://github.com/acme/u%69", "github.com", ""},
		{"https://github.com:8443/acme/ui", "github.com", ""},
		{"https://user:secret@github.com/acme/ui", "github.com", ""},
		{"https://github.com/acme/u\x00i", "github.com", ""},
		{"https://github.com/acmé/ui", "github.com", ""},
		{"file:///acme/ui", "github.com", ""},
		{"javascript://github.com/acme/ui", "github.com", ""},
		{"https://github.com/-acme/ui", "github.com", ""},
		{"https://github.com/" + strings.Repeat("a", 40) + "/ui", "github.com", ""},
		{"https://github.com/acme/" + strings.Repeat("a", 101), "github.com", ""},
		{strings.Repeat("a", 600) + "/ui", "github.com", ""},
	} {
		owner, name, ok := ParseRepository(c.field, c.host)
		got := ""
		if ok {
			got = owner + "/" + name
		}
		if got != c.want {
			t.Errorf("ParseRepository(%q, %q) = %q, want %q", c.field, c.host, got, c.want)
		}
	}
}

func TestBind(t *testing.T) {
	any := Namespaces{Host: "github.com"}
	acme := Namespaces{Host: "github.com", Owners: []string{"Acme", "initech"}}
	global := Namespaces{Host: "github.com", Owners: []string{"acme"}, Global: true}
	aliased := Namespaces{Host: "github.com", Owners: []string{"acme", "initech"}, Aliases: map[string]string{"tools": "acme", "initech": "acme"}}
	assigned := Namespaces{Host: "github.com", Assigned: map[string]string{"my-tool": "acme/tools"}}
	for _, c := range []struct {
		what, pkg, field string
		names            Namespaces
		want             string // the repository, or a part of the error's text
		field422         bool
	}{
		{"the rule", "@acme/ui", "acme/ui", any, "acme/ui", false},
		{"owners are compared without case", "@acme/ui", "github:Acme/UI", any, "Acme/UI", false},
		{"served", "@acme/ui", "acme/ui", acme, "acme/ui", false},
		{"star-jacking: another owner's repository", "@acme/ui", "evil/ui", any, "differ", false},
		{"another namespace than the owner", "@evil/ui", "acme/ui", any, "differ", false},
		{"not served", "@evil/ui", "evil/ui", acme, "does not serve the namespace @evil", false},
		{"no field", "@acme/ui", "", any, `no "repository" field`, true},
		{"another host", "@acme/ui", "https://gitlab.com/acme/ui", any, "not a repository on github.com", true},
		{"no namespace", "ui", "acme/ui", any, "no namespace", false},
		{"no namespace, kept here", "ui", "acme/ui", global, "acme/ui", false},
		{"no namespace, somebody else's repository", "ui", "evil/ui", global, "acme only", false},
		{"no namespace and nobody who may have it", "ui", "acme/ui", Namespaces{Host: "github.com", Global: true}, "is none", false},
		{"an alias", "@tools/ui", "Acme/ui", aliased, "Acme/ui", false},
		{"an alias is not its own owner", "@tools/ui", "tools/ui", aliased, "the namespace @tools stands for the GitHub account acme, and the repository tools/ui is not its", false},
		{"an alias goes before an owner", "@initech/ui", "initech/ui", aliased, "stands for the GitHub account acme", false},
		{"the owner keeps its own", "@acme/ui", "acme/ui", aliased, "acme/ui", false},
		{"assigned", "my-tool", "github:ACME/tools", assigned, "ACME/tools", false},
		{"assigned to another repository", "my-tool", "acme/ui", assigned, "the name my-tool is kept here for the repository acme/tools, and acme/ui is another", false},
		{"assigned to another owner's", "my-tool", "evil/tools", assigned, "kept here for", false},
		{"assigned, without the field", "my-tool", "", assigned, `add "repository": "github:acme/tools"`, true},
		{"not assigned", "other", "acme/tools", assigned, "no namespace", false},
		{"an assignment is for no namespace", "@my-tool/ui", "acme/tools", assigned, "differ", false},
	} {
		owner, name, err := Bind(c.pkg, c.field, c.names)
		if err == nil {
			if got := owner + "/" + name; got != c.want {
				t.Errorf("%s: %s, want %s", c.what, got, c.want)
			}
			continue
		}
		if !errors.Is(err, ErrBinding) || errors.Is(err, ErrRepositoryField) != c.field422 || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.what, err, c.want)
		}
	}
}

// Only the name of the owner speaks against it: the names come along for whoever knows more.
func TestBindTellsOwners(t *testing.T) {
	n := Namespaces{Host: "github.com", Aliases: map[string]string{"tools": "acme"}, Assigned: map[string]string{"my-tool": "acme/tools"}}
	for _, pkg := range []string{"@acme/ui", "@tools/ui"} {
		owner, name, err := Bind(pkg, "acme-corp/ui", n)
		if !errors.Is(err, ErrOwner) || owner != "acme-corp" || name != "ui" {
			t.Errorf("%s: %s/%s, %v", pkg, owner, name, err)
		}
	}
	for pkg, field := range map[string]string{"my-tool": "acme-corp/tools", "@acme/ui": "https://gitlab.com/acme/ui", "other": "acme/ui"} {
		owner, name, err := Bind(pkg, field, n)
		if err == nil || errors.Is(err, ErrOwner) || owner != "" || name != "" {
			t.Errorf("%s: %s/%s, %v", pkg, owner, name, err)
		}
	}
}

func TestNamesOfTheRegistry(t *testing.T) {
	n := Namespaces{
		Owners: []string{"Acme"}, Aliases: map[string]string{"tools": "acme"}, Assigned: map[string]string{"my-tool": "acme/tools"},
		ToAll: true, ToAllOf: map[string]bool{"tools": false},
	}
	for _, c := range []struct {
		pkg        string
		has, toAll bool
	}{
		{"@acme/ui", true, true}, {"@tools/ui", true, false}, {"@acmeco/ui", false, true}, {"@my-tool/x", false, true},
		{"my-tool", true, true}, {"lodash", false, true}, {"tools", false, true},
	} {
		if n.Has(c.pkg) != c.has || n.PublicToAll(c.pkg) != c.toAll {
			t.Errorf("%s: has %t, to all %t", c.pkg, n.Has(c.pkg), n.PublicToAll(c.pkg))
		}
	}
	if got := strings.Join(n.Served(), " "); got != "acme tools" {
		t.Errorf("serves %s", got)
	}
	if (Namespaces{}).PublicToAll("@acme/ui") {
		t.Error("the zero value lets everybody read")
	}
}

func TestServes(t *testing.T) {
	for _, c := range []struct {
		owners    []string
		namespace string
		want      bool
	}{
		{nil, "acme", true}, {nil, "types", true}, {nil, "", false},
		{[]string{"Acme"}, "acme", true}, {[]string{"acme"}, "acmeco", false}, {[]string{"acme"}, "types", false}, {[]string{"acme"}, "", false},
	} {
		if got := (Namespaces{Owners: c.owners}).Serves(c.namespace); got != c.want {
			t.Errorf("owners %q serve %q: %t", c.owners, c.namespace, got)
		}
	}
}

func FuzzParseRepository(f *testing.F) {
	for _, s := range []string{"acme/ui", "git+ssh://git@github.com:acme/ui.git", "https://github.com@evil/acme/ui", "github:a/b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		owner, name, ok := ParseRepository(s, "github.com")
		if ok && (!validOwner(owner) || !validRepoName(name)) {
			t.Fatalf("%q gives %q/%q", s, owner, name)
		}
	})
}
