package oauth

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/google/go-github/v60/github"

	"gatehouse/githubauth"
)

// asApp returns a go-github client that calls as the app itself.
func (a *App) asApp() *github.Client {
	basic := github.BasicAuthTransport{Username: a.config.ClientID, Password: a.secret, Transport: a.http.Transport}
	g := github.NewClient(&http.Client{Transport: &basic, Timeout: callTimeout, CheckRedirect: a.http.CheckRedirect})
	g.BaseURL, g.UserAgent = a.api, a.agent
	return g
}

// Check tells whose the token is, if it is one of this app's. It takes the secret; without one there is nothing to ask GitHub with, and the number is
// 0. Errors: ErrForeign, *Setup, *githubauth.Unavailable.
func (a *App) Check(ctx context.Context, token string) (account int64, err error) {
	if !a.Web() {
		return 0, nil
	}
	found, resp, err := a.asApp().Authorizations.Check(ctx, a.config.ClientID, token)
	if err := judgeAPI(resp, err); err != nil {
		return 0, err
	}
	// GitHub answers 404 for a token of another app. What it says of the app is compared all the same.
	if id := found.GetApp().GetClientID(); id != "" && id != a.config.ClientID {
		return 0, ErrForeign
	}
	if found.GetUser().GetID() == 0 {
		return 0, &githubauth.Unavailable{Retry: 5 * time.Second, Cause: "a token of nobody"}
	}
	return found.GetUser().GetID(), nil
}

// Revoke ends a token of this app's. One that is none, or has ended, is no error. Without a secret it does nothing: GitHub would not know who asks.
// Errors: *Setup, *githubauth.Unavailable.
func (a *App) Revoke(ctx context.Context, token string) error {
	if !a.Web() {
		return nil
	}
	resp, err := a.asApp().Authorizations.Revoke(ctx, a.config.ClientID, token)
	if err := judgeAPI(resp, err); err != nil && !errors.Is(err, ErrForeign) {
		return err
	}
	return nil
}

// judgeAPI is judge for the REST API.
func judgeAPI(resp *github.Response, err error) error {
	switch {
	case resp == nil && err != nil:
		return &githubauth.Unavailable{Retry: 5 * time.Second, Cause: withoutAddress(err)}
	case err == nil:
		return nil
	}
	switch code := resp.StatusCode; code {
	case http.StatusNotFound, http.StatusUnprocessableEntity:
		return ErrForeign // 422 is what GitHub says of something that cannot be a token
	case http.StatusUnauthorized:
		return &Setup{"the client id or the client secret is wrong"}
	case http.StatusForbidden, http.StatusTooManyRequests:
		return &githubauth.Unavailable{Retry: time.Minute, Cause: "rate limit"}
	default:
		return &githubauth.Unavailable{Retry: 5 * time.Second, Cause: "no usable answer about a token"}
	}
}
