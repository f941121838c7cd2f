package githubauth

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/google/go-github/v60/github"
)

// errNotShown: GitHub answered that there is no such thing, which is also what it says of things it hides.
var errNotShown = errors.New("GitHub shows no such repository")

// refused: GitHub knows the credential and will not do this for it.
type refused struct {
	why    string
	policy bool // the owner's rule for such credentials, whichever repository is asked for
}

func (e *refused) Error() string { return "GitHub refuses: " + e.why }

// judge turns the outcome of a call into nil, errNotShown, *refused, ErrBadCredential or *Unavailable. The status alone does
// not do: 403 is a rate limit as often as a refusal (docs.github.com, "Rate limits for the REST API").
func (c *Client) judge(resp *http.Response, err error) error {
	if u := (*Unavailable)(nil); errors.As(err, &u) || isRefused(err) {
		return err // judged by who read the answer
	}
	if resp == nil {
		if err == nil {
			return nil
		}
		return &Unavailable{Retry: 5 * time.Second, Cause: withoutAddress(err), down: true, late: isLate(err)}
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
			return &Unavailable{Retry: 5 * time.Second, Cause: "an answer that cannot be read", late: isLate(err), down: isLate(err)}
		}
		return nil
	case code == http.StatusUnauthorized:
		return fmt.Errorf("%w: GitHub does not accept this token; it is wrong, expired or revoked", ErrBadCredential)
	case code == http.StatusForbidden || code == http.StatusTooManyRequests:
		if wait, limited := c.rateLimit(code, h, message); limited {
			return &Unavailable{Retry: wait, Cause: "rate limit", limit: true, wide: h.Get("X-RateLimit-Remaining") != "0"}
		}
		return c.refusal(message, h.Get("X-GitHub-SSO"))
	case code == http.StatusNotFound || code == http.StatusGone:
		return errNotShown
	case code == http.StatusUnavailableForLegalReasons:
		return &refused{why: "the repository is blocked for legal reasons"}
	default:
		return &Unavailable{Retry: 5 * time.Second, Cause: "status " + strconv.Itoa(code), down: code >= 500}
	}
}

// policies are GitHub's words for what an owner does not let a good credential do, and what gets its holder further.
var policies = []struct{ sign, sentence string }{
	{"ip allow list", "the organisation only answers listed addresses, and this registry's is not on its IP allow list; an owner of the organisation can add it"},
	{"forbids access via a personal access token (classic)", "the organisation does not accept classic personal access tokens; use a fine-grained one (github_pat_…)"},
	{"fine-grained personal access token", "the organisation does not accept this fine-grained personal access token, for its kind or its lifetime; an owner of the organisation can say which it accepts"},
	{"oauth app access restrictions", "the organisation has not approved the OAuth app that this token was made by; an owner of the organisation can approve it, or use a personal access token"},
	{"suspended", "the GitHub account or the app's installation behind this token is suspended"},
	{"saml", "the organisation requires single sign-on for this token; authorise it in the settings of your GitHub account, at the token's \"Configure SSO\""},
}

// refusal sorts a 403 that is no rate limit, by its text and by X-GitHub-SSO.
func (c *Client) refusal(message, sso string) error {
	if strings.HasPrefix(sso, "required") {
		return &refused{why: "the organisation requires single sign-on for this token" + c.ssoLink(sso), policy: true}
	}
	low := strings.ToLower(message)
	for _, p := range policies {
		if strings.Contains(low, p.sign) {
			return &refused{why: p.sentence, policy: true}
		}
	}
	return &refused{why: plain(message)}
}

// plain makes a line of text out of what GitHub said, fit for logs and terminals.
func plain(message string) string {
	message = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(message, ""))
	if len(message) > 200 {
		message = strings.ToValidUTF8(message[:200], "") + "…"
	}
	return message
}

// rateLimit reports whether a 403 or 429 means "later", and when.
func (c *Client) rateLimit(code int, h http.Header, message string) (time.Duration, bool) {
	if s, err := strconv.Atoi(h.Get("Retry-After")); err == nil {
		return clampWait(time.Duration(min(s, 1<<20)) * time.Second), true
	}
	if h.Get("X-RateLimit-Remaining") == "0" {
		return c.untilReset(h), true
	}
	m := strings.ToLower(message)
	for _, sign := range []string{"rate limit", "abuse detection", "login attempts exceeded"} {
		if strings.Contains(m, sign) {
			return time.Minute, true
		}
	}
	return time.Minute, code == http.StatusTooManyRequests
}

// untilReset is how long the headers say that a used-up limit lasts; a minute if they do not.
func (c *Client) untilReset(h http.Header) time.Duration {
	if s, err := strconv.ParseInt(h.Get("X-RateLimit-Reset"), 10, 64); err == nil {
		return clampWait(time.Unix(s, 0).Sub(c.now()))
	}
	return time.Minute
}

func clampWait(d time.Duration) time.Duration { return min(max(d, time.Second), time.Hour) }

// ssoLink extracts the page of "required; url=https://…", if it is one of the instance's.
func (c *Client) ssoLink(header string) string {
	_, link, found := strings.Cut(header, "url=")
	if u, err := url.Parse(link); !found || err != nil || u.Scheme != c.web.Scheme || u.Host != c.web.Host || len(link) > 512 {
		return ""
	}
	return ": authorise it at " + link
}

func isLate(err error) bool {
	var n net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &n) && n.Timeout()
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
