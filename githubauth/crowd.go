package githubauth

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/maypok86/otter/v2"
	"golang.org/x/sync/semaphore"
	"golang.org/x/time/rate"
)

// What wrong tokens may cost. GitHub answers repeated ones by refusing good ones from the same address, which is this registry's.
const (
	wrongHere      = 20              // from one address at once
	wrongHereAgain = 3 * time.Second // and one more each
	wrongAll       = 60              // from all together
	wrongAllAgain  = time.Second
	maxAddresses   = 10_000
)

// Crowded: too many tokens that GitHub does not know came from the caller's address of late. The token at hand was not looked at.
type Crowded struct {
	Retry time.Duration // when the next one will be looked at
}

func (e *Crowded) Error() string {
	return fmt.Sprintf("many wrong tokens came from your address; try again in %d s", int(e.Retry.Round(time.Second).Seconds()))
}

// crowd keeps invented tokens from GitHub, and those who invent them from locking out others. Only tokens that GitHub has never confirmed are
// held up, and only wrong ones are charged: to their address, and to all. When what all may cost is used up, addresses that sent wrong ones wait and
// the others go on; of IPv6, the sites.
type crowd struct {
	addresses *otter.Cache[netip.Prefix, *sender]
	all       *rate.Limiter
}

// sender is an address with its wrong tokens. asking bounds how many are out at the same time, before it is known which of them are wrong.
type sender struct {
	wrong  *rate.Limiter
	asking *semaphore.Weighted
}

func newCrowd() (*crowd, error) {
	addresses, err := otter.New(&otter.Options[netip.Prefix, *sender]{MaximumSize: maxAddresses})
	return &crowd{addresses: addresses, all: rate.NewLimiter(rate.Every(wrongAllAgain), wrongAll)}, err
}

// admit asks about a token, if its address has not sent too many wrong ones.
func (w *crowd) admit(ctx context.Context, k *credential, from netip.Addr, now func() time.Time, ask func() error) error {
	if k.confirmed() || k.refusal(now()) != nil {
		return ask()
	}
	s, site := w.sender(network(from)), w.sender(around(from))
	for _, s := range []*sender{s, site} {
		if err := s.asking.Acquire(ctx, 1); err != nil {
			return err
		}
		defer s.asking.Release(1)
		if s == site {
			break // both are one
		}
	}
	at := now()
	left := s.wrong.TokensAt(at)
	if left < 1 {
		return &Crowded{wait(left, wrongHereAgain)}
	}
	if all := w.all.TokensAt(at); all < 1 && min(left, site.wrong.TokensAt(at)) < wrongHere {
		return &Crowded{wait(all, wrongAllAgain)}
	}
	err := ask()
	if errors.Is(err, ErrBadCredential) {
		at := now()
		s.wrong.AllowN(at, 1)
		w.all.AllowN(at, 1)
		if s != site {
			site.wrong.AllowN(at, 1)
		}
	}
	return err
}

func (w *crowd) sender(p netip.Prefix) *sender {
	s, _ := w.addresses.ComputeIfAbsent(p, func() (*sender, bool) {
		return &sender{rate.NewLimiter(rate.Every(wrongHereAgain), wrongHere), semaphore.NewWeighted(wrongHere)}, false
	})
	return s
}

func wait(left float64, each time.Duration) time.Duration {
	return max(time.Duration((1-left)*float64(each)), time.Second)
}

// around is what counts as one sender once all have sent too many: whoever has one network of IPv6 can have 65,536 of them, and none of them sent anything yet.
func around(a netip.Addr) netip.Prefix {
	p := network(a)
	if p.Bits() == 64 {
		p, _ = p.Addr().Prefix(48) // an IPv6 address has that many bits
	}
	return p
}

// network is what counts as one address: a home or a machine has a whole /64 of IPv6.
func network(a netip.Addr) netip.Prefix {
	a = a.Unmap().WithZone("")
	bits := a.BitLen()
	if a.Is6() {
		bits = 64
	}
	p, _ := a.Prefix(bits) // the zero Addr, and only it, has none
	return p
}
