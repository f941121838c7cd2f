package githubauth_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/githubauth"
	"gatehouse/githubauth/githubtest"
	"gatehouse/scopes"
)

// clock is a time that tests set.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Now()} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func start(t *testing.T, options ...githubtest.Option) (*githubtest.Fixture, *githubauth.Client, *clock) {
	t.Helper()
	f := githubtest.Acme(options...).Start()
	t.Cleanup(f.Close)
	now := newClock()
	return f, client(t, f, now), now
}

func client(t *testing.T, f *githubtest.Fixture, now *clock) *githubauth.Client {
	t.Helper()
	c, err := githubauth.New(githubauth.Options{APIURL: f.APIURL(), WebURL: f.URL(), Now: now.Now})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestAccess holds, for each kind of token, what it may really do against what GitHub's map of permissions shows, which for most is something else.
func TestAccess(t *testing.T) {
	f, c, _ := start(t)
	mint := f.Token
	f.AddRepo("acme/old", githubtest.Private)
	f.Grant("wendy", "acme/old", githubtest.Push)
	f.Archive("acme/old", true)
	f.AddRepo("acme/inner", githubtest.Internal)
	f.Grant("wendy", "acme/inner", githubtest.Push)
	for _, c2 := range []struct {
		what, token, repo string
		want              scopes.Permission // what it may do, asked up to write
	}{
		{"classic, repo, push", f.Wendy, "acme/ui", scopes.Write},
		{"classic, repo, pull", f.Rita, "acme/ui", scopes.Read},
		{"classic, repo, owner", f.Ada, "acme/ui", scopes.Admin},
		{"classic, repo, stranger", f.Mallory, "acme/ui", scopes.None},
		{"classic, stranger, public", f.Mallory, "acme/open", scopes.Read},
		{"classic without scopes, private", f.WendyScopes, "acme/ui", scopes.None},
		{"classic without scopes, public: GitHub shows the owner's role", mint(githubtest.Classic{User: "ada"}), "acme/open", scopes.Read},
		{"classic, public_repo, public", mint(githubtest.Classic{User: "ada", Scopes: []string{"public_repo"}}), "acme/open", scopes.Admin},
		{"classic, public_repo, private", mint(githubtest.Classic{User: "ada", Scopes: []string{"public_repo"}}), "acme/ui", scopes.None},
		{"classic, other scopes only", mint(githubtest.Classic{User: "ada", Scopes: []string{"read:org", "user", "repo:status"}}), "acme/open", scopes.Read},
		{"legacy shape", mint(githubtest.Classic{User: "wendy", Scopes: []string{"repo"}}, githubtest.OldShape()), "acme/ui", scopes.Write},
		{"OAuth app, repo", mint(githubtest.OAuth{User: "wendy", Scopes: []string{"repo"}}), "acme/ui", scopes.Write},
		{"OAuth app of some other site, no scopes: it answers to wendy's name", mint(githubtest.OAuth{User: "wendy"}), "acme/ui", scopes.None},
		{"fine-grained, read: GitHub shows push", f.WendyReads, "acme/ui", scopes.Read},
		{"fine-grained, write", f.WendyWrites, "acme/ui", scopes.Write},
		{"fine-grained, write, another repository", f.WendyWrites, "acme/api", scopes.None},
		{"fine-grained, metadata only", mint(githubtest.FineGrained{User: "wendy", Owner: "acme", Contents: githubtest.None}), "acme/ui", scopes.None},
		{"fine-grained, write, of somebody who may only read", mint(githubtest.FineGrained{User: "rita", Owner: "acme", Contents: githubtest.Write}), "acme/ui", scopes.Read},
		{"fine-grained, public", mint(githubtest.FineGrained{User: "ada"}), "acme/open", scopes.Read},
		{"fine-grained, internal, read", mint(githubtest.FineGrained{User: "wendy", Owner: "acme", Contents: githubtest.Read}), "acme/inner", scopes.Read},
		{"App user, write", mint(githubtest.AppUser{User: "wendy", Owner: "acme", Contents: githubtest.Write}), "acme/ui", scopes.Write},
		{"App user, read", mint(githubtest.AppUser{User: "wendy", Owner: "acme", Contents: githubtest.Read}), "acme/ui", scopes.Read},
		{"App user elsewhere", mint(githubtest.AppUser{User: "mallory", Owner: "mallory", Contents: githubtest.Write}), "acme/ui", scopes.None},
		{"Actions, write: GitHub shows no rights at all", f.ActionsWrites, "acme/ui", scopes.Write},
		{"Actions, read: the same map", f.ActionsReads, "acme/ui", scopes.Read},
		{"Actions, another repository", f.ActionsWrites, "acme/api", scopes.None},
		{"Actions, permissions: {}", mint(githubtest.Actions{Repo: "acme/ui"}), "acme/ui", scopes.None},
		{"installation, old shape", mint(githubtest.Installation{Owner: "acme", Contents: githubtest.Write}, githubtest.OldShape()), "acme/api", scopes.Write},
		{"installation, stateless", mint(githubtest.Installation{Owner: "acme", Contents: githubtest.Read}), "acme/api", scopes.Read},
	} {
		got, err := c.Access(context.Background(), c2.token, scopes.Repo{ID: f.Repo(c2.repo).ID}, scopes.Write)
		if err != nil || got.Permission() != c2.want {
			t.Errorf("%s: %s (role %s, reach %s, %q) %v, want %s", c2.what, got.Permission(), got.Role, got.Reach, got.Why, err, c2.want)
		}
		if err == nil && c2.want > scopes.None && (got.Repo.ID != f.Repo(c2.repo).ID || got.Repo.String() != c2.repo || got.Repo.OwnerID == 0) {
			t.Errorf("%s: the repository is %+v", c2.what, got.Repo)
		}
		// Asked for less, it must not become more, and reading must come out the same.
		fresh := client(t, f, newClock())
		read, err := fresh.Access(context.Background(), c2.token, scopes.Repo{ID: f.Repo(c2.repo).ID}, scopes.Read)
		if err != nil || read.Permission() > c2.want || (read.Permission() >= scopes.Read) != (c2.want >= scopes.Read) {
			t.Errorf("%s, asked for read: %s %v", c2.what, read.Permission(), err)
		}
	}
	a, err := c.Access(context.Background(), f.Wendy, scopes.Repo{ID: f.Repo("acme/old").ID}, scopes.Write)
	if err != nil || !a.Archived {
		t.Errorf("archived: %+v %v", a, err)
	}
}

func TestAccessSaysWhatIsMissing(t *testing.T) {
	f, c, _ := start(t)
	for _, x := range []struct{ token, repo, want string }{
		{f.WendyReads, "acme/ui", "Contents: read and write"},
		{f.ActionsReads, "acme/ui", "Contents: read and write"},
		{f.Token(githubtest.Classic{User: "ada"}), "acme/open", `"public_repo" or "repo"`},
		{f.Token(githubtest.FineGrained{User: "wendy", Owner: "acme"}), "acme/ui", "Contents: read"},
	} {
		a, err := c.Access(context.Background(), x.token, scopes.Repo{ID: f.Repo(x.repo).ID}, scopes.Write)
		if err != nil || !strings.Contains(a.Why, x.want) {
			t.Errorf("%s: %q %v, want %q", x.repo, a.Why, err, x.want)
		}
	}
}

// TestRepositoriesMove: a binding is a number. Names follow it; a new repository under an old name is another one.
func TestRepositoriesMove(t *testing.T) {
	f, c, _ := start(t)
	ctx := context.Background()
	id := f.UI.ID
	f.Rename("acme/ui", "web")
	a, err := c.Access(ctx, f.Wendy, scopes.Repo{ID: id}, scopes.Write)
	if err != nil || a.Repo.String() != "acme/web" || a.Permission() != scopes.Write {
		t.Fatalf("renamed: %+v %v", a, err)
	}
	a, err = c.Resolve(ctx, f.Wendy, "acme", "ui", scopes.Write)
	if err != nil || a.Repo.ID != id || a.Repo.Name != "web" || a.Permission() != scopes.Write {
		t.Fatalf("by its old name: %+v %v", a, err)
	}
	f.AddRepo("acme/ui", githubtest.Private)
	f.Grant("wendy", "acme/ui", githubtest.Push)
	if a, err = c.Resolve(ctx, f.Wendy, "acme", "ui", scopes.Write); err != nil || a.Repo.ID == id {
		t.Fatalf("a new repository under the old name: %+v %v", a, err)
	}
	f.DeleteRepo("acme/web")
	if a, err = c.Access(ctx, f.Wendy, scopes.Repo{ID: id}, scopes.Write); err != nil || a.Permission() != scopes.None || a.Repo.ID != 0 {
		t.Fatalf("deleted: %+v %v", a, err)
	}
}

// TestCost counts what GitHub is asked.
func TestCost(t *testing.T) {
	f, c, now := start(t)
	ctx := context.Background()
	id := f.UI.ID
	calls := func(what string, want int, do func()) {
		t.Helper()
		f.ResetCounts()
		do()
		if got := f.Counts().Total(); got != want {
			t.Errorf("%s: %d calls, want %d\n%s", what, got, want, f.Counts())
		}
	}
	read := func(token string) func() {
		return func() {
			for range 100 {
				if _, err := c.Identify(ctx, token, netip.Addr{}); err != nil {
					t.Fatal(err)
				}
				if _, err := c.Access(ctx, token, scopes.Repo{ID: id}, scopes.Read); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	calls("a hundred reads of one caller", 2, read(f.Rita))
	calls("fine-grained: one more, to see what it reaches", 3, read(f.WendyReads))
	calls("warm", 0, read(f.Rita))
	calls("a stranger", 2, read(f.Mallory))
	now.pass(11 * time.Second)
	calls("a stranger is asked about again soon", 1, read(f.Mallory))
	calls("a reader is not", 0, read(f.Rita))
	now.pass(50 * time.Second)
	calls("after a minute, anew", 2, read(f.Rita))
	calls("writes are never answered from memory", 3, func() {
		for range 3 {
			if _, err := c.Access(ctx, f.Wendy, scopes.Repo{ID: id}, scopes.Write); err != nil {
				t.Fatal(err)
			}
		}
	})
	calls("what cannot be a token", 0, func() {
		for _, s := range []string{"", "x", "Bearer", strings.Repeat("a", 5000), f.Wendy[:39] + "!", "ghp_" + strings.Repeat("0", 36),
			"ghr_" + strings.Repeat("a", 50), "eyJhbGciOiJub25lIn0.e30.", "npm_" + strings.Repeat("a", 36), "github_pat_short"} {
			if _, err := c.Identify(ctx, s, netip.Addr{}); !errors.Is(err, githubauth.ErrBadCredential) {
				t.Errorf("%.20q: %v", s, err)
			}
			if _, err := c.Access(ctx, s, scopes.Repo{ID: id}, scopes.Write); !errors.Is(err, githubauth.ErrBadCredential) {
				t.Errorf("%.20q: %v", s, err)
			}
		}
	})
	dead := f.Token(githubtest.Classic{User: "rita", Scopes: []string{"repo"}})
	f.RevokeToken(dead)
	calls("a bad credential, shown often", 1, func() {
		for range 20 {
			if _, err := c.Identify(ctx, dead, netip.Addr{}); !errors.Is(err, githubauth.ErrBadCredential) {
				t.Fatal(err)
			}
		}
	})
	calls("a stampede of one question", 1, func() {
		fresh := client(t, f, now)
		heal := f.Delay(50 * time.Millisecond)
		defer heal()
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				if _, err := fresh.Access(ctx, f.Rita, scopes.Repo{ID: id}, scopes.Read); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	})
}

// TestNoCallerGetsAnothersRights asks with many tokens at once; one client that was shared and switched from token to token would mix them up.
func TestNoCallerGetsAnothersRights(t *testing.T) {
	f, c, _ := start(t)
	want := map[string]scopes.Permission{f.Wendy: scopes.Write, f.Rita: scopes.Read, f.Mallory: scopes.None, f.Ada: scopes.Admin, f.WendyReads: scopes.Read, f.ActionsWrites: scopes.Write}
	var all sync.WaitGroup
	for token, permission := range want {
		for range 20 {
			all.Go(func() {
				a, err := c.Access(context.Background(), token, scopes.Repo{ID: f.UI.ID}, scopes.Write)
				if err != nil || a.Permission() != permission {
					t.Errorf("%s %v, want %s", a.Permission(), err, permission)
				}
			})
		}
	}
	all.Wait()
}

// TestOnlyAnAnswerIsANo: whatever goes wrong on the way is *Unavailable, is not kept, and stops when GitHub is back.
func TestOnlyAnAnswerIsANo(t *testing.T) {
	for what, fault := range map[string]githubtest.Fault{
		"dropped":             githubtest.Drop,
		"500":                 githubtest.Status(500),
		"502":                 githubtest.Status(502),
		"503":                 githubtest.Status(503),
		"primary limit, 403":  githubtest.PrimaryLimit(403),
		"primary limit, 429":  githubtest.PrimaryLimit(429),
		"secondary limit 403": githubtest.SecondaryLimit(403, 7*time.Second),
		"secondary limit 429": githubtest.SecondaryLimit(429, 7*time.Second),
		"a page, not JSON": func(w http.ResponseWriter, _ *http.Request) bool {
			_, _ = w.Write([]byte("<html>log in</html>"))
			return true
		},
		"an empty object": func(w http.ResponseWriter, _ *http.Request) bool {
			_, _ = w.Write([]byte("{}"))
			return true
		},
		"a teapot": githubtest.Status(418),
		"a redirect to another host": func(w http.ResponseWriter, r *http.Request) bool {
			http.Redirect(w, r, "http://192.0.2.1/", http.StatusMovedPermanently)
			return true
		},
	} {
		t.Run(what, func(t *testing.T) {
			f, c, now := start(t)
			ctx := context.Background()
			heal := f.Fail("", fault)
			for _, token := range []string{f.Wendy, f.WendyWrites, f.ActionsWrites} {
				var u *githubauth.Unavailable
				if _, err := c.Identify(ctx, token, netip.Addr{}); !errors.As(err, &u) || u.Retry <= 0 || u.Retry > time.Hour {
					t.Errorf("Identify: %v", err)
				}
				for _, need := range []scopes.Permission{scopes.Read, scopes.Write} {
					if _, err := c.Access(ctx, token, scopes.Repo{ID: f.UI.ID}, need); !errors.As(err, &u) {
						t.Errorf("Access: %v", err)
					}
				}
				if _, err := c.Resolve(ctx, token, "acme", "ui", scopes.Write); !errors.As(err, &u) {
					t.Errorf("Resolve: %v", err)
				}
			}
			heal()
			if strings.Contains(what, "limit") {
				f.ResetCounts()
				if _, err := c.Identify(ctx, f.Wendy, netip.Addr{}); err == nil || f.Counts().Total() != 0 {
					t.Errorf("GitHub asked for patience: %v\n%s", err, f.Counts())
				}
				now.pass(time.Hour + time.Minute)
			}
			for _, token := range []string{f.Wendy, f.WendyWrites, f.ActionsWrites} {
				if _, err := c.Identify(ctx, token, netip.Addr{}); err != nil {
					t.Error(err)
				}
				if a, err := c.Access(ctx, token, scopes.Repo{ID: f.UI.ID}, scopes.Write); err != nil || a.Permission() < scopes.Write {
					t.Errorf("after it: %s %v", a.Permission(), err)
				}
			}
		})
	}
}

// TestProbeFallsBack: where git gives no clear answer, GitHub's API is asked; where that gives none either, nothing is granted.
func TestProbeFallsBack(t *testing.T) {
	page := func(w http.ResponseWriter, _ *http.Request) bool {
		_, _ = w.Write([]byte("<html>a proxy's page</html>"))
		return true
	}
	for what, fault := range map[string]githubtest.Fault{"dropped": githubtest.Drop, "a page": page, "500": githubtest.Status(500)} {
		f, c, _ := start(t)
		onlyGit := func(w http.ResponseWriter, r *http.Request) bool {
			return strings.HasSuffix(r.URL.Path, "/info/refs") && fault(w, r)
		}
		f.Fail("", onlyGit)
		for token, want := range map[string]scopes.Permission{f.WendyWrites: scopes.Write, f.WendyReads: scopes.Read, f.ActionsWrites: scopes.Write, f.ActionsReads: scopes.Read} {
			if a, err := c.Access(context.Background(), token, scopes.Repo{ID: f.UI.ID}, scopes.Write); err != nil || a.Permission() != want {
				t.Errorf("%s: %s %v, want %s", what, a.Permission(), err, want)
			}
		}
		both := f.Fail("", func(w http.ResponseWriter, r *http.Request) bool {
			return (strings.HasSuffix(r.URL.Path, "/info/refs") || r.Method == http.MethodDelete) && fault(w, r)
		})
		if a, err := c.Access(context.Background(), f.WendyWrites, scopes.Repo{ID: f.UI.ID}, scopes.Write); err == nil && a.Permission() >= scopes.Write {
			t.Errorf("%s: granted without proof", what)
		}
		both()
	}
}

// TestTokensStayWithGitHub: a redirect to another host is not followed, with or without the token.
func TestTokensStayWithGitHub(t *testing.T) {
	asked := make(chan string, 10)
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		asked <- r.Header.Get("Authorization")
	}))
	defer elsewhere.Close()
	f, c, _ := start(t)
	f.Fail("", func(w http.ResponseWriter, r *http.Request) bool {
		http.Redirect(w, r, elsewhere.URL+"/repos/acme/ui", http.StatusFound)
		return true
	})
	for _, token := range []string{f.Wendy, f.WendyWrites, f.ActionsWrites} {
		_, _ = c.Identify(context.Background(), token, netip.Addr{})
		_, _ = c.Access(context.Background(), token, scopes.Repo{ID: f.UI.ID}, scopes.Write)
		_, _ = c.Resolve(context.Background(), token, "acme", "ui", scopes.Write)
	}
	select {
	case h := <-asked:
		t.Errorf("another host was asked (with a credential: %t)", h != "")
	default:
	}
}

func TestIdentify(t *testing.T) {
	f, c, now := start(t)
	for token, want := range map[string]string{f.Wendy: "wendy", f.WendyReads: "wendy", f.ActionsReads: "github-actions[bot]",
		f.Token(githubtest.Installation{Owner: "acme", App: "robot"}): "robot[bot]"} {
		who, err := c.Identify(context.Background(), token, netip.Addr{})
		if err != nil || who.Login != want || who.ID == 0 {
			t.Errorf("%+v %v, want %s", who, err, want)
		}
		if isApp := strings.HasSuffix(want, "[bot]"); isApp != (who.Kind == scopes.App) {
			t.Errorf("%s is of kind %d", want, who.Kind)
		}
	}
	f.RevokeToken(f.Wendy)
	if _, err := c.Identify(context.Background(), f.Wendy, netip.Addr{}); err != nil {
		t.Errorf("a revoked token is known for up to a minute: %v", err)
	}
	if _, err := c.Access(context.Background(), f.Wendy, scopes.Repo{ID: f.UI.ID}, scopes.Write); !errors.Is(err, githubauth.ErrBadCredential) {
		t.Errorf("a write with a revoked token: %v", err)
	}
	if _, err := c.Identify(context.Background(), f.Wendy, netip.Addr{}); !errors.Is(err, githubauth.ErrBadCredential) {
		t.Errorf("a write that failed so ends the minute: %v", err)
	}
	soon := f.Token(githubtest.Classic{User: "rita", Scopes: []string{"repo"}}, githubtest.Expires(now.Now().Add(20*time.Second)))
	if _, err := c.Access(context.Background(), soon, scopes.Repo{ID: f.UI.ID}, scopes.Read); err != nil {
		t.Fatal(err)
	}
	f.RevokeToken(soon)
	now.pass(21 * time.Second)
	if _, err := c.Access(context.Background(), soon, scopes.Repo{ID: f.UI.ID}, scopes.Read); !errors.Is(err, githubauth.ErrBadCredential) {
		t.Errorf("nothing is believed beyond the token's own end: %v", err)
	}
}
