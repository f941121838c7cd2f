package config

import (
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"
)

func TestDefaults(t *testing.T) {
	t.Parallel()
	o := world{}.options(t, schema)
	o.Dir = "" // this package's folder, which has no gatehouse.yaml
	o.Flags = nil
	got := *mustLoad(t, o)
	got.origin = nil
	want := Config{
		Server:   Server{Host: "0.0.0.0", Port: 3000, MaxPublishBytes: 512 << 20},
		Logger:   Logger{Level: slog.LevelInfo, Format: LogText},
		Auth:     Auth{Type: AuthGitHub, GitHub: GitHub{Host: "github.com", APIURL: "https://api.github.com", WebURL: "https://github.com", PublicPackages: PublicAnonymous, Stale: 15 * time.Minute, ChangePeople: true, Cache: GitHubCache{"./data/github-cache"}, OIDC: defaultOIDC("https://token.actions.githubusercontent.com")}, Login: Login{Expires: 30 * 24 * time.Hour}},
		Metadata: Metadata{Type: MetadataLevelDB, LevelDB: LevelDB{"./data/db"}},
		Storage:  Storage{Type: StorageLocal, Local: LocalStorage{"./data/storage"}, S3: S3{Expires: time.Minute}},
		Packages: Packages{Global: GlobalRedirect, GlobalRegistry: publicRegistry},
		Limits:   Limits{RequestsPerToken: 30_000, RequestsPerAddress: 60_000},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestPrecedence(t *testing.T) {
	t.Parallel()
	file := "server:\n  port: 1001\n"
	env := []string{"GATEHOUSE_SERVER__PORT=1002"}
	args := []string{"--server.port=1003"}
	for _, tc := range []struct {
		name   string
		world  world
		port   int
		source string
	}{
		{"default", world{}, 3000, "default"},
		{"file", world{file: file}, 1001, "DIR/gatehouse.yaml:2"},
		{"environment over file", world{file: file, env: env}, 1002, "GATEHOUSE_SERVER__PORT"},
		{"flag over file", world{file: file, args: args}, 1003, "--server.port"},
		{"flag over environment", world{env: env, args: args}, 1003, "--server.port"},
		{"flag over all", world{file: file, env: env, args: args}, 1003, "--server.port"},
		{"the default's own value, set", world{file: file, args: []string{"--server.port", "3000"}}, 3000, "--server.port"},
		{"empty variable is not set", world{file: file, env: []string{"GATEHOUSE_SERVER__PORT="}}, 1001, "DIR/gatehouse.yaml:2"},
		{"null is not set", world{file: "server: {port: null}", env: env}, 1002, "GATEHOUSE_SERVER__PORT"},
		{"empty section", world{file: "server:\nlogger: ~\n"}, 3000, "default"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			o := tc.world.options(t, schema)
			c := mustLoad(t, o)
			e := entry(t, c, "server.port")
			if c.Server.Port != tc.port || replace(e.Source, o.Dir) != tc.source {
				t.Errorf("got %d from %s", c.Server.Port, e.Source)
			}
			if e.Source != c.Source("server.port") {
				t.Errorf("Source and Entries differ: %s, %s", c.Source("server.port"), e.Source)
			}
		})
	}
}

// One key of the file doesn't take its neighbours' defaults away, nor does a list merge with another.
func TestMergeIsByKey(t *testing.T) {
	t.Parallel()
	c := mustLoad(t, world{
		file: "auth:\n  github:\n    host: ghe.example.org\n    orgs: [one, two]\n",
		env:  []string{"GATEHOUSE_AUTH__GITHUB__ORGS=three", "GATEHOUSE_AUTH__GITHUB__WEB_URL=http://localhost:81"},
	}.options(t, schema))
	want := GitHub{Host: "ghe.example.org", APIURL: "https://ghe.example.org/api/v3", WebURL: "http://localhost:81", Orgs: []string{"three"}, PublicPackages: PublicAnonymous, Stale: 15 * time.Minute, ChangePeople: true, Cache: c.Auth.GitHub.Cache, OIDC: defaultOIDC("https://ghe.example.org/_services/token")}
	if !reflect.DeepEqual(c.Auth.GitHub, want) {
		t.Errorf("%+v", c.Auth.GitHub)
	}
}

func TestEveryKeyFromEverySource(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ key, text, shown string }{
		{"server.host", "[::1]", "::1"},
		{"server.port", "0", "0"},
		{"auth.github.oidc.refs", "refs/heads/main, refs/tags/v*", "refs/heads/main,refs/tags/v*"},
		{"server.url", "HTTPS://NPM.Example.org:443/Registry", "https://npm.example.org/Registry/"},
		{"server.trusted_proxies", "10.0.0.0/8, ::ffff:192.0.2.1,192.0.2.1", "10.0.0.0/8,192.0.2.1"},
		{"server.max_publish_bytes", "200mb", "200MB"},
		{"logger.level", "WARN", "warn"},
		{"logger.format", "json", "json"},
		{"settings.allow_previous_version", "no", "false"},
		{"auth.type", "none", "none"},
		{"auth.github.host", "GitHub.Example.org:8443", "github.example.org:8443"},
		{"auth.github.api_url", "http://127.0.0.1:8080/api/v3/", "http://127.0.0.1:8080/api/v3"},
		{"auth.github.web_url", "https://proxy.example.org/", "https://proxy.example.org"},
		{"auth.github.orgs", "@acme,1e3, no,ACME", "acme,1e3,no"},
		{"auth.github.namespaces", "@Tools=acme, legacy=Initech", "legacy=Initech,tools=acme"},
		{"auth.github.public_packages", "Authenticated", "authenticated"},
		{"auth.github.stale", "90m", "1h30m"},
		{"auth.github.cache.path", "/var/cache/x", "/var/cache/x"},
		{"auth.github.token", "not shown", "[redacted]"},
		{"auth.github.oauth.client_id", "Iv1.0123456789abcdef", "Iv1.0123456789abcdef"},
		{"auth.github.webhook.secret", "long enough to keep", "[redacted]"},
		{"metadata.type", "LevelDB", "leveldb"},
		{"metadata.leveldb.path", "/var/x", "/var/x"},
		{"storage.type", "local", "local"},
		{"storage.local.path", "/srv/x", "/srv/x"},
		{"storage.s3.accessKeyId", "AKIA/+x=", "AKIA/+x="},
		{"storage.s3.secretAccessKey", "not/shown", "[redacted]"},
		{"storage.s3.region", "eu-central-1", "eu-central-1"},
		{"storage.s3.bucket", "Acme_npm.1", "Acme_npm.1"},
		{"storage.s3.prefix", "/npm/prod/", "npm/prod"},
		{"storage.s3.endpoint", "http://MINIO:9000/", "http://minio:9000"},
		{"storage.s3.path_style", "yes", "true"},
		{"storage.s3.redirect", "on", "true"},
		{"storage.s3.expires", "5m", "300s"},
		{"packages.global", "deny", "deny"},
		{"packages.global_registry", "http://mirror:4873", "http://mirror:4873/"},
		{"packages.names", "my-tool=acme/tools", "my-tool=acme/tools"},
		{"metrics.listen", "[::1]:9464", "[::1]:9464"},
		{"metrics.token", "long enough to keep", "[redacted]"},
	} {
		t.Run(tc.key, func(t *testing.T) {
			quoted := "'" + tc.text + "'"
			if tc.text == "0" || tc.text == "no" {
				quoted = tc.text // what YAML calls a number or a boolean is text here
			}
			secretFile := filepath.Join(t.TempDir(), "value")
			write(t, secretFile, tc.text+"\n")
			for source, w := range map[string]world{
				"DIR/gatehouse.yaml:1":    {file: tc.key + ": " + quoted},
				envName(tc.key):           {env: []string{envName(tc.key) + "=" + tc.text}},
				envName(tc.key) + "_FILE": {env: []string{envName(tc.key) + "_FILE=" + secretFile}},
				"--" + tc.key:             {args: []string{"--" + tc.key + "=" + tc.text}},
			} {
				if tc.shown == redacted && w.args != nil {
					continue // secrets have no flag
				}
				o := w.options(t, schema)
				e := entry(t, mustLoad(t, o), tc.key)
				if e.Value != tc.shown || replace(e.Source, o.Dir) != source {
					t.Errorf("got %q from %s, want %q from %s", e.Value, e.Source, tc.shown, source)
				}
			}
		})
	}
}

func TestEntries(t *testing.T) {
	t.Parallel()
	entries := mustLoad(t, world{}.options(t, schema)).Entries()
	schema := slices.DeleteFunc(slices.Clone(schema), func(k key) bool { return k.each != nil })
	if len(entries) != len(schema) {
		t.Fatalf("%d entries", len(entries))
	}
	for i, k := range schema {
		if e := entries[i]; e.Key != k.name || e.Meaning != k.meaning || e.Source == "" {
			t.Errorf("%d: %+v", i, e)
		}
	}
	var none Config
	if none.Entries() != nil || none.Source("server.port") != "" || none.File() != "" {
		t.Error("a Config that nobody loaded has entries")
	}
}

func TestCaseInsensitive(t *testing.T) {
	t.Parallel()
	for name, w := range map[string]world{
		"file":        {file: "Server:\n  Max_Publish_Bytes: 1MiB\n"},
		"dotted":      {file: "SERVER.max_publish_bytes: 1MiB\n"},
		"environment": {env: []string{"gatehouse_Server__Max_publish_BYTES=1MiB"}},
		"flag":        {args: []string{"--Server.MAX_publish_bytes=1MiB"}},
	} {
		if c := mustLoad(t, w.options(t, schema)); c.Server.MaxPublishBytes != 1<<20 {
			t.Errorf("%s: %d", name, c.Server.MaxPublishBytes)
		}
	}
	// A key with capitals, as the founding document has them.
	var id string
	camel := []key{{"storage.s4.accessKeyId", "", "Test.", path(func(*Config) *string { return &id })}}
	camel[0].def = "/x"
	for name, w := range map[string]world{
		"file":        {file: "storage: {s4: {accessKeyId: /a}}"},
		"folded file": {file: "storage: {s4: {accesskeyid: /a}}"},
		"environment": {env: []string{"GATEHOUSE_STORAGE__S4__ACCESSKEYID=/a"}},
		"flag":        {args: []string{"--storage.s4.accessKeyId=/a"}},
	} {
		id = ""
		if c, err := load(w.options(t, camel), camel); err != nil || id != "/a" || c.Entries()[0].Key != "storage.s4.accessKeyId" {
			t.Errorf("%s: %v, %q", name, err, id)
		}
	}
}

func TestWhereTheFileIs(t *testing.T) {
	t.Parallel()
	o := world{}.options(t, schema)
	system := filepath.Join(o.SystemDir, "gatehouse", fileName)
	user := filepath.Join(o.UserConfigDir, "gatehouse", fileName)
	here := filepath.Join(o.Dir, fileName)
	named := filepath.Join(o.Dir, "other.yaml")
	if c := mustLoad(t, o); c.File() != "" {
		t.Errorf("found %s", c.File())
	}
	for _, step := range []struct {
		file, text string
		level      slog.Level
	}{
		{system, "logger: {level: error, format: json}", slog.LevelError},
		{user, "logger: {level: warn}", slog.LevelWarn},
		{here, "logger: {level: debug}", slog.LevelDebug},
		{named, "logger: {level: error}", slog.LevelError},
	} {
		write(t, step.file, step.text)
		if step.file == named {
			o.Flags = parse(t, schema, "--config", "other.yaml")
		}
		c := mustLoad(t, o)
		if c.File() != step.file || c.Logger.Level != step.level {
			t.Errorf("read %s, level %v; want %s", c.File(), c.Logger.Level, step.file)
		}
		if step.file == user && c.Logger.Format != LogText {
			t.Error("the file that was not chosen was read too")
		}
	}
}

func TestLoadHasNoSideEffects(t *testing.T) {
	t.Parallel()
	o := world{file: "storage: {local: {path: data/a}}"}.options(t, schema)
	c := mustLoad(t, o)
	if c.Storage.Local.Path != filepath.Join(o.Dir, "data/a") || c.Metadata.LevelDB.Path != filepath.Join(o.Dir, "data/db") {
		t.Errorf("not relative to the working directory: %s, %s", c.Storage.Local.Path, c.Metadata.LevelDB.Path)
	}
	for _, dir := range []string{o.Dir, o.UserConfigDir, o.SystemDir} {
		files, err := os.ReadDir(dir)
		if err != nil || (dir == o.Dir && len(files) != 1) || (dir != o.Dir && len(files) != 0) {
			t.Errorf("%s: %v, %v", dir, files, err)
		}
	}
}

func TestTrustedProxies(t *testing.T) {
	t.Parallel()
	c := mustLoad(t, world{file: "server:\n  trusted_proxies:\n  - 10.1.2.3\n  - fd00::/8\n  - ::ffff:10.9.0.0/112\n"}.options(t, schema))
	want := []netip.Prefix{netip.MustParsePrefix("10.1.2.3/32"), netip.MustParsePrefix("fd00::/8"), netip.MustParsePrefix("10.9.0.0/16")}
	if !reflect.DeepEqual(c.Server.TrustedProxies, want) {
		t.Errorf("%v", c.Server.TrustedProxies)
	}
}
