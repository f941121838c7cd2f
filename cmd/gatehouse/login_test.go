package main

import (
	"errors"
	"net/url"
	"sync"
	"testing"
	"time"

	"gatehouse/config"
	"gatehouse/githubauth"
	"gatehouse/githubauth/githubtest"
	"gatehouse/githubauth/oauth"
	"gatehouse/scopes"
	"gatehouse/store"
	inmemory "gatehouse/store/memory"
	"gatehouse/store/tokens"
)

// newLoginsOf returns the tokens of a registry that is registered as a GitHub App.
func newLoginsOf(t *testing.T, github *githubtest.Fixture, app githubtest.App) *logins {
	t.Helper()
	engine := inmemory.NewKV()
	packages, err := store.Open(t.Context(), engine, inmemory.NewBlob(), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	own, err := tokens.New(engine, packages, tokens.Options{})
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := demoConfig(t.TempDir(), 0, github.GitHub)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Auth.GitHub.OAuth = config.OAuth{ClientID: app.ClientID, ClientSecret: config.NewSecret(app.ClientSecret)}
	l, err := newLogins(cfg, engine, own)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

var wendy = scopes.Principal{Kind: scopes.Person, ID: 7, Login: "wendy", Credential: scopes.AppUser}

// loggedIn is a token of wendy's over a GitHub token that ends in the time left.
func loggedIn(t *testing.T, l *logins, github *githubtest.Fixture, left time.Duration) (secret string, behind oauth.Credential) {
	t.Helper()
	const callback = "http://127.0.0.1:1/-/login/callback"
	verifier := oauth.NewVerifier()
	back, err := github.AuthorizeAs("wendy", l.app.AuthorizeURL(callback, "state", verifier))
	if err != nil {
		t.Fatal(err)
	}
	if behind, err = l.app.Exchange(t.Context(), codeIn(t, back), callback, verifier); err != nil {
		t.Fatal(err)
	}
	behind.Expires = time.Now().Add(left).UTC().Truncate(time.Second)
	if _, secret, err = l.mint(t.Context(), wendy, "npm login", time.Now().Add(time.Hour), behind); err != nil {
		t.Fatal(err)
	}
	return secret, behind
}

// TestLoginOutlastsItsGitHubToken: the credential behind a login is refreshed before it ends, once, and kept for the next use.
func TestLoginOutlastsItsGitHubToken(t *testing.T) {
	github := githubtest.Acme().Start()
	defer github.Close()
	l := newLoginsOf(t, github, github.AddApp(githubtest.App{Slug: "gatehouse"}))
	secret, first := loggedIn(t, l, github, time.Hour)
	if _, access, err := l.Use(t.Context(), secret); err != nil || access != first.Access {
		t.Fatalf("an hour before its end: %v", err)
	}
	secret, first = loggedIn(t, l, github, time.Minute)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			_, access, err := l.Use(t.Context(), secret)
			if err != nil || access == first.Access {
				t.Errorf("a minute before its end: %v", err)
				return
			}
			if _, err := l.app.Check(t.Context(), access); err != nil {
				t.Errorf("what it was refreshed to: %v", err)
			}
		})
	}
	group.Wait()
	if _, behind, err := l.Open(t.Context(), secret); err != nil || behind.Access == first.Access || behind.Refresh == first.Refresh || behind.Expires.Before(time.Now().Add(7*time.Hour)) {
		t.Errorf("what is kept ends %v, %v", behind.Expires, err)
	}
}

// TestOutageAtRefresh is the trap of a GitHub that cannot be asked for a new token while the old one is good for minutes yet: nobody is turned away for what
// they do not need, and GitHub is not asked again with every request.
func TestOutageAtRefresh(t *testing.T) {
	github := githubtest.Acme().Start()
	defer github.Close()
	l := newLoginsOf(t, github, github.AddApp(githubtest.App{Slug: "gatehouse"}))
	good, first := loggedIn(t, l, github, 3*time.Minute)
	over, _ := loggedIn(t, l, github, -time.Second)
	back := github.Outage(503)
	github.ResetCounts()
	for range 10 {
		if _, access, err := l.Use(t.Context(), good); err != nil || access != first.Access {
			t.Fatalf("minutes before its end: %v", err)
		}
	}
	if n := github.Counts().Total(); n != 1 {
		t.Errorf("GitHub was asked %d times", n)
	}
	down := (*githubauth.Unavailable)(nil)
	if _, _, err := l.Use(t.Context(), over); !errors.As(err, &down) {
		t.Errorf("after its end: %v", err)
	}
	back()
	if _, access, err := l.Use(t.Context(), over); err != nil || access == "" {
		t.Errorf("after the outage: %v", err)
	}
}

// TestLogoutTellsGitHub: the GitHub token of a login ends with it, whoever else is logged in, but not under a token that was minted with the login's and
// stands on it.
func TestLogoutTellsGitHub(t *testing.T) {
	github := githubtest.Acme().Start()
	defer github.Close()
	l := newLoginsOf(t, github, github.AddApp(githubtest.App{Slug: "gatehouse"}))
	secret, behind := loggedIn(t, l, github, time.Hour)
	_, other := loggedIn(t, l, github, time.Hour)
	other.Refresh, other.Expires = "", time.Time{} // as an OAuth app's
	_, elsewhere, err := l.mint(t.Context(), wendy, "npm login", time.Now().Add(time.Hour), other)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.RevokeSecret(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
	if _, err := l.app.Check(t.Context(), behind.Access); err != oauth.ErrForeign {
		t.Errorf("GitHub still takes the token: %v", err)
	}
	mintedWith(t, l, elsewhere)
	if _, err := l.RevokeSecret(t.Context(), elsewhere); err != nil {
		t.Fatal(err)
	}
	if _, err := l.app.Check(t.Context(), other.Access); err != nil {
		t.Errorf("the token of another was ended: %v", err)
	}
}

// TestMintedTokenEndsNoLogin is the hole of a token that was given away, with no right to users, and of which the logout ended the login that it was minted
// with, and all others that stand on that.
func TestMintedTokenEndsNoLogin(t *testing.T) {
	github := githubtest.Acme().Start()
	defer github.Close()
	l := newLoginsOf(t, github, github.AddApp(githubtest.App{Slug: "gatehouse"}))
	secret, behind := loggedIn(t, l, github, time.Hour)
	first, second := mintedWith(t, l, secret), mintedWith(t, l, secret)
	for _, s := range []string{second, first} {
		if _, err := l.RevokeSecret(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		if _, err := l.app.Check(t.Context(), behind.Access); err != nil {
			t.Fatalf("the login was ended: %v", err)
		}
	}
}

// mintedWith is a token that npm token create makes with another.
func mintedWith(t *testing.T, l *logins, secret string) string {
	t.Helper()
	by, behind, err := l.Open(t.Context(), secret)
	if err != nil {
		t.Fatal(err)
	}
	_, minted, err := l.Create(t.Context(), scopes.Token{
		Owner: by.Owner, Name: "ci", Grant: scopes.Grant{Rights: scopes.All()}, Behind: by.Behind, Under: by.Root(),
	}, tokens.Credential{Access: behind.Access, Parent: secret})
	if err != nil {
		t.Fatal(err)
	}
	return minted
}

func codeIn(t *testing.T, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query().Get("code")
}

// TestMintedInALoginOutlastsItsGitHubToken: GitHub's tokens of an App end after eight hours, and those that npm token create has made in a login live on with it, and end with it.
func TestMintedInALoginOutlastsItsGitHubToken(t *testing.T) {
	github := githubtest.Acme().Start()
	defer github.Close()
	l := newLoginsOf(t, github, github.AddApp(githubtest.App{Slug: "gatehouse"}))
	login, first := loggedIn(t, l, github, time.Minute) // of its eight hours
	mint := func(parent string) string {
		t.Helper()
		_, access, err := l.Use(t.Context(), parent)
		if err != nil {
			t.Fatal(err)
		}
		_, secret, err := l.Create(t.Context(), scopes.Token{
			Owner: scopes.Account{ID: wendy.ID, Login: wendy.Login}, Name: "ci", Grant: scopes.Grant{Rights: scopes.All()}, Behind: scopes.AppUser,
		}, tokens.Credential{Access: access, Parent: parent})
		if err != nil {
			t.Fatal(err)
		}
		return secret
	}
	_, behind, err := l.Open(t.Context(), login)
	if err != nil || behind.Access != first.Access {
		t.Fatal(err)
	}
	child := mint(login)
	grandchild := mint(child)
	if _, behind, err = l.Open(t.Context(), login); err != nil || behind.Access == first.Access {
		t.Fatalf("minting did not refresh the login: %v", err)
	}
	// What was refreshed ends in its turn, and is refreshed by whoever comes first.
	soon := behind
	soon.Expires = time.Now().Add(time.Minute).UTC().Truncate(time.Second)
	if err := l.Reseal(t.Context(), login, behind, soon); err != nil {
		t.Fatal(err)
	}
	_, of, err := l.Use(t.Context(), grandchild)
	if err != nil || of == behind.Access {
		t.Fatalf("a minute before its end: %v", err)
	}
	if _, err := l.app.Check(t.Context(), of); err != nil {
		t.Errorf("what it was refreshed to: %v", err)
	}
	for what, secret := range map[string]string{"the login": login, "its child": child} {
		if token, access, err := l.Use(t.Context(), secret); err != nil || access != of || token.ID == "" {
			t.Errorf("%s has another: %v", what, err)
		}
	}
	if _, sealed, err := l.Open(t.Context(), child); err != nil || sealed.Access != "" || sealed.Refresh != "" {
		t.Errorf("the child has a credential of its own: %v", err)
	}
	// A child's end is its own; the login's is everybody's.
	if _, err := l.RevokeSecret(t.Context(), child); err != nil {
		t.Fatal(err)
	}
	if _, _, err := l.Use(t.Context(), grandchild); err != nil {
		t.Errorf("after its minter has ended: %v", err)
	}
	if _, err := l.app.Check(t.Context(), of); err != nil {
		t.Errorf("the login's GitHub token was ended with a child: %v", err)
	}
	if _, err := l.RevokeSecret(t.Context(), login); err != nil {
		t.Fatal(err)
	}
	if _, _, err := l.Use(t.Context(), grandchild); !errors.Is(err, tokens.ErrParent) {
		t.Errorf("after logging out: %v", err)
	}
	if _, _, err := l.Tokens.Use(t.Context(), grandchild); !errors.Is(err, tokens.ErrParent) {
		t.Errorf("after logging out: %v", err)
	}
}
