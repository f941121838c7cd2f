package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gatehouse/cmd/gatehouse/clienttest"
)

// Every client does for everybody what GitHub lets them do, and tells the others why not. The registry is one for all of them; the
// packages are each client's own, "@acme/ui-npm-11".
func TestClients(t *testing.T) {
	clients := clienttest.All(t)
	at := startRegistry(t, "--packages.global_registry", startPublic(t))
	results := newBoard(clients)
	t.Cleanup(func() {
		t.Logf("what each client did, in seconds (no: refused, as it should be; -: it has no such command)\n%v", results)
	})
	for _, client := range clients {
		t.Run(client.Name, func(t *testing.T) {
			t.Parallel()
			c := cell{client, at, results}
			if !t.Run("writer", c.writer) {
				t.Fatal("what the others are to install is not there")
			}
			t.Run("reader", c.reader)
			t.Run("stranger", func(t *testing.T) { c.stranger(t, "mallory", at.github.Mallory, c.words().hidden) })
			t.Run("nobody", func(t *testing.T) { c.stranger(t, "no token", "", c.words().noToken) })
			t.Run("tokens", c.tokens)
			t.Run("basic", c.basic)
			t.Run("monorepo", c.monorepo)
			t.Run("global", c.global)
		})
	}
}

// The registry's sentences, with NAME for the package.
const (
	sentenceOver     = `NAME@1.0.0 has been published before`
	sentencePublish  = `rita may not publish NAME: that takes "write" on the GitHub repository acme/ui, and rita has "read" there`
	sentenceTag      = `rita may not tag NAME: that takes "write" on the GitHub repository acme/ui, and rita has "read" there`
	sentenceReach    = `this token may not publish NAME: wendy has "write" on the GitHub repository acme/ui, but the token only reaches "read"`
	sentenceWorkflow = `may not publish NAME: ` // of a token that is nobody's
	sentenceNames    = `NAME cannot be published here: packages of this registry are named @acme/`
	sentenceHidden   = `NAME is not in this registry, or mallory cannot read its GitHub repository with this token`
	sentenceNoToken  = `this registry needs a GitHub token: put one into .npmrc as _authToken for this registry's address`
)

// words are what a client prints of a refusal. All of them print the registry's sentence when it is a publish or a tag that is refused.
type words struct {
	over    string // a version published again: newer npm looks for itself before it asks the registry
	hidden  string // a 404 while installing
	noToken string // a 401 while installing
}

const npmOver = "You cannot publish over the previously published versions: 1.0.0."

func (c cell) words() words {
	return map[string]words{
		"npm-10":  {sentenceOver, sentenceHidden, sentenceNoToken},
		"npm-11":  {npmOver, sentenceHidden, sentenceNoToken},
		"npm-12":  {npmOver, sentenceHidden, sentenceNoToken},
		"pnpm-10": {npmOver, "ERR_PNPM_FETCH_404", "ERR_PNPM_FETCH_401"}, // publishes with npm 11
		"pnpm-12": {sentenceOver, "ERR_PNPM_FETCH_404", "ERR_PNPM_FETCH_401"},
		"yarn-1":  {sentenceOver, sentenceHidden, sentenceNoToken},
		"yarn-4":  {sentenceOver, "NAME@npm:1.0.0: Package not found", "NAME@npm:1.0.0: Invalid authentication (as an anonymous user)"},
		"bun":     {sentenceOver, "NAME@1.0.0 failed to resolve", "NAME@1.0.0 failed to resolve"},
	}[c.Name]
}

func (c cell) writer(t *testing.T) {
	ui := c.name("ui")
	wendy := c.user(t, c.at.github.Wendy)
	c.yes(t, "publish", wendy.Publish(library(t, ui, "1.0.0", "1"), "latest"))
	c.yes(t, "publish as beta", wendy.Publish(library(t, ui, "1.1.0", "2"), "beta"))
	c.no(t, "publish over", wendy.Publish(library(t, ui, "1.0.0", "3"), "latest"), c.words().over, ui)
	if r := c.yes(t, "view", wendy.View(ui, "version")); !r.Line("1.0.0") {
		t.Errorf("1.0.0 is latest, but not in\n%v", r)
	}
	if c.has(clienttest.DistTagAdd, "dist-tag add", "dist-tag ls", "dist-tag rm") {
		c.yes(t, "dist-tag add", wendy.DistTagAdd(ui, "1.0.0", "old"))
		r := c.yes(t, "dist-tag ls", wendy.DistTagList(ui))
		if !r.Line("latest", "1.0.0") || !r.Line("beta", "1.1.0") || !r.Line("old", "1.0.0") {
			t.Errorf("a tag is not in\n%v", r)
		}
		c.yes(t, "dist-tag rm", wendy.DistTagRemove(ui, "old"))
		if r := wendy.DistTagList(ui).Must(t); r.Line("old", "1.0.0") || !r.Line("beta", "1.1.0") {
			t.Errorf("of three tags old was removed, and left is\n%v", r)
		}
	}
	if c.has(clienttest.Whoami, "whoami") {
		if r := c.yes(t, "whoami", wendy.Whoami()); !r.Line("wendy") {
			t.Errorf("the name is not in\n%v", r)
		}
	}
	if c.has(clienttest.Ping, "ping") {
		c.yes(t, "ping", wendy.Ping())
	}
}

func (c cell) reader(t *testing.T) {
	ui := c.name("ui")
	rita := c.user(t, c.at.github.Rita)
	app := application(t, ui, "~1.1.0")
	check := func(version, content string) {
		t.Helper()
		if got := clienttest.Installed(t, app, ui); got != version {
			t.Errorf("installed %q, want %q", got, version)
		}
		if got := required(t, app, ui); got != content {
			t.Errorf("its content is %q, want %q", got, content)
		}
	}
	c.yes(t, "install a range", rita.Install(app))
	check("1.1.0", "2")
	c.yes(t, "install exactly", rita.Add(app, ui+"@1.0.0"))
	check("1.0.0", "1")
	c.yes(t, "install by tag", rita.Add(app, ui+"@beta"))
	check("1.1.0", "2")
	c.yes(t, "install from lock", rita.InstallFrozen(app))
	check("1.1.0", "2")
	c.lockfile(t, app, c.at.url+"/"+ui+"/-/ui-"+c.Name+"-1.1.0.tgz", c.at.packument(t, ui).Versions["1.1.0"].Dist.Integrity)

	c.no(t, "reader publishes", rita.Publish(library(t, ui, "1.2.0", "4"), "latest"), sentencePublish, ui)
	if c.has(clienttest.DistTagAdd, "reader tags") {
		c.no(t, "reader tags", rita.DistTagAdd(ui, "1.0.0", "mine"), sentenceTag, ui)
	}
}

var urls = regexp.MustCompile(`https?://[^"#\s]+`)

// lockfile checks what a project that has one package remembers of it: where the client keeps addresses, the canonical one, and
// nowhere else the registry's host.
func (c cell) lockfile(t *testing.T, app, tarball, integrity string) {
	t.Helper()
	file, absolute := "package-lock.json", true
	switch c.Name {
	case "pnpm-10", "pnpm-12":
		file, absolute = "pnpm-lock.yaml", false
	case "yarn-1":
		file = "yarn.lock"
	case "yarn-4":
		file, absolute, integrity = "yarn.lock", false, "checksum: 10c0/" // of its own archive
	case "bun":
		file = "bun.lock"
	}
	text, err := os.ReadFile(filepath.Join(app, file))
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	if absolute {
		want = []string{tarball}
	}
	if got := urls.FindAllString(string(text), -1); !slices.Equal(got, want) || strings.Contains(string(text), "127.0.0.1") != absolute {
		t.Errorf("the addresses in %s are %q, want %q:\n%s", file, got, want, text)
	}
	if !strings.Contains(string(text), integrity) {
		t.Errorf("%s has no %s:\n%s", file, integrity, text)
	}
}

// stranger is refused, and can't tell a package that is there from one that is not.
func (c cell) stranger(t *testing.T, who, token, answer string) {
	stranger := c.user(t, token)
	said := map[string][]string{}
	hidden, missing := c.name("ui"), c.name("no") // of one length, since pnpm 12 breaks lines
	for _, name := range []string{hidden, missing} {
		r := c.no(t, "install, "+who, stranger.Install(application(t, name, "1.0.0")), answer, name)
		view := c.no(t, "view, "+who, stranger.View(name, "version"), "", name)
		said[name] = slices.Concat(shape(r, name), shape(view, name))
	}
	if !slices.Equal(said[hidden], said[missing]) {
		t.Errorf("of a package that is there it says:\n%s\nand of one that is not:\n%s", strings.Join(said[hidden], "\n"), strings.Join(said[missing], "\n"))
	}
}

var (
	places = regexp.MustCompile(`/tmp/\S+`)
	times  = regexp.MustCompile(`( in)?( ?\b\d+(\.\d+)? ?m?s\b)+`) // yarn 4 tells them when it was slow
)

// shape is a client's output without what differs between any two runs: the name, places, times, progress, and the order of its two streams.
func shape(r clienttest.Result, name string) []string {
	text := strings.ReplaceAll(r.Output, strings.TrimPrefix(name, "@acme/"), "NAME")
	text = times.ReplaceAllString(places.ReplaceAllString(text, "PLACE"), "")
	lines := slices.DeleteFunc(strings.Split(text, "\n"), func(line string) bool { return strings.HasPrefix(line, "Progress:") })
	slices.Sort(lines)
	return lines
}

// required is what a program of the project gets for require(name).
func required(t *testing.T, app, name string) string {
	t.Helper()
	node := exec.Command("node", "-p", "require(process.argv[1])", name)
	node.Dir = app
	out, err := node.CombinedOutput()
	if err != nil {
		t.Fatalf("require(%q): %v\n%s", name, err, out)
	}
	return strings.TrimSpace(string(out))
}
