package clienttest

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Setup is what a person tells their client about a registry.
type Setup struct {
	Registry string   // base URL, with or without the slash at its end
	Scopes   []string // names that live there: "@acme"
	Token    string   // the credential for it; empty for a stranger
	Global   bool     // it is also the registry of every other name
}

// User is a person with one client and a home folder of their own. Methods are not for use by several
// goroutines at once: the cache is one.
type User struct {
	Client
	Setup
	Home      string
	KeepCache bool          // commands find what earlier ones downloaded; otherwise each starts with nothing
	Env       []string      // more settings, "NAME=value", which win over the user's own
	Input     string        // what commands find on their standard input, where they ask for something
	Limit     time.Duration // the deadline of each command

	t testing.TB
}

// User sets the client up in an empty home, as its documentation has people do it.
func (c Client) User(t testing.TB, s Setup) *User {
	t.Helper()
	s.Registry = strings.TrimSuffix(s.Registry, "/")
	u := &User{Client: c, Setup: s, Home: t.TempDir(), Limit: 2 * time.Minute, t: t}
	// Where a client calls npm by its name it meets the pinned one.
	shim := fmt.Sprintf("#!/bin/sh\nexec '%s' '%s' \"$@\"\n", filepath.Join(c.node, "node"), c.npm)
	u.write("bin/npm", shim, 0o755)
	u.write("tmp/.keep", "", 0o644)
	for name, text := range c.dialect.config(s) {
		u.write(name, text, 0o600)
	}
	return u
}

func (u *User) write(name, text string, mode os.FileMode) {
	u.t.Helper()
	path := filepath.Join(u.Home, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		u.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		u.t.Fatal(err)
	}
}

// Run has the client do anything at all in a folder: Run(dir, "deprecate", "@acme/ui@1", "use 2").
func (u *User) Run(dir string, args ...string) Result {
	u.t.Helper()
	if !u.KeepCache {
		if err := os.RemoveAll(u.cache()); err != nil {
			u.t.Fatal(err)
		}
	}
	argv := append(append([]string{}, u.argv...), args...)
	r := execute(dir, u.environment(), argv, u.Input, u.Limit)
	r.Command = u.Name + ": " + strings.Join(args, " ")
	return r
}

func (u *User) cache() string { return filepath.Join(u.Home, "cache") }

// environment starts from nothing, so that neither the machine's settings nor CI's own change what a
// client does: several freeze lock files, or look for other credentials, where they see CI.
func (u *User) environment() []string {
	env := []string{
		"HOME=" + u.Home,
		"PATH=" + strings.Join([]string{filepath.Join(u.Home, "bin"), u.node, "/usr/local/bin", "/usr/bin", "/bin"}, ":"),
		"TMPDIR=" + filepath.Join(u.Home, "tmp"),
		"LANG=C.UTF-8",
		"NO_COLOR=1",
		"XDG_CONFIG_HOME=" + filepath.Join(u.Home, ".config"),
		"XDG_CACHE_HOME=" + u.cache(),
		"XDG_DATA_HOME=" + filepath.Join(u.cache(), "data"),
		"XDG_STATE_HOME=" + filepath.Join(u.cache(), "state"),
	}
	places := strings.NewReplacer("{cache}", u.cache(), "{home}", u.Home)
	for _, setting := range u.dialect.env {
		env = append(env, places.Replace(setting))
	}
	return append(env, u.Env...)
}

// Project makes a folder with a package.json of these fields and a module to go with it.
func Project(t testing.TB, manifest map[string]any) string {
	t.Helper()
	dir := t.TempDir()
	text, err := json.MarshalIndent(manifest, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{
		"package.json": append(text, '\n'),
		"index.js":     []byte("module.exports = 1\n"),
		"README.md":    []byte("# a package\n"),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// Installed returns the version of a package that a project has in its node_modules; empty when there is none.
func Installed(t testing.TB, dir, name string) string {
	t.Helper()
	folder := filepath.Join(dir, "node_modules", filepath.FromSlash(name))
	if _, err := os.Stat(folder); err != nil {
		return ""
	}
	return version(t, folder)
}
