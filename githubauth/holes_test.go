package githubauth_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

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
