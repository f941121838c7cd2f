package leveldb

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	ldberrors "github.com/syndtr/goleveldb/leveldb/errors"
	"github.com/syndtr/goleveldb/leveldb/storage"
	"github.com/syndtr/goleveldb/leveldb/util"
)

// The format of a log: blocks of 32 KiB, filled with chunks that do not cross their borders. A chunk has a
// header of seven bytes (masked CRC-32C of kind and payload, length of the payload, kind) and is a whole
// record, or the first, a middle or the last part of one.
const (
	logBlock  = 32 << 10
	logHeader = 7

	wholeRecord = 1
	firstPart   = 2
	lastPart    = 4
)

// soundLength returns the length of a log up to the end of its last whole record.
//
// goleveldb knows only two ways to read a log: strictly, and then it refuses what every kill in the middle
// of a large batch leaves behind; or not, and then it silently leaves out what has rotted and goes on with the
// records after it. The difference can be told, because a record is synced before the next one is begun: what
// is torn is the last record, with nothing but itself behind the tear. A damaged place with the beginning
// of a later record behind it has damaged what was acknowledged.
//
// The search behind the damage looks at every byte, since lengths cannot be trusted there. It could take a
// value that contains a piece of a log for a record, and refuse; that is the safe mistake.
func soundLength(r io.Reader, fd storage.FileDesc) (int64, error) {
	var (
		block        [logBlock]byte
		sound, start int64 // start is the offset of the block
		within       bool  // a record has begun and not ended
		torn         bool  // something that is no chunk has been met
	)
	for {
		n, err := io.ReadFull(r, block[:])
		if err != nil && err != io.EOF && !errors.Is(err, io.ErrUnexpectedEOF) {
			return 0, err
		}
		for at := 0; n-at >= logHeader; {
			kind, size := chunk(block[at:n])
			begins := kind == wholeRecord || kind == firstPart
			switch {
			case begins && (torn || within):
				return 0, ldberrors.NewErrCorrupted(fd, fmt.Errorf(
					"damaged between byte %d and byte %d, where a later record begins", sound, start+int64(at)))
			case kind == 0:
				torn = true
				at++
				continue
			case torn:
				// A part of the torn record.
			case !begins && !within:
				torn = true
			case kind == wholeRecord || kind == lastPart:
				within = false
				sound = start + int64(at+size)
			default:
				within = true
			}
			at += size
		}
		if n < logBlock {
			return sound, nil
		}
		start += logBlock
	}
}

// chunk returns the kind and the size of the chunk that b begins with; kind 0 where there is none.
func chunk(b []byte) (kind byte, size int) {
	kind = b[6]
	size = logHeader + int(binary.LittleEndian.Uint16(b[4:6]))
	if kind < wholeRecord || kind > lastPart || size > len(b) ||
		binary.LittleEndian.Uint32(b[:4]) != util.NewCRC(b[6:size]).Value() {
		return 0, 0
	}
	return kind, size
}
