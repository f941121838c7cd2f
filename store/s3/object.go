package s3

import (
	"context"
	"fmt"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"gatehouse/store/blob"
)

const (
	// skip is how much is read and thrown away rather than asked for anew: about what a round trip costs.
	skip = 64 << 10
	// tries is how often a body that breaks off is asked for again before resumeAfter more bytes have come.
	tries       = 3
	resumeAfter = 1 << 20
)

// Open implements blob.Store. It asks for the whole object at once, so that reading it from start to end is one
// request; a Read elsewhere asks again, from there. The Body lives until it is closed, not as long as ctx.
func (s *Store) Open(ctx context.Context, key string) (*blob.Object, error) {
	name, err := s.name(ctx, key)
	if err != nil {
		return nil, err
	}
	b := &body{s: s, key: key, name: name}
	b.ctx, b.cancel = context.WithCancel(context.WithoutCancel(ctx))
	out, err := b.get(ctx, &awss3.GetObjectInput{Bucket: &s.bucket, Key: &name, ChecksumMode: types.ChecksumModeEnabled})
	if err == nil && out.ContentLength == nil {
		out.Body.Close()
		err = fmt.Errorf("%w: it does not tell the size of the object", errAnswer)
	}
	if err != nil {
		b.cancel()
		if missing(err) {
			return nil, blob.ErrNotFound
		}
		return nil, s.explain(ctx, "opening "+key, err)
	}
	b.size, b.etag, b.stream = *out.ContentLength, out.ETag, out.Body
	return &blob.Object{Size: b.size, Body: b}, nil
}

// body reads an object. It is for one goroutine.
type body struct {
	s         *Store
	ctx       context.Context // of the requests; ends with Close
	cancel    context.CancelFunc
	key, name string
	size      int64
	etag      *string

	off    int64         // of the reader
	stream io.ReadCloser // an answer of the server, at the offset at; nil if there is none
	at     int64
	broken int // how often a stream broke off, since good bytes ago
	good   int64
}

// get asks for the object. The wait for the answer ends with ctx and after twice the timeout, the answer itself does not.
func (b *body) get(ctx context.Context, in *awss3.GetObjectInput) (*awss3.GetObjectOutput, error) {
	wait, cancel := context.WithTimeout(ctx, 2*b.s.timeout)
	defer cancel()
	request, abandon := context.WithCancelCause(b.ctx)
	undo := context.AfterFunc(wait, func() { abandon(context.Cause(wait)) })
	out, err := b.s.client.GetObject(request, in)
	if !undo() { // too late: the body, if there is one, is dead already
		if err == nil {
			out.Body.Close()
		}
		err = context.Cause(wait)
	}
	if err != nil {
		abandon(nil)
		return nil, err
	}
	return out, nil
}

func (b *body) Read(p []byte) (int, error) {
	if b.ctx.Err() != nil {
		return 0, fmt.Errorf("s3: reading %s: the body is closed", b.key)
	}
	if len(p) == 0 {
		return 0, nil
	}
	for b.off < b.size {
		if err := b.reach(); err != nil {
			return 0, b.s.explain(b.ctx, "reading "+b.key, err)
		}
		n, err := b.stream.Read(p[:min(int64(len(p)), b.size-b.at)])
		b.at += int64(n)
		if b.at == b.size {
			// Only behind the last byte does the SDK tell whether the checksum is right, and who copies just the size of the
			// object never looks there. So the last bytes are not given out before.
			if err := b.end(err); err != nil {
				return 0, b.s.explain(b.ctx, "reading "+b.key, err)
			}
		} else if err != nil {
			if berr := b.brokeOff(err); berr != nil && n == 0 {
				return 0, b.s.explain(b.ctx, "reading "+b.key, berr)
			}
		}
		if n > 0 {
			b.off += int64(n)
			if b.good += int64(n); b.good >= resumeAfter {
				b.good, b.broken = 0, 0
			}
			return n, nil
		}
	}
	if b.size == 0 {
		b.drop()
	}
	return 0, io.EOF
}

// reach brings the stream to where the reader is.
func (b *body) reach() error {
	if b.stream != nil && b.at < b.off && b.off-b.at <= skip {
		n, err := io.CopyN(io.Discard, b.stream, b.off-b.at)
		b.at += n
		if err != nil {
			b.drop()
		}
	}
	if b.stream != nil && b.at == b.off {
		return nil
	}
	b.drop()
	if b.broken > tries {
		return errBrokenOff
	}
	out, err := b.get(b.ctx, &awss3.GetObjectInput{
		Bucket: &b.s.bucket, Key: &b.name, IfMatch: b.etag, Range: aws.String(fmt.Sprintf("bytes=%d-", b.off)),
	})
	if err != nil {
		return err
	}
	// A server that does not know ranges sends everything, and says so.
	want := fmt.Sprintf("bytes %d-%d/%d", b.off, b.size-1, b.size)
	if got := aws.ToString(out.ContentRange); got != want && (got != "" || b.off > 0) {
		out.Body.Close()
		return fmt.Errorf("%w: %q instead of %q", errAnswer, shortened(got), want)
	}
	b.stream, b.at = out.Body, b.off
	return nil
}

// end looks at what comes behind the last byte, and lets the connection be used again.
func (b *body) end(err error) error {
	defer b.drop()
	var more [1]byte
	for i := 0; err == nil && i < 100; i++ {
		var n int
		if n, err = b.stream.Read(more[:]); n > 0 {
			return fmt.Errorf("%w: more than the whole object", errAnswer)
		}
	}
	if err != io.EOF {
		return fmt.Errorf("%w: %w", errAnswer, err)
	}
	return nil
}

var errBrokenOff = fmt.Errorf("%w: the object breaks off again and again", errAnswer)

// brokeOff notes that the stream ended early. It returns an error when that happens too often.
func (b *body) brokeOff(err error) error {
	b.drop()
	if b.broken++; b.broken > tries {
		return fmt.Errorf("%w: %w", errBrokenOff, err)
	}
	return nil
}

// drop closes the stream. Where little is left it is read to its end, which keeps the connection.
func (b *body) drop() {
	if b.stream == nil {
		return
	}
	if b.size-b.at <= skip {
		_, _ = io.CopyN(io.Discard, b.stream, skip+1)
	}
	b.stream.Close()
	b.stream = nil
}

// Seek implements io.Seeker. It asks nothing of the server: the next Read does.
func (b *body) Seek(offset int64, whence int) (int64, error) {
	at, err := seek(b.off, b.size, offset, whence)
	if err == nil {
		b.off = at
	}
	return at, err
}

// Close implements io.Closer.
func (b *body) Close() error {
	b.drop()
	b.cancel()
	return nil
}

// seek computes where a Seek leads in something of a size.
func seek(at, size, offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekStart:
	case io.SeekCurrent:
		offset += at
	case io.SeekEnd:
		offset += size
	default:
		return at, fmt.Errorf("s3: no such whence: %d", whence)
	}
	if offset < 0 {
		return at, fmt.Errorf("s3: a position before the start: %d", offset)
	}
	return offset, nil
}
