package packument

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// publication is the body of a publish, opened but not believed.
type publication struct {
	top         map[string]value
	attachments map[string]value
	key         string // under which the version stands in versions
	raw         value  // the manifest of the version
	manifest    map[string]value
}

// readPublication finds the parts of a body. It returns *NoAttachment for one that is no publish, and *Invalid.
func readPublication(document value) (*publication, error) {
	p := new(publication)
	var err error
	if p.top, err = document.object("body"); err != nil {
		return nil, err
	}
	if a := p.top["_attachments"]; !a.missing() {
		if p.attachments, err = a.object("_attachments"); err != nil {
			return nil, err
		}
	}
	if len(p.attachments) == 0 {
		return nil, &NoAttachment{Document: document}
	}
	versions, err := p.top["versions"].object("versions")
	if err != nil {
		return nil, err
	}
	if len(versions) != 1 {
		return nil, &Invalid{Field: "versions", Problem: fmt.Sprintf("has %d versions; a publish has one", len(versions))}
	}
	for p.key, p.raw = range versions {
	}
	p.manifest, err = p.raw.object("versions." + printable(p.key))
	return p, err
}

// check compares everything that is said twice and returns what is true. It knows the tarball's size and hashes, not
// its contents.
func (p *publication) check(want Name, t *tarballReader) (*Upload, error) {
	u := &Upload{Name: want, Version: p.key, Size: t.spool.size, manifest: p.raw, fields: p.manifest, top: p.top, spool: t.spool}
	for _, err := range []error{
		p.checkNames(want),
		p.checkTag(&u.Tag),
		p.checkAccess(&u.Access),
		p.checkRepository(&u.Repository),
		p.checkAttachments(want, t),
	} {
		if err != nil {
			return nil, err
		}
	}
	sha1 := t.spool.sha1.Sum(nil)
	t.spool.sha512.Sum(u.SHA512[:0])
	u.Shasum = hex.EncodeToString(sha1)
	u.Integrity = "sha512-" + base64.StdEncoding.EncodeToString(u.SHA512[:])
	if err := p.checkHashes(u.Shasum, "sha1-"+base64.StdEncoding.EncodeToString(sha1), u.Integrity); err != nil {
		return nil, err
	}
	return u, nil
}

func (p *publication) checkNames(want Name) error {
	if err := CheckVersion(p.key); err != nil {
		return &Invalid{Field: "versions." + printable(p.key), Problem: "the version " + err.(*Invalid).Problem}
	}
	at := "versions." + p.key
	for _, c := range []struct {
		field    string
		value    value
		want     string
		optional bool
	}{
		{"name", p.top["name"], want.String(), false},
		{"_id", p.top["_id"], want.String(), true},
		{at + ".name", p.manifest["name"], want.String(), false},
		{at + ".version", p.manifest["version"], p.key, false},
		{at + "._id", p.manifest["_id"], want.String() + "@" + p.key, true},
	} {
		if c.optional && len(c.value) == 0 {
			continue
		}
		if c.value.text() != c.want {
			return &Invalid{Field: c.field, Problem: fmt.Sprintf("is %s, and must be %q", c.value.describe(), c.want)}
		}
	}
	// npm's own test is whether the value is truthy (libnpmpublish, EPRIVATE).
	switch string(p.manifest["private"]) {
	case "", "false", "null", `""`, "0":
		return nil
	}
	return &Invalid{Field: at + ".private", Problem: "is set; a private package is not published. Remove it from package.json"}
}

func (p *publication) checkTag(tag *string) error {
	tags, err := p.top["dist-tags"].object("dist-tags")
	if err != nil {
		return err
	}
	if len(tags) != 1 {
		return &Invalid{Field: "dist-tags", Problem: fmt.Sprintf("has %d tags; a publish has one", len(tags))}
	}
	for name, version := range tags {
		if err := CheckTag(name); err != nil {
			return &Invalid{Field: "dist-tags", Problem: "the tag " + shorten(name) + " " + err.(*Invalid).Problem}
		}
		if version.text() != p.key {
			return &Invalid{Field: "dist-tags." + name, Problem: fmt.Sprintf("is %s, and must be the version published, %q", version.describe(), p.key)}
		}
		*tag = name
	}
	return nil
}

func (p *publication) checkRepository(repository *string) (err error) {
	*repository, err = repositoryText(p.manifest["repository"], "versions."+p.key+".repository")
	return err
}

func (p *publication) checkAccess(access *string) error {
	a := p.top["access"]
	if *access = a.text(); !a.missing() && *access != "public" && *access != "restricted" {
		return &Invalid{Field: "access", Problem: fmt.Sprintf(`is %s, and can be "public", "restricted" or null`, a.describe())}
	}
	return nil
}

// repositoryText takes text from whatever shape the field repository has; what does not hold text is no repository.
func repositoryText(r value, field string) (string, error) {
	if r.isObject() {
		m, err := r.object(field)
		if err != nil {
			return "", err
		}
		r = m["url"]
	}
	text := r.text()
	if strings.ContainsFunc(text, unicode.IsControl) {
		return "", &Invalid{Field: field, Problem: "has a control character"}
	}
	return text, nil
}

// checkAttachments wants one tarball, called <name>-<version>.tgz, and at most a provenance bundle beside it. npm and
// its likes put the scope into the name of the file (libnpmpublish); the name without it is what the file is called
// when it is served.
func (p *publication) checkAttachments(want Name, t *tarballReader) error {
	for file, a := range p.attachments {
		field := "_attachments." + printable(file)
		stem, tarball := strings.CutSuffix(file, ".tgz")
		if !tarball {
			stem, _ = strings.CutSuffix(file, ".sigstore")
		}
		if stem == file || stem != want.String()+"-"+p.key && stem != want.Base+"-"+p.key {
			return &Invalid{Field: field, Problem: fmt.Sprintf("is not the tarball of this version; it must be called %q", want.String()+"-"+p.key+".tgz")}
		}
		m, err := a.object(field)
		if err != nil {
			return err
		}
		// The bundle says what built the package. It is of no use before somebody verifies it; until then it is taken,
		// as publishing with provenance must work, and dropped.
		if !tarball {
			continue
		}
		if t.file != file {
			return &Invalid{Field: field + ".data", Problem: "is not there, or not text"}
		}
		if length := m["length"]; !length.missing() && string(length) != strconv.FormatInt(t.spool.size, 10) {
			return &Invalid{Field: field + ".length", Problem: fmt.Sprintf("is %s, but data has %d bytes", length.describe(), t.spool.size)}
		}
	}
	if t.file == "" {
		return &Invalid{Field: "_attachments", Problem: "has no tarball"}
	}
	return nil
}

// checkHashes compares what the publisher's client computed with what arrived. Other algorithms than these two are
// passed over: nothing of dist is kept.
func (p *publication) checkHashes(shasum, sha1, sha512 string) error {
	field := "versions." + p.key + ".dist"
	if p.manifest["dist"].missing() {
		return nil
	}
	dist, err := p.manifest["dist"].object(field)
	if err != nil {
		return err
	}
	if v := dist["shasum"]; !v.missing() && !strings.EqualFold(v.text(), shasum) {
		return &Invalid{Field: field + ".shasum", Problem: "is not that of the tarball, which is " + shasum}
	}
	v := dist["integrity"]
	if v.missing() {
		return nil
	}
	for _, hash := range strings.Fields(v.text()) {
		hash, _, _ = strings.Cut(hash, "?") // options (Subresource Integrity)
		switch algorithm, _, found := strings.Cut(hash, "-"); {
		case !found, algorithm == "sha1" && hash != sha1, algorithm == "sha512" && hash != sha512:
			return &Invalid{Field: field + ".integrity", Problem: "is not that of the tarball, which is " + sha512}
		}
	}
	if !v.isString() {
		return &Invalid{Field: field + ".integrity", Problem: "is not text"}
	}
	return nil
}

// describe shows a value of the sender's in an error.
func (v value) describe() string {
	switch {
	case len(v) == 0:
		return "not there"
	case v.isString():
		return shorten(v.text())
	case len(v) > 64:
		return string(v[:1]) + "…"
	}
	return string(v)
}

// printable is a name of the sender's as part of a field: what is not plain is quoted.
func printable(s string) string {
	if len(s) <= 300 && within(s, "@/._-+") {
		return s
	}
	return shorten(s)
}
