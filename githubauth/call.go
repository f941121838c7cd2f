package githubauth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/google/go-github/v60/github"
	"golang.org/x/oauth2"
)

// maxAnswer bounds what is read of one answer.
const maxAnswer = 4 << 20

func newTransport() http.RoundTripper {
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: 3 * time.Second}).DialContext,
		ForceAttemptHTTP2:      true,
		MaxIdleConnsPerHost:    16,
		MaxConnsPerHost:        64, // GitHub's secondary limit is 100 at a time
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

// as returns a go-github client that carries token. One is made for every fact and thrown away: a shared one would
// mix up callers and remember one's rate limit for another.
//
// Time is bounded by the context of each fact and by the transport, not by http.Client.Timeout, of which oauth2.Transport knows nothing.
//
// oauth2.Transport puts the token on every hop of a redirect, whatever host it leads to. Hence sameHost.
func (c *Client) as(token string) *github.Client {
	g := github.NewClient(&http.Client{
		Transport:     &oauth2.Transport{Source: oauth2.StaticTokenSource(&oauth2.Token{AccessToken: token}), Base: bounded{c.transport}},
		CheckRedirect: sameHost,
	})
	g.BaseURL, g.UserAgent = c.api, c.agent
	return g
}

// sameHost follows GitHub's redirects of renamed repositories and nothing else.
func sameHost(r *http.Request, via []*http.Request) error {
	first := via[0].URL
	if len(via) > 3 || r.URL.Scheme != first.Scheme || r.URL.Host != first.Host {
		return http.ErrUseLastResponse
	}
	return nil
}

// notShown: GitHub answered that there is no such thing, which is also what it says of things it hides.
var errNotShown = errors.New("GitHub shows no such repository")

// refused: GitHub knows the credential and will not do this for it.
type refused struct{ why string }

func (e *refused) Error() string { return "GitHub refuses: " + e.why }

// judge turns the outcome of a call into nil, errNotShown, *refused, ErrBadCredential or *Unavailable. The status alone does
// not do: 403 is a rate limit as often as a refusal (docs.github.com, "Rate limits for the REST API").
func (c *Client) judge(resp *http.Response, err error) error {
	if resp == nil {
		if err == nil {
			return nil
		}
		return &Unavailable{Retry: 5 * time.Second, Cause: withoutAddress(err)}
	}
	message := ""
	if e := (*github.ErrorResponse)(nil); errors.As(err, &e) {
		message = e.Message
	}
	if e := (*github.RateLimitError)(nil); errors.As(err, &e) {
		message = e.Message
	}
	if e := (*github.AbuseRateLimitError)(nil); errors.As(err, &e) {
		message = e.Message
	}
	h := resp.Header
	switch code := resp.StatusCode; {
	case code >= 200 && code < 300 || code == http.StatusNotModified:
		if err != nil {
			return &Unavailable{Retry: 5 * time.Second, Cause: "an answer that cannot be read"}
		}
		return nil
	case code == http.StatusUnauthorized:
		return fmt.Errorf("%w: GitHub does not accept this token; it is wrong, expired or revoked", ErrBadCredential)
	case code == http.StatusForbidden || code == http.StatusTooManyRequests:
		if wait, limited := c.rateLimit(code, h, message); limited {
			return &Unavailable{Retry: wait, Cause: "rate limit"}
		}
		if sso := h.Get("X-GitHub-SSO"); strings.HasPrefix(sso, "required") {
			return &refused{why: "the organisation requires single sign-on for this token" + ssoLink(sso)}
		}
		return &refused{why: message}
	case code == http.StatusNotFound || code == http.StatusGone:
		return errNotShown
	case code == http.StatusUnavailableForLegalReasons:
		return &refused{why: "the repository is blocked for legal reasons"}
	default:
		return &Unavailable{Retry: 5 * time.Second, Cause: "status " + strconv.Itoa(code)}
	}
}

// rateLimit reports whether a 403 or 429 means "later", and when.
func (c *Client) rateLimit(code int, h http.Header, message string) (time.Duration, bool) {
	if s, err := strconv.Atoi(h.Get("Retry-After")); err == nil {
		return clampWait(time.Duration(s) * time.Second), true
	}
	if h.Get("X-RateLimit-Remaining") == "0" {
		if s, err := strconv.ParseInt(h.Get("X-RateLimit-Reset"), 10, 64); err == nil {
			return clampWait(time.Unix(s, 0).Sub(c.now())), true
		}
		return time.Minute, true
	}
	m := strings.ToLower(message)
	for _, sign := range []string{"rate limit", "abuse detection", "login attempts exceeded"} {
		if strings.Contains(m, sign) {
			return time.Minute, true
		}
	}
	return time.Minute, code == http.StatusTooManyRequests
}

func clampWait(d time.Duration) time.Duration { return min(max(d, time.Second), time.Hour) }

// ssoLink extracts the page of "required; url=https://…", if it is one of an https host.
func ssoLink(header string) string {
	_, link, found := strings.Cut(header, "url=")
	if u, err := url.Parse(link); !found || err != nil || u.Scheme != "https" || len(link) > 512 {
		return ""
	}
	return ": authorise it at " + link
}

// withoutAddress drops the URL that net/http puts into its errors: what failed is enough for a log.
func withoutAddress(err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "no answer in time"
	}
	return err.Error()
}
