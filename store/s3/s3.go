// Package s3 keeps objects in a bucket of Amazon S3, or of a server that speaks its protocol: the byte engine of a
// registry that runs as several processes, or whose tarballs outgrow a disk. It is the only package that knows the SDK.
//
// # What it owns
//
// The objects below a prefix of a bucket. An object's key there is the prefix, "/" and its key here. Beside them there
// is, while a process starts, %probe: no key of ours has a "%".
//
// # Guarantees
//
// Whole. S3 shows an object when its upload is complete and not before, and both the length and a CRC-32 of what is
// sent are checked by the server: of the whole, or of each part. After an upload in parts the size is asked for. When an
// object is read from its start to its end, its checksum is compared before the last bytes are handed out; a
// body that ends early is asked for again from where it ended, on condition that it is still the same object (its
// ETag), and an error when that fails. Nothing is ever cut short silently.
//
// Durable. When Put returns nil the server has acknowledged the object. An acknowledgement that does not repeat the checksum
// is not believed: the object is looked for, and sent again if it is not there. That is a request more per
// upload at a server that never repeats it.
//
// First come. An object is never replaced. Uploads carry "If-None-Match: *", so that of two writers one wins, whoever
// they are. A server that does not know this condition is found out at the start; there, an object is
// looked for before it is put, and of two writers at the same moment the later one wins. Since a key stands for its content,
// both wrote the same bytes.
//
// Safe to repeat. A request whose answer got lost is sent again by the SDK. The second meets the object that the first
// has stored, and that is success. After an error of Put other than blob.ErrShort and blob.ErrFull the object may be
// there, whole; it is not deleted, for it may be another writer's.
//
// Clean. An upload in parts that fails is aborted, also when the caller has gone away, and not before the parts that
// were sent are answered: one that the server still works on could bring the upload back. For that a cancelled Put may take
// some seconds more. An upload that is killed, or whose beginning was not answered, leaves parts, which cost
// money and are not seen: AbortUnfinished removes those that are old, as a lifecycle rule of the bucket would.
//
// # Memory
//
// Content that can be read at any place (a file, bytes in memory) is sent from there, up to three parts at once. Any
// other is copied into buffers of one part, of which a Store has four in all; they are outside of Go's heap
// and given back to the system at once. A body in the hands of net/http may still be read after the request has failed,
// so each one is cut off from its bytes before these are let go.
//
// # Time
//
// A connection on which nothing moves for Options.Timeout is closed. What fails in passing (5xx, SlowDown, a broken
// connection) is repeated by the SDK within two seconds, five attempts in all, and while a whole server is down mostly one,
// since repeating is rationed. With all attempts a request is given up after twice the timeout, one with content after
// four times the timeout.
//
// # Errors
//
// Everything that an operator has to know is one sentence, and a sentinel: ErrBucket, ErrDenied, ErrCredentials,
// ErrRegion, ErrClock, ErrUnreachable. They wrap blob.ErrUnavailable, as does any other failure of the server. No error holds
// a secret: requests carry signatures in headers, which errors do not show, and links are never part of one.
//
// # Permissions
//
// s3:ListBucket on the bucket (without it, S3 answers "denied" for an object that is not there), and s3:GetObject,
// s3:PutObject, s3:DeleteObject and s3:AbortMultipartUpload on what is in it. AbortUnfinished also needs
// s3:ListBucketMultipartUploads. In a bucket with versions, deleting keeps the bytes: give it a lifecycle rule.
//
// # Limits
//
// 1,024 bytes of prefix and key together, 78 GiB for an object.
package s3

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"gatehouse/store/blob"
)

// Options say which bucket, and how to reach it.
type Options struct {
	// AccessKeyID and SecretAccessKey are the key. Both empty: the SDK's default chain is asked (environment, shared
	// files, web identity, container, instance).
	AccessKeyID     string
	SecretAccessKey string
	// Region of the bucket. Empty: the default chain's if that is used, else us-east-1 where there is an Endpoint.
	Region string
	Bucket string
	// Prefix is put before each key. It has the form of a key; slashes around it do not matter. Empty: none.
	Prefix string
	// Endpoint is the URL of another server than Amazon's, such as "https://minio.example.com".
	Endpoint string
	// PathStyle puts the bucket into the path and not into the host name. Most servers other than Amazon's need it.
	PathStyle bool
	// Timeout is how long a connection may be silent; 0 means 30 s.
	Timeout time.Duration
}

// Store is a bucket. Use Open. There is nothing to close.
type Store struct {
	client  *awss3.Client
	presign *awss3.PresignClient
	bucket  string
	prefix  string // "" or ending in "/"
	region  string
	where   string // the server, in words
	host    string // in links
	timeout time.Duration
	// listPage is how many objects are listed at once; 0: as many as the server likes, a thousand.
	listPage int32

	// conditional: the server heeds If-None-Match on uploads. False costs a request more per upload.
	conditional atomic.Bool
	buffers     chan struct{} // a place for each buffer in use
}

var (
	_ blob.Store  = (*Store)(nil)
	_ blob.Linker = (*Store)(nil)
)

const (
	// partSize is how much is sent at once. More is sent in parts. At 10,000 parts it also bounds an object.
	partSize  = 8 << 20
	maxObject = partSize * 10_000
	// inFlight is how many parts of one upload are under way together; buffers is how many are held in memory, by all uploads.
	inFlight = 3
	buffers  = 4

	maxKey = 1024 // of S3
)

// Delete implements blob.Store.
func (s *Store) Delete(ctx context.Context, key string) error {
	name, err := s.name(ctx, key)
	if err != nil {
		return err
	}
	bounded, cancel := context.WithTimeout(ctx, 2*s.timeout)
	defer cancel()
	_, err = s.client.DeleteObject(bounded, &awss3.DeleteObjectInput{Bucket: &s.bucket, Key: &name})
	if err == nil || missing(err) {
		return nil
	}
	return s.explain(ctx, "deleting "+key, err)
}

// Ready tells whether the bucket answers and lets us in, with one request. Its error is the sentence for the operator.
func (s *Store) Ready(ctx context.Context) error {
	bounded, cancel := context.WithTimeout(ctx, 2*s.timeout)
	defer cancel()
	// Not HeadBucket: an answer to HEAD has no body, and so does not say what is wrong.
	_, err := s.client.ListObjectsV2(bounded, &awss3.ListObjectsV2Input{
		Bucket: &s.bucket, Prefix: &s.prefix, MaxKeys: aws.Int32(1),
	})
	if err != nil {
		return s.explain(ctx, "", err)
	}
	return nil
}

// name returns the key of an object in the bucket.
func (s *Store) name(ctx context.Context, key string) (string, error) {
	if err := blob.CheckKey(key); err != nil {
		return "", err
	}
	name := s.prefix + key
	if len(name) > maxKey {
		return "", fmt.Errorf("s3: the key %q is %d bytes long with its prefix, and S3 takes %d", key, len(name), maxKey)
	}
	if err := ctx.Err(); err != nil {
		return "", fmt.Errorf("s3: %w", err)
	}
	return name, nil
}

// head asks for the size of an object. The error is the SDK's.
func (s *Store) head(ctx context.Context, name string) (size int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, 2*s.timeout)
	defer cancel()
	out, err := s.client.HeadObject(ctx, &awss3.HeadObjectInput{Bucket: &s.bucket, Key: &name})
	if err != nil {
		return 0, err
	}
	return aws.ToInt64(out.ContentLength), nil
}

// has tells whether there is an object. The error is the SDK's.
func (s *Store) has(ctx context.Context, name string) (bool, error) {
	_, err := s.head(ctx, name)
	if missingHead(err) {
		return false, nil
	}
	return err == nil, err
}

// checked returns the options with their defaults, or an error for those that cannot be meant.
func (o Options) checked() (Options, error) {
	if o.Bucket == "" || strings.ContainsAny(o.Bucket, "/?#% ") {
		return o, fmt.Errorf("s3: %q is not the name of a bucket", o.Bucket)
	}
	if (o.AccessKeyID == "") != (o.SecretAccessKey == "") {
		return o, fmt.Errorf("s3: the access key has two halves, the id and the secret, and only one was given")
	}
	o.Prefix = strings.Trim(o.Prefix, "/")
	if o.Prefix != "" {
		if err := blob.CheckKey(o.Prefix); err != nil {
			return o, fmt.Errorf("s3: the prefix %q does not have the form of a key: %w", o.Prefix, err)
		}
		o.Prefix += "/"
	}
	if o.Endpoint != "" {
		u, err := url.Parse(o.Endpoint)
		switch {
		case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
			// The text is not repeated: somebody may have put a password into it.
			return o, fmt.Errorf("s3: the endpoint has to be a URL such as https://s3.example.com")
		case u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "":
			return o, fmt.Errorf("s3: the endpoint has to be a scheme, a host and a port, and nothing else")
		}
		if o.Region == "" && o.AccessKeyID != "" {
			o.Region = "us-east-1"
		}
	}
	if o.Timeout == 0 {
		o.Timeout = 30 * time.Second
	}
	if o.Timeout < 0 {
		return o, fmt.Errorf("s3: a timeout of %v", o.Timeout)
	}
	return o, nil
}
