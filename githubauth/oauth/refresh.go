package oauth

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"gatehouse/githubauth"
)

// refreshBefore is how long before its end a token is refreshed: longer than any request takes that begins with it.
const refreshBefore = 5 * time.Minute

// Refresher refreshes credentials that are kept somewhere. A refresh token works once, and whoever loses what came of it has lost the login: so of all
// who need one credential at a time one asks GitHub, its work is not cut short by its caller's going away, and nobody gets the new token before it is kept.
type Refresher struct {
	app     *App
	now     func() time.Time
	flights singleflight.Group

	mu    sync.Mutex
	again time.Time // when GitHub may be asked again for what is not needed yet
}

// NewRefresher returns one. A nil now means time.Now.
func NewRefresher(app *App, now func() time.Time) *Refresher {
	if now == nil {
		now = time.Now
	}
	return &Refresher{app: app, now: now}
}

// Kept is where a credential is kept.
type Kept struct {
	// Name tells it from others, in this process; it is no secret.
	Name string
	// Read returns the credential as it is kept now.
	Read func(context.Context) (Credential, error)
	// Replace keeps new in the place of old, durably, if old is what is there; if not, the error is one for which Stale returns true.
	Replace func(ctx context.Context, old, new Credential) error
	Stale   func(error) bool
}

// Due reports whether a credential has to be refreshed before it is used.
func (r *Refresher) Due(c Credential) bool {
	return c.Refresh != "" && !c.Expires.IsZero() && !r.now().Before(c.Expires.Add(-refreshBefore))
}

// How often, and at what distance, another process is given time to keep what it got, and the storage to recover.
const (
	tries   = 10
	between = 200 * time.Millisecond
)

// Fresh returns c if it is good for a while yet, and otherwise what it was refreshed to, by this process or another. While GitHub cannot be asked, c is good to
// its end. Errors: ErrSpent if it cannot be
// refreshed any more, *Setup, *githubauth.Unavailable, and those of Kept.
func (r *Refresher) Fresh(ctx context.Context, c Credential, kept Kept) (Credential, error) {
	over := !r.now().Before(c.Expires)
	if !r.Due(c) || !over && r.resting() {
		return c, nil
	}
	done := r.flights.DoChan(kept.Name, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*callTimeout)
		defer cancel()
		return r.refresh(ctx, kept)
	})
	select {
	case result := <-done:
		if r.rest(result.Err) && !over {
			return c, nil
		}
		if result.Err != nil {
			return Credential{}, result.Err
		}
		return result.Val.(Credential), nil
	case <-ctx.Done():
		return Credential{}, ctx.Err()
	}
}

// rest reports whether an error says that GitHub did not do it, and leaves it alone for a while.
func (r *Refresher) rest(err error) bool {
	wait := time.Duration(0)
	if setup := (*Setup)(nil); errors.As(err, &setup) {
		wait = time.Minute
	}
	if down := (*githubauth.Unavailable)(nil); errors.As(err, &down) {
		wait = down.Retry
	}
	if wait == 0 {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.again = r.now().Add(wait)
	return true
}

func (r *Refresher) resting() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.now().Before(r.again)
}

func (r *Refresher) refresh(ctx context.Context, kept Kept) (Credential, error) {
	old, err := kept.Read(ctx)
	if err != nil || !r.Due(old) {
		return old, err
	}
	new, err := r.app.Refresh(ctx, old.Refresh)
	if errors.Is(err, ErrSpent) {
		return r.byAnother(ctx, old, kept)
	}
	if err != nil {
		return Credential{}, err
	}
	for i := 0; ; i++ {
		err := kept.Replace(ctx, old, new)
		switch {
		case err == nil:
			return new, nil
		case kept.Stale(err):
			return kept.Read(ctx)
		case i == tries || ctx.Err() != nil:
			return Credential{}, fmt.Errorf("a token was refreshed and could not be kept: %w", err)
		}
		pause(ctx)
	}
}

// byAnother waits for what another process got for the refresh token, which is spent: GitHub knows that before the new one is kept.
func (r *Refresher) byAnother(ctx context.Context, old Credential, kept Kept) (Credential, error) {
	for range tries {
		pause(ctx)
		now, err := kept.Read(ctx)
		if err != nil || now.Refresh != old.Refresh {
			return now, err
		}
	}
	return Credential{}, ErrSpent
}

func pause(ctx context.Context) {
	t := time.NewTimer(between)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
