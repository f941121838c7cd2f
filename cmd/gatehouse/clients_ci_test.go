package main

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gatehouse/cmd/gatehouse/clienttest"
	"gatehouse/githubauth/githubtest"
	"gatehouse/store/packument/packumenttest"
)

// startBelow runs a registry behind a proxy, below a path of a public address.
func startBelow(t *testing.T) *process {
	t.Helper()
	var proxy http.Handler
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { proxy.ServeHTTP(w, r) }))
	t.Cleanup(front.Close)
	at := startRegistry(t, "--server.url="+front.URL+"/npm/")
	behind, err := url.Parse(at.url)
	if err != nil {
		t.Fatal(err)
	}
	proxy = httputil.NewSingleHostReverseProxy(behind)
	at.url = front.URL + "/npm"
	return at
}

// job is a user without any token in the environment of a job that begins now.
func (c cell) job(t *testing.T, job githubtest.Job) *clienttest.User {
	t.Helper()
	// Below a path npm sends its ID token only where the registry is that of all names: it asks at the root of the host, and knows no token for there.
	u := c.User(t, clienttest.Setup{Registry: c.at.url, Scopes: []string{"@acme"}, Global: true})
	u.Env = append(environment(c.at.github.ActionsEnv(job)), "YARN_ENABLE_IMMUTABLE_INSTALLS=false") // the library has no lock file
	return u
}

func environment(variables map[string]string) []string {
	var env []string
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		env = append(env, name+"="+variables[name])
	}
	return env
}

// Every client that knows ID tokens publishes from a job without a token: the first time, and again.
func TestClientsPublishFromActions(t *testing.T) {
	at := startBelow(t)
	for _, name := range []string{"npm-11", "npm-12", "pnpm-12", "yarn-4"} {
		t.Run(name, func(t *testing.T) {
			c := cell{clienttest.Named(t, name), at, nil}
			pkg := c.name("from-ci")
			for _, version := range []string{"1.0.0", "1.1.0"} {
				r := c.job(t, githubtest.Job{Repo: "acme/ui"}).Publish(library(t, pkg, version, "1"), "latest")
				t.Logf("$ %s publish %s@%s, in a job of acme/ui without a token\n%s", name, pkg, version, strings.TrimSpace(r.Output))
				r.Must(t)
			}
			if d := at.packument(t, pkg); d.Tags["latest"] != "1.1.0" || len(d.Versions) != 2 {
				t.Errorf("%+v", d)
			}
			if name == "npm-12" {
				c.job(t, githubtest.Job{Repo: "acme/ui"}).DistTagAdd(pkg, "1.0.0", "old").Must(t)
				if d := at.packument(t, pkg); d.Tags["old"] != "1.0.0" {
					t.Errorf("%+v", d)
				}
			}
			r := c.job(t, githubtest.Job{Repo: "acme/api"}).Publish(library(t, pkg, "1.2.0", "1"), "latest")
			r.MustFail(t)
			if d := at.packument(t, pkg); len(d.Versions) != 2 {
				t.Errorf("%+v", d)
			}
		})
	}
}

// TestActionsRefused is what npm says of the variations that have to be refused.
func TestActionsRefused(t *testing.T) {
	at := startRegistry(t, "--auth.github.oidc.audience=npm:127.0.0.1")
	github := at.github
	github.AddOrg("evil")
	github.AddRepo("evil/ui", githubtest.Private)
	at.publish(t, "@acme/ui", "1.0.0")
	c := cell{clienttest.Named(t, "npm-11"), at, nil}
	exchange := regexp.MustCompile(`(?m)^npm verbose oidc .*$`)
	attempt := func(what, says string, u *clienttest.User) {
		t.Helper()
		r := u.Run(library(t, "@acme/ui", "2.0.0", "1"), "publish", "--loglevel=verbose", "--registry="+at.url)
		t.Logf("%s: $ npm publish\n%s\n%s", what, strings.Join(exchange.FindAllString(r.Output, -1), "\n"), lastLines(r.Output, "npm error "))
		r.MustFail(t)
		if !strings.Contains(strings.Join(exchange.FindAllString(r.Output, -1), "\n"), says) {
			t.Errorf("%s: it does not say %q:\n%v", what, says, r)
		}
	}
	with := func(token string) *clienttest.User {
		u := c.job(t, githubtest.Job{Repo: "acme/ui"})
		u.Env = append(u.Env, "NPM_ID_TOKEN="+token)
		return u
	}
	attempt("a fork", "a workflow of evil/ui may not publish @acme/ui", c.job(t, githubtest.Job{Repo: "evil/ui"}))
	attempt("a pull request", `it was started by the event "pull_request"`, c.job(t, githubtest.Job{Repo: "acme/ui", Event: "pull_request"}))
	attempt("pull_request_target", `it was started by the event "pull_request_target"`, c.job(t, githubtest.Job{Repo: "acme/ui", Event: "pull_request_target"}))
	attempt("another repository", "a workflow of acme/api may not publish @acme/ui", c.job(t, githubtest.Job{Repo: "acme/api"}))
	attempt("another audience", "its audience has to be npm:127.0.0.1", with(github.IDToken(githubtest.Job{Repo: "acme/ui"}, "npm:registry.example.com")))
	used := github.IDToken(githubtest.Job{Repo: "acme/ui"}, "npm:127.0.0.1")
	req, _ := http.NewRequest(http.MethodPost, at.url+"/-/npm/v1/oidc/token/exchange/package/@acme%2fui", nil)
	req.Header.Set("Authorization", "Bearer "+used)
	resp, err := http.DefaultClient.Do(req)
	if err != nil || resp.StatusCode != http.StatusCreated {
		t.Fatal(resp, err)
	}
	_ = resp.Body.Close()
	attempt("a replay", "this ID token has been used", with(used))
	github.Rename("acme/ui", "web")
	github.AddRepo("acme/ui", githubtest.Private)
	attempt("a repository that took the name of one that was renamed", "a workflow of acme/ui may not publish @acme/ui", c.job(t, githubtest.Job{Repo: "acme/ui"}))
}

func lastLines(text, prefix string) string {
	var found []string
	for line := range strings.SplitSeq(text, "\n") {
		if strings.HasPrefix(line, prefix) && !strings.Contains(line, "log of this run") {
			found = append(found, line)
		}
	}
	return strings.Join(found, "\n")
}

// TestActionInstalls runs the action's script as a job does, and has clients install with what it left.
func TestActionInstalls(t *testing.T) {
	at := startBelow(t)
	script, err := filepath.Abs(filepath.Join("..", "..", ".github", "actions", "gatehouse-token", "token.sh"))
	if err != nil {
		t.Fatal(err)
	}
	c := cell{clienttest.Named(t, "npm-11"), at, nil}
	at.publish(t, "@acme/ui", "1.0.0")
	api := packumenttest.Package{Name: "@acme/api", Version: "1.0.0", Repository: "github:acme/api"}
	if status, body := at.ask(t, http.MethodPut, api.Path(), at.github.Wendy, "", api.Body()); status != http.StatusCreated {
		t.Fatalf("%d %s", status, body)
	}
	run := func(u *clienttest.User, variables map[string]string, more ...string) (string, error) {
		t.Helper()
		outputs := filepath.Join(u.Home, "github-env")
		cmd := exec.Command(script)
		cmd.Env = append(environment(variables), "PATH=/usr/local/bin:/usr/bin:/bin", "HOME="+u.Home, "GITHUB_ENV="+outputs, "GITHUB_OUTPUT="+filepath.Join(u.Home, "github-output"),
			"GATEHOUSE_REGISTRY="+at.url, "GATEHOUSE_SCOPES=@acme")
		cmd.Env = append(cmd.Env, more...)
		out, err := cmd.CombinedOutput()
		left, _ := os.ReadFile(outputs)
		for line := range strings.Lines(string(left)) {
			u.Env = append(u.Env, strings.TrimSpace(line))
			_, token, _ := strings.Cut(strings.TrimSpace(line), "=")
			at.mu.Lock()
			at.shown[token] = true
			at.mu.Unlock()
		}
		return string(out), err
	}
	fresh := func() *clienttest.User {
		u := c.user(t, "")
		if err := os.Remove(filepath.Join(u.Home, ".npmrc")); err != nil {
			t.Fatal(err)
		}
		return u
	}

	u := fresh()
	if err := os.WriteFile(filepath.Join(u.Home, ".npmrc"), []byte("fund=false"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := run(u, at.github.ActionsEnv(githubtest.Job{Repo: "acme/ui", Event: "pull_request"}))
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	mask := regexp.MustCompile(`(?m)^::add-mask::(\S{12})\S+$`)
	if len(mask.FindAllString(out, -1)) != 2 || regexp.MustCompile(`(gth_|eyJ)\S{20}`).MatchString(strings.ReplaceAll(mask.ReplaceAllString(out, ""), "\n", " ")) {
		t.Errorf("a secret is printed, or not masked:\n%s", mask.ReplaceAllString(out, "::add-mask::$1…"))
	}
	npmrc, _ := os.ReadFile(filepath.Join(u.Home, ".npmrc"))
	t.Logf("the action prints\n%sand .npmrc is\n%s", mask.ReplaceAllString(out, "::add-mask::$1…"), npmrc)
	if !strings.HasPrefix(string(npmrc), "fund=false\n") || strings.Contains(string(npmrc), "gth_") {
		t.Errorf("%s", npmrc)
	}
	app := application(t, "@acme/ui", "1.0.0")
	r := u.Run(app, "install")
	t.Logf("$ npm install\n%s", r.Output)
	r.Must(t)
	if got := clienttest.Installed(t, app, "@acme/ui"); got != "1.0.0" {
		t.Errorf("installed %q", got)
	}
	// Another repository's, until it is admitted.
	other := application(t, "@acme/api", "1.0.0")
	u.Run(other, "install").MustFail(t, "@acme/api is not in this registry, or a workflow of acme/ui cannot read its GitHub repository with this token")
	admitted, code := runGatehouse(t, at.github.Ada, "admit", "@acme/api", "acme/ui", "--registry", at.url)
	if code != 0 {
		t.Fatal(admitted)
	}
	t.Logf("$ gatehouse admit @acme/api acme/ui\n%s", admitted)
	u.Run(other, "install").Must(t)
	if got := clienttest.Installed(t, other, "@acme/api"); got != "1.0.0" {
		t.Errorf("installed %q", got)
	}

	// What can be wrong is said.
	none := at.github.ActionsEnv(githubtest.Job{Repo: "acme/ui"})
	delete(none, "ACTIONS_ID_TOKEN_REQUEST_TOKEN")
	for _, wrong := range []struct {
		says      string
		variables map[string]string
		more      []string
	}{
		{`permissions: id-token: write`, none, nil},
		{`must be https`, at.github.ActionsEnv(githubtest.Job{Repo: "acme/ui"}), []string{"GATEHOUSE_REGISTRY=http://npm.example.org/"}},
		{`must be an address`, at.github.ActionsEnv(githubtest.Job{Repo: "acme/ui"}), []string{"GATEHOUSE_REGISTRY=https://a@b/"}},
		{`its audience has to be`, at.github.ActionsEnv(githubtest.Job{Repo: "acme/ui"}), []string{"GATEHOUSE_AUDIENCE=npm:elsewhere"}},
		{`it was started by the event`, at.github.ActionsEnv(githubtest.Job{Repo: "acme/ui", Event: "pull_request_target"}), nil},
	} {
		u := fresh()
		out, err := run(u, wrong.variables, wrong.more...)
		if err == nil || !strings.Contains(out, "::error::") || !strings.Contains(out, wrong.says) {
			t.Errorf("it does not say %q: %v\n%s", wrong.says, err, out)
		}
		if _, err := os.Stat(filepath.Join(u.Home, ".npmrc")); err == nil {
			t.Errorf("%s: .npmrc was written all the same", wrong.says)
		}
	}
}

// TestClientsTrust is npm trust as an admin types it.
func TestClientsTrust(t *testing.T) {
	for _, name := range []string{"npm-11", "npm-12"} {
		t.Run(name, func(t *testing.T) {
			at := startRegistry(t, "--auth.github.oidc.audience=npm:127.0.0.1")
			c := cell{clienttest.Named(t, name), at, nil}
			at.publish(t, "@acme/ui", "1.0.0")
			ada, wendy := c.user(t, at.github.Ada), c.user(t, at.github.Wendy)
			trust := func(u *clienttest.User, args ...string) clienttest.Result {
				r := u.Run(u.Home, append(append([]string{"trust"}, args...), "--registry="+at.url+"/")...)
				t.Logf("$ npm trust %s\n%s", strings.Join(args, " "), strings.TrimSpace(r.Output))
				return r
			}
			github := []string{"github", "@acme/ui", "--repository=acme/ui", "--file=publish.yml", "--environment=npm", "--allow-publish", "--yes"}
			trust(wendy, github...).MustFail(t, `wendy may not manage @acme/ui: that takes "admin"`)
			trust(ada, "list", "@acme/ui").Must(t)
			trust(ada, github...).Must(t)
			trust(ada, "github", "@acme/ui", "--repository=acme/api", "--file=publish.yml", "--allow-publish", "--yes").MustFail(t, "is bound to the GitHub repository acme/ui")
			trust(ada, "github", "@acme/ui", "--repository=acme/ui", "--file=publish.yml", "--allow-stage-publish", "--yes").MustFail(t, "nothing is staged in this registry")
			trust(ada, "gitlab", "@acme/ui", "--project=acme/ui", "--file=.gitlab-ci.yml", "--allow-publish", "--yes").MustFail(t, "it trusts workflows of GitHub Actions only")
			r := trust(ada, "list", "@acme/ui").Must(t)
			id := regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}`).FindString(r.Output)
			if !strings.Contains(r.Output, "publish.yml") || !strings.Contains(r.Output, "npm") || id == "" {
				t.Fatalf("%v", r)
			}
			c.job(t, githubtest.Job{Repo: "acme/ui"}).Publish(library(t, "@acme/ui", "1.1.0", "1"), "latest").MustFail(t)
			c.job(t, githubtest.Job{Repo: "acme/ui", Workflow: "publish.yml", Environment: "npm"}).Publish(library(t, "@acme/ui", "1.1.0", "1"), "latest").Must(t)
			trust(ada, "revoke", "@acme/ui", "--id="+id).Must(t)
			c.job(t, githubtest.Job{Repo: "acme/ui"}).Publish(library(t, "@acme/ui", "1.2.0", "1"), "latest").Must(t)
		})
	}
}
