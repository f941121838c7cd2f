package packument

import (
	"strings"
	"testing"
)

func TestParseName(t *testing.T) {
	// Whether a name can be read, and whether it can be created. The expectations are validate-npm-package-name's
	// (validForOldPackages, validForNewPackages) unless a comment says otherwise.
	for _, c := range []struct {
		name      string
		read, new bool
	}{
		{"ui", true, true},
		{"left-pad", true, true},
		{"a", true, true},
		{"0", true, true},
		{"lodash.merge", true, true},
		{"a_b", true, true},
		{"@acme/ui", true, true},
		{"@acme/ui.js_x-1", true, true},
		{"@acme/http", true, true}, // core names are reserved without a scope only
		{"@acme/node_modules", true, true},
		{"@octo_acme/ui", true, true},
		{"JSONStream", true, false},
		{"@Acme/ui", true, false},
		{"@acme/UI", true, false},
		{"crazy!", true, false},
		{"~'!()*", true, false},
		{"http", true, false},
		{"favicon.ico", true, false}, // npm: neither
		{"node_modules", true, false},
		{strings.Repeat("a", 214), true, true},
		{"@a/" + strings.Repeat("b", 211), true, true},
		{"@" + strings.Repeat("a", 39) + "/b", true, true},
		{"@" + strings.Repeat("a", 40) + "/b", true, false}, // no GitHub login is longer
		{"@a.b/c", true, false},                             // no GitHub login has a dot

		{strings.Repeat("a", 215), false, false}, // npm: old
		{"@acme/crazy!", false, false},           // npm: old; no package known to us
		{"", false, false},
		{".", false, false},
		{"..", false, false},
		{".a", false, false},
		{"_a", false, false},
		{"-a", false, false},
		{"-", false, false}, // npm: neither, though there is such a package: "/-/" is a route
		{"@acme/.a", false, false},
		{"@acme/..", false, false},
		{"@acme/_a", false, false}, // npm: old
		{"@acme/-", false, false},  // npm: old
		{"@-acme/a", false, false},
		{"@_/a", false, false},
		{"@../a", false, false},
		{"@", false, false},
		{"@acme", false, false},
		{"@acme/", false, false},
		{"@/ui", false, false},
		{"@acme//ui", false, false},
		{"@acme/ui/x", false, false},
		{"acme/ui", false, false},
		{"@@acme/ui", false, false},
		{"a@1", false, false},
		{" a", false, false},
		{"a ", false, false},
		{"a b", false, false},
		{"a\\b", false, false},
		{"a%2fb", false, false},
		{"a\x00", false, false},
		{"a\n", false, false},
		{"a\x7f", false, false},
		{"ä", false, false},
		{"a:b", false, false},
		{"a+b", false, false},
		{"a?b", false, false},
		{"a#b", false, false},
		{"\u212a", false, false},
	} {
		n, err := ParseName(c.name)
		if (err == nil) != c.read {
			t.Errorf("ParseName(%q): %v, want readable = %t", c.name, err, c.read)
		}
		if err != nil {
			if _, ok := err.(*Invalid); !ok || n != (Name{}) {
				t.Errorf("ParseName(%q) = %v, %T", c.name, n, err)
			}
			continue
		}
		if n.String() != c.name {
			t.Errorf("ParseName(%q).String() = %q", c.name, n)
		}
		if err := n.CheckNew(); (err == nil) != c.new {
			t.Errorf("CheckNew(%q): %v, want new = %t", c.name, err, c.new)
		}
	}
}

func TestCheckNewOfUnparsedName(t *testing.T) {
	for _, n := range []Name{{}, {Scope: "acme"}, {Base: "a/b"}, {Scope: "a/b", Base: "c"}, {Scope: "acme", Base: "a/b"}, {Base: "@a/b"}, {Base: ".."}} {
		if n.CheckNew() == nil {
			t.Errorf("CheckNew(%#v) = nil", n)
		}
	}
}

func TestTarballName(t *testing.T) {
	ui := Name{Scope: "acme", Base: "ui"}
	if got := ui.Tarball("1.0.0"); got != "ui-1.0.0.tgz" {
		t.Errorf("Tarball = %q", got)
	}
	for _, c := range []struct {
		name    Name
		file    string
		version string
	}{
		{ui, "ui-1.0.0.tgz", "1.0.0"},
		{ui, "@acme/ui-1.0.0.tgz", "1.0.0"},
		{ui, "ui-1.0.0-beta.1.tgz", "1.0.0-beta.1"},
		{Name{Base: "a-1"}, "a-1-1.0.0.tgz", "1.0.0"},
		{Name{Base: "a"}, "a-1-1.0.0.tgz", ""}, // that is a-1@1.0.0
		{Name{Base: "a"}, "a-1.0.0-2.0.0.tgz", "1.0.0-2.0.0"},
		{ui, "ui-1.0.0.tar.gz", ""},
		{ui, "ui-1.0.0.tgz.tgz", ""},
		{ui, "ui-.tgz", ""},
		{ui, "ui.tgz", ""},
		{ui, "UI-1.0.0.tgz", ""},
		{ui, "xui-1.0.0.tgz", ""},
		{ui, "@other/ui-1.0.0.tgz", ""},
		{ui, "ui-v1.0.0.tgz", ""},
		{ui, "ui-1.0.0/../x.tgz", ""},
		{ui, "", ""},
	} {
		got, ok := c.name.VersionOf(c.file)
		if got != c.version || ok != (c.version != "") {
			t.Errorf("%v.VersionOf(%q) = %q, %t; want %q", c.name, c.file, got, ok, c.version)
		}
	}
}

func FuzzParseName(f *testing.F) {
	for _, s := range []string{"ui", "@acme/ui", "@Acme/UI", "~'!()*", "..", "@a/..", "a/b", "a%2fb", "a\x00", "ä", "-", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := ParseName(s)
		if err != nil {
			return
		}
		if n.String() != s {
			t.Fatalf("%q is printed as %q", s, n)
		}
		for _, part := range []string{n.Scope, n.Base} {
			if strings.ContainsAny(part, "/\\%@ :?#+&=;,$\x00") || strings.HasPrefix(part, ".") || part == "" && part == n.Base {
				t.Fatalf("%q was taken", s)
			}
			for i := range len(part) {
				if part[i] <= ' ' || part[i] > '~' {
					t.Fatalf("%q was taken", s)
				}
			}
		}
		if n.CheckNew() == nil && (s != strings.ToLower(s) || len(s) > 214 || strings.ContainsAny(s, "~'!()*")) {
			t.Fatalf("%q would be created", s)
		}
		if v, ok := n.VersionOf(n.Tarball("1.2.3-x.4")); !ok || v != "1.2.3-x.4" {
			t.Fatalf("the tarball of %q has version %q", s, v)
		}
	})
}
