// Package blob is the port to byte engines: objects that are written once and never change.
//
// An engine keeps tarballs under keys that package store made from validated names and from a hash
// of the content, so two writers of one key always write the same bytes. An engine knows nothing of
// packages and never decides what may be read.
//
// The suite in blobtest says what an engine must do; an engine is finished when the suite passes.
package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

var (
	// ErrNotFound is returned by Open for a key without an object.
	ErrNotFound = errors.New("blob: no such object")
	// ErrFull is wrapped by errors of Put that come from a device without room. Nothing was stored.
	ErrFull = errors.New("blob: no space left")
	// ErrShort is returned by Put when the reader ended before, or went on after, the size announced.
	// Nothing was stored.
	ErrShort = errors.New("blob: the content does not have the announced size")
	// ErrUnavailable is wrapped by errors of an engine that is a server of its own, when it cannot be used now: it is
	// down, overloaded, or refuses us. Trying again later may help. After Put the object may be there, and then it is whole.
	ErrUnavailable = errors.New("blob: the storage is not available")
)

// Object is an open object.
type Object struct {
	// Size of the whole object in bytes.
	Size int64
	// Body reads it from the start. An engine on a local disk gives an *os.File, so that the kernel
	// can copy it to a socket.
	Body io.ReadSeekCloser
}

// Store is an engine. Its methods may be called from any number of goroutines.
//
// A key is one to eight segments joined by "/", each of 1 to 255 bytes of [A-Za-z0-9._@+-] and neither "."
// nor ".."; CheckKey tells. Engines refuse other keys with an error. A caller never uses the folder of one key
// as another ("a" beside "a/b"): a disk cannot hold both.
type Store interface {
	// Put stores size bytes from r under key. When it returns nil the object survives the death of
	// the process and of the machine, and no reader ever sees a part of it. If the key has an object
	// already, Put leaves it as it is, and returns nil: the key stands for the content.
	// Memory use does not depend on size.
	Put(ctx context.Context, key string, size int64, r io.Reader) error

	// Open returns the object, or ErrNotFound. The caller closes its Body. An object that is deleted
	// while open stays readable, or fails with an error; it is never cut short silently.
	Open(ctx context.Context, key string) (*Object, error)

	// Delete removes the object; one that is not there is no error.
	Delete(ctx context.Context, key string) error
}

// Linker is what an engine may be besides a Store: one from which a client can fetch an object itself.
//
// A link is a credential: whoever has it may read the object until it expires. So it is made for one request, after the
// verdict that its caller may read this object; it is sent as the Location of a temporary redirect that nobody may
// store, and never written anywhere, dist.tarball and logs included.
type Linker interface {
	// Link returns an absolute URL that answers a GET (not a HEAD), without any other credential, with the
	// object, for as long as ttl. It does not look whether there is one. A browser that saves it calls it
	// filename, which has the characters of a segment of a key; "" leaves that open.
	Link(ctx context.Context, key string, ttl time.Duration, filename string) (string, error)
}

// CheckKey returns an error for a key that no engine may store.
func CheckKey(key string) error {
	segments := strings.Split(key, "/")
	if len(segments) > 8 {
		return fmt.Errorf("blob: key %q has more than eight segments", key)
	}
	for _, s := range segments {
		if s == "" || s == "." || s == ".." || len(s) > 255 {
			return fmt.Errorf("blob: key %q has a segment that is empty, dots or too long", key)
		}
		for i := range len(s) {
			c := s[i]
			switch {
			case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("._@+-", c) >= 0:
			default:
				return fmt.Errorf("blob: key %q has a character that is not allowed", key)
			}
		}
	}
	return nil
}
