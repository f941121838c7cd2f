package leveldb

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/syndtr/goleveldb/leveldb/storage"
	"github.com/syndtr/goleveldb/leveldb/util"

	"gatehouse/store/kv"
)

var rangeOfAll = util.Range{}

// random returns n bytes that do not compress, the same ones for each seed.
func random(n int, seed uint64) string {
	r := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8), byte(seed >> 16)})
	p := make([]byte, n)
	r.Read(p)
	return string(p)
}

// faults is a disk that fails when it is told to.
type faults struct {
	storage.Storage
	syncs  atomic.Int64
	fail   atomic.Pointer[fault]
	failed atomic.Int64
}

// fault is how files of a type fail.
type fault struct {
	on     storage.FileType
	write  error // written in half, then this
	sync   error // written wholly, then this
	create error
	once   bool // and then works again
	full   bool // Apply has to say that there is no room, and that nothing happened
}

func openFaulty(t *testing.T, dir string, disk *faults) *Store {
	t.Helper()
	s, err := open(dir, func(onDisk storage.Storage) storage.Storage {
		disk.Storage = onDisk
		return disk
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func (d *faults) now(fd storage.FileDesc) *fault {
	f := d.fail.Load()
	if f == nil || f.on&fd.Type == 0 {
		return &fault{}
	}
	return f
}

func (d *faults) Create(fd storage.FileDesc) (storage.Writer, error) {
	if err := d.now(fd).create; err != nil {
		d.failed.Add(1)
		return nil, err
	}
	w, err := d.Storage.Create(fd)
	if err != nil {
		return nil, err
	}
	return faultyFile{w, d, fd}, nil
}

type faultyFile struct {
	storage.Writer
	disk *faults
	fd   storage.FileDesc
}

func (f faultyFile) Write(p []byte) (int, error) {
	if err := f.disk.now(f.fd).write; err != nil {
		f.disk.failed.Add(1)
		n, _ := f.Writer.Write(p[:len(p)/2])
		return n, &os.PathError{Op: "write", Path: f.fd.String(), Err: err}
	}
	return f.Writer.Write(p)
}

func (f faultyFile) Sync() error {
	f.disk.syncs.Add(1)
	if fault := f.disk.now(f.fd); fault.sync != nil {
		err := fault.sync
		f.disk.failed.Add(1)
		if fault.once {
			f.disk.fail.Store(nil)
		}
		return &os.PathError{Op: "sync", Path: f.fd.String(), Err: err}
	}
	return f.Writer.Sync()
}

func (f faultyFile) Truncate(size int64) error {
	return f.Writer.(interface{ Truncate(int64) error }).Truncate(size)
}

// TestFailedJournal: the batch that failed did not happen, neither now nor after a restart; what was
// acknowledged is there; nothing more is written until the restart, and then everything is.
func TestFailedJournal(t *testing.T) {
	for name, f := range map[string]*fault{
		"no space to write":      {on: storage.TypeJournal, write: syscall.ENOSPC, full: true},
		"no space when it syncs": {on: storage.TypeJournal, sync: syscall.ENOSPC, once: true, full: true},
		"no space, uncut":        {on: storage.TypeJournal, sync: syscall.ENOSPC}, // the batch may come back
		"quota":                  {on: storage.TypeJournal, write: syscall.EDQUOT, full: true},
		"write error":            {on: storage.TypeJournal, write: syscall.EIO},
		"sync error":             {on: storage.TypeJournal, sync: syscall.EIO, once: true},
		"sync errors":            {on: storage.TypeJournal, sync: syscall.EIO},
	} {
		for _, size := range []int{10, 100_000} {
			t.Run(fmt.Sprint(name, ", ", size, " bytes"), func(t *testing.T) {
				dir, disk := t.TempDir(), &faults{}
				s := openFaulty(t, dir, disk)
				mustApply(t, s, "before", random(size, 1))
				mustApply(t, s, "head", "1")

				disk.fail.Store(f)
				lost := put("head", "2")
				lost.Put = append(lost.Put, put("lost", random(size, 2)).Put...)
				err := s.Apply(t.Context(), lost)
				if !errors.Is(err, ErrStopped) || errors.Is(err, kv.ErrFull) != f.full {
					t.Fatalf("Apply: %v, want ErrStopped, and ErrFull: %v", err, f.full)
				}
				// The disk works again, but this journal cannot be continued.
				disk.fail.Store(nil)
				if err := s.Apply(t.Context(), put("head", "3")); !errors.Is(err, ErrStopped) {
					t.Fatalf("Apply after it: %v, want ErrStopped", err)
				}
				if err := s.Ready(t.Context()); !errors.Is(err, ErrStopped) {
					t.Fatalf("Ready: %v, want ErrStopped", err)
				}
				for range 2 { // reads go on, and the restart agrees with them
					expect(t, s, "before", random(size, 1))
					expect(t, s, "head", "1")
					expectNone(t, s, "lost")
					if err := s.Close(); err != nil {
						t.Fatal(err)
					}
					s = mustOpen(t, dir)
				}
				mustApply(t, s, "head", "4")
				s.Close()
				expect(t, mustOpen(t, dir), "head", "4")
			})
		}
	}
}

// TestFailedJournalUnderWriters: among writers that are in Apply when the journal fails, each one was
// acknowledged and is there after the restart, or it was not and is not.
func TestFailedJournalUnderWriters(t *testing.T) {
	for round := range 10 {
		dir, disk := t.TempDir(), &faults{}
		s := openFaulty(t, dir, disk)
		var mu sync.Mutex
		want := map[string]string{}
		var wg sync.WaitGroup
		for w := range 16 {
			wg.Go(func() {
				for i := 0; ; i++ {
					key, value := fmt.Sprint(w, "/", i), random(1000, uint64(w<<8|i&0xff))
					if i == 3+round {
						disk.fail.Store(&fault{on: storage.TypeJournal, sync: syscall.EIO, once: true})
					}
					if err := s.Apply(t.Context(), put(key, value)); err != nil {
						if !errors.Is(err, ErrStopped) {
							t.Errorf("Apply: %v, want ErrStopped", err)
						}
						return
					}
					mu.Lock()
					want[key] = value
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		for range 2 {
			got := map[string]string{}
			for e, err := range s.Scan(t.Context(), nil, nil) {
				if err != nil {
					t.Fatal(err)
				}
				got[string(e.Key)] = string(e.Value)
			}
			if !maps.Equal(got, want) {
				t.Fatalf("round %d: %d entries, and %d were acknowledged", round, len(got), len(want))
			}
			s.Close()
			s = mustOpen(t, dir)
		}
	}
}

// TestFailedManifest: a compaction that cannot be recorded loses nothing.
func TestFailedManifest(t *testing.T) {
	for name, f := range map[string]*fault{
		"write": {on: storage.TypeManifest, write: syscall.ENOSPC},
		"sync":  {on: storage.TypeManifest, sync: syscall.EIO},
	} {
		t.Run(name, func(t *testing.T) {
			dir, disk := t.TempDir(), &faults{}
			s := openFaulty(t, dir, disk)
			for i := range 5 {
				mustApply(t, s, fmt.Sprint(i), random(1<<20, uint64(i)))
			}
			disk.fail.Store(f)
			if err := s.db.CompactRange(rangeOfAll); err == nil {
				t.Fatal("the manifest did not fail")
			}
			disk.fail.Store(nil)
			if err := s.Apply(t.Context(), put("more", "")); !errors.Is(err, ErrStopped) {
				t.Fatalf("Apply: %v, want ErrStopped", err)
			}
			for range 2 {
				for i := range 5 {
					expect(t, s, fmt.Sprint(i), random(1<<20, uint64(i)))
				}
				if err := s.Close(); err != nil {
					t.Log("Close:", err) // goleveldb repeats the error of the compaction
				}
				s = mustOpen(t, dir)
			}
			mustApply(t, s, "more", "")
		})
	}
}

// TestJournalCannotRotate: goleveldb answers with an error to a batch that is durable, where only the next
// journal cannot be created. The batch happened, so Apply says so.
func TestJournalCannotRotate(t *testing.T) {
	dir, disk := t.TempDir(), &faults{}
	s := openFaulty(t, dir, disk)
	disk.fail.Store(&fault{on: storage.TypeJournal, create: syscall.ENOSPC})
	value := random(options().WriteBuffer+1, 1)
	mustApply(t, s, "large", value)
	if disk.failed.Load() == 0 {
		t.Fatal("no journal was to be created: the test misses its case")
	}
	err := s.Apply(t.Context(), put("next", random(options().WriteBuffer, 2)))
	if !errors.Is(err, kv.ErrFull) || errors.Is(err, ErrStopped) {
		t.Fatalf("Apply without a journal to turn to: %v, want ErrFull and no stop", err)
	}
	expectNone(t, s, "next")
	disk.fail.Store(nil)
	mustApply(t, s, "next", "y")
	s.Close()
	s = mustOpen(t, dir)
	expect(t, s, "large", value)
	expect(t, s, "next", "y")
}

func TestNoRoom(t *testing.T) {
	s := mustOpen(t, t.TempDir())
	mustApply(t, s, "a", "1")
	enough := s.room
	s.room = func(int64) error { return fmt.Errorf("%w: tested", kv.ErrFull) }
	if err := s.Apply(t.Context(), put("b", "2")); !errors.Is(err, kv.ErrFull) {
		t.Fatalf("Apply: %v, want ErrFull", err)
	}
	if err := s.Ready(t.Context()); !errors.Is(err, kv.ErrFull) {
		t.Fatalf("Ready: %v, want ErrFull", err)
	}
	expectNone(t, s, "b")
	if err := s.Apply(t.Context(), kv.Batch{Delete: [][]byte{[]byte("a")}}); err != nil {
		t.Fatalf("deleting on a full disk: %v", err)
	}
	expectNone(t, s, "a")
	s.room = enough
	mustApply(t, s, "b", "2")

	if err := room(filepath.Dir(t.TempDir()), 1<<60); !errors.Is(err, kv.ErrFull) {
		t.Errorf("room for 2^60 bytes: %v, want ErrFull", err)
	}
	if err := room(t.TempDir(), 0); err != nil {
		t.Errorf("room for nothing: %v", err)
	}
}
