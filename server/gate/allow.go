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
// Whether a repository is public is looked at first, for reading, and without the caller's credential, which can be good for less than none: organisations
// turn away tokens that do not obey them. But GitHub is asked about it for those callers only whose own credential does not tell: for nobody, for workflows with a token of
// the registry's, for somebody who was turned away, and where it was public a while ago. For all others the question what they may do is the only one, and its answer tells
// whether the repository is public to all who come later.
//
// For a change, one of the registry's own tokens is read again: a body can take its time, and the token may have been revoked or have ended meanwhile.
func (g *Gate) Allow(ctx context.Context, who Caller, pkg string, where scopes.Binding, what scopes.Action) (scopes.Access, error) {
	if what != scopes.Install {
		if err := g.reopen(ctx, &who); err != nil {
			return scopes.Access{}, err
		}
	}
	q := question(who, pkg, where, what)
	if g.Open() || where.Kind != scopes.GitHub {
		return q.Access, g.decide(q, who, pkg)
	}
	if what == scopes.Install {
		known, ask := g.github.KnownPublic(where.Repo)
		q.Public = known
		if ask || who.token == "" {
			if err := g.askPublic(ctx, &q); err != nil {
				return scopes.Access{}, err
			}
		}
		if access, ok := g.open(&q); ok {
			return access, nil
		}
	}
	if who.Kind == scopes.Nobody {
		return scopes.Access{}, g.decide(q, who, pkg)
	}
	var err error
	q.Access, err = g.access(ctx, who, q)
	if what == scopes.Install && (unavailable(err) || err == nil && q.Access.Repo.ID == 0 && q.Access.Why != "") {
		if err := g.askPublic(ctx, &q); err != nil {
			return scopes.Access{}, err
		}
		if access, ok := g.open(&q); ok {
			return access, nil
		}
	}
	if err != nil {
		return scopes.Access{}, err
	}
	return q.Access, g.decide(q, who, pkg)
}

// askPublic has GitHub asked whether the repository is public. Not to be known to be is not to be; the error is the end of ctx.
func (g *Gate) askPublic(ctx context.Context, q *scopes.Question) error {
	public, err := g.github.Public(ctx, q.Where.Repo)
	if err == nil {
		q.Public = public
	}
	return ctx.Err()
}

// open reports whether the question is answered by what is public, and the access that everybody has.
func (g *Gate) open(q *scopes.Question) (scopes.Access, bool) {
	q.Public.ToAll = g.names.PublicToAll(q.Package)
	v := scopes.Decide(*q)
	if v.Reason != scopes.PublicRepository {
		return scopes.Access{}, false
	}
	g.tally.count(q.What, v)
	return scopes.Access{Repo: q.Public.Repo, At: q.Public.At}, true
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
