package blobtest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"testing"
	"time"

	"gatehouse/store/blob"
)

// lister opens a store, and reports false where the engine is none that lists.
func lister(t *testing.T, h Harness) (blob.Store, blob.Lister, bool) {
	s := h.Open(t)
	l, ok := s.(blob.Lister)
	if !ok {
		t.Log("this engine does not list")
	}
	return s, l, ok
}

func list(t *testing.T, l blob.Lister) []blob.Info {
	t.Helper()
	var all []blob.Info
	for i, err := range l.List(t.Context()) {
		if err != nil {
			t.Fatalf("List: %v", err)
		}
		all = append(all, i)
	}
	return all
}

func keys(infos []blob.Info) []string {
	keys := make([]string, len(infos))
	for i, info := range infos {
		keys[i] = info.Key
	}
	return keys
}

func testList(t *testing.T, h Harness) {
	s, l, ok := lister(t, h)
	if !ok {
		return
	}
	if got := list(t, l); len(got) != 0 {
		t.Fatalf("a new store lists %v", got)
	}
	// Folders whose names begin alike, with what sorts before a slash and behind it; nesting; capitals.
	want := []string{
		"@acme/ui+x/a", "@acme/ui-kit/a", "@acme/ui.js/a", "@acme/ui/a", "@acme/ui/b-1", "@acme/ui/b.1", "@acme/ui/b/deep/er", "@acme/ui0/a", "@acme/uiZ",
		"@acme/ui_/a", "A/a", "a", "a-/a", "b/a", "b/a-", "c/1/2/3/4/5/6/7", ".hidden/a", "..a",
	}
	before := time.Now().Add(-5 * time.Minute)
	for i, key := range want {
		put(t, s, key, pattern(100+i, uint64(i)))
	}
	got := list(t, l)
	for _, info := range got {
		if size := int64(100 + slices.Index(want, info.Key)); info.Size != size {
			t.Errorf("%s: size %d, want %d", info.Key, info.Size, size)
		}
		if info.Modified.Before(before) || info.Modified.After(time.Now().Add(5*time.Minute)) {
			t.Errorf("%s was modified at %v, and it was put now", info.Key, info.Modified)
		}
	}
	slices.Sort(want)
	if !slices.Equal(keys(got), want) {
		t.Fatalf("listed\n%q, want\n%q", keys(got), want)
	}
	for _, key := range want[3:] {
		if err := s.Delete(t.Context(), key); err != nil {
			t.Fatal(err)
		}
	}
	if got := keys(list(t, l)); !slices.Equal(got, want[:3]) {
		t.Errorf("after deleting: %q, want %q", got, want[:3])
	}
	// What is not an object yet is not listed.
	given := 0
	err := s.Put(t.Context(), key, int64(len(content)), readerFunc(func(p []byte) (int, error) {
		if got := keys(list(t, l)); !slices.Equal(got, want[:3]) {
			t.Errorf("while %s is put: %q, want %q", key, got, want[:3])
		}
		if given == len(content) {
			return 0, io.EOF
		}
		n := copy(p[:min(len(p), 40_000)], content[given:])
		given += n
		return n, nil
	}))
	if err != nil {
		t.Fatal(err)
	}
}

// testListStops: a list can be left at any place, be read again, and ends with its context.
func testListStops(t *testing.T, h Harness) {
	s, l, ok := lister(t, h)
	if !ok {
		return
	}
	for i := range 20 {
		put(t, s, fmt.Sprintf("folder-%d/object-%02d", i%3, i), content[:10])
	}
	all := l.List(t.Context())
	for range 50 { // enough to run out of what an unfinished list might keep
		for info, err := range all {
			if err != nil || info.Key != "folder-0/object-00" {
				t.Fatalf("first: %v, %v", info, err)
			}
			break
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var last error
	yielded := 0
	for _, err := range l.List(ctx) {
		if last != nil {
			t.Fatal("the error was not the last thing yielded")
		}
		last = err
		yielded++
		cancel()
	}
	expectError(t, "List", last, context.Canceled)
	if yielded > 15 {
		t.Errorf("%d objects were listed after the context was cancelled at the first", yielded)
	}
	yielded = 0
	for _, err := range l.List(ctx) {
		expectError(t, "List", err, context.Canceled)
		yielded++
	}
	if yielded != 1 {
		t.Errorf("a list that was cancelled before yielded %d times, want its error once", yielded)
	}
}

// testListMeanwhile: objects come and go, folders and all; those that stay are listed once.
func testListMeanwhile(t *testing.T, h Harness) {
	s, l, ok := lister(t, h)
	if !ok {
		return
	}
	var stay []string
	for i := range 12 {
		stay = append(stay, fmt.Sprintf("@acme/pkg-%02d/stays", i))
		put(t, s, stay[i], content[:10])
	}
	each(t, 4, func(i int) error {
		if i == 0 {
			for range 20 {
				var got []string
				for info, err := range l.List(t.Context()) {
					if err != nil {
						return err
					}
					if info.Size != 10 {
						return fmt.Errorf("%s is listed with %d bytes", info.Key, info.Size)
					}
					if slices.Contains(stay, info.Key) {
						got = append(got, info.Key)
					}
				}
				if !slices.Equal(got, stay) {
					return fmt.Errorf("listed %q of those that stay", got)
				}
			}
			return nil
		}
		for n := range 40 {
			key := fmt.Sprintf("@acme/pkg-%02d/%d/comes", n%12, i)
			if err := s.Put(t.Context(), key, 10, bytes.NewReader(content[:10])); err != nil {
				return err
			}
			if err := s.Delete(t.Context(), key); err != nil {
				return err
			}
		}
		return nil
	})
}
