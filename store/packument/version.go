package packument

import (
	"cmp"
	"regexp"
	"strings"
)

// The grammar of semver.org, with which node-semver agrees in strict mode.
const (
	number     = `(?:0|[1-9][0-9]*)`
	identifier = `(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)`
	prerelease = `(?:-(` + identifier + `(?:\.` + identifier + `)*))`
	build      = `(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)`
)

var versionGrammar = regexp.MustCompile(`^(` + number + `)\.(` + number + `)\.(` + number + `)` + prerelease + `?` + build + `?$`)

const (
	maxVersion = 256                // node-semver, MAX_LENGTH
	maxNumber  = "9007199254740991" // 2^53-1; node-semver, MAX_SAFE_INTEGER
)

// CheckVersion returns an *Invalid unless v is a version in the one spelling it has in documents: semver 2.0.0, without
// a leading "v" and without build metadata, which npm takes off before it publishes and no client compares.
func CheckVersion(v string) error {
	invalid := func(problem string) error { return &Invalid{Field: "version", Problem: problem} }
	if len(v) > maxVersion {
		return invalid("is longer than 256 characters")
	}
	m := versionGrammar.FindStringSubmatch(v)
	if m == nil {
		if clean, ok := CleanVersion(v); ok {
			return invalid(`is not written as versions are; write "` + clean + `"`)
		}
		return invalid(`is not a semantic version such as "1.0.0" or "1.0.0-beta.1" (semver.org)`)
	}
	for _, n := range m[1:4] {
		if compareNumbers(n, maxNumber) > 0 {
			return invalid("has a number above " + maxNumber)
		}
	}
	if i := strings.IndexByte(v, '+'); i >= 0 {
		return invalid(`has build metadata (+…), by which versions do not differ; write "` + v[:i] + `"`)
	}
	return nil
}

// CleanVersion is the version npm publishes for a package.json that says v: without spaces around it, leading "=" and
// "v" and build metadata (semver.clean, called by libnpmpublish). It reports false where npm refuses to publish.
func CleanVersion(v string) (string, bool) {
	v = strings.TrimSpace(strings.TrimLeft(strings.TrimSpace(v), "=v"))
	v = strings.TrimPrefix(v, "v")
	m := versionGrammar.FindStringSubmatch(v)
	if m == nil || len(v) > maxVersion {
		return "", false
	}
	v, _, _ = strings.Cut(v, "+")
	return v, CheckVersion(v) == nil
}

// Compare orders versions by semver's precedence: negative if a comes before b. Both must be versions by CheckVersion;
// the order of other strings is not specified.
func Compare(a, b string) int {
	aCore, aPre, _ := strings.Cut(a, "-")
	bCore, bPre, _ := strings.Cut(b, "-")
	if c := compareDotted(aCore, bCore); c != 0 {
		return c
	}
	switch {
	case aPre == bPre:
		return 0
	case aPre == "": // a release comes after its prereleases
		return 1
	case bPre == "":
		return -1
	}
	return compareDotted(aPre, bPre)
}

// compareDotted compares identifiers from left to right; when all are equal the shorter list comes first.
func compareDotted(a, b string) int {
	for more := true; more; {
		var x, y string
		var moreA, moreB bool
		x, a, moreA = strings.Cut(a, ".")
		y, b, moreB = strings.Cut(b, ".")
		if c := compareIdentifiers(x, y); c != 0 {
			return c
		}
		if moreA != moreB {
			if moreB {
				return -1
			}
			return 1
		}
		more = moreA
	}
	return 0
}

// compareIdentifiers compares numbers as numbers, of any length, and puts them before words.
func compareIdentifiers(a, b string) int {
	switch numA, numB := isNumber(a), isNumber(b); {
	case numA && numB:
		return compareNumbers(a, b)
	case numA:
		return -1
	case numB:
		return 1
	}
	return strings.Compare(a, b)
}

// compareNumbers compares digits without leading zeros.
func compareNumbers(a, b string) int {
	if c := cmp.Compare(len(a), len(b)); c != 0 {
		return c
	}
	return strings.Compare(a, b)
}

func isNumber(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || '9' < s[i] {
			return false
		}
	}
	return s != ""
}

// IsPrerelease reports whether a valid version is one: "1.0.0-beta.1".
func IsPrerelease(v string) bool { return strings.Contains(v, "-") }
