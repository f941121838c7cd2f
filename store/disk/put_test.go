package disk

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"gatehouse/store/blob"
)

// TestKeyBesideItsFolder: a caller should not, but if it does it gets an error and breaks nothing.
func TestKeyBesideItsFolder(t *testing.T) {
	s := mustOpen(t, t.TempDir())
	put(t, s, "a/b", "1")
	for _, key := range []string{"a", "a/b/c"} {
		if err := s.Put(t.Context(), key, 1, strings.NewReader("x")); err == nil {
			t.Errorf("Put(%q) beside a/b succeeded", key)
		}
	}
	if got := get(t, s, "a/b"); got != "1" {
		t.Errorf("a/b is %q", got)
	}
	if left := files(t, filepath.Join(s.dir, tmpDir)); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

func TestFull(t *testing.T) {
	s := mustOpen(t, t.TempDir())
	enough := s.room
	s.room = func(int64) error { return fmt.Errorf("%w: tested", blob.ErrFull) }
	read := false
	err := s.Put(t.Context(), "a", 1, readerFunc(func([]byte) (int, error) { read = true; return 0, io.EOF }))
	if !errors.Is(err, blob.ErrFull) || read {
		t.Errorf("Put without room: %v, want ErrFull; content was read: %v", err, read)
	}
	if err := s.Ready(t.Context()); !errors.Is(err, blob.ErrFull) {
		t.Errorf("Ready without room: %v, want ErrFull", err)
	}
	s.room = enough
	for _, cause := range []error{syscall.ENOSPC, syscall.EDQUOT} {
		s.sync = func(f *os.File) error { return &fs.PathError{Op: "sync", Path: f.Name(), Err: cause} }
		if err := s.Put(t.Context(), "a/b", 1, strings.NewReader("x")); !errors.Is(err, blob.ErrFull) || !errors.Is(err, cause) {
			t.Errorf("Put: %v, want ErrFull because of %v", err, cause)
		}
		if err := s.Ready(t.Context()); err == nil {
			t.Error("Ready although nothing can be synced")
		}
		if got := files(t, s.dir); !slices.Equal(got, []string{lockFile, tmpDir}) {
			t.Errorf("left behind: %q", got)
		}
	}
	s.sync = (*os.File).Sync
	if err := s.Ready(t.Context()); err != nil {
		t.Errorf("Ready: %v", err)
	}
	put(t, s, "a/b", "x")
	if err := room(s.dir, 1<<60); !errors.Is(err, blob.ErrFull) {
		t.Errorf("room for 2^60 bytes: %v, want ErrFull", err)
	}
}

// TestWhatIsSynced: before Put answers, the content and then every folder of the path, also when the object was
// there: the one who brought it may not have come that far.
func TestWhatIsSynced(t *testing.T) {
	s := mustOpen(t, t.TempDir())
	var synced []string
	s.sync = func(f *os.File) error {
		info, err := f.Stat()
		if err != nil {
			return err
		}
		if info.IsDir() {
			rel, _ := filepath.Rel(s.dir, f.Name())
			synced = append(synced, rel)
		} else {
			synced = append(synced, fmt.Sprint(info.Size(), " bytes"))
		}
		return f.Sync()
	}
	for _, c := range []struct {
		do   func()
		want []string
	}{
		{func() { put(t, s, "a/b/c", "content") }, []string{"7 bytes", "a/b", "a", "."}},
		{func() { put(t, s, "a/b/c", "content") }, []string{"a/b", "a", "."}},
		{func() { put(t, s, "a/d", "content") }, []string{"7 bytes", "a", "."}},
		{func() { s.Delete(t.Context(), "a/b/c") }, []string{"a"}},
		{func() { s.Delete(t.Context(), "a/d") }, []string{"."}},
	} {
		synced = nil
		c.do()
		if !slices.Equal(synced, c.want) {
			t.Errorf("synced %q, want %q", synced, c.want)
		}
	}
}

// TestPanickingReader: the upload of a handler that panics is removed like any other.
func TestPanickingReader(t *testing.T) {
	s := mustOpen(t, t.TempDir())
	func() {
		defer func() { _ = recover() }()
		_ = s.Put(t.Context(), "a", 10, readerFunc(func([]byte) (int, error) { panic("handler") }))
	}()
	if left := files(t, filepath.Join(s.dir, tmpDir)); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
	put(t, s, "a", "after")
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
