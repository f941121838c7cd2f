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
	"sync"
	"testing"

	"gatehouse/store/blob"
	"gatehouse/store/blob/blobtest"
)

func TestContract(t *testing.T) {
	blobtest.Run(t, blobtest.Harness{
		Open: func(t *testing.T) blob.Store { return mustOpen(t, t.TempDir()) },
		Leftovers: func(t *testing.T, s blob.Store) []string {
			return files(t, filepath.Join(s.(*Store).dir, tmpDir))
		},
	})
}

// mustOpen opens a store that is closed with the test.
func mustOpen(t testing.TB, dir string) *Store {
	t.Helper()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func put(t testing.TB, s *Store, key, content string) {
	t.Helper()
	if err := s.Put(t.Context(), key, int64(len(content)), strings.NewReader(content)); err != nil {
		t.Fatalf("Put(%q): %v", key, err)
	}
}

func get(t testing.TB, s *Store, key string) string {
	t.Helper()
	o, err := s.Open(t.Context(), key)
	if err != nil {
		t.Fatalf("Open(%q): %v", key, err)
	}
	defer o.Body.Close()
	content, err := io.ReadAll(o.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// files lists everything below a directory.
func files(t testing.TB, dir string) []string {
	t.Helper()
	names := []string{}
	err := filepath.WalkDir(dir, func(name string, _ fs.DirEntry, err error) error {
		if rel, _ := filepath.Rel(dir, name); err == nil && rel != "." {
			names = append(names, rel)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestObjectIsTheFileOfItsKey(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "tarballs")
	s := mustOpen(t, dir)
	put(t, s, "@acme/ui/ui-1.0.0-3f2a.tgz", "content")
	got, err := os.ReadFile(filepath.Join(dir, "@acme", "ui", "ui-1.0.0-3f2a.tgz"))
	if err != nil || string(got) != "content" {
		t.Errorf("file: %q, %v", got, err)
	}
	for _, d := range []string{dir, filepath.Dir(dir), filepath.Join(dir, "@acme")} {
		if info, err := os.Stat(d); err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%s: %v, %v, want mode 0700", d, info.Mode(), err)
		}
	}
	o, err := s.Open(t.Context(), "@acme/ui/ui-1.0.0-3f2a.tgz")
	if err != nil {
		t.Fatal(err)
	}
	defer o.Body.Close()
	if _, ok := o.Body.(*os.File); !ok {
		t.Errorf("Body is %T, and the kernel cannot copy it to a socket", o.Body)
	}
}

func TestDeletePrunesEmptyFolders(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir)
	put(t, s, "@acme/ui/one", "1")
	put(t, s, "@acme/ui/two", "2")
	put(t, s, "@acme/api/one", "3")
	for _, c := range []struct {
		key  string
		left []string
	}{
		{"@acme/ui/one", []string{"@acme", "@acme/api", "@acme/api/one", "@acme/ui", "@acme/ui/two"}},
		{"@acme/ui/two", []string{"@acme", "@acme/api", "@acme/api/one"}},
		{"@acme/api", []string{"@acme", "@acme/api", "@acme/api/one"}},
		{"@acme/api/one", []string{}},
	} {
		if err := s.Delete(t.Context(), c.key); err != nil {
			t.Fatal(err)
		}
		got := slices.DeleteFunc(files(t, dir), func(name string) bool { return strings.HasPrefix(name, "%") })
		if !slices.Equal(got, c.left) {
			t.Errorf("after deleting %s: %q, want %q", c.key, got, c.left)
		}
	}
	// An empty folder that somebody else has made is not an object.
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := s.Delete(t.Context(), "folder"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "folder")); err != nil {
		t.Errorf("Delete of a folder: %v", err)
	}
}

// TestPruneUnderPuts: folders are removed and made as often as they can be, since nobody waits for the disk.
func TestPruneUnderPuts(t *testing.T) {
	s := mustOpen(t, t.TempDir())
	s.sync = func(*os.File) error { return nil }
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			key := fmt.Sprintf("@acme/ui/%d", w)
			for range 1000 {
				if err := s.Put(t.Context(), key, 1, strings.NewReader("x")); err != nil {
					t.Errorf("Put: %v", err)
					return
				}
				if err := s.Delete(t.Context(), key); err != nil {
					t.Errorf("Delete: %v", err)
					return
				}
			}
		})
	}
	wg.Wait()
	if got := files(t, s.dir); !slices.Equal(got, []string{lockFile, tmpDir}) {
		t.Errorf("left behind: %q", got)
	}
}

func TestSecondOpenIsRefused(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir)
	tmp := filepath.Join(dir, tmpDir, "under way")
	if err := os.WriteFile(tmp, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Open(dir)
	if !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), dir) {
		t.Fatalf("second Open: %v, want ErrLocked that names %s", err, dir)
	}
	if _, err := os.Stat(tmp); err != nil {
		t.Errorf("the second Open has removed an upload of the first: %v", err)
	}
	put(t, s, "a", "1")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = mustOpen(t, dir)
	if got := get(t, s, "a"); got != "1" {
		t.Errorf("after opening again: %q", got)
	}
	if left := files(t, filepath.Join(dir, tmpDir)); len(left) > 0 {
		t.Errorf("opening has left %q of an earlier process", left)
	}
}

func TestOpenWhereItCannotWrite(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	dirs := []string{file, filepath.Join(file, "below")}
	if os.Getuid() != 0 { // root may write anywhere
		locked := t.TempDir()
		if err := os.Chmod(locked, 0o500); err != nil {
			t.Fatal(err)
		}
		dirs = append(dirs, locked, filepath.Join(locked, "below"))
	}
	for _, dir := range dirs {
		s, err := Open(dir)
		if err == nil {
			s.Close()
			t.Errorf("Open(%s) succeeded", dir)
		} else if !strings.Contains(err.Error(), dir) || errors.Is(err, ErrLocked) {
			t.Errorf("Open(%s): %v, want an error of the file system that names it", dir, err)
		}
	}
}

// TestSymlinksLeadNowhere: even somebody who could write into the directory cannot have another file read,
// written or deleted.
func TestSymlinksLeadNowhere(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	secret := filepath.Join(outside, "secret")
	if err := os.WriteFile(secret, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := mustOpen(t, dir)
	for link, target := range map[string]string{"folder": outside, "file": secret} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	for _, key := range []string{"file", "folder/secret", "folder/new"} {
		if o, err := s.Open(t.Context(), key); err == nil {
			o.Body.Close()
			t.Errorf("Open(%q) succeeded", key)
		}
		if err := s.Put(t.Context(), key, 1, strings.NewReader("x")); err == nil {
			t.Errorf("Put(%q) succeeded", key)
		}
		_ = s.Delete(t.Context(), key) // may fail or not; what matters is the file
	}
	content, err := os.ReadFile(secret)
	if err != nil || string(content) != "secret" || len(files(t, outside)) != 1 {
		t.Errorf("outside: %q, %v, %q", content, err, files(t, outside))
	}
	if left := files(t, filepath.Join(dir, tmpDir)); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}
