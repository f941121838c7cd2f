package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"gatehouse/scopes"
	"gatehouse/store/kv"
)

// Rebinding is a package's move to another repository.
type Rebinding struct {
	To scopes.Binding
	// A repository of another account than the one that the namespace stands for is refused with ErrNamespace, unless one of these is set, which is for an
	// operator to say: OtherOwner leaves the namespace with its account and makes this package an exception; MoveNamespace gives the
	// namespace to the repository's owner, so that from now on new packages are published under it from there.
	OtherOwner, MoveNamespace bool
}

// Rebind binds a package to another repository, or to the same with other names or another owner. e.Where is the binding that the verdict was given
// for. A package that is withdrawn can be bound like any other. Binding it as it is bound changes nothing. What was said of workflows (Admit, Trust) ends with
// the repository whose admins said it.
//
// Errors: ErrNotFound, ErrRebound, ErrStale, ErrNamespace, ErrBusy, ErrFull.
func (s *Store) Rebind(ctx context.Context, name string, r Rebinding, e Edit) (Head, error) {
	return s.change(ctx, name, func(old Head, exists bool, b *kv.Batch) (Head, Event, error) {
		if err := e.admit(old, exists); err != nil {
			return Head{}, Event{}, err
		}
		claimed, err := s.claimNamespace(ctx, name, r, b)
		if err != nil {
			return Head{}, Event{}, err
		}
		if old.Binding == r.To && !claimed {
			return Head{}, Event{}, errUnchanged
		}
		if err := e.current(old); err != nil {
			return Head{}, Event{}, err
		}
		at := s.now().UTC().Truncate(time.Millisecond)
		new := old.next(at)
		new.Modified, new.Binding = old.Modified, r.To // nothing that clients see has changed
		if old.Binding.Repo.ID != r.To.Repo.ID || old.Binding.Repo.OwnerID != r.To.Repo.OwnerID {
			new.Admitted, new.Trusted = nil, nil // the new repository's admins have not said so
		}
		event := Event{What: "bind", Package: name, By: ActorOf(e.By), At: at, From: &old.Binding, To: &new.Binding}
		if claimed {
			event.Note = fmt.Sprintf("@%s stands for %s (%d)", scopes.Namespace(name), r.To.Repo.Owner, r.To.Repo.OwnerID)
		}
		return new, event, nil
	})
}

// claimNamespace ties a namespace to the account that owns it, by GitHub's number, at the first publish under it. Somebody who takes over
// the login of a renamed account gets none of its packages, and may not add to them either. A package without a namespace counts to that
// of its owner's login. It reports whether the row changes.
func (s *Store) claimNamespace(ctx context.Context, name string, r Rebinding, b *kv.Batch) (bool, error) {
	if r.To.Kind != scopes.GitHub || r.OtherOwner {
		return false, nil
	}
	namespace := scopes.Namespace(name)
	if namespace == "" {
		namespace = strings.ToLower(r.To.Repo.Owner)
	}
	row := kv.Entry{Key: namespaceKey(namespace), Value: strconv.AppendInt(nil, r.To.Repo.OwnerID, 10)}
	found, err := s.kv.Get(ctx, row.Key)
	switch {
	case errors.Is(err, kv.ErrNotFound):
		b.If = append(b.If, kv.Entry{Key: row.Key})
		b.Put = append(b.Put, row)
		return true, nil
	case err != nil:
		return false, fmt.Errorf("reading the owner of @%s: %w", namespace, err)
	case string(found.Value) == string(row.Value):
		b.If = append(b.If, found)
		return false, nil
	case r.MoveNamespace:
		b.If = append(b.If, found)
		b.Put = append(b.Put, row)
		return true, nil
	}
	return false, ErrNamespace
}

// NamespaceOwner is the number of the GitHub account that a namespace (without "@") stands for, 0 if nothing has been published under it.
func (s *Store) NamespaceOwner(ctx context.Context, namespace string) (int64, error) {
	row, err := s.kv.Get(ctx, namespaceKey(namespace))
	if errors.Is(err, kv.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("reading the owner of @%s: %w", namespace, err)
	}
	id, err := strconv.ParseInt(string(row.Value), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("the owner of @%s is damaged: %w", namespace, err)
	}
	return id, nil
}
