package kvtest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"testing"

	"gatehouse/store/kv"
)

func testCancelled(t *testing.T, h Harness) {
	s := h.Open(t)
	apply(t, s, put("a", "1"))
	cause := errors.New("shutting down")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	_, err := s.Get(ctx, []byte("a"))
	expectError(t, "Get", err, context.Canceled)
	expectError(t, "Apply", s.Apply(ctx, put("a", "2", "b", "2")), context.Canceled)
	yielded := 0
	for _, err := range s.Scan(ctx, nil, nil) {
		expectError(t, "Scan", err, context.Canceled)
		yielded++
	}
	if yielded != 1 {
		t.Errorf("a cancelled scan yielded %d times, want its error once", yielded)
	}
	late, cancelLate := context.WithTimeout(t.Context(), 0)
	defer cancelLate()
	expectError(t, "Apply", s.Apply(late, put("a", "2")), context.DeadlineExceeded)
	if got := everything(t, s); !maps.Equal(got, map[string]string{"a": "1"}) {
		t.Errorf("a cancelled batch left %q", got)
	}
}

// testCancelledMeanwhile: whenever the cancellation comes, the batch happened or it did not; and an answer
// of nil means that it did.
func testCancelledMeanwhile(t *testing.T, h Harness) {
	s := h.Open(t)
	each(t, writers, func(i int) error {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go cancel()
		left, right := fmt.Sprint("left ", i), fmt.Sprint("right ", i)
		err := s.Apply(ctx, put(left, "x", right, "x"))
		_, lerr := s.Get(t.Context(), []byte(left))
		_, rerr := s.Get(t.Context(), []byte(right))
		switch {
		case (lerr == nil) != (rerr == nil):
			return fmt.Errorf("half a batch: %v, %v", lerr, rerr)
		case err == nil && lerr != nil:
			return fmt.Errorf("acknowledged, but not there: %w", lerr)
		case err != nil && !errors.Is(err, context.Canceled):
			return err
		}
		return nil
	})
}

func testCancelledScan(t *testing.T, h Harness) {
	s := h.Open(t)
	for i := range 500 {
		apply(t, s, put(fmt.Sprintf("%04d", i), string(pattern(500, uint64(i)))))
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	entries, ended := 0, false
	for _, err := range s.Scan(ctx, nil, nil) {
		if ended {
			t.Fatal("the error was not the last thing yielded")
		}
		if err != nil {
			expectError(t, "Scan", err, context.Canceled)
			ended = true
			continue
		}
		if entries++; entries == 3 {
			cancel()
		}
	}
	// An engine may have some rows in its hands already, but not the rest of the store.
	if !ended || entries > 400 {
		t.Errorf("%d entries were yielded after the context was cancelled at the third; ended with an error: %v", entries, ended)
	}
	expect(t, s, "0499", string(pattern(500, 499)))
}

func testClosed(t *testing.T, h Harness) {
	s := h.Open(t)
	apply(t, s, put("a", "1"))
	if err := s.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
	_, err := s.Get(t.Context(), []byte("a"))
	expectError(t, "Get", err, kv.ErrClosed)
	expectError(t, "Apply", s.Apply(t.Context(), put("a", "2")), kv.ErrClosed)
	yielded := 0
	for _, err := range s.Scan(t.Context(), nil, nil) {
		expectError(t, "Scan", err, kv.ErrClosed)
		yielded++
	}
	if yielded != 1 {
		t.Errorf("a scan of a closed store yielded %d times, want its error once", yielded)
	}
	expectError(t, "Close", s.Close(), kv.ErrClosed)
}

// testCloseDuringScan: Close ends scans, and never deadlocks with a call made from within one.
func testCloseDuringScan(t *testing.T, h Harness) {
	s := h.Open(t)
	for i := range 500 {
		apply(t, s, put(fmt.Sprintf("%04d", i), string(pattern(500, uint64(i)))))
	}
	closed := make(chan error, 1)
	entries := 0
	var last error
	for _, err := range s.Scan(t.Context(), nil, nil) {
		last = err
		if entries++; entries > 1 {
			continue
		}
		go func() { closed <- s.Close() }()
		// Calls from within the loop are answered, before Close has begun and after.
		for err = nil; err == nil; {
			_, err = s.Get(t.Context(), []byte("0001"))
		}
		expectError(t, "Get", err, kv.ErrClosed)
		select {
		case err := <-closed:
			t.Fatalf("Close did not wait for the scan: %v", err)
		default:
		}
	}
	expectError(t, "Scan", last, kv.ErrClosed)
	if entries > 400 {
		t.Errorf("%d entries were yielded after Close was called at the first", entries)
	}
	if err := <-closed; err != nil {
		t.Errorf("Close: %v", err)
	}
}

func testReopen(t *testing.T, h Harness) {
	if h.Reopen == nil {
		t.Log("this engine keeps nothing")
		return
	}
	s := h.Open(t)
	want := map[string]string{}
	check := func(when string) {
		t.Helper()
		if got := everything(t, s); !maps.Equal(got, want) {
			t.Fatalf("%s: %d entries, want %d, or other values", when, len(got), len(want))
		}
	}
	for round := range 4 {
		for i := range 50 {
			key, value := string(pattern(30, uint64(i))), string(pattern(200*i, uint64(i+round)))
			b := put(key, value, fmt.Sprint("round ", round, " ", i), "")
			want[key], want[string(b.Put[1].Key)] = value, ""
			if round > 0 {
				gone := fmt.Sprint("round ", round-1, " ", i)
				b.Delete = [][]byte{[]byte(gone)}
				delete(want, gone)
			}
			apply(t, s, b)
		}
		check("before it was closed")
		s = h.Reopen(t, s)
		check("after it was opened again")
	}
	// And it goes on as before.
	b := put("after", "1")
	b.If = []kv.Entry{{Key: []byte("after")}}
	apply(t, s, b)
	expectError(t, "Apply", s.Apply(t.Context(), b), kv.ErrConflict)
}
