// Package kvtest says what an engine of metadata must do, as tests that every engine runs.
//
// The suite speaks to the port only, so it judges a map in memory and a server across a network alike.
// It owns no engine and knows no package of the registry. It asks for what the doc comments of
// kv.Store promise, and where one of them could be read in two ways, the suite is the reading that holds.
//
// What a suite inside one process cannot ask, to survive a kill or a loss of power, is the business of each
// engine's own tests.
package kvtest

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"gatehouse/store/kv"
)

// Harness makes the engines that are tested.
type Harness struct {
	// Open returns a new, empty store. The harness closes it, if the test has not, when the test ends.
	Open func(t *testing.T) kv.Store
	// Reopen closes a store that Open returned, and opens what it kept. Nil for an engine that keeps
	// nothing.
	Reopen func(t *testing.T, s kv.Store) kv.Store
}

// Run runs the suite.
func Run(t *testing.T, h Harness) {
	for _, part := range []struct {
		name string
		run  func(*testing.T, Harness)
	}{
		{"Get", testGet},
		{"EmptyValue", testEmptyValue},
		{"OwnBytes", testOwnBytes},
		{"Order", testOrder},
		{"ScanBounds", testScanBounds},
		{"ScanBreak", testScanBreak},
		{"ScanNested", testScanNested},
		{"ScanEntriesStay", testScanEntriesStay},
		{"ScanMoment", testScanMoment},
		{"ScanUnderWriters", testScanUnderWriters},
		{"Batch", testBatch},
		{"Conditions", testConditions},
		{"FailedBatch", testFailedBatch},
		{"ConditionOnly", testConditionOnly},
		{"Refused", testRefused},
		{"Large", testLarge},
		{"Counter", testCounter},
		{"OneWinner", testOneWinner},
		{"CrossedConditions", testCrossedConditions},
		{"Cancelled", testCancelled},
		{"CancelledMeanwhile", testCancelledMeanwhile},
		{"CancelledScan", testCancelledScan},
		{"Closed", testClosed},
		{"CloseDuringScan", testCloseDuringScan},
		{"Reopen", testReopen},
	} {
		t.Run(part.name, func(t *testing.T) { part.run(t, h) })
	}
}

func put(pairs ...string) kv.Batch {
	var b kv.Batch
	for i := 0; i < len(pairs); i += 2 {
		b.Put = append(b.Put, kv.Entry{Key: []byte(pairs[i]), Value: []byte(pairs[i+1])})
	}
	return b
}

func apply(t *testing.T, s kv.Store, b kv.Batch) {
	t.Helper()
	if err := s.Apply(t.Context(), b); err != nil {
		t.Fatalf("Apply: %v", err)
	}
}

func expect(t *testing.T, s kv.Store, key, value string) {
	t.Helper()
	e, err := s.Get(t.Context(), []byte(key))
	if err != nil {
		t.Fatalf("Get(%q): %v", key, err)
	}
	if string(e.Key) != key || string(e.Value) != value {
		t.Fatalf("Get(%q) = %.40q: %.40q, want value %.40q", key, e.Key, e.Value, value)
	}
}

func expectNone(t *testing.T, s kv.Store, key string) {
	t.Helper()
	if e, err := s.Get(t.Context(), []byte(key)); !errors.Is(err, kv.ErrNotFound) {
		t.Fatalf("Get(%q) = %.40q, %v, want ErrNotFound", key, e.Value, err)
	}
}

func expectError(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("%s: error %v, want %v", what, err, want)
	}
}

// scan returns the keys of a range.
func scan(t *testing.T, s kv.Store, from, to []byte) []string {
	t.Helper()
	keys := []string{}
	for e, err := range s.Scan(t.Context(), from, to) {
		if err != nil {
			t.Fatalf("Scan: %v", err)
		}
		keys = append(keys, string(e.Key))
	}
	return keys
}

// everything returns the whole store, to see that nothing has changed.
func everything(t *testing.T, s kv.Store) map[string]string {
	t.Helper()
	all := map[string]string{}
	for e, err := range s.Scan(t.Context(), nil, nil) {
		if err != nil {
			t.Fatalf("Scan: %v", err)
		}
		all[string(e.Key)] = string(e.Value)
	}
	return all
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

// retry reads a key, changes its value and writes it, until nobody was in between.
func retry(ctx context.Context, s kv.Store, key []byte, change func([]byte) []byte) error {
	for {
		have, err := s.Get(ctx, key)
		if errors.Is(err, kv.ErrNotFound) {
			have = kv.Entry{Key: key}
		} else if err != nil {
			return err
		}
		err = s.Apply(ctx, kv.Batch{
			If:  []kv.Entry{have},
			Put: []kv.Entry{{Key: key, Value: change(bytes.Clone(have.Value))}},
		})
		if !errors.Is(err, kv.ErrConflict) {
			return err
		}
	}
}
