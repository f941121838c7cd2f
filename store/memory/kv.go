// Package memory holds both ports, kv and blob, in the memory of the process: for tests and for a
// registry that is started to be looked at.
//
// It owns nothing that survives: everything is gone when the process ends, which is the one promise of
// the ports it does not keep. Everything else is exact, because the tests of the layers above run
// against it: batches are conditional and whole, scans see one moment, limits and bad keys are refused
// with the same errors as on a disk.
//
// Values are copied on the way in and never changed afterwards, so what is handed out stays valid
// without being copied again. There is no bound: it is as large as what is put into it.
package memory

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"slices"
	"sync"

	"gatehouse/store/kv"
)

// KV is a kv.Store in memory. Use NewKV.
type KV struct {
	mu      sync.RWMutex
	entries []kv.Entry // in order of their keys
	closed  bool
	scans   sync.WaitGroup
}

var _ kv.Store = (*KV)(nil)

// NewKV returns an empty store.
func NewKV() *KV { return &KV{} }

// Get implements kv.Store.
func (s *KV) Get(ctx context.Context, key []byte) (kv.Entry, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.open(ctx); err != nil {
		return kv.Entry{}, err
	}
	if err := kv.CheckKey(key); err != nil {
		return kv.Entry{}, err
	}
	i, found := s.find(key)
	if !found {
		return kv.Entry{}, kv.ErrNotFound
	}
	return s.entries[i], nil
}

// Scan implements kv.Store. The range is copied, as headers of the entries, when the loop begins.
func (s *KV) Scan(ctx context.Context, from, to []byte) iter.Seq2[kv.Entry, error] {
	return func(yield func(kv.Entry, error) bool) {
		entries, err := s.between(ctx, from, to)
		if err != nil {
			yield(kv.Entry{}, err)
			return
		}
		defer s.scans.Done()
		for _, e := range entries {
			if err := s.running(ctx); err != nil {
				yield(kv.Entry{}, err)
				return
			}
			if !yield(e, nil) {
				return
			}
		}
	}
}

// Apply implements kv.Store.
func (s *KV) Apply(ctx context.Context, b kv.Batch) error {
	if err := b.Check(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.open(ctx); err != nil {
		return err
	}
	for _, want := range b.If {
		i, found := s.find(want.Key)
		if found != (want.Value != nil) || found && !bytes.Equal(s.entries[i].Value, want.Value) {
			return kv.ErrConflict
		}
	}
	for _, e := range b.Put {
		i, found := s.find(e.Key)
		// A new entry, never a change of the old one: readers may hold that.
		own := kv.Entry{Key: exact(e.Key), Value: exact(e.Value)}
		if found {
			s.entries[i] = own
		} else {
			s.entries = slices.Insert(s.entries, i, own)
		}
	}
	for _, key := range b.Delete {
		if i, found := s.find(key); found {
			s.entries = slices.Delete(s.entries, i, i+1)
		}
	}
	return nil
}

// Close implements kv.Store and forgets everything.
func (s *KV) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return kv.ErrClosed
	}
	s.closed, s.entries = true, nil
	s.mu.Unlock()
	s.scans.Wait()
	return nil
}

// exact returns a copy without spare room, in which two readers that append would meet; never nil.
func exact(b []byte) []byte {
	own := make([]byte, len(b))
	copy(own, b)
	return own
}

// open tells whether a call may go on. The caller holds mu.
func (s *KV) open(ctx context.Context) error {
	if s.closed {
		return kv.ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("memory: %w", err)
	}
	return nil
}

func (s *KV) running(ctx context.Context) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.open(ctx)
}

// between returns the entries of a range, for a scan that says when it is done with scans.Done.
func (s *KV) between(ctx context.Context, from, to []byte) ([]kv.Entry, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.open(ctx); err != nil {
		return nil, err
	}
	first, _ := s.find(from)
	last := len(s.entries)
	if to != nil {
		last, _ = s.find(to)
	}
	s.scans.Add(1)
	if first >= last {
		return nil, nil
	}
	return slices.Clone(s.entries[first:last]), nil
}

// find returns where a key is, or where it would be. The caller holds mu.
func (s *KV) find(key []byte) (int, bool) {
	return slices.BinarySearchFunc(s.entries, key, func(e kv.Entry, key []byte) int {
		return bytes.Compare(e.Key, key)
	})
}
