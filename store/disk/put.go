package disk

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"syscall"

	"gatehouse/store/blob"
)

// Put implements blob.Store.
func (s *Store) Put(ctx context.Context, key string, size int64, r io.Reader) error {
	if err := allowed(ctx, key); err != nil {
		return err
	}
	if size < 0 {
		return fmt.Errorf("disk: a size of %d bytes for %s", size, key)
	}
	there, err := s.has(key)
	if err == nil && !there {
		err = s.upload(ctx, key, size, r)
	}
	if err == nil {
		err = s.syncFolders(key)
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("disk: storing %s: %w: %w", key, blob.ErrFull, err)
	}
	return fmt.Errorf("disk: storing %s: %w", key, err)
}

// upload brings the content to the disk, and then under its name.
func (s *Store) upload(ctx context.Context, key string, size int64, r io.Reader) (err error) {
	if err := s.room(size); err != nil {
		return err
	}
	tmp := path.Join(tmpDir, rand.Text())
	f, err := s.root.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	moved := false
	defer func() { // also when the reader panics
		if !moved {
			err = errors.Join(err, f.Close(), s.root.Remove(tmp))
		}
	}()
	if err := s.fill(ctx, f, size, r); err != nil {
		return err
	}
	moved, err = s.move(tmp, key)
	if moved {
		// Synced already: whatever Close says, the content is where it should be.
		_ = f.Close()
	}
	return err
}

// fill writes size bytes of r to f, and syncs it.
func (s *Store) fill(ctx context.Context, f *os.File, size int64, r io.Reader) error {
	in := reader{ctx, r}
	n, err := io.Copy(f, io.LimitReader(in, size))
	if err != nil {
		return err
	}
	if n < size {
		return blob.ErrShort
	}
	if _, err := io.ReadFull(in, make([]byte, 1)); err == nil {
		return blob.ErrShort
	} else if err != io.EOF {
		return err
	}
	if err := s.sync(f); err != nil {
		return err
	}
	return ctx.Err()
}

// move gives an upload its name, unless there is an object by that name.
func (s *Store) move(tmp, key string) (moved bool, err error) {
	s.names.Lock()
	defer s.names.Unlock()
	there, err := s.has(key)
	if err != nil || there {
		return false, err
	}
	if err := s.root.MkdirAll(path.Dir(key), 0o700); err != nil {
		return false, err
	}
	if err := s.root.Rename(tmp, key); err != nil {
		return false, err
	}
	return true, nil
}

// syncFolders makes the name of an object durable: its own, and those of all the folders it is in.
func (s *Store) syncFolders(key string) error {
	for folder := path.Dir(key); ; folder = path.Dir(folder) {
		// A folder is missing where the object has been deleted again already.
		if err := s.syncDir(folder); err != nil && !missing(err) {
			return err
		}
		if folder == "." {
			return nil
		}
	}
}

// reader stops when its context does.
type reader struct {
	ctx context.Context
	r   io.Reader
}

func (r reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}
