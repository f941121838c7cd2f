package packument

import (
	"fmt"
	"iter"
	"path"
	"strings"
)

// check returns an *Invalid that names every installed field in which the manifest of a publish says something else than
// the tarball's package.json, but for what clients change when they publish.
func (t *truth) check(manifest map[string]value, name Name) error {
	var differ []string
	note := func(field, how string) {
		if how != "" {
			differ = append(differ, field+" ("+how+")")
		}
	}
	for _, kind := range kinds {
		if kind != "devDependencies" {
			note(kind, t.checkRanges(kind, manifest))
		}
	}
	note("bundleDependencies", t.checkBundled(manifest))
	note("bin", t.checkCommands(manifest, name))
	note("scripts", t.checkScripts(manifest))
	for _, key := range []string{"peerDependenciesMeta", "dependenciesMeta", "engines"} {
		if a, b := t.fields[key], manifest[key]; !same(a, b) && !sameEngines(a, b) {
			note(key, hint("it", a.describe(), b.describe()))
		}
	}
	for _, key := range []string{"os", "cpu", "libc"} {
		if a, b := t.fields[key], manifest[key]; !sameTexts(a, b) {
			note(key, hint("it", a.describe(), b.describe()))
		}
	}
	if len(differ) == 0 {
		return nil
	}
	return &Invalid{Field: "tarball package.json", Problem: "does not agree with the manifest sent with it in " +
		strings.ToValidUTF8(strings.Join(differ, ", "), "?") + "; if a script changes package.json while packing, pack first and publish the file"}
}

func hint(what, tarball, manifest string) string {
	return fmt.Sprintf("%s is %s, in the manifest %s", what, tarball, manifest)
}

// compare goes through what a manifest says and what the tarball says, and returns a hint at the first of the names about
// which they disagree. A text that is nil is not there. pass may still find that it is no disagreement.
func (s *said) compare(manifest iter.Seq2[string, string], pass func(name string, tarball, manifest *string) bool) string {
	describe := func(text *string) string {
		if text == nil {
			return "not there"
		}
		return shorten(*text)
	}
	found := make(map[string]bool)
	for name, text := range manifest {
		var there *string
		if own, ok := s.text[name]; ok {
			there, found[name] = &own, true
		}
		if !s.allowed[[2]string{name, text}] && !pass(name, there, &text) {
			return hint(shorten(name), describe(there), describe(&text))
		}
	}
	for _, name := range s.names {
		if text := s.text[name]; !found[name] && !pass(name, &text, nil) {
			return hint(shorten(name), describe(&text), describe(nil))
		}
	}
	return ""
}

// checkRanges compares dependencies of one kind. What is optional, too, is nothing but optional for all clients: npm up
// to 9 copies it into dependencies, yarn 1 takes it out.
func (t *truth) checkRanges(kind string, manifest map[string]value) string {
	return t.ranges[kind].compare(dependencies(manifest[kind]), func(name string, tarball, manifest *string) bool {
		switch {
		case kind == "dependencies" && t.ranges["optionalDependencies"].has(name):
			return true
		case tarball == nil || manifest == nil:
			return false
		case isPlace(*tarball) && isPlace(*manifest): // yarn 1 writes places anew, and nobody else finds them
			return true
		case *tarball == "" || *tarball == "*": // yarn 1 puts in what another kind says
			for _, other := range []string{"optionalDependencies", "dependencies", "devDependencies"} {
				if t.ranges[other].text[name] == *manifest {
					return true
				}
			}
			return false
		}
		ref := gitRef(*tarball)
		return ref != "" && ref == gitRef(*manifest)
	})
}

// isPlace reports whether a dependency is a place on the machine of who wrote it.
func isPlace(r string) bool {
	return strings.HasPrefix(r, "file:") || strings.HasPrefix(r, "link:") || strings.HasPrefix(r, "/")
}

func (t *truth) checkBundled(manifest map[string]value) string {
	none := true
	how := t.bundled.compare(func(yield func(string, string) bool) {
		for name := range bundled(manifest) {
			if none = false; !yield(name, "") {
				return
			}
		}
	}, func(string, *string, *string) bool { return false })
	if none && t.fields["bundleDependencies"].isObject() {
		return "" // npm up to 9 leaves out what is no list
	}
	return how
}

// checkCommands compares the field bin. Of a folder of commands, clients send a list of what is in it on their disk, or
// the name of the folder only; yarn 1 sends the list only.
func (t *truth) checkCommands(manifest map[string]value, of Name) string {
	if t.inFolder && manifest["bin"].missing() {
		if folder, ok := commandFolder(manifest); len(t.commands.names) > 0 && (!ok || folder != t.folder) {
			return hint("the folder in directories", shorten(t.folder), shorten(folder))
		}
		return ""
	}
	return t.commands.compare(func(yield func(string, string) bool) {
		for c := range commands(manifest["bin"], of) {
			if !yield(c.name, c.file) {
				return
			}
		}
	}, func(name string, _, manifest *string) bool {
		if manifest == nil {
			return t.inFolder || t.unfit[name]
		}
		return t.inFolder && path.Base(*manifest) == name && (t.folder == "" || strings.HasPrefix(*manifest, t.folder+"/"))
	})
}

// checkScripts compares the scripts that run on installing. npm and yarn 1 add one for a binding.gyp, which need not be
// in the tarball; the others add none.
func (t *truth) checkScripts(manifest map[string]value) string {
	mine := new(said)
	for _, name := range t.scripts.names {
		if text := t.scripts.text[name]; onInstall[name] && text != "" {
			mine.add(name, text)
		}
	}
	return mine.compare(func(yield func(string, string) bool) {
		for name, text := range scripts(manifest["scripts"]) {
			if onInstall[name] && text != "" && !yield(name, text) {
				return
			}
		}
	}, func(name string, tarball, manifest *string) bool {
		if name != "install" {
			return false
		}
		return tarball == nil && *manifest == buildGyp || manifest == nil && t.gyp
	})
}

// sameEngines compares the list that engines once were with the object that yarn 1 makes of it.
func sameEngines(tarball, manifest value) bool {
	if len(tarball) == 0 || tarball[0] != '[' {
		return false
	}
	var engines said
	for e := range tarball.elements() {
		if words := strings.Split(strings.TrimSpace(e.text()), " "); e.isString() {
			words = append(words[:1], strings.Fields(strings.Join(words[1:], " "))...)
			engines.add(words[0], strings.Join(words[1:], " "))
		}
	}
	return same(engines.json(value("{}")), manifest)
}

// sameTexts compares two lists of texts.
func sameTexts(tarball, manifest value) bool {
	next, stop := iter.Pull(texts(tarball))
	defer stop()
	for b := range texts(manifest) {
		if a, ok := next(); !ok || a != b {
			return false
		}
	}
	_, more := next()
	return !more
}

// same compares values without regard to the order of keys, and takes nothing, null and what is empty for the same.
func same(tarball, manifest value) bool {
	if tarball.empty() || manifest.empty() {
		return tarball.empty() && manifest.empty()
	}
	if tarball[0] != manifest[0] {
		return false
	}
	switch tarball[0] {
	case '{':
		last := make(map[string]value)
		for m := range tarball.members() {
			last[m.key] = m.val
		}
		n := 0
		for m := range manifest.members() {
			n++
			if v, ok := last[m.key]; !ok || !same(v, m.val) {
				return false
			}
		}
		return n == len(last)
	case '[':
		next, stop := iter.Pull(manifest.elements())
		defer stop()
		for a := range tarball.elements() {
			if b, ok := next(); !ok || !same(a, b) {
				return false
			}
		}
		_, more := next()
		return !more
	case '"':
		return tarball.text() == manifest.text()
	}
	return string(tarball) == string(manifest)
}

// empty reports whether nothing is said.
func (v value) empty() bool {
	return v.missing() || len(v) == 2 && strings.Contains(`{}[]""`, string(v))
}
