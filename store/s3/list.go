package s3

import (
	"context"
	"iter"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"gatehouse/store/blob"
)

var _ blob.Lister = (*Store)(nil)

// List implements blob.Lister, a request for each thousand objects.
func (s *Store) List(ctx context.Context) iter.Seq2[blob.Info, error] {
	return func(yield func(blob.Info, error) bool) {
		in := &awss3.ListObjectsV2Input{Bucket: &s.bucket, Prefix: &s.prefix}
		if s.listPage > 0 {
			in.MaxKeys = aws.Int32(s.listPage)
		}
		pages := awss3.NewListObjectsV2Paginator(s.client, in)
		for pages.HasMorePages() {
			page, err := s.page(ctx, pages)
			if err != nil {
				yield(blob.Info{}, s.explain(ctx, "listing", err))
				return
			}
			for _, o := range page.Contents {
				key := strings.TrimPrefix(aws.ToString(o.Key), s.prefix)
				if blob.CheckKey(key) != nil {
					continue // the probe, or not ours
				}
				if err := ctx.Err(); err != nil {
					yield(blob.Info{}, s.explain(ctx, "listing", err))
					return
				}
				if !yield(blob.Info{Key: key, Size: aws.ToInt64(o.Size), Modified: aws.ToTime(o.LastModified)}, nil) {
					return
				}
			}
		}
	}
}

func (s *Store) page(ctx context.Context, pages *awss3.ListObjectsV2Paginator) (*awss3.ListObjectsV2Output, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*s.timeout)
	defer cancel()
	return pages.NextPage(ctx)
}
