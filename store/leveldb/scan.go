package leveldb

import (
	"bytes"
	"context"
	"iter"

	"github.com/syndtr/goleveldb/leveldb/util"

	"gatehouse/store/kv"
)

// Scan implements kv.Store. The moment it sees is the one at which the loop begins. The iterator keeps the
// tables it reads from being deleted, so a loop that takes hours costs disk space.
func (s *Store) Scan(ctx context.Context, from, to []byte) iter.Seq2[kv.Entry, error] {
	return func(yield func(kv.Entry, error) bool) {
		if err := s.enter(ctx); err != nil {
			yield(kv.Entry{}, err)
			return
		}
		defer s.running.Done()
		if to != nil && bytes.Compare(from, to) >= 0 {
			return
		}
		it := s.db.NewIterator(&util.Range{Start: from, Limit: to}, nil)
		defer it.Release()
		for it.Next() {
			if err := s.going(ctx); err != nil {
				yield(kv.Entry{}, err)
				return
			}
			if !yield(entry(it.Key(), it.Value()), nil) {
				return
			}
		}
		if err := it.Error(); err != nil {
			yield(kv.Entry{}, failure("reading", err))
		}
	}
}

// entry copies what the iterator is about to overwrite, in one allocation.
func entry(key, value []byte) kv.Entry {
	own := make([]byte, len(key)+len(value))
	k := copy(own, key)
	copy(own[k:], value)
	return kv.Entry{Key: own[:k:k], Value: own[k:]}
}
