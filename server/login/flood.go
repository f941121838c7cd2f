package login

import (
	"net/netip"
	"sync"
	"time"
)

// How many logins may be begun within the lifetime of one: from an address, and in all. Anybody may begin one, and each is a row until it is over.
const (
	maxFrom  = 100 // a company or a course behind one address
	maxInAll = 2000
)

// flood counts the logins that were begun here lately. The zero value is ready.
type flood struct {
	mu    sync.Mutex
	begun []begun // oldest first
	from  map[netip.Prefix]int
}

type begun struct {
	from netip.Prefix
	at   time.Time
}

// refuse counts a login, or, if there are too many, returns how long it takes until there are fewer.
func (f *flood) refuse(from netip.Addr, now time.Time) time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.from == nil {
		f.from = map[netip.Prefix]int{}
	}
	for len(f.begun) > 0 && now.Sub(f.begun[0].at) >= lifetime {
		old := f.begun[0].from
		if f.from[old]--; f.from[old] == 0 {
			delete(f.from, old)
		}
		f.begun = f.begun[1:]
	}
	network := networkOf(from)
	if len(f.begun) >= maxInAll || f.from[network] >= maxFrom {
		for _, b := range f.begun {
			if len(f.begun) >= maxInAll || b.from == network {
				return max(b.at.Add(lifetime).Sub(now), time.Second)
			}
		}
	}
	f.begun = append(f.begun, begun{network, now})
	f.from[network]++
	return 0
}

// networkOf is what one customer of a network has: an address of IPv4, 64 bits of IPv6. The two loopbacks are one.
func networkOf(a netip.Addr) netip.Prefix {
	bits := 64
	switch a = a.Unmap(); {
	case a.IsLoopback():
		a, bits = netip.IPv6Loopback(), 128
	case a.Is4():
		bits = 32
	}
	p, _ := a.WithZone("").Prefix(bits) // the zero Prefix for an address that is not known
	return p
}
