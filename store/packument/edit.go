package packument

import (
	"context"
	"fmt"
	"io"
	"strings"
)

// Edit is what a client says that a package is to be, with the parts by which npm's verbs differ (npm-protocol.md §8.1):
// deprecate and unpublish send the whole packument, changed; star and owner send the part they change. Nothing else of
// the document was looked at.
type Edit struct {
	Name string // the document's name or _id, "" if it has neither
	Rev  string // its _rev, "" if it has none

	HasVersions bool
	Versions    map[string]Deprecation // the versions that are to stay
	DistTags    map[string]string      // nil if there are none
	// HasMaintainers tells that there is a list of owners, which is not read: who owns a package is not for it to say.
	HasMaintainers bool
	HasUsers       bool
	Users          map[string]bool // who is to have starred the package
}

// Deprecation is what an Edit says of a version.
type Deprecation struct {
	// Message is what installers are shown. The empty one takes a deprecation back: npm deprecate p@v "".
	Message string
	// Present tells that there is a message. Clients send back what they read, so that a version without one is not
	// deprecated, too.
	Present bool
}

// maxMessage is how long the message of a deprecation may be, as JSON: everybody who installs the package gets to read it.
const maxMessage = 64 << 10

// ReadDocument reads a body that can be no publish, such as that of PUT /<package>/-rev/<rev>: a JSON object that passes
// every rule of the scan. It returns it without spaces between tokens, for ReadEdit. Errors are those of ReadPublish.
func ReadDocument(ctx context.Context, body io.Reader, lim Limits) ([]byte, error) {
	s := newScanner(ctx, body, lim)
	return s.document()
}

// ReadEdit reads what ReadDocument returned, or a NoAttachment has. It is as strict as ReadPublish: *Invalid for a part
// of the wrong type, a version or tag that can be none, and for two names that do not agree.
func ReadEdit(document []byte) (*Edit, error) {
	top, err := value(document).object("body")
	if err != nil {
		return nil, err
	}
	for key := range top {
		for _, part := range []string{"_rev", "maintainers", "users"} {
			if key != part && strings.EqualFold(key, part) {
				return nil, &Invalid{Field: "body", Problem: "has " + shorten(key) + ", which is written " + part}
			}
		}
	}
	e := new(Edit)
	id := ""
	for _, f := range []struct {
		field string
		to    *string
	}{{"name", &e.Name}, {"_id", &id}, {"_rev", &e.Rev}} {
		if v := top[f.field]; !v.missing() && !v.isString() {
			return nil, &Invalid{Field: f.field, Problem: "is not text"}
		}
		*f.to = top[f.field].text()
	}
	if e.Name == "" {
		e.Name = id
	}
	if id != "" && id != e.Name {
		return nil, &Invalid{Field: "_id", Problem: fmt.Sprintf("is %s, and must be the name, %s", shorten(id), shorten(e.Name))}
	}
	if v := top["maintainers"]; !v.missing() {
		if e.HasMaintainers = v[0] == '['; !e.HasMaintainers {
			return nil, &Invalid{Field: "maintainers", Problem: "is not a list"}
		}
	}
	for _, read := range []func(map[string]value) error{e.readVersions, e.readTags, e.readUsers} {
		if err := read(top); err != nil {
			return nil, err
		}
	}
	return e, nil
}

func (e *Edit) readVersions(top map[string]value) error {
	versions := top["versions"]
	if e.HasVersions = !versions.missing(); !e.HasVersions {
		return nil
	}
	if !versions.isObject() {
		return &Invalid{Field: "versions", Problem: "is not an object"}
	}
	e.Versions = make(map[string]Deprecation)
	for m := range versions.members() {
		field := "versions." + printable(m.key)
		if err := CheckVersion(m.key); err != nil {
			return &Invalid{Field: field, Problem: "the version " + err.(*Invalid).Problem}
		}
		if !m.val.isObject() {
			return &Invalid{Field: field, Problem: "is not an object"}
		}
		d, err := deprecation(m.val, field)
		if err != nil {
			return err
		}
		e.Versions[m.key] = d
	}
	return nil
}

// deprecation reads a version's message. False and null, which some tools write for none, are none.
func deprecation(version value, field string) (d Deprecation, err error) {
	for m := range version.members() {
		switch {
		case m.key != "deprecated" && strings.EqualFold(m.key, "deprecated"):
			return d, &Invalid{Field: field, Problem: "has " + shorten(m.key) + ", which is written deprecated"}
		case m.key != "deprecated", m.val.missing(), string(m.val) == "false":
		case len(m.val) > maxMessage:
			return d, &Invalid{Field: field + ".deprecated", Problem: fmt.Sprintf("is longer than %d characters", maxMessage)}
		case !m.val.isString():
			return d, &Invalid{Field: field + ".deprecated", Problem: "is " + m.val.describe() + `, and must be text; "" takes a deprecation back`}
		default:
			d = Deprecation{Message: m.val.text(), Present: true}
		}
	}
	return d, nil
}

func (e *Edit) readTags(top map[string]value) error {
	tags := top["dist-tags"]
	if tags.missing() {
		return nil
	}
	if !tags.isObject() {
		return &Invalid{Field: "dist-tags", Problem: "is not an object"}
	}
	e.DistTags = make(map[string]string)
	for m := range tags.members() {
		if err := CheckTag(m.key); err != nil {
			return &Invalid{Field: "dist-tags", Problem: "the tag " + shorten(m.key) + " " + err.(*Invalid).Problem}
		}
		version := m.val.text()
		if err := CheckVersion(version); err != nil {
			return &Invalid{Field: "dist-tags." + m.key, Problem: "is " + m.val.describe() + ", and must be a version"}
		}
		e.DistTags[m.key] = version
	}
	return nil
}

func (e *Edit) readUsers(top map[string]value) error {
	users := top["users"]
	if e.HasUsers = !users.missing(); !e.HasUsers {
		return nil
	}
	if !users.isObject() {
		return &Invalid{Field: "users", Problem: "is not an object"}
	}
	e.Users = make(map[string]bool)
	for m := range users.members() {
		starred := string(m.val) == "true"
		if !starred && string(m.val) != "false" {
			return &Invalid{Field: "users." + printable(m.key), Problem: "is " + m.val.describe() + ", and must be true or false"}
		}
		e.Users[m.key] = starred
	}
	return nil
}
