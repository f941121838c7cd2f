package store

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"gatehouse/store/kv"
	"gatehouse/store/packument"
)

// Version is what is on record of one version beside its documents.
type Version struct {
	Blob      string `json:"blob"` // key of the tarball
	Size      int64  `json:"size"` // of the tarball, in bytes
	Integrity string `json:"integrity"`
	By        Actor  `json:"by"`
	// Deprecated is the message that warns of the version; "" if there is none.
	Deprecated string `json:"deprecated,omitempty"`
	// Gone says who withdrew the version, and when; nil for one that is there.
	Gone *Withdrawal `json:"gone,omitempty"`
}

// Withdrawal is who unpublished something, and when.
type Withdrawal struct {
	By Actor     `json:"by"`
	At time.Time `json:"at"`
	// Reason is why a repair withdrew it; "" if somebody wanted it so.
	Reason string `json:"reason,omitempty"`
}

// Gone is the error for a version that was unpublished. Its number is never used again.
type Gone struct {
	Package, Version string
	Withdrawal
}

func (e *Gone) Error() string {
	if e.Reason != "" {
		return fmt.Sprintf("%s@%s was withdrawn by a repair on %s, because %s; a version number is never used again: publish it under a new one", e.Package, e.Version, e.At.UTC().Format("2 January 2006, 15:04 UTC"), e.Reason)
	}
	return fmt.Sprintf("%s@%s was unpublished by %s on %s; a version number is never used again", e.Package, e.Version, e.By.name(), e.At.UTC().Format("2 January 2006, 15:04 UTC"))
}

// version row: the bytes of what is served lie as they are served, so that reading them parses nothing.
//
//	format byte | published, Unix milliseconds | lengths of record, full, short | base positions of full, short | record | full | short
//
// Numbers are uvarints; the record is a Version as JSON. The row of a version that was unpublished stays, as its tombstone: the format byte is another,
// and there is nothing but the record.
type storedVersion struct {
	at          time.Time
	record      []byte
	full, short packument.Fragment
	gone        bool

	row kv.Entry // as it was read
}

const (
	versionFormat   = 1
	tombstoneFormat = 2
)

func (v storedVersion) encode() []byte {
	row := make([]byte, 0, 64+len(v.record)+len(v.full.JSON)+len(v.short.JSON))
	if v.gone {
		row = append(row, tombstoneFormat)
	} else {
		row = append(row, versionFormat)
	}
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
	if len(row) == 0 || row[0] != versionFormat && row[0] != tombstoneFormat {
		return v, damaged
	}
	v.gone = row[0] == tombstoneFormat
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
	if v.gone {
		return v, nil
	}
	v.full = packument.Fragment{JSON: row[record : record+full], At: int(numbers[4])}
	v.short = packument.Fragment{JSON: row[record+full:], At: int(numbers[5])}
	return v, nil
}

func (v storedVersion) version() (Version, error) {
	var r Version
	err := json.Unmarshal(v.record, &r)
	return r, err
}

// readVersion returns the row of a version, a tombstone too, or ErrNoVersion.
func (s *Store) readVersion(ctx context.Context, name, version string) (storedVersion, error) {
	if key := versionKey(name, version); len(key) <= kv.MaxKey {
		row, err := s.kv.Get(ctx, key)
		if err == nil {
			v, err := decodeVersion(row.Value)
			if err != nil {
				return v, fmt.Errorf("%s@%s: %w", name, version, err)
			}
			v.row = row
			return v, nil
		}
		if !errors.Is(err, kv.ErrNotFound) {
			return storedVersion{}, fmt.Errorf("reading %s@%s: %w", name, version, err)
		}
	}
	return storedVersion{}, ErrNoVersion
}

// present returns the row of a version that is there: ErrNoVersion if it never was, *Gone if it is no more.
func (s *Store) present(ctx context.Context, name, version string) (storedVersion, Version, error) {
	v, err := s.readVersion(ctx, name, version)
	if err != nil {
		return v, Version{}, err
	}
	record, err := v.version()
	if err != nil {
		return v, Version{}, fmt.Errorf("%s@%s: %w", name, version, err)
	}
	if v.gone {
		gone := &Gone{Package: name, Version: version}
		if record.Gone != nil {
			gone.Withdrawal = *record.Gone
		}
		return v, record, gone
	}
	return v, record, nil
}

// Manifest returns the manifest of one version, its tarball's address beginning with base. Errors: ErrNoVersion, *Gone.
func (s *Store) Manifest(ctx context.Context, h Head, version, base string) ([]byte, error) {
	v, _, err := s.present(ctx, h.Name, version)
	if err != nil {
		return nil, err
	}
	return v.full.With(base), nil
}
