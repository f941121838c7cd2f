package githubauth_test

import (
	"context"
	"net/netip"
	"testing"

	"gatehouse/githubauth"
	"gatehouse/githubauth/githubtest"
	"gatehouse/scopes"
)

// BenchmarkWarmRead is what every read of the registry costs here: who is it, and may they?
func BenchmarkWarmRead(b *testing.B) {
	f := githubtest.Acme().Start()
	defer f.Close()
	for name, token := range map[string]string{"classic": f.Wendy, "fine-grained": f.WendyReads, "actions": f.ActionsReads} {
		b.Run(name, func(b *testing.B) {
			c, err := githubauth.New(githubauth.Options{APIURL: f.APIURL(), WebURL: f.URL()})
			if err != nil {
				b.Fatal(err)
			}
			ctx, from, repo := context.Background(), netip.MustParseAddr("192.0.2.7"), bind(f.UI)
			read := func() {
				if _, err := c.Identify(ctx, token, from); err != nil {
					b.Fatal(err)
				}
				if a, err := c.Access(ctx, token, repo, scopes.Read); err != nil || a.Permission() < scopes.Read {
					b.Fatal(a, err)
				}
			}
			read()
			b.ReportAllocs()
			for b.Loop() {
				read()
			}
		})
	}
}
