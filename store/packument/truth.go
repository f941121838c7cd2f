package packument

import (
	"iter"
	"path"
	"regexp"
	"slices"
	"strings"
)

// installedFields are those by which clients install a package, in the order in which they stand behind a manifest that
// lacks them. They are served as the tarball's package.json has them; see the package comment.
var installedFields = []string{
	"dependencies", "optionalDependencies", "devDependencies", "peerDependencies", "peerDependenciesMeta", "dependenciesMeta", "acceptDependencies",
	"bundleDependencies", "bin", "directories", "scripts", "gypfile", "engines", "os", "cpu", "libc",
}

var isInstalled = set(installedFields...)

// kinds are the fields that map names of packages to ranges.
var kinds = []string{"dependencies", "optionalDependencies", "devDependencies", "peerDependencies", "acceptDependencies"}

// buildGyp is the script by which npm and yarn 1 build what has a binding.gyp and no script of its own.
const buildGyp = "node-gyp rebuild"

// truth is what a package.json says to those who install the package, in the form that npm gives it before it publishes
// (@npmcli/package-json, normalize.js, the steps of prepare). Clients differ in how much of that form they give it.
type truth struct {
	fields   map[string]value // of the package.json, as they are
	ranges   map[string]*said // dependencies, by kind
	bundled  said             // without texts
	commands said
	unfit    map[string]bool // commands that yarn 1 leaves out
	inFolder bool            // commands are the files of a folder of the package,
	folder   string          // this one
	scripts  said
	gyp      bool // it is built because it has a binding.gyp
}

// said are texts under names, in order: dependencies and their ranges, commands and their files, scripts.
type said struct {
	names []string
	text  map[string]string // what was said of a name last, which counts
	// allowed is what a manifest may say: what was said last, and before that, which some clients do not sort out.
	allowed map[[2]string]bool
}

func (s *said) add(name, text string) {
	if s.text == nil {
		s.text = make(map[string]string)
	}
	if _, ok := s.text[name]; !ok {
		s.names = append(s.names, name)
	}
	s.text[name] = text
	s.allow(name, text)
}

// allow lets a manifest say this, too.
func (s *said) allow(name, text string) {
	if s.allowed == nil {
		s.allowed = make(map[[2]string]bool)
	}
	s.allowed[[2]string{name, text}] = true
}

func (s *said) has(name string) bool {
	_, ok := s.text[name]
	return ok
}

// json is an object of the same, or nothing for want of names unless v is one.
func (s *said) json(v value) value {
	if len(s.names) == 0 && !v.isObject() {
		return nil
	}
	b := []byte{'{'}
	for i, name := range s.names {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendQuoted(append(appendQuoted(b, name), ':'), s.text[name])
	}
	return append(b, '}')
}

// readTruth reads the fields of the package.json of a package called name. The files of a folder of commands are not in
// it yet.
func readTruth(fields map[string]value, name Name, bindingGyp bool) *truth {
	t := &truth{fields: fields, ranges: make(map[string]*said), unfit: make(map[string]bool)}
	for _, kind := range kinds {
		s := new(said)
		for name, text := range dependencies(fields[kind]) {
			s.add(name, text)
		}
		for m := range fields[kind].members() {
			if !m.val.isString() {
				s.allow(m.key, "") // what yarn 1 makes of it
			}
		}
		t.ranges[kind] = s
	}
	for name := range bundled(fields) {
		t.bundled.add(name, "")
		if kind := "dependencies"; !t.ranges[kind].has(name) {
			t.ranges[kind].allow(name, "*") // npm lists what is bundled; it need not be anywhere else
		}
	}
	for c := range commands(fields["bin"], name) {
		t.commands.add(c.name, c.file)
		t.unfit[c.name] = t.unfit[c.name] || c.unfit
	}
	if folder, ok := commandFolder(fields); ok && len(t.commands.names) == 0 {
		t.inFolder, t.folder = true, folder
	}
	for name, text := range scripts(fields["scripts"]) {
		t.scripts.add(name, text)
	}
	t.gyp = bindingGyp && string(fields["gypfile"]) != "false" && t.scripts.text["install"] == "" && t.scripts.text["preinstall"] == ""
	if t.gyp {
		t.scripts.add("install", buildGyp)
	}
	return t
}

// served is what documents say under an installed field, nil if nothing.
func (t *truth) served(key string) value {
	v := t.fields[key]
	if s := t.ranges[key]; s != nil {
		return s.json(v)
	}
	switch key {
	case "bundleDependencies":
		return list(slices.Values(t.bundled.names))
	case "bin":
		return t.commands.json(nil)
	case "scripts":
		return t.scripts.json(v)
	case "os", "cpu", "libc":
		return list(texts(v))
	case "gypfile":
		if t.gyp {
			return value("true")
		}
	}
	if v.missing() {
		return nil
	}
	return tidy(nil, v)
}

// runsOnInstall reports whether a script runs when the package is installed.
func (t *truth) runsOnInstall() bool {
	for name, text := range t.scripts.text {
		if onInstall[name] && text != "" {
			return true
		}
	}
	return false
}

// onInstall are the scripts that run when somebody installs the package from a registry. (prepare and its likes do not.)
var onInstall = set("preinstall", "install", "postinstall")

// maxTextList is how long a text may be that stands for a list of dependencies, each of which would be looked into.
const maxTextList = 64 << 10

// checkLists refuses texts in place of lists that are longer than any that somebody wrote.
func checkLists(fields map[string]value) error {
	for _, kind := range kinds {
		if v := fields[kind]; v.isString() && len(v) > maxTextList {
			return &TooLarge{What: kind + " in one text", Limit: maxTextList}
		}
	}
	return nil
}

// dependencies reads names and ranges as npm does, which takes a list, also in one string, for an object. What is not
// text is left out, and so are comments, which yarn 1 takes out.
func dependencies(v value) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for m := range v.members() {
			if m.val.isString() && m.key != "//" && !yield(m.key, m.val.text()) {
				return
			}
		}
		specs := v.elements()
		if v.isString() {
			specs = func(yield func(value) bool) {
				for spec := range strings.FieldsFuncSeq(v.text(), func(r rune) bool { return strings.ContainsRune(" ,\t\r\n", r) }) {
					if !yield(quoted(spec)) {
						return
					}
				}
			}
		}
		for spec := range specs {
			s := strings.TrimSpace(spec.text())
			i := strings.IndexAny(s, "@ \t\r\n\v\f><=")
			if i < 0 {
				i = len(s)
			} else if i > 0 && s[i-1] == ':' {
				i--
			}
			if spec.isString() && !yield(s[:i], strings.TrimSpace(strings.TrimPrefix(s[i:], "@"))) {
				return
			}
		}
	}
}

// bundled goes through the dependencies that are in the tarball. True stands for all.
func bundled(fields map[string]value) iter.Seq[string] {
	v := fields["bundleDependencies"]
	if v.missing() {
		v = fields["bundledDependencies"]
	}
	return func(yield func(string) bool) {
		add := func(name string) bool { return name == "" || yield(name) }
		if string(v) == "true" {
			for name := range dependencies(fields["dependencies"]) {
				if !add(name) {
					return
				}
			}
		}
		for m := range v.members() {
			if !add(m.key) {
				return
			}
		}
		for e := range v.elements() {
			if !add(e.text()) {
				return
			}
		}
	}
}

// command is a name that becomes a program when the package is installed.
type command struct {
	name, file string
	unfit      bool // yarn 1 leaves it out
}

var fitForYarn = regexp.MustCompile(`^[A-Za-z0-9._-]+$`)

// commands reads the field bin. Names are cut to their last part, and files cannot leave the package.
func commands(bin value, of Name) iter.Seq[command] {
	return func(yield func(command) bool) {
		add := func(name string, file value) bool {
			c := command{name: path.Base("/" + secure(name)), file: secure(file.text())}
			clean := path.Clean(file.text())
			c.unfit = !fitForYarn.MatchString(name) || strings.HasPrefix(clean, "/") || clean == ".." || strings.HasPrefix(clean, "../")
			return !file.isString() || c.name == "/" || c.file == "" || yield(c)
		}
		for m := range bin.members() {
			if !add(m.key, m.val) {
				return
			}
		}
		for e := range bin.elements() {
			if !add(path.Base(e.text()), e) {
				return
			}
		}
		if bin.isString() {
			add(of.Base, bin)
		}
	}
}

// commandFolder is the folder whose files are commands.
func commandFolder(fields map[string]value) (folder string, ok bool) {
	for m := range fields["directories"].members() {
		if m.key == "bin" {
			folder, ok = secure(m.val.text()), m.val.text() != ""
		}
	}
	return folder, ok
}

// secure is a path inside the package, "" for the package itself.
func secure(p string) string {
	return path.Clean("/" + strings.NewReplacer(`\`, "/", ":", "/").Replace(p))[1:]
}

// modulesBin begins scripts that name a program by its place; npm takes it off.
var modulesBin = regexp.MustCompile(`^(?:\.[/\\])?node_modules[/\\].bin[/\\]`)

func scripts(v value) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for m := range v.members() {
			if text := m.val.text(); m.val.isString() && !yield(m.key, text[len(modulesBin.FindString(text)):]) {
				return
			}
		}
	}
}

// texts goes through the strings in a list, or takes the one string that stands for a list.
func texts(v value) iter.Seq[string] {
	return func(yield func(string) bool) {
		if v.isString() && len(v) > 2 {
			yield(v.text())
		}
		for e := range v.elements() {
			if e.isString() && !yield(e.text()) {
				return
			}
		}
	}
}

// list is an array of texts, or nothing for want of them.
func list(texts iter.Seq[string]) value {
	var b []byte
	for text := range texts {
		b = appendQuoted(append(b, ','), text)
	}
	if b == nil {
		return nil
	}
	b[0] = '['
	return append(b, ']')
}

// tidy appends a value of a file that a person wrote so that all read it alike: of a key that comes twice, the last
// value stays, and what is not Unicode is replaced, both as JavaScript does it.
func tidy(b []byte, v value) []byte {
	start := len(b)
	switch v[0] {
	case '{':
		var names []string
		last := make(map[string]value)
		for m := range v.members() {
			if _, twice := last[m.key]; !twice {
				names = append(names, m.key)
			}
			last[m.key] = m.val
		}
		for _, name := range names {
			b = tidy(append(appendQuoted(append(b, ','), name), ':'), last[name])
		}
	case '[':
		for e := range v.elements() {
			b = tidy(append(b, ','), e)
		}
	case '"':
		return appendQuoted(b, v.text())
	default:
		return append(b, v...)
	}
	if len(b) == start {
		b = append(b, ',')
	}
	b[start] = v[0]
	return append(b, v[0]+2) // in ASCII, ] and } stand two behind [ and {
}
