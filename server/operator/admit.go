package operator

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"gatehouse/scopes"
	"gatehouse/store"
)

// Admit is a repository whose workflows are to install a package, or no longer; with neither, nothing changes.
type Admit struct {
	Package string       `json:"package"`
	Add     *scopes.Repo `json:"add,omitempty"`    // with both numbers
	Remove  string       `json:"remove,omitempty"` // by the name it was admitted by, or its number
}

// Admitted are the repositories whose workflows install a package.
type Admitted struct {
	Repos []scopes.Repo `json:"repos"`
}

// Admit changes whom a package admits, and returns all of them.
func (d *Desk) Admit(ctx context.Context, what Admit) (Admitted, error) {
	head, err := d.Store.Head(ctx, what.Package)
	if errors.Is(err, store.ErrNotFound) {
		return Admitted{}, fmt.Errorf("there is no package %s in this registry", what.Package)
	}
	if err != nil {
		return Admitted{}, err
	}
	edit := store.Edit{Where: head.Binding, By: scopes.Principal{Login: "gatehouse admit"}} // no login has a space in it
	switch {
	case what.Add != nil:
		if _, _, ok := scopes.ParseRepository(what.Add.String(), ""); !ok || what.Add.ID <= 0 || what.Add.OwnerID <= 0 {
			return Admitted{}, errors.New("a repository has a name, as OWNER/REPOSITORY, and two numbers, its own and its owner's")
		}
		head, err = d.Store.Admit(ctx, what.Package, *what.Add, true, edit)
	case what.Remove != "":
		var gone scopes.Repo
		if gone, err = FindAdmitted(head.Admitted, what.Package, what.Remove); err == nil {
			head, err = d.Store.Admit(ctx, what.Package, gone, false, edit)
		}
	}
	if err != nil {
		return Admitted{}, err
	}
	return Admitted{Repos: head.Admitted}, nil
}

// FindAdmitted finds the one that a name or a number stands for among those that a package admits.
func FindAdmitted(admitted []scopes.Repo, pkg, repository string) (scopes.Repo, error) {
	var found []scopes.Repo
	for _, r := range admitted {
		if strconv.FormatInt(r.ID, 10) == repository {
			return r, nil
		}
		if strings.EqualFold(r.String(), repository) {
			found = append(found, r)
		}
	}
	switch len(found) {
	case 0:
		return scopes.Repo{}, fmt.Errorf("%s admits no repository %s (--list shows those it does, by the names they had then)", pkg, repository)
	case 1:
		return found[0], nil
	}
	return scopes.Repo{}, fmt.Errorf("%s admits several repositories that were called %s: name one by its number (--list)", pkg, repository)
}

// Admit is Desk.Admit.
func (c *Client) Admit(ctx context.Context, what Admit) (Admitted, error) {
	last, err := c.messages(ctx, "admit", what, func(Message) {})
	if err != nil {
		return Admitted{}, err
	}
	if last.Admitted == nil {
		return Admitted{}, errCutOff
	}
	return *last.Admitted, nil
}

func (s *Server) admit(w http.ResponseWriter, r *http.Request) {
	var what Admit
	tell, ok := s.begin(w, r, &what)
	if !ok {
		return
	}
	now, err := s.desk.Admit(r.Context(), what)
	s.finish(r, tell, Message{Admitted: &now}, err)
}
