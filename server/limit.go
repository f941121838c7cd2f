package server

import (
	"hash/maphash"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/maypok86/otter/v2"
	"golang.org/x/time/rate"

	"gatehouse/server/gate"
	"gatehouse/server/problem"
)

// Limits are how many requests a minute are answered to one caller; 0 is any number. What is not used of a minute stands ready at once, and no more
// than that: an installation comes with all of its requests within seconds.
type Limits struct {
	PerToken   int
	PerAddress int
}

// limiters bounds how many callers are remembered. Who is forgotten begins anew: with more callers than that the limits are too generous, and never
// too strict.
const limiters = 50_000

// limited refuses the requests of callers who make too many, before anything is done for them. Its counts are this process's own.
//
// A token is counted by a hash under a key that dies with the process, whether it is a good one or not, and however the header spells it. So that many bad ones have no limit each,
// the address that they come from has one; an IPv6 network of 64 bits is one address, since that is what one customer gets.
func limited(l Limits, from func(*http.Request) netip.Addr) gin.HandlerFunc {
	seed := maphash.MakeSeed()
	tokens, addresses := newBuckets[uint64](l.PerToken), newBuckets[netip.Addr](l.PerAddress)
	return func(c *gin.Context) {
		if path := c.FullPath(); path == "/-/healthz" || path == "/-/readyz" {
			return
		}
		var wait time.Duration
		if addresses != nil {
			wait = addresses.take(network(from(c.Request)))
		}
		if tokens != nil && wait == 0 {
			if token, err := gate.Credential(c.Request.Header); err == nil {
				wait = tokens.take(maphash.String(seed, token))
			}
		}
		if wait > 0 {
			c.Writer.Header().Set("Retry-After", strconv.Itoa(int(wait/time.Second)+1))
			problem.Answer(c, &problem.Plain{Status: http.StatusTooManyRequests, Text: "too many requests: wait a little and try again"})
			c.Abort()
		}
	}
}

func network(a netip.Addr) netip.Addr {
	if !a.Is6() {
		return a
	}
	p, err := a.WithZone("").Prefix(64)
	if err != nil {
		return a
	}
	return p.Addr()
}

// buckets holds one bucket for each key.
type buckets[K comparable] struct {
	perMinute int
	all       *otter.Cache[K, *rate.Limiter]
}

// newBuckets returns nil for no limit.
func newBuckets[K comparable](perMinute int) *buckets[K] {
	if perMinute <= 0 {
		return nil
	}
	return &buckets[K]{perMinute, otter.Must(&otter.Options[K, *rate.Limiter]{MaximumSize: limiters})}
}

// take takes one request out of a bucket, or tells after what time there will be one. Nobody waits here.
func (b *buckets[K]) take(key K) time.Duration {
	l, ok := b.all.GetIfPresent(key)
	if !ok {
		l, _ = b.all.SetIfAbsent(key, rate.NewLimiter(rate.Limit(float64(b.perMinute)/60), b.perMinute))
	}
	if l.Allow() {
		return 0
	}
	return max(time.Duration(60/float64(b.perMinute)*float64(time.Second)), time.Millisecond)
}
