package leveldb

import (
	"fmt"
	"sync"
	"testing"

	"gatehouse/store/kv"
)

func BenchmarkGet(b *testing.B) {
	s := filled(b)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := s.Get(b.Context(), row(i%rows)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkScan1600(b *testing.B) {
	s := filled(b)
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		for _, err := range s.Scan(b.Context(), []byte("v\x00"), []byte("v\x01")) {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
		if n != rows {
			b.Fatal(n)
		}
	}
}

func BenchmarkApply(b *testing.B) {
	s := mustOpen(b, b.TempDir())
	value := random(2000, 1)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		mustApply(b, s, fmt.Sprint("key ", i%1000), value)
	}
}

func BenchmarkApplyParallel(b *testing.B) {
	s := mustOpen(b, b.TempDir())
	value := random(2000, 1)
	var mu sync.Mutex
	worker := 0
	b.SetParallelism(16)
	b.RunParallel(func(pb *testing.PB) {
		mu.Lock()
		worker++
		key := fmt.Sprint("worker ", worker, " ")
		mu.Unlock()
		for i := 0; pb.Next(); i++ {
			mustApply(b, s, fmt.Sprint(key, i%1000), value)
		}
	})
}

// rows is the number of versions of a large package.
const rows = 1600

func row(i int) []byte { return fmt.Appendf(nil, "v\x00%06d", i) }

func filled(b *testing.B) *Store {
	s := mustOpen(b, b.TempDir())
	var batch kv.Batch
	for i := range rows {
		batch.Put = append(batch.Put, kv.Entry{Key: row(i), Value: []byte(random(1500, uint64(i)))})
	}
	if err := s.Apply(b.Context(), batch); err != nil {
		b.Fatal(err)
	}
	// From tables, not from the memory table they are written to first.
	if err := s.db.CompactRange(rangeOfAll); err != nil {
		b.Fatal(err)
	}
	return s
}
