package leveldb

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/syndtr/goleveldb/leveldb/storage"

	"gatehouse/store/kv"
)

// journalOf writes batches of the given sizes to a new store and returns its directory, its journal, and
// where in it each batch ends.
func journalOf(t *testing.T, sizes ...int) (dir, journal string, ends []int) {
	t.Helper()
	dir = t.TempDir()
	s := mustOpen(t, dir)
	names, err := filepath.Glob(filepath.Join(dir, "*.log"))
	if err != nil || len(names) != 1 {
		t.Fatalf("journals: %q, %v", names, err)
	}
	for i, size := range sizes {
		mustApply(t, s, fmt.Sprint("key ", i), random(size, uint64(i)))
		info, err := os.Stat(names[0])
		if err != nil {
			t.Fatal(err)
		}
		ends = append(ends, int(info.Size()))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return dir, names[0], ends
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// sound is soundLength of a file in memory.
func sound(content []byte) (int64, error) {
	return soundLength(bytes.NewReader(content), storage.FileDesc{Type: storage.TypeJournal, Num: 1})
}

// The batches of these tests: small ones in one block, one over several blocks, and one that ends so near
// to the end of a block that the next begins in the next block.
var sizes = []int{10, 300, 100_000, 0, 5000, 40_000, 70}

// TestTornJournal: wherever a kill or a loss of power has torn the last record, opening finds every
// record before it.
func TestTornJournal(t *testing.T) {
	_, name, ends := journalOf(t, sizes...)
	journal := read(t, name)
	for last := range ends {
		begin := 0
		if last > 0 {
			begin = ends[last-1]
		}
		step := 1 + (ends[last]-begin)/60
		for cut := begin; cut < ends[last]; cut += step {
			for tail, torn := range map[string][]byte{
				"cut":             journal[:cut],
				"zeros behind it": append(journal[:cut:cut], make([]byte, 70_000)...),
			} {
				if bytes.HasPrefix(torn, journal[:ends[last]]) {
					continue // what was cut off was zeros
				}
				n, err := sound(torn)
				if err != nil || n > int64(begin) || n < int64(begin)-6 {
					t.Fatalf("record %d [%d, %d) torn at %d, %s: sound up to %d, %v", last, begin, ends[last], cut, tail, n, err)
				}
			}
		}
	}
	if n, err := sound(journal); err != nil || n != int64(len(journal)) {
		t.Fatalf("the whole journal: sound up to %d of %d, %v", n, len(journal), err)
	}
}

// TestDamagedJournal: a byte that has changed in a record with another one behind it is never passed over.
func TestDamagedJournal(t *testing.T) {
	_, name, ends := journalOf(t, sizes...)
	journal := read(t, name)
	behind := ends[len(ends)-2]
	step := 1
	for at := 0; at < behind; at += step {
		if at > 120 {
			step = 797
		}
		for _, flip := range []byte{0x01, 0xff} {
			damaged := bytes.Clone(journal)
			damaged[at] ^= flip
			if n, err := sound(damaged); !corrupted(err) && !filler(ends, at) {
				t.Fatalf("byte %d ^ %#x: sound up to %d, %v", at, flip, n, err)
			}
		}
	}
}

// filler tells whether a byte lies between a record and the end of its block, where no header has room.
// Nobody reads it.
func filler(ends []int, at int) bool {
	for _, end := range ends {
		next := (end + logBlock - 1) / logBlock * logBlock
		if end <= at && at < next && next-end < logHeader {
			return true
		}
	}
	return false
}

// TestOpenAfterTear goes the whole way: what was torn is gone, the rest is there, and the store goes on.
func TestOpenAfterTear(t *testing.T) {
	for _, cut := range []int{1, 6, 8, 500, 32 << 10, 39_000} {
		dir, name, ends := journalOf(t, 10, 100_000, 40_000)
		if err := os.Truncate(name, int64(ends[2]-cut)); err != nil {
			t.Fatal(err)
		}
		s := mustOpen(t, dir)
		expect(t, s, "key 0", random(10, 0))
		expect(t, s, "key 1", random(100_000, 1))
		expectNone(t, s, "key 2")
		mustApply(t, s, "key 2", "again")
		s.Close()
		expect(t, mustOpen(t, dir), "key 2", "again")
	}
}

// TestOpenRefusesDamage: the error tells what to do, and the refusal leaves what there is to rescue.
func TestOpenRefusesDamage(t *testing.T) {
	flip := func(t *testing.T, name string, at int) {
		content := read(t, name)
		content[at] ^= 0x20
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	one := func(t *testing.T, dir, pattern string) string {
		names, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil || len(names) == 0 {
			t.Fatalf("%s: %q, %v", pattern, names, err)
		}
		return names[0]
	}
	for name, damage := range map[string]func(t *testing.T, dir string){
		"journal":           func(t *testing.T, dir string) { flip(t, one(t, dir, "*.log"), 10) },
		"manifest":          func(t *testing.T, dir string) { flip(t, one(t, dir, "MANIFEST-*"), 12) },
		"CURRENT is gone":   func(t *testing.T, dir string) { remove(t, dir, "CURRENT") },
		"manifest is gone":  func(t *testing.T, dir string) { remove(t, dir, "MANIFEST-*") },
		"a table is gone":   func(t *testing.T, dir string) { remove(t, dir, "*.ldb") },
		"CURRENT is zeroed": func(t *testing.T, dir string) { zero(t, filepath.Join(dir, "CURRENT")); remove(t, dir, "CURRENT.bak") },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for range 2 { // the second opening has tables, and a manifest of several records
				s := mustOpen(t, dir)
				for i := range 3 {
					mustApply(t, s, fmt.Sprint("key ", i), random(1000, uint64(i)))
				}
				if err := s.db.CompactRange(rangeOfAll); err != nil {
					t.Fatal(err)
				}
				mustApply(t, s, "a", "1")
				mustApply(t, s, "b", "2")
				s.Close()
			}
			damage(t, dir)
			before := contents(t, dir)
			s, err := Open(dir)
			if err == nil {
				s.Close()
				t.Fatal("Open succeeded")
			}
			if !errors.Is(err, ErrCorrupted) || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), "restore it from a copy") {
				t.Fatalf("Open: %v, want ErrCorrupted that names %s and says what to do", err, dir)
			}
			// A table that is missing is noticed after the journal has been moved to a table.
			if after := contents(t, dir); name != "a table is gone" && !maps.Equal(before, after) {
				t.Error("a refused opening has changed files")
			}
		})
	}
}

// TestDamagedTable: damage in a table is met when its block is read, by every way of reading.
func TestDamagedTable(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir)
	for i := range 100 {
		mustApply(t, s, fmt.Sprintf("key %02d", i), random(10_000, uint64(i)))
	}
	if err := s.db.CompactRange(rangeOfAll); err != nil {
		t.Fatal(err)
	}
	s.Close()
	tables, err := filepath.Glob(filepath.Join(dir, "*.ldb"))
	if err != nil || len(tables) == 0 {
		t.Fatalf("tables: %q, %v", tables, err)
	}
	for _, name := range tables { // some may be left from before the compaction
		content := read(t, name)
		content[len(content)/2] ^= 0x01
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}

	s = mustOpen(t, dir)
	failed := 0
	for i := range 100 {
		key := fmt.Sprintf("key %02d", i)
		e, err := s.Get(t.Context(), []byte(key))
		switch {
		case errors.Is(err, ErrCorrupted):
			failed++
			b := put("other", "x")
			b.If = []kv.Entry{{Key: []byte(key)}}
			if err := s.Apply(t.Context(), b); !errors.Is(err, ErrCorrupted) {
				t.Errorf("a condition on what cannot be read: %v, want ErrCorrupted", err)
			}
		case err != nil:
			t.Errorf("Get(%q): %v", key, err)
		case string(e.Value) != random(10_000, uint64(i)):
			t.Errorf("Get(%q) gives other bytes than were put", key)
		}
	}
	if failed == 0 {
		t.Error("the damage was not met")
	}
	var last error
	for _, last = range s.Scan(t.Context(), nil, nil) {
	}
	if !errors.Is(last, ErrCorrupted) {
		t.Errorf("Scan ended with %v, want ErrCorrupted", last)
	}
}

func remove(t *testing.T, dir, pattern string) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
}

func zero(t *testing.T, name string) {
	t.Helper()
	if err := os.WriteFile(name, make([]byte, len(read(t, name))), 0o600); err != nil {
		t.Fatal(err)
	}
}

// contents returns the files of a directory, but for goleveldb's text log.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), "LO") {
			all[e.Name()] = string(read(t, filepath.Join(dir, e.Name())))
		}
	}
	return all
}
