package packument

import (
	"bytes"
	"fmt"
	"hash/maphash"
	"io"
)

const (
	// maxDepth is how deep objects and arrays may lie in one another. No package.json known to us passes 20.
	maxDepth = 64
	// maxKeys is how many keys the objects may have together that are open at one place of a document. The longest object
	// known to us has one for each of 20,000 versions.
	maxKeys = 100_000
	// maxParts is how many members and elements the objects and arrays of a publish may have, all together, and so may
	// those of a package.json. Each costs far more than its bytes when it is looked into.
	maxParts = 20_000
	// maxDocumentParts is the same for a whole packument, which is not looked into as deep. The largest known to us have
	// some 100 for each of 4,000 versions.
	maxDocumentParts = 2_000_000
)

// scanner reads one JSON value from a source and keeps its text, without the spaces between tokens. Stricter than RFC
// 8259 where a registry has to be, because programs that read a document after us disagree about it: no key twice in an
// object (some take the first, some the last), also not spelled with escapes; no "__proto__" key; no half of a
// surrogate pair; nothing that is not UTF-8; a limit for depth, keys and size.
//
// What comes in by a string it was told to divert is not kept: "" stands in its place. That is how a tarball passes
// without being held.
type scanner struct {
	src     *source
	field   string // for errors: what is being read
	what    string // for errors: the thing whose size is limited
	limit   int64  // bytes, spaces included and what is diverted not
	seen    int64  // bytes read of limit
	parts   int    // members and elements read so far,
	most    int    // and how many there may be; 0 is maxDocumentParts
	kept    []byte
	lenient bool // a file written by a person: keys may come twice below the top, strings need not be Unicode

	// divert, if set, is asked before each string that is a member of an object, down to the depth of divertDepth: path are the keys that lead to the object
	// from the top, key is the member's. A function that it returns takes what follows the opening quote from the source,
	// up to and including the closing one.
	divert func(path []string, key string) func(*source) error

	path []string
	keys []keySet // by depth: those of the object being read
	open int      // how many those are
}

// keySet is hashes of keys, in a map that is used for one object after another.
type keySet struct {
	hashes map[uint64]struct{}
	room   int // the most there were
}

// clear empties the set. That costs by the room a map once had, so that one that was far larger is let go.
func (k *keySet) clear() {
	n := len(k.hashes)
	if k.room = max(k.room, n); k.room > 64 && n < k.room/8 {
		*k = keySet{}
	}
	clear(k.hashes)
}

// divertDepth is that of the data of attachments.
const divertDepth = 3

// seed makes the hashes of keys ones that nobody outside can aim at: two keys of an honest document collide once in 2^64.
var seed = maphash.MakeSeed()

// document reads the one value that the source holds, to its end, and returns its text.
func (s *scanner) document() ([]byte, error) {
	if err := s.value(1); err != nil {
		return nil, err
	}
	if _, err := s.token(); err != io.EOF {
		if err == nil {
			err = s.invalid("has something after the end of the JSON document")
		}
		return nil, err
	}
	return s.kept, nil
}

func (s *scanner) invalid(format string, args ...any) error {
	return &Invalid{Field: s.field, Problem: fmt.Sprintf(format, args...)}
}

// cut turns the end of the source, where more must come, into the sender's mistake.
func (s *scanner) cut(err error) error {
	if err == io.EOF {
		return s.invalid("ends in the middle of the JSON document")
	}
	return err
}

// count adds to what was read and refuses what is over the limit.
func (s *scanner) count(n int) error {
	if s.seen += int64(n); s.seen > s.limit {
		return &TooLarge{What: s.what, Limit: s.limit}
	}
	return nil
}

// part counts a member or an element.
func (s *scanner) part() error {
	s.parts++
	most := s.most
	if most == 0 {
		most = maxDocumentParts
	}
	if s.parts > most {
		return tooManyParts(s.what, most)
	}
	return nil
}

func tooManyParts(what string, most int) error {
	return &TooLarge{What: "number of members and elements in the " + what, Limit: int64(most)}
}

// next takes one byte, without keeping it.
func (s *scanner) next() (byte, error) {
	c, err := s.src.next()
	if err != nil {
		return 0, err
	}
	return c, s.count(1)
}

// token takes the first byte after spaces.
func (s *scanner) token() (byte, error) {
	for {
		c, err := s.next()
		if err != nil || c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			return c, err
		}
	}
}

func (s *scanner) value(depth int) error {
	c, err := s.token()
	if err != nil {
		return s.cut(err)
	}
	return s.valueFrom(c, depth)
}

// valueFrom reads a value whose first byte is taken.
func (s *scanner) valueFrom(c byte, depth int) error {
	switch {
	case c == '{' || c == '[':
		if depth > maxDepth {
			return s.invalid("has objects or arrays in one another more than %d deep", maxDepth)
		}
		if c == '{' {
			return s.object(depth)
		}
		return s.array(depth)
	case c == '"':
		return s.string()
	case c == 't':
		return s.literal("true")
	case c == 'f':
		return s.literal("false")
	case c == 'n':
		return s.literal("null")
	case c == '-' || '0' <= c && c <= '9':
		return s.number(c)
	}
	return s.invalid("is not JSON: a value cannot begin with %q", c)
}

func (s *scanner) object(depth int) error {
	s.kept = append(s.kept, '{')
	for len(s.keys) < depth {
		s.keys = append(s.keys, keySet{})
	}
	for first := true; ; first = false {
		c, err := s.token()
		if err != nil {
			return s.cut(err)
		}
		if c == '}' && first {
			break
		}
		if c != '"' {
			return s.invalid("is not JSON: an object needs a key where %q stands", c)
		}
		if err := s.member(depth); err != nil {
			return err
		}
		if c, err = s.token(); err != nil {
			return s.cut(err)
		}
		if c == '}' {
			break
		}
		if c != ',' {
			return s.invalid("is not JSON: %q stands between the members of an object", c)
		}
		s.kept = append(s.kept, ',')
	}
	s.kept = append(s.kept, '}')
	s.open -= len(s.keys[depth-1].hashes)
	s.keys[depth-1].clear()
	return nil
}

// member reads a key, whose quote is taken, and its value.
func (s *scanner) member(depth int) error {
	if err := s.part(); err != nil {
		return err
	}
	start := len(s.kept)
	if err := s.string(); err != nil {
		return err
	}
	raw := value(s.kept[start:])
	if err := s.key(raw, depth); err != nil {
		return err
	}
	c, err := s.token()
	if err != nil {
		return s.cut(err)
	}
	if c != ':' {
		return s.invalid("is not JSON: %q stands between a key and its value", c)
	}
	s.kept = append(s.kept, ':')

	if s.divert == nil || depth > divertDepth {
		return s.value(depth + 1)
	}
	key := raw.text()
	if c, err = s.token(); err != nil {
		return s.cut(err)
	}
	if c == '"' {
		if to := s.divert(s.path, key); to != nil {
			s.kept = append(s.kept, '"', '"')
			return s.cut(to(s.src))
		}
	}
	s.path = append(s.path, key)
	err = s.valueFrom(c, depth+1)
	s.path = s.path[:len(s.path)-1]
	return err
}

// key notes a key of the object being read at depth.
func (s *scanner) key(raw value, depth int) error {
	key := []byte(raw[1 : len(raw)-1])
	if bytes.IndexByte(key, '\\') >= 0 {
		key = []byte(raw.text())
	}
	if string(key) == "__proto__" {
		return s.invalid(`has the key "__proto__", which JavaScript takes for something else`)
	}
	if s.lenient && (depth > 1 || !matters[string(key)]) {
		return nil
	}
	h := maphash.Bytes(seed, key)
	set := &s.keys[depth-1]
	if _, twice := set.hashes[h]; twice {
		return s.invalid("has the key %s twice in one object", shorten(string(key)))
	}
	if set.hashes == nil {
		set.hashes = make(map[uint64]struct{})
	}
	set.hashes[h] = struct{}{}
	if s.open++; s.open > maxKeys {
		return &TooLarge{What: "number of keys in one object", Limit: maxKeys}
	}
	return nil
}

func (s *scanner) array(depth int) error {
	s.kept = append(s.kept, '[')
	for first := true; ; first = false {
		c, err := s.token()
		if err != nil {
			return s.cut(err)
		}
		if c == ']' && first {
			break
		}
		if err := s.part(); err != nil {
			return err
		}
		if err := s.valueFrom(c, depth+1); err != nil {
			return err
		}
		if c, err = s.token(); err != nil {
			return s.cut(err)
		}
		if c == ']' {
			break
		}
		if c != ',' {
			return s.invalid("is not JSON: %q stands between the elements of an array", c)
		}
		s.kept = append(s.kept, ',')
	}
	s.kept = append(s.kept, ']')
	return nil
}
