package oauth

import (
	"context"
	"net/url"
	"time"

	"golang.org/x/oauth2"

	"gatehouse/githubauth"
)

// NewVerifier returns a fresh secret of PKCE: it stays here while its hash goes with the browser.
func NewVerifier() string { return oauth2.GenerateVerifier() }

// AuthorizeURL is where a browser goes to be asked by GitHub. It comes back to callback with the state.
func (a *App) AuthorizeURL(callback, state, verifier string) string {
	return a.config.AuthCodeURL(state, oauth2.S256ChallengeOption(verifier),
		oauth2.SetAuthURLParam("redirect_uri", callback),
		// Who has several accounts is asked which, and nobody passes through without seeing that they log in.
		oauth2.SetAuthURLParam("prompt", "select_account"))
}

// Exchange gets the token for a code that GitHub sent a browser back with. It works once. Errors: ErrSpent, *Setup, *githubauth.Unavailable.
func (a *App) Exchange(ctx context.Context, code, callback, verifier string) (Credential, error) {
	if code == "" || len(code) > maxCode {
		return Credential{}, ErrSpent
	}
	t, err := a.config.Exchange(a.calling(ctx), code, oauth2.VerifierOption(verifier), oauth2.SetAuthURLParam("redirect_uri", callback))
	if err != nil {
		return Credential{}, judge(err)
	}
	return credential(t), nil
}

// Device is a login by a code that somebody types into GitHub's page.
type Device struct {
	Code     string // for Poll; secret
	UserCode string // to be typed
	Page     string // where
	Expires  time.Time
	Interval time.Duration // between two questions
}

// Device begins a login without a browser of ours. Errors: *Setup, *githubauth.Unavailable.
func (a *App) Device(ctx context.Context) (Device, error) {
	d, err := a.config.DeviceAuth(a.calling(ctx))
	if err != nil {
		return Device{}, judge(err)
	}
	if d.DeviceCode == "" {
		// GitHub says so with a 200, of which the library takes no error.
		return Device{}, &Setup{"the device flow is not enabled in the app's settings"}
	}
	page, err := url.Parse(d.VerificationURI)
	if d.UserCode == "" || err != nil || page.Scheme != "https" && page.Scheme != "http" {
		return Device{}, &githubauth.Unavailable{Retry: 5 * time.Second, Cause: "an answer that cannot be read"}
	}
	interval := time.Duration(d.Interval) * time.Second
	return Device{Code: d.DeviceCode, UserCode: d.UserCode, Page: d.VerificationURI, Expires: d.Expiry, Interval: min(max(interval, 5*time.Second), time.Minute)}, nil
}

// Poll asks once whether the code has been typed. Errors: ErrPending, ErrSlowDown, ErrDenied, ErrSpent, *Setup, *githubauth.Unavailable.
func (a *App) Poll(ctx context.Context, deviceCode string) (Credential, error) {
	// The library's own polling stays in one call until somebody has typed, which may be a quarter of an hour; ours has to outlast a process.
	t, err := a.config.Exchange(a.calling(ctx), "", oauth2.SetAuthURLParam("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
		oauth2.SetAuthURLParam("device_code", deviceCode))
	if err != nil {
		return Credential{}, judge(err)
	}
	return credential(t), nil
}

// Refresh gets a new token, and the next refresh token with it; the old ones end. It works once: use a Refresher, which keeps what comes of it.
// Errors: ErrSpent, *Setup, *githubauth.Unavailable.
func (a *App) Refresh(ctx context.Context, refresh string) (Credential, error) {
	t, err := a.config.TokenSource(a.calling(ctx), &oauth2.Token{RefreshToken: refresh}).Token()
	if err != nil {
		return Credential{}, judge(err)
	}
	return credential(t), nil
}
