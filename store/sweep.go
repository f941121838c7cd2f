package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"gatehouse/store/kv"
)

// Sweep removes what abandoned uploads left: objects that no version names, and their rows. With all it takes every upload
// for abandoned, which is right only before the first publish of the only process on these data; otherwise those older than an hour.
// It returns how many it removed. It may run at any time, in several processes. While a Hold lasts it does nothing.
func (s *Store) Sweep(ctx context.Context, all bool) (removed int, err error) {
	var due []kv.Entry
	for row, err := range s.kv.Scan(ctx, []byte(uploadRow), s.sweepUntil(all)) {
		if err != nil {
			return 0, fmt.Errorf("reading the abandoned uploads: %w", err)
		}
		due = append(due, row)
	}
	for _, row := range due {
		if !s.holds.TryLock() {
			return removed, nil
		}
		discard := s.discard
		if all {
			discard = s.remove
		}
		done, err := discard(ctx, row)
		s.holds.Unlock()
		if err != nil {
			return removed, err
		}
		if done {
			removed++
		}
	}
	return removed, nil
}

// sweepUntil is the key at which a sweep ends.
func (s *Store) sweepUntil(all bool) []byte {
	if all {
		return uploadKey(s.now().Add(uploadTime+time.Second), "") // what is due later is no upload
	}
	return uploadKey(s.now(), "")
}

// Hold keeps the objects of versions that are withdrawn or replaced from now on: a reader of one moment needs them until
// it calls release. It holds for this process.
func (s *Store) Hold() (release func()) {
	s.holds.RLock()
	return sync.OnceFunc(s.holds.RUnlock)
}

// discard removes an upload that was not committed, and reports false if it was committed meanwhile or is being removed by somebody else.
func (s *Store) discard(ctx context.Context, row kv.Entry) (bool, error) {
	// Claim it first: a commit that comes late finds its row changed and fails, before its object is gone.
	claimed := kv.Entry{Key: row.Key, Value: append([]byte{0}, row.Value...)}
	if claimedBefore(row) {
		claimed = row
	} else if err := s.kv.Apply(ctx, kv.Batch{If: []kv.Entry{row}, Put: []kv.Entry{claimed}}); errors.Is(err, kv.ErrConflict) {
		return false, nil
	} else if err != nil {
		return false, fmt.Errorf("claiming the abandoned upload %q: %w", row.Value, err)
	}
	return s.remove(ctx, claimed)
}

// claimedBefore reports whether a sweep that died had claimed the row.
func claimedBefore(row kv.Entry) bool { return len(row.Value) > 0 && row.Value[0] == 0 }

// remove takes away an object that nobody will commit any more, and then its row. It only deletes, so that it works on a full disk too.
func (s *Store) remove(ctx context.Context, row kv.Entry) (bool, error) {
	key := string(row.Value)
	if claimedBefore(row) {
		key = key[1:]
	}
	if err := s.blobs.Delete(ctx, key); err != nil {
		return false, fmt.Errorf("removing the abandoned upload %s: %w", key, err)
	}
	err := s.kv.Apply(ctx, kv.Batch{If: []kv.Entry{row}, Delete: [][]byte{row.Key}})
	if err != nil && !errors.Is(err, kv.ErrConflict) {
		return false, fmt.Errorf("forgetting the abandoned upload %s: %w", key, err)
	}
	return true, nil
}
