package packument

import (
	"bytes"
	"encoding/json"
	"fmt"
	"iter"
	"strings"
	"unicode/utf8"
)

// value is the text of one JSON value as a scanner kept it: valid, without spaces between tokens. Its methods rely on
// that. The nil value is one that is not there.
type value []byte

// member is one member of an object.
type member struct {
	key string
	raw value // the key, as written
	val value
}

// members goes through an object in the order of its text; of anything else there are none.
func (v value) members() iter.Seq[member] {
	return func(yield func(member) bool) {
		if len(v) < 2 || v[0] != '{' {
			return
		}
		for rest := v[1:]; rest[0] != '}'; {
			if rest[0] == ',' {
				rest = rest[1:]
			}
			n := rest.length()
			key := rest[:n]
			rest = rest[n+1:] // and the colon
			n = rest.length()
			if !yield(member{key: key.text(), raw: key, val: rest[:n]}) {
				return
			}
			rest = rest[n:]
		}
	}
}

// elements goes through an array; of anything else there are none.
func (v value) elements() iter.Seq[value] {
	return func(yield func(value) bool) {
		if len(v) < 2 || v[0] != '[' {
			return
		}
		for rest := v[1:]; rest[0] != ']'; {
			if rest[0] == ',' {
				rest = rest[1:]
			}
			n := rest.length()
			if !yield(rest[:n]) {
				return
			}
			rest = rest[n:]
		}
	}
}

// length is how many bytes the value takes that the text begins with.
func (v value) length() int {
	depth := 0
	for i := 0; i < len(v); i++ {
		switch v[i] {
		case '"':
			for i++; v[i] != '"'; i++ {
				if v[i] == '\\' {
					i++
				}
			}
		case '{', '[':
			depth++
			continue
		case '}', ']':
			depth--
		case ',', ':':
			continue
		default: // inside a number or a word
			if i+1 < len(v) && strings.IndexByte(",:]}", v[i+1]) < 0 {
				continue
			}
		}
		if depth == 0 {
			return i + 1
		}
	}
	return len(v)
}

// text is what a string says; of anything else it is empty.
func (v value) text() string {
	if !v.isString() {
		return ""
	}
	if bytes.IndexByte(v, '\\') < 0 {
		s := string(v[1 : len(v)-1])
		if !utf8.ValidString(s) { // in a file that somebody wrote
			s = string([]rune(s))
		}
		return s
	}
	var s string
	_ = json.Unmarshal(v, &s) // cannot fail: the text is valid
	return s
}

func (v value) isString() bool { return len(v) > 0 && v[0] == '"' }
func (v value) isObject() bool { return len(v) > 0 && v[0] == '{' }

// missing reports whether the value is not there, or null.
func (v value) missing() bool { return len(v) == 0 || string(v) == "null" }

// matters are the keys by which a registry or a client decides something. In objects that are read, none of them may
// stand beside one that differs from it by case alone: programs that ignore case would take one for the other.
var matters = set(
	"_id", "name", "version", "versions", "dist-tags", "access", "_attachments", "data", "length", "dist", "tarball", "integrity", "shasum",
	"repository", "url", "private", "deprecated", "scripts", "bin", "dependencies", "optionalDependencies", "peerDependencies",
	"bundleDependencies", "bundledDependencies",
)

// maxMembers is how many members an object may have that is looked into.
const maxMembers = 10_000

// object returns the members of the object v, or an *Invalid that calls it field: if it is no object, has one key that
// matters in two cases, or far more members than any such object has.
func (v value) object(field string) (map[string]value, error) {
	if !v.isObject() {
		return nil, &Invalid{Field: field, Problem: "is not an object"}
	}
	m := make(map[string]value)
	var odd []string // keys that are written otherwise than one that matters
	for e := range v.members() {
		if m[e.key] = e.val; len(m) > maxMembers {
			return nil, &Invalid{Field: field, Problem: fmt.Sprintf("has more than %d members", maxMembers)}
		}
		if matter, ok := foldedMatters[foldCase(e.key)]; ok && matter != e.key {
			odd = append(odd, e.key)
		}
	}
	for _, key := range odd {
		if matter := foldedMatters[foldCase(key)]; m[matter] != nil {
			return nil, &Invalid{Field: field, Problem: fmt.Sprintf("has both %s and %s", shorten(matter), shorten(key))}
		}
	}
	return m, nil
}

// foldedMatters are those of matters, by how they are without case.
var foldedMatters = folded(matters)

// folded maps strings without case to themselves.
func folded(sets ...map[string]bool) map[string]string {
	m := make(map[string]string)
	for _, set := range sets {
		for s := range set {
			m[foldCase(s)] = s
		}
	}
	return m
}

// foldCase maps strings to one that strings.EqualFold takes for equal to them.
func foldCase(s string) string {
	for i := range len(s) {
		if c := s[i]; c >= utf8.RuneSelf || 'A' <= c && c <= 'Z' {
			return strings.ToLower(strings.ToUpper(s))
		}
	}
	return s
}

// shorten quotes a text of the sender's for an error, the beginning of a long one.
func shorten(s string) string {
	if len(s) > 64 {
		s = s[:64] + "…"
	}
	return fmt.Sprintf("%q", s)
}
