package gate

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"strings"

	"gatehouse/scopes"
)

// Reader is Identify for a request that reads a package. Where everybody may read what is public, somebody without a credential is identified as nobody,
// and so is somebody whose credential GitHub cannot be asked about just now: Allow returns what kept them from being somebody, unless the package is
// public. A credential that is wrong is an error here as everywhere.
func (g *Gate) Reader(ctx context.Context, h http.Header, from netip.Addr, pkg string) (Caller, error) {
	who, err := g.Identify(ctx, h, from)
	if err == nil || !g.names.PublicToAll(pkg) || !errors.Is(err, ErrNoCredential) && !unavailable(err) {
		return who, err
	}
	return Caller{trouble: err}, nil
}

// unavailable reports whether an error says that GitHub gave no answer (githubauth.Unavailable).
func unavailable(err error) bool {
	var u interface {
		error
		Unavailable() bool
	}
	return errors.As(err, &u) && u.Unavailable()
}

// Allow returns nil if the caller may do what with the package, and a *Refusal if not. The access it went by comes back too; of a public
// repository, that is its present name alone.
//
// Whether a repository is public is asked first, for reading, and without the caller's credential, which can be good for less than none:
// organisations turn away tokens that do not obey them. Only for what is not public GitHub is asked what the caller may do.
func (g *Gate) Allow(ctx context.Context, who Caller, pkg string, where scopes.Binding, what scopes.Action) (scopes.Access, error) {
	q := question(who, pkg, where, what)
	if g.Open() || where.Kind != scopes.GitHub {
		return q.Access, g.decide(q, who, pkg)
	}
	if what == scopes.Install {
		public, err := g.github.Public(ctx, where.Repo)
		if ctx.Err() != nil {
			return scopes.Access{}, ctx.Err()
		}
		if err == nil { // else it is not known to be, and counts as private
			q.Public = public
			q.Public.ToAll = g.names.PublicToAll(pkg)
		}
		if v := scopes.Decide(q); v.OK {
			g.tally.count(q.What, v)
			return scopes.Access{Repo: q.Public.Repo, At: q.Public.At}, nil
		}
	}
	if who.Kind == scopes.Nobody {
		return scopes.Access{}, g.decide(q, who, pkg)
	}
	var err error
	if q.Access, err = g.access(ctx, who, q); err != nil {
		return scopes.Access{}, err
	}
	return q.Access, g.decide(q, who, pkg)
}

// question is what is asked about the caller, without what is known of the repository.
func question(who Caller, pkg string, where scopes.Binding, what scopes.Action) scopes.Question {
	return scopes.Question{Who: who.Principal, What: what, Package: pkg, Grant: who.grant(), Where: where}
}

func (g *Gate) decide(q scopes.Question, who Caller, pkg string) error {
	if v := g.verdict(q); !v.OK {
		return &Refusal{Verdict: v, Question: q, Package: pkg, host: g.names.Host, trouble: who.trouble}
	}
	return nil
}

// Standing is a sentence on what keeps the caller from the private repositories of a namespace, and how to mend it; "" if nothing is known to. It depends on
// the caller and on like, a repository of the namespace, and on no package.
func (g *Gate) Standing(ctx context.Context, who Caller, like scopes.Repo) string {
	if g.Open() || who.token == "" {
		return ""
	}
	s := g.github.Standing(ctx, who.token, like)
	if s == "" {
		return ""
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
