// Package kv is the port to metadata engines: ordered byte keys and one atomic, conditional batch.
//
// Everything the registry must never lose goes through it, and everything it decides about what may
// change is decided above it, in package store. An engine therefore knows nothing of packages: it
// keeps bytes in order, and makes a batch happen wholly or not at all.
//
// The suite in kvtest says what an engine must do in a form that can fail; an engine is finished
// when the suite passes.
package kv

import (
	"context"
	"errors"
	"iter"
)

// Limits that callers keep and every engine must carry.
const (
	MaxKey   = 1 << 10  // bytes in a key; an empty key is never valid
	MaxValue = 32 << 20 // bytes in a value
)

var (
	// ErrNotFound is returned by Get for a key that has no value.
	ErrNotFound = errors.New("kv: no such key")
	// ErrConflict is returned by Apply when a condition did not hold. Nothing was changed; the
	// caller reads again and decides again.
	ErrConflict = errors.New("kv: the entry has changed")
	// ErrFull is wrapped by errors of Apply that come from a device without room: the batch did not
	// happen, and may succeed once there is room.
	ErrFull = errors.New("kv: no space left")
	// ErrClosed is returned by every method after Close.
	ErrClosed = errors.New("kv: closed")
)

// Entry is a key and its value. Callers must not change the bytes of an entry they were given.
type Entry struct {
	Key, Value []byte
}

// Batch is a set of changes that happen together.
type Batch struct {
	// If lists what must hold at the moment of the change: each key has exactly this value, or, where
	// Value is nil, has none. Pass the entry as it was read.
	If []Entry
	// Put sets keys; a nil Value is stored as an empty one.
	Put []Entry
	// Delete removes keys; one that is not there is no error.
	Delete [][]byte
}

// Store is an engine. Its methods may be called from any number of goroutines.
//
// Keys are ordered as bytes.Compare orders them, in every engine, for every byte.
type Store interface {
	// Get returns the entry of a key, or ErrNotFound. It sees every batch that was acknowledged
	// before it was called. The value of an entry that exists is never nil, so that an Entry can be passed
	// on in Batch.If as it was read; the same holds for Scan.
	Get(ctx context.Context, key []byte) (Entry, error)

	// Scan yields the entries with from <= key < to in order; a nil to means the end. It sees one
	// moment of the store: batches applied meanwhile appear wholly or not at all. An error is the
	// last thing it yields. Entries stay valid after the loop has moved on.
	Scan(ctx context.Context, from, to []byte) iter.Seq2[Entry, error]

	// Apply makes a batch happen, wholly or not at all. When it returns nil the change survives the
	// death of the process and of the machine. When it returns ErrConflict nothing changed. On any
	// other error the batch either happened or did not (the answer of a remote engine may have been
	// lost), never half; a condition in the batch makes trying again safe.
	// A batch may not name a key twice in Put and Delete; Batch.Check tells, and engines refuse with an error
	// what it refuses.
	Apply(ctx context.Context, b Batch) error

	// Close waits for running calls and releases the engine. A scan that is under way ends with ErrClosed,
	// so Close must not be called from within one.
	Close() error
}
