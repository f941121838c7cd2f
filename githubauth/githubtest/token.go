package githubtest

import (
	"slices"
	"time"
)

// Level is what a credential was granted on the contents of repositories. The zero value is none: such a
// credential still reads metadata, as every fine-grained and app token does.
type Level uint8

const (
	None Level = iota
	Read
	Write
)

// Kind describes a credential to mint: one of Classic, OAuth, FineGrained, AppUser, Installation, Actions.
type Kind interface{ describe(*GitHub, *token) }

// Classic is a personal access token (classic), ghp_, or 40 hex digits with OldShape.
type Classic struct {
	User   string
	Scopes []string
}

// OAuth is a user's token for an OAuth app, gho_, or 40 hex digits with OldShape. It differs from Classic in
// prefix and in the organization policies that meet it.
type OAuth struct {
	User   string
	Scopes []string
}

// FineGrained is a fine-grained personal access token, github_pat_. It has one resource owner; no Repos means
// all of that owner's, no Owner means "public repositories only". Besides, it reads everything public.
type FineGrained struct {
	User     string
	Owner    string
	Repos    []string // owner/name
	Contents Level

	Permissions Permissions // beside contents and metadata
}

// AppUser is a GitHub App's token for a user, ghu_: what the user may do and the app was granted. No Owner
// means that the app is installed on every account, no Repos that it is installed on all repositories.
type AppUser struct {
	User     string
	Owner    string
	Repos    []string
	Contents Level

	Permissions Permissions // beside contents and metadata
}

// Installation is a GitHub App's own token for one account, ghs_: the 2026 stateless form of some 520
// characters, or 40 characters with OldShape. No Repos means all of Owner's.
type Installation struct {
	App      string // slug, "octoapp" if empty
	Owner    string
	Repos    []string
	Contents Level

	Permissions Permissions // beside contents and metadata
}

// Actions is the GITHUB_TOKEN of a workflow: an installation token that reaches one repository and that
// doesn't tell who runs the workflow.
type Actions struct {
	Repo     string
	Contents Level
}

// TokenOption changes a credential while it is minted.
type TokenOption func(*token)

// Expires has the token answered with 401 from then on. Personal access tokens announce it in the header
// github-authentication-token-expiration. Without this option no token ever expires here, while GitHub gives
// an installation token one hour and a ghu_ eight.
func Expires(at time.Time) TokenOption {
	return func(t *token) { t.expires = at }
}

// OldShape mints the shape of former years: 40 hex digits without prefix for Classic and OAuth, ghs_ and 36
// characters for Installation and Actions. It has no effect on other kinds.
func OldShape() TokenOption {
	return func(t *token) { t.old = true }
}

// Label starts the token's random part with a word, so that people recognise it: ghp_FAKEwendy….
func Label(word string) TokenOption {
	return func(t *token) { t.label = word }
}

// Pending is for FineGrained: the organization has not approved the token yet, so it reads public data only.
func Pending() TokenOption {
	return func(t *token) { t.pending = true }
}

type form uint8

const (
	classic form = iota + 1
	oauth
	fineGrained
	appUser
	installation
	actions
)

type token struct {
	id      int64 // in the order they were made
	secret  string
	form    form
	expires time.Time
	old     bool
	label   string
	pending bool
	sso     map[int64]bool // organizations it is authorised for

	user     int64 // 0 for installation tokens
	scopes   []string
	owner    int64 // 0: any, where all is set
	all      bool  // every repository of the owner
	repos    map[int64]bool
	only     int64 // the one repository of an Actions token
	contents Level
	bot      string

	permissions Permissions // beside contents
	install     *installed  // of an installation token that an app asked for
	client      *client     // of a token that came from a login
	device      bool        // it was the device flow, so its refresh needs no client secret
	made        time.Time
}

// level is what the token was granted of a permission, wherever it reaches.
func (t *token) level(permission string) Level {
	switch permission {
	case "contents":
		return t.contents
	case "metadata":
		return Read
	}
	return t.permissions[permission]
}

// scoped says whether OAuth scopes limit the token, rather than permissions on repositories.
func (t *token) scoped() bool { return t.form == classic || t.form == oauth }

func (t *token) has(scope string) bool { return slices.Contains(t.scopes, scope) }

func (k Classic) describe(g *GitHub, t *token) {
	t.form, t.user, t.scopes = classic, g.mustUser(k.User).id, slices.Clone(k.Scopes)
}

func (k OAuth) describe(g *GitHub, t *token) {
	t.form, t.user, t.scopes = oauth, g.mustUser(k.User).id, slices.Clone(k.Scopes)
}

func (k FineGrained) describe(g *GitHub, t *token) {
	t.form, t.user = fineGrained, g.mustUser(k.User).id
	if k.Owner != "" {
		g.selectRepos(t, k.Owner, k.Repos)
	}
	t.contents, t.permissions = k.Contents, k.Permissions
}

func (k AppUser) describe(g *GitHub, t *token) {
	t.form, t.user = appUser, g.mustUser(k.User).id
	g.selectRepos(t, k.Owner, k.Repos)
	t.contents, t.permissions = k.Contents, k.Permissions
}

func (k Installation) describe(g *GitHub, t *token) {
	t.form, t.bot = installation, k.App+"[bot]"
	if k.App == "" {
		t.bot = "octoapp[bot]"
	}
	g.selectRepos(t, g.mustAccount(k.Owner).login, k.Repos)
	t.contents, t.permissions = k.Contents, k.Permissions
}

func (k Actions) describe(g *GitHub, t *token) {
	t.form, t.bot = actions, "github-actions[bot]"
	r := g.mustRepo(k.Repo)
	t.owner, t.only, t.repos, t.contents = r.owner, r.id, map[int64]bool{r.id: true}, k.Contents
}

func (g *GitHub) selectRepos(t *token, owner string, repos []string) {
	if owner != "" {
		t.owner = g.mustAccount(owner).id
	}
	t.all = len(repos) == 0
	t.repos = map[int64]bool{}
	for _, name := range repos {
		r := g.mustRepo(name)
		if t.owner != 0 && r.owner != t.owner {
			panic("githubtest: a token has one resource owner, " + owner + ": " + name)
		}
		t.repos[r.id] = true
	}
}

// Token mints a credential of the given kind and returns it.
func (g *GitHub) Token(kind Kind, options ...TokenOption) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	t := &token{sso: map[int64]bool{}}
	kind.describe(g, t)
	for _, o := range options {
		o(t)
	}
	g.keep(t)
	return t.secret
}

// keep gives the token its secret, and remembers it.
func (g *GitHub) keep(t *token) {
	t.secret = g.mint(t)
	t.made = g.now()
	g.lastToken++
	t.id = g.lastToken
	g.tokens[t.secret] = t
}

// Edit changes what a token was granted, as its owner may at any time in GitHub's settings. The kind must be
// the one it was minted with.
func (g *GitHub) Edit(secret string, kind Kind) {
	g.mu.Lock()
	defer g.mu.Unlock()
	t, edited := g.mustToken(secret), &token{}
	kind.describe(g, edited)
	if edited.form != t.form {
		panic("githubtest: a token can't change its kind")
	}
	edited.secret, edited.expires, edited.pending, edited.sso = t.secret, t.expires, t.pending, t.sso
	edited.install, edited.client, edited.made, edited.id = t.install, t.client, t.made, t.id
	edited.old, edited.label = t.old, t.label
	g.tokens[secret] = edited
}

// RevokeToken has the token answered with 401 from now on.
func (g *GitHub) RevokeToken(secret string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.end(g.mustToken(secret))
}

// Approve ends the state of Pending.
func (g *GitHub) Approve(secret string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	t := g.mustToken(secret)
	if t.pending {
		t.pending = false
		g.tellApproval(t)
	}
}

// AuthorizeSSO authorises a classic token for an organization that requires single sign-on.
func (g *GitHub) AuthorizeSSO(secret, org string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.mustToken(secret).sso[g.mustOrg(org).id] = true
}

func (g *GitHub) mustToken(secret string) *token {
	t := g.tokens[secret]
	if t == nil {
		panic("githubtest: no such token, or a revoked one")
	}
	return t
}
