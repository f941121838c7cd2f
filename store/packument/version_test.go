package packument

import (
	"slices"
	"strings"
	"testing"

	"github.com/Masterminds/semver/v3"
)

// The expectations of CheckVersion, CleanVersion and CheckTag are node-semver 7's (semver.valid, semver.clean,
// semver.validRange), which was run over these and over 300,000 generated strings when this was written.
func TestVersions(t *testing.T) {
	for _, c := range []struct {
		in    string
		clean string // what npm publishes; empty: nothing
	}{
		{"1.0.0", "1.0.0"},
		{"0.0.0", "0.0.0"},
		{"1.0.0-0", "1.0.0-0"},
		{"1.0.0-beta.1", "1.0.0-beta.1"},
		{"1.0.0--", "1.0.0--"},
		{"1.0.0-0a", "1.0.0-0a"},
		{"1.0.0-a-b.-1", "1.0.0-a-b.-1"},
		{"1.0.0-99999999999999999999999", "1.0.0-99999999999999999999999"},
		{"9007199254740991.0.0", "9007199254740991.0.0"},
		{"1.0.0-" + strings.Repeat("a", 250), "1.0.0-" + strings.Repeat("a", 250)},
		// not as versions are written, but npm knows what is meant
		{"v1.0.0", "1.0.0"},
		{"=1.0.0", "1.0.0"},
		{" =v1.0.0 ", "1.0.0"},
		{"= v1.0.0", "1.0.0"},
		{"vv1.0.0", "1.0.0"},
		{"1.0.0+build", "1.0.0"},
		{"1.0.0-rc.1+build.001", "1.0.0-rc.1"},
		{"\t1.0.0\n", "1.0.0"},
		// no versions
		{"", ""},
		{"1", ""},
		{"1.0", ""},
		{"1.0.0.0", ""},
		{"01.0.0", ""},
		{"1.00.0", ""},
		{"1.0.0-01", ""},
		{"1.0.0-", ""},
		{"1.0.0-a..b", ""},
		{"1.0.0+", ""},
		{"1.0.0+a+b", ""},
		{"1.0.0beta", ""},
		{"1.0.x", ""},
		{"9007199254740992.0.0", ""},
		{"1.0.0-" + strings.Repeat("a", 251), ""},
		{"1.0.0-ä", ""},
		{"1.0.0 2.0.0", ""},
		{"-1.0.0", ""},
		{"latest", ""},
		{"1.0.0\x00", ""},
		{"1.0.0/..", ""},
	} {
		clean, ok := CleanVersion(c.in)
		if clean != c.clean && ok || ok != (c.clean != "") {
			t.Errorf("CleanVersion(%q) = %q, %t; want %q", c.in, clean, ok, c.clean)
		}
		err := CheckVersion(c.in)
		if (err == nil) != (c.in != "" && c.in == c.clean) {
			t.Errorf("CheckVersion(%q) = %v", c.in, err)
		}
		if _, ok := err.(*Invalid); err != nil && !ok {
			t.Errorf("CheckVersion(%q) is a %T", c.in, err)
		}
	}
}

func TestCheckVersionExplains(t *testing.T) {
	for in, want := range map[string]string{"v1.0.0": `"1.0.0"`, "1.0.0+a": "build metadata", "1.0": "semver.org", "9007199254740992.0.0": "number"} {
		if err := CheckVersion(in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("CheckVersion(%q) = %v, want a word about %s", in, err, want)
		}
	}
}

// ascending is semver.org's example of precedence and what programs get wrong about it.
var ascending = []string{
	"0.0.0-0", "0.0.0", "0.9.0", "0.10.0", "1.0.0-0", "1.0.0-9", "1.0.0-10", "1.0.0-18446744073709551616", "1.0.0-99999999999999999999",
	"1.0.0-100000000000000000000", "1.0.0--1", "1.0.0-1a", "1.0.0-Beta", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.1.0", "1.0.0-alpha.beta", "1.0.0-beta",
	"1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0-rc-1", "1.0.0", "2.0.0", "10.0.0", "9007199254740991.0.0",
}

func TestCompare(t *testing.T) {
	for i, a := range ascending {
		for j, b := range ascending {
			got := Compare(a, b)
			if i < j && got >= 0 || i == j && got != 0 || i > j && got <= 0 {
				t.Errorf("Compare(%q, %q) = %d", a, b, got)
			}
		}
	}
}

func FuzzCheckVersion(f *testing.F) {
	for _, s := range append(slices.Clone(ascending), "v1.0.0", "1.0.0+x", "01.0.0", "1.0", "=v1.0.0 ", "") {
		f.Add(s, "1.0.0-rc.1")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		other, err := semver.StrictNewVersion(a) // a second opinion on the grammar
		ok := CheckVersion(a) == nil
		if want := err == nil && other.Metadata() == "" && max(other.Major(), other.Minor(), other.Patch()) < 1<<53; ok != want {
			t.Fatalf("CheckVersion(%q) = %v, another library says %v", a, CheckVersion(a), err)
		}
		if clean, good := CleanVersion(a); good && CheckVersion(clean) != nil || ok && clean != a {
			t.Fatalf("CleanVersion(%q) = %q", a, clean)
		}
		if !ok || CheckVersion(b) != nil {
			return
		}
		if Compare(a, b) != -Compare(b, a) || Compare(a, a) != 0 || (Compare(a, b) == 0) != (a == b) {
			t.Fatalf("the order of %q and %q is none", a, b)
		}
	})
}
