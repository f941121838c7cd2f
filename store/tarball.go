package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"gatehouse/store/blob"
)

// Small tarballs, which most are, are kept in memory: to find and open a file costs more than to send so little. What is larger is left
// to the kernel, which copies it from its own cache to the socket.
const (
	smallTarball = 64 << 10
	tarballCache = 16 << 20
)

// recordKey stands for a version as it was at one revision of its package. No row of a version changes without the head, so what was read under a
// head holds for everybody who comes with the same one.
type recordKey struct{ name, revision, version string }

const recordCache = 4 << 20

// Stat returns what is on record of a version: all that there is to say of its tarball without opening it. Errors: ErrNoVersion, *Gone.
func (s *Store) Stat(ctx context.Context, h Head, version string) (Version, error) {
	key := recordKey{h.Name, h.Revision, version}
	if record, ok := s.records.GetIfPresent(key); ok {
		return record, nil
	}
	_, record, err := s.present(ctx, h.Name, version)
	if err != nil {
		return Version{}, err
	}
	s.records.Set(key, record)
	return record, nil
}

// Tarball opens the tarball of a version. The caller closes the object's Body. Errors: ErrNoVersion, *Gone.
func (s *Store) Tarball(ctx context.Context, h Head, version string) (*blob.Object, Version, error) {
	for again := false; ; again = true {
		record, err := s.Stat(ctx, h, version)
		if err != nil {
			return nil, Version{}, err
		}
		o, err := s.content(ctx, record)
		if errors.Is(err, blob.ErrNotFound) && !again {
			s.records.Invalidate(recordKey{h.Name, h.Revision, version})
			continue // withdrawn or replaced, and swept, since the row was read
		}
		if err != nil {
			return nil, Version{}, fmt.Errorf("opening the tarball of %s@%s: %w", h.Name, version, err)
		}
		return o, record, nil
	}
}

func (s *Store) content(ctx context.Context, record Version) (*blob.Object, error) {
	if record.Size > smallTarball {
		return s.blobs.Open(ctx, record.Blob)
	}
	content, ok := s.tarballs.GetIfPresent(record.Blob)
	if !ok {
		o, err := s.blobs.Open(ctx, record.Blob)
		if err != nil {
			return nil, err
		}
		if o.Size != record.Size {
			return nil, errors.Join(fmt.Errorf("%s has %d bytes, and %d are on record", record.Blob, o.Size, record.Size), o.Body.Close())
		}
		content = make([]byte, o.Size)
		_, err = io.ReadFull(o.Body, content)
		if err := errors.Join(err, o.Body.Close()); err != nil {
			return nil, err
		}
		s.tarballs.Set(record.Blob, content)
	}
	return &blob.Object{Size: record.Size, Body: inMemory{bytes.NewReader(content)}}, nil
}

// inMemory is an object that is kept in memory.
type inMemory struct{ *bytes.Reader }

func (inMemory) Close() error { return nil }
