package operator

import (
	"context"
	"errors"
	"fmt"

	"gatehouse/scopes"
	"gatehouse/server/gate"
	"gatehouse/store"
)

// Roles asks GitHub about accounts, with a credential of the registry's own.
type Roles interface {
	// RoleOf returns the account of a login, and what it may do on the repository of that number: the Access has the repository as it is now and the role, and
	// says nothing of a reach. An account that does not exist is a zero Principal and no role, and no error; a repository that the registry's own
	// credential does not see is one.
	RoleOf(ctx context.Context, repo scopes.Repo, login string) (scopes.Principal, scopes.Access, error)
}

// Why is a question about an account and a package.
type Why struct {
	Package string `json:"package"`
	Action  string `json:"action"`
	As      string `json:"as"` // the login
}

// Why explains what an account may do with a package by its role on GitHub. What a token of it reaches depends on the token, and is not known here.
func (d *Desk) Why(ctx context.Context, what Why) (gate.Why, error) {
	action, ok := gate.ParseAction(what.Action)
	if !ok {
		return gate.Why{}, fmt.Errorf("there is no action %q: ask about install, publish, tag, deprecate, unpublish or rebind", what.Action)
	}
	head, err := d.Store.Head(ctx, what.Package)
	if errors.Is(err, store.ErrNotFound) {
		return gate.Why{}, fmt.Errorf("there is no package %s in this registry", what.Package)
	}
	if err != nil {
		return gate.Why{}, err
	}
	q := scopes.Question{Who: scopes.Principal{Kind: scopes.Person, Login: what.As}, What: action, Where: head.Binding}
	if head.Binding.Kind == scopes.GitHub {
		if d.Roles == nil {
			return gate.Why{}, errors.New("the registry has no credential of its own to ask GitHub about others (auth.github.app.id, auth.github.token): ask with a token of theirs instead")
		}
		who, access, err := d.Roles.RoleOf(ctx, head.Binding.Repo, what.As)
		if err != nil {
			return gate.Why{}, err
		}
		if who.Login != "" {
			q.Who = who
		}
		q.Access = access
	}
	return gate.ExplainRole(d.Host, what.Package, q), nil
}
