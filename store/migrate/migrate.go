// Package migrate brings the tarballs of a registry from one storage to another.
//
// It copies what the metadata name, and nothing else; keys stay what they are, so the metadata need no change, and going over is a
// change of the configuration. The old storage is only read. It may be cut off at any moment and begun again: what is in the new
// storage with the right bytes is passed over, what is there with others is put anew.
//
// The registry is stopped meanwhile. Copying beside it and catching up at the end would save time where there is much
// to copy, and would need a moment at which both storages are the one that counts; stopping needs none, and since a second run only
// compares, most of it can be done beforehand on a restored backup.
package migrate

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"

	"gatehouse/store"
	"gatehouse/store/blob"
)

// Options of a migration.
type Options struct {
	// Quick takes what is in the new storage for good if it has the right size, without reading it.
	Quick bool
	// Progress is called now and then, from one goroutine at a time.
	Progress func(Summary)
}

// Summary is what a migration comes to.
type Summary struct {
	Copied, There int   // tarballs
	Bytes         int64 // of what was copied
	// Damaged are those that the old storage has lost or has with other bytes; they were not copied.
	Damaged []Damage
}

// Damage is a tarball that could not be copied.
type Damage struct {
	store.Tarball
	Problem error
}

// atOnce is how many tarballs are copied at a time: a bucket answers each with some delay.
const atOnce = 4

// Copy copies every tarball that a version names.
func Copy(ctx context.Context, s *store.Store, from, to blob.Store, o Options) (Summary, error) {
	m := &migration{from: from, to: to, o: o}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(atOnce)
	for e, err := range s.Entries(ctx) {
		if err != nil {
			return m.sum, errors.Join(err, g.Wait())
		}
		if t, ok := store.TarballOf(e); ok {
			g.Go(func() error { return m.tarball(ctx, t) })
		}
	}
	err := g.Wait()
	return m.sum, err
}

type migration struct {
	from, to blob.Store
	o        Options

	mu  sync.Mutex
	sum Summary
}

// tarball copies one, unless it is there.
func (m *migration) tarball(ctx context.Context, t store.Tarball) error {
	_, err := t.Check(ctx, m.to, m.o.Quick)
	switch {
	case err == nil:
		m.count(func(s *Summary) { s.There++ })
		return nil
	case errors.Is(err, store.ErrAltered):
		if err := m.to.Delete(ctx, t.Key); err != nil {
			return err
		}
	case !errors.Is(err, store.ErrLost):
		return err
	}
	err = m.put(ctx, t)
	if errors.Is(err, store.ErrLost) || errors.Is(err, store.ErrAltered) {
		m.count(func(s *Summary) { s.Damaged = append(s.Damaged, Damage{t, err}) })
		return nil
	}
	if err != nil {
		return err
	}
	if _, err := t.Check(ctx, m.to, m.o.Quick); err != nil {
		return fmt.Errorf("the tarball of %s@%s was copied, and then: %w", t.Package, t.Version, err)
	}
	m.count(func(s *Summary) { s.Copied++; s.Bytes += t.Size })
	return nil
}

func (m *migration) put(ctx context.Context, t store.Tarball) error {
	o, err := m.from.Open(ctx, t.Key)
	if errors.Is(err, blob.ErrNotFound) {
		return store.ErrLost
	}
	if err != nil {
		return fmt.Errorf("opening the tarball of %s@%s: %w", t.Package, t.Version, err)
	}
	defer func() { _ = o.Body.Close() }()
	if o.Size != t.Size {
		return fmt.Errorf("%w: it has %d bytes, and %d were published", store.ErrAltered, o.Size, t.Size)
	}
	if err := m.to.Put(ctx, t.Key, t.Size, t.Verify(ctx, o.Body)); err != nil {
		return fmt.Errorf("copying the tarball of %s@%s: %w", t.Package, t.Version, err)
	}
	return nil
}

func (m *migration) count(change func(*Summary)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change(&m.sum)
	if m.o.Progress != nil {
		m.o.Progress(m.sum)
	}
}
