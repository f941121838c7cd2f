package githubauth_test

import (
	"context"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/githubauth"
	"gatehouse/githubauth/githubtest"
	"gatehouse/scopes"
)

// TestObserve: every call is told, by its template and outcome, and nothing in it is anybody's.
func TestObserve(t *testing.T) {
	ctx := context.Background()
	f := githubtest.Acme().Start()
	defer f.Close()
	var mu sync.Mutex
	seen := map[string]int{}
	c := registry(t, f, newClock(), nil, func(o *githubauth.Options) {
		o.Observe = func(call githubauth.Call) {
			mu.Lock()
			defer mu.Unlock()
			seen[call.Endpoint+" "+string(call.Outcome)]++
			if strings.Contains(call.Endpoint, "acme") || call.Took <= 0 || call.Took > time.Minute {
				t.Errorf("%+v", call)
			}
			if isGit := strings.HasPrefix(call.Endpoint, "git "); call.Outcome == githubauth.OK && (call.Remaining > 0) == isGit {
				t.Errorf("%+v", call)
			}
		}
	})
	told := func(want string, ask func()) {
		t.Helper()
		mu.Lock()
		clear(seen)
		mu.Unlock()
		f.ResetCounts()
		ask()
		mu.Lock()
		defer mu.Unlock()
		if total := f.Counts().Total(); seen[want] != 1 || len(seen) != total {
			t.Errorf("want %s, told of %v, GitHub was asked %d times", want, seen, total)
		}
	}
	alone := func(r githubtest.Repo) scopes.Repo { return scopes.Repo{ID: r.ID, OwnerID: r.OwnerID} }
	access := func(token string, r scopes.Repo, need scopes.Permission) func() {
		return func() { _, _ = c.Access(ctx, token, r, need) }
	}
	told("GET /user ok", func() { _, _ = c.Identify(ctx, f.Wendy, netip.Addr{}) })
	told("GraphQL nodes ok", access(f.Wendy, bind(f.UI), scopes.Read))
	told("GET /repositories/{id} ok", access(f.Wendy, alone(f.API), scopes.Read))
	told("GET /repositories/{id} not-shown", access(f.Mallory, alone(f.API), scopes.Read))
	told("git receive-pack ok", access(f.WendyWrites, bind(f.UI), scopes.Write))
	told("git receive-pack refused", access(f.ActionsReads, bind(f.UI), scopes.Write))
	told("GET /repos/{owner}/{repo} ok", func() { _, _ = c.Resolve(ctx, f.Wendy, "acme", "ui", scopes.Write) })
	f.RevokeToken(f.Rita)
	told("GET /user bad-credential", func() { _, _ = c.Identify(ctx, f.Rita, netip.Addr{}) })
	heal := f.Fail("", githubtest.PrimaryLimit(429))
	told("GET /user rate-limited", func() { _, _ = c.Identify(ctx, f.Ada, netip.Addr{}) })
	heal()
	f.Outage(502)
	told("GET /user unavailable", func() { _, _ = c.Identify(ctx, f.WendyReads, netip.Addr{}) })

	before := c.Stats()
	_, _ = c.Identify(ctx, f.Wendy, netip.Addr{})
	_, _ = c.Access(ctx, f.Wendy, bind(f.UI), scopes.Read)
	_, _ = c.Access(ctx, f.Wendy, bind(f.Open), scopes.Read)
	if s := c.Stats(); s.Hits != before.Hits+2 || s.Misses != before.Misses+1 || s.Entries < 3 {
		t.Errorf("%+v, and before %+v", s, before)
	}
}
