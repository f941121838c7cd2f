package s3

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"gatehouse/store/blob"
)

// maxLink is how long S3 lets a link be valid. One that was signed with credentials that expire themselves ends with them.
const maxLink = 7 * 24 * time.Hour

// Link implements blob.Linker. It asks nothing of the server.
func (s *Store) Link(ctx context.Context, key string, ttl time.Duration, filename string) (string, error) {
	name, err := s.name(ctx, key)
	if err != nil {
		return "", err
	}
	if ttl < time.Second || ttl > maxLink {
		return "", fmt.Errorf("s3: a link can be valid for one second to %v, not for %v", maxLink, ttl)
	}
	if filename != "" && (blob.CheckKey(filename) != nil || strings.Contains(filename, "/")) {
		return "", fmt.Errorf("s3: %q is not the name of a file", filename)
	}
	link, err := s.link(ctx, name, ttl, filename)
	if err != nil {
		return "", s.explain(ctx, "signing a link to "+key, err)
	}
	return link, nil
}

// LinkHost returns the host name that links lead to. A registry that has the same one must not redirect to them: clients
// would send its token along, and S3 refuses a request with two credentials.
func (s *Store) LinkHost() string { return s.host }

func (s *Store) link(ctx context.Context, name string, ttl time.Duration, filename string) (string, error) {
	in := &awss3.GetObjectInput{Bucket: &s.bucket, Key: &name}
	if filename != "" {
		in.ResponseContentDisposition = aws.String(`attachment; filename="` + filename + `"`)
	}
	signed, err := s.presign.PresignGetObject(ctx, in, awss3.WithPresignExpires(ttl))
	if err != nil {
		return "", err
	}
	return signed.URL, nil
}

// newPresigner returns a client for links. They ask for no checksum, which would be a header that the client has to send.
func newPresigner(c *awss3.Client) *awss3.PresignClient {
	return awss3.NewPresignClient(c, awss3.WithPresignClientFromClientOptions(func(o *awss3.Options) {
		o.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired
	}))
}
