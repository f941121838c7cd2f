package s3

import (
	"context"
	"io"

	"gatehouse/store/blob"
)

// source is the content of an upload: it gives out parts, one after the other.
type source struct {
	s    *Store
	ctx  context.Context
	r    io.Reader
	at   io.ReaderAt // r, where it can be read anywhere
	base int64       // where it starts in at
	left int64       // what has not been given out yet
	off  int64
}

// newSource looks at the content. If its size can be told, and is another one, that is blob.ErrShort already.
func (s *Store) newSource(ctx context.Context, r io.Reader, size int64) (*source, error) {
	c := &source{s: s, ctx: ctx, r: r, left: size}
	at, ok := r.(io.ReaderAt)
	seeker, ok2 := r.(io.Seeker)
	if !ok || !ok2 {
		return c, nil
	}
	base, err := seeker.Seek(0, io.SeekCurrent)
	if err != nil {
		return c, nil // a pipe is a file too
	}
	end, err := seeker.Seek(0, io.SeekEnd)
	if err != nil {
		return c, nil
	}
	if _, err := seeker.Seek(base, io.SeekStart); err != nil {
		return nil, err
	}
	if end-base != size {
		return nil, blob.ErrShort
	}
	c.at, c.base = at, base
	return c, nil
}

// next returns the next part, of partSize or what is left. With the last one it makes sure that the content ends there.
// The caller releases the part.
func (c *source) next() (*part, error) {
	size := min(c.left, partSize)
	p := &part{size: size}
	good := false
	defer func() { // also when the reader panics
		if !good {
			p.release()
		}
	}()
	if c.at != nil {
		p.at = io.NewSectionReader(c.at, c.base+c.off, size)
	} else if err := c.read(p); err != nil {
		return nil, err
	}
	if err := p.sum(c.ctx); err != nil {
		return nil, err
	}
	c.off += size
	c.left -= size
	good = true
	return p, nil
}

// read copies the next part out of a stream.
func (c *source) read(p *part) error {
	// A whole object that is small comes in a moment, and is the collector's business.
	if c.off == 0 && p.size <= 1<<20 {
		p.buf = make([]byte, p.size)
	} else if err := c.s.takeBuffer(c.ctx, p); err != nil {
		return err
	}
	if err := c.fill(p.buf[:p.size]); err == io.EOF {
		return blob.ErrShort
	} else if err != nil {
		return err
	}
	if p.size == c.left {
		if err := c.fill(make([]byte, 1)); err == nil {
			return blob.ErrShort
		} else if err != io.EOF {
			return err
		}
	}
	p.at = bytesAt(p.buf[:p.size])
	return nil
}

// fill fills b. The end of the content is io.EOF, wherever it is; any other error is the reader's own.
func (c *source) fill(b []byte) error {
	for idle := 0; len(b) > 0; {
		if err := c.ctx.Err(); err != nil {
			return err
		}
		n, err := c.r.Read(b)
		b = b[n:]
		if len(b) == 0 {
			return nil
		}
		if err != nil {
			return err
		}
		if n > 0 {
			idle = 0
		} else if idle++; idle == 100 {
			return io.ErrNoProgress
		}
	}
	return nil
}
