package githubauth

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/google/go-github/v60/github"
	"golang.org/x/oauth2"
)

// maxAnswer bounds what is read of one answer.
const maxAnswer = 4 << 20

// resource is what GitHub charges a call to; each has a limit of its own.
type resource uint8

const (
	rest resource = iota
	graphQL
	git
	resources
)

func newTransport() http.RoundTripper {
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: 3 * time.Second}).DialContext,
		ForceAttemptHTTP2:      true,
		MaxIdleConnsPerHost:    16,
		IdleConnTimeout:        90 * time.Second,
		TLSHandshakeTimeout:    3 * time.Second,
		ResponseHeaderTimeout:  callTimeout,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// bounded cuts every answer at maxAnswer.
type bounded struct{ http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.RoundTripper.RoundTrip(r)
	if err == nil {
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(resp.Body, maxAnswer), resp.Body}
	}
	return resp, err
}

// as returns a go-github client that carries token. One is made for every call and thrown away: a shared one would
// mix up callers and remember one's rate limit for another.
//
// Time is bounded by the context of each call and by the transport, not by http.Client.Timeout, of which oauth2.Transport knows nothing.
//
// oauth2.Transport puts the token on every hop of a redirect, whatever host it leads to. Hence sameHost and nowhere.
func (c *Client) as(token string, redirect func(*http.Request, []*http.Request) error) *github.Client {
	g := github.NewClient(&http.Client{
		Transport:     &oauth2.Transport{Source: oauth2.StaticTokenSource(&oauth2.Token{AccessToken: token}), Base: bounded{c.transport}},
		CheckRedirect: redirect,
	})
	g.BaseURL, g.UserAgent = c.api, c.agent
	return g
}

// sameHost follows GitHub's redirects of renamed repositories and nothing else. A change is not followed either: net/http would make a look of it, whose
// success is not the change's.
func sameHost(r *http.Request, via []*http.Request) error {
	first := via[0].URL
	if len(via) > 3 || r.URL.Scheme != first.Scheme || r.URL.Host != first.Host || r.Method != via[0].Method {
		return http.ErrUseLastResponse
	}
	return nil
}

// nowhere is for probes: what they prove is of the repository that was asked for, so a redirect is no answer.
func nowhere(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// plan is one call that is to be made.
type plan struct {
	endpoint string // its template, for Observe
	charged  resource
	send     func(context.Context) (*http.Response, error)
}

// call makes one call to GitHub: every one goes through here. It waits for its turn, makes none while GitHub has asked this credential for patience
// or its host is down, judges the answer and tells Observe. The error is of the kinds that judge returns.
//
// send has read the body when it returns. A response comes back with a nil error and with errors that GitHub answered.
func (c *Client) call(ctx context.Context, k *credential, p plan) (*http.Response, error) {
	if err := k.paused(p.charged, c.now()); err != nil {
		return nil, err
	}
	if err := k.calls.Acquire(ctx, 1); err != nil {
		return nil, &Unavailable{Retry: 5 * time.Second, Cause: "too many calls with this credential at once"}
	}
	defer k.calls.Release(1)
	if err := c.calls.Acquire(ctx, 1); err != nil {
		return nil, &Unavailable{Retry: 5 * time.Second, Cause: "too many calls at once"}
	}
	defer c.calls.Release(1)
	b := c.apiUp
	if p.charged == git {
		b = c.webUp
	}
	ended, err := b.allow()
	if err != nil {
		c.tell(Call{Endpoint: p.endpoint, Outcome: BreakerOpen, Remaining: -1})
		return nil, err
	}
	began := time.Now()
	resp, err := func() (resp *http.Response, err error) {
		limited, cancel := context.WithTimeout(ctx, callTimeout)
		defer cancel()
		// The breaker counts a call that panics as a failure, and lets others through.
		err = &Unavailable{Retry: 5 * time.Second, Cause: "the call did not end", down: true}
		defer func() { ended(err) }()
		resp, err = p.send(limited)
		err = c.judge(resp, err)
		if u := (*Unavailable)(nil); ctx.Err() != nil && time.Since(began) < fairTime && errors.As(err, &u) {
			u.cut = u.down
		}
		return resp, err
	}()
	if resp != nil {
		k.endsAs(resp.Header.Get("GitHub-Authentication-Token-Expiration"))
	}
	c.tell(Call{Endpoint: p.endpoint, Outcome: outcome(err), Took: time.Since(began), Remaining: remaining(resp)})
	if u := (*Unavailable)(nil); errors.As(err, &u) && u.limit {
		k.pause(p.charged, c.now().Add(u.Retry), u.wide)
	} else if errors.Is(err, ErrBadCredential) {
		k.condemn(err, c.now())
		if k == c.server.k {
			c.log.Warn("GitHub does not accept the registry's own credential; until it does, packages of public repositories may need a token", "endpoint", p.endpoint)
		}
	}
	return resp, err
}

// paused returns an *Unavailable until GitHub may be asked again.
func (k *credential) paused(r resource, now time.Time) error {
	k.mu.RLock()
	defer k.mu.RUnlock()
	if until := k.pauses[r]; now.Before(until) {
		return &Unavailable{Retry: clampWait(until.Sub(now)), Cause: "rate limit", limit: true}
	}
	return nil
}

// pause has calls fail until then. GitHub's secondary limits are wide: they hold for REST and GraphQL alike.
func (k *credential) pause(r resource, until time.Time, wide bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.pauses[r] = until
	if wide && r != git {
		k.pauses[rest], k.pauses[graphQL] = until, until
	}
}

// endsAs notes the end that GitHub gives the token. It writes the time in one of two ways.
func (k *credential) endsAs(header string) {
	for _, layout := range []string{"2006-01-02 15:04:05 MST", "2006-01-02 15:04:05 -0700"} {
		if t, err := time.Parse(layout, header); err == nil {
			k.mu.Lock()
			defer k.mu.Unlock()
			k.expires = t
			return
		}
	}
}

func (c *Client) tell(call Call) {
	if c.watch != nil {
		c.watch(call)
	}
}

func outcome(err error) Outcome {
	u := (*Unavailable)(nil)
	switch {
	case err == nil:
		return OK
	case errors.Is(err, errNotShown):
		return NotShown
	case errors.Is(err, ErrBadCredential):
		return BadCredential
	case errors.As(err, &u) && u.limit:
		return RateLimited
	case errors.As(err, &u):
		return Down
	}
	return Refused
}

func remaining(resp *http.Response) int {
	if resp == nil {
		return -1
	}
	n, err := strconv.Atoi(resp.Header.Get("X-RateLimit-Remaining"))
	if err != nil || n < 0 {
		return -1
	}
	return n
}

// get asks REST for path and reads the answer into v. With a usable tag the answer may be 304, which leaves v as it is.
func (c *Client) get(ctx context.Context, k *credential, token, endpoint, path string, tag etag, v any) (*http.Response, error) {
	return c.call(ctx, k, plan{endpoint, rest, func(ctx context.Context) (*http.Response, error) {
		g := c.as(token, sameHost)
		req, err := g.NewRequest(http.MethodGet, path, nil)
		if err != nil {
			return nil, err
		}
		if tag.usable(c.now()) {
			req.Header.Set("If-None-Match", tag.Value)
		}
		resp, err := g.Do(ctx, req, v)
		if resp == nil {
			return nil, err
		}
		if resp.StatusCode == http.StatusNotModified && tag.usable(c.now()) {
			err = nil
		}
		return resp.Response, err
	}})
}
