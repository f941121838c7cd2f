package store

import (
	"context"
	"fmt"
	"time"

	"gatehouse/store/blob"
	"gatehouse/store/packument"
)

// Link returns an address from which whoever has it can fetch the tarball of a version, without asking us, for as long as ttl; and false
// if the engine of this store makes none. It is a credential (see blob.Linker): the verdict that the caller may read the
// package comes first. Errors: ErrNoVersion, *Gone.
func (s *Store) Link(ctx context.Context, h Head, version string, ttl time.Duration) (string, bool, error) {
	linker, ok := s.blobs.(blob.Linker)
	if !ok {
		return "", false, nil
	}
	_, record, err := s.present(ctx, h.Name, version)
	if err != nil {
		return "", false, err
	}
	link, err := linker.Link(ctx, record.Blob, ttl, fileName(h.Name, version))
	if err != nil {
		return "", false, fmt.Errorf("linking to the tarball of %s@%s: %w", h.Name, version, err)
	}
	return link, true, nil
}

// fileName is what a browser calls the tarball, or "" to leave that to it.
func fileName(name, version string) string {
	n, err := packument.ParseName(name)
	if err != nil {
		return ""
	}
	file := n.Tarball(version)
	if len(file) > maxFileName {
		return ""
	}
	return file
}
