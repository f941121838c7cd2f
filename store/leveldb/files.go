package leveldb

import (
	"errors"
	"io"
	"os"
	"sync"

	"github.com/syndtr/goleveldb/leveldb/storage"
)

// files is goleveldb's directory of files, with what it leaves open about its two logs, the journal and the
// manifest: that a new one is found again after a loss of power, that a torn end is told from damage when
// it is read, and that nothing is written after a failure.
type files struct {
	storage.Storage
	dir string

	mu    sync.Mutex
	cause error // the first failure, for good
	uncut bool  // a log still ends with what failed
}

// failed returns the failure that ended all writing, or nil, and whether the log it happened to ends with
// what was acknowledged before it.
func (f *files) failed() (cause error, cut bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.cause, !f.uncut
}

func (f *files) fail(cause error, cut bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.cause == nil {
		f.cause = cause
	}
	f.uncut = f.uncut || !cut
}

// Create implements storage.Storage.
func (f *files) Create(fd storage.FileDesc) (storage.Writer, error) {
	w, err := f.Storage.Create(fd)
	if err != nil || fd.Type != storage.TypeJournal && fd.Type != storage.TypeManifest {
		return w, err
	}
	return &log{Writer: w, files: f}, nil
}

// Open implements storage.Storage. goleveldb reads the two logs only when it starts, before it writes.
func (f *files) Open(fd storage.FileDesc) (storage.Reader, error) {
	r, err := f.Storage.Open(fd)
	if err != nil || fd.Type != storage.TypeJournal && fd.Type != storage.TypeManifest {
		return r, err
	}
	length, err := soundLength(r, fd)
	if err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return prefix{io.NewSectionReader(r, 0, length), r}, nil
}

// prefix is a file without its torn end.
type prefix struct {
	*io.SectionReader
	io.Closer
}

// log is a journal or a manifest that is being written: records, each of which is synced before the next
// one is begun. goleveldb writes it from one goroutine at a time.
type log struct {
	storage.Writer
	files  *files
	length int64 // written
	sound  int64 // synced
	linked bool  // its entry in the directory is synced
	err    error // the first failure, for good
}

func (l *log) Write(p []byte) (int, error) {
	if l.err != nil {
		return 0, l.err
	}
	n, err := l.Writer.Write(p)
	l.length += int64(n)
	if err != nil {
		l.fail(err)
	}
	return n, err
}

func (l *log) Sync() error {
	if l.err != nil {
		return l.err
	}
	err := l.Writer.Sync()
	if err == nil && !l.linked {
		// goleveldb syncs the directory for a manifest only.
		err = syncDir(l.files.dir)
	}
	if err != nil {
		l.fail(err)
		return err
	}
	l.sound, l.linked = l.length, true
	return nil
}

// Close reports nothing: everything that was acknowledged is synced, and goleveldb, told of an error here
// while it changes from one journal to the next, would go on to write the one and sync the other.
func (l *log) Close() error {
	_ = l.Writer.Close()
	return nil
}

// fail cuts the log back to its acknowledged records and stops all writing. A cut that is not synced is
// good enough for a restart of the process; after a loss of power the record that failed may be whole.
func (l *log) fail(err error) {
	l.err = err
	cutter, ok := l.Writer.(interface{ Truncate(size int64) error })
	cut := ok && cutter.Truncate(l.sound) == nil && l.Writer.Sync() == nil
	l.files.fail(err, cut)
}

// syncDir makes the names in a directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
