package githubauth

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"
)

// How a host is given up, and tried again.
const (
	quickFailures = 16 // refused connections, 5xx: they hold nobody up
	slowFailures  = 4  // time-outs, each of which has made somebody wait
	tryAgain      = 5 * time.Second
)

// breaker spares callers the waiting for a host that does not answer: after several failures in a row its calls fail at once, and one
// is let through every tryAgain to see whether the host is back.
type breaker struct {
	steps *gobreaker.TwoStepCircuitBreaker[struct{}]
	slow  atomic.Int32 // time-outs in a row
}

func newBreaker(host string) *breaker {
	b := &breaker{}
	b.steps = gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
		Name: host, MaxRequests: 1, Timeout: tryAgain,
		// Anybody can hang up as often as they like; that must not take GitHub away from others.
		IsExcluded: func(err error) bool {
			u := (*Unavailable)(nil)
			return errors.As(err, &u) && u.cut
		},
		ReadyToTrip: func(n gobreaker.Counts) bool {
			return n.ConsecutiveFailures >= quickFailures || b.slow.Load() >= slowFailures
		},
	})
	return b
}

// allow returns what to tell of the call's end, or an *Unavailable if there is to be no call.
func (b *breaker) allow() (ended func(err error), err error) {
	done, err := b.steps.Allow()
	if err != nil {
		return nil, &Unavailable{Retry: tryAgain, Cause: "it has failed too often just now"}
	}
	return func(err error) {
		u := (*Unavailable)(nil)
		if !errors.As(err, &u) || !u.down {
			b.slow.Store(0)
			done(nil)
			return
		}
		if u.late && !u.cut {
			b.slow.Add(1)
		}
		done(err)
	}, nil
}
