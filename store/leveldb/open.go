package leveldb

import (
	"errors"
	"fmt"
	"hash/maphash"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	goleveldb "github.com/syndtr/goleveldb/leveldb"
	"github.com/syndtr/goleveldb/leveldb/filter"
	"github.com/syndtr/goleveldb/leveldb/opt"
	"github.com/syndtr/goleveldb/leveldb/storage"

	"gatehouse/store/kv"
)

// options are tuned for what a registry does: values of 1 to 100 KB, lookups of one head, scans of the versions of
// one package, few writes; and for a process that stays under 40 MB while it has nothing to do.
func options() *opt.Options {
	return &opt.Options{
		// Torn ends are cut before goleveldb sees them (soundLength), so all that is left to find is damage.
		Strict: opt.StrictAll,
		// See the package comment.
		DisableLargeBatchTransaction: true,
		// Reads never cause writes: a full disk stays readable. The filter makes up for it.
		DisableSeeksCompaction: true,
		// Ten bits a key: asking for what is not there (a first publish, a bad token) reads no block.
		Filter: filter.NewBloomFilter(10),
		// Larger than the default of 4 KiB, as most values are about that: better compression, a smaller
		// index; 16 KiB are unpacked in some microseconds.
		BlockSize:   16 << 10,
		Compression: opt.SnappyCompression,
		// The memory: unpacked blocks; two tables in memory at most, of which one is kept for reuse; files
		// with their index and filter, of 4 MiB so that there are fewer of them.
		BlockCacheCapacity:     8 << 20,
		WriteBuffer:            2 << 20,
		OpenFilesCacheCapacity: 100,
		CompactionTableSize:    4 << 20,
		// Never begin a new manifest while running: goleveldb (newManifest with a nil record, as of 126854af)
		// then records the old sequence number, and if the process ends before the next one is recorded,
		// starts below those in its tables. Each start writes a new manifest anyway.
		MaxManifestFileSize: 1 << 50,
	}
}

// Open opens the store in a directory, which it creates, for us alone, where there is none.
func Open(dir string) (*Store, error) {
	return open(dir, func(s storage.Storage) storage.Storage { return s })
}

// open lets tests put something between the engine and its files.
func open(dir string, wrap func(storage.Storage) storage.Storage) (*Store, error) {
	if err := makeDir(dir); err != nil {
		return nil, fmt.Errorf("leveldb: the directory of the metadata: %w", err)
	}
	onDisk, err := storage.OpenFile(dir, false)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, fmt.Errorf("%w: another process has the metadata in %s open; stop it, or give this one its own directory",
			ErrLocked, dir)
	}
	if err != nil {
		return nil, fmt.Errorf("leveldb: cannot write to the directory of the metadata: %w", err)
	}
	fs := &files{Storage: wrap(onDisk), dir: dir}
	db, err := openDB(dir, fs)
	if err != nil {
		return nil, errors.Join(err, fs.Close())
	}
	return &Store{
		db:    db,
		files: fs,
		locks: stripes{seed: maphash.MakeSeed()},
		room:  func(need int64) error { return room(dir, need) },
	}, nil
}

func openDB(dir string, fs *files) (*goleveldb.DB, error) {
	if err := removeUnborn(dir); err != nil {
		return nil, fmt.Errorf("leveldb: %w", err)
	}
	db, err := goleveldb.Open(fs, options())
	switch {
	case err == nil:
		return db, nil
	case corrupted(err):
		return nil, fmt.Errorf("%w: the metadata in %s: %w. gatehouse does not repair it, since that would drop entries without "+
			"saying which. Put this directory aside, and restore it from a copy taken before the damage", ErrCorrupted, dir, err)
	case full(err):
		return nil, fmt.Errorf("leveldb: opening %s: %w: %w", dir, kv.ErrFull, err)
	}
	return nil, fmt.Errorf("leveldb: opening %s: %w", dir, err)
}

// removeUnborn removes what a first start leaves that was killed before it had written CURRENT, the file that
// makes a directory a LevelDB. goleveldb takes that for damage. Nothing can have been acknowledged: the first journal is
// created after CURRENT, and where there is a journal or a table nothing is touched.
func removeUnborn(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var unborn []string
	for _, e := range entries {
		switch name := e.Name(); {
		case name == "LOCK" || name == "LOG" || name == "LOG.old":
		case strings.HasPrefix(name, "MANIFEST-"), strings.HasPrefix(name, "CURRENT.") && name != "CURRENT.bak":
			unborn = append(unborn, name)
		default:
			return nil
		}
	}
	for _, name := range unborn {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	return nil
}

// makeDir creates a directory and those above it where they are missing, and makes each of them durable: a
// file that is synced is lost with a directory that is not.
func makeDir(dir string) error {
	info, err := os.Stat(dir)
	if err == nil && !info.IsDir() {
		return fmt.Errorf("%s is not a directory", dir)
	}
	if !errors.Is(err, os.ErrNotExist) {
		return err
	}
	parent := filepath.Dir(dir)
	if parent != dir {
		if err := makeDir(parent); err != nil {
			return err
		}
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return syncDir(parent)
}

// room returns an error that wraps kv.ErrFull where a write of need bytes would leave less than the reserve.
func room(dir string, need int64) error {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		return fmt.Errorf("leveldb: asking for the free space of %s: %w", dir, err)
	}
	// Unsigned, of one width on one system and another on the next.
	if free := uint64(fs.Bavail) * uint64(fs.Bsize); free < uint64(need)+reserve {
		return fmt.Errorf("%w: %d MiB are free in %s, and %d MiB have to stay so", kv.ErrFull, free>>20, dir, int64(reserve>>20))
	}
	return nil
}
