package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"gatehouse/scopes"
	"gatehouse/store/kv"
)

// What a repair says of a version that it withdraws, after "because".
const (
	LostReason       = "its tarball was lost or damaged"
	UnreadableReason = "its record was damaged"
)

// keepDamaged is how long damaged bytes of a withdrawn version stay for whoever can make something of them.
const keepDamaged = 7 * 24 * time.Hour

// Mend puts right what can be put right about a package without losing anything that can be read, all of it in one batch with its event.
// What is to be done follows from the rows as they are at that moment; only what the objects are like has to be said: lost holds the
// versions whose tarball is lost or damaged, with the object's key, so that a version that was replaced meanwhile is left alone.
//
//   - A version whose tarball is lost is withdrawn, for everybody to see: its number stays burned, its bytes, if any, stay for a week.
//   - A row that cannot be read is moved aside. A version then has a tombstone in its place.
//   - Versions without a head get one: their own tags are gone, so "latest" alone, and so is their binding, so that nobody
//     reaches them until an operator binds the package again (an open registry needs no binding).
//   - Tags of what is not there are removed, "latest" is found again, pages of what is not there are removed, a missing one is made empty.
//
// It returns the event; its What is "" if there was nothing to do.
func (s *Store) Mend(ctx context.Context, name string, lost map[string]string, by Actor) (Event, error) {
	defer s.turn(name)()
	for range attempts {
		r, err := s.Record(ctx, name)
		if err != nil {
			return Event{}, err
		}
		m := mending{s: s, by: by, at: s.now().UTC().Truncate(time.Millisecond), record: r, deletes: map[string]bool{}}
		if err := m.plan(ctx, lost); err != nil {
			return Event{}, err
		}
		if len(m.notes) == 0 {
			return Event{}, nil
		}
		m.event.What, m.event.Package, m.event.By, m.event.At = "repair", name, by, m.at
		m.event.Note = strings.Join(m.notes, "; ")
		if err := s.commit(ctx, m.batch(), m.event); !errors.Is(err, kv.ErrConflict) {
			s.bound.forget() // it may be bound to nothing now
			return m.event, err
		}
	}
	return Event{}, ErrBusy
}

// commit applies a batch with its event.
func (s *Store) commit(ctx context.Context, b kv.Batch, e Event) error {
	row, err := s.record(e)
	if err != nil {
		return err
	}
	b.Put = append(b.Put, row)
	err = s.kv.Apply(ctx, b)
	if err != nil && !errors.Is(err, kv.ErrConflict) {
		return noRoom(fmt.Errorf("repairing %s: %w", e.Package, err))
	}
	return err
}

// mending is the plan of one Mend.
type mending struct {
	s       *Store
	by      Actor
	at      time.Time
	record  Record
	b       kv.Batch
	deletes map[string]bool
	event   Event
	notes   []string
}

func (m *mending) note(format string, args ...any) {
	m.notes = append(m.notes, fmt.Sprintf(format, args...))
}

func (m *mending) batch() kv.Batch {
	for _, key := range slices.Sorted(maps.Keys(m.deletes)) {
		m.b.Delete = append(m.b.Delete, []byte(key))
	}
	return m.b
}

func (m *mending) plan(ctx context.Context, lost map[string]string) error {
	name := m.record.Name
	var stay []string
	for _, v := range m.record.Versions {
		isLost := lost[v.Number] != "" && lost[v.Number] == v.Blob
		if v.Damage == nil && (v.Tombstone || !isLost) {
			if !v.Tombstone {
				stay = append(stay, v.Number)
			}
			continue
		}
		row, err := m.s.kv.Get(ctx, versionKey(name, v.Number))
		if err != nil {
			return fmt.Errorf("reading %s@%s: %w", name, v.Number, err)
		}
		if v.Damage != nil {
			err = m.unreadable(v, row)
		} else {
			err = m.lost(v, row)
		}
		if err != nil {
			return err
		}
	}
	m.pages(stay)
	return m.head(stay)
}

// aside moves a row out of the way. It reports false for one whose key leaves no room for that.
func (m *mending) aside(row kv.Entry) bool {
	key := append([]byte(asideRow), row.Key...)
	if len(key) > kv.MaxKey {
		return false
	}
	m.b.If = append(m.b.If, row)
	m.b.Put = append(m.b.Put, kv.Entry{Key: key, Value: row.Value})
	return true
}

func (m *mending) unreadable(v VersionRecord, row kv.Entry) error {
	if !m.aside(row) {
		return nil
	}
	m.note("withdrew %s, whose record cannot be read, and put the record aside", v.Number)
	return m.tombstone(v, row.Key, UnreadableReason)
}

func (m *mending) lost(v VersionRecord, row kv.Entry) error {
	m.b.If = append(m.b.If, row)
	m.b.Put = append(m.b.Put, kv.Entry{Key: uploadKey(m.at.Add(keepDamaged), v.Blob), Value: []byte(v.Blob)})
	m.note("withdrew %s, whose tarball is lost or damaged", v.Number)
	return m.tombstone(v, row.Key, LostReason)
}

func (m *mending) tombstone(v VersionRecord, key []byte, reason string) error {
	if v.At.IsZero() {
		v.At = m.at
	}
	v.Gone = &Withdrawal{By: m.by, At: m.at, Reason: reason}
	record, err := json.Marshal(v.Version)
	if err != nil {
		return err
	}
	m.b.Put = append(m.b.Put, kv.Entry{Key: key, Value: storedVersion{at: v.At, gone: true, record: record}.encode()})
	m.event.Versions = append(m.event.Versions, v.Number)
	return nil
}

// pages leaves one page for each version that stays.
func (m *mending) pages(stay []string) {
	for _, v := range m.record.Pages {
		if !slices.Contains(stay, v) {
			m.deletes[string(pageKey(m.record.Name, v))] = true
			if !slices.Contains(m.event.Versions, v) {
				m.note("removed the page of %s, which is not there", v)
			}
		}
	}
	for _, v := range stay {
		if !slices.Contains(m.record.Pages, v) {
			m.b.Put = append(m.b.Put, kv.Entry{Key: pageKey(m.record.Name, v)})
			m.note("gave %s an empty page", v)
		}
	}
}

// head makes the head follow from the versions that stay.
func (m *mending) head(stay []string) error {
	r := m.record
	old := Head{Name: r.Name}
	row := kv.Entry{Key: headKey(r.Name), Value: r.head}
	if r.Head != nil && r.Damage == nil {
		old = *r.Head
	} else if len(r.Versions) == 0 && r.Head == nil {
		m.b.If = append(m.b.If, row)
		return nil // a page of nothing
	}
	new := old.next(m.at)
	switch {
	case r.Damage != nil:
		if !m.aside(row) {
			return fmt.Errorf("the head of %s is damaged and its key too long to put it aside", r.Name)
		}
		m.note("put the head, which cannot be read, aside and made one that is bound to nothing")
	case r.Head == nil:
		m.note("made a head that is bound to nothing")
		m.b.If = append(m.b.If, row)
	default:
		m.b.If = append(m.b.If, row)
	}
	if new.Created.IsZero() {
		new.Binding, new.Created = scopes.Binding{}, m.at
		for _, v := range r.Versions {
			if !v.At.IsZero() && v.At.Before(new.Created) {
				new.Created = v.At
			}
		}
	}
	settle(new.DistTags, stay, "")
	m.tags(old.DistTags, new.DistTags)
	switch {
	case len(stay) > 0 && new.Unpublished != nil:
		new.Unpublished = nil
		m.note("the package is not withdrawn: it has versions")
	case len(stay) == 0 && new.Unpublished == nil && len(r.Versions) > 0:
		new.Unpublished = &Withdrawal{By: m.by, At: m.at, Reason: "none of its versions is left"}
		m.note("the package is withdrawn: it has no version left")
	}
	if len(m.notes) == 0 {
		return nil
	}
	value, err := json.Marshal(new)
	if err != nil {
		return err
	}
	m.b.Put = append(m.b.Put, kv.Entry{Key: row.Key, Value: value})
	return nil
}

func (m *mending) tags(old, new map[string]string) {
	m.event.Tags = map[string]string{}
	for _, tag := range slices.Sorted(maps.Keys(old)) {
		if _, ok := new[tag]; !ok {
			m.event.Tags[tag] = old[tag]
			m.note("removed the tag %s of %s", tag, old[tag])
		}
	}
	if now := new["latest"]; now != "" && now != old["latest"] {
		m.event.Tags["latest"] = now
		m.note("latest is %s", now)
	}
}
