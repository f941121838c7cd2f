package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"gatehouse/cmd/gatehouse/clienttest"
	"gatehouse/config"
	"gatehouse/githubauth/githubtest"
	"gatehouse/store/blob"
	"gatehouse/store/packument/packumenttest"
	"gatehouse/store/s3/s3test"
)

// s3Bucket is an empty bucket of a real S3 server, reached through a proxy, under a host name that is not the registry's.
type s3Bucket struct {
	server *s3test.Server
	proxy  *s3test.Proxy
	name   string
	file   string // a configuration file that names it
}

// s3Prefix is in front of all objects.
const s3Prefix = "npm/prod/"

func newBucket(t *testing.T, more ...string) *s3Bucket {
	t.Helper()
	b := &s3Bucket{server: s3test.New(t), file: filepath.Join(t.TempDir(), "gatehouse.yaml")}
	b.proxy = s3test.NewProxy(t, b.server.URL)
	b.name = b.server.Bucket(t)
	b.write(t, b.server.AccessKeyID, b.server.SecretAccessKey, b.name, strings.Replace(b.proxy.URL, "127.0.0.1", "localhost", 1), more...)
	return b
}

// write writes the configuration file, in which the founding document's keys stand.
func (b *s3Bucket) write(t *testing.T, id, secret, bucket, endpoint string, more ...string) {
	t.Helper()
	lines := []string{
		"storage:", "  type: s3", "  s3:", "    accessKeyId: " + id, "    secretAccessKey: " + secret, "    region: " + s3test.Region,
		"    bucket: " + bucket, "    prefix: " + s3Prefix, "    endpoint: " + endpoint, "    path_style: true",
	}
	for _, line := range more {
		lines = append(lines, "    "+line)
	}
	if err := os.WriteFile(b.file, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (b *s3Bucket) flags() []string { return []string{"--config=" + b.file} }

// objects lists the bucket, without the prefix.
func (b *s3Bucket) objects(t *testing.T) (names []string) {
	t.Helper()
	pages := s3.NewListObjectsV2Paginator(b.server.Client(), &s3.ListObjectsV2Input{Bucket: &b.name})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range page.Contents {
			name, ok := strings.CutPrefix(*o.Key, s3Prefix)
			if !ok {
				t.Errorf("outside of the prefix: %s", *o.Key)
			}
			names = append(names, name)
		}
	}
	return names
}

// remove deletes an object behind the registry's back.
func (b *s3Bucket) remove(t *testing.T, name string) {
	t.Helper()
	key := s3Prefix + name
	if _, err := b.server.Client().DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &b.name, Key: &key}); err != nil {
		t.Fatal(err)
	}
}

// seen is what came to the bucket from clients that were sent there.
type seen struct {
	mu       sync.Mutex
	requests []string
	headers  []http.Header
}

// watch notes the requests with a presigned address, and passes them on.
func (b *s3Bucket) watch() *seen {
	s := &seen{}
	b.proxy.Fail(s3test.Fault{Query: "X-Amz-Signature", Do: func(p *s3test.Proxy, w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.requests = append(s.requests, r.Method+" "+r.Host+r.URL.Path)
		s.headers = append(s.headers, r.Header.Clone())
		s.mu.Unlock()
		p.Forward(w, r)
	}})
	return s
}

// take returns what came since it was last called.
func (s *seen) take() ([]string, []http.Header) {
	s.mu.Lock()
	defer s.mu.Unlock()
	requests, headers := s.requests, s.headers
	s.requests, s.headers = nil, nil
	return requests, headers
}

// TestClientsRedirected: every client installs through a redirect to the bucket, sends no credential there, and
// remembers the registry's address and not the bucket's.
func TestClientsRedirected(t *testing.T) {
	clients := clienttest.All(t)
	b := newBucket(t, "redirect: true", "expires: 60")
	at := startRegistry(t, b.flags()...)
	watched := b.watch()
	for _, client := range clients {
		t.Run(client.Name, func(t *testing.T) {
			c := cell{client, at, nil}
			name := c.name("ui")
			c.yes(t, "publish", c.user(t, at.github.Wendy).Publish(library(t, name, "1.0.0", "'from the bucket'"), "latest"))
			if requests, _ := watched.take(); len(requests) > 0 && c.Name != "bun" {
				t.Errorf("publishing led to %q", requests)
			}

			rita := c.user(t, at.github.Rita)
			app := application(t, name, "1.0.0")
			installed := c.yes(t, "install", rita.Install(app))
			requests, headers := watched.take()
			if len(requests) == 0 {
				t.Fatalf("it asked the bucket for nothing:\n%v", installed)
			}
			for i, h := range headers {
				for header, values := range h {
					if header == "Authorization" || header == "Cookie" || strings.Contains(strings.Join(values, " "), at.github.Rita) {
						t.Errorf("%s came with %s: %.20q…", requests[i], header, values)
					}
				}
				names := make([]string, 0, len(h))
				for header := range h {
					names = append(names, header)
				}
				slices.Sort(names)
				t.Logf("on the wire: %s with %s; referer %q", requests[i], strings.Join(names, ", "), h.Get("Referer"))
			}
			if got := required(t, app, name); got != "from the bucket" {
				t.Errorf("its content is %q", got)
			}
			c.lockfile(t, app, at.url+"/"+name+"/-/ui-"+c.Name+"-1.0.0.tgz", at.packument(t, name).Versions["1.0.0"].Dist.Integrity)
			// Somebody else, with an empty cache, from the lock file.
			c.yes(t, "install from lock", c.user(t, at.github.Ada).InstallFrozen(app))
			if requests, headers := watched.take(); len(requests) == 0 || slices.ContainsFunc(headers, func(h http.Header) bool { return h["Authorization"] != nil }) {
				t.Errorf("from the lock file the bucket saw %q", requests)
			}

			mallory := c.user(t, at.github.Mallory)
			mallory.InstallFrozen(app).MustFail(t)
			if requests, _ := watched.take(); len(requests) > 0 {
				t.Errorf("a stranger came as far as %q", requests)
			}
			t.Logf("install took %.1f s", installed.Took.Seconds())
		})
	}
}

// TestClientsAtTheBucketsHost: where registry and bucket differ by their port only, npm and yarn 1 would send their token to both. They get the
// bytes from the registry.
func TestClientsAtTheBucketsHost(t *testing.T) {
	t.Parallel()
	clients := []clienttest.Client{clienttest.Named(t, "npm-11"), clienttest.Named(t, "yarn-1")}
	github := githubtest.Acme().Start()
	t.Cleanup(github.Close)
	b := newBucket(t)
	b.write(t, b.server.AccessKeyID, b.server.SecretAccessKey, b.name, b.proxy.URL, "redirect: true")
	watched := b.watch()
	i := launch(t, self(t), t.TempDir(), github, b.flags()...)
	for _, client := range clients {
		c := cell{client, &process{url: i.url, github: github}, nil}
		name := c.name("ui")
		c.yes(t, "publish", c.user(t, github.Wendy).Publish(library(t, name, "1.0.0", "'from the registry'"), "latest"))
		app := application(t, name, "1.0.0")
		c.yes(t, "install", c.user(t, github.Rita).Install(app))
		if got := required(t, app, name); got != "from the registry" {
			t.Errorf("%s: the content is %q", c.Name, got)
		}
	}
	i.terminate(t)
	if requests, _ := watched.take(); len(requests) > 0 {
		t.Errorf("the bucket saw %q", requests)
	}
	if n := strings.Count(i.log.String(), "the storage has the registry's own host name"); n != 1 {
		t.Errorf("the log says it %d times", n)
	}
}

// TestOwnHostIsNotRedirectedTo: npm would send its token along, so it gets the bytes from the registry, and the operator is told at the start.
func TestOwnHostIsNotRedirectedTo(t *testing.T) {
	t.Parallel()
	github := githubtest.Acme().Start()
	defer github.Close()
	b := newBucket(t, "redirect: true")
	watched := b.watch()
	i := launch(t, self(t), t.TempDir(), github, append(b.flags(), "--server.url=https://localhost:8443/npm/")...)
	p := packumenttest.Package{Name: "@acme/ui", Version: "1.0.0", Repository: "github:acme/ui"}
	if status := put(i.url+p.Path(), github.Wendy, bytes.NewReader(p.Body())); status != http.StatusCreated {
		t.Fatalf("publish: %d", status)
	}
	status, content := get(t, i.url+"/@acme/ui/-/ui-1.0.0.tgz", github.Rita)
	if requests, _ := watched.take(); status != http.StatusOK || !bytes.Equal(content, p.Tarball()) || len(requests) > 0 {
		t.Errorf("%d, %d bytes, and the bucket saw %q", status, len(content), requests)
	}
	i.terminate(t)
	if log := i.log.String(); strings.Count(log, "level=WARN") != 1 || !strings.Contains(log, "the bucket has the registry's own host name (server.url)") {
		t.Errorf("the log:\n%s", log)
	}
}

// TestBucketMistakes: whatever is wrong with the bucket is one sentence at the start, and nothing has been made.
func TestBucketMistakes(t *testing.T) {
	t.Parallel()
	b := newBucket(t)
	id, secret := b.server.User(t) // may do nothing
	for what, c := range map[string]struct{ id, secret, bucket, endpoint, want string }{
		"no such bucket":   {b.server.AccessKeyID, b.server.SecretAccessKey, "another", b.proxy.URL, `there is no bucket "another" at http://127.0.0.1:\d+: create it, or correct its name`},
		"an unknown key":   {"nobody", "nothing", b.name, b.proxy.URL, `does not know the access key`},
		"a wrong secret":   {b.server.AccessKeyID, "nothing", b.name, b.proxy.URL, `the secret does not belong to the id of the access key`},
		"no right":         {id, secret, b.name, b.proxy.URL, `(?i)denied|may not`},
		"nobody listens":   {b.server.AccessKeyID, b.server.SecretAccessKey, b.name, "http://127.0.0.1:1", `http://127.0.0.1:1`},
		"half of a key":    {b.server.AccessKeyID, "", b.name, b.proxy.URL, `storage.s3.accessKeyId and storage.s3.secretAccessKey belong together`},
		"no bucket at all": {b.server.AccessKeyID, b.server.SecretAccessKey, "", b.proxy.URL, `storage.s3.bucket must name a bucket`},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			own := *b
			own.file = filepath.Join(t.TempDir(), "gatehouse.yaml")
			own.write(t, c.id, c.secret, c.bucket, c.endpoint)
			dir := t.TempDir()
			ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
			defer cancel()
			cmd := exec.CommandContext(ctx, self(t), "--server.host=127.0.0.1", "--server.port=0", "--config="+own.file)
			cmd.Dir, cmd.Env = dir, []string{asGatehouse + "=1"}
			out, err := cmd.CombinedOutput()
			if cmd.ProcessState.ExitCode() != 1 {
				t.Errorf("it ended with %v", err)
			}
			if text := string(out); !regexp.MustCompile(c.want).Match(out) || strings.Count(text, "\n") != 1 || c.secret != "" && strings.Contains(text, c.secret) {
				t.Errorf("it says %q, want %q in one line", out, c.want)
			}
			if made, err := os.ReadDir(dir); err != nil || len(made) > 0 {
				t.Errorf("it made %v, %v", made, err)
			}
			t.Logf("%s", out)
		})
	}
	if left := b.objects(t); len(left) > 0 {
		t.Errorf("in the bucket: %q", left)
	}
}

// TestBucketIsTidied: uploads in parts that somebody may still be working on are left alone, and the right to look for them is there.
func TestBucketIsTidied(t *testing.T) {
	t.Parallel()
	b := newBucket(t)
	flags := newFlags()
	if err := flags.Set("config", b.file); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(config.Options{Flags: flags, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	s := newStorage(cfg, cfg.Storage.Type, slog.New(slog.DiscardHandler))
	if err := s.reach(t.Context()); err != nil {
		t.Fatal(err)
	}
	key := s3Prefix + "@acme/ui/ui-1.0.0.tgz"
	if _, err := b.server.Client().CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: &b.name, Key: &key}); err != nil {
		t.Fatal(err)
	}
	if n, err := s.tidy(t.Context()); n != 0 || err != nil {
		t.Errorf("%d uploads were removed, %v", n, err)
	}
	b.proxy.Fail(s3test.Fault{Query: "uploads", Do: s3test.Answer(403, "AccessDenied", "Access Denied")})
	if _, err := s.tidy(t.Context()); !errors.Is(err, blob.ErrUnavailable) {
		t.Errorf("%v", err)
	}
}

// TestReadyWithBucket: readiness tells of the bucket, and the registry goes on by itself when it is back.
func TestReadyWithBucket(t *testing.T) {
	t.Parallel()
	github := githubtest.Acme().Start()
	defer github.Close()
	b := newBucket(t)
	data := t.TempDir()
	i := launch(t, self(t), data, github, b.flags()...)
	ready := func(want int) {
		t.Helper()
		waitUntil(t, func() bool { status, _ := get(t, i.url+"/-/readyz", ""); return status == want })
	}
	ready(http.StatusOK)
	b.proxy.Fail(s3test.Fault{Do: s3test.Answer(403, "ExpiredToken", "The provided token has expired.")})
	ready(http.StatusServiceUnavailable)
	if status, _ := get(t, i.url+"/-/healthz", ""); status != http.StatusOK {
		t.Errorf("healthz: %d", status)
	}
	b.proxy.Fail()
	ready(http.StatusOK)
	i.terminate(t)
	if log := i.log.String(); !strings.Contains(log, "the credentials for http://localhost:") || strings.Contains(log, b.server.SecretAccessKey) {
		t.Errorf("the log:\n%s", log)
	}
	if _, err := os.Stat(filepath.Join(data, "storage")); !os.IsNotExist(err) {
		t.Errorf("the folder of local storage was made: %v", err)
	}
	info, err := os.Stat(filepath.Join(data, "db", "spool"))
	if err != nil || info.Mode() != os.ModeDir|0o700 {
		t.Errorf("the spool: %v, %v", info, err)
	}
}
