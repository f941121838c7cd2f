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
	Deprecate     Verb = "deprecate"
	Undeprecate   Verb = "take a deprecation back"
	Unpublish     Verb = "unpublish"
	UnpublishAll  Verb = "unpublish what no other version would be left of"
	Star          Verb = "star"
	Unstar        Verb = "take a star back"
	Stars         Verb = "list somebody's stars"
	OwnerList     Verb = "list owners"
	OwnerAdd      Verb = "add an owner"
	OwnerRemove   Verb = "remove an owner"
	Outdated      Verb = "list what is outdated"
)

// Supports tells whether the client has a command for it, and if not, why.
func (c Client) Supports(v Verb) (reason string, ok bool) {
	if _, ok := c.dialect.spelling[v]; ok {
		return "", true
	}
	if reason, ok := c.dialect.lacks[v]; ok {
		return reason, false
	}
	return c.Name + " has no such command", false
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

// View prints one field of what the registry says of a package, or of a version of it: View("@acme/ui@1.0.0", "deprecated").
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

// Deprecate gives the versions of a package in a range, such as "<2" or "1.0.0", a message to whoever installs them.
func (u *User) Deprecate(name, versions, message string) Result {
	return u.do(Deprecate, "", "name", name, "spec", name+"@"+versions, "message", message)
}

// Undeprecate takes the message back.
func (u *User) Undeprecate(name, versions string) Result {
	return u.do(Undeprecate, "", "name", name, "spec", name+"@"+versions)
}

// Unpublish removes a version.
func (u *User) Unpublish(name, version string) Result {
	return u.do(Unpublish, "", "name", name, "spec", name+"@"+version)
}

// UnpublishAll removes a package, or its last version ("name@version"), which takes saying so.
func (u *User) UnpublishAll(spec string) Result { return u.do(UnpublishAll, "", "spec", spec) }

// Star tells that the user likes a package.
func (u *User) Star(name string) Result { return u.do(Star, "", "name", name) }

// Unstar takes it back.
func (u *User) Unstar(name string) Result { return u.do(Unstar, "", "name", name) }

// Stars lists what somebody likes.
func (u *User) Stars(login string) Result { return u.do(Stars, "", "login", login) }

// OwnerList prints the owners of a package.
func (u *User) OwnerList(name string) Result { return u.do(OwnerList, "", "name", name) }

// OwnerAdd makes somebody an owner.
func (u *User) OwnerAdd(name, login string) Result {
	return u.do(OwnerAdd, "", "name", name, "login", login)
}

// OwnerRemove makes somebody no owner any more.
func (u *User) OwnerRemove(name, login string) Result {
	return u.do(OwnerRemove, "", "name", name, "login", login)
}

// Outdated lists the dependencies of a project that have newer versions.
func (u *User) Outdated(dir string) Result { return u.do(Outdated, dir) }

// do spells a verb as the client does and runs it. What is asked of a package by its name is asked from a
// folder of that name: yarn 4 picks the registry of its tag commands by the folder that it is in.
func (u *User) do(v Verb, dir string, args ...string) Result {
	u.t.Helper()
	if reason, ok := u.Supports(v); !ok {
		u.t.Fatalf("%s can't %s (%s): ask Supports first", u.Name, v, reason)
	}
	words := []string{"{registry}", u.Registry + "/", "{nothing}", ""}
	name := "elsewhere"
	for i := 0; i < len(args); i += 2 {
		words = append(words, "{"+args[i]+"}", args[i+1])
		if args[i] == "name" {
			name = args[i+1]
			if at := strings.LastIndex(name, "@"); at > 0 {
				name = name[:at] // View takes a version with it
			}
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
