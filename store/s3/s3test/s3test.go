// Package s3test runs a real S3 server for tests, and breaks the connection to it on demand.
//
// The server is versitygw, which keeps objects as files. It is built once, from the Go module proxy, at a
// version that is fixed here, into the checkout's .cache: as a requirement in go.mod it would bring a hundred modules
// that the registry never runs. It listens on loopback, with random credentials and in a folder of the test, and is killed
// when the test ends.
//
// A Proxy stands in front of it, counts requests, and fails those that a test names: before they reach the server or
// after, which is how an answer gets lost.
package s3test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Region is the server's.
const Region = "eu-test-1"

// Server is a running S3 server.
type Server struct {
	// URL is the endpoint: http, on loopback. Buckets are in the path.
	URL string
	// AccessKeyID and SecretAccessKey may do everything.
	AccessKeyID, SecretAccessKey string

	binary string
	cmd    *exec.Cmd
	exited chan struct{}
	log    *os.File
}

// New starts a server that ends with the test. Where it cannot be built the test fails in CI, and is skipped elsewhere.
func New(t testing.TB) *Server {
	t.Helper()
	binary, err := Install(t.Context())
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	s, err := start(t.Context(), binary, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.stop)
	return s
}

// start runs the server in a folder and waits until it answers.
func start(ctx context.Context, binary, dir string) (*Server, error) {
	// Nobody but us picks ports here, but somebody else may: then the server ends at once, and gets another one.
	var err error
	for range 5 {
		var s *Server
		if s, err = startOnce(ctx, binary, dir); err == nil {
			return s, nil
		}
	}
	return nil, err
}

func startOnce(ctx context.Context, binary, dir string) (*Server, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	data, users := filepath.Join(dir, "data"), filepath.Join(dir, "users")
	for _, d := range []string{data, users} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return nil, err
		}
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return nil, err
	}
	s := &Server{
		URL: "http://" + address, AccessKeyID: "key-" + rand.Text(), SecretAccessKey: "secret-" + rand.Text(),
		binary: binary, exited: make(chan struct{}), log: log,
	}
	s.cmd = exec.Command(binary, "--port", address, "--region", Region, "--keep-alive", "--quiet",
		"--health", "/health", "--iam-dir", users, "--iam-cache-disable", "posix", data)
	s.cmd.Dir = dir
	s.cmd.Env = []string{"ROOT_ACCESS_KEY=" + s.AccessKeyID, "ROOT_SECRET_KEY=" + s.SecretAccessKey, "PATH=" + os.Getenv("PATH")}
	s.cmd.Stdout, s.cmd.Stderr = log, log
	dieWithParent(s.cmd)
	if err := s.cmd.Start(); err != nil {
		log.Close()
		return nil, fmt.Errorf("s3test: %w", err)
	}
	go func() {
		_ = s.cmd.Wait() // it is killed, or its end is noticed by whoever waits for it
		close(s.exited)
	}()
	if err := s.wait(ctx); err != nil {
		s.stop()
		said, _ := os.ReadFile(log.Name())
		return nil, fmt.Errorf("s3test: the S3 server does not start: %w\n%s", err, said)
	}
	return s, nil
}

// wait asks until the server answers.
func (s *Server) wait(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+"/health", nil)
		if err != nil {
			return err
		}
		res, err := direct.Do(req)
		if err == nil {
			_, _ = io.Copy(io.Discard, res.Body)
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-s.exited:
			return errors.New("it has ended")
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// direct asks loopback, whatever proxy the environment names.
var direct = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

func (s *Server) stop() {
	_ = s.cmd.Process.Kill() // fails when it has ended by itself
	<-s.exited
	s.log.Close()
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// Client returns a client of the SDK that may do everything, for what a test wants to do or see beside the engine.
func (s *Server) Client() *s3.Client {
	return s3.New(s3.Options{
		Region: Region, BaseEndpoint: aws.String(s.URL), UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider(s.AccessKeyID, s.SecretAccessKey, ""),
		HTTPClient:  direct,
	})
}

// Bucket makes a bucket and returns its name.
func (s *Server) Bucket(t testing.TB) string {
	t.Helper()
	name := "bucket-" + strings.ToLower(rand.Text())
	if _, err := s.Client().CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &name}); err != nil {
		t.Fatal(err)
	}
	return name
}

// User makes a key that may do nothing until a policy of a bucket allows it.
func (s *Server) User(t testing.TB) (accessKeyID, secretAccessKey string) {
	t.Helper()
	accessKeyID, secretAccessKey = "user-"+rand.Text(), "secret-"+rand.Text()
	cmd := exec.CommandContext(t.Context(), s.binary, "admin", "--endpoint-url", s.URL, "--region", Region, "create-user",
		"--access", accessKeyID, "--secret", secretAccessKey, "--role", "user")
	cmd.Env = []string{"ADMIN_ACCESS_KEY=" + s.AccessKeyID, "ADMIN_SECRET_KEY=" + s.SecretAccessKey}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("s3test: making a user: %v\n%s", err, out)
	}
	return accessKeyID, secretAccessKey
}

// Allow lets a user do some things in a bucket: actions as in "s3:GetObject".
func (s *Server) Allow(t testing.TB, bucket, accessKeyID string, actions ...string) {
	t.Helper()
	policy := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":[%q]},"Action":["%s"],`+
		`"Resource":["arn:aws:s3:::%s","arn:aws:s3:::%s/*"]}]}`, accessKeyID, strings.Join(actions, `","`), bucket, bucket)
	if _, err := s.Client().PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: &bucket, Policy: &policy}); err != nil {
		t.Fatal(err)
	}
}
