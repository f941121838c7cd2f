package packument

import (
	"bytes"
	"iter"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Publisher is how documents name who published a version.
type Publisher struct{ Name, Email string }

// Kept is what a registry keeps of a version to make documents from.
type Kept struct {
	// Full is the manifest, for the full packument and for the version's own document.
	Full Fragment
	// Short is what an install needs of it, for the abbreviated packument.
	Short Fragment
	// Page is what a full packument says of the package while this version is its latest: JSON members without braces,
	// for Top.Page. The readme in it ends after 256 KiB.
	Page []byte
}

const (
	maxReadme = 256 << 10
	// noReadme is what npm and pnpm send for want of a readme (@npmcli/package-json, normalize).
	noReadme = `ERROR: No README data found!`
)

// notKept are the fields of a published manifest that are not served: those the registry itself says (_id, dist and
// those around it), the readme, which is most of the bulk and shown for the latest version only, and what clients leave
// in it of their own machine when they publish a packed file or what they unpacked (pnpm 10: _resolved and _from; npm 6
// and before: most of the rest; bun: _integrity, integrity, shasum).
var notKept = set(
	"_id", "_rev", "_attachments", "dist", "_npmUser", "maintainers", "readme", "readmeFilename", "_hasShrinkwrap", "hasInstallScript", "deprecated",
	"_resolved", "_from", "_integrity", "integrity", "shasum", "_shasum", "_where", "_args", "_spec", "_requested", "_requiredBy", "_location",
	"_phantomChildren", "_inBundle", "_inCache", "_cached", "_optional", "_development", "_npmOperationalInternal", "_defaultsLoaded",
	"_engineSupported", "_nodeSupported", "_npmJsonOpts",
)

// registrys are the fields of which the registry has the say, as they are without case. In another case, they are not served:
// programs that ignore case would take them for the registry's word.
var registrys = folded(notKept, isInstalled, matters, set("bundledDependencies"))

// served reports whether a field of a published manifest is served under the name it has there.
func served(key string) bool {
	own, ok := registrys[foldCase(key)]
	return !notKept[key] && (!ok || own == key)
}

// short are the fields of the abbreviated form (npm-protocol.md §5.4).
var short = set(
	"name", "version", "dependencies", "optionalDependencies", "devDependencies", "bundleDependencies", "peerDependencies",
	"peerDependenciesMeta", "acceptDependencies", "bin", "directories", "engines", "os", "cpu", "libc", "funding",
)

// page are the fields that a packument takes over from its latest version, beside the description and the readme.
var page = []string{"homepage", "repository", "bugs", "license", "keywords", "author", "contributors"}

// Kept makes what is kept of an upload published by by. In Full, members have the order and the values of the published
// manifest, but for those that the registry knows better: the installed fields are the tarball's, and see notKept for
// what is left out. Nothing of the client's dist is used.
func (u *Upload) Kept(by Publisher) Kept {
	return Kept{Full: u.full(by), Short: u.short(), Page: u.page(by)}
}

func (u *Upload) full(by Publisher) Fragment {
	b := append([]byte(`{"_id":`), quoted(u.Name.String()+"@"+u.Version)...)
	for m := range u.members() {
		if served(m.key) && !(strings.HasPrefix(m.key, "_") && namesPlace(m.val)) {
			b = appendMember(b, m.raw, m.val)
		}
	}
	b, at := u.appendDist(b)
	b = append(b, `,"_npmUser":`...)
	b = by.append(b)
	b = append(b, `,"maintainers":[`...)
	b = append(by.append(b), ']')
	return Fragment{JSON: u.appendFlags(b), At: at}
}

func (u *Upload) short() Fragment {
	var b []byte
	for m := range u.members() {
		if short[m.key] && !m.val.missing() {
			b = appendMember(b, m.raw, m.val)
		}
	}
	b[0] = '{' // for the comma of the first member; a version has a name
	b, at := u.appendDist(b)
	return Fragment{JSON: u.appendFlags(b), At: at}
}

// members goes through the manifest with the tarball's word for the installed fields. Those that it lacks come last.
func (u *Upload) members() iter.Seq[member] {
	return func(yield func(member) bool) {
		done := make(map[string]bool)
		installed := func(key string) bool {
			v := u.truth.served(key)
			if done[key] || v == nil {
				return true
			}
			done[key] = true
			return yield(member{key: key, raw: quoted(key), val: v})
		}
		for m := range u.manifest.members() {
			if m.key == "bundledDependencies" {
				m.key = "bundleDependencies"
			}
			if isInstalled[m.key] {
				if !installed(m.key) {
					return
				}
			} else if !yield(m) {
				return
			}
		}
		for _, key := range installedFields {
			if !installed(key) {
				return
			}
		}
	}
}

// appendDist says where the tarball is and what it is. at is where the base belongs.
func (u *Upload) appendDist(b []byte) (_ []byte, at int) {
	b = append(b, `,"dist":{"tarball":"`...)
	at = len(b)
	b = append(b, u.Name.path(u.Version)...) // needs no escapes: see ParseName and CheckVersion
	b = append(b, `","integrity":"`+u.Integrity+`","shasum":"`+u.Shasum+`","fileCount":`...)
	b = strconv.AppendInt(b, int64(u.FileCount), 10)
	b = append(b, `,"unpackedSize":`...)
	b = strconv.AppendInt(b, u.UnpackedSize, 10)
	return append(b, '}'), at
}

// appendFlags ends both forms. The deprecation is the last member: see Fragment.Deprecate.
func (u *Upload) appendFlags(b []byte) []byte {
	if u.HasShrinkwrap {
		b = append(b, `,"_hasShrinkwrap":true`...)
	}
	if u.truth.runsOnInstall() {
		b = append(b, `,"hasInstallScript":true`...)
	}
	return Fragment{JSON: append(b, '}')}.Deprecate(u.fields["deprecated"].text()).JSON
}

// Deprecate returns the fragment with the message that clients show to who installs the version; an empty one takes the
// deprecation back. The fragment must be what Kept or Deprecate returned, and is not changed.
func (f Fragment) Deprecate(message string) Fragment {
	const key = `,"deprecated":`
	end := len(f.JSON) - 1
	for m := range value(f.JSON).members() {
		if m.key == "deprecated" {
			end -= len(key) + len(m.val)
		}
	}
	b := slices.Clone(f.JSON[:end])
	if message != "" {
		b = appendQuoted(append(b, key...), message)
	}
	return Fragment{JSON: append(b, '}'), At: f.At}
}

func (u *Upload) page(by Publisher) []byte {
	var b []byte
	member := func(key string, v value) {
		if !v.missing() {
			b = appendMember(b, quoted(key), v)
		}
	}
	member("description", u.fields["description"])
	readme, file := u.readme()
	member("readme", readme)
	member("readmeFilename", file)
	for _, key := range page {
		member(key, u.fields[key])
	}
	member("maintainers", append(by.append([]byte{'['}), ']'))
	return b[1:]
}

// readme finds the readme where npm and its likes put it, in the manifest, or where yarn does, at the top.
func (u *Upload) readme() (text, file value) {
	for _, m := range []map[string]value{u.fields, u.top} {
		text, file = m["readme"], m["readmeFilename"]
		if !text.isString() || len(text) == 2 || text.text() == noReadme {
			continue
		}
		if len(text) > maxReadme {
			s := text.text()
			end := min(maxReadme, len(s))
			for end < len(s) && !utf8.RuneStart(s[end]) {
				end--
			}
			text = quoted(s[:end])
		}
		if !file.isString() {
			file = u.fields["readmeFilename"]
		}
		if !file.isString() {
			file = nil
		}
		return text, file
	}
	return nil, nil
}

// namesPlace reports whether a value has a path of the machine it came from in it: "/home/…", "C:\…", "file:…".
func namesPlace(v value) bool {
	for rest := v; ; {
		i := bytes.IndexByte(rest, '"')
		if i < 0 {
			return false
		}
		rest = rest[i:]
		n := rest.length()
		s := value(rest[:n]).text()
		if strings.HasPrefix(s, "/") || strings.HasPrefix(s, "file:") || strings.HasPrefix(s, "~/") ||
			len(s) > 2 && s[1] == ':' && (s[2] == '\\' || s[2] == '/') && within(s[:1], "") {
			return true
		}
		rest = rest[n:]
	}
}

func (p Publisher) append(b []byte) []byte {
	b = appendQuoted(append(b, `{"name":`...), p.Name)
	b = appendQuoted(append(b, `,"email":`...), p.Email)
	return append(b, '}')
}

func appendMember(b []byte, key, v value) []byte {
	return append(append(append(append(b, ','), key...), ':'), v...)
}

func quoted(s string) value { return appendQuoted(nil, s) }
