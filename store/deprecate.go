package store

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"gatehouse/scopes"
	"gatehouse/store/kv"
)

// Edit is who changes an existing package, and what the change was decided on.
type Edit struct {
	// Revision is the one the caller had read; "" if they do not say. A change that is already made is none, whatever they had read.
	Revision string
	// Where is the binding the verdict was given for.
	Where scopes.Binding
	By    scopes.Principal
}

// admit is the way into every edit: the package, its binding.
func (e Edit) admit(old Head, exists bool) error {
	if !exists {
		return ErrNotFound
	}
	return sameBinding(old, e.Where)
}

// current returns ErrStale if the caller had read another revision.
func (e Edit) current(old Head) error {
	if e.Revision != "" && e.Revision != old.Revision {
		return ErrStale
	}
	return nil
}

// Deprecate gives versions the message that clients show to whoever installs them; an empty one takes it back. Versions that do not exist
// are passed over. Errors: ErrNotFound, ErrRebound, ErrStale, ErrBusy, ErrFull.
func (s *Store) Deprecate(ctx context.Context, name string, messages map[string]string, e Edit) (Head, error) {
	return s.change(ctx, name, func(old Head, exists bool, b *kv.Batch) (Head, Event, error) {
		if err := e.admit(old, exists); err != nil {
			return Head{}, Event{}, err
		}
		event := Event{What: "undeprecate", Package: name, By: ActorOf(e.By)}
		for version, message := range messages {
			v, record, err := s.present(ctx, name, version)
			if errors.Is(err, ErrNoVersion) || isGone(err) || err == nil && record.Deprecated == message {
				continue
			}
			if err != nil {
				return Head{}, Event{}, err
			}
			record.Deprecated = message
			next := v
			if next.record, err = json.Marshal(record); err != nil {
				return Head{}, Event{}, err
			}
			next.full, next.short = v.full.Deprecate(message), v.short.Deprecate(message)
			b.If = append(b.If, v.row)
			b.Put = append(b.Put, kv.Entry{Key: v.row.Key, Value: next.encode()})
			event.Versions = append(event.Versions, version)
			if message != "" {
				event.What = "deprecate"
			}
		}
		if len(event.Versions) == 0 {
			return Head{}, Event{}, errUnchanged
		}
		if err := e.current(old); err != nil {
			return Head{}, Event{}, err
		}
		event.At = s.now().UTC().Truncate(time.Millisecond)
		return old.next(event.At), event, nil
	})
}
