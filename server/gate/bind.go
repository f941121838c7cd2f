package gate

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"gatehouse/scopes"
)

// Mismatch: a publish names another repository than the one its package is bound to.
type Mismatch struct {
	Package string
	Bound   scopes.Repo
	Named   string // what package.json says
}

func (e *Mismatch) Error() string {
	return fmt.Sprintf(`%s is bound to the GitHub repository %s, and "repository" in package.json says %s; publish it from %s, or under another name`,
		e.Package, e.Bound, quote(e.Named), e.Bound)
}

func quote(s string) string {
	if s == "" {
		return "nothing"
	}
	return fmt.Sprintf("%.120q", s)
}

// Claim is the wish to bind a package to a repository.
type Claim struct {
	Package string
	// Repository is the text that names it, in any of npm's spellings.
	Repository string
	// Owner is the number of the account that the package's namespace stands for already; 0 if nobody has published under it.
	Owner int64
	// Like is a repository of the namespace, for Standing; zero if there is none.
	Like scopes.Repo
}

// Bind answers the first publish of a package: the binding it gets from its repository field, if the caller may write to
// that repository. Errors: scopes.ErrBinding, *Refusal, *Mismatch, and those of GitHub.
func (g *Gate) Bind(ctx context.Context, who Caller, c Claim) (scopes.Binding, error) {
	return g.claim(ctx, who, c, scopes.Publish)
}

// Rebind answers the wish to bind a package that is bound as where says to another repository: the new binding, if the caller is an admin of both.
// Errors are those of Bind.
func (g *Gate) Rebind(ctx context.Context, who Caller, where scopes.Binding, c Claim) (scopes.Binding, error) {
	if _, err := g.Allow(ctx, who, c.Package, where, scopes.Rebind); err != nil {
		return scopes.Binding{}, err
	}
	return g.claim(ctx, who, c, scopes.Rebind)
}

// claim finds the repository that is named and asks whether the caller may do what with it.
//
// Its owner must be the account that the namespace stands for: by name, or, once somebody has published under it, by number, so that an account that
// was renamed keeps its namespace. That the number of somebody who took over the login is another one, the store sees to when it binds.
func (g *Gate) claim(ctx context.Context, who Caller, c Claim, what scopes.Action) (scopes.Binding, error) {
	if g.Open() {
		return scopes.Binding{Kind: scopes.Unbound}, nil
	}
	owner, name, foreign := scopes.Bind(c.Package, c.Repository, g.names)
	if foreign != nil && !errors.Is(foreign, scopes.ErrOwner) {
		return scopes.Binding{}, foreign
	}
	claimed := scopes.Repo{Owner: owner, Name: name}
	if err := g.reopen(ctx, &who); err != nil {
		return scopes.Binding{}, err
	}
	if err := g.granted(who, c.Package, what, claimed); err != nil {
		return scopes.Binding{}, err
	}
	// GitHub is asked in each case: that nothing has been published under a namespace must not show in the time that the answer takes.
	access, err := g.resolve(ctx, who, owner, name, what.Needs())
	if err != nil {
		return scopes.Binding{}, err
	}
	stands := c.Owner != 0 && access.Repo.OwnerID == c.Owner
	if foreign != nil && !stands {
		return scopes.Binding{}, foreign
	}
	where := scopes.Binding{Kind: scopes.GitHub, Repo: access.Repo}
	q := question(who, c.Package, where, what)
	q.Access = access
	if v := g.verdict(q); !v.OK {
		r := &Refusal{Verdict: v, Question: q, Package: c.Package, First: true, host: g.names.Host}
		if v.Hide {
			r.Question.Where.Repo = claimed
			r.Hint = g.Standing(ctx, who, c.Like)
		}
		return scopes.Binding{}, r
	}
	// A renamed repository keeps its number, so its old name is as good. One that moved to another owner is not the namespace's any more.
	if !stands && !strings.EqualFold(access.Repo.Owner, owner) {
		return scopes.Binding{}, &Mismatch{Package: c.Package, Bound: access.Repo, Named: claimed.String()}
	}
	return where, nil
}

// NoRepository: GitHub shows the caller no repository of that name.
type NoRepository struct{ Repo, Login string }

func (e *NoRepository) Error() string {
	return fmt.Sprintf("GitHub shows %s no repository %s: either there is none, or this token may not see it", e.Login, e.Repo)
}

// Named finds the repository of a name that the caller's token can read. Errors: *NoRepository, and those of GitHub.
func (g *Gate) Named(ctx context.Context, who Caller, owner, name string) (scopes.Repo, error) {
	access, err := g.resolve(ctx, who, owner, name, scopes.Read)
	if err != nil {
		return scopes.Repo{}, err
	}
	if access.Repo.ID == 0 || access.Permission() < scopes.Read {
		return scopes.Repo{}, &NoRepository{owner + "/" + name, who.Login}
	}
	return access.Repo, nil
}

// Disagreement: a publish names one repository in its manifest and another in the package.json inside its tarball.
type Disagreement struct{ Manifest, Tarball string }

func (e *Disagreement) Error() string {
	return fmt.Sprintf(`"repository" is %s in the manifest and %s in the package.json inside the tarball; publish what was packed`, quote(e.Manifest), quote(e.Tarball))
}

// OneRepository returns a *Disagreement if the repository fields of the manifest and of the tarball name different repositories, in
// whatever spelling. A tarball without the field says nothing.
func (g *Gate) OneRepository(manifest, tarball string) error {
	if tarball == "" || manifest == tarball {
		return nil
	}
	owner, name, ok := scopes.ParseRepository(manifest, g.names.Host)
	owner2, name2, ok2 := scopes.ParseRepository(tarball, g.names.Host)
	if ok != ok2 || !strings.EqualFold(owner, owner2) || !strings.EqualFold(name, name2) {
		return &Disagreement{Manifest: manifest, Tarball: tarball}
	}
	return nil
}

// Keep answers a later publish: whether its repository field still names the repository the package is bound to, by its present name or
// by one that GitHub redirects from. access is what Allow returned. Errors: *Mismatch, and those of GitHub.
func (g *Gate) Keep(ctx context.Context, who Caller, pkg, repository string, where scopes.Binding, access scopes.Access) error {
	if g.Open() || where.Kind != scopes.GitHub {
		return nil
	}
	mismatch := &Mismatch{Package: pkg, Bound: access.Repo, Named: repository}
	owner, name, ok := scopes.ParseRepository(repository, g.names.Host)
	if !ok {
		return mismatch
	}
	if strings.EqualFold(owner, access.Repo.Owner) && strings.EqualFold(name, access.Repo.Name) {
		return nil
	}
	named, err := g.resolve(ctx, who, owner, name, scopes.Read)
	if err != nil {
		return err
	}
	if named.Repo.ID != where.Repo.ID {
		return mismatch
	}
	return nil
}
