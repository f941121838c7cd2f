package store_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/scopes"
	"gatehouse/store"
	"gatehouse/store/blob"
	"gatehouse/store/kv"
	"gatehouse/store/memory"
	"gatehouse/store/packument"
	"gatehouse/store/packument/packumenttest"
	"gatehouse/store/storetest"
)

var (
	wendy = scopes.Principal{Kind: scopes.Person, ID: 1, Login: "wendy"}
	rita  = scopes.Principal{Kind: scopes.Person, ID: 2, Login: "rita"}
	ui    = scopes.Binding{Kind: scopes.GitHub, Repo: scopes.Repo{ID: 7, OwnerID: 1, Owner: "acme", Name: "ui"}}
	other = scopes.Binding{Kind: scopes.GitHub, Repo: scopes.Repo{ID: 8, OwnerID: 1, Owner: "acme", Name: "other"}}
	ctx   = context.Background()
)

const base = "http://registry.test/"

var (
	engines = storetest.Engines
	upload  = storetest.Upload
)

func open(t *testing.T, meta kv.Store, blobs blob.Store, o store.Options) *store.Store {
	t.Helper()
	s, err := store.Open(ctx, meta, blobs, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func publish(t testing.TB, s *store.Store, p packumenttest.Package, by scopes.Principal) error {
	t.Helper()
	_, err := s.Publish(ctx, store.Publication{Upload: upload(t, p), Binding: ui, By: by, Publisher: packument.Publisher{Name: by.Login}})
	return err
}

type document struct {
	Rev      string            `json:"_rev"`
	DistTags map[string]string `json:"dist-tags"`
	Versions map[string]struct {
		Version    string
		Deprecated string
		Dist       struct{ Tarball, Integrity string }
	}
	Time map[string]any
}

func read(t testing.TB, s *store.Store, name string) (d document) {
	t.Helper()
	head, err := s.Head(ctx, name)
	if err != nil {
		t.Fatal(err)
	}
	full, err := s.Document(ctx, head, packument.Full, base, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(full.Body, &d); err != nil {
		t.Fatalf("%v\n%s", err, full.Body)
	}
	return d
}

// whole checks that what is listed is there: every version's bytes, every tag's version.
func whole(t testing.TB, s *store.Store, name string) document {
	t.Helper()
	d := read(t, s, name)
	head, err := s.Head(ctx, name)
	if err != nil {
		t.Fatal(err)
	}
	for version, v := range d.Versions {
		o, record, err := s.Tarball(ctx, head, version)
		if err != nil {
			t.Errorf("%s@%s: %v", name, version, err)
			continue
		}
		content, err := io.ReadAll(o.Body)
		_ = o.Body.Close()
		if err != nil || int64(len(content)) != record.Size || v.Dist.Integrity != record.Integrity || v.Version != version {
			t.Errorf("%s@%s: %d bytes of %d, %v", name, version, len(content), record.Size, err)
		}
		if d.Time[version] == nil {
			t.Errorf("%s@%s has no time", name, version)
		}
	}
	for tag, version := range d.DistTags {
		if _, ok := d.Versions[version]; !ok {
			t.Errorf("the tag %s of %s names %s, which is not listed", tag, name, version)
		}
	}
	if d.DistTags["latest"] == "" {
		t.Errorf("%s has no latest", name)
	}
	return d
}

func TestPublishAndRead(t *testing.T) {
	engines(t, func(t *testing.T, meta kv.Store, blobs blob.Store) {
		s := open(t, meta, blobs, store.Options{})
		if _, err := s.Head(ctx, "@acme/ui"); !errors.Is(err, store.ErrNotFound) {
			t.Fatal(err)
		}
		first := packumenttest.Package{Name: "@acme/ui", Version: "1.0.0-beta.1", Tag: "beta", Repository: "github:acme/ui"}
		if err := publish(t, s, first, wendy); err != nil {
			t.Fatal(err)
		}
		d := whole(t, s, "@acme/ui")
		if d.DistTags["beta"] != "1.0.0-beta.1" || d.DistTags["latest"] != "1.0.0-beta.1" {
			t.Errorf("the first version is latest whatever its tag: %v", d.DistTags)
		}
		if got := d.Versions["1.0.0-beta.1"].Dist.Tarball; got != base+"@acme/ui/-/ui-1.0.0-beta.1.tgz" {
			t.Errorf("tarball at %s", got)
		}
		second := packumenttest.Package{Name: "@acme/ui", Version: "1.0.0", Repository: "github:acme/ui"}
		if err := publish(t, s, second, wendy); err != nil {
			t.Fatal(err)
		}
		d = whole(t, s, "@acme/ui")
		if len(d.Versions) != 2 || d.DistTags["latest"] != "1.0.0" || d.DistTags["beta"] != "1.0.0-beta.1" {
			t.Errorf("%v", d.DistTags)
		}
		head, _ := s.Head(ctx, "@acme/ui")
		if head.Binding != ui || d.Rev != head.Revision {
			t.Errorf("%+v", head)
		}
		o, _, err := s.Tarball(ctx, head, "1.0.0")
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(o.Body)
		if err := errors.Join(err, o.Body.Close()); err != nil || !bytes.Equal(got, second.Tarball()) {
			t.Errorf("the tarball is not what was published: %v", err)
		}
		if _, _, err := s.Tarball(ctx, head, "9.9.9"); !errors.Is(err, store.ErrNoVersion) {
			t.Error(err)
		}
		m, err := s.Manifest(ctx, head, head.Version("latest"), base)
		if err != nil || !strings.Contains(string(m), `"version":"1.0.0"`) {
			t.Errorf("%s %v", m, err)
		}
		for _, gzipped := range []bool{false, true} {
			for _, form := range []packument.Form{packument.Full, packument.Short} {
				d, err := s.Document(ctx, head, form, base, gzipped)
				if err != nil || d.ETag != head.ETag(form, base, gzipped) {
					t.Fatalf("%v", err)
				}
				body := d.Body
				if gzipped {
					z, err := gzip.NewReader(bytes.NewReader(body))
					if err != nil {
						t.Fatal(err)
					}
					if body, err = io.ReadAll(z); err != nil {
						t.Fatal(err)
					}
				}
				if !json.Valid(body) || !bytes.Contains(body, []byte(base+"@acme/ui/-/ui-1.0.0.tgz")) {
					t.Errorf("form %d gzip %t: %s", form, gzipped, body)
				}
			}
		}
	})
}

func TestETagsTellDocumentsApart(t *testing.T) {
	s := open(t, memory.NewKV(), memory.NewBlob(), store.Options{})
	seen := map[string]string{}
	note := func(what string) {
		head, err := s.Head(ctx, "@acme/ui")
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range []string{base, "https://other.test/"} {
			for _, gzipped := range []bool{false, true} {
				for _, form := range []packument.Form{packument.Full, packument.Short} {
					d, err := s.Document(ctx, head, form, b, gzipped)
					if err != nil {
						t.Fatal(err)
					}
					if was, ok := seen[d.ETag]; ok && was != string(d.Body) {
						t.Errorf("%s: the tag %s stands for two documents", what, d.ETag)
					}
					seen[d.ETag] = string(d.Body)
				}
			}
		}
	}
	for _, step := range []func() error{
		func() error { return publish(t, s, packumenttest.Package{Name: "@acme/ui", Version: "1.0.0"}, wendy) },
		func() error { return publish(t, s, packumenttest.Package{Name: "@acme/ui", Version: "1.1.0"}, wendy) },
		func() error {
			_, err := s.Tag(ctx, "@acme/ui", map[string]string{"old": "1.0.0"}, store.Edit{Where: ui, By: wendy})
			return err
		},
		func() error { _, err := s.Untag(ctx, "@acme/ui", "old", store.Edit{Where: ui, By: wendy}); return err },
	} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
		note("a step")
	}
	if len(seen) != 4*8 {
		t.Errorf("%d tags, want 32", len(seen))
	}
}

// TestVersionsAreForGood: a second publish of a version changes nothing, whoever sends it; only the repetition of a publish
// whose answer got lost succeeds.
func TestVersionsAreForGood(t *testing.T) {
	engines(t, func(t *testing.T, meta kv.Store, blobs blob.Store) {
		now := time.Now()
		s := open(t, meta, blobs, store.Options{Now: func() time.Time { return now }})
		one := packumenttest.Package{Name: "@acme/ui", Version: "1.0.0"}
		if err := publish(t, s, one, wendy); err != nil {
			t.Fatal(err)
		}
		before := read(t, s, "@acme/ui")
		if err := publish(t, s, one, wendy); err != nil {
			t.Errorf("a repeated publish: %v", err)
		}
		changed := one
		changed.Files = map[string]string{"index.js": "evil()"}
		if err := publish(t, s, changed, wendy); !errors.Is(err, store.ErrVersionExists) {
			t.Errorf("other bytes: %v", err)
		}
		if err := publish(t, s, one, rita); !errors.Is(err, store.ErrVersionExists) {
			t.Errorf("the same bytes by another: %v", err)
		}
		now = now.Add(time.Hour)
		if err := publish(t, s, one, wendy); !errors.Is(err, store.ErrVersionExists) {
			t.Errorf("the same bytes later: %v", err)
		}
		if after := whole(t, s, "@acme/ui"); after.Rev != before.Rev {
			t.Errorf("the package changed: %s, %s", before.Rev, after.Rev)
		}
		leftovers(t, s, meta, blobs, 0)
	})
}

func TestBindingIsFixed(t *testing.T) {
	s := open(t, memory.NewKV(), memory.NewBlob(), store.Options{})
	if err := publish(t, s, packumenttest.Package{Name: "@acme/ui", Version: "1.0.0"}, wendy); err != nil {
		t.Fatal(err)
	}
	u := upload(t, packumenttest.Package{Name: "@acme/ui", Version: "1.0.1"})
	if _, err := s.Publish(ctx, store.Publication{Upload: u, Binding: other, By: wendy}); !errors.Is(err, store.ErrRebound) {
		t.Errorf("a publish allowed for another repository: %v", err)
	}
	if _, err := s.Tag(ctx, "@acme/ui", map[string]string{"x": "1.0.0"}, store.Edit{Where: other, By: wendy}); !errors.Is(err, store.ErrRebound) {
		t.Errorf("a tag allowed for another repository: %v", err)
	}
	if _, err := s.Untag(ctx, "@acme/ui", "x", store.Edit{Where: scopes.Binding{}, By: wendy}); !errors.Is(err, store.ErrRebound) {
		t.Errorf("a tag removed for no repository: %v", err)
	}
}

func TestTags(t *testing.T) {
	engines(t, func(t *testing.T, meta kv.Store, blobs blob.Store) {
		s := open(t, meta, blobs, store.Options{})
		if _, err := s.Tag(ctx, "@acme/ui", map[string]string{"next": "1.0.0"}, store.Edit{Where: ui, By: wendy}); !errors.Is(err, store.ErrNotFound) {
			t.Error(err)
		}
		for _, v := range []string{"1.0.0", "1.1.0"} {
			if err := publish(t, s, packumenttest.Package{Name: "@acme/ui", Version: v}, wendy); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := s.Tag(ctx, "@acme/ui", map[string]string{"next": "1.0.0"}, store.Edit{Where: ui, By: wendy}); err != nil {
			t.Error(err)
		}
		rev := whole(t, s, "@acme/ui").Rev
		if _, err := s.Tag(ctx, "@acme/ui", map[string]string{"next": "1.0.0"}, store.Edit{Where: ui, By: wendy}); err != nil || read(t, s, "@acme/ui").Rev != rev {
			t.Errorf("the same tag again changed something: %v", err)
		}
		if _, err := s.Tag(ctx, "@acme/ui", map[string]string{"next": "3.0.0"}, store.Edit{Where: ui, By: wendy}); !errors.Is(err, store.ErrNoVersion) {
			t.Errorf("a tag of nothing: %v", err)
		}
		if _, err := s.Untag(ctx, "@acme/ui", "latest", store.Edit{Where: ui, By: wendy}); !errors.Is(err, store.ErrLatest) {
			t.Error(err)
		}
		for range 2 {
			if _, err := s.Untag(ctx, "@acme/ui", "next", store.Edit{Where: ui, By: wendy}); err != nil {
				t.Error(err)
			}
		}
		if d := whole(t, s, "@acme/ui"); !maps.Equal(d.DistTags, map[string]string{"latest": "1.1.0"}) {
			t.Errorf("%v", d.DistTags)
		}
	})
}

// TestFiftyPublishers: fifty versions of a new package at once are fifty versions; readers meanwhile see only whole packages.
func TestFiftyPublishers(t *testing.T) {
	engines(t, func(t *testing.T, meta kv.Store, blobs blob.Store) {
		s := open(t, meta, blobs, store.Options{})
		var uploads []*packument.Upload
		for i := range 50 {
			uploads = append(uploads, upload(t, packumenttest.Package{Name: "@acme/ui", Version: fmt.Sprintf("1.%d.0", i), Tag: fmt.Sprintf("t%d", i)}))
		}
		stop := make(chan struct{})
		var readers, writers sync.WaitGroup
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := s.Head(ctx, "@acme/ui"); err == nil {
					whole(t, s, "@acme/ui")
				}
			}
		})
		for _, u := range uploads {
			writers.Go(func() {
				if _, err := s.Publish(ctx, store.Publication{Upload: u, Binding: ui, By: wendy}); err != nil {
					t.Errorf("%s: %v", u.Version, err)
				}
			})
		}
		writers.Wait()
		close(stop)
		readers.Wait()
		if d := whole(t, s, "@acme/ui"); len(d.Versions) != 50 || len(d.DistTags) != 51 {
			t.Errorf("%d versions, %d tags", len(d.Versions), len(d.DistTags))
		}
		leftovers(t, s, meta, blobs, 0)
	})
}

// TestRacers: of many publishers of one version with different bytes exactly one wins, and what is served is theirs.
func TestRacers(t *testing.T) {
	engines(t, func(t *testing.T, meta kv.Store, blobs blob.Store) {
		s := open(t, meta, blobs, store.Options{})
		for round := range 5 {
			version := fmt.Sprintf("%d.0.0", round)
			var won atomic.Pointer[packument.Upload]
			var all sync.WaitGroup
			for i := range 50 {
				u := upload(t, packumenttest.Package{Name: "@acme/ui", Version: version, Files: map[string]string{"who": fmt.Sprint(i)}})
				all.Go(func() {
					_, err := s.Publish(ctx, store.Publication{Upload: u, Binding: ui, By: wendy})
					if err == nil && !won.CompareAndSwap(nil, u) {
						t.Error("two winners")
					}
					if err != nil && !errors.Is(err, store.ErrVersionExists) {
						t.Error(err)
					}
				})
			}
			all.Wait()
			d := whole(t, s, "@acme/ui")
			if w := won.Load(); w == nil || d.Versions[version].Dist.Integrity != w.Integrity {
				t.Errorf("what is served is not the winner's")
			}
		}
		leftovers(t, s, meta, blobs, 0)
	})
}

// leftovers sweeps and checks that it found as many abandoned uploads as expected, and that no row of one is left.
func leftovers(t testing.TB, s *store.Store, meta kv.Store, _ blob.Store, want int) {
	t.Helper()
	if n, err := s.Sweep(ctx, true); err != nil || n != want {
		t.Errorf("Sweep removed %d uploads, %v; want %d", n, err, want)
	}
	for row, err := range meta.Scan(ctx, []byte("x\x00"), []byte("x\x01")) {
		t.Errorf("left: %q %v", row.Key, err)
	}
}

// TestEventsAreWritten: each change leaves its record, and a refused one leaves none.
func TestEventsAreWritten(t *testing.T) {
	meta := memory.NewKV()
	s := open(t, meta, memory.NewBlob(), store.Options{})
	if err := publish(t, s, packumenttest.Package{Name: "@acme/ui", Version: "1.0.0"}, wendy); err != nil {
		t.Fatal(err)
	}
	_, _ = s.Tag(ctx, "@acme/ui", map[string]string{"a": "1.0.0"}, store.Edit{Where: ui, By: rita})
	_, _ = s.Tag(ctx, "@acme/ui", map[string]string{"a": "2.0.0"}, store.Edit{Where: ui, By: rita})
	_, _ = s.Untag(ctx, "@acme/ui", "a", store.Edit{Where: ui, By: wendy})
	_ = publish(t, s, packumenttest.Package{Name: "@acme/ui", Version: "1.0.0", Files: map[string]string{"x": "y"}}, rita)
	var got []string
	for row, err := range meta.Scan(ctx, []byte("e\x00"), []byte("e\x01")) {
		if err != nil {
			t.Fatal(err)
		}
		var e store.Event
		if err := json.Unmarshal(row.Value, &e); err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprintf("%s %s@%s %s %v by %s", e.What, e.Package, e.Version, e.Tag, e.Tags, e.By.Login))
	}
	want := []string{"publish @acme/ui@1.0.0 latest map[] by wendy", "tag @acme/ui@  map[a:1.0.0] by rita", "untag @acme/ui@  map[a:1.0.0] by wendy"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

func TestUnknownFormatIsRefused(t *testing.T) {
	meta := memory.NewKV()
	if err := meta.Apply(ctx, kv.Batch{Put: []kv.Entry{{Key: []byte("f"), Value: []byte("99")}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Open(ctx, meta, memory.NewBlob(), store.Options{}); !errors.Is(err, store.ErrFormat) {
		t.Error(err)
	}
}
