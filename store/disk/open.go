package disk

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"syscall"

	"gatehouse/store/blob"
)

// Open opens the objects in a directory, which it creates, for us alone, where there is none. It removes the
// uploads that an earlier process has left unfinished.
func Open(dir string) (*Store, error) {
	if err := makeDir(dir); err != nil {
		return nil, fmt.Errorf("disk: the directory of the tarballs: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("disk: the directory of the tarballs: %w", err)
	}
	lock, err := takeLock(root)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		root.Close()
		return nil, fmt.Errorf("%w: another process has the tarballs in %s open; stop it, or give this one its own directory",
			ErrLocked, dir)
	}
	if err != nil {
		root.Close()
		return nil, fmt.Errorf("disk: cannot write to the directory of the tarballs, %s: %w", dir, err)
	}
	s := &Store{
		dir:  dir,
		root: root,
		lock: lock,
		room: func(need int64) error { return room(dir, need) },
		sync: (*os.File).Sync,
	}
	if err := s.clear(); err != nil {
		return nil, errors.Join(fmt.Errorf("disk: cannot write to the directory of the tarballs, %s: %w", dir, err), s.Close())
	}
	return s, nil
}

// Close releases the directory. Objects that are open stay readable; calls after it fail.
func (s *Store) Close() error {
	if err := errors.Join(s.root.Close(), s.lock.Close()); err != nil {
		return fmt.Errorf("disk: closing: %w", err)
	}
	return nil
}

// Ready tells whether the store can take an object now, by bringing a small file to the disk. Its error wraps
// blob.ErrFull where there is no room.
func (s *Store) Ready(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("disk: %w", err)
	}
	if err := s.probe(); err != nil {
		return fmt.Errorf("disk: %s takes no tarballs: %w", s.dir, err)
	}
	return nil
}

func (s *Store) probe() error {
	if err := s.room(0); err != nil {
		return err
	}
	name := path.Join(tmpDir, rand.Text())
	f, err := s.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString("ready?")
	if err == nil {
		err = s.sync(f)
	}
	return errors.Join(err, f.Close(), s.root.Remove(name))
}

// takeLock locks the directory for as long as the file it returns is open. flock belongs to the open file, so the
// system releases it when the process ends in whatever way; the file itself stays.
func takeLock(root *os.Root) (*os.File, error) {
	f, err := root.OpenFile(lockFile, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(&fs.PathError{Op: "flock", Path: f.Name(), Err: err}, f.Close())
	}
	return f, nil
}

// clear empties %tmp. The directory is ours: we hold its lock.
func (s *Store) clear() error {
	if err := s.root.RemoveAll(tmpDir); err != nil {
		return err
	}
	if err := s.root.Mkdir(tmpDir, 0o700); err != nil {
		return err
	}
	return s.syncDir(".")
}

// makeDir creates a directory and those above it where they are missing, and makes each of them durable: a
// file that is synced is lost with a directory that is not.
func makeDir(dir string) error {
	info, err := os.Stat(dir)
	if err == nil && !info.IsDir() {
		return fmt.Errorf("%s is not a directory", dir)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	parent := filepath.Dir(dir)
	if parent != dir {
		if err := makeDir(parent); err != nil {
			return err
		}
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	d, err := os.Open(parent)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// room returns an error that wraps blob.ErrFull where need bytes more would leave less than the reserve.
func room(dir string, need int64) error {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		return fmt.Errorf("asking for the free space of %s: %w", dir, err)
	}
	// Unsigned, of one width on one system and another on the next.
	if free := uint64(fs.Bavail) * uint64(fs.Bsize); free < uint64(need)+reserve {
		return fmt.Errorf("%w: %d MiB are free in %s, and %d MiB have to stay so", blob.ErrFull, free>>20, dir, int64(reserve>>20))
	}
	return nil
}
