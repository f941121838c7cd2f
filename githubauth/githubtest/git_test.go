package githubtest

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

func TestGitAnswers(t *testing.T) {
	f := started(t)
	r := f.git(t, "git-receive-pack", "Acme/UI", f.Wendy)
	if r.Header.Get("Content-Type") != "application/x-git-receive-pack-advertisement" ||
		!strings.HasPrefix(string(r.body), "001f# service=git-receive-pack\n0000") || !strings.HasSuffix(string(r.body), "0000") {
		t.Errorf("%d %v %s", r.StatusCode, r.Header, r.body)
	}
	r = f.git(t, "git-upload-pack", "acme/ui", "")
	if r.StatusCode != 401 || r.Header.Get("WWW-Authenticate") != `Basic realm="GitHub"` {
		t.Errorf("anonymous: %d %v", r.StatusCode, r.Header)
	}
	if r := f.git(t, "git-upload-pack", "acme/nothing", ""); r.StatusCode != 401 {
		t.Errorf("anonymous, no repository: %d", r.StatusCode)
	}
	if r := f.git(t, "git-upload-pack", "acme/nothing", f.Wendy); r.StatusCode != 404 || r.Header.Get("WWW-Authenticate") != "" {
		t.Errorf("no repository: %d", r.StatusCode)
	}
	if r := f.git(t, "git-frobnicate", "acme/ui", f.Wendy); r.StatusCode != 403 {
		t.Errorf("unknown service: %d", r.StatusCode)
	}
}

// TestRealGit has git itself judge the answers: ls-remote is R2, push --dry-run is W1 (github.md §1.4).
func TestRealGit(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	f := started(t)
	dir := t.TempDir()
	git := func(args ...string) (string, error) {
		cmd := exec.Command("git", append([]string{"-c", "credential.helper=", "-c", "user.name=t", "-c", "user.email=t@example.com"}, args...)...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GIT_TERMINAL_PROMPT=0", "GIT_ASKPASS=", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1", "LC_ALL=C")
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	for _, args := range [][]string{{"init", "-q"}, {"commit", "-q", "--allow-empty", "-m", "x"}} {
		if out, err := git(args...); err != nil {
			t.Fatal(out)
		}
	}
	url := func(token, name string) string {
		return strings.Replace(f.URL(), "http://", "http://x-access-token:"+token+"@", 1) + "/" + name + ".git"
	}
	for _, c := range []struct {
		who, token, name string
		reads, writes    bool
	}{
		{"wendy", f.Wendy, "acme/ui", true, true},
		{"rita", f.Rita, "acme/ui", true, false},
		{"mallory", f.Mallory, "acme/ui", false, false},
		{"wendy's narrow token", f.WendyReads, "acme/ui", true, false},
		{"workflow, read", f.ActionsReads, "acme/ui", true, false},
		{"workflow, write", f.ActionsWrites, "acme/ui", true, true},
		{"nonsense", "nonsense", "acme/open", true, false}, // git tries without a credential first
	} {
		out, err := git("ls-remote", url(c.token, c.name))
		if (err == nil) != c.reads || c.reads && !strings.Contains(out, "refs/heads/main") {
			t.Errorf("%s: ls-remote: %v\n%s", c.who, err, out)
		}
		if out, err := git("push", "--dry-run", url(c.token, c.name), "HEAD:refs/heads/topic"); (err == nil) != c.writes {
			t.Errorf("%s: push --dry-run: %v\n%s", c.who, err, out)
		}
	}
	f.Rename("acme/ui", "widgets")
	if out, err := git("ls-remote", url(f.Wendy, "acme/ui")); err != nil || !strings.Contains(out, "redirecting to") {
		t.Errorf("renamed: %v\n%s", err, out)
	}
	f.SetEmpty("acme/widgets", true)
	if out, err := git("ls-remote", url(f.Wendy, "acme/widgets")); err != nil || out != "" {
		t.Errorf("empty: %v\n%s", err, out)
	}
}
