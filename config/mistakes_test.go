package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestBadValues(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ key, text, want string }{
		{"server.host", "", "must be an IP address or a host name (0.0.0.0 is every address), not empty"},
		{"server.host", "local host", `must be an IP address or a host name (0.0.0.0 is every address), not "local host"`},
		{"server.host", "127.1", `must be an IP address or a host name (0.0.0.0 is every address), not "127.1"`},
		{"server.host", "localhost:8080", "must be the host alone, localhost; the port goes into server.port"},
		{"server.port", "http", `must be a whole number from 0 to 65535, not "http"`},
		{"server.port", "65536", `must be a whole number from 0 to 65535, not "65536"`},
		{"server.port", "-1", `must be a whole number from 0 to 65535, not "-1"`},
		{"server.port", "0x50", `must be a whole number from 0 to 65535, not "0x50"`},
		{"server.url", "npm.example.org", `must be an absolute http or https address such as https://npm.example.org/, not "npm.example.org"`},
		{"server.url", "ftp://npm.example.org", `must be an absolute http or https address such as https://npm.example.org/, not "ftp://npm.example.org"`},
		{"server.url", "https://", `must be an absolute http or https address such as https://npm.example.org/, not "https://"`},
		{"server.url", "https://npm.example.org:99999/", `must be an absolute http or https address such as https://npm.example.org/, not "https://npm.example.org:99999/"`},
		{"server.url", "https://npm.example.org/?a=b", "must be an address without a query (?) or a fragment (#)"},
		{"server.url", "https://npm.example.org/#", "must be an address without a query (?) or a fragment (#)"},
		{"server.url", "https://me:hunter2@npm.example.org/", `must be an address without a user name, a password or "@"`},
		{"server.url", "https://npm.example.org/a/../b", `must be an address with a plain path, without empty, dotted or escaped parts, not "https://npm.example.org/a/../b"`},
		{"server.url", "https://npm.example.org/a%2fb", `must be an address with a plain path, without empty, dotted or escaped parts, not "https://npm.example.org/a%2fb"`},
		{"server.url", "https://npm.example.org//", `must be an address with a plain path, without empty, dotted or escaped parts, not "https://npm.example.org//"`},
		{"server.trusted_proxies", "10.0.0.0/8,proxy", `must be a list of IP addresses or networks such as 10.0.0.0/8, not "proxy"`},
		{"server.trusted_proxies", "10.0.0.0/33", `must be a list of IP addresses or networks such as 10.0.0.0/8, not "10.0.0.0/33"`},
		{"server.trusted_proxies", "10.1.2.3/8", `must be a list of IP addresses or networks such as 10.0.0.0/8; "10.1.2.3/8" has bits beyond its length, did you mean 10.0.0.0/8 or 10.1.2.3?`},
		{"server.trusted_proxies", "0.0.0.0/0", "must name the proxies' own networks; every address would let every caller forge the address that it calls from"},
		{"server.trusted_proxies", "::/0", "must name the proxies' own networks; every address would let every caller forge the address that it calls from"},
		{"server.trusted_proxies", "::ffff:0.0.0.0/96", "must name the proxies' own networks; every address would let every caller forge the address that it calls from"},
		{"server.max_publish_bytes", "512M", `must be a size such as 512MiB, 200MB or 1048576 (bytes), not "512M"`},
		{"server.max_publish_bytes", "1.5GiB", `must be a size such as 512MiB, 200MB or 1048576 (bytes), not "1.5GiB"`},
		{"server.max_publish_bytes", "9223372036854775807KB", `must be a size such as 512MiB, 200MB or 1048576 (bytes), not "9223372036854775807KB"`},
		{"server.max_publish_bytes", "0", `must be a size from 64KiB to 64GiB, not "0"`},
		{"logger.level", "wran", `must be debug, info, warn or error, not "wran"; did you mean warn?`},
		{"logger.level", "loud", `must be debug, info, warn or error, not "loud"`},
		{"logger.format", "xml", `must be text or json, not "xml"`},
		{"settings.allow_previous_version", "maybe", `must be true or false, not "maybe"`},
		{"auth.type", "", "must be github or none, not empty"},
		{"auth.github.host", "https://github.com/acme", "must be a host name alone, without scheme and path: github.com"},
		{"auth.github.host", "git hub", `must be a host name such as github.com, SUBDOMAIN.ghe.com or github.example.org, not "git hub"`},
		{"auth.github.host", "ghe.example.org:0", `must be a host name such as github.com, SUBDOMAIN.ghe.com or github.example.org, not "ghe.example.org:0"`},
		{"auth.github.host", "API.github.com", "must be github.com, the host in repository addresses"},
		{"auth.github.host", "ghe.com", "must be SUBDOMAIN.ghe.com with the subdomain of your enterprise"},
		{"auth.github.host", "api.ghe.com", "must be SUBDOMAIN.ghe.com with the subdomain of your enterprise"},
		{"auth.github.host", "api.acme.ghe.com", "must be acme.ghe.com, the host in repository addresses"},
		{"auth.github.api_url", "http://ghe.example.org/api/v3", "must be https, because tokens are sent there; plain http is for loopback addresses only"},
		{"auth.github.web_url", "http://127.0.0.1.example.org", "must be https, because tokens are sent there; plain http is for loopback addresses only"},
		{"auth.github.orgs", "acme,a/b", `must be a list of GitHub users or organisations such as acme, not "a/b"`},
		{"auth.github.namespaces", "tools", `must be a list of pairs, each a namespace, = and a GitHub user or organisation, not "tools"`},
		{"auth.github.namespaces", "a.b=acme", `must be a list of pairs that begin with a namespace, not "a.b"`},
		{"auth.github.namespaces", "tools=a/b", `must be a list of pairs that end with a GitHub user or organisation, not "a/b"`},
		{"auth.github.namespaces", "tools=acme,@Tools=initech", "must not have two values for tools"},
		{"auth.github.public_packages", "nobody", `must be anonymous or authenticated, not "nobody"`},
		{"auth.github.stale", "48h", `must be from 0s to 24h, not "48h"`},
		{"auth.github.app.id", "Iv1.1", `must be the number of a GitHub App, such as 123456, not "Iv1.1"`},
		{"packages.names", "@acme/x=acme/x", `must be a list of pairs that begin with a package name, not "acme/x"`},
		{"packages.names", "tool=acme", `must be a list of pairs that end with a GitHub repository such as acme/tools, not "acme"`},
		{"packages.names", "tool=acme/..", `must be a list of pairs that end with a GitHub repository such as acme/tools, not "acme/.."`},
		{"metrics.listen", "9464", `must be an address and a port such as 127.0.0.1:9464, not "9464"`},
		{"metadata.leveldb.path", "", "must be a path, not empty"},
		{"metadata.type", "postgres", "can't be postgres yet: this version doesn't implement it; use leveldb"},
		{"metadata.leveldb.path", "~/db", `must be a path without "~", which only a shell understands; write the folder out`},
		{"metadata.type", "Postgres", "can't be postgres yet: this version doesn't implement it; use leveldb"},
		{"storage.type", "s4", `must be local or s3, not "s4"; did you mean s3?`},
		{"storage.s3.accessKeyId", "A KEY", "must not contain spaces"},
		{"storage.s3.region", "eu/1", `must be the name of a region such as eu-central-1, not "eu/1"`},
		{"storage.s3.bucket", "acme/npm", `must be the name of a bucket such as acme-npm, not "acme/npm"`},
		{"storage.s3.prefix", "npm//prod", `must be up to eight parts of letters, digits and ._@+- with slashes between them, such as npm/prod, not "npm//prod"`},
		{"storage.s3.prefix", "../prod", `must be up to eight parts of letters, digits and ._@+- with slashes between them, such as npm/prod, not "../prod"`},
		{"storage.s3.endpoint", "minio:9000", `must be an absolute http or https address such as https://npm.example.org/, not "minio:9000"`},
		{"storage.s3.endpoint", "https://minio.example.org/bucket", "must be a scheme, a host and perhaps a port, without a path"},
		{"storage.s3.endpoint", "https://key:secret@minio.example.org", `must be an address without a user name, a password or "@"`},
		{"storage.s3.redirect", "always", `must be true or false, not "always"`},
		{"storage.s3.expires", "soon", `must be a number of seconds such as 60, or a length of time such as 5m, not "soon"`},
		{"storage.s3.expires", "1500ms", `must be a number of seconds such as 60, or a length of time such as 5m, not "1500ms"`},
		{"storage.s3.expires", "-60", `must be a number of seconds such as 60, or a length of time such as 5m, not "-60"`},
		{"storage.s3.expires", "0", `must be from 1s to 168h0m0s, not "0"`},
		{"storage.s3.expires", "604801", `must be from 1s to 168h0m0s, not "604801"`},
		{"storage.local.path", "/", "must be a folder of its own, not the root of the file system"},
		{"storage.local.path", "a\nb", "must not contain line breaks or control characters"},
		{"packages.global", "redirects", `must be redirect, deny or local, not "redirects"; did you mean redirect?`},
		{"packages.global_registry", "", "must be an absolute http or https address such as https://npm.example.org/, not empty"},
	} {
		t.Run(tc.key+"="+tc.text, func(t *testing.T) {
			o := world{args: []string{"--" + tc.key + "=" + tc.text}}.options(t, schema)
			equal(t, problems(t, o, schema), []string{"--" + tc.key + ": " + tc.key + " " + tc.want})
			if tc.text == "" || strings.Contains(tc.text, "\n") {
				return
			}
			o = world{env: []string{envName(tc.key) + "=" + tc.text}}.options(t, schema)
			equal(t, problems(t, o, schema), []string{envName(tc.key) + ": " + tc.key + " " + tc.want})
			o = world{file: "# first line\n\n" + tc.key + ": '" + tc.text + "'\n"}.options(t, schema)
			equal(t, problems(t, o, schema), []string{"DIR/gatehouse.yaml:3: " + tc.key + " " + tc.want})
		})
	}
}

// Kinds that no key has yet.
func TestOtherKinds(t *testing.T) {
	t.Parallel()
	var d time.Duration
	var word Secret
	keys := []key{
		{"x.wait", "30s", "Test.", duration(func(*Config) *time.Duration { return &d }, time.Second, time.Hour)},
		{"x.word", "", "Test.", secret(func(*Config) *Secret { return &word })},
	}
	o := world{file: "x: {wait: soon}", env: []string{"GATEHOUSE_X__WAIT=2h"}, args: []string{"--x.wait=1ms"}}.options(t, keys)
	equal(t, problems(t, o, keys), []string{
		`DIR/gatehouse.yaml:1: x.wait must be a length of time such as 30s, 5m or 2h, not "soon"`,
		`GATEHOUSE_X__WAIT: x.wait must be from 1s to 1h, not "2h"`,
		`--x.wait: x.wait must be from 1s to 1h, not "1ms"`,
	})
	o = world{file: "x: {word: [a, b]}"}.options(t, keys)
	equal(t, problems(t, o, keys), []string{"DIR/gatehouse.yaml:1: x.word must be a single value, not a list"})
	if c, err := load(world{env: []string{"GATEHOUSE_X__WAIT=5m"}}.options(t, keys), keys); err != nil || d != 5*time.Minute || c.Entries()[0].Value != "5m" {
		t.Errorf("%v, %v", err, d)
	}
}

func TestUnknownKeys(t *testing.T) {
	t.Parallel()
	o := world{
		file: `
server: 3000
sever: {host: x}
Server.prot: 1
port: 1
auth:
  github:
    api-url: https://x
    organization: acme
    cache: ~
logger:
  level: [info, warn]
  format: {a: b}
logger: {}
wholly: unknown
metadata:
  postgres: {dsn: b}
storage: [a]
packages:
  global: deny
  GLOBAL: local
`,
		env: []string{
			"OTHER=1", "GATEHOUSE=1", "GATEHOUSEX__Y=1",
			"GATEHOUSE_SERVER_PORT=1", "GATEHOUSE_STORAGE__LOCAL__PATHS_FILE=x", "GATEHOUSE_METADATA__POSTGRES__DSN=b",
			"GATEHOUSE_CONFIG=x", "GATEHOUSE_CONFIG_FILE=x", "GATEHOUSE_FOO=",
			"GATEHOUSE_SERVER__HOST=a", "gatehouse_server__host=b", "GATEHOUSE_SERVER__HOST_FILE=c",
		},
	}.options(t, schema)
	equal(t, problems(t, o, schema), []string{
		"DIR/gatehouse.yaml:2: server must be a section with keys under it, not a value",
		"DIR/gatehouse.yaml:3: sever is not a known key; did you mean server?",
		"DIR/gatehouse.yaml:4: Server.prot is not a known key; did you mean server.port?",
		"DIR/gatehouse.yaml:5: port is not a known key; did you mean server.port?",
		"DIR/gatehouse.yaml:8: auth.github.api-url is not a known key; did you mean auth.github.api_url?",
		"DIR/gatehouse.yaml:9: auth.github.organization is not a known key",
		"DIR/gatehouse.yaml:13: logger.format must be a value, not a section with keys under it",
		"DIR/gatehouse.yaml:14: logger is in this file twice; it was set on line 11 already",
		"DIR/gatehouse.yaml:15: wholly is not a known key",
		"DIR/gatehouse.yaml:17: metadata.postgres can't be set: metadata in PostgreSQL is not implemented in this version yet",
		"DIR/gatehouse.yaml:18: storage must be a section with keys under it, not a value",
		"DIR/gatehouse.yaml:21: packages.GLOBAL is in this file twice; it was set on line 20 already",
		"DIR/gatehouse.yaml:12: logger.level must be a single value, not a list",
		"GATEHOUSE_CONFIG: the configuration file is named by the flag --config only",
		"GATEHOUSE_CONFIG_FILE: the configuration file is named by the flag --config only",
		"GATEHOUSE_FOO: foo is not a known key",
		"GATEHOUSE_METADATA__POSTGRES__DSN: metadata.postgres.dsn can't be set: metadata in PostgreSQL is not implemented in this version yet",
		"GATEHOUSE_SERVER_PORT: server_port is not a known key; did you mean GATEHOUSE_SERVER__PORT?",
		"GATEHOUSE_SERVER__HOST_FILE: server.host is set by GATEHOUSE_SERVER__HOST too; keep one of them",
		"GATEHOUSE_STORAGE__LOCAL__PATHS_FILE: storage.local.paths_file is not a known key; did you mean GATEHOUSE_STORAGE__LOCAL__PATH_FILE?",
		"gatehouse_server__host: server.host is set by GATEHOUSE_SERVER__HOST too; keep one of them",
	})
}

// A value that is overridden is judged all the same, and everything is said at once.
func TestAllAtOnce(t *testing.T) {
	t.Parallel()
	o := world{
		file: "server: {port: x, prot: 1}",
		env:  []string{"GATEHOUSE_SERVER__PORT=y"},
		args: []string{"--server.port=80", "--storage.local.path=data/db/"},
	}.options(t, schema)
	equal(t, problems(t, o, schema), []string{
		"DIR/gatehouse.yaml:1: server.prot is not a known key; did you mean server.port?",
		`DIR/gatehouse.yaml:1: server.port must be a whole number from 0 to 65535, not "x"`,
		`GATEHOUSE_SERVER__PORT: server.port must be a whole number from 0 to 65535, not "y"`,
		`--storage.local.path: storage.local.path and metadata.leveldb.path must be separate folders; both are "DIR/data/db"`,
	})
	_, err := Load(o)
	if text := err.Error(); strings.Count(text, "\n") != 4 || !strings.HasPrefix(text, "the configuration has 4 mistakes:\n  ") {
		t.Errorf("%s", text)
	}
	if p, ok := errors.AsType[Problem](err); !ok || p.Where == "" {
		t.Error("a single problem can't be reached with errors.As")
	}
}

func TestBrokenFiles(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ file, want string }{
		"syntax":     {"server:\n  port: [1\nlogger: x\n", "DIR/gatehouse.yaml: this is not valid YAML near line 1: did not find expected"},
		"tab":        {"server:\n\tport: 1\n", "DIR/gatehouse.yaml: this is not valid YAML near line 2: found character that cannot start any token"},
		"list":       {"- a\n- b\n", `DIR/gatehouse.yaml:1: the file must hold keys with values, such as "server:"`},
		"text":       {"hello\n", `DIR/gatehouse.yaml:1: the file must hold keys with values, such as "server:"`},
		"two":        {"server: {}\n---\nlogger: {}\n", "DIR/gatehouse.yaml:2: the file must hold one YAML document, and here a second one starts"},
		"large":      {"# " + strings.Repeat("x", largestInput), "DIR/gatehouse.yaml: can't be read: the file is larger than 1MiB"},
		"odd key":    {"[a]: b\n", "DIR/gatehouse.yaml:1: a key must be a plain word"},
		"own anchor": {"server: &a\n  trusted_proxies: *a\n", "DIR/gatehouse.yaml:2: server.trusted_proxies must be a value, not a section with keys under it"},
		"deep list":  {"server:\n  trusted_proxies: [[a]]\n", "DIR/gatehouse.yaml:2: server.trusted_proxies must be a list of plain values"},
	} {
		t.Run(name, func(t *testing.T) {
			got := problems(t, world{file: tc.file}.options(t, schema), schema)
			if len(got) != 1 || !strings.HasPrefix(got[0], tc.want) {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
	for _, empty := range []string{"\n", "# nothing\n", "---\n", "null\n", "{}\n"} {
		if c := mustLoad(t, world{file: empty}.options(t, schema)); c.Server.Port != 3000 || c.File() == "" {
			t.Errorf("%q: %+v", empty, c)
		}
	}
	c := mustLoad(t, world{file: "server: {host: &h 127.0.0.1, trusted_proxies: [*h]}\n"}.options(t, schema))
	if len(c.Server.TrustedProxies) != 1 {
		t.Error("an alias was not followed")
	}
}

func TestFilesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	o := world{args: []string{"--config=nowhere.yaml"}}.options(t, schema)
	write(t, filepath.Join(o.Dir, fileName), "server: {port: 1}") // is not a substitute
	equal(t, problems(t, o, schema), []string{"--config: nowhere.yaml can't be read: no such file or directory"})

	o = world{args: []string{"--config="}}.options(t, schema)
	equal(t, problems(t, o, schema), []string{"--config: must name a file"})

	o = world{}.options(t, schema)
	write(t, filepath.Join(o.Dir, fileName, "a folder"), "x")
	equal(t, problems(t, o, schema), []string{"DIR/gatehouse.yaml: can't be read: is a directory"})

	o = world{env: []string{"GATEHOUSE_SERVER__PORT_FILE=a", "GATEHOUSE_SERVER__HOST_FILE=b", "GATEHOUSE_LOGGER__LEVEL_FILE=c", "GATEHOUSE_LOGGER__FORMAT_FILE=d"}}.options(t, schema)
	write(t, filepath.Join(o.Dir, "b"), "\n")
	write(t, filepath.Join(o.Dir, "c"), "hunter2")
	write(t, filepath.Join(o.Dir, "d"), "json\r\n")
	equal(t, problems(t, o, schema), []string{
		"GATEHOUSE_SERVER__HOST_FILE: server.host can't be read from b: the file is empty",
		"GATEHOUSE_SERVER__PORT_FILE: server.port can't be read from a: no such file or directory",
		"GATEHOUSE_LOGGER__LEVEL_FILE: logger.level must be debug, info, warn or error, not the value in that file",
	})
}

// A home folder that isn't one, or is another user's, holds no configuration.
func TestHomeThatCannotBeEntered(t *testing.T) {
	t.Parallel()
	o := world{}.options(t, schema)
	o.UserConfigDir = "/dev/null/.config"
	mustLoad(t, o)
	if os.Geteuid() == 0 {
		return // root may enter every folder
	}
	o.UserConfigDir = filepath.Join(t.TempDir(), "closed")
	write(t, filepath.Join(o.UserConfigDir, "gatehouse", fileName), "a: b")
	if err := os.Chmod(o.UserConfigDir, 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(o.UserConfigDir, 0o700) })
	mustLoad(t, o)
}

// Whatever a file holds, the answer is a Config or an *Error with a place for each problem.
func FuzzFile(f *testing.F) {
	for _, seed := range []string{
		"server:\n  port: 1\n", "a: &a {b: *a}\n", "server: &s {<<: *s, host: x}\n", "[a]: b", "? {a: b}\n: c", "server: !env X\n",
		"server.port: !!binary aGk=\n", "\"a\\nb\": 1\n", "--- a\n--- b\n", "{", "\xff\xfe", "server: {trusted_proxies: [*x, &x y]}",
	} {
		f.Add(seed)
	}
	dir := f.TempDir()
	name := filepath.Join(dir, fileName)
	f.Fuzz(func(t *testing.T, text string) {
		write(t, name, text)
		c, err := Load(Options{Dir: dir})
		if err == nil {
			_ = c.Entries()
			return
		}
		all, ok := errors.AsType[*Error](err)
		if !ok || c != nil || len(all.Problems) == 0 {
			t.Fatalf("%v", err)
		}
		for _, p := range all.Problems {
			if p.Where == "" || p.Message == "" || strings.ContainsAny(p.Message, "\n\r") {
				t.Errorf("%+v", p)
			}
		}
	})
}
