package main

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"gatehouse/cmd/gatehouse/clienttest"
)

// TestClientsTokens is npm token create, list and revoke as people type them, with each npm, and what the minted tokens are then good for.
func TestClientsTokens(t *testing.T) {
	at := startRegistry(t)
	for _, name := range []string{"npm-10", "npm-11", "npm-12"} {
		t.Run(name, func(t *testing.T) {
			c := cell{clienttest.Named(t, name), at, nil}
			c.tokenCommands(t)
		})
	}
}

var secrets = regexp.MustCompile(`(gth_[0-9A-Za-z]{4})[0-9A-Za-z]{45}`)

// npmToken runs a command of npm token and writes down what was typed and printed, without secrets.
func (c cell) npmToken(t *testing.T, u *clienttest.User, args ...string) clienttest.Result {
	t.Helper()
	u.Input = "whatever\n" // npm 10 asks for a password, which there is none of
	r := u.Run(u.Home, append([]string{"token", "--registry=" + c.at.url + "/"}, args...)...)
	u.Input = ""
	t.Logf("$ npm token %s\n%s", secrets.ReplaceAllString(strings.Join(args, " "), "$1[…]"), secrets.ReplaceAllString(strings.TrimSpace(r.Output), "$1[…]"))
	return r
}

// minted reads the secret out of what npm token create --json printed. The registry's log and data are searched for it when the test ends.
func (c cell) minted(t *testing.T, r clienttest.Result) string {
	t.Helper()
	r.Must(t)
	var made struct{ Token string }
	text := r.Stdout[max(strings.Index(r.Stdout, "{"), 0):]
	if err := json.Unmarshal([]byte(text), &made); err != nil || !strings.HasPrefix(made.Token, "gth_") {
		t.Fatalf("no token: %v\n%v", err, r)
	}
	c.at.mu.Lock()
	c.at.shown[made.Token] = true
	c.at.mu.Unlock()
	return made.Token
}

func (c cell) tokenCommands(t *testing.T) {
	name := c.name("minted")
	wendy := c.user(t, c.at.github.Wendy)
	wendy.Publish(library(t, name, "1.0.0", "1"), "latest").Must(t)

	var writes, reads string
	if c.Name == "npm-10" {
		writes = c.minted(t, c.npmToken(t, wendy, "create", "--json", "--cidr=127.0.0.0/8"))
		reads = c.minted(t, c.npmToken(t, wendy, "create", "--json", "--read-only"))
	} else {
		r := c.npmToken(t, wendy, "create", "--name=nothing said", "--password=x")
		r.MustFail(t, "--packages-and-scopes-permission=read-only or read-write")
		c.npmToken(t, wendy, "create", "--name=organization", "--password=x", "--orgs=acme", "--orgs-permission=read-write").MustFail(t, "managed on GitHub")
		writes = c.minted(t, c.npmToken(t, wendy, "create", "--json", "--name=ci of "+c.Name, "--token-description=publishes one package", "--password=x",
			"--packages="+name, "--packages-and-scopes-permission=read-write", "--expires=30", "--cidr=127.0.0.0/8"))
		reads = c.minted(t, c.npmToken(t, wendy, "create", "--json", "--name=reads "+c.Name, "--password=x", "--scopes=@acme", "--packages-and-scopes-permission=read-only"))
	}
	if r := c.npmToken(t, wendy, "list").Must(t); !r.Line(writes[:8]) || !r.Line(reads[:8]) || strings.Contains(r.Output, writes[4:]) {
		t.Errorf("not both in the list, or a secret is:\n%v", r)
	}

	ci, reader := c.user(t, writes), c.user(t, reads)
	ci.Publish(library(t, name, "1.1.0", "2"), "latest").Must(t)
	c.no(t, "read-only publishes", reader.Publish(library(t, name, "1.2.0", "3"), "latest"), `this token may not publish NAME: that takes "write", and its scope gives it "read"`, name)
	for _, u := range []*clienttest.User{ci, reader} {
		app := application(t, name, "1.1.0")
		u.Install(app).Must(t)
		if got := clienttest.Installed(t, app, name); got != "1.1.0" {
			t.Errorf("installed %q", got)
		}
		if r := u.Whoami().Must(t); !r.Line("wendy") {
			t.Errorf("%v", r)
		}
	}
	c.npmToken(t, ci, "list").MustFail(t, "this token may not list tokens")

	// By the beginning of the id, and by the secret.
	var list []struct{ Key, Token string }
	r := wendy.Run(wendy.Home, "token", "list", "--json", "--registry="+c.at.url+"/").Must(t)
	if err := json.Unmarshal([]byte(r.Stdout), &list); err != nil {
		t.Fatal(err)
	}
	for _, token := range list {
		if token.Token == writes[:8] {
			c.npmToken(t, wendy, "revoke", token.Key[:6]).Must(t)
		}
	}
	c.npmToken(t, wendy, "revoke", reads).Must(t)
	for _, secret := range []string{writes, reads} {
		if status, body := get(t, c.at.url+"/"+name, secret); status != http.StatusUnauthorized || !strings.Contains(string(body), "was revoked") {
			t.Errorf("after it was revoked: %d %s", status, body)
		}
	}
	if r := c.npmToken(t, wendy, "list").Must(t); strings.Contains(r.Output, "gth_") {
		t.Errorf("left is\n%v", r)
	}

	// npm logout ends the token that it forgets.
	if c.Name == "npm-11" {
		last := c.minted(t, c.npmToken(t, wendy, "create", "--json", "--name=laptop", "--password=x", "--packages-all", "--packages-and-scopes-permission=read-only"))
		laptop := c.user(t, last)
		laptop.Run(laptop.Home, "logout", "--registry="+c.at.url+"/").Must(t)
		if status, _ := get(t, c.at.url+"/"+name, last); status != http.StatusUnauthorized {
			t.Errorf("after npm logout: %d", status)
		}
	}
}
