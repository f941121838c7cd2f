package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"

	"gatehouse/store/blob"
	"gatehouse/store/kv"
)

// Format is the version of the layout of what Entries yields.
const Format = format

// Entries yields everything the metadata remember, at one moment, in the order of the keys. Left out are the format, which is the reader's
// to know, the uploads, since what is not committed is not remembered, the log-ins that are under way and the ID tokens that were used, and the secrets, which are of use to
// nobody but this registry.
func (s *Store) Entries(ctx context.Context) iter.Seq2[kv.Entry, error] {
	return func(yield func(kv.Entry, error) bool) {
		for e, err := range s.kv.Scan(ctx, nil, nil) {
			if err != nil {
				yield(kv.Entry{}, fmt.Errorf("reading the metadata: %w", err))
				return
			}
			if !portable(e.Key) {
				continue
			}
			if !yield(e, nil) {
				return
			}
		}
	}
}

func portable(key []byte) bool {
	return !bytes.Equal(key, formatKey) && !bytes.HasPrefix(key, []byte(uploadRow)) && !passing(key) && !bytes.HasPrefix(key, []byte(secretRow))
}

// IsHead tells whether an entry is a package.
func IsHead(e kv.Entry) bool { return bytes.HasPrefix(e.Key, []byte(headRow)) }

// TarballOf returns the tarball that an entry names. It reports false for one that names none; what cannot be read names none.
func TarballOf(e kv.Entry) (Tarball, bool) {
	if !bytes.HasPrefix(e.Key, []byte(versionRow)) {
		return Tarball{}, false
	}
	v, err := decodeVersion(e.Value)
	if err != nil || v.gone {
		return Tarball{}, false
	}
	record, err := v.version()
	if err != nil || blob.CheckKey(record.Blob) != nil {
		return Tarball{}, false
	}
	name, number := packageOf(e.Key, versionRow)
	return VersionRecord{Number: number, Version: record}.Tarball(name), true
}

// Restore fills an empty engine with what Entries has yielded elsewhere. Until Done the engine is no registry: Open refuses it.
type Restore struct {
	engine kv.Store
	last   []byte
}

// ErrNotEmpty: data are to be restored to where there are some.
var ErrNotEmpty = errors.New("there are data already")

// BeginRestore marks the engine. Errors: ErrNotEmpty.
func BeginRestore(ctx context.Context, engine kv.Store) (*Restore, error) {
	for _, err := range engine.Scan(ctx, nil, nil) {
		if err != nil {
			return nil, err
		}
		return nil, ErrNotEmpty
	}
	b := kv.Batch{If: []kv.Entry{{Key: formatKey}}, Put: []kv.Entry{{Key: formatKey, Value: []byte(restoring)}}}
	if err := engine.Apply(ctx, b); err != nil {
		return nil, noRoom(err)
	}
	return &Restore{engine: engine}, nil
}

// Add writes entries, durably. They come in the order in which they were yielded.
func (r *Restore) Add(ctx context.Context, entries []kv.Entry) error {
	for _, e := range entries {
		if !portable(e.Key) || bytes.Compare(e.Key, r.last) <= 0 {
			return fmt.Errorf("the key %.60q cannot be there", e.Key)
		}
		r.last = e.Key
	}
	return noRoom(r.engine.Apply(ctx, kv.Batch{Put: entries}))
}

// Done makes it a registry.
func (r *Restore) Done(ctx context.Context) error {
	return noRoom(r.engine.Apply(ctx, kv.Batch{
		If: []kv.Entry{{Key: formatKey, Value: []byte(restoring)}}, Put: []kv.Entry{{Key: formatKey, Value: []byte(format)}},
	}))
}
