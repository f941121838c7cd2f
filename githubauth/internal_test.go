package githubauth_test

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"gatehouse/githubauth"
	"gatehouse/githubauth/githubtest"
	"gatehouse/scopes"
)

// TestInternal: that a repository is internal is believed for a minute after GitHub has said so to somebody who sees it, or longer in an outage; that
// somebody else does not see it takes nothing away, and that it was closed does.
func TestInternal(t *testing.T) {
	for what, server := range map[string]func(*githubtest.Fixture) githubauth.Server{
		"a server that sees it":      func(f *githubtest.Fixture) githubauth.Server { return githubauth.Server{Token: f.Ada} },
		"a server that does not":     func(f *githubtest.Fixture) githubauth.Server { return githubauth.Server{Token: f.WendyScopes} },
		"a server without any token": func(*githubtest.Fixture) githubauth.Server { return githubauth.Server{} },
	} {
		t.Run(what, func(t *testing.T) {
			f := githubtest.Acme().Start()
			defer f.Close()
			now := newClock()
			inner := f.AddRepo("acme/inner", githubtest.Internal)
			s := server(f)
			sees := s.Token == f.Ada
			c := registry(t, f, now, nil, func(o *githubauth.Options) { o.Server = s; o.Stale = 15 * time.Minute })
			internal := func(want bool, when string) {
				t.Helper()
				p, err := c.Public(context.Background(), bind(inner))
				if err != nil || p.Repo != (scopes.Repo{}) || (p.Internal.ID == inner.ID && p.Internal.OwnerID == inner.OwnerID) != want {
					t.Errorf("%s: %+v, %v", when, p, err)
				}
			}
			internal(sees, "at first")
			if _, err := c.Identify(context.Background(), f.Rita, netip.Addr{}); err != nil {
				t.Fatal(err)
			}
			if a, err := c.Access(context.Background(), f.Rita, bind(inner), scopes.Read); err != nil || a.Permission() < scopes.Read {
				t.Fatalf("%+v, %v", a, err)
			}
			internal(true, "after a member has read it")
			now.pass(30 * time.Second)
			internal(true, "half a minute later")
			now.pass(31 * time.Second)
			internal(sees, "a minute later")
			heal := f.Outage(503)
			now.pass(61 * time.Second)
			internal(sees, "in an outage")
			now.pass(16 * time.Minute)
			internal(false, "in a long one")
			heal()
			now.pass(10 * time.Minute)
			internal(sees, "after it")
			f.SetVisibility("acme/inner", githubtest.Private)
			now.pass(61 * time.Second)
			internal(false, "closed")
		})
	}
}
