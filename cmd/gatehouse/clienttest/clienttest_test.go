package clienttest_test

import (
	"errors"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"gatehouse/cmd/gatehouse/clienttest"
)

func TestMain(m *testing.M) { os.Exit(clienttest.Isolate(m)) }

// A name that a client sends elsewhere must go nowhere, and at once: 192.0.2.1 is kept by RFC 5737 for
// documentation, so nothing answers there on any network.
func TestOnlyLoopbackIsThere(t *testing.T) {
	clienttest.All(t) // skips where the tests have no network of their own
	from := time.Now()
	conn, err := net.DialTimeout("tcp", "192.0.2.1:443", 5*time.Second)
	if err == nil {
		conn.Close()
	}
	if !errors.Is(err, syscall.ENETUNREACH) || time.Since(from) > time.Second {
		t.Fatalf("dialing a public address: %v after %v, want %v at once", err, time.Since(from), syscall.ENETUNREACH)
	}
	server := newRegistry(t)
	conn, err = net.Dial("tcp", strings.TrimPrefix(server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
}

func library(t *testing.T, version string) string {
	return clienttest.Project(t, map[string]any{"name": "@acme/ui", "version": version, "main": "index.js", "license": "MIT"})
}

func application(t *testing.T) string {
	return clienttest.Project(t, map[string]any{
		"name": "app", "version": "1.0.0", "private": true, "dependencies": map[string]string{"@acme/ui": "^1.0.0"},
	})
}

// Every client does every verb it has, and a stranger's is refused.
func TestEveryVerb(t *testing.T) {
	for _, c := range clienttest.All(t) {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			server := newRegistry(t)
			setup := clienttest.Setup{Registry: server.URL, Scopes: []string{"@acme"}, Token: token}
			u := c.User(t, setup)

			u.Publish(library(t, "1.1.0"), "latest").Must(t)
			u.Publish(library(t, "1.0.0"), "old").Must(t)
			app := application(t)
			u.Install(app).Must(t)
			first := clienttest.Installed(t, app, "@acme/ui")
			u.Add(app, "@acme/ui@1.0.0").Must(t)
			second := clienttest.Installed(t, app, "@acme/ui")
			u.InstallFrozen(app).Must(t)
			if third := clienttest.Installed(t, app, "@acme/ui"); first != "1.1.0" || second != "1.0.0" || third != second {
				t.Fatalf("installed %q, added %q, from the lock file %q; want 1.1.0 and 1.0.0 twice", first, second, third)
			}
			if r := u.View("@acme/ui", "version").Must(t); !strings.Contains(r.Stdout, "1.1.0") {
				t.Fatalf("the version is not in\n%v", r)
			}
			if _, ok := c.Supports(clienttest.DistTagAdd); ok {
				u.DistTagAdd("@acme/ui", "1.0.0", "beta").Must(t)
				if r := u.DistTagList("@acme/ui").Must(t); !r.Line("beta", "1.0.0") {
					t.Fatalf("the tag is not in\n%v", r)
				}
				u.DistTagRemove("@acme/ui", "beta").Must(t)
			}
			if _, ok := c.Supports(clienttest.Whoami); ok {
				if r := u.Whoami().Must(t); !r.Line("octocat") {
					t.Fatalf("the name is not in\n%v", r)
				}
			}
			if _, ok := c.Supports(clienttest.Ping); ok {
				u.Ping().Must(t)
			}

			setup.Token = ""
			stranger := c.User(t, setup)
			stranger.Install(application(t)).MustFail(t)
			stranger.View("@acme/ui", "version").MustFail(t)
		})
	}
}

// Set up as the registry of every name, it is the one that is asked for known holes too.
func TestGlobalRegistry(t *testing.T) {
	for _, name := range []string{"npm-11", "pnpm-12", "yarn-4", "bun"} {
		t.Run(name, func(t *testing.T) {
			server := newRegistry(t)
			u := clienttest.Named(t, name).User(t, clienttest.Setup{Registry: server.URL, Token: token, Global: true})
			u.Publish(library(t, "1.0.0"), "latest").Must(t)
			u.Install(application(t)).Must(t)
			if name == "npm-11" && !slices.Contains(server.seen(), "POST /-/npm/v1/security/advisories/bulk") {
				t.Fatal("no question about known holes: is auditing off?")
			}
		})
	}
}

// A cold install asks for the tarball each time; with the cache kept, once.
func TestCache(t *testing.T) {
	server := newRegistry(t)
	u := clienttest.Named(t, "bun").User(t, clienttest.Setup{Registry: server.URL, Scopes: []string{"@acme"}, Token: token})
	u.Publish(library(t, "1.0.0"), "latest").Must(t)
	downloads := func() (n int) {
		for _, request := range server.seen() {
			if strings.HasSuffix(request, ".tgz") {
				n++
			}
		}
		return n
	}
	app := application(t)
	u.Install(app).Must(t)
	u.Install(app).Must(t)
	cold := downloads()
	u.KeepCache = true
	u.Install(app).Must(t)
	if warm := downloads() - cold; cold != 2 || warm != 0 {
		t.Fatalf("two cold installs downloaded %d times, one with the cache kept %d; want 2 and 0", cold, warm)
	}
}
