package store

import (
	"context"
	"encoding/binary"
	"fmt"
	"iter"
	"strings"
	"time"

	"gatehouse/store/kv"
)

// Upload is an object that will be removed when it is due: an upload that is not committed, or what was withdrawn.
type Upload struct {
	Blob string
	Due  time.Time

	row kv.Entry
}

// Uploads yields what is waiting to be removed, in the order in which it is due.
func (s *Store) Uploads(ctx context.Context) iter.Seq2[Upload, error] {
	return func(yield func(Upload, error) bool) {
		from, to := tableRange(uploadRow)
		for row, err := range s.kv.Scan(ctx, from, to) {
			if err != nil {
				yield(Upload{}, fmt.Errorf("reading the uploads: %w", err))
				return
			}
			u := Upload{Blob: strings.TrimPrefix(string(row.Value), "\x00"), row: row}
			if rest := row.Key[len(uploadRow):]; len(rest) > 8 {
				u.Due = time.Unix(int64(binary.BigEndian.Uint64(rest)), 0).UTC()
			}
			if !yield(u, nil) {
				return
			}
		}
	}
}

// Due reports whether the next Sweep removes it.
func (s *Store) Due(u Upload, all bool) bool { return string(u.row.Key) < string(s.sweepUntil(all)) }

// Spare forgets that the object of a version was to be removed.
func (s *Store) Spare(ctx context.Context, u Upload, by Actor) error {
	at := s.now().UTC().Truncate(time.Millisecond)
	e := Event{What: "repair", Package: PackageOfBlob(u.Blob), Blob: u.Blob, By: by, At: at, Note: "a tarball that a version names was marked for removal: took the mark away"}
	return s.commit(ctx, kv.Batch{If: []kv.Entry{u.row}, Delete: [][]byte{u.row.Key}}, e)
}

// PackageOfBlob is the package in whose folder an object lies.
func PackageOfBlob(key string) string { return key[:max(strings.LastIndexByte(key, '/'), 0)] }

// Named returns the objects that the versions of a package name. unsure is true where a row that cannot be read, or was put aside because
// it could not, may name others.
func (s *Store) Named(ctx context.Context, name string) (keys map[string]bool, unsure bool, err error) {
	keys = map[string]bool{}
	from, to := versionRange(name)
	for row, err := range s.kv.Scan(ctx, from, to) {
		if err != nil {
			return nil, false, fmt.Errorf("reading the versions of %s: %w", name, err)
		}
		v, err := decodeVersion(row.Value)
		if err != nil {
			unsure = true
			continue
		}
		if v.gone {
			continue
		}
		if record, err := v.version(); err != nil {
			unsure = true
		} else {
			keys[record.Blob] = true
		}
	}
	for row, err := range s.kv.Scan(ctx, append([]byte(asideRow), from...), append([]byte(asideRow), to...)) {
		if err != nil {
			return nil, false, fmt.Errorf("reading what was put aside of %s: %w", name, err)
		}
		unsure = unsure || row.Key != nil
	}
	return keys, unsure, nil
}

// Collect removes an object that nothing names. The caller has made sure of that. It is noted as something to be removed first, in one batch with
// the event, so that Sweep ends what a crash cuts off.
func (s *Store) Collect(ctx context.Context, blobKey string, by Actor) error {
	at := s.now().UTC().Truncate(time.Millisecond)
	row := kv.Entry{Key: uploadKey(at, blobKey), Value: []byte(blobKey)}
	e := Event{What: "collect", Package: PackageOfBlob(blobKey), Blob: blobKey, By: by, At: at}
	if err := s.commit(ctx, kv.Batch{Put: []kv.Entry{row}}, e); err != nil {
		return err
	}
	_, err := s.discard(ctx, row)
	return err
}
