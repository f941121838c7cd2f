package packument

import (
	"net/url"
	"strings"
	"testing"
)

func TestCheckTag(t *testing.T) {
	for _, tag := range []string{
		"latest", "next", "beta", "canary", "v1-lts", "release-1.x", "pr-123", "1-lts", "1.2.3.4", "2024-01-01", "stable.1", "a", "V1", "xx", "x1", "~", "~beta",
		"it's", "(a)", "a!", "a*", "v", "vx1", "latest-1", "...", "a..b", "_a", "1.2-beta", "node_18", strings.Repeat("a", 128),
	} {
		if err := CheckTag(tag); err != nil {
			t.Errorf("CheckTag(%q) = %v", tag, err)
		}
	}
	for _, tag := range []string{
		// ranges and versions, also for who reads loosely
		"", "1", "1.x", "v1.2.3", "*", "x", "X", ">=1", "~1", "^1", "~>1", "1 || 2", "1 - 2", "1.2.3", "1.2", "v1", "vv1", "=1", "<2", "1.*", "x.x.x", "~1.2.3-beta",
		"01", "1.2.3beta", "1.2.3-beta", "1.02.3", "1.2.3-01", "~*", "1.2.3*", "1.2.*3", "1.2.3+a", "||", " ", "~x", "~v1", "9007199254740992",
		// what cannot be asked for, or is asked for as something else
		" latest", "latest ", "la test", "a/b", "a\\b", "a%62", "a\x00", "a\n", "a\x7f", "ä", "a?", "a#b", "a&b", "a:b", "a@b", "a,b", "a;b", "a$", "[a]", `"a"`, "`",
		".", "..", "-", "-rev", "--x", "__proto__", "\xff", strings.Repeat("a", 129),
	} {
		if err := CheckTag(tag); err == nil {
			t.Errorf("CheckTag(%q) = nil", tag)
		} else if _, ok := err.(*Invalid); !ok {
			t.Errorf("CheckTag(%q) is a %T", tag, err)
		}
	}
}

func FuzzCheckTag(f *testing.F) {
	for _, s := range []string{"latest", "1", "v1.x", "1.2.3*", "~1", "a b", "..", "1.2.3.4", "-a", "a'b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, tag string) {
		if CheckTag(tag) != nil {
			return
		}
		if _, ok := CleanVersion(tag); ok || xRange(tag) {
			t.Fatalf("%q reads as a version or a range", tag)
		}
		u, err := url.Parse("http://h/-/package/a/dist-tags/" + tag)
		if err != nil || u.JoinPath("x").Path != "/-/package/a/dist-tags/"+tag+"/x" {
			t.Fatalf("%q does not stand in a URL: %v, %v", tag, u, err)
		}
	})
}

// xRange is a second opinion on the plainest ranges.
func xRange(tag string) bool {
	parts := strings.Split(strings.TrimLeft(strings.TrimPrefix(tag, "~"), "v"), ".")
	for _, part := range parts {
		if part != "x" && part != "X" && part != "*" && !isNumber(part) {
			return false
		}
	}
	return len(parts) <= 3
}
