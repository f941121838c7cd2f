// Package disk keeps objects as files in a directory: the byte engine of a registry that runs as one
// process.
//
// # What it owns
//
// A directory, and everything in it. An object is the file whose path is its key. Beside the objects there
// are %tmp, for uploads that are under way, and %lock. Both names have a character that no key has, so no object
// can ever be in their place.
//
// # Guarantees
//
// Whole. An upload goes to a file in %tmp, is synced, and only then gets its name, by a rename in the same
// file system. A reader finds the whole object or none.
//
// Durable. When Put returns nil, the file is synced, and so is every directory between it and the top, whoever
// created it; also when the object was there already, since the Put that brought it may not have come that far.
//
// First come. An object is never replaced: the key stands for the content.
//
// Clean. An upload that fails, for whatever reason, removes its file. One that is killed leaves it in %tmp, which
// Open empties. Delete removes the folders that it empties.
//
// # How names change
//
// Names change under one mutex: to look for an object, create its folders and move it there; to remove an
// object and its empty folders. So a folder is never removed from under an upload. None of it waits for the
// disk: content is written before, directories are synced after. The mutex is enough because no other process
// changes the directory: a second Open gets ErrLocked. The lock goes with the process, so a kill leaves nothing to
// clean up. Links are not used, so a file system without them will do; flock, rename and fsync have to work.
//
// # What it refuses
//
// Keys that blob.CheckKey refuses. Below that, every access goes through an os.Root, so neither a mistake in that
// check nor a symbolic link leads out of the directory. A key that is the folder of others cannot be an object.
// An upload that would leave less than 64 MiB free is refused with blob.ErrFull before it is read: metadata is
// often on the same device, and needs room to say what was stored.
package disk

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"sync"
	"syscall"

	"gatehouse/store/blob"
)

// ErrLocked is wrapped by the error of Open when another process has the directory open.
var ErrLocked = errors.New("disk: the directory is in use")

const (
	tmpDir   = "%tmp"
	lockFile = "%lock"

	// reserve is what an upload has to leave free.
	reserve = 64 << 20
)

// Store is an open directory of objects. Use Open.
type Store struct {
	dir  string
	root *os.Root
	lock *os.File
	room func(need int64) error // an error that wraps blob.ErrFull, or of the file system
	sync func(*os.File) error

	names sync.Mutex // held while names change
}

var _ blob.Store = (*Store)(nil)

// Open implements blob.Store. The Body is an *os.File.
func (s *Store) Open(ctx context.Context, key string) (*blob.Object, error) {
	if err := allowed(ctx, key); err != nil {
		return nil, err
	}
	f, err := s.root.Open(key)
	if missing(err) {
		return nil, blob.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("disk: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("disk: %w", errors.Join(err, f.Close()))
	}
	if !info.Mode().IsRegular() { // a folder
		return nil, errors.Join(blob.ErrNotFound, f.Close())
	}
	return &blob.Object{Size: info.Size(), Body: f}, nil
}

// Delete implements blob.Store. The removal is durable when it returns, the folders it emptied are gone.
func (s *Store) Delete(ctx context.Context, key string) error {
	if err := allowed(ctx, key); err != nil {
		return err
	}
	left, err := s.remove(key)
	if err != nil {
		return fmt.Errorf("disk: deleting %s: %w", key, err)
	}
	if left == "" {
		return nil
	}
	if err := s.syncDir(left); err != nil && !missing(err) { // missing: another Delete has removed it since
		return fmt.Errorf("disk: deleting %s: %w", key, err)
	}
	return nil
}

// remove removes an object and the folders it leaves empty. It returns the folder in which a name has gone,
// or "" where there was nothing.
func (s *Store) remove(key string) (left string, err error) {
	s.names.Lock()
	defer s.names.Unlock()
	there, err := s.has(key)
	if err != nil || !there {
		return "", err
	}
	if err := s.root.Remove(key); err != nil {
		return "", err
	}
	folder := path.Dir(key)
	for folder != "." && s.root.Remove(folder) == nil { // fails where something is left in it
		folder = path.Dir(folder)
	}
	return folder, nil
}

// has tells whether there is an object.
func (s *Store) has(key string) (bool, error) {
	info, err := s.root.Stat(key)
	if missing(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return info.Mode().IsRegular(), nil
}

// syncDir makes the names in a folder durable.
func (s *Store) syncDir(name string) error {
	d, err := s.root.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(s.sync(d), d.Close())
}

func allowed(ctx context.Context, key string) error {
	if err := blob.CheckKey(key); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("disk: %w", err)
	}
	return nil
}

// missing tells whether an error is about a name that is not there, or that would be below a file.
func missing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}
