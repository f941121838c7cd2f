package main

import (
	"context"
	"errors"
	"slices"
	"time"

	"gatehouse/config"
	"gatehouse/githubauth"
	"gatehouse/githubauth/oauth"
	"gatehouse/scopes"
	"gatehouse/server/login"
	"gatehouse/store/kv"
	"gatehouse/store/sessions"
	"gatehouse/store/tokens"
)

// logins joins the registry's tokens with the app that people log in with.
type logins struct {
	*tokens.Tokens
	app       *oauth.App // nil: none is configured
	refresher *oauth.Refresher
	sessions  *sessions.Sessions
}

func newLogins(cfg *config.Config, meta kv.Store, own *tokens.Tokens) (*logins, error) {
	l := &logins{Tokens: own, sessions: sessions.New(meta, nil)}
	github := cfg.Auth.GitHub
	if github.OAuth.ClientID == "" {
		return l, nil
	}
	var err error
	l.app, err = oauth.New(oauth.Options{
		APIURL: github.APIURL, WebURL: github.WebURL, ClientID: github.OAuth.ClientID, ClientSecret: github.OAuth.ClientSecret.Reveal(), UserAgent: "gatehouse/" + version,
	})
	if err != nil {
		return nil, err
	}
	l.refresher = oauth.NewRefresher(l.app, nil)
	return l, nil
}

func (l *logins) options(cfg *config.Config) login.Options {
	return login.Options{App: l.app, Sessions: l.sessions, Mint: l.mint, Expires: cfg.Auth.Login.Expires, Host: cfg.Auth.GitHub.Host}
}

// mint makes the token of a login, which may do whatever its owner may.
func (l *logins) mint(ctx context.Context, who scopes.Principal, name string, until time.Time, behind oauth.Credential) (scopes.Token, string, error) {
	return l.Create(ctx, scopes.Token{
		Owner: scopes.Account{ID: who.ID, Login: who.Login}, Name: name, Grant: scopes.Grant{Rights: scopes.All(), Until: until}, Behind: who.Credential,
	}, toKeep(behind))
}

func toKeep(c oauth.Credential) tokens.Credential {
	return tokens.Credential{Access: c.Access, Refresh: c.Refresh, Expires: c.Expires}
}

func toUse(c tokens.Credential) oauth.Credential {
	return oauth.Credential{Access: c.Access, Refresh: c.Refresh, Expires: c.Expires}
}

// Use is that of the tokens, with a credential behind it, or behind its parent, that is refreshed when it is about to end.
func (l *logins) Use(ctx context.Context, secret string) (scopes.Token, string, error) {
	token, behind, err := l.Open(ctx, secret)
	if err == nil && behind.Parent != "" {
		_, access, err := l.Use(ctx, behind.Parent) // which has none
		return token, access, tokens.OfParent(err)
	}
	if err != nil || l.refresher == nil || !l.refresher.Due(toUse(behind)) {
		return token, behind.Access, err
	}
	fresh, err := l.refresher.Fresh(ctx, toUse(behind), oauth.Kept{
		Name: token.ID,
		Read: func(ctx context.Context) (oauth.Credential, error) {
			_, c, err := l.Open(ctx, secret)
			return toUse(c), err
		},
		Replace: func(ctx context.Context, old, new oauth.Credential) error {
			return l.Reseal(ctx, secret, toKeep(old), toKeep(new))
		},
		Stale: func(err error) bool { return errors.Is(err, tokens.ErrStale) },
	})
	if errors.Is(err, oauth.ErrSpent) {
		// GitHub says the same of the old one, in words that its owner gets to see.
		return token, behind.Access, nil
	}
	if setup := (*oauth.Setup)(nil); errors.As(err, &setup) {
		err = &githubauth.Unavailable{Retry: time.Minute, Cause: setup.Error()} // the operator's to mend, and the caller's to wait for
	}
	return token, fresh.Access, err
}

// revokeTime bounds telling GitHub that a token is not needed any more.
const revokeTime = 5 * time.Second

// RevokeSecret is that of the tokens, and ends the GitHub token too that the login has got for it, unless tokens stand on it that were minted with the
// login's. Such a one takes nothing but itself along: whoever it was given to has no say about the login. If GitHub cannot be told, nobody can use that
// token any more all the same: what it was sealed in is gone.
func (l *logins) RevokeSecret(ctx context.Context, secret string) (scopes.Token, error) {
	token, behind, err := l.Open(ctx, secret)
	if err != nil || l.app == nil || !lent(token.Behind) || token.Under != "" {
		return l.Tokens.RevokeSecret(ctx, secret)
	}
	if token, err = l.Tokens.RevokeSecret(ctx, secret); err != nil {
		return token, err
	}
	others, err := l.List(ctx, token.Owner.ID)
	// Those that go by way of the login's token, since its credential is renewed, have ended with it.
	if err != nil || behind.Refresh == "" && slices.ContainsFunc(others, func(o scopes.Token) bool { return o.Under == token.ID }) {
		return token, nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), revokeTime)
	defer cancel()
	_ = l.app.Revoke(ctx, behind.Access)
	return token, nil
}

// lent reports whether a token stands, or may stand, on a credential that an app has got.
func lent(behind scopes.Credential) bool {
	return behind == scopes.OAuthToken || behind == scopes.AppUser || behind == scopes.GranularToken
}
