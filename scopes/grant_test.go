package scopes

import (
	"encoding/json"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestPersonas holds what the five personas of the founding document may do. Where its examples contradict their captions, the captions hold.
func TestPersonas(t *testing.T) {
	type answers struct{ own, sibling, lookalike, foreign, global, self, other Permission }
	for persona, want := range map[string]answers{
		"subscriber": {own: Read, self: Write},
		"member":     {own: Write, sibling: Write, self: Write},
		"ci":         {own: Write, sibling: Write, self: Write},
		"orgadmin":   {own: Write, sibling: Write, self: Write, other: Write},
		"owner":      {Write, Write, Write, Write, Write, Write, Write},
	} {
		document, err := os.ReadFile(filepath.Join("testdata", "personas", persona+".json"))
		if err != nil {
			t.Fatal(err)
		}
		r, err := ParseRights(document)
		if err != nil {
			t.Errorf("%s: %v", persona, err)
			continue
		}
		got := answers{
			r.Package("@organization/package-name"), r.Package("@organization/other"), r.Package("@organizationco/package-name"),
			r.Package("@other/package-name"), r.Package("package-name"), r.User("JohnSmith"), r.User("janedoe"),
		}
		if got != want {
			t.Errorf("%s: got %+v, want %+v", persona, got, want)
		}
		again, err := json.Marshal(r)
		if back, err2 := ParseRights(again); err != nil || err2 != nil || !back.Within(r) || !r.Within(back) {
			t.Errorf("%s: written as %s, it means something else (%v, %v)", persona, again, err, err2)
		}
	}
}

func TestParseRightsRefuses(t *testing.T) {
	for name, document := range map[string]string{
		"nothing":             ``,
		"null":                `null`,
		"no entry":            `[]`,
		"not a list":          `{"values":["*"],"types":{"pkg":{"read":true}}}`,
		"two documents":       `[{"values":["*"],"types":{"pkg":{"read":true}}}] []`,
		"unknown field":       `[{"values":["*"],"types":{"pkg":{"read":true}},"except":["@acme/secret"]}]`,
		"unknown type":        `[{"values":["*"],"types":{"org":{"read":true}}}]`,
		"unknown use":         `[{"values":["*"],"types":{"pkg":{"read":true,"delete":true}}}]`,
		"no values":           `[{"values":[],"types":{"pkg":{"read":true}}}]`,
		"no types":            `[{"values":["*"],"types":{}}]`,
		"types of no use":     `[{"values":["*"],"types":{"pkg":{"read":false}}}]`,
		"user as a package":   `[{"values":["~wendy"],"types":{"pkg":{"read":true}}}]`,
		"package as a user":   `[{"values":["@acme/*"],"types":{"user":{"read":true}}}]`,
		"one of two is wrong": `[{"values":["@acme/*"],"types":{"pkg":{"read":true},"user":{"read":true}}}]`,
		"bare namespace":      `[{"values":["@acme"],"types":{"pkg":{"read":true}}}]`,
		"glob in a name":      `[{"values":["@acme/ui-*"],"types":{"pkg":{"read":true}}}]`,
		"glob of namespaces":  `[{"values":["@*/ui"],"types":{"pkg":{"read":true}}}]`,
		"capitals":            `[{"values":["@Acme/ui"],"types":{"pkg":{"read":true}}}]`,
		"empty value":         `[{"values":[""],"types":{"pkg":{"read":true}}}]`,
		"no login":            `[{"values":["~"],"types":{"user":{"read":true}}}]`,
		"deep path":           `[{"values":["@acme/ui/x"],"types":{"pkg":{"read":true}}}]`,
		"traversal":           `[{"values":["@acme/.."],"types":{"pkg":{"read":true}}}]`,
		"string for a bool":   `[{"values":["*"],"types":{"pkg":{"read":"yes"}}}]`,
		"too many values":     `[{"values":["a"` + strings.Repeat(`,"a"`, maxValues) + `],"types":{"pkg":{"read":true}}}]`,
		"too large":           `[` + strings.Repeat(" ", maxScope) + `]`,
	} {
		if r, err := ParseRights([]byte(document)); !errors.Is(err, ErrScope) {
			t.Errorf("%s: got %v, %v", name, r, err)
		}
	}
}

// TestRightsKeepApart is the rule that rights to packages and to users never stand for each other.
func TestRightsKeepApart(t *testing.T) {
	pkg := Rights{{Values: []string{"*"}, Types: Types{Pkg: Use{Write: true}}}}
	user := Rights{{Values: []string{"*"}, Types: Types{User: Use{Write: true}}}}
	if pkg.User("wendy") != None || user.Package("@acme/ui") != None || pkg.Within(user) || user.Within(pkg) {
		t.Error("a right to packages counts for users, or the reverse")
	}
	if !pkg.Within(All()) || !user.Within(All()) || All().Within(pkg) {
		t.Error("all rights are not all of them")
	}
}

func TestWithin(t *testing.T) {
	rights := func(use Use, values ...string) Rights { return Rights{{Values: values, Types: Types{Pkg: use}}} }
	r, w := Use{Read: true}, Use{Write: true}
	for _, c := range []struct {
		narrow, wide Rights
		want         bool
	}{
		{rights(r, "@acme/ui"), rights(r, "@acme/*"), true},
		{rights(r, "@acme/ui"), rights(w, "@acme/*"), true},
		{rights(w, "@acme/ui"), rights(r, "@acme/*"), false},
		{rights(r, "@acmeco/ui"), rights(w, "@acme/*"), false},
		{rights(r, "@acme/*"), rights(w, "@acme/ui"), false},
		{rights(r, "*"), rights(w, "@acme/*"), false},
		{rights(r, "tool"), rights(r, "*"), true},
		{rights(r, "tool"), rights(r, "@acme/*"), false},
		{rights(r, "@acme/ui", "@acme/api"), append(rights(r, "@acme/ui"), rights(w, "@acme/api")...), true},
		{rights(w, "@acme/ui", "@acme/api"), append(rights(r, "@acme/ui"), rights(w, "@acme/api")...), false},
	} {
		if got := c.narrow.Within(c.wide); got != c.want {
			t.Errorf("%v within %v: %v", c.narrow, c.wide, got)
		}
	}
}

func TestGrantLive(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	g := Grant{From: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, Until: now.Add(time.Hour)}
	inside := netip.MustParseAddr("10.1.2.3")
	if err := g.Live(now, inside); err != nil {
		t.Error(err)
	}
	if err := g.Live(now, netip.MustParseAddr("::ffff:10.1.2.3")); err != nil {
		t.Error("an IPv4 address in IPv6's clothes:", err)
	}
	for _, from := range []netip.Addr{netip.MustParseAddr("11.1.2.3"), netip.MustParseAddr("::1"), {}} {
		if err := g.Live(now, from); !errors.Is(err, ErrElsewhere) {
			t.Errorf("from %s: %v", from, err)
		}
	}
	if err := g.Live(now.Add(time.Hour), inside); !errors.Is(err, ErrExpired) {
		t.Error("at its end:", err)
	}
}

func TestNarrowed(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	nets := func(s ...string) (ps []netip.Prefix) {
		for _, n := range s {
			ps = append(ps, netip.MustParsePrefix(n))
		}
		return ps
	}
	whole := Grant{Rights: All(), From: nets("10.0.0.0/8"), Until: now}
	for name, c := range map[string]struct {
		g    Grant
		want bool
	}{
		"the same":        {whole, true},
		"earlier":         {Grant{All(), nets("10.0.0.0/8"), now.Add(-1)}, true},
		"later":           {Grant{All(), nets("10.0.0.0/8"), now.Add(1)}, false},
		"without end":     {Grant{All(), nets("10.0.0.0/8"), time.Time{}}, false},
		"smaller network": {Grant{All(), nets("10.1.0.0/16", "10.2.0.0/16"), now}, true},
		"one too many":    {Grant{All(), nets("10.1.0.0/16", "11.0.0.0/8"), now}, false},
		"larger network":  {Grant{All(), nets("0.0.0.0/0"), now}, false},
		"from anywhere":   {Grant{All(), nil, now}, false},
	} {
		if got := c.g.Narrowed(whole); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// FuzzParseRights: whatever is accepted can be written down and read again, allows no more than everything, and never a look-alike of a namespace.
func FuzzParseRights(f *testing.F) {
	files, _ := filepath.Glob(filepath.Join("testdata", "personas", "*.json"))
	for _, file := range files {
		document, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(document)
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		r, err := ParseRights(document)
		if err != nil {
			if !errors.Is(err, ErrScope) {
				t.Fatal(err)
			}
			return
		}
		if !r.Within(All()) || !r.Within(r) {
			t.Fatalf("%s is not within itself and all", document)
		}
		written, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseRights(written)
		if err != nil || !again.Within(r) || !r.Within(again) {
			t.Fatalf("%s became %s: %v", document, written, err)
		}
		star := func(right Right) bool { return slices.Contains(right.Values, "*") }
		if !slices.ContainsFunc(r, star) && r.Package("@lookalike-of-nothing/x") != None && !strings.Contains(string(written), "lookalike") {
			t.Fatalf("%s grants what it does not name", document)
		}
	})
}
