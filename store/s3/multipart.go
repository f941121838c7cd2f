package s3

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// grace is how long a request may go on after its caller has gone away, where an answer is better than none.
const grace = 5 * time.Second

// lingering returns a context that ends after a limit, and a while after its parent. It is for what cannot be undone without
// an answer: an upload that was begun has to be known to be aborted, and a part that the server still works on when its upload is
// aborted may bring that back.
func lingering(parent context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(parent), limit)
	undo := context.AfterFunc(parent, func() { time.AfterFunc(grace, cancel) })
	return ctx, func() {
		undo()
		cancel()
	}
}

// multipart is an upload in parts.
type multipart struct {
	s    *Store
	name string
	id   *string

	mu   sync.Mutex
	done []types.CompletedPart // by number
}

// putParts stores an object in parts, and leaves none of them behind when it fails.
func (s *Store) putParts(ctx context.Context, name string, size int64, content *source) error {
	bounded, cancel := lingering(ctx, 2*s.timeout)
	defer cancel()
	created, err := s.client.CreateMultipartUpload(bounded, &awss3.CreateMultipartUploadInput{
		Bucket: &s.bucket, Key: &name, ContentType: aws.String(contentType), ChecksumAlgorithm: types.ChecksumAlgorithmCrc32,
	})
	if err != nil {
		return err
	}
	u := &multipart{s: s, name: name, id: created.UploadId, done: make([]types.CompletedPart, (size+partSize-1)/partSize)}
	completed := false
	defer func() { // also when the reader panics
		if !completed {
			u.abort(ctx)
		}
	}()
	if err := u.send(ctx, content); err != nil {
		return err
	}
	if err := s.outcome(ctx, name, u.complete(ctx)); err != nil {
		return err
	}
	completed = true
	got, err := s.head(ctx, name)
	if missingHead(err) {
		return nil // deleted already
	}
	if err == nil && got != size {
		err = fmt.Errorf("%w: an object of %d bytes, made out of %d", errAnswer, got, size)
	}
	return err
}

// send sends all parts, a few at once. When it returns none is under way: an abort would miss it.
func (u *multipart) send(ctx context.Context, content *source) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	content.ctx = ctx
	var running sync.WaitGroup
	defer running.Wait()
	defer stop(nil) // before waiting, when the reader panics
	slots := make(chan struct{}, inFlight)
	for i := range u.done {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			running.Wait()
			return context.Cause(ctx)
		}
		p, err := content.next()
		if err != nil {
			if ctx.Err() == nil { // else a part has failed, or the caller has gone: that is the reason
				stop(ours{err})
			}
			running.Wait()
			return context.Cause(ctx)
		}
		running.Go(func() {
			defer func() { <-slots }()
			defer p.release()
			if err := u.sendPart(ctx, i, p); err != nil {
				stop(err)
			}
		})
	}
	running.Wait()
	return context.Cause(ctx)
}

func (u *multipart) sendPart(ctx context.Context, i int, p *part) error {
	request, cancel := lingering(ctx, 4*u.s.timeout)
	defer cancel()
	defer context.AfterFunc(ctx, func() { p.cut(cancel) })()
	number := aws.Int32(int32(i + 1))
	sum := aws.String(p.checksum())
	out, err := u.s.client.UploadPart(request, &awss3.UploadPartInput{
		Bucket: &u.s.bucket, Key: &u.name, UploadId: u.id, PartNumber: number,
		Body: p, ContentLength: &p.size, ChecksumCRC32: sum,
	})
	if err != nil {
		return err
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.done[i] = types.CompletedPart{PartNumber: number, ETag: out.ETag, ChecksumCRC32: sum}
	return nil
}

// complete makes the parts an object.
func (u *multipart) complete(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 4*u.s.timeout)
	defer cancel()
	in := &awss3.CompleteMultipartUploadInput{
		Bucket: &u.s.bucket, Key: &u.name, UploadId: u.id, MultipartUpload: &types.CompletedMultipartUpload{Parts: u.done},
		IfNoneMatch: u.s.condition(),
	}
	_, err := u.s.client.CompleteMultipartUpload(ctx, in)
	if in.IfNoneMatch == nil || !unknownCondition(err) {
		return err
	}
	u.s.conditional.Store(false)
	if there, err := u.s.has(ctx, u.name); err != nil {
		return err
	} else if there {
		return errThere
	}
	in.IfNoneMatch = nil
	_, err = u.s.client.CompleteMultipartUpload(ctx, in)
	return err
}

// abort removes what was sent. It goes on when the caller has gone away, and is not waited for longer than a moment: the
// parts it cannot remove are left to AbortUnfinished.
func (u *multipart) abort(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), u.s.timeout)
	defer cancel()
	_, _ = u.s.client.AbortMultipartUpload(ctx, &awss3.AbortMultipartUploadInput{Bucket: &u.s.bucket, Key: &u.name, UploadId: u.id})
}

// AbortUnfinished removes the uploads in parts that were begun before a time and never finished, because their process
// was killed, and returns how many they were. A day ago is safe: no upload takes that long.
func (s *Store) AbortUnfinished(ctx context.Context, before time.Time) (int, error) {
	n := 0
	pages := awss3.NewListMultipartUploadsPaginator(s.client, &awss3.ListMultipartUploadsInput{Bucket: &s.bucket, Prefix: &s.prefix})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return n, s.explain(ctx, "looking for unfinished uploads", err)
		}
		for _, u := range page.Uploads {
			if u.Initiated == nil || !u.Initiated.Before(before) {
				continue
			}
			_, err := s.client.AbortMultipartUpload(ctx, &awss3.AbortMultipartUploadInput{Bucket: &s.bucket, Key: u.Key, UploadId: u.UploadId})
			if err != nil && !noSuchUpload(err) {
				return n, s.explain(ctx, "removing an unfinished upload", err)
			}
			n++
		}
	}
	return n, nil
}
