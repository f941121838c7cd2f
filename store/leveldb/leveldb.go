// Package leveldb keeps metadata in a LevelDB on the local disk: the engine of a registry that runs as
// one process. It is the only package that knows goleveldb.
//
// # Guarantees
//
// Durability. A batch is acknowledged after it is in the journal and the journal is synced, the entry of
// the journal in its directory included. A kill or a loss of power leaves a torn record at the end of the
// journal at most, and that record was never acknowledged: opening drops it and nothing else.
//
// Atomicity. A batch, its conditions included, is one record of the journal. A reader sees the sequence
// number of one moment, so a batch is there wholly or not at all. goleveldb's transactions are never used,
// neither by us nor, by way of DisableLargeBatchTransaction, by goleveldb itself for large batches: they
// bypass the journal, and have lost files (goleveldb #133).
//
// Conditions. Apply locks the keys that a batch names, by stripe, over check and write. Batches that share
// no stripe wait for the disk together: goleveldb writes what has queued up as one record with one sync.
//
// Corruption. Every chunk of the journal and every block of a table carries a CRC, and every strict option
// is on, so bytes that have rotted are an error (ErrCorrupted) when they are read, never an answer. A
// checksum of our own in each value would only guard memory. Open reads the journal to its end and refuses a
// store in which an acknowledged record is damaged. Nothing is ever repaired: goleveldb's Recover drops what it
// cannot read, and has brought back what was deleted (goleveldb #53).
//
// Room. A batch that puts something is refused with kv.ErrFull while less than 32 MiB would be left, before
// anything is written: LevelDB needs space to compact, and deleting needs space too.
//
// # After a failed write
//
// Where the journal or the manifest can't be written or synced although there was room, the file is cut
// back to what was acknowledged, so that the batch that failed cannot come back at the next start, and the
// store takes no more writes: Apply and Ready return ErrStopped until it is closed and opened again.
// Reads go on. Writing after it would be wrong: a record that failed to sync may be on the disk all the same,
// and goleveldb would give the next one its sequence number, at which recovery stops or skips. A failed
// compaction is different: goleveldb repeats it until it works, and writes fail only while they have to wait for it.
//
// # Limits
//
// One process at a time: a second one gets ErrLocked. The lock goes with the process, so a kill leaves
// nothing to clean up. The directory must be on a file system with working flock and fsync. A copy of the
// files of a running store is not a backup.
package leveldb

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"

	goleveldb "github.com/syndtr/goleveldb/leveldb"

	"gatehouse/store/kv"
)

var (
	// ErrLocked is wrapped by the error of Open when another process has the directory open.
	ErrLocked = errors.New("leveldb: the directory is in use")
	// ErrCorrupted is wrapped by errors that come from damaged files.
	ErrCorrupted = errors.New("leveldb: the stored bytes are damaged")
	// ErrStopped is wrapped by the errors of Apply and Ready after a write failed, until the store is
	// opened again.
	ErrStopped = errors.New("leveldb: no more writes until the store is opened again")
)

// Store is an open LevelDB. Use Open.
type Store struct {
	db    *goleveldb.DB
	files *files
	locks stripes
	room  func(need int64) error // an error that wraps kv.ErrFull, or of the file system

	mu      sync.RWMutex // guards closed, and that no call starts once it is set
	closed  bool
	running sync.WaitGroup
}

var _ kv.Store = (*Store)(nil)

// Get implements kv.Store.
func (s *Store) Get(ctx context.Context, key []byte) (kv.Entry, error) {
	if err := s.enter(ctx); err != nil {
		return kv.Entry{}, err
	}
	defer s.running.Done()
	if err := kv.CheckKey(key); err != nil {
		return kv.Entry{}, err
	}
	value, err := s.value(key)
	if err != nil {
		return kv.Entry{}, err
	}
	if value == nil {
		return kv.Entry{}, kv.ErrNotFound
	}
	return kv.Entry{Key: bytes.Clone(key), Value: value}, nil
}

// Ready tells whether the store can take a batch now: nil, or an error that wraps kv.ErrClosed, ErrStopped
// or kv.ErrFull.
func (s *Store) Ready(ctx context.Context) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.running.Done()
	if err := s.stopped(); err != nil {
		return err
	}
	return s.room(0)
}

// Close implements kv.Store.
func (s *Store) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return kv.ErrClosed
	}
	s.closed = true
	s.mu.Unlock()
	s.running.Wait()
	err := s.db.Close()
	// The lock on the directory goes with the files, so they are closed whatever the database said.
	if cerr := s.files.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("leveldb: closing: %w", err)
	}
	return nil
}

// enter begins a call, which ends with s.running.Done. It is not a read lock held for the call: a call made from
// within a scan would then wait for a Close that waits for the scan.
func (s *Store) enter(ctx context.Context) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return kv.ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("leveldb: %w", err)
	}
	s.running.Add(1)
	return nil
}

// going tells a call that takes long whether it should go on.
func (s *Store) going(ctx context.Context) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return kv.ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("leveldb: %w", err)
	}
	return nil
}

// value returns the value of a key, nil where there is none.
func (s *Store) value(key []byte) ([]byte, error) {
	value, err := s.db.Get(key, nil)
	switch {
	case err == goleveldb.ErrNotFound:
		return nil, nil
	case err != nil:
		return nil, failure("reading", err)
	case value == nil: // goleveldb has no other way to give an empty value
		return []byte{}, nil
	}
	return value, nil
}
