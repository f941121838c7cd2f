package operator

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"gatehouse/scopes"
	"gatehouse/store"
)

// Bind is a package that is to get its permissions from another repository. Nobody has to be its admin: an operator could as well change the data.
type Bind struct {
	Package string      `json:"package"`
	To      scopes.Repo `json:"to"` // with both numbers
	// What to do where the repository is not of the account that the namespace stands for: see store.Rebinding.
	OtherOwner    bool `json:"other_owner,omitempty"`
	MoveNamespace bool `json:"move_namespace,omitempty"`
}

// Bound is what a package was bound to, and what it is bound to now.
type Bound struct {
	From scopes.Binding `json:"from"`
	To   scopes.Binding `json:"to"`
}

// Bind binds a package to a repository.
func (d *Desk) Bind(ctx context.Context, what Bind) (Bound, error) {
	if _, _, ok := scopes.ParseRepository(what.To.String(), ""); !ok || what.To.ID <= 0 || what.To.OwnerID <= 0 {
		return Bound{}, errors.New("a repository has a name, as OWNER/REPOSITORY, and two numbers, its own and its owner's")
	}
	old, err := d.Store.Head(ctx, what.Package)
	if errors.Is(err, store.ErrNotFound) {
		return Bound{}, fmt.Errorf("there is no package %s in this registry", what.Package)
	}
	if err != nil {
		return Bound{}, err
	}
	to := scopes.Binding{Kind: scopes.GitHub, Repo: what.To}
	by := scopes.Principal{Login: "gatehouse bind"} // no login has a space in it
	_, err = d.Store.Rebind(ctx, what.Package, store.Rebinding{To: to, OtherOwner: what.OtherOwner, MoveNamespace: what.MoveNamespace}, store.Edit{Where: old.Binding, By: by})
	if errors.Is(err, store.ErrNamespace) {
		return Bound{}, d.foreign(ctx, what)
	}
	if err != nil {
		return Bound{}, err
	}
	return Bound{From: old.Binding, To: to}, nil
}

// foreign says what can be done about a repository of another account than the namespace's.
func (d *Desk) foreign(ctx context.Context, what Bind) error {
	namespace := scopes.Namespace(what.Package)
	if namespace == "" {
		namespace = what.To.Owner
	}
	owner, err := d.Store.NamespaceOwner(ctx, namespace)
	if err != nil {
		return err
	}
	return fmt.Errorf("the namespace @%s stands for the GitHub account with the number %d, and %s belongs to the one with the number %d: "+
		"with --other-owner this package alone becomes its, with --move-namespace the namespace does, and new packages of it are published from there",
		namespace, owner, what.To, what.To.OwnerID)
}

// Bind is Desk.Bind.
func (c *Client) Bind(ctx context.Context, what Bind) (Bound, error) {
	last, err := c.messages(ctx, "bind", what, func(Message) {})
	if err != nil {
		return Bound{}, err
	}
	if last.Bound == nil {
		return Bound{}, errCutOff
	}
	return *last.Bound, nil
}

func (s *Server) bind(w http.ResponseWriter, r *http.Request) {
	var what Bind
	tell, ok := s.begin(w, r, &what)
	if !ok {
		return
	}
	bound, err := s.desk.Bind(r.Context(), what)
	s.finish(r, tell, Message{Bound: &bound}, err)
}
