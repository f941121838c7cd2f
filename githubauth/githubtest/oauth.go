package githubtest

import (
	"cmp"
	"encoding/hex"
	"slices"
	"strings"
	"time"
)

// client is who may log people in: an OAuth app, or a GitHub App under its client id.
type client struct {
	id, secret string
	name       string
	callbacks  []string
	device     bool
	app        *app // nil: an OAuth app
}

// Lifetimes ("Authorizing OAuth apps", "Refreshing user access tokens").
const (
	codeLife    = 10 * time.Minute
	deviceLife  = 15 * time.Minute
	userLife    = 8 * time.Hour
	refreshLife = 184 * 24 * time.Hour
	tokenCap    = 10 // tokens of one app, user and set of scopes; the oldest makes room
)

// code is an authorization code that was not exchanged yet.
type code struct {
	client    *client
	user      int64
	scopes    []string
	redirect  string
	challenge string // PKCE, S256; empty without
	expires   time.Time
}

// refresh is a ghr_ token: good once.
type refresh struct {
	token   *token
	expires time.Time
}

// AddOAuthApp registers an OAuth app. Its client id and secret log people in, and read public data as Basic
// credentials. Without callbacks any address on the loopback interface may be redirected to; with some, only
// exactly these. The device flow is off, as it is at first on GitHub.
func (g *GitHub) AddOAuthApp(clientID, clientSecret string, callbacks ...string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.clients[clientID] = &client{id: clientID, secret: clientSecret, name: clientID, callbacks: callbacks}
}

// SetDeviceFlow allows an app's device flow, or forbids it.
func (g *GitHub) SetDeviceFlow(clientID string, enabled bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.mustClient(clientID).device = enabled
}

// Login is a whole login with an app in one call, without its pages: it returns what the code would have been
// exchanged for. Tests use it for tokens of other sites, which prove nothing to gatehouse. The scopes are for
// OAuth apps.
func (g *GitHub) Login(clientID, user string, scopes ...string) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.grantTo(g.mustClient(clientID), g.mustUser(user).id, scopes).secret
}

// RevokeGrant is what a user does in the settings: the app's tokens for that user end, refresh tokens
// included, and a GitHub App is told so by webhook.
func (g *GitHub) RevokeGrant(clientID, user string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.revokeGrant(g.mustClient(clientID), g.mustUser(user).id)
}

func (g *GitHub) revokeGrant(cl *client, user int64) {
	for _, t := range g.tokensOf(cl, user) {
		g.end(t)
	}
	for text, r := range g.refreshes { // of expired tokens, too
		if r.token.client == cl && r.token.user == user {
			delete(g.refreshes, text)
		}
	}
	if cl.app != nil {
		sender := g.simpleUser(g.hookCall(), g.accounts[user])
		g.emit("github_app_authorization", "revoked", 0, map[string]any{"sender": sender}, user)
	}
}

func (g *GitHub) mustClient(id string) *client {
	cl := g.clients[id]
	if cl == nil {
		panic("githubtest: no app with the client id " + id)
	}
	return cl
}

// grantTo makes the token of a login: a gho_ that doesn't expire, or a ghu_ for eight hours.
func (g *GitHub) grantTo(cl *client, user int64, scopes []string) *token {
	t := &token{form: oauth, user: user, client: cl, scopes: slices.Clone(scopes), sso: map[int64]bool{}}
	if cl.app != nil {
		t.form, t.scopes, t.all = appUser, nil, true
		t.contents, t.permissions = cl.app.Permissions["contents"], cl.app.Permissions
		t.expires = g.now().Add(userLife)
	}
	slices.Sort(t.scopes)
	if same := slices.DeleteFunc(g.tokensOf(cl, user), func(o *token) bool {
		return !slices.Equal(o.scopes, t.scopes)
	}); len(same) >= tokenCap && cl.app == nil {
		g.end(same[0])
	}
	g.keep(t)
	return t
}

// granted are the scopes that the user gave the app before: authorizing again adds to them.
func (g *GitHub) granted(cl *client, user int64) []string {
	var all []string
	for _, t := range g.tokensOf(cl, user) {
		all = append(all, t.scopes...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// tokensOf are the tokens that the app has for the user, oldest first.
func (g *GitHub) tokensOf(cl *client, user int64) []*token {
	var all []*token
	for _, t := range g.tokens {
		if t.client == cl && t.user == user {
			all = append(all, t)
		}
	}
	slices.SortFunc(all, func(a, b *token) int { return cmp.Compare(a.id, b.id) })
	return all
}

// end revokes a token, and the refresh token beside it.
func (g *GitHub) end(t *token) {
	delete(g.tokens, t.secret)
	for text, r := range g.refreshes {
		if r.token == t {
			delete(g.refreshes, text)
		}
	}
}

// scopesOf splits the parameter scope, which may have spaces or commas.
func scopesOf(text string) []string {
	all := strings.FieldsFunc(text, func(c rune) bool { return c == ' ' || c == ',' })
	slices.Sort(all)
	return slices.Compact(all)
}

func (g *GitHub) hex(n int) string { return hex.EncodeToString(g.bytes(n)) }
