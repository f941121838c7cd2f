package leveldb

import (
	"hash/maphash"
	"math/bits"
	"sync"

	"gatehouse/store/kv"
)

// stripes are the locks of all keys. A batch holds those of every key it names, also of those it only
// has a condition on: of two batches that each depend on what the other changes, one has to come first.
//
// Distinct keys seldom share a stripe, so publishes of different packages reach goleveldb at the same
// time and are synced together.
type stripes struct {
	seed maphash.Seed
	mu   [256]sync.Mutex
}

// lock locks the keys of a batch, and returns what unlocks them. It takes the stripes in their order, so
// two batches can never wait for each other.
func (s *stripes) lock(b kv.Batch) (unlock func()) {
	var held [4]uint64
	hold := func(key []byte) {
		n := uint8(maphash.Bytes(s.seed, key))
		held[n/64] |= 1 << (n % 64)
	}
	for _, e := range b.If {
		hold(e.Key)
	}
	for _, e := range b.Put {
		hold(e.Key)
	}
	for _, key := range b.Delete {
		hold(key)
	}
	each := func(do func(*sync.Mutex)) {
		for word, set := range held {
			for ; set != 0; set &= set - 1 {
				do(&s.mu[64*word+bits.TrailingZeros64(set)])
			}
		}
	}
	each((*sync.Mutex).Lock)
	return func() { each((*sync.Mutex).Unlock) }
}
