package store

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"gatehouse/store/blob"
	"gatehouse/store/kv"
	"gatehouse/store/packument"
)

// Version is what is on record of one version beside its documents.
type Version struct {
	Blob      string `json:"blob"` // key of the tarball
	Size      int64  `json:"size"` // of the tarball, in bytes
	Integrity string `json:"integrity"`
	By        Actor  `json:"by"`
}

// version row: the bytes of what is served lie as they are served, so that reading them parses nothing.
//
//	format byte | published, Unix milliseconds | lengths of record, full, short | base positions of full, short | record | full | short
//
// Numbers are uvarints; the record is a Version as JSON.
type storedVersion struct {
	at          time.Time
	record      []byte
	full, short packument.Fragment
}

const versionFormat = 1

func (v storedVersion) encode() []byte {
	row := make([]byte, 0, 64+len(v.record)+len(v.full.JSON)+len(v.short.JSON))
	row = append(row, versionFormat)
	row = binary.AppendUvarint(row, uint64(v.at.UnixMilli()))
	for _, n := range []int{len(v.record), len(v.full.JSON), len(v.short.JSON), v.full.At, v.short.At} {
		row = binary.AppendUvarint(row, uint64(n))
	}
	row = append(row, v.record...)
	row = append(row, v.full.JSON...)
	return append(row, v.short.JSON...)
}

// decodeVersion reads a row without copying it: the result shares its bytes.
func decodeVersion(row []byte) (v storedVersion, err error) {
	damaged := errors.New("the row of a version is damaged")
	if len(row) == 0 || row[0] != versionFormat {
		return v, damaged
	}
	row = row[1:]
	var numbers [6]uint64
	for i := range numbers {
		n, size := binary.Uvarint(row)
		if size <= 0 {
			return v, damaged
		}
		numbers[i], row = n, row[size:]
	}
	at, record, full, short := numbers[0], numbers[1], numbers[2], numbers[3]
	rest := uint64(len(row))
	if record > rest || full > rest-record || short != rest-record-full || numbers[4] > full || numbers[5] > short {
		return v, damaged
	}
	v.at = time.UnixMilli(int64(at)).UTC()
	v.record = row[:record]
	v.full = packument.Fragment{JSON: row[record : record+full], At: int(numbers[4])}
	v.short = packument.Fragment{JSON: row[record+full:], At: int(numbers[5])}
	return v, nil
}

func (v storedVersion) version() (Version, error) {
	var r Version
	err := json.Unmarshal(v.record, &r)
	return r, err
}

func (s *Store) readVersion(ctx context.Context, name, version string) (storedVersion, error) {
	if key := versionKey(name, version); len(key) <= kv.MaxKey {
		row, err := s.kv.Get(ctx, key)
		if err == nil {
			v, err := decodeVersion(row.Value)
			if err != nil {
				return v, fmt.Errorf("%s@%s: %w", name, version, err)
			}
			return v, nil
		}
		if !errors.Is(err, kv.ErrNotFound) {
			return storedVersion{}, fmt.Errorf("reading %s@%s: %w", name, version, err)
		}
	}
	return storedVersion{}, ErrNoVersion
}

// Manifest returns the manifest of one version, its tarball's address beginning with base, or ErrNoVersion.
func (s *Store) Manifest(ctx context.Context, h Head, version, base string) ([]byte, error) {
	v, err := s.readVersion(ctx, h.Name, version)
	if err != nil {
		return nil, err
	}
	return v.full.With(base), nil
}

// Tarball opens the tarball of a version, or returns ErrNoVersion. The caller closes the object's Body.
func (s *Store) Tarball(ctx context.Context, h Head, version string) (*blob.Object, Version, error) {
	v, err := s.readVersion(ctx, h.Name, version)
	if err != nil {
		return nil, Version{}, err
	}
	record, err := v.version()
	if err != nil {
		return nil, Version{}, fmt.Errorf("%s@%s: %w", h.Name, version, err)
	}
	o, err := s.blobs.Open(ctx, record.Blob)
	if err != nil {
		return nil, Version{}, fmt.Errorf("opening the tarball of %s@%s: %w", h.Name, version, err)
	}
	return o, record, nil
}
