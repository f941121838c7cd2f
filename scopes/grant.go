package scopes

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Grant is what a granular access token may be used for at most. It narrows what the credential behind it may do and adds nothing to it.
type Grant struct {
	Rights Rights `json:"rights"`
	// From are the networks that the token works from; none: from anywhere.
	From []netip.Prefix `json:"from,omitempty"`
	// Until is when it ends; zero: with its credential.
	Until time.Time `json:"until,omitzero"`
}

// Live returns nil if the token works now and from there. Errors: ErrExpired, ErrElsewhere. An address that is not known is from nowhere.
func (g Grant) Live(now time.Time, from netip.Addr) error {
	if !g.Until.IsZero() && !now.Before(g.Until) {
		return fmt.Errorf("%w: it ended on %s", ErrExpired, g.Until.UTC().Format("2006-01-02 15:04 MST"))
	}
	if len(g.From) > 0 && !slices.ContainsFunc(g.From, func(p netip.Prefix) bool { return p.Contains(from.Unmap()) }) {
		return ErrElsewhere
	}
	return nil
}

var (
	// ErrExpired: the token's time is over.
	ErrExpired = errors.New("this token has expired")
	// ErrElsewhere: the token is for other networks than the one it was sent from.
	ErrElsewhere = errors.New("this token may not be used from this address")
	// ErrScope is wrapped by every error about a scope document: whoever wrote it is at fault, and the text says where.
	ErrScope = errors.New("cannot be a token's scope")
)

// Rights is a scope document: what each entry lists may be done, and nothing else.
//
// A value is "*", for every package or user; "@scope/*", the packages of a namespace; "@scope/name" or "name", a package; and "~login", a user.
// Which of them an entry may have follows from its types: rights to packages and rights to users have nothing to do with one another.
type Rights []Right

// Right is an entry of a scope document.
type Right struct {
	Values []string `json:"values"`
	Types  Types    `json:"types"`
}

// Types are what an entry's values may be used for.
type Types struct {
	Pkg  Use `json:"pkg,omitzero"`
	User Use `json:"user,omitzero"`
}

// Use is reading, or reading and writing: Write implies Read.
type Use struct {
	Read  bool `json:"read,omitempty"`
	Write bool `json:"write,omitempty"`
}

// Permission is the level that a use is worth.
func (u Use) Permission() Permission {
	switch {
	case u.Write:
		return Write
	case u.Read:
		return Read
	}
	return None
}

// All are the rights of somebody who does not narrow anything.
func All() Rights {
	everything := Use{Read: true, Write: true}
	return Rights{{Values: []string{"*"}, Types: Types{Pkg: everything, User: everything}}}
}

const (
	maxScope  = 64 << 10 // bytes of a document
	maxValues = 1000     // values in all its entries
)

// ParseRights reads a scope document. It takes what it can honour, all of it, and refuses the rest: an unknown field, a value that is none, a
// value that the types of its entry cannot be meant for. Errors wrap ErrScope.
func ParseRights(document []byte) (Rights, error) {
	if len(document) > maxScope {
		return nil, scopeError("is larger than %d KiB", maxScope>>10)
	}
	if err := oneMeaning(document); err != nil {
		return nil, scopeError("%s", err)
	}
	var rights Rights
	in := json.NewDecoder(bytes.NewReader(document))
	in.DisallowUnknownFields()
	if err := in.Decode(&rights); err != nil {
		return nil, scopeError(`is not a list of {"values": […], "types": {"pkg": {"read": true}}}: %s`, strings.TrimPrefix(err.Error(), "json: "))
	}
	if _, err := in.Token(); !errors.Is(err, io.EOF) {
		return nil, scopeError("has something behind its end")
	}
	return rights, rights.Check()
}

// Check returns an error that wraps ErrScope unless the rights are such that each can be honoured.
func (r Rights) Check() error {
	if len(r) == 0 {
		return scopeError("is empty: a token that may do nothing is of no use")
	}
	count := 0
	for i, right := range r {
		if count += len(right.Values); count > maxValues {
			return scopeError("has more than %d values", maxValues)
		}
		pkg, user := right.Types.Pkg.Permission() > None, right.Types.User.Permission() > None
		switch {
		case len(right.Values) == 0:
			return scopeError("has no values in entry %d", i+1)
		case !pkg && !user:
			return scopeError(`allows nothing in entry %d: its types need "pkg" or "user", with "read" or "write"`, i+1)
		}
		for _, v := range right.Values {
			switch {
			case v == "*":
			case strings.HasPrefix(v, "~"):
				if !validOwner(v[1:]) {
					return scopeError("names %.60q, and ~ is for GitHub logins", v)
				}
				if pkg {
					return scopeError("has the user %s in an entry for packages: give it one of its own", v)
				}
			case !validPackage(v):
				return scopeError("names %.60q, which is neither *, nor @scope/*, @scope/name, name or ~login", v)
			case user:
				return scopeError("has the package %s in an entry for users: give it one of its own, and name users ~login or *", v)
			}
		}
	}
	return nil
}

func scopeError(format string, args ...any) error {
	return &scopeErr{"the scope " + fmt.Sprintf(format, args...)}
}

type scopeErr struct{ text string }

func (e *scopeErr) Error() string        { return e.text }
func (e *scopeErr) Is(target error) bool { return target == ErrScope }

// validPackage accepts "@scope/*", "@scope/name" and "name" in the characters that npm takes for new names. Being strict costs nothing: what is not
// the name of a package grants nothing.
func validPackage(v string) bool {
	if len(v) > 214 {
		return false
	}
	namespace, name, scoped := strings.Cut(v, "/")
	if !scoped {
		return validPart(v)
	}
	return strings.HasPrefix(namespace, "@") && validPart(namespace[1:]) && (name == "*" || validPart(name))
}

func validPart(s string) bool {
	return s != "" && s[0] != '.' && within(s, "-_.~") && s == strings.ToLower(s) && s[0] != '~'
}

// Package is the most that may be done with a package of that name.
func (r Rights) Package(name string) Permission {
	namespace, _, scoped := strings.Cut(name, "/")
	return r.best(func(t Types) Use { return t.Pkg }, func(v string) bool {
		return v == "*" || v == name || scoped && v == namespace+"/*"
	})
}

// User is the most that may be done with what belongs to the user of that login.
func (r Rights) User(login string) Permission {
	return r.best(func(t Types) Use { return t.User }, func(v string) bool {
		return v == "*" || strings.HasPrefix(v, "~") && strings.EqualFold(v[1:], login)
	})
}

func (r Rights) best(use func(Types) Use, meant func(value string) bool) Permission {
	most := None
	for _, right := range r {
		if p := use(right.Types).Permission(); p > most && slices.ContainsFunc(right.Values, meant) {
			most = p
		}
	}
	return most
}

// Within reports whether r allows nothing that whole does not: whether somebody who holds whole may mint r.
func (r Rights) Within(whole Rights) bool {
	for _, right := range r {
		for _, v := range right.Values {
			if whole.values(func(t Types) Use { return t.Pkg }, v) < right.Types.Pkg.Permission() ||
				whole.values(func(t Types) Use { return t.User }, v) < right.Types.User.Permission() {
				return false
			}
		}
	}
	return true
}

// values is the most that rights allow with everything that a value stands for.
func (r Rights) values(use func(Types) Use, v string) Permission {
	namespace, _, scoped := strings.Cut(v, "/")
	return r.best(use, func(have string) bool {
		return have == "*" || have == v || strings.HasPrefix(v, "~") && strings.EqualFold(have, v) || scoped && have == namespace+"/*"
	})
}

// Inherit gives g the end and the networks of whole where it says nothing of its own about them.
func (g Grant) Inherit(whole Grant) Grant {
	if g.Until.IsZero() {
		g.Until = whole.Until
	}
	if len(g.From) == 0 {
		g.From = whole.From
	}
	return g
}

// ReadOnly reports whether g allows no change of any package.
func (g Grant) ReadOnly() bool {
	return !slices.ContainsFunc(g.Rights, func(r Right) bool { return r.Types.Pkg.Write })
}

// Narrowed reports whether g ends no later than whole and works from nowhere else.
func (g Grant) Narrowed(whole Grant) bool {
	if !whole.Until.IsZero() && (g.Until.IsZero() || g.Until.After(whole.Until)) {
		return false
	}
	if len(whole.From) > 0 {
		inside := func(p netip.Prefix) bool {
			return slices.ContainsFunc(whole.From, func(w netip.Prefix) bool { return w.Bits() <= p.Bits() && w.Contains(p.Addr()) })
		}
		if len(g.From) == 0 || slices.ContainsFunc(g.From, func(p netip.Prefix) bool { return !inside(p) }) {
			return false
		}
	}
	return g.Rights.Within(whole.Rights)
}
