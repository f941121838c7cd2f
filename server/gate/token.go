package gate

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"time"

	"gatehouse/scopes"
)

// Tokens opens the registry's own tokens (met by *tokens.Tokens, whose comments hold).
type Tokens interface {
	// Use returns the token of a secret and the GitHub credential behind it; a workflow's has none.
	Use(ctx context.Context, secret string) (scopes.Token, string, error)
}

// UseTokens makes the gate take the registry's own tokens besides GitHub's. It is called before the gate is in use. Without it, none are taken.
func (g *Gate) UseTokens(t Tokens) *Gate {
	g.tokens = t
	return g
}

// ErrForeign: the credential behind a token is somebody else's than the token.
var ErrForeign = errors.New("the GitHub credential behind this token is somebody else's")

// Behind is an error about the credential behind one of the registry's own tokens, which whoever shows the token has never seen.
type Behind struct{ Err error }

func (e *Behind) Error() string { return "the credential behind the token: " + e.Err.Error() }
func (e *Behind) Unwrap() error { return e.Err }

// shown is one of the registry's own tokens as it came with a request.
type shown struct {
	scopes.Token
	secret string
	from   netip.Addr
}

// enter identifies the holder of one of the registry's own tokens: the token must be there and live, and the credential behind it must be good and
// still its owner's.
func (g *Gate) enter(ctx context.Context, secret string, from netip.Addr) (Caller, error) {
	who := Caller{own: &shown{secret: secret, from: from}}
	if err := g.reopen(ctx, &who); err != nil {
		return Caller{}, err
	}
	if w := who.own.Workflow; w != nil {
		who.Principal = w.Principal()
		return who, nil
	}
	var err error
	if who.Principal, err = g.github.Identify(ctx, who.token, from); err != nil {
		return Caller{}, who.behind(err)
	}
	if who.ID != who.own.Owner.ID || who.Kind != scopes.Person {
		return Caller{}, ErrForeign
	}
	who.Credential = scopes.GranularToken
	return who, nil
}

// reopen reads the caller's token, if it is one of the registry's own: it may have been revoked or have expired since it was read last, and another
// credential may be behind it.
func (g *Gate) reopen(ctx context.Context, who *Caller) (err error) {
	if who.own == nil {
		return nil
	}
	if who.own.secret == "" { // see Proven: there is no token yet
		return nil
	}
	own := *who.own
	if own.Token, who.token, err = g.tokens.Use(ctx, own.secret); err != nil {
		return err
	}
	who.own = &own
	return own.Grant.Live(time.Now(), own.from)
}

// Live returns nil unless the caller's token is one of the registry's own that was revoked, or that has ended, since the request began.
func (g *Gate) Live(ctx context.Context, who Caller) error { return g.reopen(ctx, &who) }

// ours tells the registry's own tokens from GitHub's.
func (g *Gate) ours(token string) bool {
	return g.tokens != nil && strings.HasPrefix(token, scopes.TokenPrefix)
}

// Own returns what is on record of the registry's own token that the caller has shown; nil if it was one of GitHub's.
func (c Caller) Own() *scopes.Token {
	if c.own == nil {
		return nil
	}
	return &c.own.Token
}

// grant is what narrows the caller's credential; nil if nothing does.
func (c Caller) grant() *scopes.Grant {
	if c.own == nil {
		return nil
	}
	return &c.own.Grant
}

// behind marks an error about a credential that the caller has not shown.
func (c Caller) behind(err error) error {
	if err == nil || c.own == nil {
		return err
	}
	return &Behind{err}
}

// access is what GitHub says of the caller and the repository of a question. Of a workflow's token the registry knows it itself, now: from what the package
// admits, and from what is known of its repository.
func (g *Gate) access(ctx context.Context, who Caller, q scopes.Question) (scopes.Access, error) {
	repo := q.Where.Repo
	if who.own == nil || who.own.Workflow == nil {
		a, err := g.github.Access(ctx, who.token, repo, q.What.Needs())
		return a, who.behind(err)
	}
	ground := scopes.Ground{Public: q.Public}
	if g.admissions != nil && who.own.Workflow.Repo.ID != repo.ID {
		var err error
		if ground.Admitted, err = g.admissions.Admitted(ctx, q.Package); err != nil {
			return scopes.Access{}, err
		}
	}
	return who.own.Workflow.Access(repo, q.What, ground, who.own.Created), nil
}

// Admissions tells which repositories' workflows a package admits (met by *store.Store, whose comment holds).
type Admissions interface {
	Admitted(ctx context.Context, name string) ([]scopes.Repo, error)
}

// UseAdmissions makes the gate let in workflows of repositories that a package admits. It is called before the gate is in use. Without it, none are.
func (g *Gate) UseAdmissions(a Admissions) *Gate {
	g.admissions = a
	return g
}

// Proven is the caller of a workflow that has proven what it is and has no token yet: as good as one with a token that may do what grant says.
func Proven(w scopes.Workflow, grant scopes.Grant, at time.Time) Caller {
	return Caller{Principal: w.Principal(), own: &shown{Token: scopes.Token{Workflow: &w, Grant: grant, Created: at}}}
}

// resolve is access to the repository of a name.
func (g *Gate) resolve(ctx context.Context, who Caller, owner, name string, need scopes.Permission) (scopes.Access, error) {
	if who.own != nil && who.own.Workflow != nil {
		return who.own.Workflow.Named(owner, name, who.own.Created), nil
	}
	a, err := g.github.Resolve(ctx, who.token, owner, name, need)
	return a, who.behind(err)
}

// granted returns the refusal of a claim by a token that could not make it whatever GitHub allowed: before GitHub is asked, so that a token
// learns nothing of repositories that it has nothing to do with.
func (g *Gate) granted(who Caller, pkg string, what scopes.Action, claimed scopes.Repo) error {
	if who.own == nil {
		return nil
	}
	some := scopes.Repo{ID: 1, OwnerID: 1, Owner: claimed.Owner, Name: claimed.Name}
	q := scopes.Question{
		Who: who.Principal, What: what, Package: pkg, Grant: who.grant(), Where: scopes.Binding{Kind: scopes.GitHub, Repo: some},
		Access: scopes.Access{Repo: some, Role: scopes.Admin, Reach: scopes.Admin},
	}
	if v := scopes.Decide(q); !v.OK {
		g.tally.count(what, v)
		return &Refusal{Verdict: v, Question: q, Package: pkg, First: true, host: g.names.Host}
	}
	return nil
}

// TokenRefusal is a no to somebody who wants to do something with tokens.
type TokenRefusal struct {
	scopes.Verdict
	Question scopes.TokenQuestion
}

func (e *TokenRefusal) Error() string {
	q := e.Question
	switch e.Reason {
	case scopes.NotAPerson:
		return "only people may " + q.What.String() + " tokens, with a token of their own: this one is an app's or a workflow's"
	case scopes.Lent:
		if q.What == scopes.MintToken {
			return "an app's token for you can only mint tokens without rights to users: every site that you log in to has one; use a personal access token"
		}
		return "an app's token for you may not " + q.What.String() + " your tokens: every site that you log in to has one; use a personal access token"
	case scopes.GrantTooNarrow:
		if q.What == scopes.MintToken && q.Grant.Rights.User(q.Who.Login) >= q.What.Needs() {
			return "a token can only mint tokens that may do no more than itself, from no other addresses, and end no later; mint this one with your GitHub token"
		}
		return "this token may not " + q.What.String() + ` tokens: that takes the right "` + q.What.Needs().String() + `" to the user ~` + q.Who.Login + " in its scope; use your GitHub token, or one minted with that right"
	}
	return "no such token"
}

// AllowTokens returns nil if the caller may do that with the tokens of an owner, and a *TokenRefusal if not. new is what is to be minted.
func (g *Gate) AllowTokens(who Caller, what scopes.TokenAction, owner int64, new *scopes.Grant) error {
	q := scopes.TokenQuestion{Who: who.Principal, Grant: who.grant(), What: what, Owner: owner, New: new}
	if v := scopes.DecideTokens(q); !v.OK {
		return &TokenRefusal{v, q}
	}
	return nil
}

// GitHub is the GitHub credential that the caller has shown, or that is behind the token they have shown: for sealing it into a new one, and
// for nothing else. It reports false if there is none.
func (c Caller) GitHub() (credential string, ok bool) { return c.token, c.token != "" }

// Secret is that of the registry's own token that the caller has shown, "" if it was one of GitHub's: for sealing it into one that it mints, and for
// nothing else.
func (c Caller) Secret() string {
	if c.own == nil {
		return ""
	}
	return c.own.secret
}
