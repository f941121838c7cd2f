package migrate_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"gatehouse/scopes"
	"gatehouse/store"
	"gatehouse/store/blob"
	"gatehouse/store/disk"
	"gatehouse/store/fsck"
	"gatehouse/store/memory"
	"gatehouse/store/migrate"
	"gatehouse/store/packument/packumenttest"
	"gatehouse/store/storetest"
)

var ctx = context.Background()

func onDisk(t *testing.T) blob.Store {
	t.Helper()
	s, err := disk.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// registry publishes versions into a storage and returns their keys.
func registry(t *testing.T, meta *memory.KV, blobs blob.Store, versions int) (*store.Store, []string) {
	t.Helper()
	s, err := store.Open(ctx, meta, blobs, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for i := range versions {
		p := packumenttest.Package{Name: "@acme/ui", Version: fmt.Sprintf("1.0.%d", i)}
		if _, err := s.Publish(ctx, store.Publication{Upload: storetest.Upload(t, p), By: scopes.Principal{Login: "wendy"}}); err != nil {
			t.Fatal(err)
		}
	}
	for e, err := range s.Entries(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		if tarball, ok := store.TarballOf(e); ok {
			keys = append(keys, tarball.Key)
		}
	}
	return s, keys
}

func sound(t *testing.T, meta *memory.KV, blobs blob.Store) {
	t.Helper()
	s, err := store.Open(ctx, meta, blobs, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fsck.New(s, blobs, fsck.Options{Found: func(f fsck.Finding) { t.Errorf("%+v", f) }}).Run(ctx); err != nil {
		t.Fatal(err)
	}
}

func spoil(t *testing.T, s blob.Store, key string) {
	t.Helper()
	o, err := s.Open(ctx, key)
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(o.Body)
	content[20] ^= 1
	if err := errors.Join(err, o.Body.Close(), s.Delete(ctx, key), s.Put(ctx, key, int64(len(content)), bytes.NewReader(content))); err != nil {
		t.Fatal(err)
	}
}

func TestCopy(t *testing.T) {
	for name, engines := range map[string]func(t *testing.T) (from, to blob.Store){
		"disk to memory": func(t *testing.T) (from, to blob.Store) { return onDisk(t), memory.NewBlob() },
		"memory to disk": func(t *testing.T) (from, to blob.Store) { return memory.NewBlob(), onDisk(t) },
	} {
		t.Run(name, func(t *testing.T) {
			from, to := engines(t)
			meta := memory.NewKV()
			s, keys := registry(t, meta, from, 20)
			// An orphan stays behind.
			if err := from.Put(ctx, "@acme/ui/orphan.tgz", 1, bytes.NewReader([]byte("x"))); err != nil {
				t.Fatal(err)
			}
			// A first run that was cut off: some are there, one of them with other bytes.
			cancelled, cancel := context.WithCancel(ctx)
			sum, err := migrate.Copy(cancelled, s, from, to, migrate.Options{Progress: func(s migrate.Summary) {
				if s.Copied == 5 {
					cancel()
				}
			}})
			if !errors.Is(err, context.Canceled) || sum.Copied < 5 || sum.Copied > 12 {
				t.Fatalf("%+v, %v", sum, err)
			}
			for _, key := range keys {
				if o, err := to.Open(ctx, key); err == nil {
					_ = o.Body.Close()
					spoil(t, to, key)
					break
				}
			}
			again, err := migrate.Copy(ctx, s, from, to, migrate.Options{})
			if err != nil || again.There < sum.Copied-1 || again.There > sum.Copied+3 || again.Copied != 20-again.There || again.Bytes == 0 || len(again.Damaged) != 0 {
				t.Errorf("%+v, %v", again, err)
			}
			if quick, err := migrate.Copy(ctx, s, from, to, migrate.Options{Quick: true}); err != nil || quick.There != 20 {
				t.Errorf("%+v, %v", quick, err)
			}
			sound(t, meta, to)
		})
	}
}

// TestDamagedSource: what is lost is told, not copied, and keeps nothing else from being copied.
func TestDamagedSource(t *testing.T) {
	from, to := onDisk(t), memory.NewBlob()
	meta := memory.NewKV()
	s, keys := registry(t, meta, from, 4)
	spoil(t, from, keys[1])
	if err := from.Delete(ctx, keys[2]); err != nil {
		t.Fatal(err)
	}
	sum, err := migrate.Copy(ctx, s, from, to, migrate.Options{})
	if err != nil || sum.Copied != 2 || len(sum.Damaged) != 2 {
		t.Errorf("%+v, %v", sum, err)
	}
	for _, key := range keys[1:3] {
		if _, err := to.Open(ctx, key); !errors.Is(err, blob.ErrNotFound) {
			t.Errorf("%s was copied: %v", key, err)
		}
	}
}
