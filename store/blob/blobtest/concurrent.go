package blobtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"

	"gatehouse/store/blob"
)

// each runs a function in n goroutines and fails the test with their errors.
func each(t *testing.T, n int, run func(i int) error) {
	t.Helper()
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			if err := run(i); err != nil {
				t.Errorf("goroutine %d: %v", i, err)
			}
		})
	}
	wg.Wait()
}

// whole reads an object and tells whether it is the one that was put.
func whole(s blob.Store, ctx context.Context, key string, want []byte) error {
	o, err := s.Open(ctx, key)
	if err != nil {
		return err
	}
	defer o.Body.Close()
	got, err := io.ReadAll(o.Body)
	if err != nil {
		return err
	}
	if !bytes.Equal(got, want) || o.Size != int64(len(want)) {
		return fmt.Errorf("%s: size %d and %d bytes, want %d", key, o.Size, len(got), len(want))
	}
	return nil
}

// testUnseenUntilWhole: a reader meets no part of an object, at any point of its being put.
func testUnseenUntilWhole(t *testing.T, h Harness) {
	s := h.Open(t)
	given := 0
	err := s.Put(t.Context(), key, int64(len(content)), readerFunc(func(p []byte) (int, error) {
		if _, err := s.Open(t.Context(), key); !errors.Is(err, blob.ErrNotFound) {
			t.Errorf("after %d of %d bytes: Open: %v, want ErrNotFound", given, len(content), err)
		}
		if given == len(content) {
			return 0, io.EOF
		}
		n := copy(p[:min(len(p), 10_000)], content[given:])
		given += n
		return n, nil
	}))
	if err != nil {
		t.Fatalf("Put: %v", err)
	}
	expect(t, s, key, content)
}

// testOvertaken: an upload that is overtaken by another one of the same key leaves the object that is there.
func testOvertaken(t *testing.T, h Harness) {
	s := h.Open(t)
	overtaken := false
	slow := readerFunc(func(p []byte) (int, error) {
		if !overtaken {
			overtaken = true
			put(t, s, key, content)
		}
		return 0, io.EOF
	})
	late := pattern(len(content), 2)
	if err := s.Put(t.Context(), key, int64(len(late)), io.MultiReader(bytes.NewReader(late), slow)); err != nil {
		t.Fatalf("Put: %v", err)
	}
	if !overtaken {
		t.Fatal("the engine did not look for the end of the content")
	}
	expect(t, s, key, content)
	expectClean(t, h, s)
}

func testSameKeyAtOnce(t *testing.T, h Harness) {
	s := h.Open(t)
	for round := range 5 {
		key := fmt.Sprint("round/", round)
		var start sync.WaitGroup
		start.Add(16)
		each(t, 16, func(i int) error {
			start.Done()
			start.Wait()
			if i%2 == 0 {
				if err := s.Put(t.Context(), key, int64(len(content)), bytes.NewReader(content)); err != nil {
					return err
				}
				return whole(s, t.Context(), key, content)
			}
			for range 20 {
				if err := whole(s, t.Context(), key, content); err != nil && !errors.Is(err, blob.ErrNotFound) {
					return err
				}
			}
			return nil
		})
		expect(t, s, key, content)
	}
	expectClean(t, h, s)
}

// testNeighboursAtOnce: objects come and go in the same folder, so that an engine that removes empty
// folders removes them under the hands of those that put.
func testNeighboursAtOnce(t *testing.T, h Harness) {
	s := h.Open(t)
	small := pattern(10, 1)
	each(t, 8, func(i int) error {
		own := fmt.Sprintf("@acme/ui/own-%d", i)
		for range 30 {
			if err := s.Put(t.Context(), own, int64(len(small)), bytes.NewReader(small)); err != nil {
				return fmt.Errorf("while putting: %w", err)
			}
			if err := whole(s, t.Context(), own, small); err != nil {
				return fmt.Errorf("acknowledged, but: %w", err)
			}
			if err := s.Delete(t.Context(), own); err != nil {
				return fmt.Errorf("while deleting: %w", err)
			}
			if err := whole(s, t.Context(), own, small); !errors.Is(err, blob.ErrNotFound) {
				return fmt.Errorf("deleted, but: %w", err)
			}
		}
		return s.Put(t.Context(), own, int64(len(small)), bytes.NewReader(small))
	})
	for i := range 8 {
		expect(t, s, fmt.Sprintf("@acme/ui/own-%d", i), small)
	}
	expectClean(t, h, s)
}

func testCancelled(t *testing.T, h Harness) {
	s := h.Open(t)
	put(t, s, "there", content)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	expectError(t, "Put", s.Put(ctx, key, int64(len(content)), bytes.NewReader(content)), context.Canceled)
	o, err := s.Open(ctx, "there")
	if err == nil {
		o.Body.Close()
	}
	expectError(t, "Open", err, context.Canceled)
	expectError(t, "Delete", s.Delete(ctx, "there"), context.Canceled)
	expectNone(t, s, key)
	expect(t, s, "there", content)
	expectClean(t, h, s)
}

// testCancelledMeanwhile: an upload whose client goes away leaves nothing.
func testCancelledMeanwhile(t *testing.T, h Harness) {
	s := h.Open(t)
	for _, at := range []int{0, 1, 50_000, len(content) - 1} {
		ctx, cancel := context.WithCancel(t.Context())
		given := 0
		// The reader would go on to the end: it is the engine that has to stop.
		err := s.Put(ctx, key, int64(len(content)), readerFunc(func(p []byte) (int, error) {
			if given >= at {
				cancel()
			}
			if given == len(content) {
				return 0, io.EOF
			}
			n := copy(p[:min(len(p), 10_000)], content[given:])
			given += n
			return n, nil
		}))
		cancel()
		expectError(t, fmt.Sprint("cancelled at byte ", at), err, context.Canceled)
		expectNone(t, s, key)
		expectClean(t, h, s)
	}
	put(t, s, key, content)
	expect(t, s, key, content)
}
