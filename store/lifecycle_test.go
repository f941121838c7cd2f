package store_test

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/scopes"
	"gatehouse/store"
	"gatehouse/store/blob"
	"gatehouse/store/kv"
	"gatehouse/store/memory"
	"gatehouse/store/packument"
	"gatehouse/store/packument/packumenttest"
)

// some publishes versions of @acme/ui.
func some(t *testing.T, s *store.Store, versions ...string) {
	t.Helper()
	for _, v := range versions {
		if err := publish(t, s, packumenttest.Package{Name: "@acme/ui", Version: v}, wendy); err != nil {
			t.Fatal(err)
		}
	}
}

func TestDeprecate(t *testing.T) {
	engines(t, func(t *testing.T, meta kv.Store, blobs blob.Store) {
		s := open(t, meta, blobs, store.Options{})
		some(t, s, "1.0.0", "1.1.0", "2.0.0")
		before := whole(t, s, "@acme/ui")
		e := store.Edit{Revision: before.Rev, Where: ui, By: wendy}
		messages := map[string]string{"1.0.0": `use 2 "soon" <b>`, "1.1.0": "old", "2.0.0": "", "9.9.9": "no such"}
		if _, err := s.Deprecate(ctx, "@acme/ui", messages, e); err != nil {
			t.Fatal(err)
		}
		after := whole(t, s, "@acme/ui")
		if after.Rev == before.Rev || after.Versions["1.0.0"].Deprecated != `use 2 "soon" <b>` || after.Versions["2.0.0"].Deprecated != "" {
			t.Errorf("%+v", after.Versions)
		}
		head, _ := s.Head(ctx, "@acme/ui")
		short, err := s.Document(ctx, head, packument.Short, base, false)
		if err != nil || !strings.Contains(string(short.Body), `"deprecated":"old"`) {
			t.Errorf("%s %v", short.Body, err)
		}
		// npm sends it again when the answer got lost, with the revision of before.
		if _, err := s.Deprecate(ctx, "@acme/ui", messages, e); err != nil || whole(t, s, "@acme/ui").Rev != after.Rev {
			t.Errorf("again: %v", err)
		}
		if _, err := s.Deprecate(ctx, "@acme/ui", map[string]string{"2.0.0": "x"}, e); !errors.Is(err, store.ErrStale) {
			t.Errorf("stale: %v", err)
		}
		e.Revision = after.Rev
		if _, err := s.Deprecate(ctx, "@acme/ui", map[string]string{"1.0.0": "", "1.1.0": "old"}, e); err != nil {
			t.Fatal(err)
		}
		if d := whole(t, s, "@acme/ui"); d.Versions["1.0.0"].Deprecated != "" || d.Versions["1.1.0"].Deprecated != "old" {
			t.Errorf("%+v", d.Versions)
		}
		if _, err := s.Deprecate(ctx, "@acme/ui", messages, store.Edit{Where: other, By: wendy}); !errors.Is(err, store.ErrRebound) {
			t.Error(err)
		}
		if _, err := s.Deprecate(ctx, "@acme/none", messages, store.Edit{Where: ui, By: wendy}); !errors.Is(err, store.ErrNotFound) {
			t.Error(err)
		}
	})
}

func without(gone ...string) func(string) bool {
	return func(v string) bool {
		for _, g := range gone {
			if g == v {
				return false
			}
		}
		return true
	}
}

func TestUnpublish(t *testing.T) {
	engines(t, func(t *testing.T, meta kv.Store, blobs blob.Store) {
		now := time.Now()
		s := open(t, meta, blobs, store.Options{Now: func() time.Time { return now }})
		some(t, s, "1.0.0", "1.1.0", "2.0.0-rc.1", "1.2.0")
		if _, err := s.Tag(ctx, "@acme/ui", map[string]string{"stable": "1.2.0"}, store.Edit{Where: ui, By: wendy}); err != nil {
			t.Fatal(err)
		}
		head, _ := s.Head(ctx, "@acme/ui")
		e := store.Edit{Revision: head.Revision, Where: ui, By: wendy}
		if _, err := s.Unpublish(ctx, "@acme/ui", without("1.2.0"), "", e); err != nil {
			t.Fatal(err)
		}
		d := whole(t, s, "@acme/ui")
		if _, ok := d.Versions["1.2.0"]; ok || d.Time["1.2.0"] == nil || !maps.Equal(d.DistTags, map[string]string{"latest": "1.1.0"}) {
			t.Errorf("%v %v", d.DistTags, d.Time)
		}
		head, _ = s.Head(ctx, "@acme/ui")
		var gone *store.Gone
		if _, _, err := s.Tarball(ctx, head, "1.2.0"); !errors.As(err, &gone) || gone.By.Login != "wendy" || !strings.Contains(gone.Error(), "unpublished by wendy on ") {
			t.Errorf("%v", err)
		}
		if _, err := s.Manifest(ctx, head, "1.2.0", base); !errors.As(err, &gone) {
			t.Error(err)
		}
		if _, err := s.Tag(ctx, "@acme/ui", map[string]string{"x": "1.2.0"}, store.Edit{Where: ui, By: wendy}); !errors.As(err, &gone) {
			t.Errorf("a tag of what is gone: %v", err)
		}
		// The number is burned, for the same bytes and for a registry that lets versions be replaced.
		if err := publish(t, s, packumenttest.Package{Name: "@acme/ui", Version: "1.2.0"}, wendy); !errors.As(err, &gone) {
			t.Errorf("published again: %v", err)
		}
		u := upload(t, packumenttest.Package{Name: "@acme/ui", Version: "1.2.0", Files: map[string]string{"a": "b"}})
		if _, err := s.Publish(ctx, store.Publication{Upload: u, Binding: ui, By: wendy, Replace: true}); !errors.As(err, &gone) {
			t.Errorf("replaced: %v", err)
		}
		// The same request again, as npm retries it.
		if _, err := s.Unpublish(ctx, "@acme/ui", without("1.2.0"), "", e); err != nil {
			t.Errorf("again: %v", err)
		}
		if _, err := s.Unpublish(ctx, "@acme/ui", without("1.1.0"), "", e); !errors.Is(err, store.ErrStale) {
			t.Errorf("stale: %v", err)
		}
		if _, err := s.Unpublish(ctx, "@acme/ui", without("1.1.0"), "2.0.0-rc.1", store.Edit{Where: ui, By: wendy}); err != nil {
			t.Fatal(err)
		}
		if d := whole(t, s, "@acme/ui"); d.DistTags["latest"] != "2.0.0-rc.1" {
			t.Errorf("npm's choice of latest is taken if it is there: %v", d.DistTags)
		}
		// The bytes of both go when readers have had their time.
		if n, err := s.Sweep(ctx, false); n != 0 || err != nil {
			t.Errorf("swept at once: %d %v", n, err)
		}
		now = now.Add(11 * time.Minute)
		if n, err := s.Sweep(ctx, false); n != 2 || err != nil {
			t.Errorf("swept later: %d %v", n, err)
		}
		whole(t, s, "@acme/ui")
	})
}

func TestUnpublishAll(t *testing.T) {
	engines(t, func(t *testing.T, meta kv.Store, blobs blob.Store) {
		s := open(t, meta, blobs, store.Options{})
		some(t, s, "1.0.0", "1.1.0")
		head, _ := s.Head(ctx, "@acme/ui")
		e := store.Edit{Revision: head.Revision, Where: ui, By: wendy}
		for range 2 {
			if _, err := s.UnpublishAll(ctx, "@acme/ui", e); err != nil {
				t.Fatal(err)
			}
		}
		d := read(t, s, "@acme/ui")
		head, err := s.Head(ctx, "@acme/ui")
		if err != nil || head.Unpublished == nil || head.Unpublished.By.Login != "wendy" || len(d.Versions) != 0 || len(d.DistTags) != 0 {
			t.Fatalf("%+v %+v %v", head, d, err)
		}
		doc, err := s.Document(ctx, head, packument.Full, base, false)
		if err != nil || !strings.Contains(string(doc.Body), `"unpublished":{"name":"wendy","time":"`) || !strings.Contains(string(doc.Body), `"versions":["1.0.0","1.1.0"]`) {
			t.Errorf("%s %v", doc.Body, err)
		}
		if head.Binding != ui {
			t.Error("the name is no longer bound")
		}
		u := upload(t, packumenttest.Package{Name: "@acme/ui", Version: "3.0.0"})
		if _, err := s.Publish(ctx, store.Publication{Upload: u, Binding: other, By: rita}); !errors.Is(err, store.ErrRebound) {
			t.Errorf("taken over by another repository: %v", err)
		}
		some(t, s, "2.0.0")
		head, _ = s.Head(ctx, "@acme/ui")
		if d := whole(t, s, "@acme/ui"); head.Unpublished != nil || len(d.Versions) != 1 || d.DistTags["latest"] != "2.0.0" || d.Time["1.0.0"] == nil {
			t.Errorf("%+v", d)
		}
	})
}

// TestReplace: with settings.allow_previous_version a version can be published over, wholly.
func TestReplace(t *testing.T) {
	engines(t, func(t *testing.T, meta kv.Store, blobs blob.Store) {
		now := time.Now()
		s := open(t, meta, blobs, store.Options{Now: func() time.Time { return now }})
		some(t, s, "1.0.0")
		var all sync.WaitGroup
		for i := range 10 {
			u := upload(t, packumenttest.Package{Name: "@acme/ui", Version: "1.0.0", Files: map[string]string{"n": fmt.Sprint(i)}})
			all.Go(func() {
				if _, err := s.Publish(ctx, store.Publication{Upload: u, Binding: ui, By: wendy, Replace: true}); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if d := whole(t, s, "@acme/ui"); len(d.Versions) != 1 {
			t.Errorf("%+v", d)
		}
		now = now.Add(time.Hour)
		if n, err := s.Sweep(ctx, false); n != 10 || err != nil {
			t.Errorf("%d replaced tarballs were swept, %v", n, err)
		}
		whole(t, s, "@acme/ui")
	})
}

// TestEditsAtOnce mixes every change of one package; nothing may be lost or dangle.
func TestEditsAtOnce(t *testing.T) {
	s := open(t, memory.NewKV(), memory.NewBlob(), store.Options{})
	some(t, s, "0.0.1", "0.0.2")
	var all sync.WaitGroup
	for i := range 200 {
		u := upload(t, packumenttest.Package{Name: "@acme/ui", Version: fmt.Sprintf("1.0.%d", i), Tag: fmt.Sprintf("t%d", i%7)})
		all.Go(func() {
			if _, err := s.Publish(ctx, store.Publication{Upload: u, Binding: ui, By: wendy}); err != nil {
				t.Error(err)
			}
			if i%4 == 0 {
				if _, err := s.Deprecate(ctx, "@acme/ui", map[string]string{u.Version: "old"}, store.Edit{Where: ui, By: wendy}); err != nil {
					t.Error(err)
				}
			}
			if i%5 == 0 {
				if _, err := s.Unpublish(ctx, "@acme/ui", without(u.Version), "", store.Edit{Where: ui, By: wendy}); err != nil {
					t.Error(err)
				}
			}
			if _, err := s.Untag(ctx, "@acme/ui", "t3", store.Edit{Where: ui, By: wendy}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if d := whole(t, s, "@acme/ui"); len(d.Versions) != 2+200-40 {
		t.Errorf("%d versions", len(d.Versions))
	}
}

func TestStars(t *testing.T) {
	engines(t, func(t *testing.T, meta kv.Store, blobs blob.Store) {
		s := open(t, meta, blobs, store.Options{})
		some(t, s, "1.0.0")
		for _, who := range []scopes.Principal{wendy, rita, wendy} {
			if _, err := s.Star(ctx, "@acme/ui", true, who); err != nil {
				t.Fatal(err)
			}
		}
		head, _ := s.Head(ctx, "@acme/ui")
		d, err := s.Document(ctx, head, packument.Full, base, false)
		if err != nil || !strings.Contains(string(d.Body), `"users":{"rita":true,"wendy":true}`) {
			t.Errorf("%s %v", d.Body, err)
		}
		if _, err := s.Star(ctx, "@acme/ui", false, rita); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Starred(ctx, "Wendy"); err != nil || len(got) != 1 || got[0] != "@acme/ui" {
			t.Errorf("%q %v", got, err)
		}
		if got, err := s.Starred(ctx, "rita"); err != nil || len(got) != 0 {
			t.Errorf("%q %v", got, err)
		}
		if _, err := s.Star(ctx, "@acme/none", true, rita); !errors.Is(err, store.ErrNotFound) {
			t.Error(err)
		}
	})
}
