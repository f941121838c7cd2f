package githubauth_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/githubauth"
	"gatehouse/githubauth/githubtest"
)

// invented is the n-th of many tokens that could be one of GitHub's, and are not.
func invented(n int) string {
	return "github_pat_" + fmt.Sprintf("%022d", n) + "_" + strings.Repeat("a", 59)
}

// TestInventedTokensDoNotLockOutANeighbour: who sends many wrong tokens is held up, and nobody else.
func TestInventedTokensDoNotLockOutANeighbour(t *testing.T) {
	f, c, now := start(t)
	ctx := context.Background()
	bad, good := netip.MustParseAddr("192.0.2.66"), netip.MustParseAddr("192.0.2.7")
	if _, err := c.Identify(ctx, f.Rita, bad); err != nil {
		t.Fatal(err)
	}
	f.ResetCounts()
	var crowded *githubauth.Crowded
	held := 0
	for n := range 500 {
		switch _, err := c.Identify(ctx, invented(n), bad); {
		case errors.As(err, &crowded):
			held++
			if crowded.Retry <= 0 || crowded.Retry > time.Minute || strings.Contains(err.Error(), "github_pat") {
				t.Fatal(crowded.Retry, err)
			}
		case !errors.Is(err, githubauth.ErrBadCredential):
			t.Fatal(err)
		}
	}
	if got := f.Counts().Total(); got != 20 || held != 480 {
		t.Errorf("GitHub was asked about %d invented tokens, %d were held up", got, held)
	}
	now.pass(61 * time.Second)
	for range 19 {
		_, _ = c.Identify(ctx, invented(1000+held), bad)
		held++
	}
	if _, err := c.Identify(ctx, f.Rita, bad); err != nil {
		t.Errorf("a token that was good before, from the same address: %v", err)
	}
	if _, err := c.Identify(ctx, f.Wendy, good); err != nil {
		t.Errorf("a new token from a neighbour: %v", err)
	}
	if _, err := c.Identify(ctx, invented(0), good); !errors.Is(err, githubauth.ErrBadCredential) {
		t.Errorf("a mistake of a neighbour: %v", err)
	}
}

// TestInventedTokensFromEverywhere: what all addresses together may try is bounded too; those who sent no wrong tokens go on.
func TestInventedTokensFromEverywhere(t *testing.T) {
	f, c, now := start(t)
	ctx := context.Background()
	f.ResetCounts()
	address := func(n int) netip.Addr { return netip.AddrFrom4([4]byte{198, 51, 100, byte(n)}) }
	for n := range 1000 {
		_, _ = c.Identify(ctx, invented(n), address(n%10))
	}
	if got := f.Counts().Total(); got > 70 {
		t.Errorf("GitHub was asked about %d invented tokens", got)
	}
	var crowded *githubauth.Crowded
	if _, err := c.Identify(ctx, f.Wendy, address(1)); !errors.As(err, &crowded) {
		t.Errorf("an unknown token from where wrong ones came: %v", err)
	}
	if _, err := c.Identify(ctx, f.Wendy, address(99)); err != nil {
		t.Errorf("from elsewhere: %v", err)
	}
	now.pass(2 * time.Minute)
	if _, err := c.Identify(ctx, f.Ada, address(1)); err != nil {
		t.Errorf("later: %v", err)
	}
	// All of an IPv6 network is one address.
	for n := range 40 {
		a := netip.MustParseAddr(fmt.Sprintf("2001:db8::%x", n+1))
		if _, err := c.Identify(ctx, invented(5000+n), a); n == 39 && !errors.As(err, &crowded) {
			t.Errorf("the 40th wrong token of a network: %v", err)
		}
	}
}

// TestGoodTokensCostNothing: many new and good tokens at once from one address, as of a CI's runners, are not held up.
func TestGoodTokensCostNothing(t *testing.T) {
	f, c, _ := start(t)
	var all sync.WaitGroup
	for range 100 {
		token := f.Token(githubtest.Classic{User: "rita"})
		all.Go(func() {
			if _, err := c.Identify(context.Background(), token, netip.MustParseAddr("192.0.2.7")); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}
