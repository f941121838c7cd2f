package memory_test

import (
	"testing"

	"gatehouse/store/blob"
	"gatehouse/store/blob/blobtest"
	"gatehouse/store/kv"
	"gatehouse/store/kv/kvtest"
	"gatehouse/store/memory"
)

func TestKV(t *testing.T) {
	kvtest.Run(t, kvtest.Harness{Open: func(*testing.T) kv.Store { return memory.NewKV() }})
}

func TestBlob(t *testing.T) {
	blobtest.Run(t, blobtest.Harness{
		Open:     func(*testing.T) blob.Store { return memory.NewBlob() },
		Resident: true,
	})
}
