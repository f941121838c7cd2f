// Package blobtest says what an engine of bytes must do, as tests that every engine runs.
//
// The suite speaks to the port only. It owns no engine and knows no package of the registry. It asks for
// what the doc comments of blob.Store promise, and where one of them could be read in two ways, the suite
// is the reading that holds.
//
// What a suite inside one process cannot ask, to survive a kill or a loss of power, is the business of each
// engine's own tests.
package blobtest

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"gatehouse/store/blob"
)

// Harness makes the engines that are tested.
type Harness struct {
	// Open returns a new, empty store. What it holds open, the harness releases when the test ends.
	Open func(t *testing.T) blob.Store
	// Leftovers lists what the store keeps beside its objects and the folders they are in: temporary
	// files, unfinished uploads. Nil for an engine that cannot have any.
	Leftovers func(t *testing.T, s blob.Store) []string
	// Resident is true for an engine that keeps its objects in memory, and false for all that may be
	// used in earnest: then memory must not grow with the object.
	Resident bool
}

// Run runs the suite.
func Run(t *testing.T, h Harness) {
	for _, part := range []struct {
		name string
		run  func(*testing.T, Harness)
	}{
		{"PutOpen", testPutOpen},
		{"Seek", testSeek},
		{"Sizes", testSizes},
		{"FirstStays", testFirstStays},
		{"WrongSize", testWrongSize},
		{"ReaderFails", testReaderFails},
		{"UnseenUntilWhole", testUnseenUntilWhole},
		{"NotFound", testNotFound},
		{"Delete", testDelete},
		{"OpenSurvivesDelete", testOpenSurvivesDelete},
		{"BadKeys", testBadKeys},
		{"GoodKeys", testGoodKeys},
		{"Large", testLarge},
		{"Overtaken", testOvertaken},
		{"SameKeyAtOnce", testSameKeyAtOnce},
		{"NeighboursAtOnce", testNeighboursAtOnce},
		{"Cancelled", testCancelled},
		{"CancelledMeanwhile", testCancelledMeanwhile},
		{"List", testList},
		{"ListStops", testListStops},
		{"ListMeanwhile", testListMeanwhile},
	} {
		t.Run(part.name, func(t *testing.T) { part.run(t, h) })
	}
}

const key = "@acme/ui/ui-1.0.0-3f2a.tgz"

var content = pattern(100_000, 1)

func put(t *testing.T, s blob.Store, key string, content []byte) {
	t.Helper()
	if err := s.Put(t.Context(), key, int64(len(content)), bytes.NewReader(content)); err != nil {
		t.Fatalf("Put(%q): %v", key, err)
	}
}

func open(t *testing.T, s blob.Store, key string) *blob.Object {
	t.Helper()
	o, err := s.Open(t.Context(), key)
	if err != nil {
		t.Fatalf("Open(%q): %v", key, err)
	}
	t.Cleanup(func() { o.Body.Close() })
	return o
}

func expect(t *testing.T, s blob.Store, key string, want []byte) {
	t.Helper()
	o, err := s.Open(t.Context(), key)
	if err != nil {
		t.Fatalf("Open(%q): %v", key, err)
	}
	got, err := io.ReadAll(o.Body)
	if cerr := o.Body.Close(); err == nil {
		err = cerr
	}
	if err != nil || o.Size != int64(len(want)) || !bytes.Equal(got, want) {
		t.Fatalf("%q: size %d, %d bytes, %v; want the %d bytes that were put", key, o.Size, len(got), err, len(want))
	}
}

func expectNone(t *testing.T, s blob.Store, key string) {
	t.Helper()
	o, err := s.Open(t.Context(), key)
	if err == nil {
		o.Body.Close()
	}
	expectError(t, "Open("+key+")", err, blob.ErrNotFound)
}

func expectError(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("%s: error %v, want %v", what, err, want)
	}
}

func expectClean(t *testing.T, h Harness, s blob.Store) {
	t.Helper()
	if h.Leftovers == nil {
		return
	}
	if left := h.Leftovers(t, s); len(left) > 0 {
		t.Fatalf("left behind: %q", left)
	}
}

// pattern returns n bytes that do not compress to nothing and differ for each seed.
func pattern(n int, seed uint64) []byte {
	p := make([]byte, n)
	x := seed*2 + 1
	for i := range p {
		x = x*6364136223846793005 + 1442695040888963407
		p[i] = byte(x >> 56)
	}
	return p
}

// readerFunc is a reader that is a function.
type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
