package main

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"gatehouse/githubauth/githubtest"
)

// bind runs "gatehouse bind" with a token in the environment, and returns what it says and its exit code.
func bind(t *testing.T, token string, args ...string) (string, int) {
	t.Helper()
	return runGatehouse(t, token, append([]string{"bind"}, args...)...)
}

// runGatehouse runs a command in the same way.
func runGatehouse(t *testing.T, token string, args ...string) (string, int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, self(t), args...)
	cmd.Env, cmd.Dir = []string{asGatehouse + "=1"}, t.TempDir()
	if token != "" {
		cmd.Env = append(cmd.Env, "GITHUB_TOKEN="+token)
	}
	out, err := cmd.CombinedOutput()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if token != "" && strings.Contains(string(out), token) {
		t.Errorf("the token is printed:\n%s", out)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

func TestBind(t *testing.T) {
	t.Parallel()
	github := githubtest.Acme().Start()
	defer github.Close()
	github.AddOrg("evil")
	web, api := github.AddRepo("acme/web", githubtest.Private), github.Repo("acme/api")
	evil := github.AddRepo("evil/ui", githubtest.Private)
	data := t.TempDir()
	i := launch(t, self(t), data, github)
	fill(t, i, github.Wendy, "@acme/ui", "1.0.0")

	expect := func(token string, code int, says string, args ...string) {
		t.Helper()
		out, got := bind(t, token, args...)
		if got != code || !regexp.MustCompile(says).MatchString(out) {
			t.Errorf("gatehouse bind %s: exit code %d, want %d, and it should say %s:\n%s", strings.Join(args, " "), got, code, says, out)
		}
	}
	reads := func(status int) {
		t.Helper()
		if got, body := get(t, i.url+"/-/package/@acme%2fui/binding", github.Ada); got != status {
			t.Errorf("status %d: %s", got, body)
		}
	}

	// As an admin, from anywhere.
	there := []string{"--registry", i.url}
	expect(github.Wendy, 1, `wendy may not rebind @acme/ui: that takes "admin" on the GitHub repository acme/ui`, append(there, "@acme/ui", "acme/web")...)
	expect("", 1, `no token: set GATEHOUSE_TOKEN or GITHUB_TOKEN`, append(there, "@acme/ui", "acme/web")...)
	expect(github.Ada, 1, `for an operator`, append(there, "--other-owner", "@acme/ui", "acme/web")...)
	expect(github.Ada, 1, `must be https`, "--registry", "http://npm.example.org", "@acme/ui", "acme/web")
	expect(github.Ada, 1, `is not the name of a package`, append(there, "@acme", "acme/web")...)
	expect(github.Ada, 0, `^@acme/ui is bound to acme/web \(`+strconv.FormatInt(web.ID, 10)+`\)\.\n$`, append(there, "@acme/ui", "acme/web")...)

	// As the operator, of a registry that runs and of one that does not; its repository may be gone.
	github.DeleteRepo("acme/web")
	onHost := append(onData(data), "--auth.github.api_url="+github.APIURL(), "--auth.github.web_url="+github.URL())
	expect("", 1, `no token to ask with`, append(onHost, "@acme/ui", "acme/api")...)
	expect(github.Rita, 1, `GitHub shows this token no repository acme/nothing`, append(onHost, "@acme/ui", "acme/nothing")...)
	expect(github.Rita, 1, `there is no package @acme/no`, append(onHost, "@acme/no", "acme/api")...)
	expect(github.Rita, 1, `belong together`, append(onHost, "@acme/ui", "acme/api", "--repository-id=1")...)
	expect(github.Rita, 0, `@acme/ui is bound to acme/api \(\d+\), and was bound to acme/web \(\d+\)`, append(onHost, "@acme/ui", "acme/api")...)
	reads(http.StatusOK)
	numbers := []string{"--repository-id", strconv.FormatInt(evil.ID, 10), "--owner-id", strconv.FormatInt(evil.OwnerID, 10)}
	expect("", 1, `the namespace @acme stands for the GitHub account with the number \d+, and evil/ui belongs to`, append(append(onHost, "@acme/ui", "evil/ui"), numbers...)...)
	expect("", 0, `@acme/ui is bound to evil/ui`, append(append(onHost, "@acme/ui", "evil/ui", "--other-owner"), numbers...)...)
	i.terminate(t)
	expect("", 0, `@acme/ui is bound to acme/api \(\d+\), and was bound to evil/ui`, append(onHost, "@acme/ui", "acme/api",
		"--repository-id", strconv.FormatInt(api.ID, 10), "--owner-id", strconv.FormatInt(api.OwnerID, 10))...)
	expect("", 1, `there is no registry here.*named with --registry`, "@acme/ui", "acme/api", "--repository-id=1", "--owner-id=1")
	i = launch(t, self(t), data, github)
	reads(http.StatusOK)
	i.terminate(t)
}

// TestBindKeepsTheToken: a registry that sends the command elsewhere does not get the token there.
func TestBindKeepsTheToken(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("asked for %s with %d headers of authorization", r.URL, len(r.Header.Values("Authorization")))
	}))
	defer elsewhere.Close()
	registry := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	defer registry.Close()
	if out, code := bind(t, "ghp_secret", "@acme/ui", "acme/ui", "--registry", registry.URL); code != 1 || !strings.Contains(out, "does not answer as gatehouse does (status 307)") {
		t.Errorf("%d: %s", code, out)
	}
}
