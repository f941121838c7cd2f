package fsck_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"gatehouse/store"
	"gatehouse/store/fsck"
)

func TestCleanRegistry(t *testing.T) {
	engines(t, func(l *lab) {
		l.expect()
		l.publish("@acme/ui", "1.0.0", "1.1.0", "2.0.0")
		l.publish("@acme/ui-kit", "1.0.0")
		l.publish("@acme/api", "1.0.0", "1.1.0")
		edit := store.Edit{Where: bound, By: wendy}
		_, err := l.store.Unpublish(ctx, "@acme/ui", func(v string) bool { return v != "1.1.0" }, "", edit)
		_, err2 := l.store.UnpublishAll(ctx, "@acme/api", edit)
		_, err3 := l.store.Star(ctx, "@acme/ui", true, wendy)
		_, err4 := l.store.Deprecate(ctx, "@acme/ui", map[string]string{"1.0.0": "old"}, edit)
		if err := errors.Join(err, err2, err3, err4); err != nil {
			t.Fatal(err)
		}
		found, sum := l.run(fsck.Options{}, false)
		if len(found) != 0 || sum.Packages != 3 || sum.Versions != 6 || sum.Tarballs != 3 || sum.Objects != 6 || sum.Waiting != 3 || sum.Bytes == 0 {
			t.Errorf("%q %+v", found, sum)
		}
		if _, sum := l.run(fsck.Options{Quick: true}, false); sum.Bytes != 0 {
			t.Errorf("a quick check has read %d bytes", sum.Bytes)
		}
		l.repair()
	})
}

func TestTarballs(t *testing.T) {
	engines(t, func(l *lab) {
		l.publish("@acme/ui", "1.0.0", "1.1.0", "1.2.0", "2.0.0")
		l.publish("@acme/api", "1.0.0")
		if err := l.blobs.Delete(ctx, l.tarball("@acme/ui", "2.0.0")); err != nil {
			t.Fatal(err)
		}
		l.spoil(l.tarball("@acme/ui", "1.1.0"), func(b []byte) []byte { b[len(b)/2] ^= 1; return b })
		l.spoil(l.tarball("@acme/ui", "1.2.0"), func(b []byte) []byte { return b[:len(b)/2] })
		l.expect("tarball missing: @acme/ui@2.0.0", "tarball damaged: @acme/ui@1.1.0", "tarball damaged: @acme/ui@1.2.0")
		if quick := l.check(fsck.Options{Quick: true}); len(quick) != 2 {
			t.Errorf("a quick check finds %q", quick)
		}
		damaged := l.tarball("@acme/ui", "1.1.0")
		if _, err := l.store.Tag(ctx, "@acme/ui", map[string]string{"latest": "2.0.0"}, store.Edit{Where: bound, By: wendy}); err != nil {
			t.Fatal(err)
		}
		l.repair()
		head := l.served("@acme/ui", "1.0.0")
		if head.DistTags["latest"] != "1.0.0" || len(head.DistTags) != 2 || head.Binding != bound {
			t.Errorf("%+v", head)
		}
		gone := (*store.Gone)(nil)
		if _, _, err := l.store.Tarball(ctx, head, "2.0.0"); !errors.As(err, &gone) || gone.Reason != store.LostReason || !strings.Contains(err.Error(), "withdrawn by a repair") {
			t.Errorf("%v", err)
		}
		events := l.events()
		last := events[len(events)-1]
		if last.What != "repair" || len(last.Versions) != 3 || last.Tags["latest"] != "1.0.0" || last.Tags["for-2-0-0"] != "2.0.0" || last.By.Login != "gatehouse fsck" {
			t.Errorf("%+v", last)
		}
		// What is left of the bytes stays for a week, also over a restart.
		if _, err := l.store.Sweep(ctx, true); err != nil {
			t.Fatal(err)
		}
		if o, err := l.blobs.Open(ctx, damaged); err != nil {
			t.Errorf("the damaged bytes are gone: %v", err)
		} else {
			_ = o.Body.Close()
		}
		l.now = l.now.Add(8 * 24 * time.Hour)
		if n, err := l.store.Sweep(ctx, false); n != 3 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
		l.expect()
		// All versions lost: the package is withdrawn.
		if err := l.blobs.Delete(ctx, l.tarball("@acme/api", "1.0.0")); err != nil {
			t.Fatal(err)
		}
		l.repair()
		if head := l.served("@acme/api"); head.Unpublished == nil || len(head.DistTags) != 0 {
			t.Errorf("%+v", head)
		}
	})
}

// TestTarballPutBack: what a repair has not touched is well again when the bytes are.
func TestTarballPutBack(t *testing.T) {
	engines(t, func(l *lab) {
		l.publish("@acme/ui", "1.0.0", "1.1.0")
		flip := func(b []byte) []byte { b[100] ^= 1; return b }
		key := l.tarball("@acme/ui", "1.0.0")
		l.spoil(key, flip)
		l.expect("tarball damaged: @acme/ui@1.0.0")
		l.spoil(key, flip)
		l.expect()
	})
}

func TestHeads(t *testing.T) {
	engines(t, func(l *lab) {
		for _, name := range []string{"@acme/lost", "@acme/damaged", "@acme/tags", "@acme/withdrawn", "@acme/present", "@acme/well"} {
			l.publish(name, "1.0.0", "1.1.0", "2.0.0-beta.1")
		}
		edit := store.Edit{Where: bound, By: wendy}
		if _, err := l.store.UnpublishAll(ctx, "@acme/withdrawn", edit); err != nil {
			t.Fatal(err)
		}
		l.delete("p\x00@acme/lost")
		l.put("p\x00@acme/damaged", `{"binding":{"kin`)
		l.editHead("@acme/tags", func(h map[string]any) {
			h["dist_tags"] = map[string]any{"next": "3.0.0", "old": "1.0.0"}
		})
		l.editHead("@acme/withdrawn", func(h map[string]any) { delete(h, "unpublished") })
		l.editHead("@acme/present", func(h map[string]any) { h["unpublished"] = map[string]any{"by": map[string]any{}, "at": time.Now()} })
		l.expect("head missing: @acme/lost", "head damaged: @acme/damaged", "tag dangles: @acme/tags@3.0.0", "no latest: @acme/tags", "withdrawn wrongly: @acme/withdrawn",
			"withdrawn wrongly: @acme/present")
		l.repair()
		for _, name := range []string{"@acme/lost", "@acme/damaged"} {
			head := l.served(name, "1.0.0", "1.1.0", "2.0.0-beta.1")
			if head.Binding.Repo.ID != 0 || head.DistTags["latest"] != "1.1.0" || len(head.DistTags) != 1 || head.Created.IsZero() {
				t.Errorf("%+v", head)
			}
			// It is nobody's until an operator says whose: the first to publish does not capture it.
			if _, err := l.store.Tag(ctx, name, map[string]string{"x": "1.0.0"}, edit); !errors.Is(err, store.ErrRebound) {
				t.Errorf("%v", err)
			}
		}
		if aside := l.get("q\x00p\x00@acme/damaged"); aside != `{"binding":{"kin` {
			t.Errorf("the damaged row is gone: %q", aside)
		}
		if head := l.served("@acme/tags", "1.0.0", "1.1.0", "2.0.0-beta.1"); head.DistTags["latest"] != "1.1.0" || head.DistTags["old"] != "1.0.0" || len(head.DistTags) != 2 {
			t.Errorf("%v", head.DistTags)
		}
		if head := l.served("@acme/withdrawn"); head.Unpublished == nil {
			t.Error("it is not withdrawn")
		}
		if head := l.served("@acme/present", "1.0.0", "1.1.0", "2.0.0-beta.1"); head.Unpublished != nil {
			t.Error("it is withdrawn")
		}
	})
}

func TestVersionRows(t *testing.T) {
	engines(t, func(l *lab) {
		l.publish("@acme/ui", "1.0.0", "1.1.0", "1.2.0", "1.3.0", "2.0.0")
		row := l.get("v\x00@acme/ui\x001.1.0")
		key := l.tarball("@acme/ui", "1.1.0")
		l.put("v\x00@acme/ui\x001.1.0", row[:len(row)/2])
		l.put("v\x00@acme/ui\x001.2.0", "")
		l.put("v\x00@acme/ui\x001.3.0", l.get("v\x00@acme/ui\x001.0.0")) // another version's
		l.delete("r\x00@acme/ui\x002.0.0")
		l.put("r\x00@acme/ui\x009.0.0", "x")
		l.now = l.now.Add(48 * time.Hour)
		if head, _ := l.store.Head(ctx, "@acme/ui"); head.Name != "" {
			if _, err := l.store.Versions(ctx, "@acme/ui"); err == nil {
				t.Error("a damaged row goes unnoticed")
			}
		}
		l.expect("version damaged: @acme/ui@1.1.0", "version damaged: @acme/ui@1.2.0", "version damaged: @acme/ui@1.3.0", "tag dangles: @acme/ui@1.1.0", "tag dangles: @acme/ui@1.2.0",
			"tag dangles: @acme/ui@1.3.0", "page of nothing: @acme/ui@1.1.0", "page of nothing: @acme/ui@1.2.0", "page of nothing: @acme/ui@1.3.0", "page of nothing: @acme/ui@9.0.0", "page missing: @acme/ui@2.0.0")
		l.repair()
		head := l.served("@acme/ui", "1.0.0", "2.0.0")
		if l.get("q\x00v\x00@acme/ui\x001.1.0") != row[:len(row)/2] {
			t.Error("the damaged row is gone")
		}
		if _, _, err := l.store.Tarball(ctx, head, "1.2.0"); err == nil || !strings.Contains(err.Error(), store.UnreadableReason) {
			t.Errorf("%v", err)
		}
		// Their tarballs are named by nothing any more, and kept: whoever reads the row may want them.
		_, sum := l.run(fsck.Options{}, true)
		if sum.Aside != 3 || sum.Kept != 3 {
			t.Errorf("%+v", sum)
		}
		if o, err := l.blobs.Open(ctx, key); err != nil {
			t.Error(err)
		} else {
			_ = o.Body.Close()
		}
		// The row put back by hand is as good as ever.
		l.put("v\x00@acme/ui\x001.1.0", row)
		l.served("@acme/ui", "1.0.0", "1.1.0", "2.0.0")
	})
}

func TestStorage(t *testing.T) {
	engines(t, func(l *lab) {
		l.publish("@acme/ui", "1.0.0", "1.1.0")
		for _, key := range []string{"@acme/ui/ui-9.0.0-0011223344556677-aabbccddeeff.tgz", "@acme/never/never-1.0.0-00-aa.tgz", "notes.txt"} {
			if err := l.blobs.Put(ctx, key, 4, strings.NewReader("1234")); err != nil {
				t.Fatal(err)
			}
		}
		if found, sum := l.run(fsck.Options{}, false); len(found) != 1 || sum.Young != 2 {
			t.Errorf("too new to be forgotten: %q %+v", found, sum)
		}
		l.now = l.now.Add(25 * time.Hour)
		l.expect("orphan: @acme/ui", "orphan: @acme/never", "foreign file: ")
		_, sum := l.run(fsck.Options{}, true)
		if sum.Repaired != 2 || sum.Left() != 1 || sum.OrphanBytes != 8 {
			t.Errorf("%+v", sum)
		}
		l.expect("foreign file: ")
		if events := l.events(); events[len(events)-1].What != "collect" || events[len(events)-1].Blob == "" {
			t.Errorf("%+v", events[len(events)-1])
		}
		l.served("@acme/ui", "1.0.0", "1.1.0")
		// An upload under way, however long it takes, is no orphan.
		l.put("x\x00\x00\x00\x00\x7f\x00\x00\x00\x00\x00@acme/ui/ui-3.0.0.tgz", "@acme/ui/ui-3.0.0.tgz")
		if err := l.blobs.Put(ctx, "@acme/ui/ui-3.0.0.tgz", 1, strings.NewReader("1")); err != nil {
			t.Fatal(err)
		}
		l.expect("foreign file: ")
	})
}

func TestRest(t *testing.T) {
	engines(t, func(l *lab) {
		l.publish("@acme/ui", "1.0.0")
		key := l.tarball("@acme/ui", "1.0.0")
		l.put("b\x00@acme/ui\x00rita", "")
		l.put("a\x00wendy\x00@acme/ui", "")
		l.put("a\x00wendy\x00@acme/none", "")
		l.put("b\x00@acme/none\x00wendy", "")
		l.put("a\x00rita\x00@acme/none", "")
		l.put("x\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00"+key, key)
		l.put("zebra", "stripes")
		l.put("t\x00aa", `{"token":{"id":"1"},"holder":"7"}`)
		l.put("t\x00bb", `{"token":{"id":"2"},"holder":"7"}`)
		l.put("u\x007\x002", "bb")
		l.put("u\x008\x002", "bb") // in a list that it does not belong into
		l.put("u\x007\x003", "cc")
		l.put("t\x00dd", "what?")
		half := "half a token: "
		l.expect(half, half, half, half, "half a star: @acme/ui", "half a star: @acme/ui", "half a star: @acme/none", "half a star: @acme/none", "tarball marked for removal: @acme/ui", "unknown key: ")
		if _, err := fsck.New(l.store, l.blobs, fsck.Options{}).Collect(ctx, true, false); err == nil {
			t.Error("what a version names was collected")
		}
		_, sum := l.run(fsck.Options{}, true)
		if sum.Left() != 1 {
			t.Errorf("%+v", sum)
		}
		if l.get("u\x007\x001") != "aa" || l.get("u\x007\x002") != "bb" || l.get("q\x00t\x00dd") != "what?" {
			t.Error("a token is not where it belongs")
		}
		l.expect("unknown key: ")
		if l.get("zebra") != "stripes" {
			t.Error("what nobody knows was removed")
		}
		if stars, err := l.store.Stars(ctx, "@acme/ui"); err != nil || len(stars) != 2 {
			t.Errorf("%q, %v", stars, err)
		}
		if n, err := l.store.Sweep(ctx, true); n != 0 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
		l.served("@acme/ui", "1.0.0")
	})
}

// TestMistakenFolders: a wrong folder is not damage, and nothing is repaired.
func TestMistakenFolders(t *testing.T) {
	engines(t, func(l *lab) {
		l.publish("@acme/ui", "1.0.0", "1.1.0")
		for _, v := range []string{"1.0.0", "1.1.0"} {
			if err := l.blobs.Delete(ctx, l.tarball("@acme/ui", v)); err != nil {
				t.Fatal(err)
			}
		}
		before := len(l.events())
		o := fsck.Options{}
		c := fsck.New(l.store, l.blobs, o)
		if _, err := c.Run(ctx); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Repair(ctx); !errors.Is(err, fsck.ErrMistaken) || len(l.events()) != before {
			t.Errorf("%v", err)
		}
		if _, sum := l.run(fsck.Options{Force: true}, true); sum.Left() != 0 {
			t.Errorf("%+v", sum)
		}
	})
	engines(t, func(l *lab) { // a disk was not mounted, and then somebody published
		for i := range 12 {
			l.publish("@acme/ui", fmt.Sprintf("1.%d.0", i))
		}
		for i := range 11 {
			if err := l.blobs.Delete(ctx, l.tarball("@acme/ui", fmt.Sprintf("1.%d.0", i))); err != nil {
				t.Fatal(err)
			}
		}
		c := fsck.New(l.store, l.blobs, fsck.Options{})
		if _, err := c.Run(ctx); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Repair(ctx); !errors.Is(err, fsck.ErrMistaken) {
			t.Errorf("%v", err)
		}
	})
	engines(t, func(l *lab) { // the other way round: no metadata, but tarballs
		l.publish("@acme/ui", "1.0.0")
		key := l.tarball("@acme/ui", "1.0.0")
		l.delete("p\x00@acme/ui", "v\x00@acme/ui\x001.0.0", "r\x00@acme/ui\x001.0.0")
		l.now = l.now.Add(48 * time.Hour)
		if _, err := fsck.New(l.store, l.blobs, fsck.Options{Now: func() time.Time { return l.now }}).Collect(ctx, true, false); !errors.Is(err, fsck.ErrMistaken) {
			t.Error(err)
		}
		if o, err := l.blobs.Open(ctx, key); err != nil {
			t.Error(err)
		} else {
			_ = o.Body.Close()
		}
	})
}

func TestCollect(t *testing.T) {
	engines(t, func(l *lab) {
		l.publish("@acme/ui", "1.0.0", "1.1.0")
		if err := l.blobs.Put(ctx, "@acme/ui/ui-9.0.0-00-aa.tgz", 4, strings.NewReader("1234")); err != nil {
			t.Fatal(err)
		}
		if _, err := l.store.Unpublish(ctx, "@acme/ui", func(v string) bool { return v == "1.0.0" }, "", store.Edit{Where: bound, By: wendy}); err != nil {
			t.Fatal(err)
		}
		collect := func(alone, dry bool) fsck.Collected {
			t.Helper()
			got, err := fsck.New(l.store, l.blobs, fsck.Options{Now: func() time.Time { return l.now }}).Collect(ctx, alone, dry)
			if err != nil {
				t.Fatal(err)
			}
			return got
		}
		if got := collect(false, false); got != (fsck.Collected{Waiting: 1, Young: 1}) {
			t.Errorf("%+v", got)
		}
		l.now = l.now.Add(25 * time.Hour)
		want := fsck.Collected{Orphans: 1, Bytes: 4, Due: 1}
		for range 2 {
			if got := collect(false, true); got != want {
				t.Errorf("dry: %+v", got)
			}
		}
		// While somebody copies, what was withdrawn stays.
		release := l.store.Hold()
		if got := collect(false, false); got != (fsck.Collected{Orphans: 1, Bytes: 4}) {
			t.Errorf("held: %+v", got)
		}
		release()
		if got := collect(false, false); got != (fsck.Collected{Due: 1}) {
			t.Errorf("%+v", got)
		}
		l.expect()
	})
}
