package packument

import (
	"strings"
)

// maxName is the longest package name, scope included (validate-npm-package-name).
const maxName = 214

// Name is the name of a package. The zero Name is no name.
type Name struct {
	Scope string // without "@"; empty for an unscoped name
	Base  string
}

// ParseName reads any name that a client may ask for, also those that npm took long ago and takes no more: capitals,
// and ~'!()* in unscoped names. Names are compared as they are, with their case (validate-npm-package-name,
// "validForOldPackages"). It returns an *Invalid for everything else; what it accepts has no slash but the one after
// the scope, no escape, no control character, no "." or ".." and no leading dot, hyphen or underscore, so that neither
// a URL nor a path can be led astray by it.
func ParseName(s string) (Name, error) {
	var n Name
	invalid := func(problem string) (Name, error) {
		return Name{}, &Invalid{Field: "name", Problem: problem}
	}
	if s == "" {
		return invalid("is empty")
	}
	if len(s) > maxName {
		return invalid("is longer than 214 characters")
	}
	n.Base = s
	if s[0] == '@' {
		var found bool
		if n.Scope, n.Base, found = strings.Cut(s[1:], "/"); !found || n.Scope == "" {
			return invalid("begins with @ but is not of the form @scope/name")
		}
	}
	extra := ""
	if n.Scope == "" {
		extra = "~'!()*"
	}
	for _, part := range []string{n.Scope, n.Base} {
		if part == "" {
			if part == n.Base {
				return invalid("has nothing after the slash")
			}
			continue
		}
		if strings.IndexByte("._-", part[0]) >= 0 {
			return invalid("begins with a dot, a hyphen or an underscore")
		}
		if !within(part, "._-"+extra) {
			return invalid("has a character that no package name has")
		}
	}
	return n, nil
}

// CheckNew returns an *Invalid unless a package may be created here under this name. Names are those npm allows for new
// packages (validate-npm-package-name, "validForNewPackages"), and the scope one that a GitHub account can have, in
// lower case: at most 39 letters, digits and hyphens, and the underscore of managed users (docs.github.com, "Enterprise
// Managed Users").
func (n Name) CheckNew() error {
	if _, err := ParseName(n.String()); err != nil {
		return err
	}
	invalid := func(problem string) error { return &Invalid{Field: "name", Problem: problem} }
	if s := n.String(); s != strings.ToLower(s) {
		return invalid("has capital letters; new packages are named in lower case")
	}
	if !within(n.Base, "._-") {
		return invalid("has one of ~'!()*, which new packages may not have")
	}
	if n.Scope != "" {
		if len(n.Scope) > 39 || !within(n.Scope, "-_") {
			return invalid("has a scope that no GitHub account can have")
		}
		return nil
	}
	if n.Base == "node_modules" || n.Base == "favicon.ico" {
		return invalid("is reserved")
	}
	if coreModules[n.Base] {
		return invalid("is the name of a module of Node.js")
	}
	return nil
}

// String is the name as clients write it: "@acme/ui", "left-pad".
func (n Name) String() string {
	if n.Scope == "" {
		return n.Base
	}
	return "@" + n.Scope + "/" + n.Base
}

// Tarball is the file name of a version's tarball, without the scope: "ui-1.0.0.tgz".
func (n Name) Tarball(version string) string {
	return n.Base + "-" + version + ".tgz"
}

// VersionOf finds the version in a tarball's file name, with the scope or without: "ui-1.0.0.tgz" and
// "@acme/ui-1.0.0.tgz". Nothing is guessed: what is left when this name and the ending are taken away must be a version
// as CheckVersion wants it.
func (n Name) VersionOf(file string) (version string, ok bool) {
	rest, ok := strings.CutPrefix(file, n.Base+"-")
	if !ok {
		if rest, ok = strings.CutPrefix(file, n.String()+"-"); !ok {
			return "", false
		}
	}
	if version, ok = strings.CutSuffix(rest, ".tgz"); !ok || CheckVersion(version) != nil {
		return "", false
	}
	return version, true
}

// path is where a version's tarball is served, below the registry's address.
func (n Name) path(version string) string {
	return n.String() + "/-/" + n.Tarball(version)
}

// within reports whether s has only ASCII letters, digits and characters of extra.
func within(s, extra string) bool {
	for i := range len(s) {
		c := s[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9') && strings.IndexByte(extra, c) < 0 {
			return false
		}
	}
	return true
}

// coreModules are the modules of Node.js that a package name could be (validate-npm-package-name 7,
// builtin-modules.json; those with a slash, a colon or a leading underscore are no package names anyway).
var coreModules = set(
	"assert", "async_hooks", "buffer", "child_process", "cluster", "console", "constants", "crypto", "dgram", "diagnostics_channel",
	"dns", "domain", "events", "fs", "http", "http2", "https", "inspector", "module", "net", "os", "path", "perf_hooks", "process",
	"punycode", "querystring", "readline", "repl", "stream", "string_decoder", "sys", "timers", "tls", "trace_events", "tty", "url",
	"util", "v8", "vm", "wasi", "worker_threads", "zlib",
)

func set(keys ...string) map[string]bool {
	m := make(map[string]bool, len(keys))
	for _, k := range keys {
		m[k] = true
	}
	return m
}
