package gate

import (
	"context"
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

// Bind answers the first publish of a package: the binding it gets from its repository field, if the caller may write to
// that repository. namespace is the package's, without "@". Errors: scopes.ErrBinding, *Refusal, and those of GitHub.
func (g *Gate) Bind(ctx context.Context, who Caller, pkg, namespace, repository string) (scopes.Binding, error) {
	if g.Open() {
		return scopes.Binding{Kind: scopes.Unbound}, nil
	}
	owner, name, err := scopes.Bind(namespace, repository, g.names)
	if err != nil {
		return scopes.Binding{}, err
	}
	claimed := scopes.Repo{Owner: owner, Name: name}
	if err := g.granted(who, pkg, claimed); err != nil {
		return scopes.Binding{}, err
	}
	access, err := g.resolve(ctx, who, owner, name, scopes.Publish.Needs())
	if err != nil {
		return scopes.Binding{}, err
	}
	where := scopes.Binding{Kind: scopes.GitHub, Repo: access.Repo}
	q := scopes.Question{Who: who.Principal, What: scopes.Publish, Package: pkg, Grant: who.grant(), Where: where, Access: access}
	if v := g.verdict(q); !v.OK {
		if v.Hide {
			q.Where.Repo = claimed
		}
		return scopes.Binding{}, &Refusal{Verdict: v, Question: q, Package: pkg, First: true, host: g.names.Host}
	}
	// A renamed repository keeps its number, so its old name is as good. One that moved to another owner is not the namespace's any more.
	if !strings.EqualFold(access.Repo.Owner, owner) {
		return scopes.Binding{}, &Mismatch{Package: pkg, Bound: access.Repo, Named: claimed.String()}
	}
	return where, nil
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
