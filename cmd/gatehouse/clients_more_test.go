package main

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gatehouse/cmd/gatehouse/clienttest"
)

// tokens: those that reach less than the person behind them, and those with nobody behind them.
func (c cell) tokens(t *testing.T) {
	name, who := c.name("ci"), c.at.github
	for _, p := range []struct {
		step, token, version string
		refusal              string
		installs             bool
	}{
		{"fine-grained write", who.WendyWrites, "1.0.0", "", false},
		{"fine-grained read", who.WendyReads, "1.1.0", sentenceReach, false},
		{"workflow write", who.ActionsWrites, "1.2.0", "", true},
		{"workflow, old shape", c.at.oldActions, "1.3.0", "", true},
		{"workflow read", who.ActionsReads, "1.4.0", sentenceWorkflow, false},
	} {
		user := c.user(t, p.token)
		published := user.Publish(library(t, name, p.version, "1"), "latest")
		if p.refusal != "" {
			c.no(t, p.step, published, p.refusal, name)
			continue
		}
		c.yes(t, p.step, published)
		if !p.installs {
			continue
		}
		app := application(t, name, p.version)
		c.yes(t, p.step+" installs", user.Install(app))
		if got := clienttest.Installed(t, app, name); got != p.version {
			t.Errorf("installed %q, want %q", got, p.version)
		}
	}
}

// basic: the token as a password, in the two ways to write it.
func (c cell) basic(t *testing.T) {
	name := c.name("basic")
	wendy := c.user(t, c.at.github.Wendy)
	rewrite(t, wendy, "_auth="+basic(wendy.Token), `npmAuthIdent: "`+basic(wendy.Token)+`"`)
	c.yes(t, "_auth publishes", wendy.Publish(library(t, name, "1.0.0", "1"), "latest"))

	rita := c.user(t, c.at.github.Rita)
	_, address, _ := strings.Cut(c.at.url, ":")
	password := base64.StdEncoding.EncodeToString([]byte(rita.Token))
	rewrite(t, rita, "username=anything\n"+address+"/:_password="+password, `npmAuthIdent: "anything:`+rita.Token+`"`)
	app := application(t, name, "1.0.0")
	c.yes(t, "_password installs", rita.Install(app))
	if got := clienttest.Installed(t, app, name); got != "1.0.0" {
		t.Errorf("installed %q, want 1.0.0", got)
	}
}

// rewrite puts other credentials in the place of the token.
func rewrite(t *testing.T, u *clienttest.User, npmrc, yarnrc string) {
	t.Helper()
	file, from, to := ".npmrc", "_authToken="+u.Token, npmrc
	if u.Name == "yarn-4" {
		file, from, to = ".yarnrc.yml", `npmAuthToken: "`+u.Token+`"`, yarnrc
	}
	path := filepath.Join(u.Home, file)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.ReplaceAll(string(text), from, to)
	if changed == string(text) {
		t.Fatalf("no %q in %s", from, file)
	}
	if err := os.WriteFile(path, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
}

// monorepo: two packages of one repository, of which one needs the other.
func (c cell) monorepo(t *testing.T) {
	core, kit := c.name("core"), c.name("kit")
	wendy := c.user(t, c.at.github.Wendy)
	c.yes(t, "publish", wendy.Publish(library(t, core, "1.0.0", "'core'"), "latest"))
	c.yes(t, "publish a dependent", wendy.Publish(library(t, kit, "1.0.0", "'kit on ' + require('"+core+"')", core), "latest"))
	app := application(t, kit, "1.0.0")
	c.yes(t, "install both", c.user(t, c.at.github.Rita).Install(app))
	if got := required(t, app, kit); got != "kit on core" {
		t.Errorf("the dependent says %q", got)
	}
}

// global: the registry is that of every name. Those without a namespace come from the public one, which is told no token.
func (c cell) global(t *testing.T) {
	setup := clienttest.Setup{Registry: c.at.url, Global: true, Token: c.at.github.Wendy}
	wendy := c.User(t, setup)
	c.yes(t, "registry= publishes", wendy.Publish(library(t, c.name("global"), "1.0.0", "'ours'"), "latest"))
	c.no(t, "publish unscoped", wendy.Publish(library(t, unscoped, "2.0.0", "'ours now'"), "latest"), sentenceNames, unscoped)
	setup.Token = c.at.github.Rita
	app := application(t, c.name("global"), "1.0.0", unscoped, "^1.0.0")
	c.yes(t, "registry= installs", c.User(t, setup).Install(app))
	if got := required(t, app, c.name("global")) + " and " + required(t, app, unscoped); got != "ours and theirs" {
		t.Errorf("what was installed says %q", got)
	}
}

// Under a path, with the address that is written into documents set to it.
func TestClientsBasePath(t *testing.T) {
	clients := []clienttest.Client{
		clienttest.Named(t, "npm-11"), clienttest.Named(t, "pnpm-12"), clienttest.Named(t, "yarn-4"), clienttest.Named(t, "bun"),
	}
	// In the tests' network nobody else takes a port below those that the kernel gives away.
	const base = "http://127.0.0.1:4873/npm"
	at := startRegistry(t, "--server.port", "4873", "--server.url", base+"/")
	if at.url+"/npm" != base {
		t.Fatalf("it listens on %s", at.url)
	}
	at.url = base
	for _, client := range clients {
		t.Run(client.Name, func(t *testing.T) {
			t.Parallel()
			c := cell{client, at, nil}
			ui := c.name("ui")
			c.yes(t, "publish", c.user(t, at.github.Wendy).Publish(library(t, ui, "1.0.0", "1"), "latest"))
			rita, app := c.user(t, at.github.Rita), application(t, ui, "^1.0.0")
			c.yes(t, "install", rita.Install(app))
			c.yes(t, "install from lock", rita.InstallFrozen(app))
			if got := clienttest.Installed(t, app, ui); got != "1.0.0" {
				t.Errorf("installed %q, want 1.0.0", got)
			}
			c.lockfile(t, app, base+"/"+ui+"/-/ui-"+c.Name+"-1.0.0.tgz", at.packument(t, ui).Versions["1.0.0"].Dist.Integrity)
		})
	}
}
