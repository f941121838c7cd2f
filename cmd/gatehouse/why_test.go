package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gatehouse/githubauth/githubtest"
	"gatehouse/server/gate"
	"gatehouse/store/packument/packumenttest"
)

// ask runs "gatehouse why" with a token.
func ask(t *testing.T, token string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	for _, name := range tokenVariables {
		t.Setenv(name, "")
	}
	t.Setenv(tokenVariables[0], token)
	var out, errs bytes.Buffer
	code = run(t.Context(), append([]string{"why"}, args...), &out, &errs)
	return code, out.String(), errs.String()
}

// TestWhyRefusals shows refusals as a user sees them: testdata/why.golden, which UPDATE_GOLDEN=1 writes anew.
func TestWhyRefusals(t *testing.T) {
	golden, err := filepath.Abs(filepath.Join("testdata", "why.golden"))
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir()) // no configuration of whoever runs the tests
	github := githubtest.Acme(githubtest.Seed(1)).Start()
	defer github.Close()
	r, _ := started(t, github, nil)
	p := packumenttest.Package{Name: "@acme/ui", Version: "1.0.0", Repository: "github:acme/ui"}
	if code := put(strings.TrimSuffix(r.local, "/")+p.Path(), github.Wendy, bytes.NewReader(p.Body())); code != http.StatusCreated {
		t.Fatalf("publishing: %d", code)
	}
	scopeless := github.Token(githubtest.Classic{User: "wendy", Scopes: []string{"public_repo"}}, githubtest.Label("wendypublic"))

	var got strings.Builder
	show := func(title, token string, want int, args ...string) {
		t.Helper()
		code, stdout, stderr := ask(t, token, append(args, "--registry", r.local)...)
		if code != want || stderr != "" {
			t.Errorf("%s: exit code %d, want %d; %s", title, code, want, stderr)
		}
		got.WriteString("== " + title + "\n\n$ gatehouse why " + strings.Join(args, " ") + "\n" + stdout + "\n")
	}
	show("a writer may", github.Wendy, 0, "@acme/ui", "publish")
	show("a reader may install", github.Rita, 0, "@acme/ui")
	show("the role is to read", github.Rita, 1, "@acme/ui", "publish")
	show("the token lacks the scope", scopeless, 1, "@acme/ui", "publish")
	show("a fine-grained token without write", github.WendyReads, 1, "@acme/ui", "publish")
	show("a workflow without write", github.ActionsReads, 1, "@acme/ui", "tag")
	show("somebody from whom it is hidden", github.Mallory, 1, "@acme/ui")
	show("somebody for whom it is missing", github.Mallory, 1, "@acme/no")
	show("nobody", "", 1, "@acme/ui", "publish")
	show("a writer gives the package away", github.Wendy, 1, "@acme/ui", "rebind")
	github.Archive("acme/ui", true)
	show("the repository is archived", github.Wendy, 1, "@acme/ui", "publish")
	github.Archive("acme/ui", false)
	github.Rename("acme/ui", "web")
	show("the repository was renamed", github.Wendy, 0, "@acme/ui", "publish")
	github.AddOrg("evil")
	github.Transfer("acme/web", "evil")
	github.Grant("wendy", "evil/web", githubtest.Push)
	show("the repository was transferred", github.Wendy, 1, "@acme/ui", "publish")

	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("what users see has changed; it is now\n%s", got.String())
	}

	// For programs.
	code, stdout, _ := ask(t, github.Wendy, "@acme/ui", "publish", "--json", "--registry", r.local)
	var w gate.Why
	if err := json.Unmarshal([]byte(stdout), &w); err != nil || code != 1 || w.Reason != "transferred" {
		t.Errorf("exit code %d, %v: %s", code, err, stdout)
	}
}

// TestWhyNotAsked: what is no answer is no verdict either.
func TestWhyNotAsked(t *testing.T) {
	t.Chdir(t.TempDir())
	var sent string
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { sent = r.Header.Get("Authorization") }))
	defer elsewhere.Close()
	answers := http.NewServeMux()
	other := httptest.NewServer(answers)
	defer other.Close()
	for path, h := range map[string]http.HandlerFunc{
		"/html/": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) },
		"/down/": func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, `{"error":"GitHub cannot be asked"}`, http.StatusServiceUnavailable)
		},
		"/notfound/": func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, `{"error":"Not found"}`, http.StatusNotFound)
		},
		"/away/": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, http.StatusFound) },
		"/terminal/": func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, `{"error":"\u001b[2Jcleared"}`, http.StatusServiceUnavailable)
		},
	} {
		answers.HandleFunc(path, h)
	}
	for name, args := range map[string][]string{
		"no package": {}, "too much": {"a", "publish", "c"}, "no such flag": {"a", "--as-who"}, "no address": {"a", "--registry", "npm.example.org"},
		"nobody there": {"a", "--registry", "http://127.0.0.1:1/"}, "a page": {"a", "--registry", other.URL + "/html"}, "down": {"a", "--registry", other.URL + "/down"},
		"no gatehouse": {"a", "--registry", other.URL + "/notfound"}, "a redirect": {"a", "--registry", other.URL + "/away"}, "a terminal's words": {"a", "--registry", other.URL + "/terminal"},
	} {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := ask(t, "ghp_secret", args...)
			if code != 2 || stdout != "" || !strings.HasPrefix(stderr, "gatehouse: ") || strings.ContainsAny(stderr, "\x1b") || strings.Contains(stderr, "ghp_secret") {
				t.Errorf("exit code %d, %q, %q", code, stdout, stderr)
			}
		})
	}
	if sent != "" {
		t.Error("the token followed a redirect to another server")
	}
}

// TestWhyAs: an operator asks about somebody without a token of theirs, of a registry that runs and of one that does not.
func TestWhyAs(t *testing.T) {
	t.Chdir(t.TempDir())
	github := githubtest.Acme(githubtest.Seed(1)).Start()
	defer github.Close()
	app := github.AddApp(githubtest.App{Slug: "gate"})
	github.Install("gate", "acme")
	file := filepath.Join(t.TempDir(), "app.pem")
	if err := os.WriteFile(file, app.PEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	data := t.TempDir()
	i := launch(t, self(t), data, github)
	fill(t, i, github.Wendy, "@acme/ui", "1.0.0")
	why := func(want int, args ...string) string {
		t.Helper()
		code, stdout, stderr := ask(t, "", append(args, "--auth.github.api_url="+github.APIURL(), "--auth.github.web_url="+github.URL(),
			"--metadata.leveldb.path="+filepath.Join(data, "db"), "--storage.local.path="+filepath.Join(data, "storage"))...)
		if code != want {
			t.Errorf("%v: exit code %d\n%s%s", args, code, stdout, stderr)
		}
		return stdout + stderr
	}
	if said := why(2, "@acme/ui", "--as", "rita"); !strings.Contains(said, "no credential of its own") || !strings.Contains(said, "auth.github.app.id") {
		t.Error(said)
	}
	i.terminate(t)

	// The commands beside a stopped registry read the same settings.
	t.Setenv("GATEHOUSE_AUTH__GITHUB__APP__ID", itoa(int(app.ID)))
	t.Setenv("GATEHOUSE_AUTH__GITHUB__APP__PRIVATE_KEY_FILE", file)
	check := func() {
		t.Helper()
		if said := why(0, "@acme/ui", "publish", "--as", "wendy"); !strings.Contains(said, "publish @acme/ui: YES (allowed)") || !strings.Contains(said, "This goes by the role alone") {
			t.Error(said)
		}
		if said := why(1, "@acme/ui", "publish", "--as", "rita"); !strings.Contains(said, "NO (role-too-low)") || !strings.Contains(said, "https://github.com/acme/ui/settings/access") {
			t.Error(said)
		}
		if said := why(1, "@acme/ui", "--as", "mallory"); !strings.Contains(said, "mallory cannot read the GitHub repository acme/ui") {
			t.Error(said)
		}
	}
	check()
	config := filepath.Join(t.TempDir(), "gatehouse.yaml")
	if err := os.WriteFile(config, []byte("auth.github.app:\n  id: \""+itoa(int(app.ID))+"\"\n  private_key: |\n    "+strings.ReplaceAll(strings.TrimSpace(string(app.PEM())), "\n", "\n    ")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	i = launch(t, self(t), data, github, "--config", config)
	check()
	i.terminate(t)
}

// TestWhySendsNoTokenInTheClear: an address elsewhere has to be https, as for "gatehouse bind".
func TestWhySendsNoTokenInTheClear(t *testing.T) {
	t.Chdir(t.TempDir())
	code, _, stderr := ask(t, "ghp_secret", "@acme/ui", "--registry", "http://npm.example.org/")
	if code != 2 || !strings.Contains(stderr, "--registry must be https") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}
