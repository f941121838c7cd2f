package main

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"gatehouse/cmd/gatehouse/clienttest"
	"gatehouse/githubauth/githubtest"
)

// process is a gatehouse in a process of its own, as "gatehouse serve" runs it: LevelDB and local files in a temporary folder, and a
// fake GitHub with the people of acme beside it.
type process struct {
	url    string // without the slash at its end
	github *githubtest.Fixture
	// oldActions is like github.ActionsWrites, in the shape of before 2026.
	oldActions string

	instance *instance
	data     string
	warns    string // every warning in the log has this, and there has to be one; "" if none may be there

	mu    sync.Mutex
	shown map[string]bool // the tokens that it showed to GitHub
}

var listensOn = regexp.MustCompile(`^gatehouse \S+ listens on \S+ \((127\.0\.0\.1:\d+)\)\n$`)

// startRegistry runs gatehouse with these flags besides those that every test needs. When the test ends so does it, and then it must
// have stopped in good order, failed at nothing, and written no token anywhere.
func startRegistry(t *testing.T, flags ...string) *process {
	t.Helper()
	clienttest.All(t) // what follows proves nothing without clients: where there are none, the test is skipped here
	p := &process{data: t.TempDir(), shown: map[string]bool{}}
	p.github = githubtest.Acme(githubtest.Observe(p.observe)).Start()
	t.Cleanup(p.github.Close)
	p.oldActions = p.github.Token(githubtest.Actions{Repo: "acme/ui", Contents: githubtest.Write}, githubtest.OldShape())

	always := []string{"--logger.level=debug", "--auth.github.oidc.issuer=" + p.github.OIDCIssuer(), "--auth.github.cache.path=" + filepath.Join(p.data, "github-cache")}
	p.instance = launch(t, self(t), p.data, p.github, append(always, flags...)...)
	p.url = p.instance.url
	t.Cleanup(func() { p.stop(t) })
	return p
}

func (p *process) observe(c githubtest.Call) {
	if c.Token == "" || c.Token == githubtest.Unknown {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.shown[c.Token] = true
}

// tokens returns those that clients came with.
func (p *process) tokens() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Collect(maps.Keys(p.shown))
}

// stop ends the registry as an operator does and looks at what it leaves.
func (p *process) stop(t *testing.T) {
	_ = p.instance.cmd.Process.Signal(syscall.SIGTERM) // it may have ended by itself
	said, err := io.ReadAll(p.instance.stdout)
	if err != nil {
		t.Error(err)
	}
	if err := p.instance.cmd.Wait(); err != nil {
		t.Errorf("gatehouse ended with: %v", err)
	}
	log := p.instance.log.String()
	if p.warns != "" {
		lines := strings.SplitAfter(log, "\n")
		expected := func(line string) bool { return strings.Contains(line, "level=WARN") && strings.Contains(line, p.warns) }
		if !slices.ContainsFunc(lines, expected) {
			t.Errorf("no warning that says %q is in the log", p.warns)
		}
		log = strings.Join(slices.DeleteFunc(lines, expected), "")
	}
	for _, failure := range []string{"level=ERROR", "level=WARN", "panic", "DATA RACE"} {
		if strings.Contains(log, failure) {
			t.Errorf("%q is in the log", failure)
		}
	}
	// Without these the search would find nothing whatever was written.
	if len(p.tokens()) == 0 || !strings.Contains(log, "msg=request") || !strings.Contains(string(said), "_authToken=") {
		t.Errorf("%d tokens came by; it printed %q and the log", len(p.tokens()), said)
	}
	p.noTokenIn(t, "its standard output", said)
	p.noTokenIn(t, "its log", []byte(log))
	err = filepath.WalkDir(p.data, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		p.noTokenIn(t, path, text)
		return err
	})
	if err != nil {
		t.Error(err)
	}
	if t.Failed() {
		t.Logf("the log of the registry:\n%s", log)
	}
}

// noTokenIn looks for tokens, for their parts, and for the way Basic credentials carry them.
func (p *process) noTokenIn(t *testing.T, where string, text []byte) {
	t.Helper()
	for _, token := range p.tokens() {
		for _, secret := range []string{token[:20], token[len(token)-20:], basic(token)} {
			if strings.Contains(string(text), secret) {
				t.Errorf("a token is in %s: %.16s…", where, token)
			}
		}
	}
}

// basic is a token as people put it into _auth: the password of anybody.
func basic(token string) string {
	return base64.StdEncoding.EncodeToString([]byte("anything:" + token))
}

// document is what the tests read of a packument.
type document struct {
	Tags     map[string]string `json:"dist-tags"`
	Versions map[string]struct {
		Dist struct{ Integrity, Shasum string }
	}
}

func (p *process) packument(t *testing.T, name string) (d document) {
	t.Helper()
	if err := json.Unmarshal(p.read(t, "/"+name), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// read is a GET of a path below the registry's address, as rita.
func (p *process) read(t *testing.T, path string) []byte {
	t.Helper()
	status, body := get(t, p.url+path, p.github.Rita)
	if status != http.StatusOK {
		t.Fatalf("GET %s: %d %s", path, status, body)
	}
	return body
}
