package packument

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"slices"
	"time"
)

// Fragment is the JSON object of one version as it is served, but for the registry's address, which goes before byte At.
type Fragment struct {
	JSON []byte
	At   int
}

// With returns the fragment as a document of its own, its tarball's address beginning with base.
//
// base is copied into a JSON string as it is: it must be an absolute URL that ends in a slash and has
// no quote, backslash or control character. That holds for Join too.
func (f Fragment) With(base string) []byte {
	return f.appendTo(make([]byte, 0, len(f.JSON)+len(base)), base)
}

func (f Fragment) appendTo(b []byte, base string) []byte {
	b = append(b, f.JSON[:f.At]...)
	b = append(b, base...)
	return append(b, f.JSON[f.At:]...)
}

// Top is what a packument says beside its versions.
type Top struct {
	Name     string
	Revision string // served as _rev; clients send it back inside a URL path
	DistTags map[string]string
	Created  time.Time
	Modified time.Time
	// Page is JSON members without braces: what Kept.Page holds of the version tagged latest. It may be empty, and is
	// left out of the short form.
	Page []byte
	// Users are the logins of those who starred the package. They are left out of the short form.
	Users []string
	// Unpublished says that the whole package was withdrawn, and when and by whom; nil if it was not. npm view shows it.
	Unpublished *Unpublished
}

// Unpublished is what a packument says of a package that was withdrawn whole: the "unpublished" of its time.
type Unpublished struct {
	By       string
	At       time.Time
	Versions []string // those there were
}

// Version is one version's part of a packument, in the form that is joined.
type Version struct {
	Version string
	Time    time.Time
	// Fragment is the zero one for a version that was withdrawn: it stays in "time", as on the public registry, and nowhere else.
	Fragment Fragment
}

// timeFormat is JavaScript's Date.toISOString, the form the public registry uses.
const timeFormat = `"2006-01-02T15:04:05.000Z"`

// chunk is how much Join gathers before it writes.
const chunk = 32 << 10

// Join writes a packument: the full form with the members of npm-protocol.md §5.2, or the short one with those of §5.4
// and "time", which spares pnpm a request. Versions may come in any order and are written by time of publication; those
// of one time by precedence. Nothing is parsed, so the fragments and the page must be what Kept returned. An error is
// one of w; what was written until then is a part of a document.
//
// A document consists of what Open, Listed and Close write, one after the other, so that a caller who keeps a part need not join it again.
func Join(w io.Writer, form Form, top Top, versions []Version, base string) error {
	if !slices.IsSortedFunc(versions, ByTime) {
		versions = slices.Clone(versions)
		slices.SortStableFunc(versions, ByTime)
	}
	j := newJoiner(w, chunk+chunk/4)
	j.open(form, top)
	j.listed(versions, base, true)
	j.close(form, top, versions)
	return j.end()
}

// ByTime is the order of versions in a document: by time of publication, those of one time by precedence.
func ByTime(a, b Version) int {
	if c := a.Time.Compare(b.Time); c != 0 {
		return c
	}
	return Compare(a.Version, b.Version)
}

// Open writes what is before the versions.
func Open(w io.Writer, form Form, top Top) error {
	j := newJoiner(w, 1<<10)
	j.open(form, top)
	return j.end()
}

// Listed writes versions as they are listed, some of them or all, in the order in which they come. first says that none is listed before them.
func Listed(w io.Writer, versions []Version, base string, first bool) error {
	j := newJoiner(w, chunk+chunk/4)
	j.listed(versions, base, first)
	return j.end()
}

// Close writes what is after the versions. Of those, their fragments are not looked at, and their order is that of ByTime.
func Close(w io.Writer, form Form, top Top, versions []Version) error {
	j := newJoiner(w, 1<<10+len(top.Page)+64*len(versions))
	j.close(form, top, versions)
	return j.end()
}

func (j *joiner) open(form Form, top Top) {
	if form == Full {
		j.text(`{"_id":`).quoted(top.Name).text(`,"_rev":`).quoted(top.Revision).text(`,"name":`).quoted(top.Name)
	} else {
		j.text(`{"name":`).quoted(top.Name).text(`,"modified":`).time(top.Modified)
	}
	j.text(`,"dist-tags":{`)
	for i, tag := range slices.Sorted(maps.Keys(top.DistTags)) {
		j.comma(i).quoted(tag).text(`:`).quoted(top.DistTags[tag])
	}
	j.text(`},"versions":{`)
}

func (j *joiner) listed(versions []Version, base string, first bool) {
	for _, v := range versions {
		if v.Fragment.JSON == nil {
			continue
		}
		if !first {
			j.text(`,`)
		}
		j.quoted(v.Version).text(`:`).fragment(v.Fragment, base)
		first = false
	}
}

func (j *joiner) close(form Form, top Top, versions []Version) {
	j.text(`},"time":{"created":`).time(top.Created).text(`,"modified":`).time(top.Modified)
	for _, v := range versions {
		j.text(`,`).quoted(v.Version).text(`:`).time(v.Time)
	}
	if u := top.Unpublished; u != nil {
		j.text(`,"unpublished":{"name":`).quoted(u.By).text(`,"time":`).time(u.At).text(`,"versions":[`)
		for i, v := range u.Versions {
			j.comma(i).quoted(v)
		}
		j.text(`]}`)
	}
	j.text(`}`)
	if form == Full && len(top.Users) > 0 {
		j.text(`,"users":{`)
		for i, login := range top.Users {
			j.comma(i).quoted(login).text(`:true`)
		}
		j.text(`}`)
	}
	if form == Full && len(top.Page) > 0 {
		j.text(`,`).bytes(top.Page)
	}
	j.text(`}`)
}

// joiner writes to w by the chunk. It stops at the first error.
type joiner struct {
	w   io.Writer
	b   []byte
	err error
}

// newJoiner returns a joiner for about size bytes.
func newJoiner(w io.Writer, size int) *joiner {
	return &joiner{w: w, b: make([]byte, 0, min(size, chunk+chunk/4))}
}

// end writes what is left.
func (j *joiner) end() error {
	j.flush(0)
	return j.err
}

func (j *joiner) text(s string) *joiner {
	j.b = append(j.b, s...)
	return j.flush(chunk)
}

func (j *joiner) bytes(p []byte) *joiner {
	if len(p) < chunk {
		j.b = append(j.b, p...)
		return j.flush(chunk)
	}
	if j.flush(0); j.err == nil {
		_, j.err = j.w.Write(p)
	}
	return j
}

func (j *joiner) fragment(f Fragment, base string) *joiner {
	return j.bytes(f.JSON[:f.At]).text(base).bytes(f.JSON[f.At:])
}

func (j *joiner) comma(i int) *joiner {
	if i > 0 {
		return j.text(`,`)
	}
	return j
}

func (j *joiner) quoted(s string) *joiner {
	j.b = appendQuoted(j.b, s)
	return j.flush(chunk)
}

func (j *joiner) time(t time.Time) *joiner {
	j.b = t.UTC().AppendFormat(j.b, timeFormat)
	return j.flush(chunk)
}

// flush writes what is gathered if it is more than keep.
func (j *joiner) flush(keep int) *joiner {
	if len(j.b) > keep {
		if j.err == nil {
			_, j.err = j.w.Write(j.b)
		}
		j.b = j.b[:0]
	}
	return j
}

// appendQuoted appends s as a JSON string, with <, > and & as they are, as JSON.stringify leaves them.
func appendQuoted(b []byte, s string) []byte {
	if within(s, " !#$%&'()*+,-./:;<=>?@[]^_`{|}~") { // nothing to escape
		b = append(b, '"')
		b = append(b, s...)
		return append(b, '"')
	}
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // cannot fail: a string, into memory
	return append(b, bytes.TrimSuffix(buf.Bytes(), []byte("\n"))...)
}
