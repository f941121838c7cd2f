package fsck_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/scopes"
	"gatehouse/store"
	"gatehouse/store/blob"
	"gatehouse/store/fsck"
	"gatehouse/store/kv"
	"gatehouse/store/packument"
	"gatehouse/store/packument/packumenttest"
	"gatehouse/store/storetest"
)

var (
	ctx   = context.Background()
	wendy = scopes.Principal{Kind: scopes.Person, ID: 1, Login: "wendy"}
	bound = scopes.Binding{Kind: scopes.GitHub, Repo: scopes.Repo{ID: 7, OwnerID: 1, Owner: "acme", Name: "ui"}}
)

// lab is a registry whose engines can be damaged.
type lab struct {
	*testing.T
	meta  kv.Store
	blobs blob.Store
	store *store.Store
	now   time.Time
}

// engines runs a test on both pairs of engines.
func engines(t *testing.T, test func(l *lab)) {
	storetest.Engines(t, func(t *testing.T, meta kv.Store, blobs blob.Store) {
		l := &lab{T: t, meta: meta, blobs: blobs, now: time.Now()}
		var err error
		if l.store, err = store.Open(ctx, meta, blobs, store.Options{Now: func() time.Time { return l.now }}); err != nil {
			t.Fatal(err)
		}
		test(l)
	})
}

func (l *lab) publish(name string, versions ...string) {
	l.Helper()
	for _, v := range versions {
		p := packumenttest.Package{Name: name, Version: v, Tag: "for-" + strings.ReplaceAll(v, ".", "-"), Repository: "github:acme/ui"}
		if _, err := l.store.Publish(ctx, store.Publication{Upload: storetest.Upload(l, p), Binding: bound, By: wendy}); err != nil {
			l.Fatal(err)
		}
	}
}

// check returns the findings as "kind package@version", sorted, and makes sure that their words are sentences.
func (l *lab) check(o fsck.Options) []string {
	l.Helper()
	all, _ := l.run(o, false)
	return all
}

func (l *lab) run(o fsck.Options, repair bool) ([]string, fsck.Summary) {
	l.Helper()
	var all []string
	o.Found = func(f fsck.Finding) {
		all = append(all, strings.TrimRight(fmt.Sprintf("%s: %s@%s", f.Kind, f.Package, f.Version), "@"))
		if f.Words == "" || strings.HasSuffix(f.Words, ".") {
			l.Errorf("%s says %q", f.Kind, f.Words)
		}
	}
	o.Now = func() time.Time { return l.now }
	o.By = store.Actor{Login: "gatehouse fsck"}
	c := fsck.New(l.store, l.blobs, o)
	sum, err := c.Run(ctx)
	if err == nil && repair {
		sum, err = c.Repair(ctx)
	}
	if err != nil {
		l.Fatal(err)
	}
	if sum.Findings != len(all) {
		l.Errorf("%d findings were counted, and %d told", sum.Findings, len(all))
	}
	slices.Sort(all)
	return all, sum
}

func (l *lab) expect(want ...string) {
	l.Helper()
	slices.Sort(want)
	if got := l.check(fsck.Options{}); !slices.Equal(got, want) {
		l.Errorf("found\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// repair repairs, and expects that nothing is left to be found and that a second repair changes nothing.
func (l *lab) repair() {
	l.Helper()
	found, sum := l.run(fsck.Options{}, true)
	if sum.Left() != 0 {
		l.Errorf("of %d findings %d were repaired: %q", sum.Findings, sum.Repaired, found)
	}
	l.expect()
	before := l.events()
	l.run(fsck.Options{}, true)
	if after := l.events(); len(after) != len(before) {
		l.Errorf("a second repair did something: %v", after[len(before):])
	}
}

func (l *lab) events() (all []store.Event) {
	l.Helper()
	for row, err := range l.meta.Scan(ctx, []byte("e\x00"), []byte("e\x01")) {
		var e store.Event
		if err := errors.Join(err, json.Unmarshal(row.Value, &e)); err != nil {
			l.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}

// tarball is the key of a version's object.
func (l *lab) tarball(name, version string) string {
	l.Helper()
	r, err := l.store.Record(ctx, name)
	if err != nil {
		l.Fatal(err)
	}
	for _, v := range r.Versions {
		if v.Number == version {
			return v.Blob
		}
	}
	l.Fatalf("no %s@%s", name, version)
	return ""
}

// spoil changes the bytes of an object.
func (l *lab) spoil(key string, change func([]byte) []byte) {
	l.Helper()
	o, err := l.blobs.Open(ctx, key)
	if err != nil {
		l.Fatal(err)
	}
	content, err := io.ReadAll(o.Body)
	content = change(content)
	if err := errors.Join(err, o.Body.Close(), l.blobs.Delete(ctx, key), l.blobs.Put(ctx, key, int64(len(content)), bytes.NewReader(content))); err != nil {
		l.Fatal(err)
	}
}

func (l *lab) apply(b kv.Batch) {
	l.Helper()
	if err := l.meta.Apply(ctx, b); err != nil {
		l.Fatal(err)
	}
}

func (l *lab) put(key, value string) {
	l.Helper()
	l.apply(kv.Batch{Put: []kv.Entry{{Key: []byte(key), Value: []byte(value)}}})
}

func (l *lab) delete(keys ...string) {
	l.Helper()
	for _, key := range keys {
		l.apply(kv.Batch{Delete: [][]byte{[]byte(key)}})
	}
}

func (l *lab) get(key string) string {
	l.Helper()
	e, err := l.meta.Get(ctx, []byte(key))
	if err != nil && !errors.Is(err, kv.ErrNotFound) {
		l.Fatal(err)
	}
	return string(e.Value)
}

// editHead changes the JSON of a head.
func (l *lab) editHead(name string, edit func(map[string]any)) {
	l.Helper()
	head := map[string]any{}
	if err := json.Unmarshal([]byte(l.get("p\x00"+name)), &head); err != nil {
		l.Fatal(err)
	}
	edit(head)
	value, err := json.Marshal(head)
	if err != nil {
		l.Fatal(err)
	}
	l.put("p\x00"+name, string(value))
}

// served makes sure that a package can be read: its document and the tarballs of its versions.
func (l *lab) served(name string, versions ...string) store.Head {
	l.Helper()
	head, err := l.store.Head(ctx, name)
	if err != nil {
		l.Fatal(err)
	}
	if _, err := l.store.Document(ctx, head, packument.Full, "http://registry.test/", false); err != nil {
		l.Error(err)
	}
	there, err := l.store.Versions(ctx, name)
	if err != nil || !slices.Equal(there, versions) {
		l.Errorf("%s has the versions %q, %v; want %q", name, there, err, versions)
	}
	for _, v := range versions {
		o, _, err := l.store.Tarball(ctx, head, v)
		if err != nil {
			l.Errorf("%s@%s: %v", name, v, err)
			continue
		}
		_ = o.Body.Close()
	}
	return head
}
