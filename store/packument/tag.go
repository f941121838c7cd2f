package packument

import (
	"regexp"
	"strings"
)

const maxTag = 128

// What clients read as a version or range where a tag could stand (npm-package-arg asks semver.valid and
// semver.validRange, both loose), as far as the characters of a tag allow: "1", "v1.x", "~1.2", "*", "01.2.3beta".
const (
	looseIdentifier = `[0-9]*[A-Za-z-][0-9A-Za-z-]*|[0-9]+`
	loosePrerelease = `(?:-?(?:` + looseIdentifier + `)(?:\.(?:` + looseIdentifier + `))*)`
	looseX          = `(?:[0-9]+|[xX*])`
)

var (
	rangeGrammar   = regexp.MustCompile(`^~?v*` + looseX + `(?:\.` + looseX + `(?:\.` + looseX + loosePrerelease + `?)?)?$`)
	versionLoosely = regexp.MustCompile(`^v*[0-9]+\.[0-9]+\.[0-9]+` + loosePrerelease + `?$`)
)

// CheckTag returns an *Invalid unless a dist-tag may be called tag: something a client can ask for as name@tag and
// neither reads as a version or range (npm publish refuses those, and so does dist-tag add) nor has to escape
// (npm-package-arg: "Tags may not have any characters that encodeURIComponent encodes"). A leading hyphen is refused
// because /name/-/ and /name/-rev/ are routes, "." and ".." because they vanish from URLs.
func CheckTag(tag string) error {
	invalid := func(problem string) error { return &Invalid{Field: "tag", Problem: problem} }
	switch {
	case tag == "":
		return invalid(`is empty; npm's default is "latest"`)
	case len(tag) > maxTag:
		return invalid("is longer than 128 characters")
	case strings.ContainsAny(tag, " <>=^|+"):
		return invalid(`may not be a version or a range of versions, nor have spaces; use a word such as "latest" or "next"`)
	case !within(tag, "-_.!~*'()"):
		return invalid("may have only letters, digits and - _ . ! ~ * ' ( )")
	case tag[0] == '-', tag == ".", tag == "..", tag == "__proto__":
		return invalid(`begins with a hyphen or is ".", ".." or "__proto__"`)
	}
	// node-semver drops the first "*" from what is not a range as it stands: "1.2.3*" is one.
	if rangeGrammar.MatchString(tag) || versionLoosely.MatchString(strings.Replace(tag, "*", "", 1)) {
		return invalid(`may not be a version or a range of versions; use a word such as "latest" or "next"`)
	}
	return nil
}
