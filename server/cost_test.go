package server_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"

	"gatehouse/githubauth"
	"gatehouse/githubauth/githubtest"
	"gatehouse/scopes"
	"gatehouse/server"
	"gatehouse/server/gate"
	"gatehouse/store"
	"gatehouse/store/memory"
	"gatehouse/store/packument/packumenttest"
	"gatehouse/store/storetest"
)

// full is a registry with 300 packages of 200 private repositories, @acme/p0 and so on, that wendy and rita may read.
func full(t *testing.T) *site {
	t.Helper()
	packages, err := store.Open(t.Context(), memory.NewKV(), memory.NewBlob(), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(t, func(o *server.Options) { o.NPM.Registry = packages })
	gh := s.github
	repos := []githubtest.Repo{gh.UI}
	for i := 1; i < 200; i++ {
		r := gh.AddRepo(fmt.Sprintf("acme/r%d", i), githubtest.Private)
		gh.Grant("wendy", r.FullName(), githubtest.Push)
		gh.Grant("rita", r.FullName(), githubtest.Pull)
		repos = append(repos, r)
	}
	for i := range 300 {
		r := repos[i%len(repos)]
		where := scopes.Binding{Kind: scopes.GitHub, Repo: scopes.Repo{ID: r.ID, OwnerID: r.OwnerID, Owner: r.Owner, Name: r.Name, Node: r.NodeID}}
		upload := storetest.Upload(t, packumenttest.Package{Name: fmt.Sprintf("@acme/p%d", i), Version: "1.0.0", Repository: "github:" + r.FullName()})
		if _, err := packages.Publish(t.Context(), store.Publication{Upload: upload, Binding: where, By: scopes.Principal{Kind: scopes.Person, ID: 1, Login: "wendy"}}); err != nil {
			t.Fatal(err)
		}
	}
	// As the program builds it.
	facts, err := githubauth.New(githubauth.Options{APIURL: gh.APIURL(), WebURL: gh.URL(), Neighbours: func(ctx context.Context, like scopes.Repo) []scopes.Repo {
		return packages.Neighbours(ctx, like, 500)
	}})
	if err != nil {
		t.Fatal(err)
	}
	names := scopes.Namespaces{Host: "github.com", Owners: []string{"acme"}, ToAll: true}
	rebuilt := newSite(t, func(o *server.Options) { o.NPM.Registry, o.NPM.Gate = packages, gate.New(facts, names) })
	rebuilt.github = gh
	return rebuilt
}

// install reads the document and the tarball of every package, fifteen at a time.
func (s *site) install(t *testing.T, token string, want int) {
	t.Helper()
	paths := make(chan string)
	var all sync.WaitGroup
	for range 15 {
		all.Go(func() {
			for path := range paths {
				if w := s.do(http.MethodGet, path, token, ""); w.Code != want {
					t.Errorf("%s: %d, want %d: %.200s", path, w.Code, want, w.Body)
				}
			}
		})
	}
	for i := range 300 {
		paths <- fmt.Sprintf("/@acme%%2fp%d", i)
		paths <- fmt.Sprintf("/@acme/p%d/-/p%d-1.0.0.tgz", i, i)
	}
	close(paths)
	all.Wait()
}

// TestCostOfAnInstallOverHTTP counts what an npm ci of 300 packages of 200 private repositories costs GitHub, the question whether they are public included.
func TestCostOfAnInstallOverHTTP(t *testing.T) {
	s := full(t)
	gh := s.github
	for what, token := range map[string]string{
		"classic":      gh.Rita,
		"fine-grained": gh.WendyReads,
		"installation": gh.Token(githubtest.Installation{Owner: "acme", Contents: githubtest.Read}),
	} {
		gh.ResetCounts()
		s.install(t, token, http.StatusOK)
		if got := gh.Counts().Total(); got > 5 {
			t.Errorf("%s, cold: %d requests\n%s", what, got, gh.Counts())
		} else {
			t.Logf("%s, cold: %d requests", what, got)
		}
		gh.ResetCounts()
		s.install(t, token, http.StatusOK)
		if got := gh.Counts().Total(); got > 0 {
			t.Errorf("%s, warm: %d requests\n%s", what, got, gh.Counts())
		}
	}
	// Who may not read them does not cost more.
	gh.ResetCounts()
	s.install(t, gh.Mallory, http.StatusNotFound)
	if got := gh.Counts().Total(); got > 5 {
		t.Errorf("a stranger: %d requests\n%s", got, gh.Counts())
	}
}

// TestCostOfWorkflows: each of many jobs, with a token that was never seen, installs the package of its own repository and tries another.
func TestCostOfWorkflows(t *testing.T) {
	s := full(t)
	gh := s.github
	const jobs = 50
	gh.ResetCounts()
	for range jobs {
		token := gh.Token(githubtest.Actions{Repo: "acme/ui", Contents: githubtest.Read})
		for path, want := range map[string]int{"/@acme%2fp0": 200, "/@acme/p0/-/p0-1.0.0.tgz": 200, "/@acme%2fp1": 404} {
			if w := s.do(http.MethodGet, path, token, ""); w.Code != want {
				t.Fatalf("%s: %d %s", path, w.Code, w.Body)
			}
		}
	}
	if got := gh.Counts().Total(); got > 2*jobs {
		t.Errorf("%d requests for %d jobs\n%s", got, jobs, gh.Counts())
	}
}

// TestCostOfMissingNames: they cost nothing beyond knowing the caller.
func TestCostOfMissingNames(t *testing.T) {
	s := full(t)
	gh := s.github
	gh.ResetCounts()
	for i := range 50 {
		if w := s.do(http.MethodGet, fmt.Sprintf("/@acme%%2fnone%d", i), gh.Mallory, ""); w.Code != http.StatusNotFound {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	if got := gh.Counts().Total(); got > 3 {
		t.Errorf("%d requests\n%s", got, gh.Counts())
	}
}
