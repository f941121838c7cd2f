package githubauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"runtime/debug"
	"time"

	"gatehouse/scopes"
)

// Identify tells who holds the token. It costs GitHub one call per token and minute.
//
// It returns an error that wraps ErrBadCredential, with a sentence for the caller, if nobody does, and *Unavailable if
// GitHub did not say. A principal proves nothing about what the token may do: any site that somebody once logged in to
// holds a token that answers to their name. That is for Access.
func (c *Client) Identify(ctx context.Context, token string, from netip.Addr) (scopes.Principal, error) {
	known, err := c.identity(ctx, token)
	if err != nil {
		return scopes.Principal{}, err
	}
	return known.principal, known.err
}

// Confirm returns nil if GitHub knew the token no longer ago than within, and nothing it said since puts that in doubt; otherwise it asks. Errors are
// those of Identify.
func (c *Client) Confirm(ctx context.Context, token string, within time.Duration) error {
	known, err := c.identity(ctx, token)
	if err == nil && known.err == nil && c.now().Sub(known.confirmed) > within {
		c.identities.Invalidate(c.hash(token))
		known, err = c.identity(ctx, token)
	}
	if err != nil {
		return err
	}
	return known.err
}

func (c *Client) identity(ctx context.Context, token string) (identity, error) {
	hash := c.hash(token)
	if known, ok := c.identities.GetIfPresent(hash); ok && c.now().Before(known.until) {
		return known, nil
	}
	kind, err := offline(token)
	if err != nil {
		return identity{}, err
	}
	return once(ctx, c, "i"+string(hash[:]), func(ctx context.Context) (identity, error) {
		who, err := c.askWho(ctx, kind, token)
		if err != nil && !errors.Is(err, ErrBadCredential) {
			return identity{}, err
		}
		now := c.now()
		who.err, who.until, who.confirmed = err, now.Add(identityTTL), now
		if err != nil {
			who.until = now.Add(refusedTTL)
		} else if !who.expires.IsZero() && who.expires.Before(who.until) {
			who.until = who.expires
		}
		c.identities.Set(hash, who)
		return who, nil
	})
}

// doubt is for what GitHub has said of a token since it was identified: an end of the identity if the token is bad, and the need to confirm it after any other trouble.
func (c *Client) doubt(hash tokenHash, err error) {
	if errors.Is(err, ErrBadCredential) {
		c.identities.Invalidate(hash)
	} else if known, ok := c.identities.GetIfPresent(hash); ok {
		known.confirmed = time.Time{}
		c.identities.Set(hash, known)
	}
}

func (c *Client) askWho(ctx context.Context, kind tokenKind, token string) (identity, error) {
	if kind == installed {
		return c.askWhichApp(ctx, token)
	}
	user, resp, err := c.as(token).Users.Get(ctx, "")
	if resp == nil {
		return identity{}, c.judge(nil, err)
	}
	if err := c.judge(resp.Response, err); err != nil {
		return identity{}, asUnavailable(err)
	}
	if user.GetID() == 0 || user.GetLogin() == "" {
		return identity{}, &Unavailable{Retry: 5 * time.Second, Cause: "a user without number or login"}
	}
	return identity{
		principal: scopes.Principal{Kind: scopes.Person, ID: user.GetID(), Login: user.GetLogin()},
		expires:   resp.TokenExpiration.Time,
	}, nil
}

// askWhichApp identifies an installation token, to which GET /user is closed: GraphQL's viewer is its bot account.
func (c *Client) askWhichApp(ctx context.Context, token string) (identity, error) {
	g := c.as(token)
	req, err := g.NewRequest(http.MethodPost, c.graphql.String(), map[string]string{"query": "query{viewer{login databaseId}}"})
	if err != nil {
		return identity{}, err
	}
	var answer struct {
		Data struct {
			Viewer struct {
				Login      string `json:"login"`
				DatabaseID int64  `json:"databaseId"`
			} `json:"viewer"`
		} `json:"data"`
	}
	resp, err := g.Do(ctx, req, &answer)
	if resp == nil {
		return identity{}, c.judge(nil, err)
	}
	if err := c.judge(resp.Response, err); err != nil {
		return identity{}, asUnavailable(err)
	}
	viewer := answer.Data.Viewer
	if viewer.Login == "" {
		// GraphQL reports its rate limit in a 200 as well.
		return identity{}, &Unavailable{Retry: time.Minute, Cause: "GraphQL names no viewer"}
	}
	return identity{principal: scopes.Principal{Kind: scopes.App, ID: viewer.DatabaseID, Login: viewer.Login}}, nil
}

// asUnavailable is for questions to which there is no "no": whoever holds a good token is somebody.
func asUnavailable(err error) error {
	if r := (*refused)(nil); errors.As(err, &r) || errors.Is(err, errNotShown) {
		return &Unavailable{Retry: 30 * time.Second, Cause: err.Error()}
	}
	return err
}

// once runs ask for all who want the same key at the same time. The work has its own deadline, so that the first
// caller's hanging up does not fail the others; each waits no longer than its own context allows.
func once[T any](ctx context.Context, c *Client, key string, ask func(context.Context) (T, error)) (T, error) {
	ch := c.flights.DoChan(key, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), factTimeout)
		defer cancel()
		return sane(ctx, ask)
	})
	var none T
	select {
	case r := <-ch:
		if r.Err != nil {
			return none, r.Err
		}
		return r.Val.(T), nil
	case <-ctx.Done():
		return none, ctx.Err()
	}
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
