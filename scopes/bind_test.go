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
	for _, c := range []struct {
		what, namespace, field string
		names                  Namespaces
		want                   string // the repository, or a part of the error's text
		field422               bool
	}{
		{"the rule", "acme", "acme/ui", any, "acme/ui", false},
		{"owners are compared without case", "acme", "github:Acme/UI", any, "Acme/UI", false},
		{"served", "acme", "acme/ui", acme, "acme/ui", false},
		{"star-jacking: another owner's repository", "acme", "evil/ui", any, "differ", false},
		{"another namespace than the owner", "evil", "acme/ui", any, "differ", false},
		{"not served", "evil", "evil/ui", acme, "does not serve the namespace @evil", false},
		{"no field", "acme", "", any, `no "repository" field`, true},
		{"another host", "acme", "https://gitlab.com/acme/ui", any, "not a repository on github.com", true},
		{"no namespace", "", "acme/ui", any, "no namespace", false},
		{"no namespace, kept here", "", "acme/ui", global, "acme/ui", false},
		{"no namespace, somebody else's repository", "", "evil/ui", global, "acme only", false},
		{"no namespace and nobody who may have it", "", "acme/ui", Namespaces{Host: "github.com", Global: true}, "is none", false},
	} {
		owner, name, err := Bind(c.namespace, c.field, c.names)
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
