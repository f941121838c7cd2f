// Package backup carries a whole registry out of its engines into one stream, and back into empty ones.
//
// # The format
//
// A tar archive, so that it can be looked into and taken apart without gatehouse. Its members, in this order:
//
//	gatehouse-backup.json   the header: version of this format and of the data's, when and by what it was written, and how much is to
//	                        come, as it was counted before (Expected; for progress only)
//	metadata/00000001       entries of the metadata: for each the length of the key, the key, the length of the value, the value,
//	                        lengths as uvarints; then the SHA-256 of all that. About 4 MiB each
//	blobs/KEY               the tarballs that those entries name, in their order
//	damaged/KEY             in the place of a tarball that is missing, or behind one whose bytes are wrong: what is wrong with it
//	metadata/00000002       and so on
//	end.json                the counts, and the SHA-256 of the header and of all members "metadata/…", one after the other
//
// Nothing follows the end. A backup without one was cut off.
//
// # Moment
//
// All entries are read by one scan, which sees one moment of the metadata whatever is published meanwhile. The tarballs are copied while the scan
// stands still, so nothing is kept in memory but one piece of the metadata. What is withdrawn meanwhile stays in the storage
// as long as it is needed (store.Hold).
//
// # Damage
//
// Each tarball's SHA-512 is compared while it is copied, on the way out and on the way back. One that is lost or wrong does not
// end the backup, which may be the last thing that can be saved: it is told, its version is in the backup as it is, and fsck finds it
// after the restore as it finds it before. A backup that is itself incomplete or altered is refused.
//
// # Restoring
//
// The metadata are marked before anything is written and unmarked when all of it is, so that no registry starts on half of a backup. A piece of
// metadata is written after its tarballs.
package backup

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"gatehouse/store"
	"gatehouse/store/kv"
)

// formatVersion is that of the stream.
const formatVersion = 1

const (
	headerName  = "gatehouse-backup.json"
	metadataDir = "metadata/"
	blobsDir    = "blobs/"
	damagedDir  = "damaged/"
	endName     = "end.json"

	// pieceSize is about how much metadata is in one member; more, where one entry is larger.
	pieceSize = 4 << 20
	maxPiece  = pieceSize + kv.MaxKey + kv.MaxValue + 64
	maxJSON   = 1 << 20
)

// Counts is how much there is.
type Counts struct {
	Packages int64 `json:"packages"`
	Entries  int64 `json:"entries"`
	Tarballs int64 `json:"tarballs"`
	Bytes    int64 `json:"bytes"` // of the tarballs
}

// Header is what a backup says of itself.
type Header struct {
	Format     int       `json:"format"`
	DataFormat string    `json:"data_format"`
	Written    time.Time `json:"written"`
	By         string    `json:"by"` // the program and its version
	Expected   Counts    `json:"expected"`
}

// end is the last member.
type end struct {
	Counts  Counts `json:"counts"`
	Damaged int64  `json:"damaged"`
	SHA256  string `json:"sha256"`
}

// Damage is a tarball that a backup does not have.
type Damage struct {
	Package string `json:"package"`
	Version string `json:"version"`
	Blob    string `json:"blob"`
	Problem string `json:"problem"`
}

// Summary is what a backup or a restore comes to.
type Summary struct {
	Header  Header   `json:"header"`
	Counts  Counts   `json:"counts"`
	Damaged []Damage `json:"damaged,omitempty"`
}

// ErrNotBackup is wrapped by the errors of a stream that is no whole backup: something else, cut off, or altered.
var ErrNotBackup = errors.New("this is not a whole backup of gatehouse")

// piece is a part of the metadata.
type piece struct {
	entries []kv.Entry
	size    int
}

func (p *piece) add(e kv.Entry) {
	p.entries = append(p.entries, e)
	p.size += len(e.Key) + len(e.Value) + 2*binary.MaxVarintLen64
}

func (p *piece) full() bool { return p.size >= pieceSize }

// tarballs are those that the piece names.
func (p *piece) tarballs() []store.Tarball {
	var all []store.Tarball
	for _, e := range p.entries {
		if t, ok := store.TarballOf(e); ok {
			all = append(all, t)
		}
	}
	return all
}

func (p *piece) encode() []byte {
	b := make([]byte, 0, p.size+sha256.Size)
	for _, e := range p.entries {
		b = append(binary.AppendUvarint(b, uint64(len(e.Key))), e.Key...)
		b = append(binary.AppendUvarint(b, uint64(len(e.Value))), e.Value...)
	}
	sum := sha256.Sum256(b)
	return append(b, sum[:]...)
}

func decodePiece(b []byte) (*piece, error) {
	if len(b) < sha256.Size {
		return nil, fmt.Errorf("%w: a piece of the metadata is too short", ErrNotBackup)
	}
	b, sum := b[:len(b)-sha256.Size], b[len(b)-sha256.Size:]
	if got := sha256.Sum256(b); !bytes.Equal(got[:], sum) {
		return nil, fmt.Errorf("%w: a piece of the metadata was altered", ErrNotBackup)
	}
	p := &piece{}
	for len(b) > 0 {
		var parts [2][]byte
		for i := range parts {
			n, size := binary.Uvarint(b)
			if size <= 0 || n > uint64(len(b)-size) {
				return nil, fmt.Errorf("%w: a piece of the metadata has no sound entries", ErrNotBackup)
			}
			parts[i], b = b[size:size+int(n)], b[size+int(n):]
		}
		p.add(kv.Entry{Key: parts[0], Value: parts[1]})
	}
	return p, nil
}
