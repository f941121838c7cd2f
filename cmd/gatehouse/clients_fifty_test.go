package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha1"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"

	"gatehouse/cmd/gatehouse/clienttest"
)

// Fifty people publish fifty versions of one package, eight at a time, the first version among them: all of them are there afterwards,
// each with its own bytes.
func TestClientsFiftyPublishers(t *testing.T) {
	const versions, atOnce = 50, 8
	c := cell{clienttest.Named(t, "npm-11"), startRegistry(t), nil}
	name := c.name("busy")
	users, folders := make([]*clienttest.User, versions), make([]string, versions)
	for i := range versions {
		users[i] = c.user(t, c.at.github.Wendy)
		users[i].Env = []string{"npm_config_ignore_scripts=true"}
		folders[i] = library(t, name, fmt.Sprintf("1.0.%d", i), fmt.Sprintf("'the bytes of 1.0.%d'", i))
	}

	results := make([]clienttest.Result, versions)
	turns := make(chan struct{}, atOnce)
	var all sync.WaitGroup
	for i := range versions {
		all.Go(func() {
			turns <- struct{}{}
			defer func() { <-turns }()
			results[i] = users[i].Publish(folders[i], "latest")
		})
	}
	all.Wait()
	for _, r := range results {
		if !r.OK() {
			t.Errorf("this should have succeeded:\n%v", r)
		}
	}

	packument := c.at.packument(t, name)
	if len(packument.Versions) != versions {
		t.Errorf("there are %d versions, want %d", len(packument.Versions), versions)
	}
	if _, ok := packument.Versions[packument.Tags["latest"]]; !ok {
		t.Errorf("the tags are %v", packument.Tags)
	}
	for i := range versions {
		version := fmt.Sprintf("1.0.%d", i)
		dist := packument.Versions[version].Dist
		tarball := c.at.read(t, fmt.Sprintf("/%s/-/busy-npm-11-%s.tgz", name, version))
		strong, weak := sha512.Sum512(tarball), sha1.Sum(tarball)
		if want := "sha512-" + base64.StdEncoding.EncodeToString(strong[:]); dist.Integrity != want {
			t.Errorf("%s: its integrity is %s, its bytes have %s", version, dist.Integrity, want)
		}
		if want := hex.EncodeToString(weak[:]); dist.Shasum != want {
			t.Errorf("%s: its shasum is %s, its bytes have %s", version, dist.Shasum, want)
		}
		if got := packedVersion(t, tarball); got != version {
			t.Errorf("%s has the bytes of %s", version, got)
		}
	}
}

// packedVersion is the version in the package.json of a tarball.
func packedVersion(t *testing.T, tarball []byte) string {
	t.Helper()
	zip, err := gzip.NewReader(bytes.NewReader(tarball))
	if err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(zip); ; {
		entry, err := r.Next()
		if errors.Is(err, io.EOF) {
			t.Fatal("the tarball has no package.json")
		}
		if err != nil {
			t.Fatal(err)
		}
		if entry.Name != "package/package.json" {
			continue
		}
		var manifest struct{ Version string }
		if err := json.NewDecoder(r).Decode(&manifest); err != nil {
			t.Fatal(err)
		}
		return manifest.Version
	}
}
