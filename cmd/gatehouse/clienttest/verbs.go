package clienttest

import (
	"os"
	"path/filepath"
	"strings"
)

// Verb is something a person wants of a registry, whatever their client calls it.
type Verb string

const (
	Publish       Verb = "publish"
	Install       Verb = "install"
	InstallFrozen Verb = "install from the lock file"
	Add           Verb = "add"
	View          Verb = "view"
	DistTagAdd    Verb = "add a dist-tag"
	DistTagRemove Verb = "remove a dist-tag"
	DistTagList   Verb = "list dist-tags"
	Whoami        Verb = "whoami"
	Ping          Verb = "ping"
)

// Supports tells whether the client has a command for it, and if not, why.
func (c Client) Supports(v Verb) (reason string, ok bool) {
	if _, ok := c.dialect.spelling[v]; ok {
		return "", true
	}
	return c.dialect.lacks[v], false
}

// Publish packs the folder and publishes it under a dist-tag.
func (u *User) Publish(dir, tag string) Result { return u.do(Publish, dir, "tag", tag) }

// Install installs what the project's package.json asks for, into an empty node_modules. A lock file that
// is there is used and, if need be, changed.
func (u *User) Install(dir string) Result { return u.do(Install, dir) }

// InstallFrozen installs exactly what the lock file says, into an empty node_modules, or fails.
func (u *User) InstallFrozen(dir string) Result { return u.do(InstallFrozen, dir) }

// Add adds one dependency, such as "@acme/ui@^1.0.0", to the project and installs it.
func (u *User) Add(dir, spec string) Result { return u.do(Add, dir, "spec", spec) }

// View prints one field of what the registry says of a package: View("@acme/ui", "version").
func (u *User) View(name, field string) Result { return u.do(View, "", "name", name, "field", field) }

// DistTagAdd makes a tag point to a version.
func (u *User) DistTagAdd(name, version, tag string) Result {
	return u.do(DistTagAdd, "", "name", name, "version", version, "tag", tag)
}

// DistTagRemove removes a tag.
func (u *User) DistTagRemove(name, tag string) Result {
	return u.do(DistTagRemove, "", "name", name, "tag", tag)
}

// DistTagList prints the tags of a package.
func (u *User) DistTagList(name string) Result { return u.do(DistTagList, "", "name", name) }

// Whoami prints whom the registry takes the user for.
func (u *User) Whoami() Result { return u.do(Whoami, "") }

// Ping asks the registry whether it is there.
func (u *User) Ping() Result { return u.do(Ping, "") }

// do spells a verb as the client does and runs it. What is asked of a package by its name is asked from a
// folder of that name: yarn 4 picks the registry of its tag commands by the folder that it is in.
func (u *User) do(v Verb, dir string, args ...string) Result {
	u.t.Helper()
	if reason, ok := u.Supports(v); !ok {
		u.t.Fatalf("%s can't %s (%s): ask Supports first", u.Name, v, reason)
	}
	words := []string{"{registry}", u.Registry + "/"}
	name := "elsewhere"
	for i := 0; i < len(args); i += 2 {
		words = append(words, "{"+args[i]+"}", args[i+1])
		if args[i] == "name" {
			name = args[i+1]
		}
	}
	if len(u.Scopes) > 0 {
		words = append(words, "{scope}", strings.TrimPrefix(u.Scopes[0], "@"))
	}
	if dir == "" {
		dir = Project(u.t, map[string]any{"name": name, "version": "0.0.0", "private": true})
	}
	if v == Install || v == InstallFrozen {
		if err := os.RemoveAll(filepath.Join(dir, "node_modules")); err != nil {
			u.t.Fatal(err)
		}
	}
	for name, text := range u.dialect.project {
		// A project's own file wins; it is what the client would have left there at its birth.
		path := filepath.Join(dir, name)
		if _, err := os.Stat(path); err == nil {
			continue
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			u.t.Fatal(err)
		}
	}
	if first, ok := u.dialect.before[v]; ok {
		if r := u.do(first, dir); !r.OK() {
			return r
		}
	}
	fill := strings.NewReplacer(words...)
	var spelled []string
	for _, word := range strings.Fields(u.dialect.spelling[v]) {
		spelled = append(spelled, fill.Replace(word))
	}
	r := u.Run(dir, spelled...)
	if text := u.dialect.complaint[v]; text != "" && r.OK() && strings.Contains("\n"+r.Output, "\n"+text) {
		r.Code = 1
	}
	return r
}
