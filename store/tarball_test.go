package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"gatehouse/store"
	"gatehouse/store/blob"
	"gatehouse/store/kv"
	"gatehouse/store/memory"
	"gatehouse/store/packument/packumenttest"
)

// sized is a package whose tarball is of about so many bytes.
func sized(n int, seed byte) packumenttest.Package {
	content := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{seed}).Read(content)
	return packumenttest.Package{Name: "@acme/ui", Version: "1.0.0", Files: map[string]string{"asset": string(content)}}
}

// TestTarballsFollowTheHead: what one process has in memory of a version ends with the change that another makes to it.
func TestTarballsFollowTheHead(t *testing.T) {
	for _, size := range []int{1 << 10, 1 << 20} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			engines(t, func(t *testing.T, meta kv.Store, blobs blob.Store) {
				reader, writer := open(t, meta, blobs, store.Options{}), open(t, meta, blobs, store.Options{})
				read := func() ([]byte, error) {
					head, err := reader.Head(ctx, "@acme/ui")
					if err != nil {
						return nil, err
					}
					o, record, err := reader.Tarball(ctx, head, "1.0.0")
					if err != nil {
						return nil, err
					}
					content, err := io.ReadAll(o.Body)
					if o.Size != int64(len(content)) || record.Size != o.Size {
						t.Errorf("%d bytes, %d announced, %d on record", len(content), o.Size, record.Size)
					}
					return content, errors.Join(err, o.Body.Close())
				}
				first, second := sized(size, 1), sized(size, 2)
				if err := publish(t, writer, first, wendy); err != nil {
					t.Fatal(err)
				}
				for range 2 {
					if got, err := read(); err != nil || !bytes.Equal(got, first.Tarball()) {
						t.Fatalf("not what was published: %v", err)
					}
				}
				if _, err := writer.Publish(ctx, store.Publication{Upload: upload(t, second), Binding: ui, By: wendy, Replace: true}); err != nil {
					t.Fatal(err)
				}
				if got, err := read(); err != nil || !bytes.Equal(got, second.Tarball()) {
					t.Errorf("not what it was replaced with: %v", err)
				}
				if _, err := writer.UnpublishAll(ctx, "@acme/ui", store.Edit{Where: ui, By: wendy}); err != nil {
					t.Fatal(err)
				}
				if _, err := read(); !isGone(err) {
					t.Errorf("unpublished: %v", err)
				}
			})
		})
	}
}

func isGone(err error) bool {
	gone := (*store.Gone)(nil)
	return errors.As(err, &gone)
}

// TestDamagedTarball: bytes that are not those on record are not kept, and not served as if they were.
func TestDamagedTarball(t *testing.T) {
	blobs := &short{Store: memory.NewBlob()}
	s := open(t, memory.NewKV(), blobs, store.Options{})
	if err := publish(t, s, sized(1<<10, 1), wendy); err != nil {
		t.Fatal(err)
	}
	head, err := s.Head(ctx, "@acme/ui")
	if err != nil {
		t.Fatal(err)
	}
	blobs.by = 1
	if _, _, err := s.Tarball(ctx, head, "1.0.0"); err == nil {
		t.Error("a tarball that is a byte short is served")
	}
	blobs.by = 0
	if _, _, err := s.Tarball(ctx, head, "1.0.0"); err != nil {
		t.Error(err)
	}
}

// short is a blob store whose objects lack some bytes at their end.
type short struct {
	blob.Store
	by int64
}

func (s *short) Open(ctx context.Context, key string) (*blob.Object, error) {
	o, err := s.Store.Open(ctx, key)
	if err == nil {
		o.Size -= s.by
	}
	return o, err
}
