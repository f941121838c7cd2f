package githubauth_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"sync"
	"testing"
	"time"

	"gatehouse/githubauth"
	"gatehouse/githubauth/githubtest"
	"gatehouse/scopes"
)

// many adds n private repositories of acme that wendy may push to, and returns them as the registry has them bound.
func many(f *githubtest.Fixture, n int) []scopes.Repo {
	repos := []scopes.Repo{bind(f.UI), bind(f.API)}
	for i := len(repos); i < n; i++ {
		r := f.AddRepo(fmt.Sprintf("acme/r%d", i), githubtest.Private)
		f.Grant("wendy", r.FullName(), githubtest.Push)
		repos = append(repos, bind(r))
	}
	return repos
}

func bind(r githubtest.Repo) scopes.Repo {
	return scopes.Repo{ID: r.ID, OwnerID: r.OwnerID, Owner: r.Owner, Name: r.Name, Node: r.NodeID}
}

// registry is a client that knows the repositories of a registry.
func registry(t *testing.T, f *githubtest.Fixture, now *clock, repos []scopes.Repo, more ...func(*githubauth.Options)) *githubauth.Client {
	t.Helper()
	o := githubauth.Options{APIURL: f.APIURL(), WebURL: f.URL(), Now: now.Now, Neighbours: func(context.Context, scopes.Repo) []scopes.Repo { return repos }}
	for _, change := range more {
		change(&o)
	}
	c, err := githubauth.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// install reads packages of all repositories, as many at once as npm does, three packages of each two.
func install(t *testing.T, c *githubauth.Client, token string, repos []scopes.Repo, want scopes.Permission) {
	t.Helper()
	ctx := context.Background()
	if _, err := c.Identify(ctx, token, netip.Addr{}); err != nil {
		t.Fatal(err)
	}
	work := make(chan scopes.Repo)
	var all sync.WaitGroup
	for range 15 {
		all.Go(func() {
			for r := range work {
				if _, err := c.Identify(ctx, token, netip.Addr{}); err != nil {
					t.Error(err)
				}
				if a, err := c.Access(ctx, token, r, scopes.Read); err != nil || a.Permission() < want || want == scopes.None && a.Permission() != want {
					t.Errorf("%s: %+v %v", r, a, err)
				}
			}
		})
	}
	for i := range len(repos) * 3 / 2 {
		work <- repos[i%len(repos)]
	}
	close(work)
	all.Wait()
}

// TestCostOfAnInstall: a cold npm ci of 300 packages in 200 private repositories takes at most 5 requests, a warm one none.
func TestCostOfAnInstall(t *testing.T) {
	f := githubtest.Acme().Start()
	defer f.Close()
	repos := many(f, 200)
	for what, x := range map[string]struct {
		token string
		most  int
	}{
		"classic":         {f.Wendy, 2},
		"legacy hex":      {f.Token(githubtest.Classic{User: "wendy", Scopes: []string{"repo"}}, githubtest.OldShape()), 2},
		"OAuth":           {f.Token(githubtest.OAuth{User: "wendy", Scopes: []string{"repo"}}), 2},
		"fine-grained":    {f.WendyReads, 3},
		"GitHub App user": {f.Token(githubtest.AppUser{User: "wendy", Owner: "acme", Contents: githubtest.Read}), 3},
		"installation":    {f.Token(githubtest.Installation{Owner: "acme", Contents: githubtest.Read}), 2},
	} {
		t.Run(what, func(t *testing.T) {
			now := newClock()
			c := registry(t, f, now, repos)
			f.ResetCounts()
			install(t, c, x.token, repos, scopes.Read)
			if got := f.Counts().Total(); got > x.most {
				t.Errorf("cold: %d requests, at most %d\n%s", got, x.most, f.Counts())
			}
			f.ResetCounts()
			install(t, c, x.token, repos, scopes.Read)
			if got := f.Counts().Total(); got != 0 {
				t.Errorf("warm: %d requests\n%s", got, f.Counts())
			}
			now.pass(61 * time.Second)
			install(t, c, x.token, repos, scopes.Read)
			if got := f.Counts().Total(); got > x.most {
				t.Errorf("a minute later: %d requests, at most %d\n%s", got, x.most, f.Counts())
			}
		})
	}
}

// TestCostWithoutNeighbours: misses that come together are asked about together.
func TestCostWithoutNeighbours(t *testing.T) {
	f, c, _ := start(t)
	repos := many(f, 60)
	f.ResetCounts()
	heal := f.Delay(20 * time.Millisecond)
	defer heal()
	var all sync.WaitGroup
	for _, r := range repos {
		all.Go(func() {
			if a, err := c.Access(context.Background(), f.Wendy, r, scopes.Read); err != nil || a.Permission() < scopes.Write {
				t.Errorf("%s: %+v %v", r, a, err)
			}
		})
	}
	all.Wait()
	if got := f.Counts().Total(); got > 5 {
		t.Errorf("%d requests\n%s", got, f.Counts())
	}
}

// TestCostOfActionsTokens: 500 jobs, each with a token of its own that reads its own repository and is refused others, take two requests each.
func TestCostOfActionsTokens(t *testing.T) {
	f := githubtest.Acme().Start()
	defer f.Close()
	repos := many(f, 100)
	c := registry(t, f, newClock(), repos)
	f.ResetCounts()
	ctx := context.Background()
	for i := range 500 {
		own := repos[i%len(repos)]
		token := f.Token(githubtest.Actions{Repo: own.String(), Contents: githubtest.Read})
		if who, err := c.Identify(ctx, token, netip.MustParseAddr("192.0.2.7")); err != nil || who.Kind != scopes.App || who.Credential != scopes.Installation {
			t.Fatalf("%+v %v", who, err)
		}
		for _, r := range []scopes.Repo{own, repos[(i+1)%len(repos)], own, repos[(i+2)%len(repos)]} {
			a, err := c.Access(ctx, token, r, scopes.Read)
			if err != nil || (a.Permission() >= scopes.Read) != (r == own) {
				t.Fatalf("%s reads %s: %+v %v", own, r, a, err)
			}
		}
		if got := f.Counts().By(token).Total(); got > 2 {
			t.Fatalf("%d requests\n%s", got, f.Counts().By(token))
		}
	}
	if got := f.Counts(); got.Total() > 1000 || got.Of(githubtest.GitUploadPack) != 500 {
		t.Errorf("%s", got)
	}
}

// TestCostWhereGraphQLIsOff: REST does it alone, and GraphQL is not tried for each repository.
func TestCostWhereGraphQLIsOff(t *testing.T) {
	for _, status := range []int{403, 404, 502} {
		f := githubtest.Acme().Start()
		repos := many(f, 20)
		refuse := func(w http.ResponseWriter, _ *http.Request) bool {
			w.WriteHeader(status)
			return true
		}
		f.Fail(githubtest.PostGraphQL, refuse)
		for _, token := range []string{f.Wendy, f.WendyReads, f.Token(githubtest.Installation{Owner: "acme", Contents: githubtest.Read})} {
			c := registry(t, f, newClock(), repos)
			f.ResetCounts()
			if who, err := c.Identify(context.Background(), token, netip.Addr{}); status < 500 && (err != nil || who.Login == "") {
				t.Errorf("%d: %+v %v", status, who, err)
			}
			for _, r := range repos {
				if a, err := c.Access(context.Background(), token, r, scopes.Read); err != nil || a.Permission() < scopes.Read {
					t.Errorf("%d: %s: %+v %v", status, r, a, err)
				}
			}
			if got := f.Counts().Of(githubtest.PostGraphQL); status < 500 && got > 1 {
				t.Errorf("%d: GraphQL was asked %d times", status, got)
			}
		}
		f.Close()
	}
}

// TestCostOfWrongTokens: none for what cannot be a token, one in five minutes for what GitHub has called none.
func TestCostOfWrongTokens(t *testing.T) {
	f, c, now := start(t)
	dead := f.Token(githubtest.Classic{User: "rita"})
	f.RevokeToken(dead)
	f.ResetCounts()
	for range 29 {
		if _, err := c.Identify(context.Background(), dead, netip.Addr{}); !errors.Is(err, githubauth.ErrBadCredential) {
			t.Fatal(err)
		}
		if _, err := c.Access(context.Background(), dead, bind(f.UI), scopes.Write); !errors.Is(err, githubauth.ErrBadCredential) {
			t.Fatal(err)
		}
		if _, err := c.Resolve(context.Background(), dead, "acme", "ui", scopes.Write); !errors.Is(err, githubauth.ErrBadCredential) {
			t.Fatal(err)
		}
		now.pass(10 * time.Second)
	}
	if got := f.Counts().Total(); got != 1 {
		t.Errorf("%d requests\n%s", got, f.Counts())
	}
}

// TestCostOfRevalidation: what GitHub calls unchanged is free, and the tag is never another caller's.
func TestCostOfRevalidation(t *testing.T) {
	f, c, now := start(t)
	ctx := context.Background()
	read := func(token string) scopes.Permission {
		t.Helper()
		if _, err := c.Identify(ctx, token, netip.Addr{}); err != nil {
			t.Fatal(err)
		}
		a, err := c.Access(ctx, token, scopes.Repo{ID: f.UI.ID}, scopes.Read)
		if err != nil {
			t.Fatal(err)
		}
		if age := now.Now().Sub(a.At); a.Permission() >= scopes.Read && age != 0 {
			t.Errorf("renewed, and %s old", age)
		}
		return a.Permission()
	}
	statuses := map[int]int{}
	var mu sync.Mutex
	f.Fail("", func(w http.ResponseWriter, r *http.Request) bool {
		mu.Lock()
		defer mu.Unlock()
		if r.Header.Get("If-None-Match") != "" {
			statuses[304]++
		} else {
			statuses[200]++
		}
		return false
	})
	tell := func(what string, conditional, full int) {
		t.Helper()
		mu.Lock()
		defer mu.Unlock()
		if statuses[304] != conditional || statuses[200] != full {
			t.Errorf("%s: %d conditional and %d full requests, want %d and %d", what, statuses[304], statuses[200], conditional, full)
		}
		clear(statuses)
	}
	if p := read(f.Wendy); p != scopes.Write {
		t.Error(p)
	}
	tell("first", 0, 2)
	now.pass(61 * time.Second)
	read(f.Wendy)
	tell("unchanged", 2, 0)
	read(f.Rita)
	tell("another caller", 0, 2)
	f.Revoke("wendy", "acme/ui")
	now.pass(61 * time.Second)
	if p := read(f.Wendy); p != scopes.None {
		t.Errorf("a lost role is %s", p)
	}
	tell("lost", 2, 0)
	f.Grant("wendy", "acme/ui", githubtest.Pull)
	now.pass(10 * time.Minute)
	if p := read(f.Wendy); p != scopes.Read {
		t.Errorf("a new role is %s", p)
	}
	tell("after ten minutes", 0, 2)
	f.Edit(f.Wendy, githubtest.Classic{User: "wendy"})
	now.pass(61 * time.Second)
	if p := read(f.Wendy); p != scopes.None {
		t.Errorf("without the scope it is %s", p)
	}
}
