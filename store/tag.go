package store

import (
	"context"
	"maps"
	"time"

	"gatehouse/store/kv"
)

// Tag points dist-tags of a package to versions of it, and leaves its other tags. Errors: ErrNotFound, ErrNoVersion, *Gone,
// ErrRebound, ErrStale, ErrBusy, ErrFull.
func (s *Store) Tag(ctx context.Context, name string, tags map[string]string, e Edit) (Head, error) {
	return s.retag(ctx, name, e, Event{What: "tag"}, func(now map[string]string) error {
		maps.Copy(now, tags)
		return nil
	})
}

// Retag gives a package these dist-tags and no others; "latest" stays what it is unless it is among them. Errors are those of Tag.
func (s *Store) Retag(ctx context.Context, name string, tags map[string]string, e Edit) (Head, error) {
	return s.retag(ctx, name, e, Event{What: "tag"}, func(now map[string]string) error {
		maps.DeleteFunc(now, func(tag, _ string) bool { return tag != "latest" })
		maps.Copy(now, tags)
		return nil
	})
}

// Untag removes a dist-tag; one that is not there is no error. Errors: ErrLatest, and those of Tag.
func (s *Store) Untag(ctx context.Context, name, tag string, e Edit) (Head, error) {
	return s.retag(ctx, name, e, Event{What: "untag"}, func(now map[string]string) error {
		if tag == "latest" {
			return ErrLatest
		}
		delete(now, tag)
		return nil
	})
}

func (s *Store) retag(ctx context.Context, name string, e Edit, event Event, edit func(tags map[string]string) error) (Head, error) {
	return s.change(ctx, name, func(old Head, exists bool, b *kv.Batch) (Head, Event, error) {
		if err := e.admit(old, exists); err != nil {
			return Head{}, Event{}, err
		}
		at := s.now().UTC().Truncate(time.Millisecond)
		new := old.next(at)
		if err := edit(new.DistTags); err != nil {
			return Head{}, Event{}, err
		}
		if maps.Equal(new.DistTags, old.DistTags) {
			return Head{}, Event{}, errUnchanged
		}
		if err := e.current(old); err != nil {
			return Head{}, Event{}, err
		}
		event := event
		event.Package, event.By, event.At = name, ActorOf(e.By), at
		event.Tags = map[string]string{}
		for tag, version := range new.DistTags {
			if old.DistTags[tag] == version {
				continue
			}
			// Only a version that is there at the moment of the change can be named. Its removal would have to change the head, which
			// is a condition of this change.
			if _, _, err := s.present(ctx, name, version); err != nil {
				return Head{}, Event{}, err
			}
			event.Tags[tag] = version
		}
		for tag, version := range old.DistTags {
			if _, ok := new.DistTags[tag]; !ok {
				event.Tags[tag] = version
			}
		}
		return new, event, nil
	})
}
