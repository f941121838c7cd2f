package disk

import (
	"bytes"
	"fmt"
	"sync"
	"testing"
)

func BenchmarkPut100KB(b *testing.B) {
	s := mustOpen(b, b.TempDir())
	content := bytes.Repeat([]byte("0123456789"), 10_000)
	b.SetBytes(int64(len(content)))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if err := s.Put(b.Context(), fmt.Sprint("@acme/ui/", i), int64(len(content)), bytes.NewReader(content)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPutParallel(b *testing.B) {
	s := mustOpen(b, b.TempDir())
	content := bytes.Repeat([]byte("0123456789"), 10_000)
	b.SetBytes(int64(len(content)))
	var mu sync.Mutex
	worker := 0
	b.SetParallelism(16)
	b.RunParallel(func(pb *testing.PB) {
		mu.Lock()
		worker++
		folder := fmt.Sprint("@acme/", worker, "/")
		mu.Unlock()
		for i := 0; pb.Next(); i++ {
			if err := s.Put(b.Context(), fmt.Sprint(folder, i), int64(len(content)), bytes.NewReader(content)); err != nil {
				b.Error(err)
			}
		}
	})
}

func BenchmarkOpen(b *testing.B) {
	s := mustOpen(b, b.TempDir())
	put(b, s, "@acme/ui/ui-1.0.0.tgz", "content")
	b.ReportAllocs()
	for b.Loop() {
		o, err := s.Open(b.Context(), "@acme/ui/ui-1.0.0.tgz")
		if err != nil {
			b.Fatal(err)
		}
		o.Body.Close()
	}
}
