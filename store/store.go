// Package store is what the registry remembers, and the rules for changing it.
//
// It owns packages, versions, dist-tags and the record of changes; what may follow what (a version is
// never published twice, a tag never dangles, "latest" always exists); and the order of writes that makes a
// publish safe. It is a concrete type over two ports: ordered keys with one conditional batch (package kv) for everything that
// must be consistent, and write-once objects (package blob) for tarballs. It refuses to know HTTP, GitHub
// and who may do what: callers come with a verdict already given, and with the binding it was given for.
//
// What is true:
//
//   - The head of a package is the only row that changes, and every change is conditional on the head that was read. Two
//     changes at once are therefore one after the other, whichever engine and however many processes.
//   - Bytes first, the flip last. A tarball is durable before the one batch that makes its version visible. A crash before
//     that batch leaves an upload row and perhaps an object that nothing names; Sweep removes both.
//   - Rendered documents are a cache, never the truth. They are joined from the stored pieces of each version, without parsing,
//     by the first reader after a change; and what of them has not changed is not compressed again (block.go). Whatever else is kept in
//     memory follows from the row of the head, which is read each time.
//   - Each change is recorded as an event in its own batch.
package store

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"
	"golang.org/x/sync/singleflight"

	"gatehouse/store/blob"
	"gatehouse/store/gzipped"
	"gatehouse/store/kv"
)

var (
	// ErrNotFound: no package of that name.
	ErrNotFound = errors.New("no such package")
	// ErrNoVersion: the package has no such version, or no such dist-tag.
	ErrNoVersion = errors.New("no such version")
	// ErrVersionExists: the version has been published before, with other bytes or by somebody else.
	ErrVersionExists = errors.New("the version exists")
	// ErrRebound: the package is bound to another repository than the verdict was given for.
	ErrRebound = errors.New("the package is bound to another repository")
	// ErrNamespace: the namespace stands for another GitHub account, which had this login before.
	ErrNamespace = errors.New("the namespace belongs to another GitHub account")
	// ErrLatest: the tag "latest" cannot be removed.
	ErrLatest = errors.New(`the tag "latest" cannot be removed`)
	// ErrBusy: the package changed so often meanwhile that the change was given up. Nothing was done; trying again is safe.
	ErrBusy = errors.New("the package is being changed by others")
	// ErrStale: the change was made for a revision that is not the present one. Nothing was done.
	ErrStale = errors.New("the package has changed since it was read")
	// ErrFull: a device has no room left. Nothing was done.
	ErrFull = errors.New("no space left")
	// ErrEmpty: there are no data, and Options.Existing asked for some.
	ErrEmpty = errors.New("there is no registry in these data")
	// ErrUnavailable: the engine of the tarballs is a server of its own, and cannot be used now. Nothing was done.
	ErrUnavailable = blob.ErrUnavailable
	// ErrFormat: the stored data were written by another version of the registry and cannot be used by this one.
	ErrFormat = errors.New("unknown data format")
)

// Options of a Store. The zero value is usable.
type Options struct {
	// DocumentCache bounds the rendered documents kept in memory, and what they are made of, in bytes; 0 means 64 MiB.
	DocumentCache int64
	// Existing makes Open return ErrEmpty for an empty engine, in which it would otherwise begin a registry.
	Existing bool
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Store is the registry's memory. Its methods may be called from any number of goroutines.
type Store struct {
	kv    kv.Store
	blobs blob.Store
	now   func() time.Time

	heads     *otter.Cache[string, Head]
	documents *otter.Cache[documentKey, *Document]
	blocks    *otter.Cache[blockKey, gzipped.Part]
	outlines  *otter.Cache[string, *outline]
	records   *otter.Cache[recordKey, Version]
	tarballs  *otter.Cache[string, []byte] // by blob key
	blockSize int                          // blockSize, but in tests
	building  chan struct{}                // places for builds
	builds    singleflight.Group

	// writers lets the changes of one package queue up inside this process instead of meeting each other's conditions. It is
	// for speed only: the conditions are what keeps changes apart.
	writers [256]sync.Mutex
	seed    maphash.Seed

	bound bound

	// holds is held for reading by those who need the objects of withdrawn versions to stay, and for writing by whoever removes one.
	holds sync.RWMutex

	lastEvent atomic.Int64 // Unix nanoseconds in the key of the newest event of this process
}

// headCache bounds the decoded heads that are kept, in bytes.
const headCache = 8 << 20

// format is the version of the layout in keys.go.
const format = "1"

// restoring stands in the place of the format while the data are being restored.
const restoring = "restoring"

// Open returns the store kept in the two engines, which it does not close. It writes the format version into an empty
// engine and returns ErrFormat if it finds another one.
func Open(ctx context.Context, engine kv.Store, blobs blob.Store, o Options) (*Store, error) {
	s := &Store{kv: engine, blobs: blobs, now: o.Now, seed: maphash.MakeSeed(), building: make(chan struct{}, 2), blockSize: blockSize}
	if s.now == nil {
		s.now = time.Now
	}
	if o.DocumentCache == 0 {
		o.DocumentCache = 64 << 20
	}
	var err error
	if s.heads, err = bounded(headCache, func(name string, h Head) int { return 3*len(h.row.Value) + len(name) + 512 }); err != nil {
		return nil, err
	}
	if s.documents, err = bounded(o.DocumentCache*5/8, func(k documentKey, d *Document) int { return len(d.Body) + len(k.base) + 256 }); err != nil {
		return nil, err
	}
	if s.blocks, err = bounded(o.DocumentCache*2/8, func(_ blockKey, p gzipped.Part) int { return p.Len() + 256 }); err != nil {
		return nil, err
	}
	if s.outlines, err = bounded(o.DocumentCache*1/8, func(_ string, o *outline) int { return 96*len(o.versions) + 256 }); err != nil {
		return nil, err
	}
	if s.records, err = bounded(recordCache, func(k recordKey, v Version) int {
		return len(k.name) + len(k.version) + len(v.Blob) + len(v.Deprecated) + 512
	}); err != nil {
		return nil, err
	}
	if s.tarballs, err = bounded(tarballCache, func(k string, content []byte) int { return len(content) + len(k) + 128 }); err != nil {
		return nil, err
	}
	if err := s.checkFormat(ctx, o.Existing); err != nil {
		return nil, err
	}
	return s, nil
}

// checkFormat makes sure that the data are ours to read. Data without a format are none that a registry has begun, so only an empty engine gets one.
func (s *Store) checkFormat(ctx context.Context, existing bool) error {
	found, err := s.kv.Get(ctx, formatKey)
	switch {
	case err == nil && string(found.Value) == format:
		return nil
	case err == nil && string(found.Value) == restoring:
		return fmt.Errorf("%w: a restore into these data was cut off; remove both folders, the metadata's and the tarballs', and restore again", ErrFormat)
	case err == nil:
		return fmt.Errorf("%w: the data have format %q and this version of gatehouse reads %q; run the version that wrote them", ErrFormat, found.Value, format)
	case !errors.Is(err, kv.ErrNotFound):
		return fmt.Errorf("reading the format version: %w", err)
	}
	if err := empty(ctx, s.kv); err != nil {
		return err
	}
	if existing {
		return ErrEmpty
	}
	err = s.kv.Apply(ctx, kv.Batch{If: []kv.Entry{{Key: formatKey}}, Put: []kv.Entry{{Key: formatKey, Value: []byte(format)}}})
	if err != nil && !errors.Is(err, kv.ErrConflict) {
		return fmt.Errorf("writing the format version: %w", err)
	}
	return nil
}

// empty returns ErrFormat for an engine that holds anything.
func empty(ctx context.Context, engine kv.Store) error {
	for _, err := range engine.Scan(ctx, nil, nil) {
		if err != nil {
			return fmt.Errorf("reading the format version: %w", err)
		}
		return fmt.Errorf("%w: there are data that do not say which they have; they are damaged, or not those of a registry", ErrFormat)
	}
	return nil
}

// bounded is a cache of so many bytes.
func bounded[K comparable, V any](size int64, weigh func(K, V) int) (*otter.Cache[K, V], error) {
	return otter.New(&otter.Options[K, V]{MaximumWeight: uint64(size), Weigher: func(k K, v V) uint32 { return uint32(weigh(k, v)) }})
}

// Ready reports whether the metadata can be read.
func (s *Store) Ready(ctx context.Context) error {
	_, err := s.kv.Get(ctx, formatKey)
	return err
}

// turn waits until it is this change's turn among the changes of the package in this process.
func (s *Store) turn(name string) (done func()) {
	m := &s.writers[maphash.String(s.seed, name)%uint64(len(s.writers))]
	m.Lock()
	return m.Unlock
}

// noRoom adds ErrFull to the errors of engines that mean it.
func noRoom(err error) error {
	if errors.Is(err, kv.ErrFull) || errors.Is(err, blob.ErrFull) {
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	return err
}
