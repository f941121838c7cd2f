// Package gate stands between a request and a package: who is calling, and may they?
//
// It owns the reading of credentials from a request, the order of the questions, and the words of every refusal. The facts
// come from GitHub through the GitHub interface, the answer from scopes.Decide; the gate adds no rule of
// its own. It refuses to be reasoned with: an error on the way to an answer is an error, never a yes, and never a no about somebody's rights.
package gate

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"gatehouse/scopes"
)

var (
	// ErrNoCredential: the request carries none, and the registry is not open.
	ErrNoCredential = errors.New("no credential")
	// ErrCredentialForm: the request's credential cannot be read.
	ErrCredentialForm = errors.New("the Authorization header cannot be read: send one, \"Bearer TOKEN\", or \"Basic\" with the token as the password")
)

// GitHub is what the gate needs to know (met by *githubauth.Client, whose comments hold).
type GitHub interface {
	Identify(ctx context.Context, token string, from netip.Addr) (scopes.Principal, error)
	Access(ctx context.Context, token string, repo scopes.Repo, need scopes.Permission) (scopes.Access, error)
	Resolve(ctx context.Context, token, owner, name string, need scopes.Permission) (scopes.Access, error)
	Confirm(ctx context.Context, token string, within time.Duration) error
	Public(ctx context.Context, repo scopes.Repo) (scopes.Public, error)
	KnownPublic(repo scopes.Repo) (known scopes.Public, ask bool)
	Standing(ctx context.Context, token string, like scopes.Repo) string
	Profile(ctx context.Context, token string) (scopes.Profile, error)
	Pace() time.Duration
	People
}

// Gate answers for one registry.
type Gate struct {
	github GitHub
	names  scopes.Namespaces
	tokens Tokens // nil: only GitHub's own credentials are taken
	// admissions are what packages say of workflows; nil: nothing.
	admissions Admissions
	tally      tally
}

// New returns a gate that asks github. With a nil github the registry is open: everybody may do everything.
func New(github GitHub, names scopes.Namespaces) *Gate { return &Gate{github: github, names: names} }

// Open reports whether everybody may do everything here.
func (g *Gate) Open() bool { return g.github == nil }

// Names are the namespaces this registry serves.
func (g *Gate) Names() scopes.Namespaces { return g.names }

// Caller is an identified caller with the credential that proves it. It lives as long as its request.
type Caller struct {
	scopes.Principal
	token string // GitHub's: the one that was shown, or the one behind it; "" of a workflow
	own   *shown // the registry's own token that was shown, if it was one
	// trouble is why a reader is nobody.
	trouble error
}

// Identify reads the credential of a request and asks who holds it. Without one the error is ErrNoCredential; errors of the
// GitHub interface are returned as they are.
func (g *Gate) Identify(ctx context.Context, h http.Header, from netip.Addr) (Caller, error) {
	if g.Open() {
		return Caller{Principal: scopes.Principal{Kind: scopes.Anyone}}, nil
	}
	token, err := Credential(h)
	if err != nil {
		return Caller{}, err
	}
	if g.ours(token) {
		return g.enter(ctx, token, from)
	}
	who, err := g.github.Identify(ctx, token, from)
	if err != nil {
		return Caller{}, err
	}
	return Caller{Principal: who, token: token}, nil
}

// Confirm returns nil if GitHub knew the caller's credential no longer ago than within; otherwise it asks again. Errors are those of Identify; a reader
// who is nobody gets the one that made them so.
func (g *Gate) Confirm(ctx context.Context, who Caller, within time.Duration) error {
	switch {
	case g.Open():
		return nil
	case who.Kind == scopes.Nobody:
		return who.trouble
	}
	if who.own != nil {
		if err := g.reopen(ctx, &who); err != nil {
			return err
		}
		if who.own.Workflow != nil {
			return nil
		}
	}
	return who.behind(g.github.Confirm(ctx, who.token, within))
}

// Level waits until as much time has passed since began as GitHub takes to answer, so that an answer for which it was not asked comes no sooner.
func (g *Gate) Level(ctx context.Context, began time.Time) {
	if g.Open() {
		return
	}
	wait := time.NewTimer(time.Until(began.Add(g.github.Pace())))
	defer wait.Stop()
	select {
	case <-wait.C:
	case <-ctx.Done():
	}
}

// Credential reads the token of a request: "Bearer T", or "Basic" with the token as the password and any user name, which is what npm makes of
// _auth and of username and _password. Tokens elsewhere, in the query for example, are not looked at. Errors: ErrNoCredential,
// ErrCredentialForm.
func Credential(h http.Header) (string, error) {
	values := h.Values("Authorization")
	switch {
	case len(values) == 0 || len(values) == 1 && strings.TrimSpace(values[0]) == "":
		return "", ErrNoCredential
	case len(values) > 1:
		return "", ErrCredentialForm
	}
	scheme, rest, _ := strings.Cut(strings.TrimSpace(values[0]), " ")
	rest = strings.TrimSpace(rest)
	switch {
	case rest == "":
		return "", ErrNoCredential
	case strings.EqualFold(scheme, "Bearer"):
		return rest, nil
	case strings.EqualFold(scheme, "Basic"):
		decoded, err := base64.StdEncoding.DecodeString(rest)
		if err != nil {
			return "", ErrCredentialForm
		}
		user, password, _ := strings.Cut(string(decoded), ":")
		// The token as the user name is git's other habit ("curl -u TOKEN:", "TOKEN:x-oauth-basic").
		if password == "" || password == "x-oauth-basic" {
			password = user
		}
		if password == "" {
			return "", ErrNoCredential
		}
		return password, nil
	}
	return "", ErrCredentialForm
}

// Bearer reads a token that is no credential of the gate's, an ID token, from where credentials stand. Errors: ErrNoCredential, ErrCredentialForm.
func Bearer(h http.Header) (string, error) { return Credential(h) }

// verdict is scopes.Decide, counted.
func (g *Gate) verdict(q scopes.Question) scopes.Verdict {
	v := scopes.Decide(q)
	g.tally.count(q.What, v)
	return v
}
