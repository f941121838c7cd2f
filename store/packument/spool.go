package packument

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha512"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
)

// spoolMemory is how much of a tarball is held in memory. What is larger goes to a file. Half of all packages on the
// public registry are far smaller.
const spoolMemory = 1 << 20

// spool holds a tarball between its arrival and its place in the store, and knows its hashes. Beyond spoolMemory bytes
// it is in a file without a name, which the system removes when the spool is closed or the process dies.
type spool struct {
	dir    string
	memory []byte
	file   *os.File
	name   string // of the file, where the system could not remove it while open
	size   int64
	sha1   hash.Hash
	sha512 hash.Hash
}

func newSpool(dir string) *spool {
	return &spool{dir: dir, sha1: sha1.New(), sha512: sha512.New()}
}

// Write adds to the spool. An error is one of the system: no room, say.
func (s *spool) Write(p []byte) (int, error) {
	if s.file == nil && len(s.memory)+len(p) > spoolMemory {
		if err := s.spill(); err != nil {
			return 0, fmt.Errorf("making room for an upload: %w", err)
		}
	}
	if s.file == nil {
		s.memory = append(s.memory, p...)
	} else if _, err := s.file.Write(p); err != nil {
		return 0, fmt.Errorf("keeping an upload: %w", err)
	}
	s.sha1.Write(p)   // a hash never fails
	s.sha512.Write(p) // (package hash)
	s.size += int64(len(p))
	return len(p), nil
}

func (s *spool) spill() error {
	f, err := os.CreateTemp(s.dir, "gatehouse-upload-*")
	if err != nil {
		return err
	}
	s.file = f
	if os.Remove(f.Name()) != nil { // Windows
		s.name = f.Name()
	}
	_, err = f.Write(s.memory)
	s.memory = nil
	return err
}

// reader reads the spool, from anywhere: seek first. One reader can be used at a time.
func (s *spool) reader() io.ReadSeeker {
	if s.file == nil {
		return bytes.NewReader(s.memory)
	}
	return s.file
}

// Close releases the memory or the file. It may be called again.
func (s *spool) Close() error {
	s.memory = nil
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	if s.name != "" {
		err = errors.Join(err, os.Remove(s.name))
	}
	s.file, s.name = nil, ""
	return err
}
