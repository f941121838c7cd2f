package store

import (
	"context"
	"time"

	"gatehouse/scopes"
	"gatehouse/store/kv"
)

// Tag points a dist-tag of a package to one of its versions. where is the binding the verdict was given for. A tag that points
// there already is left as it is. Errors: ErrNotFound, ErrNoVersion, *Gone, ErrRebound, ErrBusy, ErrFull.
func (s *Store) Tag(ctx context.Context, name, tag, version string, where scopes.Binding, by scopes.Principal) (Head, error) {
	return s.change(ctx, name, func(old Head, exists bool, b *kv.Batch) (Head, Event, error) {
		if err := tagged(old, exists, where); err != nil {
			return Head{}, Event{}, err
		}
		if old.DistTags[tag] == version {
			return Head{}, Event{}, errUnchanged
		}
		// Versions may go; only one that is there at the moment of the change can be named by a tag. Its removal would have to
		// change the head, which is a condition of this change.
		if _, _, err := s.present(ctx, name, version); err != nil {
			return Head{}, Event{}, err
		}
		at := s.now().UTC().Truncate(time.Millisecond)
		new := old.next(at)
		new.DistTags[tag] = version
		return new, Event{What: "tag", Package: name, Version: version, Tag: tag, By: ActorOf(by), At: at}, nil
	})
}

// Untag removes a dist-tag; one that is not there is no error. Errors: ErrLatest, ErrNotFound, ErrRebound, ErrBusy, ErrFull.
func (s *Store) Untag(ctx context.Context, name, tag string, where scopes.Binding, by scopes.Principal) (Head, error) {
	if tag == "latest" {
		return Head{}, ErrLatest
	}
	return s.change(ctx, name, func(old Head, exists bool, b *kv.Batch) (Head, Event, error) {
		if err := tagged(old, exists, where); err != nil {
			return Head{}, Event{}, err
		}
		version, ok := old.DistTags[tag]
		if !ok {
			return Head{}, Event{}, errUnchanged
		}
		at := s.now().UTC().Truncate(time.Millisecond)
		new := old.next(at)
		delete(new.DistTags, tag)
		return new, Event{What: "untag", Package: name, Version: version, Tag: tag, By: ActorOf(by), At: at}, nil
	})
}

func tagged(old Head, exists bool, where scopes.Binding) error {
	if !exists {
		return ErrNotFound
	}
	return sameBinding(old, where)
}
