package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"slices"
	"time"

	"gatehouse/store/kv"
	"gatehouse/store/packument"
)

// outline is what documents of one revision are joined from, but for the fragments: small enough to keep of many packages, and enough to tell
// which of the parts that were compressed before still hold.
type outline struct {
	revision string
	versions []listed // in the order of documents
}

// listed is one version in an outline.
type listed struct {
	version string
	at      time.Time
	gone    bool
	// digest is that of the row, under a key of this process: rows with the same digest are the same.
	digest uint64
	// size is what its fragments take, by form.
	size [2]int
}

func byTime(a, b listed) int {
	return packument.ByTime(packument.Version{Version: a.version, Time: a.at}, packument.Version{Version: b.version, Time: b.at})
}

func (s *Store) listed(name string, row kv.Entry) (listed, error) {
	from, _ := versionRange(name)
	l := listed{version: string(row.Key[len(from):])}
	v, err := decodeVersion(row.Value)
	if err != nil {
		return l, fmt.Errorf("%s@%s: %w", name, l.version, err)
	}
	l.at, l.gone, l.digest = v.at, v.gone, s.digest(row.Value)
	l.size = [2]int{packument.Full: len(v.full.JSON), packument.Short: len(v.short.JSON)}
	return l, nil
}

func (s *Store) digest(row []byte) uint64 { return maphash.Bytes(s.seed, row) }

// outline returns the outline of the head's revision if it is kept, and otherwise reads all versions. What it has read may be newer than the head.
func (s *Store) outline(ctx context.Context, h Head) (_ *outline, kept bool, _ error) {
	if o, ok := s.outlines.GetIfPresent(h.Name); ok && o.revision == h.Revision {
		return o, true, nil
	}
	o := &outline{revision: h.Revision}
	from, to := versionRange(h.Name)
	for row, err := range s.kv.Scan(ctx, from, to) {
		if err != nil {
			return nil, false, fmt.Errorf("reading the versions of %s: %w", h.Name, err)
		}
		l, err := s.listed(h.Name, row)
		if err != nil {
			return nil, false, err
		}
		o.versions = append(o.versions, l)
	}
	slices.SortFunc(o.versions, byTime)
	return o, false, nil
}

// advance makes the outline that is kept follow a change that this process has just made, so that the next reader need not read all versions to
// find the few that changed. Where that is not simple, there is none until it is read again.
func (s *Store) advance(old, new Head, b kv.Batch) {
	o, ok := s.outlines.GetIfPresent(old.Name)
	if !ok {
		return
	}
	next, ok := s.follow(o, old, new, b)
	if !ok {
		s.outlines.Invalidate(old.Name)
		return
	}
	s.outlines.Set(old.Name, next)
}

// fewChanges is how many rows a change may touch to be followed.
const fewChanges = 16

func (s *Store) follow(o *outline, old, new Head, b kv.Batch) (*outline, bool) {
	from, _ := versionRange(old.Name)
	isVersion := func(key []byte) bool { return bytes.HasPrefix(key, from) }
	if o.revision != old.Revision || len(b.Put) > fewChanges || slices.ContainsFunc(b.Delete, isVersion) {
		return nil, false
	}
	next := &outline{revision: new.Revision, versions: append(make([]listed, 0, len(o.versions)+1), o.versions...)}
	for _, row := range b.Put {
		if !isVersion(row.Key) {
			continue
		}
		l, err := s.listed(old.Name, row)
		if err != nil {
			return nil, false
		}
		next.versions = slices.DeleteFunc(next.versions, func(was listed) bool { return was.version == l.version })
		at, _ := slices.BinarySearchFunc(next.versions, l, byTime)
		next.versions = slices.Insert(next.versions, at, l)
	}
	return next, true
}

// errMoved: a row is not the one of the outline. The package has changed meanwhile.
var errMoved = errors.New("the package has changed")

// fragments reads the versions of a part of an outline, in one form.
func (s *Store) fragments(ctx context.Context, name string, part []listed, form packument.Form) ([]packument.Version, error) {
	versions := make([]packument.Version, 0, len(part))
	for _, l := range part {
		if l.gone {
			continue
		}
		row, err := s.kv.Get(ctx, versionKey(name, l.version))
		if errors.Is(err, kv.ErrNotFound) || err == nil && s.digest(row.Value) != l.digest {
			return nil, errMoved
		}
		if err != nil {
			return nil, fmt.Errorf("reading %s@%s: %w", name, l.version, err)
		}
		v, err := decodeVersion(row.Value)
		if err != nil {
			return nil, fmt.Errorf("%s@%s: %w", name, l.version, err)
		}
		fragment := v.full
		if form == packument.Short {
			fragment = v.short
		}
		versions = append(versions, packument.Version{Version: l.version, Time: l.at, Fragment: fragment})
	}
	return versions, nil
}
