package server_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/githubauth"
	"gatehouse/githubauth/githubtest"
	"gatehouse/scopes"
	"gatehouse/server"
	"gatehouse/server/gate"
	"gatehouse/server/npm"
	"gatehouse/server/people"
	"gatehouse/store"
	"gatehouse/store/memory"
	"gatehouse/store/packument/packumenttest"
)

// target is a registry with a package for each of some repositories of acme's, whose knowledge of GitHub the test can let age.
type target struct {
	*site
	later atomic.Int64
}

func newTarget(t *testing.T, change func(*githubauth.Options)) *target {
	t.Helper()
	s := &target{site: &site{github: githubtest.Acme(githubtest.Seed(1)).Start(), log: &lockedBuffer{}}}
	t.Cleanup(s.github.Close)
	packages, err := store.Open(t.Context(), memory.NewKV(), memory.NewBlob(), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	o := githubauth.Options{
		APIURL: s.github.APIURL(), WebURL: s.github.URL(), Stale: 15 * time.Minute,
		Now:        func() time.Time { return time.Now().Add(time.Duration(s.later.Load())) },
		Neighbours: func(ctx context.Context, repo scopes.Repo) []scopes.Repo { return packages.Neighbours(ctx, repo, 500) },
	}
	if change != nil {
		change(&o)
	}
	facts, err := githubauth.New(o)
	if err != nil {
		t.Fatal(err)
	}
	s.Handler = server.New(server.Options{
		NPM: npm.Options{
			Registry: packages, Gate: gate.New(facts, scopes.Namespaces{Host: "github.com", Owners: []string{"acme"}, ToAll: true}),
			MaxPublish: 1 << 20, Spool: t.TempDir(), MailDomain: "users.noreply.github.com",
		},
		People: people.Options{Registry: packages},
		Log:    slog.New(slog.NewJSONHandler(s.log, nil)),
	})
	return s
}

func (s *target) pass(d time.Duration) { s.later.Add(int64(d)) }

// holds publishes a package of the repository's name.
func (s *target) holds(t *testing.T, repo string) {
	t.Helper()
	_, name, _ := strings.Cut(repo, "/")
	p := packumenttest.Package{Name: "@acme/" + name, Version: "1.0.0", Repository: "github:" + repo}
	if w := s.do(http.MethodPut, p.Path(), s.github.Ada, string(p.Body())); w.Code != http.StatusCreated {
		t.Fatalf("publishing: %d %s", w.Code, w.Body)
	}
}

// TestAStrangersListDoesNotTakePublicPackagesAway: who may read nothing can have every repository of the registry looked at, and that must not use up
// the few calls by which it learns what is public.
func TestAStrangersListDoesNotTakePublicPackagesAway(t *testing.T) {
	s := newTarget(t, func(o *githubauth.Options) { o.Stale = 0 })
	for i := range 30 {
		s.github.AddRepo(fmt.Sprintf("acme/r%d", i), githubtest.Private)
		s.holds(t, fmt.Sprintf("acme/r%d", i))
	}
	s.holds(t, "acme/open")
	s.pass(10 * time.Minute)
	s.github.ResetCounts()
	for _, list := range []string{"/-/user/mallory/package", "/-/user/acme/package", "/-/org/acme/package"} {
		if w := s.do(http.MethodGet, list, s.github.Mallory, ""); w.Code != http.StatusOK || strings.Contains(w.Body.String(), "acme/r") {
			t.Fatalf("%s: %d %s", list, w.Code, w.Body)
		}
	}
	if n := s.github.Counts().By("").Total(); n > 0 {
		t.Errorf("the registry spent %d of its calls on a stranger's list", n)
	}
	s.pass(2 * time.Minute)
	if w := s.do(http.MethodGet, "/@acme%2fopen", "", ""); w.Code != http.StatusOK {
		t.Errorf("a public package: %d %s", w.Code, w.Body)
	}
}

// TestRateLimitsDoNotTellHiddenFromMissing: anybody can use up their own hour of GitHub's REST, while GraphQL has another; what a hidden package and a missing
// one are asked by must fail alike.
func TestRateLimitsDoNotTellHiddenFromMissing(t *testing.T) {
	s := newTarget(t, nil)
	s.holds(t, "acme/ui")
	for what, fault := range map[string]githubtest.Fault{"REST used up": restUsedUp, "GraphQL down": func(w http.ResponseWriter, r *http.Request) bool {
		return strings.HasSuffix(r.URL.Path, "/graphql") && githubtest.Status(502)(w, r)
	}} {
		token := s.github.Token(githubtest.Classic{User: "mallory", Scopes: []string{"repo"}})
		if w := s.do(http.MethodGet, "/-/whoami", token, ""); w.Code != http.StatusOK {
			t.Fatal(w.Code, w.Body)
		}
		s.pass(20 * time.Second)
		heal := s.github.Fail("", fault)
		for range 2 {
			hidden, missing := s.do(http.MethodGet, "/@acme%2fui", token, ""), s.do(http.MethodGet, "/@acme%2fno", token, "")
			if a, b := hidden.Body.String(), strings.ReplaceAll(missing.Body.String(), "@acme/no", "@acme/ui"); hidden.Code != missing.Code || a != b {
				t.Errorf("%s: %d %s\n%d %s", what, hidden.Code, a, missing.Code, b)
			}
		}
		heal()
	}
}

// TestWhyTellsNobodyToBringAToken: of a public package nobody is told that it is not there because they may not publish it.
func TestWhyTellsNobodyToBringAToken(t *testing.T) {
	s := newTarget(t, nil)
	s.holds(t, "acme/open")
	if w := s.do(http.MethodGet, "/-/why/@acme%2fopen/publish", "", ""); w.Code != http.StatusUnauthorized {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := s.do(http.MethodGet, "/-/why/@acme%2fopen/install", "", ""); w.Code != http.StatusOK {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// TestRateLimitsDoNotTellHiddenFromMissingToWorkflows: a workflow's token is confirmed by GraphQL, and whether it may publish is asked by REST.
func TestRateLimitsDoNotTellHiddenFromMissingToWorkflows(t *testing.T) {
	s := newTarget(t, nil)
	s.holds(t, "acme/api")
	token := s.github.ActionsWrites
	document := func(name string) string { return `{"_id":"` + name + `","name":"` + name + `","versions":{}}` }
	for range 2 {
		if w := s.do(http.MethodGet, "/-/whoami", token, ""); w.Code != http.StatusOK {
			t.Fatal(w.Code, w.Body)
		}
		s.pass(20 * time.Second)
		for _, ask := range []struct{ method, path, body string }{
			{http.MethodGet, "/@acme%2fNAME", ""}, {http.MethodPut, "/@acme%2fNAME", document("@acme/NAME")}, {http.MethodDelete, "/@acme%2fNAME/-rev/1", ""},
		} {
			as := func(name string) (int, string) {
				named := func(s string) string { return strings.ReplaceAll(s, "NAME", name) }
				w := s.do(ask.method, named(ask.path), token, named(ask.body))
				return w.Code, strings.ReplaceAll(w.Body.String(), name, "NAME")
			}
			hidden, a := as("api")
			missing, b := as("nix")
			if hidden != missing || a != b {
				t.Errorf("%s: %d %s\n%d %s", ask.method, hidden, a, missing, b)
			}
		}
		s.github.Fail("", restUsedUp)
	}
}

// restUsedUp is GitHub for somebody who has no more calls of REST for an hour, while GraphQL has its own.
func restUsedUp(w http.ResponseWriter, r *http.Request) bool {
	if strings.HasSuffix(r.URL.Path, "/graphql") {
		return false
	}
	w.Header().Set("X-RateLimit-Remaining", "0")
	w.Header().Set("X-RateLimit-Reset", fmt.Sprint(time.Now().Add(time.Hour).Unix()))
	w.WriteHeader(http.StatusForbidden)
	return true
}
