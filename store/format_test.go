package store_test

import (
	"errors"
	"strings"
	"testing"

	"gatehouse/store"
	"gatehouse/store/blob"
	"gatehouse/store/kv"
	"gatehouse/store/packument/packumenttest"
)

// TestFormat: data that are not ours to read are refused with a sentence, and never taken for an empty registry.
func TestFormat(t *testing.T) {
	engines(t, func(t *testing.T, meta kv.Store, blobs blob.Store) {
		if _, err := store.Open(ctx, meta, blobs, store.Options{Existing: true}); !errors.Is(err, store.ErrEmpty) {
			t.Errorf("nothing: %v", err)
		}
		if err := publish(t, open(t, meta, blobs, store.Options{}), packumenttest.Package{Name: "@acme/ui", Version: "1.0.0"}, wendy); err != nil {
			t.Fatal(err)
		}
		open(t, meta, blobs, store.Options{Existing: true})
		for format, words := range map[string]string{"2": "run the version that wrote them", "restoring": "a restore into these data was cut off", "": "run the version"} {
			if err := meta.Apply(ctx, kv.Batch{Put: []kv.Entry{{Key: []byte("f"), Value: []byte(format)}}}); err != nil {
				t.Fatal(err)
			}
			if _, err := store.Open(ctx, meta, blobs, store.Options{}); !errors.Is(err, store.ErrFormat) || !strings.Contains(err.Error(), words) {
				t.Errorf("%q: %v", format, err)
			}
		}
		if err := meta.Apply(ctx, kv.Batch{Delete: [][]byte{[]byte("f")}}); err != nil {
			t.Fatal(err)
		}
		if _, err := store.Open(ctx, meta, blobs, store.Options{}); !errors.Is(err, store.ErrFormat) {
			t.Errorf("without a format: %v", err)
		}
	})
}

// TestHold: what is withdrawn stays as long as somebody needs it.
func TestHold(t *testing.T) {
	engines(t, func(t *testing.T, meta kv.Store, blobs blob.Store) {
		s := open(t, meta, blobs, store.Options{})
		some(t, s, "1.0.0", "1.1.0")
		first, second := s.Hold(), s.Hold()
		if _, err := s.Unpublish(ctx, "@acme/ui", func(v string) bool { return v == "1.0.0" }, "", store.Edit{Where: ui, By: wendy}); err != nil {
			t.Fatal(err)
		}
		swept := func(want int) {
			t.Helper()
			if n, err := s.Sweep(ctx, true); n != want || err != nil {
				t.Errorf("%d were swept, %v; want %d", n, err, want)
			}
		}
		swept(0)
		first()
		first() // once is enough
		swept(0)
		second()
		swept(1)
	})
}
