package s3

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"
	"time"

	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"gatehouse/store/blob"
	"gatehouse/store/blob/blobtest"
	"gatehouse/store/s3/s3test"
)

// options are those for a new bucket, at an endpoint: the server's own, or a proxy in front of it.
func options(t testing.TB, server *s3test.Server, endpoint string) Options {
	t.Helper()
	return Options{
		AccessKeyID: server.AccessKeyID, SecretAccessKey: server.SecretAccessKey, Region: s3test.Region,
		Bucket: server.Bucket(t), Endpoint: endpoint, PathStyle: true,
	}
}

func mustOpen(t testing.TB, o Options) *Store {
	t.Helper()
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func put(t testing.TB, s *Store, key, content string) {
	t.Helper()
	if err := s.Put(t.Context(), key, int64(len(content)), strings.NewReader(content)); err != nil {
		t.Fatalf("Put(%q): %v", key, err)
	}
}

func get(t testing.TB, s *Store, key string) string {
	t.Helper()
	o, err := s.Open(t.Context(), key)
	if err != nil {
		t.Fatalf("Open(%q): %v", key, err)
	}
	defer o.Body.Close()
	content, err := io.ReadAll(o.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// stream hides that a reader can be read at any place.
func stream(content string) io.Reader { return io.MultiReader(strings.NewReader(content)) }

// all lists what is in the bucket of a store.
func all(t testing.TB, s *Store) []string {
	t.Helper()
	var names []string
	pages := awss3.NewListObjectsV2Paginator(s.client, &awss3.ListObjectsV2Input{Bucket: &s.bucket})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range page.Contents {
			names = append(names, *o.Key)
		}
	}
	return names
}

// uploads lists the unfinished uploads of a store.
func uploads(t testing.TB, s *Store) []string {
	t.Helper()
	out, err := s.client.ListMultipartUploads(t.Context(), &awss3.ListMultipartUploadsInput{Bucket: &s.bucket})
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, u := range out.Uploads {
		keys = append(keys, *u.Key)
	}
	return keys
}

func TestContract(t *testing.T) {
	server := s3test.New(t)
	for name, prefix := range map[string]string{"bucket": "", "prefix": "/some/where/"} {
		t.Run(name, func(t *testing.T) {
			blobtest.Run(t, blobtest.Harness{
				Open: func(t *testing.T) blob.Store {
					o := options(t, server, server.URL)
					o.Prefix = prefix
					return mustOpen(t, o)
				},
				Leftovers: func(t *testing.T, s blob.Store) []string {
					left := uploads(t, s.(*Store))
					for _, name := range all(t, s.(*Store)) {
						if strings.Contains(name, "%") {
							left = append(left, name)
						}
					}
					return left
				},
			})
		})
	}
}

func BenchmarkPut100KB(b *testing.B) {
	server := s3test.New(b)
	s := mustOpen(b, options(b, server, server.URL))
	content := bytes.Repeat([]byte("0123456789"), 10_000)
	b.SetBytes(int64(len(content)))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if err := s.Put(b.Context(), "@acme/ui/"+time.Duration(i).String(), int64(len(content)), bytes.NewReader(content)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpen10KB(b *testing.B) {
	server := s3test.New(b)
	s := mustOpen(b, options(b, server, server.URL))
	put(b, s, "@acme/ui/ui-1.0.0.tgz", strings.Repeat("0123456789", 1000))
	b.ReportAllocs()
	for b.Loop() {
		o, err := s.Open(b.Context(), "@acme/ui/ui-1.0.0.tgz")
		if err != nil {
			b.Fatal(err)
		}
		if n, err := io.Copy(io.Discard, o.Body); err != nil || n != o.Size {
			b.Fatal(n, err)
		}
		o.Body.Close()
	}
}

func BenchmarkLink(b *testing.B) {
	server := s3test.New(b)
	s := mustOpen(b, options(b, server, server.URL))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Link(context.Background(), "@acme/ui/ui-1.0.0.tgz", time.Minute, "ui-1.0.0.tgz"); err != nil {
			b.Fatal(err)
		}
	}
}
