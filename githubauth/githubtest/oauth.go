package githubtest

import (
	"slices"
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

// AddOAuthApp registers an OAuth app, whose client id and secret read public data as Basic credentials.
func (g *GitHub) AddOAuthApp(clientID, clientSecret string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.clients[clientID] = &client{id: clientID, secret: clientSecret, name: clientID}
}

// Login is a whole login with an app in one call, without its pages: it returns what the code would have been
// exchanged for. Tests use it for tokens of other sites, which are no proof of anything here. The scopes are
// for OAuth apps.
func (g *GitHub) Login(clientID, user string, scopes ...string) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	cl := g.clients[clientID]
	if cl == nil {
		panic("githubtest: no app with the client id " + clientID)
	}
	return g.grantTo(cl, g.mustUser(user), scopes).secret
}

// grantTo makes the token of a login: a gho_ that doesn't expire, or a ghu_ for eight hours.
func (g *GitHub) grantTo(cl *client, user *account, scopes []string) *token {
	t := &token{form: oauth, user: user.id, client: cl, scopes: slices.Clone(scopes), sso: map[int64]bool{}}
	if cl.app != nil {
		t.form, t.scopes, t.all = appUser, nil, true
		t.contents, t.permissions = cl.app.Permissions["contents"], cl.app.Permissions
		t.expires = g.now().Add(8 * time.Hour)
	}
	g.keep(t)
	return t
}
