package kvtest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"gatehouse/store/kv"
)

// writers is the number of goroutines that meet in one key.
const writers = 32

// each runs a function in n goroutines and fails the test with their errors.
func each(t *testing.T, n int, run func(i int) error) {
	t.Helper()
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			if err := run(i); err != nil {
				t.Errorf("writer %d: %v", i, err)
			}
		})
	}
	wg.Wait()
}

func testCounter(t *testing.T, h Harness) {
	s := h.Open(t)
	const times = 8
	key := []byte("counter")
	each(t, writers, func(int) error {
		for range times {
			if err := retry(t.Context(), s, key, func(value []byte) []byte {
				n, _ := strconv.Atoi(string(value))
				return []byte(strconv.Itoa(n + 1))
			}); err != nil {
				return err
			}
		}
		return nil
	})
	expect(t, s, "counter", strconv.Itoa(writers*times))
}

// testOneWinner: of many batches with the same condition one happens, and it happens wholly.
func testOneWinner(t *testing.T, h Harness) {
	s := h.Open(t)
	for round := range 10 {
		head := []byte(fmt.Sprint("head ", round))
		var won atomic.Int32
		each(t, writers, func(i int) error {
			b := put(string(head), fmt.Sprint(i), fmt.Sprint("v ", round, " ", i), "")
			b.If = []kv.Entry{{Key: head}}
			switch err := s.Apply(t.Context(), b); {
			case err == nil:
				won.Add(1)
			case !errors.Is(err, kv.ErrConflict):
				return err
			}
			return nil
		})
		if won.Load() != 1 {
			t.Fatalf("%d writers created the same key", won.Load())
		}
		e, err := s.Get(t.Context(), head)
		if err != nil {
			t.Fatal(err)
		}
		from := []byte(fmt.Sprint("v ", round, " "))
		keys := scan(t, s, from, append(from, 0xff))
		if want := string(from) + string(e.Value); len(keys) != 1 || keys[0] != want {
			t.Fatalf("the winner is %q, but there is %q", want, keys)
		}
	}
}

// testCrossedConditions: two batches, each with a condition on what the other one changes.
func testCrossedConditions(t *testing.T, h Harness) {
	s := h.Open(t)
	for round := range 50 {
		keys := [2]string{fmt.Sprint("left ", round), fmt.Sprint("right ", round)}
		var won atomic.Int32
		each(t, 2, func(i int) error {
			b := put(keys[i], "taken")
			b.If = []kv.Entry{{Key: []byte(keys[1-i])}}
			switch err := s.Apply(t.Context(), b); {
			case err == nil:
				won.Add(1)
			case !errors.Is(err, kv.ErrConflict):
				return err
			}
			return nil
		})
		if won.Load() != 1 {
			t.Fatalf("round %d: %d of two batches happened that exclude each other", round, won.Load())
		}
	}
}

// testScanMoment: what is applied after a loop has begun is not in it.
func testScanMoment(t *testing.T, h Harness) {
	s := h.Open(t)
	apply(t, s, put("a", "1", "b", "1", "c", "1", "d", "1"))
	got := ""
	for e, err := range s.Scan(t.Context(), nil, nil) {
		if err != nil {
			t.Fatal(err)
		}
		if got == "" {
			b := put("a", "2", "b", "2", "bb", "2", "d", "2", "e", "2")
			b.Delete = [][]byte{[]byte("c")}
			apply(t, s, b)
		}
		got += string(e.Key) + string(e.Value) + " "
	}
	if want := "a1 b1 c1 d1 "; got != want {
		t.Errorf("scan sees %q, want %q", got, want)
	}
}

// testScanUnderWriters: batches that always write every key alike are never seen half.
func testScanUnderWriters(t *testing.T, h Harness) {
	s := h.Open(t)
	const keys = 20
	fill := func(value string) kv.Batch {
		var b kv.Batch
		for i := range keys {
			b.Put = append(b.Put, kv.Entry{Key: fmt.Appendf(nil, "k%02d", i), Value: []byte(value)})
		}
		return b
	}
	apply(t, s, fill("start"))
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var writing sync.WaitGroup
	for w := range 4 {
		writing.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				if err := s.Apply(t.Context(), fill(fmt.Sprintf("%d/%d", w, i))); err != nil {
					t.Errorf("Apply: %v", err)
					return
				}
			}
		})
	}
	seen := map[string]bool{}
	for i := 0; i < 100 || len(seen) < 3; i++ {
		n, first := 0, ""
		for e, err := range s.Scan(t.Context(), nil, nil) {
			if err != nil {
				t.Fatalf("Scan: %v", err)
			}
			if n == 0 {
				first = string(e.Value)
			}
			if string(e.Value) != first {
				t.Fatalf("one scan sees %q at its begin and %q at %q", first, e.Value, e.Key)
			}
			n++
		}
		if n != keys {
			t.Fatalf("a scan sees %d entries of %d", n, keys)
		}
		seen[first] = true
	}
	stop()
	writing.Wait()
}
