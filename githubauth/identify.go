package githubauth

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/google/go-github/v60/github"
	"golang.org/x/sync/singleflight"

	"gatehouse/scopes"
)

// Identify tells who holds the token. It costs GitHub one call per token and minute. from is the caller's address, which pays for
// tokens that turn out to be none.
//
// It returns an error that wraps ErrBadCredential, with a sentence for the caller, if nobody does, *Crowded if too many such tokens came
// from there, and *Unavailable if GitHub did not say. A principal proves nothing about what the token may do: any site that somebody once logged in to
// holds a token that answers to their name. That is for Access.
func (c *Client) Identify(ctx context.Context, token string, from netip.Addr) (scopes.Principal, error) {
	hash := c.hash(token)
	k, found := c.known.GetIfPresent(hash)
	if found {
		if who, ok := k.identity(c.now(), 0); ok {
			c.hits.Add(1)
			return who.Principal, nil
		}
	}
	c.misses.Add(1)
	if !found {
		kind, err := offline(token)
		if err != nil {
			return scopes.Principal{}, err
		}
		k = c.newCredential(hash, kind, token)
		if _, ok := k.identity(c.now(), 0); ok { // from before a restart
			k = c.enter(k)
			if who, ok := k.identity(c.now(), 0); ok {
				return who.Principal, nil
			}
		}
	}
	limited, cancel := context.WithTimeout(ctx, factTimeout)
	defer cancel()
	var who identity
	err := c.crowd.admit(limited, k, from, c.now, func() (err error) {
		if !found {
			k = c.enter(k)
		}
		who, err = c.identify(limited, k, token, time.Time{})
		return err
	})
	if ctx.Err() == nil {
		err = inTime(err)
	}
	if u := (*Unavailable)(nil); errors.As(err, &u) {
		if old, ok := k.identity(c.now(), c.stale); ok {
			c.staleUses.Add(1)
			return old.Principal, nil
		}
	}
	return who.Principal, err
}

// Confirm returns nil if GitHub knew the token no longer ago than within, and nothing it said since puts that in doubt; otherwise it asks. Errors are
// those of Identify.
func (c *Client) Confirm(ctx context.Context, token string, within time.Duration) error {
	kind, err := offline(token)
	if err != nil {
		return err
	}
	k := c.know(c.hash(token), kind, token)
	since := c.now().Add(-within)
	if who, ok := k.identity(c.now(), 0); ok && !who.Doubted && !who.At.Before(since) {
		return nil
	}
	_, err = c.identify(ctx, k, token, since)
	return err
}

// identify asks GitHub who holds the token, unless that was asked at since or later meanwhile, and keeps the answer.
func (c *Client) identify(ctx context.Context, k *credential, token string, since time.Time) (identity, error) {
	if err := k.refusal(c.now()); err != nil {
		return identity{}, err
	}
	limited, cancel := context.WithTimeout(ctx, factTimeout)
	defer cancel()
	for range 3 {
		epoch := c.forgotten.now()
		who, err := c.identifyOnce(limited, k, token, epoch, since)
		switch {
		case err != nil && ctx.Err() != nil:
			return identity{}, ctx.Err()
		case err != nil:
			return identity{}, inTime(err)
		case !c.forgotten.since(epoch, subject{user: who.Principal.ID, identity: true}):
			return who, nil
		}
	}
	return identity{}, &Unavailable{Retry: time.Second, Cause: "it changed while it was asked about"}
}

func (c *Client) identifyOnce(ctx context.Context, k *credential, token string, epoch uint64, since time.Time) (identity, error) {
	return once(ctx, c, key('i', k, 0, epoch), func(ctx context.Context) (identity, error) {
		if who, known := k.identity(c.now(), 0); known && !who.Doubted && !who.At.Before(since) {
			return who, nil // somebody's flight has landed since we looked
		}
		who, err := c.askWho(ctx, k, token, epoch, !since.IsZero())
		if errors.Is(err, ErrBadCredential) {
			k.condemn(err, c.now()) // a suspended account is not answered with 401
		}
		if err != nil {
			return identity{}, asUnavailable(err)
		}
		who.Until = who.At.Add(identityTTL)
		who.Principal.Credential = wordsFor(token)
		who.Principal.Kind = scopes.Person
		if k.kind == installed {
			who.Principal.Kind = scopes.App
		}
		k.mu.Lock()
		defer k.mu.Unlock()
		if k.bad.err != nil && !who.At.After(k.bad.at) {
			return identity{}, k.bad.err // it was good when it was asked about, and has been called bad since
		}
		k.bad = badness{}
		if !c.forgotten.since(epoch, subject{user: who.Principal.ID, identity: true}) {
			k.who = who
			k.changed = true
		}
		return who, nil
	})
}

// doubt is for trouble that GitHub has made since the token was identified: it must be confirmed anew.
func (k *credential) doubt() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.who.Doubted = true
}

func (k *credential) userID() int64 {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.who.Principal.ID
}

func (c *Client) askWho(ctx context.Context, k *credential, token string, epoch uint64, again bool) (identity, error) {
	if k.kind == installed {
		return c.askWhichApp(ctx, k, token, epoch, again)
	}
	k.mu.RLock()
	old := k.who
	k.mu.RUnlock()
	at := c.now()
	user := &github.User{}
	resp, err := c.get(ctx, k, token, "GET /user", "user", old.Tag, user)
	if err == nil && resp.StatusCode == http.StatusNotModified {
		if h := resp.Header.Values("X-OAuth-Scopes"); k.kind != scoped || len(h) > 0 {
			old.At, old.Doubted = at, false
			old.Scopes = resp.Header.Get("X-OAuth-Scopes")
			return old, nil
		}
		resp, err = c.get(ctx, k, token, "GET /user", "user", etag{}, user)
	}
	if r := (*refused)(nil); errors.As(err, &r) && r.policy {
		return identity{}, fmt.Errorf("%w: %s", ErrBadCredential, r.why)
	}
	if err != nil {
		return identity{}, err
	}
	if user.GetID() == 0 || user.GetLogin() == "" {
		return identity{}, &Unavailable{Retry: 5 * time.Second, Cause: "a user without number or login"}
	}
	return identity{
		Principal: scopes.Principal{ID: user.GetID(), Login: user.GetLogin()},
		Scopes:    resp.Header.Get("X-OAuth-Scopes"), At: at, Tag: etag{resp.Header.Get("ETag"), at},
	}, nil
}

// askWhichApp identifies an installation token, to which GET /user is closed: GraphQL's viewer is its bot account. The same request finds out what the
// token sees of the registry's repositories, since a workflow's token is seldom used for more than a few of them.
//
// To confirm that a token is still good, which is known to be whose, REST is asked: a change to a repository is asked about there as well, and GitHub counts
// the two apart, so that one could fail without the other.
func (c *Client) askWhichApp(ctx context.Context, k *credential, token string, epoch uint64, again bool) (identity, error) {
	if !k.byGraphQL(c.now()) || again && k.userID() != 0 {
		return c.askInstallation(ctx, k, token)
	}
	var repos []scopes.Repo
	now := c.now()
	others := c.neighboursOf(ctx, scopes.Repo{})
	k.mu.RLock()
	for _, r := range others {
		if len(repos) < perBatch && k.wanting(r, now) {
			repos = append(repos, r)
		}
	}
	k.mu.RUnlock()
	who, err := c.learnNodes(ctx, k, token, epoch, repos)
	if isRefused(err) || errors.Is(err, errNotShown) {
		return c.askInstallation(ctx, k, token)
	}
	return who, err
}

// askInstallation is for a GitHub without GraphQL: only installation tokens may list their repositories (it is 403 for people). Nothing there tells the
// app's name.
func (c *Client) askInstallation(ctx context.Context, k *credential, token string) (identity, error) {
	at := c.now()
	who := scopes.Principal{Login: "installation[bot]"}
	k.mu.RLock()
	if k.who.Principal.ID != 0 {
		who = k.who.Principal // GraphQL has told it before
	}
	k.mu.RUnlock()
	var reach github.ListRepositories
	if _, err := c.get(ctx, k, token, "GET /installation/repositories", "installation/repositories?per_page=1", etag{}, &reach); err != nil {
		return identity{}, err
	}
	if reach.TotalCount == nil {
		return identity{}, &Unavailable{Retry: 5 * time.Second, Cause: "a list of repositories without their number"}
	}
	return identity{Principal: who, At: at}, nil
}

// asUnavailable is for questions to which there is no "no": whoever holds a good token is somebody.
func asUnavailable(err error) error {
	if isRefused(err) || errors.Is(err, errNotShown) {
		return &Unavailable{Retry: 30 * time.Second, Cause: err.Error()}
	}
	return err
}

// key names a question about one credential, asked since the last time that something was forgotten.
func key(what byte, k *credential, number int64, epoch uint64) string {
	b := make([]byte, 0, 1+len(k.hash)+16+20)
	b = append(b, what)
	b = append(b, k.hash[:]...)
	b = binary.BigEndian.AppendUint64(b, epoch)
	return string(strconv.AppendInt(b, number, 10))
}

// once runs ask for all who want the same key at the same time. The work has its own deadline, so that the first
// caller's hanging up does not fail the others; each waits no longer than its own context allows.
func once[T any](ctx context.Context, c *Client, key string, ask func(context.Context) (T, error)) (T, error) {
	var none T
	select {
	case r := <-begin(ctx, c, key, ask):
		if r.Err != nil {
			return none, r.Err
		}
		return r.Val.(T), nil
	case <-ctx.Done():
		return none, ctx.Err()
	}
}

// begin is once for whoever need not wait.
func begin[T any](ctx context.Context, c *Client, key string, ask func(context.Context) (T, error)) <-chan singleflight.Result {
	return c.flights.DoChan(key, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), factTimeout)
		defer cancel()
		return sane(ctx, ask)
	})
}

// sane turns a panic into an error: nobody could recover from it where it would come out, in a goroutine of singleflight.
func sane[T any](ctx context.Context, ask func(context.Context) (T, error)) (found T, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("asking GitHub panicked: %v\n%s", v, debug.Stack())
		}
	}()
	return ask(ctx)
}
