package leveldb

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"gatehouse/store/kv"
	"gatehouse/store/kv/kvtest"
)

func TestContract(t *testing.T) {
	var mu sync.Mutex
	dirs := map[kv.Store]string{}
	open := func(t *testing.T, dir string) kv.Store {
		s := mustOpen(t, dir)
		mu.Lock()
		defer mu.Unlock()
		dirs[s] = dir
		return s
	}
	kvtest.Run(t, kvtest.Harness{
		Open: func(t *testing.T) kv.Store { return open(t, t.TempDir()) },
		Reopen: func(t *testing.T, s kv.Store) kv.Store {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			return open(t, dirs[s])
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
	t.Cleanup(func() {
		if err := s.Close(); err != nil && !errors.Is(err, kv.ErrClosed) {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

func mustApply(t testing.TB, s *Store, key, value string) {
	t.Helper()
	if err := s.Apply(t.Context(), put(key, value)); err != nil {
		t.Fatalf("Apply: %v", err)
	}
}

func put(key, value string) kv.Batch {
	return kv.Batch{Put: []kv.Entry{{Key: []byte(key), Value: []byte(value)}}}
}

func expect(t testing.TB, s *Store, key, value string) {
	t.Helper()
	e, err := s.Get(t.Context(), []byte(key))
	if err != nil || string(e.Value) != value {
		t.Fatalf("Get(%q) = %d bytes, %v, want %d bytes", key, len(e.Value), err, len(value))
	}
}

func expectNone(t testing.TB, s *Store, key string) {
	t.Helper()
	if _, err := s.Get(t.Context(), []byte(key)); !errors.Is(err, kv.ErrNotFound) {
		t.Fatalf("Get(%q): %v, want ErrNotFound", key, err)
	}
}

func TestOpenCreatesDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b", "metadata")
	mustOpen(t, dir)
	for _, d := range []string{dir, filepath.Dir(dir)} {
		info, err := os.Stat(d)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o700 {
			t.Errorf("%s has mode %v, want 0700", d, info.Mode())
		}
	}
}

func TestSecondOpenIsRefused(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir)
	_, err := Open(dir)
	if !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), dir) {
		t.Fatalf("second Open: %v, want ErrLocked that names %s", err, dir)
	}
	mustApply(t, s, "a", "1") // the first one is none the worse
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	expect(t, mustOpen(t, dir), "a", "1")
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
		} else if !strings.Contains(err.Error(), dir) || errors.Is(err, ErrLocked) || errors.Is(err, ErrCorrupted) {
			t.Errorf("Open(%s): %v, want an error of the file system that names it", dir, err)
		}
	}
}

// TestFirstStartKilled: whatever a first start leaves behind before it has acknowledged anything, the next
// one begins as if it had not been.
func TestFirstStartKilled(t *testing.T) {
	for name, left := range map[string]map[string]string{
		"only the lock":           {"LOCK": "", "LOG": ""},
		"manifest":                {"LOCK": "", "MANIFEST-000000": ""},
		"half of a manifest":      {"MANIFEST-000000": "half of some"},
		"half of a CURRENT":       {"MANIFEST-000000": "half of some", "CURRENT.0": "MANI"},
		"CURRENT but not renamed": {"MANIFEST-000000": "half of some", "CURRENT.0": "MANIFEST-000000\n"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for file, content := range left {
				if err := os.WriteFile(filepath.Join(dir, file), []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			s := mustOpen(t, dir)
			mustApply(t, s, "a", "1")
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			expect(t, mustOpen(t, dir), "a", "1")
		})
	}
}

// TestAcknowledgedIsSynced: no batch is acknowledged before a sync, also while journals change.
func TestAcknowledgedIsSynced(t *testing.T) {
	disk := &faults{}
	s := openFaulty(t, t.TempDir(), disk)
	for i := range 20 {
		before := disk.syncs.Load()
		mustApply(t, s, fmt.Sprint(i), random(1<<20, 1)) // now and then there is a new journal
		if disk.syncs.Load() == before {
			t.Fatalf("batch %d was acknowledged and nothing was synced", i)
		}
	}
}

func TestWritersAreSyncedTogether(t *testing.T) {
	disk := &faults{}
	s := openFaulty(t, t.TempDir(), disk)
	const writers, times = 32, 10
	before := disk.syncs.Load()
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range times {
				b := put(fmt.Sprint(w, "/", i), "x")
				b.If = []kv.Entry{{Key: b.Put[0].Key}}
				if err := s.Apply(t.Context(), b); err != nil {
					t.Errorf("Apply: %v", err)
				}
			}
		})
	}
	wg.Wait()
	if syncs := disk.syncs.Load() - before; syncs >= writers*times {
		t.Errorf("%d batches of %d writers took %d syncs: none were written together", writers*times, writers, syncs)
	}
}
