package leveldb

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"syscall"

	goleveldb "github.com/syndtr/goleveldb/leveldb"
	ldberrors "github.com/syndtr/goleveldb/leveldb/errors"
	"github.com/syndtr/goleveldb/leveldb/opt"
	"github.com/syndtr/goleveldb/leveldb/storage"

	"gatehouse/store/kv"
)

// reserve is what has to be left on the device: enough to flush both memory tables and to finish a
// compaction, so that a full disk never stops LevelDB in the middle of its own work.
const reserve = 32 << 20

// synced makes goleveldb sync the journal before it answers.
var synced = &opt.WriteOptions{Sync: true}

// Apply implements kv.Store.
func (s *Store) Apply(ctx context.Context, b kv.Batch) error {
	if err := b.Check(); err != nil {
		return err
	}
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.running.Done()

	unlock := s.locks.lock(b)
	defer unlock()
	// Waiting for the locks may have taken the time of some syncs.
	if err := s.going(ctx); err != nil {
		return err
	}
	for _, want := range b.If {
		have, err := s.value(want.Key)
		if err != nil {
			return err
		}
		if (have == nil) != (want.Value == nil) || !bytes.Equal(have, want.Value) {
			return kv.ErrConflict
		}
	}
	if len(b.Put)+len(b.Delete) == 0 {
		return nil
	}
	return s.write(b)
}

// write writes a batch whose keys are locked.
func (s *Store) write(b kv.Batch) error {
	if err := s.stopped(); err != nil {
		return err
	}
	size := 0
	for _, e := range b.Put {
		size += len(e.Key) + len(e.Value)
	}
	// Deleting is let through: it is the way out of a full disk.
	if len(b.Put) > 0 {
		// Twice, for the journal and for the table it ends up in.
		if err := s.room(2 * int64(size)); err != nil {
			return err
		}
	}
	batch := goleveldb.MakeBatch(size + 32*(len(b.Put)+len(b.Delete)))
	for _, e := range b.Put {
		batch.Put(e.Key, e.Value)
	}
	for _, key := range b.Delete {
		batch.Delete(key)
	}
	err := s.db.Write(batch, synced)
	if err == nil {
		return nil
	}
	// goleveldb also returns an error where the batch is in the journal and synced, and only the new
	// journal it wanted to begin after it failed. Nobody else can have changed these keys meanwhile.
	happened, rerr := s.holds(b)
	if rerr != nil {
		return failure("writing", errors.Join(err, rerr))
	}
	if happened {
		return nil
	}
	if cause, cut := s.files.failed(); cause != nil {
		err = fmt.Errorf("%w; %w", ErrStopped, err)
		if !cut {
			return failure("writing", err) // it may be there after the next start
		}
	}
	if full(err) {
		return fmt.Errorf("leveldb: writing: %w: %w", kv.ErrFull, err)
	}
	return failure("writing", err)
}

// holds tells whether what a batch was to bring about is so.
func (s *Store) holds(b kv.Batch) (bool, error) {
	for _, e := range b.Put {
		have, err := s.value(e.Key)
		if err != nil || have == nil || !bytes.Equal(have, e.Value) {
			return false, err
		}
	}
	for _, key := range b.Delete {
		have, err := s.value(key)
		if err != nil || have != nil {
			return false, err
		}
	}
	return true, nil
}

// stopped returns the error that keeps the store from writing, or nil.
func (s *Store) stopped() error {
	if cause, _ := s.files.failed(); cause != nil {
		return fmt.Errorf("%w: %w: the disk refused a write earlier; see to it, then restart gatehouse", ErrStopped, cause)
	}
	return nil
}

// full tells whether an error is about room.
func full(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// failure puts an error of goleveldb into our words.
func failure(doing string, err error) error {
	if errors.Is(err, goleveldb.ErrClosed) {
		return kv.ErrClosed
	}
	if corrupted(err) {
		return fmt.Errorf("%w: %s: %w", ErrCorrupted, doing, err)
	}
	return fmt.Errorf("leveldb: %s: %w", doing, err)
}

func corrupted(err error) bool {
	_, table := errors.AsType[*ldberrors.ErrCorrupted](err)
	_, file := errors.AsType[*storage.ErrCorrupted](err)
	return table || file
}
