package s3

import (
	"context"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"sync"
	"syscall"

	"gatehouse/store/blob"
)

var errReleased = errors.New("s3: the content of a request that is over")

// part is the body of one request. Read and Seek belong to the request; release, once it is over, to its sender. net/http may
// still hold the body then: it finds it empty, and the bytes are free.
type part struct {
	size int64
	crc  uint32

	mu   sync.Mutex
	at   io.ReaderAt // nil when released
	off  int64
	buf  []byte
	free func() // gives buf back; nil for one of Go's
	stop func() // ends the request; set when it is not to begin again
}

func (p *part) Read(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.at == nil {
		return 0, errReleased
	}
	if p.off >= p.size {
		return 0, io.EOF
	}
	n, err := p.at.ReadAt(b[:min(int64(len(b)), p.size-p.off)], p.off)
	p.off += int64(n)
	if n > 0 {
		return n, nil
	}
	if err == io.EOF { // a file that shrank
		err = io.ErrUnexpectedEOF
	}
	return 0, err
}

func (p *part) Seek(offset int64, whence int) (int64, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	at, err := seek(p.off, p.size, offset, whence)
	if err == nil {
		p.off = at
	}
	if p.stop != nil {
		p.stop()
	}
	return at, err
}

// cut ends a request that has not sent all of the part yet. One that has is left to get its answer, but not to begin again.
func (p *part) cut(stop func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stop = stop
	if p.off < p.size {
		stop()
	}
}

// sum computes the checksum of the part.
func (p *part) sum(ctx context.Context) error {
	var h hash.Hash32 = crc32.NewIEEE()
	n, err := io.Copy(h, io.NewSectionReader(p.at, 0, p.size))
	if err != nil {
		return err
	}
	if n != p.size {
		return blob.ErrShort
	}
	p.crc = h.Sum32()
	return ctx.Err()
}

// release cuts the part off from its bytes. It may be called again.
func (p *part) release() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.at, p.buf = nil, nil
	if p.free != nil {
		p.free()
		p.free = nil
	}
}

// takeBuffer gives a part a buffer, as soon as one of the few is free. It does not come from Go's heap: a buffer that
// lives for a second would let the heap grow by twice its size, for longer.
func (s *Store) takeBuffer(ctx context.Context, p *part) error {
	select {
	case s.buffers <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	buf, err := syscall.Mmap(-1, 0, partSize, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		<-s.buffers
		return fmt.Errorf("taking %d MiB of memory: %w", partSize>>20, err)
	}
	p.buf = buf
	p.free = func() {
		_ = syscall.Munmap(buf) // fails for an address that is not one of Mmap's
		<-s.buffers
	}
	return nil
}

// bytesAt reads bytes at any place.
type bytesAt []byte

func (b bytesAt) ReadAt(p []byte, off int64) (int, error) {
	if off >= int64(len(b)) {
		return 0, io.EOF
	}
	n := copy(p, b[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}
