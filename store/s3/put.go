package s3

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"gatehouse/store/blob"
)

// errThere: the server refused an upload because there is an object of that key.
var errThere = errors.New("s3: the object exists")

// errNotKept: the server acknowledged an upload, and there is no such object.
var errNotKept = fmt.Errorf("%w: it has acknowledged an object that is not there", errAnswer)

// Put implements blob.Store. Content that is an io.ReaderAt and io.Seeker, such as an *os.File, is not copied to memory.
func (s *Store) Put(ctx context.Context, key string, size int64, r io.Reader) error {
	name, err := s.name(ctx, key)
	if err != nil {
		return err
	}
	if size < 0 {
		return fmt.Errorf("s3: a size of %d bytes for %s", size, key)
	}
	if size > maxObject {
		return fmt.Errorf("s3: storing %s: %w: %d bytes are more than an object may have, %d", key, blob.ErrFull, size, int64(maxObject))
	}
	if err := s.put(ctx, name, size, r); err != nil && !errors.Is(err, errThere) {
		return s.explain(ctx, "storing "+key, err)
	}
	return nil
}

func (s *Store) put(ctx context.Context, name string, size int64, r io.Reader) error {
	// Where the upload itself finds out, looking first would be a round trip more; a large one is worth it.
	if !s.conditional.Load() || size > partSize {
		if there, err := s.has(ctx, name); err != nil || there {
			return err
		}
	}
	content, err := s.newSource(ctx, r, size)
	if err != nil {
		return ours{err}
	}
	if size > partSize {
		return s.putParts(ctx, name, size, content)
	}
	p, err := content.next()
	if err != nil {
		return ours{err}
	}
	defer p.release()
	return s.putWhole(ctx, name, p)
}

// putWhole stores an object with one request, or a few where the server says that it met another change of the key.
func (s *Store) putWhole(ctx context.Context, name string, p *part) error {
	ctx, cancel := context.WithTimeout(ctx, 4*s.timeout)
	defer cancel()
	for attempt := 1; ; attempt++ {
		if _, err := p.Seek(0, io.SeekStart); err != nil {
			return err
		}
		in := &awss3.PutObjectInput{
			Bucket: &s.bucket, Key: &name, Body: p, ContentLength: &p.size, ChecksumCRC32: aws.String(p.checksum()),
			ContentType: aws.String(contentType), IfNoneMatch: s.condition(),
		}
		out, err := s.client.PutObject(ctx, in)
		if in.IfNoneMatch != nil && unknownCondition(err) {
			s.conditional.Store(false)
			if there, err := s.has(ctx, name); err != nil || there {
				return err
			}
			continue
		}
		if err == nil && out.ChecksumCRC32 == nil {
			err = s.confirm(ctx, name)
		}
		err = s.outcome(ctx, name, err)
		if !conflict(err) && !errors.Is(err, errNotKept) || attempt == 5 {
			return err
		}
		if err := pause(ctx, attempt); err != nil {
			return err
		}
	}
}

// confirm looks for an object whose upload was acknowledged without the checksum that was sent with it. S3 and most servers
// repeat it. versitygw does too (1.8.0), but for the upload that it loses: when another request deletes the last object of the
// same folder, the server removes the folder while this upload makes it; making it fails with EEXIST, which the server
// takes for an object that is there already, and so it answers 200 to what it has thrown away. Sent again, the upload is kept.
func (s *Store) confirm(ctx context.Context, name string) error {
	there, err := s.has(ctx, name)
	if err == nil && !there {
		err = errNotKept
	}
	return err
}

// outcome turns the error of an upload into errThere where it means that the object is there, by whomever: the upload
// met a condition, another writer, or itself, sent again after its answer was lost.
func (s *Store) outcome(ctx context.Context, name string, err error) error {
	switch {
	case err == nil:
		return nil
	case preconditionFailed(err):
		return errThere
	case conflict(err) || noSuchUpload(err):
		if there, herr := s.has(ctx, name); herr == nil && there {
			return errThere
		}
	}
	return err
}

// condition is the value of If-None-Match.
func (s *Store) condition() *string {
	if s.conditional.Load() {
		return aws.String("*")
	}
	return nil
}

// contentType is that of all objects: a link to one is opened by browsers, and is never to be a page.
const contentType = "application/octet-stream"

// checksum returns the CRC-32 as S3 writes it.
func (p *part) checksum() string {
	return base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint32(nil, p.crc))
}

// pause waits a little longer at each attempt.
func pause(ctx context.Context, attempt int) error {
	t := time.NewTimer(time.Duration(attempt) * 50 * time.Millisecond)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
