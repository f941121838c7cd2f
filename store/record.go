package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"gatehouse/store/blob"
	"gatehouse/store/kv"
	"gatehouse/store/packument"
)

// Record is everything the metadata hold of one package, damage included: what somebody reads who checks it.
type Record struct {
	Name string
	// Head is nil where there is none. Where there is one that cannot be read, Damage says why, and Head has its name only.
	Head   *Head
	Damage error
	// Versions and Pages are in the order of their keys. Pages are the versions that have one.
	Versions []VersionRecord
	Pages    []string

	head []byte // the row
}

// VersionRecord is what the metadata hold of one version.
type VersionRecord struct {
	Number string
	At     time.Time
	// Tombstone is true of a version that was withdrawn.
	Tombstone bool
	Version
	// Damage says what is wrong with the row; only Number and Tombstone are to be relied on then.
	Damage error
}

// Tarball is what the version's object has to be.
func (v VersionRecord) Tarball(pkg string) Tarball {
	return Tarball{Package: pkg, Version: v.Number, Key: v.Blob, Size: v.Size, Integrity: v.Integrity}
}

// Records yields the packages in the order of their names, those too of which only a version or a page is left. It holds one package
// in memory. Of a package that is changed meanwhile it may show two moments at once; Record shows one.
func (s *Store) Records(ctx context.Context) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		tables := []*cursor{s.cursor(ctx, headRow), s.cursor(ctx, pageRow), s.cursor(ctx, versionRow)}
		for _, c := range tables {
			defer c.stop()
			c.next()
		}
		heads, pages, versions := tables[0], tables[1], tables[2]
		for {
			name, any := "", false
			for _, c := range tables {
				if c.ok && c.err == nil && (!any || c.name < name) {
					name, any = c.name, true
				}
			}
			r := Record{Name: name}
			for ; heads.at(name); heads.next() {
				r.setHead(heads.row.Value)
			}
			for ; pages.at(name); pages.next() {
				r.Pages = append(r.Pages, pages.version)
			}
			for ; versions.at(name); versions.next() {
				r.Versions = append(r.Versions, inspect(name, versions.version, versions.row.Value))
			}
			if err := errors.Join(heads.err, pages.err, versions.err); err != nil {
				yield(Record{}, fmt.Errorf("reading the packages: %w", err))
				return
			}
			if !any || !yield(r, nil) {
				return
			}
		}
	}
}

// Record returns one package at one moment.
func (s *Store) Record(ctx context.Context, name string) (Record, error) {
	for range attempts {
		before, err := s.headRow(ctx, name)
		if err != nil {
			return Record{}, err
		}
		r := Record{Name: name}
		if before.Value != nil {
			r.setHead(before.Value)
		}
		for _, table := range []string{pageRow, versionRow} {
			from := []byte(table + name + "\x00")
			for row, err := range s.kv.Scan(ctx, from, []byte(table+name+"\x01")) {
				if err != nil {
					return Record{}, fmt.Errorf("reading %s: %w", name, err)
				}
				number := string(row.Key[len(from):])
				if table == pageRow {
					r.Pages = append(r.Pages, number)
				} else {
					r.Versions = append(r.Versions, inspect(name, number, row.Value))
				}
			}
		}
		after, err := s.headRow(ctx, name)
		if err != nil {
			return Record{}, err
		}
		if bytes.Equal(before.Value, after.Value) {
			return r, nil
		}
	}
	return Record{}, ErrBusy
}

// headRow returns the row of a head as it is; its Value is nil where there is none.
func (s *Store) headRow(ctx context.Context, name string) (kv.Entry, error) {
	row, err := s.kv.Get(ctx, headKey(name))
	if errors.Is(err, kv.ErrNotFound) {
		return kv.Entry{Key: headKey(name)}, nil
	}
	if err != nil {
		return row, fmt.Errorf("reading the head of %s: %w", name, err)
	}
	return row, nil
}

func (r *Record) setHead(row []byte) {
	r.Head, r.head = &Head{Name: r.Name}, row
	if err := json.Unmarshal(row, r.Head); err != nil {
		r.Head, r.Damage = &Head{Name: r.Name}, fmt.Errorf("it is not JSON as it should be: %w", err)
	} else if r.Head.Revision == "" {
		r.Head, r.Damage = &Head{Name: r.Name}, errors.New("it has no revision")
	}
}

// inspect reads the row of a version as nobody needs to who serves it: every part of it, and whether the parts agree.
func inspect(name, number string, row []byte) VersionRecord {
	r := VersionRecord{Number: number}
	v, err := decodeVersion(row)
	r.Tombstone = v.gone
	if err == nil {
		r.Version, err = v.version()
	}
	if err != nil {
		r.Damage = err
		return r
	}
	r.At = v.at
	if v.gone {
		if r.Gone == nil {
			r.Damage = errors.New("it is that of a withdrawn version and does not say by whom and when")
		}
		return r
	}
	if err := blob.CheckKey(r.Blob); err != nil || !strings.HasPrefix(r.Blob, name+"/") {
		r.Damage = fmt.Errorf("it names %q, which cannot be its tarball", r.Blob)
		return r
	}
	for form, f := range map[string]packument.Fragment{"full": v.full, "short": v.short} {
		var says struct {
			Name, Version string
			Dist          struct{ Tarball, Integrity string }
		}
		const base = "http://registry.invalid/"
		if err := json.Unmarshal(f.With(base), &says); err != nil {
			r.Damage = fmt.Errorf("the %s manifest in it is no JSON: %w", form, err)
		} else if says.Name != name || says.Version != number || says.Dist.Integrity != r.Integrity || !strings.HasPrefix(says.Dist.Tarball, base+name+"/-/") {
			r.Damage = fmt.Errorf("the %s manifest in it is that of something else", form)
		}
	}
	return r
}

// cursor reads one table, a row ahead.
type cursor struct {
	table         string
	pull          func() (kv.Entry, error, bool)
	stop          func()
	row           kv.Entry
	name, version string
	ok            bool
	err           error
}

func (s *Store) cursor(ctx context.Context, table string) *cursor {
	c := &cursor{table: table}
	from, to := tableRange(table)
	c.pull, c.stop = iter.Pull2(s.kv.Scan(ctx, from, to))
	return c
}

func (c *cursor) next() {
	c.row, c.err, c.ok = c.pull()
	if c.ok && c.err == nil {
		c.name, c.version = packageOf(c.row.Key, c.table)
	}
}

// at reports whether the cursor is at a row of the package.
func (c *cursor) at(name string) bool { return c.ok && c.err == nil && c.name == name }
