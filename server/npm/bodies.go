package npm

import (
	"context"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"gatehouse/scopes"
	"gatehouse/server/gate"
	"gatehouse/server/problem"
)

// How many bodies are received at one time, and how long somebody waits for a place. Each body may fill a spool file and some memory, and a slow one
// holds its place for long; so nobody gets more than their share, however many they begin.
const (
	bodiesInAll    = 64
	bodiesOfOne    = 8
	waitForAPlace  = 20 * time.Second
	retryForAPlace = "too many publishes at once; nothing was stored, try again"
)

// bodies hands out the places.
type bodies struct {
	all *semaphore.Weighted

	mu   sync.Mutex
	each map[scopes.Principal]*share
}

type share struct {
	places *semaphore.Weighted
	users  int // who hold or want a place
}

func newBodies() *bodies {
	return &bodies{all: semaphore.NewWeighted(bodiesInAll), each: map[scopes.Principal]*share{}}
}

// take waits for a place and returns how to give it back.
func (b *bodies) take(ctx context.Context, who gate.Caller) (release func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, waitForAPlace)
	defer cancel()
	s, leave := b.shareOf(who.Principal)
	if s.Acquire(ctx, 1) != nil {
		leave()
		return nil, &problem.Plain{Status: http.StatusServiceUnavailable, Text: retryForAPlace}
	}
	if b.all.Acquire(ctx, 1) != nil {
		s.Release(1)
		leave()
		return nil, &problem.Plain{Status: http.StatusServiceUnavailable, Text: retryForAPlace}
	}
	return func() {
		b.all.Release(1)
		s.Release(1)
		leave()
	}, nil
}

// shareOf is the caller's own share. In an open registry all callers are one, and have all places.
func (b *bodies) shareOf(who scopes.Principal) (*semaphore.Weighted, func()) {
	who.Login, who.Credential = "", "" // the number is the identity
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.each[who]
	if s == nil {
		n := int64(bodiesOfOne)
		if who.Kind == scopes.Anyone {
			n = bodiesInAll
		}
		s = &share{places: semaphore.NewWeighted(n)}
		b.each[who] = s
	}
	s.users++
	return s.places, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if s.users--; s.users == 0 {
			delete(b.each, who)
		}
	}
}
