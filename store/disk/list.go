package disk

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"iter"
	"path"
	"slices"

	"gatehouse/store/blob"
)

var _ blob.Lister = (*Store)(nil)

// List implements blob.Lister. Modified is when the last byte was written.
func (s *Store) List(ctx context.Context) iter.Seq2[blob.Info, error] {
	return func(yield func(blob.Info, error) bool) {
		err := ctx.Err()
		if err == nil {
			err = s.list(ctx, ".", func(i blob.Info) bool { return yield(i, nil) })
		}
		if err != nil && err != errEnough {
			yield(blob.Info{}, fmt.Errorf("disk: listing: %w", err))
		}
	}
}

// errEnough ends a list whose reader has stopped.
var errEnough = fs.SkipAll

// list yields the objects in a folder and those below it.
func (s *Store) list(ctx context.Context, folder string, yield func(blob.Info) bool) error {
	entries, err := s.entries(folder)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			return err
		}
		key := path.Join(folder, e.Name())
		if blob.CheckKey(key) != nil {
			continue
		}
		if e.IsDir() {
			if err := s.list(ctx, key, yield); err != nil {
				return err
			}
			continue
		}
		info, err := e.Info()
		if missing(err) || err == nil && !info.Mode().IsRegular() {
			continue // deleted meanwhile, or not ours
		}
		if err != nil {
			return err
		}
		if !yield(blob.Info{Key: key, Size: info.Size(), Modified: info.ModTime()}) {
			return errEnough
		}
	}
	return nil
}

// entries reads a folder, in the order of the keys that begin with its entries: a folder's name goes on with a slash. A folder
// that has been removed meanwhile is empty.
func (s *Store) entries(folder string) ([]fs.DirEntry, error) {
	d, err := s.root.Open(folder)
	if missing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	entries, err := d.ReadDir(-1)
	if cerr := d.Close(); err == nil {
		err = cerr
	}
	if missing(err) {
		return nil, nil
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return cmp.Compare(sortName(a), sortName(b)) })
	return entries, err
}

func sortName(e fs.DirEntry) string {
	if e.IsDir() {
		return e.Name() + "/"
	}
	return e.Name()
}
