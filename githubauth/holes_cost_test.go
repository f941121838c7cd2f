package githubauth_test

import (
	"context"
	"net/netip"
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
