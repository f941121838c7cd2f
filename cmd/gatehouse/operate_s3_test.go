package main

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"gatehouse/githubauth/githubtest"
)

// TestStorageThereAndBack goes over from a folder to a bucket and back, and checks, saves and restores on the way.
func TestStorageThereAndBack(t *testing.T) {
	t.Parallel()
	github := githubtest.Acme().Start()
	defer github.Close()
	b := newBucket(t)
	data, other, file := t.TempDir(), t.TempDir(), filepath.Join(t.TempDir(), "gatehouse.tar")
	inFolder, inBucket := append(b.flags(), "--storage.type=local"), b.flags()
	with := func(flags []string, args ...string) []string { return append(args, flags...) }

	i := launch(t, self(t), data, github, inFolder...)
	fill(t, i, github.Wendy, "@acme/ui", "1.0.0", "1.1.0")
	fill(t, i, github.Wendy, "@acme/ui-kit", "1.0.0")
	expectCommand(t, data, 1, `the registry is running: stop it first`, with(inFolder, "migrate", "storage", "--to", "s3")...)
	i.terminate(t)
	expectCommand(t, data, 1, `there is no such storage`, with(inFolder, "migrate", "storage", "--to", "floppy")...)
	expectCommand(t, data, 0, `Copied 3 tarballs(?s:.*)Now set storage.type to s3`, with(inFolder, "migrate", "storage", "--to", "s3")...)
	expectCommand(t, data, 0, `Copied 0 tarballs .*; 3 were there`, with(inFolder, "migrate", "storage", "--to", "s3")...)
	if err := os.Rename(filepath.Join(data, "storage"), filepath.Join(data, "old")); err != nil {
		t.Fatal(err)
	}

	i = launch(t, self(t), data, github, inBucket...)
	if status, _ := get(t, i.url+"/@acme/ui/-/ui-1.1.0.tgz", github.Rita); status != http.StatusOK {
		t.Errorf("from the bucket: %d", status)
	}
	fill(t, i, github.Wendy, "@acme/ui", "2.0.0")
	expectCommand(t, data, 0, `4 objects of the storage(?s:.*)Nothing is wrong`, with(inBucket, "fsck")...)
	expectCommand(t, data, 0, `Saved 2 packages with 4 tarballs`, with(inBucket, "backup", file)...)
	i.terminate(t)
	expectCommand(t, other, 1, `there are data already`, with(inBucket, "restore", file)...)
	expectCommand(t, other, 0, `Restored 2 packages with 4 tarballs`, with(inFolder, "restore", file)...)
	expectCommand(t, other, 0, `Nothing is wrong`, with(inFolder, "fsck")...)

	expectCommand(t, data, 0, `Copied 4 tarballs`, with(inBucket, "migrate", "storage", "--to", "local")...)
	expectCommand(t, data, 0, `4 objects of the storage(?s:.*)Nothing is wrong`, with(inFolder, "fsck")...)

	// An object that is lost from the bucket is found and repaired as on a disk.
	objects := b.objects(t)
	b.remove(t, objects[0])
	expectCommand(t, data, 2, `tarball missing`, with(inBucket, "fsck")...)
	expectCommand(t, data, 0, `1 finding, all repaired`, with(inBucket, "fsck", "--repair", "--quick")...)
	expectCommand(t, data, 0, `Nothing is wrong`, with(inBucket, "fsck")...)
}
