package config

import (
	"testing"
	"time"
)

func TestGitHubAddresses(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ host, api, web string }{
		{"github.com", "https://api.github.com", "https://github.com"},
		{"GitHub.com", "https://api.github.com", "https://github.com"},
		{"acme.ghe.com", "https://api.acme.ghe.com", "https://acme.ghe.com"},
		{"github.example.org", "https://github.example.org/api/v3", "https://github.example.org"},
		{"github.example.org:8443", "https://github.example.org:8443/api/v3", "https://github.example.org:8443"},
		{"notghe.com", "https://notghe.com/api/v3", "https://notghe.com"},
		{"10.0.0.7", "https://10.0.0.7/api/v3", "https://10.0.0.7"},
		{"[fd00::7]:8443", "https://[fd00::7]:8443/api/v3", "https://[fd00::7]:8443"},
		{"localhost:1234", "https://localhost:1234/api/v3", "https://localhost:1234"},
	} {
		c := mustLoad(t, world{args: []string{"--auth.github.host", tc.host}}.options(t, schema))
		if c.Auth.GitHub.APIURL != tc.api || c.Auth.GitHub.WebURL != tc.web {
			t.Errorf("%s: %s, %s", tc.host, c.Auth.GitHub.APIURL, c.Auth.GitHub.WebURL)
		}
		if e := entry(t, c, "auth.github.api_url"); e.Value != tc.api || e.Source != "auth.github.host" {
			t.Errorf("%+v", e)
		}
	}
	c := mustLoad(t, world{args: []string{"--auth.github.host=github.example.org", "--auth.github.api_url=http://[::1]:99"}}.options(t, schema))
	if c.Auth.GitHub.APIURL != "http://[::1]:99" || c.Auth.GitHub.WebURL != "https://github.example.org" || c.Source("auth.github.api_url") != "--auth.github.api_url" {
		t.Errorf("%+v", c.Auth.GitHub)
	}
}

func TestNoAuthListensOnLoopback(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, host, source string
		w                  world
	}{
		{"nobody set a host", "127.0.0.1", "auth.type none", world{args: []string{"--auth.type=none"}}},
		{"a host set by hand", "0.0.0.0", "GATEHOUSE_SERVER__HOST", world{file: "auth: {type: none}", env: []string{"GATEHOUSE_SERVER__HOST=0.0.0.0"}}},
		{"github", "0.0.0.0", "default", world{file: "auth: {type: github}"}},
	} {
		c := mustLoad(t, tc.w.options(t, schema))
		if e := entry(t, c, "server.host"); c.Server.Host != tc.host || e.Value != tc.host || e.Source != tc.source {
			t.Errorf("%s: %+v", tc.name, e)
		}
	}
}

func TestFoldersAreSeparate(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		args []string
		want string
	}{
		{[]string{"--storage.local.path=./data/db"}, `--storage.local.path: storage.local.path and metadata.leveldb.path must be separate folders; both are "DIR/data/db"`},
		{[]string{"--metadata.leveldb.path=data/../data/storage/db"}, `--metadata.leveldb.path: storage.local.path and metadata.leveldb.path must be separate folders; "DIR/data/storage/db" is inside "DIR/data/storage"`},
		{[]string{"--storage.local.path=data/db/x"}, `--storage.local.path: storage.local.path and metadata.leveldb.path must be separate folders; "DIR/data/db/x" is inside "DIR/data/db"`},
		{[]string{"--auth.github.cache.path=data/storage/.cache"}, `--auth.github.cache.path: storage.local.path and auth.github.cache.path must be separate folders; "DIR/data/storage/.cache" is inside "DIR/data/storage"`},
	} {
		o := world{args: tc.args}.options(t, schema)
		equal(t, problems(t, o, schema), []string{tc.want})
	}
	mustLoad(t, world{args: []string{"--storage.local.path=data/db-2"}}.options(t, schema))
}

func TestBucket(t *testing.T) {
	t.Parallel()
	const half = "storage.s3.accessKeyId and storage.s3.secretAccessKey belong together, and only one of them is set; set both, or neither to use the credentials that the AWS SDK finds"
	for name, tc := range map[string]struct {
		w    world
		want []string
	}{
		"no bucket": {world{args: []string{"--storage.type=s3"}}, []string{"--storage.type: storage.s3.bucket must name a bucket, since storage.type is s3"}},
		"an empty bucket": {world{file: "storage:\n  type: s3\n  s3:\n    bucket: ''\n"}, []string{
			"DIR/gatehouse.yaml:4: storage.s3.bucket must name a bucket, since storage.type is s3"}},
		"a bad bucket": {world{args: []string{"--storage.type=s3", "--storage.s3.bucket=/"}}, []string{
			`--storage.s3.bucket: storage.s3.bucket must be the name of a bucket such as acme-npm, not "/"`}},
		"no secret": {world{args: []string{"--storage.type=s3", "--storage.s3.bucket=npm", "--storage.s3.accessKeyId=AKIA"}}, []string{
			"--storage.s3.accessKeyId: " + half}},
		"no id": {world{file: "storage: {type: s3, s3: {bucket: npm}}", env: []string{"GATEHOUSE_STORAGE__S3__SECRETACCESSKEY=s"}}, []string{
			"GATEHOUSE_STORAGE__S3__SECRETACCESSKEY: " + half}},
		"another type": {world{file: "storage: {type: local, s3: {accessKeyId: AKIA}}"}, nil},
		"neither half": {world{file: "storage: {type: s3, s3: {bucket: npm}}"}, nil},
		// The folder of local storage is nothing to S3.
		"folders": {world{file: "storage: {type: s3, s3: {bucket: npm}, local: {path: data/db}}"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			o := tc.w.options(t, schema)
			if tc.want == nil {
				mustLoad(t, o)
				return
			}
			equal(t, problems(t, o, schema), tc.want)
		})
	}
}

// The founding document's section, word for word: seconds are a bare number there.
func TestFoundingDocumentsBucket(t *testing.T) {
	t.Parallel()
	c := mustLoad(t, world{file: `
storage:
  type: s3
  s3:
    accessKeyId: AKIAIOSFODNN7EXAMPLE
    secretAccessKey: wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY
    region: us-east-1
    bucket: acme-npm
    prefix: packages
    redirect: true
    expires: 60
`}.options(t, schema))
	s3 := c.Storage.S3
	if s3.SecretAccessKey.Reveal() != "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY" {
		t.Error("the secret is another")
	}
	s3.SecretAccessKey = Secret{}
	want := S3{AccessKeyID: "AKIAIOSFODNN7EXAMPLE", Region: "us-east-1", Bucket: "acme-npm", Prefix: "packages", Redirect: true, Expires: time.Minute}
	if c.Storage.Type != StorageS3 || s3 != want {
		t.Errorf("%+v", c.Storage)
	}
}

func TestRedirectToItself(t *testing.T) {
	t.Parallel()
	args := []string{"--server.url=https://npm.example.org", "--packages.global_registry=https://NPM.example.org:443/x"}
	equal(t, problems(t, world{args: args}.options(t, schema), schema), []string{
		"--packages.global_registry: packages.global_registry must be another registry than server.url, or redirected reads would come back for ever"})
	mustLoad(t, world{args: append(args, "--packages.global=deny")}.options(t, schema))
}

func TestLocalNamesHaveOwners(t *testing.T) {
	t.Parallel()
	args := []string{"--packages.global=local"}
	equal(t, problems(t, world{args: args}.options(t, schema), schema), []string{
		"--packages.global: packages.global is local, so auth.github.orgs must list the owners whose repositories may publish names without a namespace; otherwise anybody could take any name"})
	mustLoad(t, world{args: append(args, "--auth.github.orgs=acme")}.options(t, schema))
	mustLoad(t, world{args: append(args, "--auth.type=none")}.options(t, schema))
}

// TestTokenVariable: the variable that .npmrc and gatehouse why take the token from is no misspelt key.
func TestTokenVariable(t *testing.T) {
	if _, err := Load(Options{Environ: []string{TokenVariable + "=ghp_x"}}); err != nil {
		t.Error(err)
	}
}

func TestKubernetesVariables(t *testing.T) {
	t.Parallel()
	made := []string{
		"GATEHOUSE_SERVICE_HOST=10.0.0.1", "GATEHOUSE_SERVICE_PORT=80", "GATEHOUSE_SERVICE_PORT_HTTP=80", "GATEHOUSE_PORT=tcp://10.0.0.1:80",
		"GATEHOUSE_PORT_80_TCP=tcp://10.0.0.1:80", "GATEHOUSE_PORT_80_TCP_PROTO=tcp", "GATEHOUSE_PORT_80_TCP_PORT=80", "GATEHOUSE_PORT_80_TCP_ADDR=10.0.0.1",
		"GATEHOUSE_DB_SERVICE_HOST=10.0.0.2", "GATEHOUSE_DB_PORT=tcp://10.0.0.2:1",
	}
	mustLoad(t, world{env: append(made, "KUBERNETES_SERVICE_HOST=10.0.0.9")}.options(t, schema))
	if got := problems(t, world{env: made}.options(t, schema), schema); len(got) != len(made) {
		t.Errorf("outside a pod: %q", got)
	}
	o := world{env: []string{"KUBERNETES_SERVICE_HOST=1", "GATEHOUSE_PORT=8080"}}.options(t, schema)
	equal(t, problems(t, o, schema), []string{"GATEHOUSE_PORT: port is not a known key; did you mean GATEHOUSE_SERVER__PORT?"})
}

func TestNearest(t *testing.T) {
	t.Parallel()
	known := names(schema)
	for name, want := range map[string]string{
		"server.prot":            "server.port",
		"serverport":             "server.port",
		"server-url":             "server.url",
		"maxPublishBytes":        "server.max_publish_bytes",
		"server.maxPublishByte":  "server.max_publish_bytes",
		"settings.allowPrevious": "",
		"level":                  "logger.level",
		"log.level":              "logger.level",
		"path":                   "",
		"type":                   "",
		"x":                      "",
		"":                       "",
	} {
		if got := nearest(name, known); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	for _, tc := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"a", "", 1}, {"port", "prot", 1}, {"level", "levle", 1}, {"kitten", "sitting", 3}} {
		if got := distance(tc.a, tc.b); got != tc.want {
			t.Errorf("%s, %s: %d", tc.a, tc.b, got)
		}
	}
}
