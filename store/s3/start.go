package s3

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
)

// probe is the key of the object that Open puts and deletes. Always the same one, so that a process killed in between
// leaves one at most.
const probe = "%probe"

// Open checks that the bucket is there, and that objects can be listed, put, read and deleted in it. Its errors are
// sentences for the operator.
func Open(ctx context.Context, o Options) (*Store, error) {
	o, err := o.checked()
	if err != nil {
		return nil, err
	}
	s := &Store{
		bucket: o.Bucket, prefix: o.Prefix, timeout: o.Timeout, where: "Amazon S3",
		buffers: make(chan struct{}, buffers),
	}
	if o.Endpoint != "" {
		s.where = o.Endpoint
	}
	if s.client, s.region, err = connect(ctx, o); err != nil {
		return nil, &failure{text: "s3: the SDK's settings cannot be read: " + err.Error(), is: []error{ErrCredentials}, cause: err}
	}
	if s.region == "" {
		return nil, fmt.Errorf("%w: the region of the bucket %q has to be given", ErrRegion, o.Bucket)
	}
	s.presign = newPresigner(s.client)
	s.conditional.Store(true)
	if err := s.Ready(ctx); err != nil {
		return nil, err
	}
	if err := s.probe(ctx); err != nil {
		return nil, err
	}
	// Links have one host, whatever they are for.
	link, err := s.link(ctx, s.prefix+probe, maxLink, "")
	if err != nil {
		return nil, s.explain(ctx, "signing a link", err)
	}
	u, err := url.Parse(link)
	if err != nil {
		return nil, errors.New("s3: the SDK makes links that are no URLs") // which would show its signature
	}
	s.host = u.Hostname()
	return s, nil
}

// probe tries each thing that will be asked of the bucket, and finds out whether it heeds conditions.
func (s *Store) probe(ctx context.Context) error {
	bounded, cancel := context.WithTimeout(ctx, 4*s.timeout)
	defer cancel()
	name := s.prefix + probe
	// Deleting comes first: where it is not allowed, nothing is put that could not be removed.
	if err := s.unprobe(bounded, name); err != nil {
		return s.explain(ctx, "trying to delete an object", err)
	}
	upload, err := s.client.CreateMultipartUpload(bounded, &awss3.CreateMultipartUploadInput{Bucket: &s.bucket, Key: &name})
	if err != nil {
		return s.explain(ctx, "trying an upload in parts", err)
	}
	_, err = s.client.AbortMultipartUpload(bounded, &awss3.AbortMultipartUploadInput{Bucket: &s.bucket, Key: &name, UploadId: upload.UploadId})
	if err != nil {
		return s.explain(ctx, "aborting an upload in parts", err)
	}
	heeds, err := s.heedsConditions(bounded, name)
	if err != nil {
		return s.explain(ctx, "trying to store an object", err)
	}
	s.conditional.Store(heeds)
	// Another process that starts may have deleted it: that it may be read was seen all the same.
	if _, err := s.head(bounded, name); err != nil && !missingHead(err) {
		return s.explain(ctx, "trying to read an object", err)
	}
	if err := s.unprobe(bounded, name); err != nil {
		return s.explain(ctx, "trying to delete an object", err)
	}
	return nil
}

func (s *Store) unprobe(ctx context.Context, name string) error {
	_, err := s.client.DeleteObject(ctx, &awss3.DeleteObjectInput{Bucket: &s.bucket, Key: &name})
	if missing(err) {
		return nil
	}
	return err
}

// heedsConditions puts an object that must not replace another one until it is refused. More than twice, since another
// process that starts may delete it in between; when in doubt the answer is no, which only costs requests.
func (s *Store) heedsConditions(ctx context.Context, name string) (bool, error) {
	content := []byte("gatehouse tries whether it can store objects here\n")
	for range 4 {
		p := &part{size: int64(len(content)), at: bytes.NewReader(content)}
		if err := p.sum(ctx); err != nil {
			return false, err
		}
		in := &awss3.PutObjectInput{
			Bucket: &s.bucket, Key: &name, Body: p, ContentLength: &p.size, ChecksumCRC32: aws.String(p.checksum()),
			ContentType: aws.String(contentType), IfNoneMatch: aws.String("*"),
		}
		_, err := s.client.PutObject(ctx, in)
		if preconditionFailed(err) {
			return true, nil
		}
		if unknownCondition(err) {
			in.IfNoneMatch = nil
			_, _ = p.Seek(0, 0)
			_, err = s.client.PutObject(ctx, in)
			return false, err
		}
		if err != nil && !conflict(err) {
			return false, err
		}
	}
	return false, nil
}
