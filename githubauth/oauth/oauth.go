// Package oauth logs people in with GitHub, as an OAuth app or a GitHub App, and looks after the tokens that come of it.
//
// It owns the web flow, the device flow, the refreshing of GitHub App user tokens, and their revocation. It refuses to say who somebody is or what they
// may do: that is asked with the token it got, like with anybody's (package githubauth). It keeps nothing.
//
// What shapes it:
//
//   - A token proves only that somebody is logged in somewhere: every site that uses GitHub holds tokens that answer to their users' names. So only a
//     token from our own exchange is taken, and where there is a secret GitHub is asked whether the token is one of ours (Check).
//   - A code and a refresh token work once. What came of one has to be kept by whoever asked (Refresher).
//   - The secret, codes and tokens go to the configured GitHub only: no redirect is followed. None of them is in an error.
//
// An OAuth app asks for the scopes "repo", since GitHub has no narrower one that shows private repositories, and "read:org", for the people commands. A
// GitHub App has its permissions in its settings, and for it scopes mean nothing.
package oauth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"gatehouse/githubauth"
)

var (
	// ErrPending: nobody has entered the code yet.
	ErrPending = errors.New("the code has not been entered yet")
	// ErrSlowDown: it was asked too soon; from now on five seconds more have to pass between two questions.
	ErrSlowDown = errors.New("asked too soon")
	// ErrDenied: somebody was asked and said no.
	ErrDenied = errors.New("GitHub was told not to")
	// ErrSpent: the code or refresh token has expired, has been used, or is none.
	ErrSpent = errors.New("it has expired or was used before")
	// ErrForeign: the token is not one of ours.
	ErrForeign = errors.New("the token belongs to another app")
)

// Setup is an error of whoever registered the app or wrote the configuration: nobody can log in until they mend it.
type Setup struct{ Cause string }

func (e *Setup) Error() string { return "GitHub rejects the registry's OAuth settings: " + e.Cause }

const (
	callTimeout = 8 * time.Second
	maxAnswer   = 1 << 20
	maxCode     = 512 // bytes of a code; GitHub's have 20
)

// Options of an App.
type Options struct {
	// APIURL is GitHub's REST base and WebURL where people log in; both get the secret.
	APIURL, WebURL string
	ClientID       string
	// ClientSecret may be empty: then there is the device flow only.
	ClientSecret string
	// UserAgent names this program to GitHub.
	UserAgent string
	// Transport carries the calls; nil means one with this package's own limits.
	Transport http.RoundTripper
}

// App is the registry's registration with GitHub. Its methods may be called from any number of goroutines.
type App struct {
	config oauth2.Config
	api    *url.URL
	agent  string
	http   *http.Client
	secret string
}

// New returns an app. It makes no call.
func New(o Options) (*App, error) {
	if o.ClientID == "" {
		return nil, errors.New("an app needs its client id")
	}
	api, err := base(o.APIURL)
	if err != nil {
		return nil, fmt.Errorf("GitHub API address: %w", err)
	}
	web, err := base(o.WebURL)
	if err != nil {
		return nil, fmt.Errorf("GitHub web address: %w", err)
	}
	at := func(path string) string { return web.JoinPath("login", path).String() }
	a := &App{api: api, agent: o.UserAgent, secret: o.ClientSecret, config: oauth2.Config{
		ClientID: o.ClientID, ClientSecret: o.ClientSecret,
		Endpoint: oauth2.Endpoint{
			AuthURL: at("oauth/authorize"), TokenURL: at("oauth/access_token"), DeviceAuthURL: at("device/code"),
			AuthStyle: oauth2.AuthStyleInParams, // what GitHub documents; finding out would spend the code
		},
	}}
	if !isGitHubApp(o.ClientID) {
		a.config.Scopes = []string{"repo", "read:org"}
	}
	transport := o.Transport
	if transport == nil {
		transport = newTransport()
	}
	if a.agent == "" {
		a.agent = "gatehouse"
	}
	a.http = &http.Client{
		Transport: named{bounded{transport}, a.agent}, Timeout: callTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return a, nil
}

// isGitHubApp tells by the client id: those of GitHub Apps begin with "Iv". A wrong guess only asks for scopes that mean nothing.
func isGitHubApp(clientID string) bool { return strings.HasPrefix(clientID, "Iv") }

func base(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil {
		return nil, err
	}
	if (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || u.User != nil || u.RawQuery != "" {
		return nil, fmt.Errorf("%q is not an absolute http(s) address", s)
	}
	u.Path = strings.TrimSuffix(u.Path, "/") + "/"
	return u, nil
}

func newTransport() http.RoundTripper {
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: 3 * time.Second}).DialContext,
		ForceAttemptHTTP2:      true,
		MaxConnsPerHost:        16,
		IdleConnTimeout:        90 * time.Second,
		TLSHandshakeTimeout:    3 * time.Second,
		ResponseHeaderTimeout:  callTimeout,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// named says who is calling, and asks for JSON where nothing else is asked for.
type named struct {
	http.RoundTripper
	agent string
}

func (n named) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("User-Agent", n.agent)
	if r.Header.Get("Accept") == "" {
		r.Header.Set("Accept", "application/json")
	}
	return n.RoundTripper.RoundTrip(r)
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

// Web reports whether there is a web flow; if not, there is the device flow only.
func (a *App) Web() bool { return a.secret != "" }

// Credential is a token of somebody's, and what gets the next one.
type Credential struct {
	Access string
	// Refresh gets a new one, once; "" where Access lasts. Expires is when Access ends; zero if it does not say.
	Refresh string
	Expires time.Time
}

func credential(t *oauth2.Token) Credential {
	return Credential{Access: t.AccessToken, Refresh: t.RefreshToken, Expires: t.Expiry}
}

// calling gives the library our client, with its limits.
func (a *App) calling(ctx context.Context) context.Context {
	return context.WithValue(ctx, oauth2.HTTPClient, a.http)
}

// judge turns an error of the library, which quotes GitHub's whole answer, into one of this package that quotes none of it, or into
// *githubauth.Unavailable.
func judge(err error) error {
	if err == nil {
		return nil
	}
	r := (*oauth2.RetrieveError)(nil)
	if !errors.As(err, &r) {
		return &githubauth.Unavailable{Retry: 5 * time.Second, Cause: withoutAddress(err)}
	}
	switch r.ErrorCode {
	case "authorization_pending":
		return ErrPending
	case "slow_down":
		return ErrSlowDown
	case "access_denied":
		return ErrDenied
	case "expired_token", "token_expired", "incorrect_device_code", "bad_verification_code", "bad_refresh_token":
		return ErrSpent
	case "incorrect_client_credentials":
		return &Setup{"the client id or the client secret is wrong"}
	case "redirect_uri_mismatch":
		return &Setup{"the callback address registered with the app is not the registry's"}
	case "device_flow_disabled":
		return &Setup{"the device flow is not enabled in the app's settings"}
	case "unsupported_grant_type", "application_suspended", "unverified_user_email":
		return &Setup{r.ErrorCode}
	}
	switch code := r.Response.StatusCode; {
	case code == http.StatusNotFound:
		return &Setup{"GitHub knows no app with this client id"}
	case code == http.StatusTooManyRequests || code == http.StatusForbidden:
		return &githubauth.Unavailable{Retry: time.Minute, Cause: "rate limit"}
	default:
		return &githubauth.Unavailable{Retry: 5 * time.Second, Cause: fmt.Sprintf("status %d, and no error that is documented", code)}
	}
}

// withoutAddress says what failed, and nothing of what was sent or received.
func withoutAddress(err error) string {
	if u := (*url.Error)(nil); errors.As(err, &u) {
		if u.Timeout() {
			return "no answer in time"
		}
		return u.Err.Error()
	}
	return "an answer that cannot be read"
}
