package githubtest

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// App describes a GitHub App. What is left empty is made up, and is in the App that AddApp returns.
type App struct {
	ID           int64
	Slug         string
	Owner        string // an account; the oldest one if empty
	ClientID     string // Iv1.…
	ClientSecret string
	Callbacks    []string // for its users' login; none allows any loopback address
	Device       bool     // device flow enabled
	Key          *rsa.PrivateKey

	// Permissions are what every installation is granted; none is read on contents and members.
	Permissions Permissions
}

// PEM is the private key as GitHub hands it out.
func (a App) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(a.Key)})
}

// Permissions are granted levels by GitHub's names: contents, members, administration, emails….
// metadata is always read.
type Permissions map[string]Level

// app is a registered GitHub App.
type app struct {
	App
	owner    int64
	created  time.Time
	installs map[int64]*installed // by account
}

// installed is an app on one account: on all of its repositories or on some.
type installed struct {
	id, account int64
	app         *app
	all         bool
	repos       map[int64]bool
	suspended   time.Time // zero: it isn't
	created     time.Time
}

func (in *installed) reaches(r *repo) bool {
	return in != nil && in.suspended.IsZero() && in.account == r.owner && (in.all || in.repos[r.id])
}

// AddApp registers a GitHub App, which is installed nowhere yet. See Install. The app proves who it is with a
// JWT signed by its key ("Generating a JSON Web Token (JWT) for a GitHub App"), and its users log in with its
// client id and secret.
func (g *GitHub) AddApp(a App) App {
	if a.Key == nil {
		a.Key = newKey()
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if a.ID == 0 {
		a.ID = g.nextID()
	}
	if g.apps[a.ID] != nil || g.appBySlug(a.Slug) != nil {
		panic("githubtest: the app exists: " + a.Slug)
	}
	if a.Slug == "" {
		a.Slug = "app-" + strconv.FormatInt(a.ID, 10)
	}
	if a.ClientID == "" {
		a.ClientID = "Iv1." + strings.ToLower(g.word(16, ""))
	}
	if a.ClientSecret == "" {
		a.ClientSecret = strings.ToLower(g.word(40, ""))
	}
	if a.Permissions == nil {
		a.Permissions = Permissions{"contents": Read, "members": Read}
	}
	a.Permissions = maps.Clone(a.Permissions)
	a.Permissions["metadata"] = Read
	made := &app{App: a, created: g.now(), installs: map[int64]*installed{}}
	if a.Owner != "" {
		made.owner = g.mustAccount(a.Owner).id
	} else if ids := sortedKeys(maps.Keys(g.accounts)); len(ids) > 0 {
		made.owner = ids[0]
	} else {
		panic("githubtest: an app needs an account to own it")
	}
	g.apps[a.ID] = made
	g.clients[a.ClientID] = &client{
		id: a.ClientID, secret: a.ClientSecret, name: a.Slug, callbacks: slices.Clone(a.Callbacks), device: a.Device, app: made,
	}
	return a
}

// Install installs an app on an account: on the named repositories, or on all if there are none. If it is
// installed there already, it changes the choice. It returns the installation's id.
func (g *GitHub) Install(slug, account string, repos ...string) int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	a, owner := g.mustApp(slug), g.mustAccount(account)
	in := a.installs[owner.id]
	had := in != nil
	var before []any
	if had {
		before = g.chosen(in)
	} else {
		in = &installed{id: g.nextID(), account: owner.id, app: a, created: g.now()}
		a.installs[owner.id] = in
	}
	in.all, in.repos = len(repos) == 0, map[int64]bool{}
	for _, name := range repos {
		r := g.mustRepo(name)
		if r.owner != owner.id {
			panic("githubtest: an installation has repositories of one account, " + account + ": " + name)
		}
		in.repos[r.id] = true
	}
	if !had {
		g.tellInstallation("created", in)
		return in.id
	}
	after := g.chosen(in)
	g.tellChoice(in, without(after, before), without(before, after))
	return in.id
}

// without returns the repositories of one list that are not in the other.
func without(list, other []any) []any {
	id := func(v any) any { return v.(map[string]any)["id"] }
	return slices.DeleteFunc(slices.Clone(list), func(v any) bool {
		return slices.ContainsFunc(other, func(o any) bool { return id(o) == id(v) })
	})
}

// Uninstall takes the app off the account; its installation tokens are worth nothing from then on.
func (g *GitHub) Uninstall(slug, account string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	in := g.mustInstalled(slug, account)
	g.tellInstallation("deleted", in)
	delete(in.app.installs, in.account)
	maps.DeleteFunc(g.tokens, func(_ string, t *token) bool { return t.install == in })
}

// SuspendApp has the installation's tokens refused with 403 and hides its repositories from the app's users;
// false lifts it.
func (g *GitHub) SuspendApp(slug, account string, suspended bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	in := g.mustInstalled(slug, account)
	in.suspended = time.Time{}
	action := "unsuspend"
	if suspended {
		in.suspended, action = g.now(), "suspend"
	}
	g.tellInstallation(action, in)
}

// AppJWT signs the JWT by which the app names itself, good for nine minutes.
func (g *GitHub) AppJWT(slug string) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	a, now := g.mustApp(slug), g.now()
	return signJWT(a.Key, "", map[string]any{"iss": strconv.FormatInt(a.ID, 10), "iat": now.Add(-time.Minute).Unix(), "exp": now.Add(9 * time.Minute).Unix()})
}

func (g *GitHub) appBySlug(slug string) *app {
	for _, a := range g.apps {
		if fold(a.Slug) == fold(slug) {
			return a
		}
	}
	return nil
}

func (g *GitHub) mustApp(slug string) *app {
	a := g.appBySlug(slug)
	if a == nil {
		panic("githubtest: no app " + slug)
	}
	return a
}

func (g *GitHub) mustInstalled(slug, account string) *installed {
	in := g.mustApp(slug).installs[g.mustAccount(account).id]
	if in == nil {
		panic("githubtest: " + slug + " is not installed on " + account)
	}
	return in
}

// authenticateApp finds the app that signed a JWT. The refusals are GitHub's, whose messages tell the reason.
func (g *GitHub) authenticateApp(text string) (*app, *answer) {
	claims, ok := claimsOf(text)
	if !ok {
		return nil, fail(401, "A JSON web token could not be decoded")
	}
	var found *app
	switch iss := claims["iss"].(type) {
	case string:
		for _, a := range g.apps {
			if iss == a.ClientID || iss == strconv.FormatInt(a.ID, 10) {
				found = a
			}
		}
	case float64:
		found = g.apps[int64(iss)]
	}
	now := g.now()
	exp, hasExp := claims["exp"].(float64)
	iat, hasIat := claims["iat"].(float64)
	switch {
	case found == nil:
		return nil, fail(404, "Integration not found")
	case !signedBy(text, &found.Key.PublicKey):
		return nil, fail(401, "A JSON web token could not be decoded")
	case !hasExp || int64(exp) <= now.Unix():
		return nil, fail(401, "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires")
	case int64(exp) > now.Add(10*time.Minute).Unix():
		return nil, fail(401, "'Expiration time' claim ('exp') is too far in the future")
	case !hasIat || int64(iat) > now.Unix():
		return nil, fail(401, "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued")
	}
	return found, nil
}
