package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gatehouse/scopes"
	"gatehouse/store/kv"
)

// attempts bounds how often a change is tried against a head that others keep changing.
const attempts = 20

// change reads the head, lets edit make the change of it, and applies it under the condition that the head is still the same;
// if it is not, all over again. edit may be called more than once and must not do anything but fill the batch; it gets a zero
// Head where there is no package. With nothing to change, it returns errUnchanged.
func (s *Store) change(ctx context.Context, name string, edit func(old Head, exists bool, b *kv.Batch) (Head, Event, error)) (Head, error) {
	defer s.turn(name)()
	for range attempts {
		old, err := s.Head(ctx, name)
		exists := err == nil
		if err != nil && !errors.Is(err, ErrNotFound) {
			return Head{}, err
		}
		old.Name = name
		var b kv.Batch
		new, event, err := edit(old, exists, &b)
		if errors.Is(err, errUnchanged) {
			return old, nil
		}
		if err != nil {
			return Head{}, err
		}
		condition, row, err := new.replaces(old)
		if err != nil {
			return Head{}, err
		}
		record, err := s.record(event)
		if err != nil {
			return Head{}, err
		}
		b.If = append(b.If, condition)
		b.Put = append(b.Put, row, record)
		err = s.kv.Apply(ctx, b)
		if err == nil {
			new.row = row
			s.advance(old, new, b)
			if !exists || old.Binding != new.Binding {
				s.bound.note(name, new.Binding)
			}
			return new, nil
		}
		if !errors.Is(err, kv.ErrConflict) {
			s.bound.forget() // it may have been done all the same
			return Head{}, noRoom(fmt.Errorf("changing %s: %w", name, err))
		}
	}
	return Head{}, ErrBusy
}

var errUnchanged = errors.New("nothing to change")

// sameBinding returns ErrRebound unless the head is bound as the caller's verdict assumed.
func sameBinding(h Head, where scopes.Binding) error {
	if h.Binding.Kind != where.Kind || h.Binding.Repo.ID != where.Repo.ID {
		return ErrRebound
	}
	return nil
}

// withdrawn lets the object of a version that goes be swept, in the batch that takes the version away. Readers that have just found it get the time to open it.
func (s *Store) withdrawn(b *kv.Batch, blobKey string) {
	b.Put = append(b.Put, kv.Entry{Key: uploadKey(s.now().Add(graceTime), blobKey), Value: []byte(blobKey)})
}

// graceTime is how long the object of a withdrawn version stays.
const graceTime = 10 * time.Minute
