package store_test

import (
	"fmt"
	"testing"

	"gatehouse/store"
	"gatehouse/store/disk"
	"gatehouse/store/leveldb"
	"gatehouse/store/packument"
	"gatehouse/store/packument/packumenttest"
)

// large is a version with a manifest of 7 KB, most of it as in the version before.
func large(name string, i int) packumenttest.Package {
	dependencies := map[string]any{}
	for d := range 150 {
		dependencies[fmt.Sprintf("@scope-%d/package-%d", d*7919%101, d*104729%997)] = fmt.Sprintf("^%d.%d.%d", d%9, d*31%40, (d+i/(1+d%7))%20)
	}
	return packumenttest.Package{Name: name, Version: fmt.Sprintf("%d.%d.%d", i/400, i/20%20, i%20), Manifest: map[string]any{"dependencies": dependencies}}
}

func benchStore(b *testing.B) *store.Store {
	meta, err := leveldb.Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = meta.Close() })
	blobs, err := disk.Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = blobs.Close() })
	s, err := store.Open(ctx, meta, blobs, store.Options{})
	if err != nil {
		b.Fatal(err)
	}
	return s
}

func fill(b *testing.B, s *store.Store, name string, versions int) {
	for i := range versions {
		if err := publish(b, s, large(name, i), wendy); err != nil {
			b.Fatal(err)
		}
	}
}

func rendered(b *testing.B, s *store.Store, form packument.Form, base string) *store.Document {
	head, err := s.Head(ctx, "@acme/ui")
	if err != nil {
		b.Fatal(err)
	}
	d, err := s.Document(ctx, head, form, base, true)
	if err != nil {
		b.Fatal(err)
	}
	return d
}

// BenchmarkDocument is the packument of 1,600 versions: as it is kept; after a change, when the newest block is compressed again; and with nothing kept.
func BenchmarkDocument(b *testing.B) {
	s := benchStore(b)
	fill(b, s, "@acme/ui", 1600)
	forms := map[string]packument.Form{"full": packument.Full, "short": packument.Short}
	for name, form := range forms {
		rendered(b, s, form, base)
		b.Run("kept/"+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				rendered(b, s, form, base)
			}
		})
	}
	for name, form := range forms {
		b.Run("after a publish/"+name, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				b.StopTimer()
				p := large("@acme/ui", i)
				p.Version = fmt.Sprintf("10.%d.%d", form, i)
				if err := publish(b, s, p, wendy); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
				rendered(b, s, form, base)
			}
		})
	}
	for name, form := range forms {
		b.Run("anew/"+name, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				d := rendered(b, s, form, fmt.Sprintf("http://registry-%d.test/", i))
				b.ReportMetric(float64(len(d.Body)), "bytes")
			}
		})
	}
}

// BenchmarkPublish is what a publish costs the store, for a package of few versions and of many: the same.
func BenchmarkPublish(b *testing.B) {
	for _, versions := range []int{10, 1600} {
		b.Run(fmt.Sprint(versions), func(b *testing.B) {
			s := benchStore(b)
			fill(b, s, "@acme/ui", versions)
			rendered(b, s, packument.Full, base)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				b.StopTimer()
				p := large("@acme/ui", i)
				p.Version = fmt.Sprintf("10.0.%d", i)
				u := upload(b, p)
				b.StartTimer()
				if _, err := s.Publish(ctx, store.Publication{Upload: u, Binding: ui, By: wendy, Publisher: packument.Publisher{Name: "wendy"}}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
