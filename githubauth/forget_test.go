package githubauth_test

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"testing"
	"time"

	"gatehouse/githubauth"
	"gatehouse/githubauth/githubtest"
	"gatehouse/scopes"
)

// TestForget: an event drops what it may have changed, and leaves the rest.
func TestForget(t *testing.T) {
	ctx := context.Background()
	f := githubtest.Acme().Start()
	defer f.Close()
	other := f.AddRepo("rita/own", githubtest.Private)
	now := newClock()
	repos := []scopes.Repo{bind(f.UI), bind(f.API), bind(other)}
	c := registry(t, f, now, nil, func(o *githubauth.Options) { o.Stale = time.Hour })
	tokens := map[string]string{"wendy": f.Wendy, "rita": f.Rita, "granular": f.WendyReads}
	warm := func() {
		for _, token := range tokens {
			if _, err := c.Identify(ctx, token, netip.Addr{}); err != nil {
				t.Fatal(err)
			}
			for _, r := range repos {
				if _, err := c.Access(ctx, token, r, scopes.Read); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	wendy, rita, acme := f.Account("wendy").ID, f.Account("rita").ID, f.UI.OwnerID
	for what, x := range map[string]struct {
		drop githubauth.Forgotten
		want map[string][3]bool // whether ui, api and own must be asked for again
	}{
		"nothing":        {githubauth.Forgotten{}, nil},
		"a repository":   {githubauth.Forgotten{Repo: f.UI.ID}, map[string][3]bool{"wendy": {true}, "rita": {true}, "granular": {true}}},
		"an owner":       {githubauth.Forgotten{Owner: acme}, map[string][3]bool{"wendy": {true, true}, "rita": {true, true}, "granular": {true, true}}},
		"a member":       {githubauth.Forgotten{Repo: f.UI.ID, User: rita}, map[string][3]bool{"rita": {true}}},
		"member of org":  {githubauth.Forgotten{Owner: acme, User: wendy}, map[string][3]bool{"wendy": {true, true}, "granular": {true, true}}},
		"a user":         {githubauth.Forgotten{User: rita}, map[string][3]bool{"rita": {true, true, true}}},
		"somebody else":  {githubauth.Forgotten{User: 4711}, nil},
		"everything":     {githubauth.Forgotten{All: true}, map[string][3]bool{"wendy": {true, true, true}, "rita": {true, true, true}, "granular": {true, true, true}}},
		"another repo":   {githubauth.Forgotten{Repo: 4711}, nil},
		"another's repo": {githubauth.Forgotten{Repo: f.UI.ID, Owner: other.OwnerID}, nil},
	} {
		warm()
		c.Forget(x.drop)
		for name, token := range tokens {
			for i, r := range repos {
				f.ResetCounts()
				if _, err := c.Access(ctx, token, r, scopes.Read); err != nil {
					t.Fatal(err)
				}
				if asked := f.Counts().By(token).Total() > 0; asked != x.want[name][i] {
					t.Errorf("%s was forgotten: %s about %s is asked for again: %t", what, name, r.Name, asked)
				}
			}
		}
	}
	// What was dropped is not there for an outage either.
	warm()
	c.Forget(githubauth.Forgotten{Repo: f.UI.ID})
	f.Outage(503)
	u := (*githubauth.Unavailable)(nil)
	if a, err := c.Access(ctx, f.Rita, bind(f.UI), scopes.Read); !errors.As(err, &u) {
		t.Errorf("%+v %v", a, err)
	}
	if _, err := c.Access(ctx, f.Rita, bind(f.API), scopes.Read); err != nil {
		t.Errorf("another: %v", err)
	}
}

// TestForgetWhileAsking: an answer whose question was asked before the event counts for nothing, for those who wait for it too.
func TestForgetWhileAsking(t *testing.T) {
	ctx := context.Background()
	for what, repo := range map[string]func(scopes.Repo) scopes.Repo{
		"alone":   func(r scopes.Repo) scopes.Repo { r.Node = ""; return r },
		"batched": func(r scopes.Repo) scopes.Repo { return r },
	} {
		for _, need := range []scopes.Permission{scopes.Read, scopes.Write} {
			f := githubtest.Acme().Start()
			defer f.Close()
			f.Grant("rita", "acme/ui", githubtest.Push)
			r := repo(bind(f.UI))
			// The first answer is made, and held back on its way while the event happens.
			c, answered, goOn := late(t, f, newClock())
			type result struct {
				a   scopes.Access
				err error
			}
			done := make(chan result)
			go func() {
				a, err := c.Access(ctx, f.Rita, r, need)
				done <- result{a, err}
			}()
			<-answered
			f.Revoke("rita", "acme/ui")
			c.Forget(githubauth.Forgotten{Repo: f.UI.ID, User: f.Account("rita").ID})
			after, err := c.Access(ctx, f.Rita, r, need)
			if err != nil || after.Permission() != scopes.None {
				t.Errorf("%s, %s: asked after the event: %s %v", what, need, after.Permission(), err)
			}
			close(goOn)
			if got := <-done; got.err != nil || got.a.Permission() != scopes.None {
				t.Errorf("%s, %s: the answer from before the event: %s %v", what, need, got.a.Permission(), got.err)
			}
			if a, err := c.Access(ctx, f.Rita, r, scopes.Read); err != nil || a.Permission() != scopes.None {
				t.Errorf("%s, %s: kept: %s %v", what, need, a.Permission(), err)
			}
		}
	}
}

// holding calls hold after each answer.
type holding struct{ hold func() }

func (h holding) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := http.DefaultTransport.RoundTrip(r)
	h.hold()
	return resp, err
}

// late is a client whose first answer is held back until the test lets it go; answered says that it was made.
func late(t *testing.T, f *githubtest.Fixture, now *clock) (c *githubauth.Client, answered, goOn chan bool) {
	answered, goOn = make(chan bool), make(chan bool)
	held := false
	c = registry(t, f, now, nil, func(o *githubauth.Options) {
		o.Transport = holding{func() {
			if !held {
				held = true
				answered <- true
				<-goOn
			}
		}}
	})
	return c, answered, goOn
}

// TestLateAnswersDoNotReviveAToken: GitHub calls a token bad while an answer from before is on its way.
func TestLateAnswersDoNotReviveAToken(t *testing.T) {
	ctx := context.Background()
	for what, ask := range map[string]func(*githubauth.Client, *githubtest.Fixture) error{
		"Identify": func(c *githubauth.Client, f *githubtest.Fixture) error {
			_, err := c.Identify(ctx, f.Rita, netip.Addr{})
			return err
		},
		"Access": func(c *githubauth.Client, f *githubtest.Fixture) error {
			_, err := c.Access(ctx, f.Rita, bind(f.UI), scopes.Read)
			return err
		},
	} {
		f := githubtest.Acme().Start()
		defer f.Close()
		now := newClock()
		c, answered, goOn := late(t, f, now)
		done := make(chan error)
		go func() { done <- ask(c, f) }()
		<-answered
		f.RevokeToken(f.Rita)
		now.pass(time.Second)
		if _, err := c.Access(ctx, f.Rita, bind(f.API), scopes.Write); !errors.Is(err, githubauth.ErrBadCredential) {
			t.Fatal(err)
		}
		close(goOn)
		<-done
		for _, ask := range []func() error{
			func() error { _, err := c.Access(ctx, f.Rita, bind(f.UI), scopes.Read); return err },
			func() error { _, err := c.Identify(ctx, f.Rita, netip.Addr{}); return err },
			func() error { return c.Confirm(ctx, f.Rita, time.Hour) },
		} {
			if err := ask(); !errors.Is(err, githubauth.ErrBadCredential) {
				t.Errorf("%s: a token that GitHub has called bad: %v", what, err)
			}
		}
	}
}

// TestLateAnswersDoNotReviveARole: a write has found a role gone while an answer from before is on its way.
func TestLateAnswersDoNotReviveARole(t *testing.T) {
	ctx := context.Background()
	f := githubtest.Acme().Start()
	defer f.Close()
	now := newClock()
	c, answered, goOn := late(t, f, now)
	done := make(chan error)
	go func() {
		_, err := c.Access(ctx, f.Wendy, bind(f.UI), scopes.Read)
		done <- err
	}()
	<-answered
	f.Revoke("wendy", "acme/ui")
	now.pass(time.Second)
	if a, err := c.Access(ctx, f.Wendy, bind(f.UI), scopes.Write); err != nil || a.Permission() != scopes.None {
		t.Fatal(a, err)
	}
	close(goOn)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if a, err := c.Access(ctx, f.Wendy, bind(f.UI), scopes.Read); err != nil || a.Permission() != scopes.None {
		t.Errorf("a role that was found gone is back: %+v %v", a, err)
	}
}
