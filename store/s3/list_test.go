package s3

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"gatehouse/store/blob"
	"gatehouse/store/s3/s3test"
)

// TestList: what the contract cannot see: pages, the prefix, and what is in the bucket and none of ours.
func TestList(t *testing.T) {
	server := s3test.New(t)
	o := options(t, server, server.URL)
	o.Prefix = "some/where"
	s := mustOpen(t, o)
	s.listPage = 3
	var want []string
	for i := range 10 {
		want = append(want, fmt.Sprintf("@acme/ui/ui-1.0.%d.tgz", i))
		put(t, s, want[i], strings.Repeat("x", i))
	}
	for _, other := range []string{"some/where/" + probe, "some/where/a file.txt", "some/whereelse/a", "other"} {
		if _, err := s.client.PutObject(t.Context(), &awss3.PutObjectInput{Bucket: &o.Bucket, Key: aws.String(other), Body: strings.NewReader("x")}); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for info, err := range s.List(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if info.Size != int64(len(got)) {
			t.Errorf("%s has %d bytes, want %d", info.Key, info.Size, len(got))
		}
		got = append(got, info.Key)
	}
	if !slices.Equal(got, want) {
		t.Errorf("listed %q, want %q", got, want)
	}
}

// TestListFails: a page that does not come is an error, and the last thing said; it is never the end of a list.
func TestListFails(t *testing.T) {
	server := s3test.New(t)
	proxy := s3test.NewProxy(t, server.URL)
	s := mustOpen(t, options(t, server, proxy.URL))
	s.listPage = 2
	for i := range 5 {
		put(t, s, fmt.Sprint("object-", i), "x")
	}
	proxy.Fail(s3test.Fault{Method: http.MethodGet, Query: "continuation-token", Do: s3test.Answer(403, "AccessDenied", "Access Denied")})
	var keys []string
	var last error
	for info, err := range s.List(t.Context()) {
		if last != nil {
			t.Error("the error was not the last thing")
		}
		if last = err; err == nil {
			keys = append(keys, info.Key)
		}
	}
	if !errors.Is(last, ErrDenied) || !errors.Is(last, blob.ErrUnavailable) || !slices.Equal(keys, []string{"object-0", "object-1"}) {
		t.Errorf("%q, then %v", keys, last)
	}
}
