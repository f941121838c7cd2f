package store_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"gatehouse/store"
	"gatehouse/store/blob"
	"gatehouse/store/kv"
	"gatehouse/store/memory"
	"gatehouse/store/packument"
	"gatehouse/store/packument/packumenttest"
)

func gunzip(t testing.TB, b []byte) []byte {
	t.Helper()
	r := bytes.NewReader(b)
	z, err := gzip.NewReader(r)
	if err != nil {
		t.Fatal(err)
	}
	z.Multistream(false)
	plain, err := io.ReadAll(z)
	if err != nil || r.Len() != 0 {
		t.Fatalf("%v, %d bytes behind the member", err, r.Len())
	}
	return plain
}

var bases = []string{base, "https://other.test/npm/"}

// same checks that each document of s is the one that a store makes which has just been opened and never compressed a thing: byte for
// byte, in every form.
func same(t testing.TB, s *store.Store, meta kv.Store, blobs blob.Store, name string) {
	t.Helper()
	head, err := s.Head(ctx, name)
	if errors.Is(err, store.ErrNotFound) {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := store.Open(ctx, meta, blobs, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range bases {
		for _, form := range []packument.Form{packument.Full, packument.Short} {
			want, err := fresh.Document(ctx, head, form, b, false)
			if err != nil {
				t.Fatal(err)
			}
			if !json.Valid(want.Body) {
				t.Fatalf("not JSON: %s", want.Body)
			}
			plain, err := s.Document(ctx, head, form, b, false)
			if err != nil {
				t.Fatal(err)
			}
			stitched, err := s.Document(ctx, head, form, b, true)
			if err != nil {
				t.Fatal(err)
			}
			if got := gunzip(t, stitched.Body); !bytes.Equal(got, want.Body) || !bytes.Equal(plain.Body, want.Body) {
				t.Fatalf("form %d for %s:\nstitched %s\nplain    %s\nfresh    %s", form, b, got, plain.Body, want.Body)
			}
		}
	}
}

// FuzzDocument changes a package through two stores on the same data, as two processes would, and reads it through both: each byte is
// a change, and whether it is read after it.
func FuzzDocument(f *testing.F) {
	f.Add([]byte{0, 0x40, 0x80, 0xc0, 1, 2, 3, 4, 5, 6})
	f.Add(bytes.Repeat([]byte{0}, 20))
	f.Add(bytes.Repeat([]byte{0x40, 0x81, 0xc3}, 15))
	for seed := range uint64(6) {
		random := make([]byte, 50)
		for i, r := 0, rand.New(rand.NewPCG(seed, 1)); i < len(random); i++ {
			random[i] = byte(r.Uint32())
		}
		f.Add(random)
	}
	f.Fuzz(func(t *testing.T, steps []byte) {
		const name = "@acme/ui"
		meta, blobs := memory.NewKV(), memory.NewBlob()
		now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		clock := store.Options{Now: func() time.Time { return now }}
		stores := []*store.Store{open(t, meta, blobs, clock), open(t, meta, blobs, clock)}
		for _, s := range stores {
			s.SetBlockSize(3)
		}
		edit := store.Edit{Where: ui, By: wendy}
		for i, step := range steps[:min(len(steps), 60)] {
			s := stores[step>>6&1]
			if step>>5&1 == 0 {
				now = now.Add(time.Second) // or two at one time
			}
			published := fmt.Sprintf("1.%d.0", int(step&0x1f)%max(i, 1))
			var err error
			switch step & 7 {
			case 0, 1, 2:
				err = publish(t, s, packumenttest.Package{Name: name, Version: fmt.Sprintf("1.%d.0", i)}, wendy)
			case 3:
				_, err = s.Deprecate(ctx, name, map[string]string{published: fmt.Sprint("old ", i)}, edit)
			case 4:
				_, err = s.Unpublish(ctx, name, func(v string) bool { return v != published }, "", edit)
			case 5:
				_, err = s.Star(ctx, name, step&8 == 0, rita)
			case 6:
				_, err = s.Publish(ctx, store.Publication{Upload: upload(t, packumenttest.Package{Name: name, Version: published, Files: map[string]string{"n": fmt.Sprint(i)}}), Binding: ui, By: wendy, Replace: true})
			case 7:
				if step&0x18 == 0x18 {
					_, err = s.UnpublishAll(ctx, name, edit)
				}
			}
			if gone := (*store.Gone)(nil); err != nil && !errors.Is(err, store.ErrNotFound) && !errors.As(err, &gone) {
				t.Fatalf("step %d: %v", i, err)
			}
			if step>>7 == 0 {
				same(t, stores[i&1], meta, blobs, name)
			}
		}
		for _, s := range stores {
			same(t, s, meta, blobs, name)
		}
	})
}

// TestOnlyWhatChangedIsCompressed: a publish compresses the newest block, and a deprecation that of its version.
func TestOnlyWhatChangedIsCompressed(t *testing.T) {
	meta := &counted{Store: memory.NewKV()}
	s := open(t, meta, memory.NewBlob(), store.Options{})
	s.SetBlockSize(4)
	read := func() (compressed, rows int) {
		t.Helper()
		head, err := s.Head(ctx, "@acme/ui")
		if err != nil {
			t.Fatal(err)
		}
		before := s.Compressed()
		meta.gets, meta.scans = 0, 0
		if _, err := s.Document(ctx, head, packument.Short, base, true); err != nil {
			t.Fatal(err)
		}
		if meta.scans != 0 {
			rows = 1000
		}
		return s.Compressed() - before, rows + meta.gets
	}
	for i := range 10 {
		if err := publish(t, s, packumenttest.Package{Name: "@acme/ui", Version: fmt.Sprintf("1.%d.0", i)}, wendy); err != nil {
			t.Fatal(err)
		}
	}
	if n, rows := read(); n != 3 || rows < 1000 {
		t.Errorf("the first read compresses %d blocks of 3, %d rows", n, rows)
	}
	if err := publish(t, s, packumenttest.Package{Name: "@acme/ui", Version: "2.0.0"}, wendy); err != nil {
		t.Fatal(err)
	}
	if n, rows := read(); n != 1 || rows != 3+1 {
		t.Errorf("a publish into a block of two: %d blocks are compressed, %d rows are read", n, rows)
	}
	if _, err := s.Deprecate(ctx, "@acme/ui", map[string]string{"1.5.0": "old"}, store.Edit{Where: ui, By: wendy}); err != nil {
		t.Fatal(err)
	}
	if n, rows := read(); n != 1 || rows != 4+1 {
		t.Errorf("a deprecation: %d blocks are compressed, %d rows are read", n, rows)
	}
	if _, err := s.Star(ctx, "@acme/ui", true, rita); err != nil {
		t.Fatal(err)
	}
	if n, rows := read(); n != 0 || rows != 1 {
		t.Errorf("a star: %d blocks are compressed, %d rows are read", n, rows)
	}
}

// counted counts what is read.
type counted struct {
	kv.Store
	gets, scans int
}

func (c *counted) Get(ctx context.Context, key []byte) (kv.Entry, error) {
	c.gets++
	return c.Store.Get(ctx, key)
}

func (c *counted) Scan(ctx context.Context, from, to []byte) iter.Seq2[kv.Entry, error] {
	c.scans++
	return c.Store.Scan(ctx, from, to)
}

// TestOldDocumentsTakeNoRoom: a package that changes all the time has its newest documents in memory, not all that there ever were.
func TestOldDocumentsTakeNoRoom(t *testing.T) {
	s := open(t, memory.NewKV(), memory.NewBlob(), store.Options{})
	for i := range 20 {
		if err := publish(t, s, packumenttest.Package{Name: "@acme/ui", Version: fmt.Sprintf("%d.0.0", i)}, wendy); err != nil {
			t.Fatal(err)
		}
		head, err := s.Head(ctx, "@acme/ui")
		if err != nil {
			t.Fatal(err)
		}
		for form := range packument.Form(2) {
			for _, gzipped := range []bool{true, false} {
				d, err := s.Document(ctx, head, form, base, gzipped)
				if err != nil || d.ETag != head.ETag(form, base, gzipped) {
					t.Fatal(d, err)
				}
				if again, err := s.Document(ctx, head, form, base, gzipped); again != d {
					t.Errorf("not kept: %v", err)
				}
			}
		}
	}
	if n := s.Documents(); n != 4 {
		t.Errorf("%d documents are kept", n)
	}
}

// TestDocumentsWhileTheyChange: readers of every form beside writers get whole documents only.
func TestDocumentsWhileTheyChange(t *testing.T) {
	engines(t, func(t *testing.T, meta kv.Store, blobs blob.Store) {
		s := open(t, meta, blobs, store.Options{})
		s.SetBlockSize(5)
		const writers, each = 4, 12
		var uploads [writers][each]*packument.Upload
		for w := range writers {
			for i := range each {
				uploads[w][i] = upload(t, packumenttest.Package{Name: "@acme/ui", Version: fmt.Sprintf("%d.%d.0", w, i)})
			}
		}
		done := make(chan struct{})
		var writing, reading sync.WaitGroup
		for w := range writers {
			writing.Go(func() {
				for i, u := range uploads[w] {
					if _, err := s.Publish(ctx, store.Publication{Upload: u, Binding: ui, By: wendy}); err != nil {
						t.Error(err)
					}
					if i%4 == 3 {
						if _, err := s.Deprecate(ctx, "@acme/ui", map[string]string{fmt.Sprintf("%d.%d.0", w, i-1): "old"}, store.Edit{Where: ui, By: wendy}); err != nil {
							t.Error(err)
						}
					}
				}
			})
		}
		for form := range 2 {
			for _, gzipped := range []bool{true, false} {
				reading.Go(func() {
					for {
						select {
						case <-done:
							return
						default:
						}
						head, err := s.Head(ctx, "@acme/ui")
						if errors.Is(err, store.ErrNotFound) {
							continue
						}
						d, err := s.Document(ctx, head, packument.Form(form), base, gzipped)
						if errors.Is(err, store.ErrBusy) {
							continue
						}
						if err != nil {
							t.Error(err)
							return
						}
						body := d.Body
						if gzipped {
							body = gunzip(t, body)
						}
						var got document
						if err := json.Unmarshal(body, &got); err != nil {
							t.Errorf("%v: %s", err, body)
							return
						}
						if len(got.Time) != len(got.Versions)+2 {
							t.Errorf("%d versions and %d times", len(got.Versions), len(got.Time))
						}
						if got.Versions[got.DistTags["latest"]].Version == "" {
							t.Error("latest dangles")
						}
					}
				})
			}
		}
		writing.Wait()
		close(done)
		reading.Wait()
		same(t, s, meta, blobs, "@acme/ui")
		if d := whole(t, s, "@acme/ui"); len(d.Versions) != writers*each {
			t.Errorf("%d versions", len(d.Versions))
		}
	})
}

// TestRowsChangedBehindTheHead: a repair may write a row without a change of the head. Documents made later show it.
func TestRowsChangedBehindTheHead(t *testing.T) {
	meta, blobs := memory.NewKV(), memory.NewBlob()
	s := open(t, meta, blobs, store.Options{})
	if err := publish(t, s, packumenttest.Package{Name: "@acme/ui", Version: "1.0.0", Manifest: map[string]any{"license": "MIT"}}, wendy); err != nil {
		t.Fatal(err)
	}
	same(t, s, meta, blobs, "@acme/ui")
	row, err := meta.Get(ctx, []byte("v\x00@acme/ui\x001.0.0"))
	if err != nil {
		t.Fatal(err)
	}
	changed := kv.Entry{Key: row.Key, Value: bytes.ReplaceAll(row.Value, []byte("MIT"), []byte("ISC"))}
	if err := meta.Apply(ctx, kv.Batch{Put: []kv.Entry{changed}}); err != nil {
		t.Fatal(err)
	}
	head, err := s.Head(ctx, "@acme/ui")
	if err != nil {
		t.Fatal(err)
	}
	d, err := s.Document(ctx, head, packument.Full, "http://new.test/", true)
	if err != nil || !bytes.Contains(gunzip(t, d.Body), []byte("ISC")) {
		t.Errorf("the row as it was: %v", err)
	}
}
