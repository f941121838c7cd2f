// Package storetest has what the tests of package store, and of those above it, begin with.
package storetest

import (
	"bytes"
	"testing"

	"gatehouse/store/blob"
	"gatehouse/store/disk"
	"gatehouse/store/kv"
	"gatehouse/store/leveldb"
	"gatehouse/store/memory"
	"gatehouse/store/packument"
	"gatehouse/store/packument/packumenttest"
)

// Engines runs a test on both pairs of engines that need no server.
func Engines(t *testing.T, test func(t *testing.T, meta kv.Store, blobs blob.Store)) {
	t.Run("memory", func(t *testing.T) { test(t, memory.NewKV(), memory.NewBlob()) })
	t.Run("leveldb and disk", func(t *testing.T) {
		meta, blobs := OnDisk(t)
		test(t, meta, blobs)
	})
}

// OnDisk opens a LevelDB and a folder that go with the test.
func OnDisk(t testing.TB) (kv.Store, blob.Store) {
	t.Helper()
	meta, err := leveldb.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = meta.Close() })
	blobs, err := disk.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = blobs.Close() })
	return meta, blobs
}

// Upload reads a publish of the package, as the registry does. It is closed with the test.
func Upload(t testing.TB, p packumenttest.Package) *packument.Upload {
	t.Helper()
	name, err := packument.ParseName(p.Name)
	if err != nil {
		t.Fatal(err)
	}
	limits := packument.DefaultLimits
	limits.Tarball = 10 << 20
	u, err := packument.ReadPublish(t.Context(), bytes.NewReader(p.Body()), name, limits, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = u.Close() })
	return u
}
