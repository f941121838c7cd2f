package githubauth_test

import (
	"context"
	"net/http"
	"net/netip"
	"testing"
	"time"

	"gatehouse/githubauth"
	"gatehouse/githubauth/githubtest"
	"gatehouse/scopes"
)

func isPublic(t *testing.T, c *githubauth.Client, repo githubtest.Repo) bool {
	t.Helper()
	p, err := c.Public(context.Background(), bind(repo))
	if err != nil {
		t.Fatal(err)
	}
	if p.Repo.ID != 0 && (p.Repo.ID != repo.ID || p.Repo.OwnerID != repo.OwnerID || p.At.IsZero()) {
		t.Fatalf("%+v", p)
	}
	return p.Repo.ID != 0
}

// TestPublic: with every credential of the server, and with none, everybody reads what is public and nothing else, and no longer than a minute after
// it was made private.
func TestPublic(t *testing.T) {
	for what, server := range map[string]func(*githubtest.Fixture) githubauth.Server{
		"nothing": func(*githubtest.Fixture) githubauth.Server { return githubauth.Server{} },
		"a token of somebody who sees everything": func(f *githubtest.Fixture) githubauth.Server { return githubauth.Server{Token: f.Ada} },
		"a token without rights":                  func(f *githubtest.Fixture) githubauth.Server { return githubauth.Server{Token: f.WendyScopes} },
		"an OAuth app": func(f *githubtest.Fixture) githubauth.Server {
			f.AddOAuthApp("Iv1.0123456789abcdef", "secret")
			return githubauth.Server{ClientID: "Iv1.0123456789abcdef", ClientSecret: "secret"}
		},
	} {
		t.Run(what, func(t *testing.T) {
			f := githubtest.Acme().Start()
			defer f.Close()
			now := newClock()
			inner := f.AddRepo("acme/inner", githubtest.Internal)
			s := server(f)
			c := registry(t, f, now, nil, func(o *githubauth.Options) { o.Server = s; o.Stale = 15 * time.Minute })
			for repo, want := range map[githubtest.Repo]bool{f.Open: true, f.UI: false, inner: false, {ID: 4711, OwnerID: f.UI.OwnerID, NodeID: "R_kgAAAABn"}: false} {
				if got := isPublic(t, c, repo); got != want {
					t.Errorf("%s is public: %t", repo.FullName(), got)
				}
			}
			f.ResetCounts()
			for range 50 {
				isPublic(t, c, f.Open)
				isPublic(t, c, f.UI)
			}
			if got := f.Counts().Total(); got != 0 {
				t.Errorf("asked again:\n%s", f.Counts())
			}
			f.SetVisibility("acme/open", githubtest.Private)
			now.pass(61 * time.Second)
			if isPublic(t, c, f.Open) {
				t.Error("still public a minute after it was closed")
			}
			heal := f.Outage(503)
			now.pass(61 * time.Second)
			if isPublic(t, c, f.Open) {
				t.Error("public again during an outage")
			}
			heal()
		})
	}
}

// TestPublicBudget: without a credential GitHub is asked fifty times an hour at most, whoever asks.
func TestPublicBudget(t *testing.T) {
	f, c, now := start(t)
	for i := range 300 {
		isPublic(t, c, githubtest.Repo{ID: int64(5_000_000 + i), OwnerID: 1})
		isPublic(t, c, f.Open)
		now.pass(12 * time.Second)
	}
	if got := f.Counts().By("").Total(); got > 50 || got < 20 {
		t.Errorf("asked %d times in an hour", got)
	}
}

// TestPublicInAnOutage: what was public stays so for a bounded time while GitHub cannot be asked; what is not known is not public.
func TestPublicInAnOutage(t *testing.T) {
	f := githubtest.Acme().Start()
	defer f.Close()
	now := newClock()
	c := registry(t, f, now, nil, func(o *githubauth.Options) { o.Stale = 15 * time.Minute })
	if !isPublic(t, c, f.Open) {
		t.Fatal("not public")
	}
	f.Outage(503)
	now.pass(10 * time.Minute)
	if !isPublic(t, c, f.Open) {
		t.Error("not public during an outage")
	}
	if isPublic(t, c, f.UI) {
		t.Error("a private repository is public during an outage")
	}
	now.pass(10 * time.Minute)
	if isPublic(t, c, f.Open) {
		t.Error("public after too long an outage")
	}
}

// TestPublicIsLearned: what GitHub shows a caller says whether everybody reads it; nothing is asked with a caller's token for that.
func TestPublicIsLearned(t *testing.T) {
	ctx := context.Background()
	f := githubtest.Acme().Start()
	defer f.Close()
	now := newClock()
	c := registry(t, f, now, []scopes.Repo{bind(f.UI), bind(f.Open)})
	if _, err := c.Access(ctx, f.Wendy, bind(f.UI), scopes.Read); err != nil {
		t.Fatal(err)
	}
	f.ResetCounts()
	if !isPublic(t, c, f.Open) || isPublic(t, c, f.UI) || f.Counts().Total() != 0 {
		t.Errorf("it was known\n%s", f.Counts())
	}
	f.SetVisibility("acme/open", githubtest.Private)
	f.Grant("wendy", "acme/open", githubtest.Push)
	now.pass(time.Second)
	if _, err := c.Access(ctx, f.Wendy, bind(f.Open), scopes.Write); err != nil {
		t.Fatal(err)
	}
	if isPublic(t, c, f.Open) {
		t.Error("public after a caller was shown that it is not")
	}
	// A caller who is shut out by a policy proves nothing about everybody.
	f.SetVisibility("acme/open", githubtest.Public)
	f.AllowAddresses("acme", netip.MustParsePrefix("203.0.113.0/24"))
	now.pass(5*time.Minute + time.Second)
	_, _ = c.Access(ctx, f.Rita, bind(f.Open), scopes.Read)
	if isPublic(t, c, f.Open) {
		t.Error("public before GitHub has said so again")
	}
	soonPublic(t, c, f.Open)
}

// soonPublic waits for what is asked in the background.
func soonPublic(t *testing.T, c *githubauth.Client, repo githubtest.Repo) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !isPublic(t, c, repo); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it is not known to be public")
		}
	}
}

// TestStrangersDoNotWaitForHiddenNames: a package that is hidden from somebody without a credential is not told from a missing one, about which GitHub is
// never asked, by the time that GitHub takes.
func TestStrangersDoNotWaitForHiddenNames(t *testing.T) {
	f := githubtest.Acme().Start()
	defer f.Close()
	now := newClock()
	c := registry(t, f, now, []scopes.Repo{bind(f.UI)})
	if c.Pace() <= 0 {
		t.Error("missing names are answered at once before GitHub was ever asked")
	}
	if _, err := c.Access(t.Context(), f.Wendy, bind(f.UI), scopes.Write); err != nil { // she publishes the package
		t.Fatal(err)
	}
	now.pass(6 * time.Minute)
	silent := make(chan struct{})
	asked := make(chan struct{}, 100)
	heal := f.Fail("", func(_ http.ResponseWriter, r *http.Request) bool {
		asked <- struct{}{}
		<-silent
		return false
	})
	for range 20 {
		if isPublic(t, c, f.UI) { // hangs here if it waits
			t.Fatal("public")
		}
	}
	<-asked // it was asked all the same
	f.SetVisibility("acme/ui", githubtest.Public)
	heal()
	close(silent)
	soonPublic(t, c, f.UI)
	if len(asked) != 0 {
		t.Errorf("%d questions at once", len(asked)+1)
	}
}

// TestPaceCountsStrangers: where a stranger's question had to wait for GitHub, answers about missing names come no sooner.
func TestPaceCountsStrangers(t *testing.T) {
	f := githubtest.Acme().Start()
	defer f.Close()
	c := registry(t, f, newClock(), nil)
	const slow = 300 * time.Millisecond
	f.Delay(slow)
	if isPublic(t, c, f.UI) {
		t.Fatal("public")
	}
	if c.Pace() < slow {
		t.Errorf("answers about missing names take %v, and this one took more than %v", c.Pace(), slow)
	}
}

// TestPublicTogether: with a token, all that is known to be public is renewed in one request.
func TestPublicTogether(t *testing.T) {
	f := githubtest.Acme().Start()
	defer f.Close()
	now := newClock()
	c := registry(t, f, now, nil, func(o *githubauth.Options) { o.Server = githubauth.Server{Token: f.WendyScopes} })
	repos := []githubtest.Repo{f.Open}
	for _, name := range []string{"acme/a", "acme/b", "acme/c", "acme/d"} {
		repos = append(repos, f.AddRepo(name, githubtest.Public))
	}
	all := func() {
		for _, r := range repos {
			if !isPublic(t, c, r) {
				t.Errorf("%s is not public", r.FullName())
			}
		}
	}
	all()
	now.pass(61 * time.Second)
	f.ResetCounts()
	all()
	if got := f.Counts().Total(); got != 1 {
		t.Errorf("%d requests\n%s", got, f.Counts())
	}
}
