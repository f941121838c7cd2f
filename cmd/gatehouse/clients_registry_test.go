package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"

	"gatehouse/githubauth/githubtest"
)

// process is a gatehouse in a process of its own, as "gatehouse serve" runs it: LevelDB and local files in a temporary folder, and a
// fake GitHub with the people of acme beside it.
type process struct {
	url    string // without the slash at its end
	github *githubtest.Fixture
	// oldActions is like github.ActionsWrites, in the shape of before 2026.
	oldActions string

	cmd            *exec.Cmd
	data           string
	stdout, stderr bytes.Buffer // not to be read before stop
	copied         chan error

	mu     sync.Mutex
	tokens map[string]bool // those that it showed to GitHub
}

var listensOn = regexp.MustCompile(`^gatehouse \S+ listens on \S+ \((127\.0\.0\.1:\d+)\)\n$`)

// startRegistry runs gatehouse with these flags besides those that every test needs. When the test ends so does it, and then it must
// have stopped in good order, failed at nothing, and written no token anywhere.
func startRegistry(t *testing.T, flags ...string) *process {
	t.Helper()
	p := &process{data: t.TempDir(), copied: make(chan error, 1), tokens: map[string]bool{}}
	p.github = githubtest.Acme(githubtest.Observe(p.observe)).Start()
	t.Cleanup(p.github.Close)
	p.oldActions = p.github.Token(githubtest.Actions{Repo: "acme/ui", Contents: githubtest.Write}, githubtest.OldShape())

	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p.cmd = exec.Command(self, append([]string{
		"serve", "--server.host", "127.0.0.1", "--server.port", "0", "--logger.level", "debug",
		"--auth.github.api_url", p.github.APIURL(), "--auth.github.web_url", p.github.URL(), "--auth.github.orgs", "acme",
		"--auth.github.cache.path", filepath.Join(p.data, "github-cache"),
		"--metadata.leveldb.path", filepath.Join(p.data, "db"), "--storage.local.path", filepath.Join(p.data, "storage"),
	}, flags...)...)
	p.cmd.Dir, p.cmd.Env = t.TempDir(), []string{asGatehouse + "=1"} // nothing of the machine's own configuration
	p.cmd.Stderr = &p.stderr
	stdout, err := p.cmd.StdoutPipe()
	if err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	first := bufio.NewReader(stdout)
	line, err := first.ReadString('\n')
	go func() {
		p.stdout.WriteString(line)
		_, err := io.Copy(&p.stdout, first)
		p.copied <- err
	}()
	t.Cleanup(func() { p.stop(t) })
	address := listensOn.FindStringSubmatch(line)
	if address == nil {
		t.Fatalf("gatehouse says first (%v): %q", err, line)
	}
	p.url = "http://" + address[1]
	return p
}

func (p *process) observe(c githubtest.Call) {
	if c.Token == "" || c.Token == githubtest.Unknown {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tokens[c.Token] = true
}

// stop ends the registry as an operator does and looks at what it leaves.
func (p *process) stop(t *testing.T) {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended by itself
	copied := <-p.copied
	if err := p.cmd.Wait(); err != nil || copied != nil {
		t.Errorf("gatehouse ended with: %v, its output with: %v", err, copied)
	}
	log := p.stderr.String()
	for _, failure := range []string{"level=ERROR", "level=WARN", "panic", "DATA RACE"} {
		if strings.Contains(log, failure) {
			t.Errorf("%q is in the log", failure)
		}
	}
	// Without these the rest would prove nothing.
	if !strings.Contains(log, "msg=request") || len(p.tokens) == 0 {
		t.Errorf("the log has no request in it, or no token was used (%d)", len(p.tokens))
	}
	p.noSecretIn(t, "its standard output", p.stdout.String())
	p.noSecretIn(t, "its log", log)
	err := filepath.WalkDir(p.data, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		p.noSecretIn(t, path, string(text))
		return err
	})
	if err != nil {
		t.Error(err)
	}
	if t.Failed() {
		t.Logf("the log of the registry:\n%s", log)
	}
}

// noSecretIn looks for tokens as they are and as Basic credentials carry them.
func (p *process) noSecretIn(t *testing.T, where, text string) {
	t.Helper()
	for token := range p.tokens {
		// A part of a token is one too.
		for _, secret := range []string{token[:20], token[len(token)-20:], basic(token)} {
			if strings.Contains(text, secret) {
				t.Errorf("a token is in %s: %.12s…", where, token)
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
		Dist struct{ Tarball, Integrity, Shasum string }
	}
}

func (p *process) packument(t *testing.T, name string) (d document) {
	t.Helper()
	if err := json.Unmarshal(p.get(t, p.url+"/"+name), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// get reads an address as rita.
func (p *process) get(t *testing.T, address string) []byte {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+p.github.Rita)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %s, %v: %s", address, response.Status, err, body)
	}
	return body
}
