package githubauth_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"gatehouse/githubauth"
	"gatehouse/githubauth/githubtest"
	"gatehouse/scopes"
)

// direct carries requests to a fake GitHub without a network, so that time can be synctest's.
type direct struct{ github http.Handler }

func (d direct) RoundTrip(r *http.Request) (resp *http.Response, err error) {
	defer func() {
		if v := recover(); v != nil {
			if err = r.Context().Err(); err == nil {
				err = errors.New("the connection was closed")
			}
		}
	}()
	w := httptest.NewRecorder()
	r = r.Clone(r.Context())
	r.Host, r.RemoteAddr = r.URL.Host, "192.0.2.9:1"
	if r.Body == nil {
		r.Body = http.NoBody
	}
	d.github.ServeHTTP(w, r)
	return w.Result(), nil
}

func unplugged(t *testing.T, f http.Handler, change func(*githubauth.Options)) *githubauth.Client {
	t.Helper()
	o := githubauth.Options{APIURL: "https://github.test/api/v3", WebURL: "https://github.test", Transport: direct{f}}
	if change != nil {
		change(&o)
	}
	c, err := githubauth.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestBreaker: while GitHub fails callers do not wait for it, and it is noticed within 30 s that it is back.
func TestBreaker(t *testing.T) {
	for what, fault := range map[string]githubtest.Fault{"hanging": githubtest.Slow(time.Hour), "dropping": githubtest.Drop, "502": githubtest.Status(502)} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := githubtest.Acme()
				var open atomic.Int32
				c := unplugged(t, f, func(o *githubauth.Options) {
					o.Observe = func(call githubauth.Call) {
						if call.Outcome == githubauth.BreakerOpen {
							open.Add(1)
						}
					}
				})
				ctx := context.Background()
				heal := f.Fail("", fault)
				u := (*githubauth.Unavailable)(nil)
				for range 17 {
					began := time.Now()
					if _, err := c.Access(ctx, f.Wendy, bind(f.UI), scopes.Write); !errors.As(err, &u) || u.Retry <= 0 {
						t.Fatal(err)
					}
					if took := time.Since(began); took > 10*time.Second {
						t.Fatalf("a caller waited %s", took)
					}
				}
				if open.Load() == 0 {
					t.Fatal("GitHub is still asked")
				}
				f.ResetCounts()
				began := time.Now()
				for range 100 {
					if _, err := c.Identify(ctx, f.Rita, netip.Addr{}); !errors.As(err, &u) {
						t.Fatal(err)
					}
				}
				if took := time.Since(began); took > 5*time.Second || f.Counts().Total() > 1 {
					t.Errorf("a hundred callers waited %s, GitHub was asked %d times", took, f.Counts().Total())
				}
				heal()
				began = time.Now()
				for {
					if _, err := c.Identify(ctx, f.Rita, netip.Addr{}); err == nil {
						break
					}
					if time.Since(began) > 30*time.Second {
						t.Fatal("GitHub has been back for 30 s and is not asked")
					}
					time.Sleep(time.Second)
				}
			})
		})
	}
}

// TestSlowGitHub: nobody waits longer than ten seconds, whatever it is that hangs.
func TestSlowGitHub(t *testing.T) {
	for _, route := range []string{"", githubtest.PostGraphQL, githubtest.GetUser, githubtest.GetBranches, githubtest.GitReceivePack, githubtest.GitUploadPack} {
		synctest.Test(t, func(t *testing.T) {
			f := githubtest.Acme()
			c := unplugged(t, f, nil)
			f.Fail(route, githubtest.Slow(time.Hour))
			for _, token := range []string{f.Wendy, f.WendyWrites, f.ActionsWrites} {
				for what, ask := range map[string]func(context.Context) error{
					"Identify": func(ctx context.Context) error { _, err := c.Identify(ctx, token, netip.Addr{}); return err },
					"read":     func(ctx context.Context) error { _, err := c.Access(ctx, token, bind(f.UI), scopes.Read); return err },
					"write":    func(ctx context.Context) error { _, err := c.Access(ctx, token, bind(f.UI), scopes.Write); return err },
					"Resolve": func(ctx context.Context) error {
						_, err := c.Resolve(ctx, token, "acme", "ui", scopes.Write)
						return err
					},
				} {
					began := time.Now()
					err := ask(context.Background())
					if u := (*githubauth.Unavailable)(nil); err != nil && !errors.As(err, &u) {
						t.Errorf("%s: %v", what, err)
					}
					if took := time.Since(began); took > 10*time.Second {
						t.Errorf("%s hanging: %s took %s", route, what, took)
					}
				}
			}
		})
	}
}

// TestCallsAtOnce: a credential has ten calls in flight, and all together 64.
func TestCallsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := githubtest.Acme()
		var mu sync.Mutex
		flying, most := 0, 0
		slow := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			flying++
			most = max(most, flying)
			mu.Unlock()
			time.Sleep(100 * time.Millisecond)
			mu.Lock()
			flying--
			mu.Unlock()
			f.ServeHTTP(w, r)
		})
		c := unplugged(t, slow, nil)
		ask := func(tokens ...string) {
			var all sync.WaitGroup
			most = 0
			for _, token := range tokens {
				for i := range 30 {
					all.Go(func() {
						if _, err := c.Access(context.Background(), token, scopes.Repo{ID: f.UI.ID + int64(i)}, scopes.Write); err != nil {
							t.Error(err)
						}
					})
				}
			}
			all.Wait()
		}
		ask(f.Wendy)
		if most != 10 {
			t.Errorf("%d calls with one credential at once", most)
		}
		ask(f.Wendy, f.Rita, f.Ada, f.Mallory, f.WendyReads, f.WendyScopes, f.WendyWrites, f.ActionsReads, f.ActionsWrites)
		if most != 64 {
			t.Errorf("%d calls at once", most)
		}
	})
}

// TestStale: while GitHub cannot be asked, reads go on with what it said before, for a bounded time; nothing else does.
func TestStale(t *testing.T) {
	ctx := context.Background()
	u := (*githubauth.Unavailable)(nil)
	for _, outage := range []githubtest.Fault{githubtest.Status(503), githubtest.PrimaryLimit(403)} {
		for _, kind := range []string{"classic", "fine-grained", "installation"} {
			f := githubtest.Acme().Start()
			defer f.Close()
			token := map[string]string{"classic": f.Wendy, "fine-grained": f.WendyReads, "installation": f.ActionsReads}[kind]
			now := newClock()
			c := registry(t, f, now, []scopes.Repo{bind(f.UI)}, func(o *githubauth.Options) { o.Stale = 15 * time.Minute })
			can := func(repo githubtest.Repo) (scopes.Permission, error) {
				if _, err := c.Identify(ctx, token, netip.Addr{}); err != nil {
					return scopes.None, err
				}
				a, err := c.Access(ctx, token, bind(repo), scopes.Read)
				if err == nil && now.Now().Sub(a.At) > 16*time.Minute {
					t.Errorf("an answer of %s", a.At)
				}
				return a.Permission(), err
			}
			before := now.Now()
			if p, err := can(f.UI); err != nil || p < scopes.Read {
				t.Fatal(p, err)
			}
			_, _ = can(f.API) // refused to the workflow
			f.Fail("", outage)
			now.pass(10 * time.Minute)
			if p, err := can(f.UI); err != nil || p < scopes.Read {
				t.Errorf("%s: during an outage: %s %v", kind, p, err)
			}
			if a, _ := c.Access(ctx, token, bind(f.UI), scopes.Read); !a.At.Equal(before) {
				t.Errorf("%s: it was asked at %s, and says %s", kind, before, a.At)
			}
			if kind == "installation" {
				if _, err := can(f.API); !errors.As(err, &u) {
					t.Errorf("a refusal is no answer for an outage: %v", err)
				}
			}
			if _, err := c.Access(ctx, token, bind(f.UI), scopes.Write); !errors.As(err, &u) {
				t.Errorf("%s: a write: %v", kind, err)
			}
			if err := c.Confirm(ctx, token, time.Second); !errors.As(err, &u) {
				t.Errorf("%s: Confirm: %v", kind, err)
			}
			now.pass(7 * time.Minute)
			if _, err := can(f.UI); !errors.As(err, &u) {
				t.Errorf("%s: after too long: %v", kind, err)
			}
			if c.Stats().Stale == 0 {
				t.Error("stale answers are not counted")
			}
		}
	}
}

// TestNothingRefusedBecomesAllowed: what GitHub has taken back is not given again because it cannot be asked.
func TestNothingRefusedBecomesAllowed(t *testing.T) {
	ctx := context.Background()
	for what, takeBack := range map[string]func(*githubtest.Fixture){
		"the token":      func(f *githubtest.Fixture) { f.RevokeToken(f.Wendy) },
		"the role":       func(f *githubtest.Fixture) { f.Revoke("wendy", "acme/ui") },
		"single sign-on": func(f *githubtest.Fixture) { f.RequireSSO("acme", true) },
		"the scope":      func(f *githubtest.Fixture) { f.Edit(f.Wendy, githubtest.Classic{User: "wendy"}) },
	} {
		for _, need := range []scopes.Permission{scopes.Read, scopes.Write} {
			f := githubtest.Acme().Start()
			defer f.Close()
			now := newClock()
			c := registry(t, f, now, []scopes.Repo{bind(f.UI)}, func(o *githubauth.Options) { o.Stale = 15 * time.Minute })
			if a, err := c.Access(ctx, f.Wendy, bind(f.UI), scopes.Read); err != nil || a.Permission() < scopes.Read {
				t.Fatal(a, err)
			}
			takeBack(f)
			now.pass(61 * time.Second)
			if a, err := c.Access(ctx, f.Wendy, bind(f.UI), need); err == nil && a.Permission() >= scopes.Read {
				t.Fatal(what, a)
			}
			f.Outage(503)
			now.pass(11 * time.Second)
			if a, err := c.Access(ctx, f.Wendy, bind(f.UI), scopes.Read); err == nil && a.Permission() >= scopes.Read {
				t.Errorf("%s was taken back, and is there again in the outage: %+v", what, a)
			}
		}
	}
}
