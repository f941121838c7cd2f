package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"gatehouse/store/kv"
	"gatehouse/store/packument"
)

// Unpublish withdraws every version that keep does not hold, as npm does by sending the package without them. Tags of versions that go
// are removed; "latest" moves to latest if that stays, and otherwise to the highest version that stays, releases before prereleases. The number of a
// version stays burned, and who withdrew it on record; its bytes are removed some minutes later.
//
// Versions in keep that do not exist are passed over. If none stays, it is UnpublishAll.
// Errors: ErrNotFound, ErrRebound, ErrStale, ErrBusy, ErrFull.
func (s *Store) Unpublish(ctx context.Context, name string, keep func(version string) bool, latest string, e Edit) (Head, error) {
	return s.withdraw(ctx, name, keep, latest, e)
}

// UnpublishAll withdraws the package: all its versions, as Unpublish does. Its name stays bound to its repository. A package that is
// withdrawn already is left as it is. Errors are those of Unpublish.
func (s *Store) UnpublishAll(ctx context.Context, name string, e Edit) (Head, error) {
	return s.withdraw(ctx, name, func(string) bool { return false }, "", e)
}

func (s *Store) withdraw(ctx context.Context, name string, keep func(version string) bool, latest string, e Edit) (Head, error) {
	return s.change(ctx, name, func(old Head, exists bool, b *kv.Batch) (Head, Event, error) {
		if err := e.admit(old, exists); err != nil {
			return Head{}, Event{}, err
		}
		at := s.now().UTC().Truncate(time.Millisecond)
		event := Event{What: "unpublish", Package: name, By: ActorOf(e.By), At: at}
		var stay []string
		from, to := versionRange(name)
		for row, err := range s.kv.Scan(ctx, from, to) {
			if err != nil {
				return Head{}, Event{}, fmt.Errorf("reading the versions of %s: %w", name, err)
			}
			version := string(row.Key[len(from):])
			v, err := decodeVersion(row.Value)
			if err != nil {
				return Head{}, Event{}, fmt.Errorf("%s@%s: %w", name, version, err)
			}
			if v.gone {
				continue
			}
			if keep(version) {
				stay = append(stay, version)
				continue
			}
			if err := s.bury(b, name, version, v, row, Withdrawal{By: event.By, At: at}); err != nil {
				return Head{}, Event{}, err
			}
			event.Versions = append(event.Versions, version)
		}
		if len(event.Versions) == 0 {
			return Head{}, Event{}, errUnchanged
		}
		if err := e.current(old); err != nil {
			return Head{}, Event{}, err
		}
		new := old.next(at)
		settle(new.DistTags, stay, latest)
		if len(stay) == 0 {
			new.Unpublished = &Withdrawal{By: event.By, At: at}
		}
		return new, event, nil
	})
}

// bury makes a version's row its tombstone.
func (s *Store) bury(b *kv.Batch, name, version string, v storedVersion, row kv.Entry, w Withdrawal) error {
	record, err := v.version()
	if err != nil {
		return fmt.Errorf("%s@%s: %w", name, version, err)
	}
	s.withdrawn(b, record.Blob)
	record.Gone = &w
	tombstone := storedVersion{at: v.at, gone: true}
	if tombstone.record, err = json.Marshal(record); err != nil {
		return err
	}
	b.If = append(b.If, row)
	b.Put = append(b.Put, kv.Entry{Key: row.Key, Value: tombstone.encode()})
	b.Delete = append(b.Delete, pageKey(name, version))
	return nil
}

// settle leaves the tags of the versions that stay, and a "latest" among them.
func settle(tags map[string]string, stay []string, latest string) {
	for tag, version := range tags {
		if !slices.Contains(stay, version) {
			delete(tags, tag)
		}
	}
	if tags["latest"] != "" || len(stay) == 0 {
		return
	}
	if !slices.Contains(stay, latest) {
		latest = slices.MaxFunc(stay, func(a, b string) int {
			if pa, pb := packument.IsPrerelease(a), packument.IsPrerelease(b); pa != pb {
				if pa {
					return -1
				}
				return 1
			}
			return packument.Compare(a, b)
		})
	}
	tags["latest"] = latest
}
