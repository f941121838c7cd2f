package githubauth_test

import (
	"context"
	"net/netip"
	"strings"
	"testing"

	"gatehouse/githubauth/githubtest"
	"gatehouse/scopes"
)

// TestStanding: who is shut out is told what keeps the token out, at the cost of one question, and the same whichever name was asked for.
func TestStanding(t *testing.T) {
	ctx := context.Background()
	only := func(s ...string) []string { return s }
	for what, x := range map[string]struct {
		token func(*githubtest.Fixture) string
		set   func(*githubtest.Fixture)
		want  string
	}{
		"no scope": {token: func(f *githubtest.Fixture) string { return f.WendyScopes }, want: `lacks the scope "repo"`},
		"public_repo": {token: func(f *githubtest.Fixture) string {
			return f.Token(githubtest.OAuth{User: "wendy", Scopes: only("public_repo")})
		}, want: `lacks the scope "repo"`},
		"fine-grained": {token: func(f *githubtest.Fixture) string {
			return f.Token(githubtest.FineGrained{User: "wendy"}, githubtest.Pending())
		},
			want: `"Contents: read", and may still await the approval`},
		"App user": {token: func(f *githubtest.Fixture) string {
			return f.Token(githubtest.AppUser{User: "mallory", Owner: "mallory"})
		}, want: "GitHub App is installed on"},
		"a workflow":   {token: func(f *githubtest.Fixture) string { return f.Token(githubtest.Actions{Repo: "acme/api"}) }, want: "the token of a workflow reads"},
		"installation": {token: func(f *githubtest.Fixture) string { return f.Token(githubtest.Installation{Owner: "mallory"}) }, want: "installation token reads"},
		"sso": {token: func(f *githubtest.Fixture) string { return f.Wendy }, set: func(f *githubtest.Fixture) { f.RequireSSO("acme", true) },
			want: "single sign-on"},
		"classic forbidden": {token: func(f *githubtest.Fixture) string { return f.Wendy }, set: func(f *githubtest.Fixture) { f.ForbidClassic("acme", true) },
			want: "does not accept classic"},
		"IP allow list": {token: func(f *githubtest.Fixture) string { return f.WendyReads },
			set: func(f *githubtest.Fixture) { f.AllowAddresses("acme", netip.MustParsePrefix("203.0.113.0/24")) }, want: "IP allow list"},
		"nothing to tell": {token: func(f *githubtest.Fixture) string { return f.Mallory }},
	} {
		t.Run(what, func(t *testing.T) {
			for _, node := range []bool{true, false} {
				f, c, _ := start(t)
				if x.set != nil {
					x.set(f)
				}
				token := x.token(f)
				like, other := bind(f.UI), bind(f.API)
				if !node {
					like.Node, other.Node = "", ""
				}
				if _, err := c.Identify(ctx, token, netip.Addr{}); err != nil {
					t.Fatal(err)
				}
				f.ResetCounts()
				for range 20 {
					got := c.Standing(ctx, token, like)
					if (x.want == "") != (got == "") || !strings.Contains(got, x.want) || strings.ContainsAny(got, "\r\n") {
						t.Errorf("%q, want %q", got, x.want)
					}
				}
				if got := f.Counts().API(); got > 1 {
					t.Errorf("%d questions\n%s", got, f.Counts())
				}
				hidden, err := c.Access(ctx, token, other, scopes.Read)
				if err != nil || x.set != nil && !strings.Contains(hidden.Why, x.want) {
					t.Errorf("Access says %q %v", hidden.Why, err)
				}
				if x.want == "" || x.set != nil {
					continue
				}
				f.ResetCounts()
				if got := c.Standing(ctx, token, scopes.Repo{}); !strings.Contains(got, x.want) || f.Counts().Total() != 0 {
					t.Errorf("of the token alone: %q\n%s", got, f.Counts())
				}
			}
		})
	}
}

// TestSuspended: GitHub answers a suspended user's token with 403, which is nobody's being down.
func TestSuspended(t *testing.T) {
	f, c, _ := start(t)
	f.Suspend("wendy", true)
	if _, err := c.Identify(context.Background(), f.Wendy, netip.Addr{}); err == nil || !strings.Contains(err.Error(), "suspended") {
		t.Error(err)
	}
}
