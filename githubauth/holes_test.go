package githubauth_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"gatehouse/githubauth"
	"gatehouse/githubauth/githubtest"
	"gatehouse/scopes"
)

// TestHangingUpDoesNotTakeGitHubAway: callers who give up while GitHub is asked for them say nothing of GitHub, and it goes on being asked for others.
func TestHangingUpDoesNotTakeGitHubAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := githubtest.Acme()
		c := unplugged(t, f, nil)
		heal := f.Fail("", githubtest.Slow(time.Second))
		for range 100 {
			for _, ask := range []func(context.Context) error{
				func(ctx context.Context) error { _, err := c.Profile(ctx, f.Mallory); return err },
				func(ctx context.Context) error {
					_, err := c.Resolve(ctx, f.Mallory, "acme", "ui", scopes.Write)
					return err
				},
				func(ctx context.Context) error {
					_, err := c.Collaborator(ctx, f.Mallory, bind(f.UI), "mallory")
					return err
				},
			} {
				ctx, hangUp := context.WithCancel(t.Context())
				time.AfterFunc(100*time.Millisecond, hangUp)
				if err := ask(ctx); err == nil {
					t.Fatal("it did not hang up")
				}
				hangUp()
			}
		}
		heal()
		if a, err := c.Access(t.Context(), f.Wendy, bind(f.UI), scopes.Write); err != nil || a.Permission() < scopes.Write {
			t.Errorf("somebody else: %+v %v", a, err)
		}
	})
}

// TestNoTimeIsNoTimeOut: a call for which its caller had hardly any time left says nothing of GitHub either.
func TestNoTimeIsNoTimeOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := githubtest.Acme()
		c := unplugged(t, f, nil)
		heal := f.Fail("", githubtest.Slow(time.Second))
		for range 20 {
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			_, _ = c.Profile(ctx, f.Mallory)
			cancel()
		}
		heal()
		if a, err := c.Access(t.Context(), f.Wendy, bind(f.UI), scopes.Write); err != nil || a.Permission() < scopes.Write {
			t.Errorf("somebody else: %+v %v", a, err)
		}
	})
}

// TestNothingProvesNothing: an answer without a body, as proxies give it, is no list of branches.
func TestNothingProvesNothing(t *testing.T) {
	f, c, _ := start(t)
	f.Fail(githubtest.GetBranches, func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(http.StatusOK)
		return true
	})
	f.Fail(githubtest.GitUploadPack, githubtest.Status(502))
	for what, token := range map[string]string{"fine-grained": f.Token(githubtest.FineGrained{User: "wendy", Owner: "acme"}), "installation": f.Token(githubtest.Installation{Owner: "acme"})} {
		a, err := c.Access(context.Background(), token, bind(f.UI), scopes.Read)
		if a.Permission() > scopes.None || err == nil {
			t.Errorf("%s: %s %v", what, a.Permission(), err)
		}
		if a, _ := c.Access(context.Background(), token, bind(f.UI), scopes.Write); a.Permission() > scopes.None {
			t.Errorf("%s, a write: %s", what, a.Permission())
		}
	}
}

// TestNothingIsNobody: an answer without a body, or a page for people, does not make an installation's token good.
func TestNothingIsNobody(t *testing.T) {
	for what, body := range map[string]string{"nothing": "", "a page": "<!DOCTYPE html><title>Log in</title>", "an object": "{}"} {
		f, c, _ := start(t)
		f.Fail("", func(w http.ResponseWriter, r *http.Request) bool {
			if strings.HasSuffix(r.URL.Path, "/installation/repositories") {
				_, _ = w.Write([]byte(body))
			} else {
				w.WriteHeader(http.StatusNotFound)
			}
			return true
		})
		u := (*githubauth.Unavailable)(nil)
		if who, err := c.Identify(context.Background(), f.ActionsReads, netip.Addr{}); !errors.As(err, &u) {
			t.Errorf("%s: %+v %v", what, who, err)
		}
	}
}

// TestWhatBecamePublicProvesNothing: a token that sees no contents reads those of a repository once it is public, and still none of its owner's others.
func TestWhatBecamePublicProvesNothing(t *testing.T) {
	for what, token := range map[string]func(f *githubtest.Fixture) string{
		"fine-grained": func(f *githubtest.Fixture) string {
			return f.Token(githubtest.FineGrained{User: "wendy", Owner: "acme"})
		},
		"installation": func(f *githubtest.Fixture) string {
			return f.Token(githubtest.Installation{Owner: "acme"})
		},
	} {
		f, c, now := start(t)
		token := token(f)
		read := func(r githubtest.Repo) scopes.Permission {
			t.Helper()
			a, err := c.Access(context.Background(), token, bind(r), scopes.Read)
			if err != nil {
				t.Fatal(err)
			}
			return a.Permission()
		}
		if p := read(f.API); p != scopes.None {
			t.Fatalf("%s: %s", what, p)
		}
		f.SetVisibility("acme/api", githubtest.Public)
		now.pass(11 * time.Second) // the refusal is over, and what is known of the repository is not
		read(f.API)
		if p := read(f.UI); p != scopes.None {
			t.Errorf("%s: a private repository of the owner: %s", what, p)
		}
	}
}

// TestPrivateRepositoriesCostTheServerLittle: whether they are public is asked about together, with the registry's own credential.
func TestPrivateRepositoriesCostTheServerLittle(t *testing.T) {
	f := githubtest.Acme().Start()
	defer f.Close()
	repos := many(f, 200)
	c := registry(t, f, newClock(), repos, func(o *githubauth.Options) { o.Server = githubauth.Server{Token: f.WendyScopes} })
	defer f.Delay(10 * time.Millisecond)()
	var all sync.WaitGroup
	for _, r := range repos {
		all.Go(func() {
			if p, err := c.Public(context.Background(), r); err != nil || p.Repo.ID != 0 {
				t.Errorf("%+v %v", p, err)
			}
		})
	}
	all.Wait()
	if got := f.Counts().Total(); got > 2 {
		t.Errorf("%d requests\n%s", got, f.Counts())
	}
}

// TestStrangersDoNotTakePublicPackagesAway: whoever asks for packages of private repositories all the time uses up the calls without a credential, but not
// those by which public ones stay so.
func TestStrangersDoNotTakePublicPackagesAway(t *testing.T) {
	f := githubtest.Acme().Start()
	defer f.Close()
	f.SetLimits(githubtest.Limits{}) // its clock is another
	now := newClock()
	c := registry(t, f, now, nil, func(o *githubauth.Options) { o.Stale = 15 * time.Minute })
	if !isPublic(t, c, f.Open) {
		t.Fatal("not public")
	}
	for i := range 3 * 60 * 6 { // three hours
		isPublic(t, c, githubtest.Repo{ID: int64(5_000_000 + i), OwnerID: 1})
		if i%6 == 0 && !isPublic(t, c, f.Open) {
			t.Fatalf("it is gone after %d minutes", i/6)
		}
		now.pass(10 * time.Second)
	}
}

// TestAChangeIsNotMadeByLooking: GitHub's redirect of a change would be followed by a look at what was to be changed, which is not the change.
func TestAChangeIsNotMadeByLooking(t *testing.T) {
	f, c, _ := start(t)
	f.Fail("", func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodGet {
			w.WriteHeader(http.StatusOK)
			return true
		}
		w.Header().Set("Location", r.URL.Path)
		w.WriteHeader(http.StatusMovedPermanently)
		return true
	})
	_, err := c.ChangePeople(context.Background(), f.Ada, scopes.PeopleChange{What: scopes.RemoveMember, Org: "acme", Login: "rita"})
	if u := (*githubauth.Unavailable)(nil); !errors.As(err, &u) {
		t.Errorf("said to be made: %v", err)
	}
}

// TestCrowdOfOneCustomer: whoever has many IPv6 networks sends no more wrong tokens to GitHub than all may together.
func TestCrowdOfOneCustomer(t *testing.T) {
	f, c, _ := start(t)
	for n := range 1000 {
		from := netip.AddrFrom16([16]byte{0x20, 0x01, 0x0d, 0xb8, 0, 1, byte(n >> 8), byte(n), 15: 1})
		_, _ = c.Identify(context.Background(), invented(n), from)
	}
	if got := f.Counts().Total(); got > 100 {
		t.Errorf("GitHub was sent %d wrong tokens", got)
	}
	if _, err := c.Identify(context.Background(), f.Rita, netip.MustParseAddr("2001:db8:2::1")); err != nil {
		t.Errorf("somebody else: %v", err)
	}
}

// TestOddScopesReadNothingPrivate: some scopes are about private repositories and not about their contents. Whatever GitHub shows such a token, it reads no
// package of them.
func TestOddScopesReadNothingPrivate(t *testing.T) {
	for _, has := range []string{"repo:status", "repo_deployment, read:org", "security_events", "public_repo", ""} {
		f, c, now := start(t)
		f.Fail("", func(w http.ResponseWriter, r *http.Request) bool {
			if !strings.Contains(r.URL.Path, "/repositories/") {
				return false
			}
			w.Header().Set("X-OAuth-Scopes", has)
			w.Header().Set("ETag", `"1"`)
			if r.Header.Get("If-None-Match") != "" {
				w.WriteHeader(http.StatusNotModified)
				return true
			}
			fmt.Fprintf(w, `{"id":%d,"name":"ui","private":true,"visibility":"private","owner":{"id":%d,"login":"acme"},"permissions":{"push":true,"pull":true}}`, f.UI.ID, f.UI.OwnerID)
			return true
		})
		repo := scopes.Repo{ID: f.UI.ID, OwnerID: f.UI.OwnerID}
		for _, need := range []scopes.Permission{scopes.Read, scopes.Write, scopes.Read} {
			a, err := c.Access(context.Background(), f.Wendy, repo, need)
			if err != nil || a.Permission() != scopes.None || a.Why == "" {
				t.Errorf("%q, %s: %+v %v", has, need, a, err)
			}
			now.pass(61 * time.Second)
		}
	}
}

// TestPaceOfWhatIsPublic: where nobody has a token, answers about names that are missing take as long as those for which it was asked what is public.
func TestPaceOfWhatIsPublic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := githubtest.Acme()
		c := unplugged(t, f, nil)
		f.Fail("", githubtest.Slow(100*time.Millisecond))
		if _, err := c.Public(t.Context(), bind(f.UI)); err != nil {
			t.Fatal(err)
		}
		if c.Pace() < 100*time.Millisecond {
			t.Errorf("%s", c.Pace())
		}
	})
}

// TestPrivateRepositoriesInUseCostNoAnonymousCalls: what callers are shown of private repositories spares the registry asking about these without a credential,
// of which it can do so little.
func TestPrivateRepositoriesInUseCostNoAnonymousCalls(t *testing.T) {
	f := githubtest.Acme().Start()
	defer f.Close()
	now := newClock()
	repos := many(f, 20)
	c := registry(t, f, now, repos)
	minute := func() {
		for _, r := range repos {
			if p, err := c.Public(context.Background(), r); err != nil || p.Repo.ID != 0 {
				t.Fatalf("%+v %v", p, err)
			}
			if a, err := c.Access(context.Background(), f.Wendy, r, scopes.Read); err != nil || a.Permission() < scopes.Read {
				t.Fatalf("%+v %v", a, err)
			}
		}
		now.pass(61 * time.Second)
	}
	minute()
	f.ResetCounts()
	for range 30 {
		minute()
	}
	if got := f.Counts().By("").Total(); got > 0 {
		t.Errorf("%d calls\n%s", got, f.Counts())
	}
}
