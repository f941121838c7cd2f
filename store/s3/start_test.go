package s3

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"gatehouse/store/blob"
	"gatehouse/store/s3/s3test"
)

// expectSentence checks an error for the operator: it is what it is, says one thing in one line, and no secret.
func expectSentence(t *testing.T, o Options, err, is error, says string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	text := err.Error()
	if !errors.Is(err, is) || !errors.Is(err, blob.ErrUnavailable) {
		t.Errorf("%v: want one that is %v, and unavailable", err, is)
	}
	if !strings.HasPrefix(text, "s3: ") || strings.Contains(text, "\n") || len(text) > 500 || !strings.Contains(text, says) {
		t.Errorf("%q: want one line with %q", text, says)
	}
	if strings.Contains(text, o.SecretAccessKey) || strings.Contains(text, "Signature=") {
		t.Errorf("%q shows a secret", text)
	}
	t.Log(text)
}

func TestStartSaysWhatIsWrong(t *testing.T) {
	server := s3test.New(t)
	good := options(t, server, server.URL)
	for name, c := range map[string]struct {
		change func(*Options)
		is     error
		says   string
	}{
		"bucket":   {func(o *Options) { o.Bucket = "no-such-bucket" }, ErrBucket, `there is no bucket "no-such-bucket" at http://127.0.0.1:`},
		"key":      {func(o *Options) { o.AccessKeyID = "unknown" }, ErrCredentials, "does not know the access key"},
		"secret":   {func(o *Options) { o.SecretAccessKey = "wrong-secret" }, ErrCredentials, "the secret does not belong to the id"},
		"region":   {func(o *Options) { o.Region = "us-west-2" }, ErrRegion, "is in the region eu-test-1, not in us-west-2"},
		"endpoint": {func(o *Options) { o.Endpoint = "http://" + closedAddress(t) }, ErrUnreachable, "connection refused"},
		"nothing allowed": {func(o *Options) {
			o.AccessKeyID, o.SecretAccessKey = server.User(t)
		}, ErrDenied, "denies access to the bucket"},
		"reading allowed": {func(o *Options) {
			o.AccessKeyID, o.SecretAccessKey = server.User(t)
			server.Allow(t, o.Bucket, o.AccessKeyID, "s3:ListBucket", "s3:GetObject")
		}, ErrDenied, "trying to delete an object: "},
		"all but putting allowed": {func(o *Options) {
			o.AccessKeyID, o.SecretAccessKey = server.User(t)
			server.Allow(t, o.Bucket, o.AccessKeyID, "s3:ListBucket", "s3:GetObject", "s3:DeleteObject", "s3:AbortMultipartUpload")
		}, ErrDenied, "the access key needs s3:ListBucket on it, and s3:GetObject, s3:PutObject,"},
		"all but deleting allowed": {func(o *Options) {
			o.AccessKeyID, o.SecretAccessKey = server.User(t)
			server.Allow(t, o.Bucket, o.AccessKeyID, "s3:ListBucket", "s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload")
		}, ErrDenied, "trying to delete an object: "},
	} {
		t.Run(name, func(t *testing.T) {
			o := good
			c.change(&o)
			_, err := Open(t.Context(), o)
			expectSentence(t, o, err, c.is, c.says)
		})
	}
	s := mustOpen(t, good)
	if left := append(all(t, s), uploads(t, s)...); len(left) > 0 {
		t.Errorf("the starts have left %q", left)
	}

	o := good
	o.AccessKeyID, o.SecretAccessKey = server.User(t)
	server.Allow(t, o.Bucket, o.AccessKeyID, "s3:ListBucket", "s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload")
	put(t, mustOpen(t, o), "a", "with exactly the permissions that the documentation names")
}

// TestStartAnswers: what Amazon answers and the server for tests cannot, and what is no S3 at all.
func TestStartAnswers(t *testing.T) {
	server := s3test.New(t)
	proxy := s3test.NewProxy(t, server.URL)
	o := options(t, server, proxy.URL)
	o.Timeout = 1500 * time.Millisecond
	for name, c := range map[string]struct {
		do   s3test.Action
		is   error
		says string
	}{
		"expired":        {s3test.Answer(400, "ExpiredToken", "The provided token has expired."), ErrCredentials, "have expired"},
		"invalid token":  {s3test.Answer(400, "InvalidToken", "The provided token is malformed or otherwise invalid."), ErrCredentials, "renew"},
		"clock":          {s3test.Answer(403, "RequestTimeTooSkewed", "The difference is too large."), ErrClock, "the clock of this machine"},
		"redirect":       {s3test.Answer(301, "PermanentRedirect", "Elsewhere.", "X-Amz-Bucket-Region", "ap-south-1"), ErrRegion, "is in the region ap-south-1, not in eu-test-1"},
		"redirect, mute": {s3test.Answer(301, "PermanentRedirect", "Elsewhere."), ErrRegion, "not in the region eu-test-1, or not at http"},
		"malformed": {s3test.Answer(400, "AuthorizationHeaderMalformed", "the region 'eu-test-1' is wrong; expecting 'sa-east-1'"), ErrRegion,
			"is in the region sa-east-1"},
		"slow down":      {s3test.Answer(503, "SlowDown", "Please reduce your request rate."), blob.ErrUnavailable, "not available now (status 503) (SlowDown"},
		"internal error": {s3test.Answer(500, "InternalError", "We encountered an internal error."), blob.ErrUnavailable, "(status 500)"},
		"dropped":        {s3test.Drop, ErrUnreachable, "gives no answer"},
		"hangs":          {s3test.Hang, ErrUnreachable, "gives no answer"},
		"a web page": {func(_ *s3test.Proxy, w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(http.StatusNotFound)
			w.Write([]byte("<html><body><h1>404</h1>\nNot here</body></html>"))
		}, blob.ErrUnavailable, "(status 404)"},
		"a welcome page": {func(_ *s3test.Proxy, w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.Write([]byte("<!DOCTYPE html><html><body>Welcome!<br>It works.</body></html>"))
		}, blob.ErrUnavailable, "is no S3 server"},
	} {
		t.Run(name, func(t *testing.T) {
			proxy.Fail(s3test.Fault{Do: c.do})
			start := time.Now()
			_, err := Open(t.Context(), o)
			expectSentence(t, o, err, c.is, c.says)
			if took := time.Since(start); took > 20*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
	proxy.Fail()
	s := mustOpen(t, o)
	proxy.Fail(s3test.Fault{Do: s3test.Answer(400, "ExpiredToken", "The provided token has expired.")})
	expectSentence(t, o, s.Ready(t.Context()), ErrCredentials, "have expired")
	proxy.Fail(s3test.Fault{Do: s3test.Hang})
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	expectSentence(t, o, s.Ready(ctx), ErrUnreachable, "gives no answer (no answer in time)")
	if err := s.Ready(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Ready: %v, want one that is the deadline too", err)
	}
}

func TestReady(t *testing.T) {
	server := s3test.New(t)
	o := options(t, server, server.URL)
	s := mustOpen(t, o)
	if err := s.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := server.Client().DeleteBucket(t.Context(), &awss3.DeleteBucketInput{Bucket: &o.Bucket}); err != nil {
		t.Fatal(err)
	}
	expectSentence(t, o, s.Ready(t.Context()), ErrBucket, "there is no bucket")
	// And in use it is not an object that is missing.
	_, err := s.Open(t.Context(), "a")
	expectSentence(t, o, err, ErrBucket, "opening a: there is no bucket")
	if errors.Is(err, blob.ErrNotFound) {
		t.Error("a bucket that is gone looks like an object that is not there")
	}
	expectSentence(t, o, s.Put(t.Context(), "a", 1, strings.NewReader("x")), ErrBucket, "storing a: there is no bucket")
}

func TestMistakesInOptions(t *testing.T) {
	good := Options{AccessKeyID: "id", SecretAccessKey: "hush", Bucket: "b", Endpoint: "http://127.0.0.1:1"}
	for name, change := range map[string]func(*Options){
		"no bucket":             func(o *Options) { o.Bucket = "" },
		"a path as the bucket":  func(o *Options) { o.Bucket = "b/c" },
		"half a key":            func(o *Options) { o.AccessKeyID = "" },
		"the other half":        func(o *Options) { o.SecretAccessKey = "" },
		"dots in the prefix":    func(o *Options) { o.Prefix = "a/../b" },
		"no scheme":             func(o *Options) { o.Endpoint = "127.0.0.1:9000" },
		"a secret in the URL":   func(o *Options) { o.Endpoint = "http://id:hush@127.0.0.1:1" },
		"a path in the URL":     func(o *Options) { o.Endpoint = "http://127.0.0.1:1/bucket" },
		"no region, for Amazon": func(o *Options) { o.Endpoint = "" },
		"a negative timeout":    func(o *Options) { o.Timeout = -1 },
	} {
		o := good
		change(&o)
		if _, err := Open(t.Context(), o); err == nil || strings.Contains(err.Error(), "hush") || errors.Is(err, ErrUnreachable) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDefaultChain(t *testing.T) {
	server := s3test.New(t)
	o := options(t, server, server.URL)
	// With a key of its own, what surrounds the process does not matter.
	t.Setenv("AWS_ENDPOINT_URL", "http://"+closedAddress(t))
	t.Setenv("AWS_PROFILE", "no-such-profile")
	t.Setenv("AWS_REGION", "us-west-2")
	t.Setenv("AWS_CONFIG_FILE", "/no/such/file")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/no/such/file")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	mustOpen(t, o)

	t.Setenv("AWS_PROFILE", "")
	t.Setenv("AWS_REGION", s3test.Region)
	t.Setenv("AWS_ACCESS_KEY_ID", o.AccessKeyID)
	t.Setenv("AWS_SECRET_ACCESS_KEY", o.SecretAccessKey)
	o.AccessKeyID, o.SecretAccessKey, o.Region = "", "", ""
	put(t, mustOpen(t, o), "a", "with the key and the region of the environment")

	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	_, err := Open(t.Context(), o)
	o.SecretAccessKey = server.SecretAccessKey
	expectSentence(t, o, err, ErrCredentials, "there are no credentials")
}

// closedAddress returns one that nobody listens at.
func closedAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
