package s3

import (
	"context"
	"math/rand/v2"
	"net"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
)

const (
	attempts    = 5
	dialTimeout = 5 * time.Second
)

// backoff is the pause after an attempt: from a twentieth of a second to one, with a random half, so that those who
// failed together do not come back together. The SDK's own starts at up to a second, and somebody waits for an answer.
func backoff(attempt int, _ error) (time.Duration, error) {
	longest := 100 * time.Millisecond << min(max(attempt-1, 0), 4)
	return longest/2 + rand.N(longest/2), nil
}

// connect returns a client for checked options, and the region it is for. It sends nothing, unless the default chain
// has to ask for credentials.
func connect(ctx context.Context, o Options) (*awss3.Client, string, error) {
	httpClient := newHTTPClient(o.Timeout)
	keys, region, err := identify(ctx, o, httpClient)
	if err != nil {
		return nil, "", err
	}
	so := awss3.Options{
		AppID:        "gatehouse",
		Region:       region,
		Credentials:  aws.NewCredentialsCache(keys),
		HTTPClient:   httpClient,
		UsePathStyle: o.PathStyle,
		// A CRC-32 goes with all that we send, as a header. Left to itself the SDK would send it behind the content, in
		// an encoding that not every server understands.
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenRequired,
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenSupported,
		// Ranges and objects put in parts have no checksum to compare, which is nothing to write to a log.
		DisableLogOutputChecksumValidationSkipped: true,
		Retryer: retry.NewStandard(func(ro *retry.StandardOptions) {
			ro.MaxAttempts = attempts
			ro.Backoff = retry.BackoffDelayerFunc(backoff)
		}),
	}
	if o.Endpoint != "" {
		so.BaseEndpoint = aws.String(o.Endpoint)
	}
	return awss3.New(so), region, nil
}

// identify returns the credentials and the region. With a key of our own, nothing of the SDK's surroundings is looked at.
func identify(ctx context.Context, o Options, client *awshttp.BuildableClient) (aws.CredentialsProvider, string, error) {
	if o.AccessKeyID != "" {
		return credentials.NewStaticCredentialsProvider(o.AccessKeyID, o.SecretAccessKey, ""), o.Region, nil
	}
	c, err := config.LoadDefaultConfig(ctx, config.WithHTTPClient(client), config.WithRegion(o.Region))
	if err != nil {
		return nil, "", err
	}
	if c.Region == "" && o.Endpoint != "" {
		c.Region = "us-east-1"
	}
	return chain{c.Credentials}, c.Region, nil
}

// chain is the SDK's default chain, with an error that can be told from those of the server.
type chain struct{ aws.CredentialsProvider }

func (c chain) Retrieve(ctx context.Context) (aws.Credentials, error) {
	found, err := c.CredentialsProvider.Retrieve(ctx)
	if err != nil {
		return found, noCredentials{err}
	}
	return found, nil
}

type noCredentials struct{ error }

func (e noCredentials) Unwrap() []error { return []error{ErrCredentials, e.error} }

// newHTTPClient returns a client of which nothing takes for ever. It follows the SDK's rules for redirects (only
// those that keep the method), speaks HTTP/1.1, on which parallel bodies do not wait for each other, and uses the proxy
// of the environment as the rest of the registry does, never for loopback.
func newHTTPClient(timeout time.Duration) *awshttp.BuildableClient {
	dialer := &net.Dialer{Timeout: min(dialTimeout, timeout), KeepAlive: 30 * time.Second}
	return awshttp.NewBuildableClient().
		WithReadTimeout(0). // ours, below, is for writing too
		WithTransportOptions(func(t *http.Transport) {
			t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
				c, err := dialer.DialContext(ctx, network, address)
				if err != nil {
					return nil, err
				}
				return &impatientConn{c, timeout}, nil
			}
			t.Proxy = http.ProxyFromEnvironment
			t.ForceAttemptHTTP2 = false
			t.DisableCompression = true // a gzip that is undone on the way has neither our size nor our checksum
			t.MaxIdleConns = 128
			t.MaxIdleConnsPerHost = 128 // there is one host
			t.MaxConnsPerHost = 0
			t.IdleConnTimeout = timeout / 2 // before the connection itself loses patience
			t.TLSHandshakeTimeout = min(10*time.Second, timeout)
			t.MaxResponseHeaderBytes = 64 << 10
		})
}

// impatientConn is a connection that fails when nothing moves on it for a while, in either direction. A deadline for
// whole requests could not tell a large body from a dead server.
type impatientConn struct {
	net.Conn
	patience time.Duration
}

// Read and Write both put the deadline off for both directions: while a body is sent, nobody answers, but net/http is
// reading already.
func (c *impatientConn) Read(p []byte) (int, error) {
	if err := c.SetDeadline(time.Now().Add(c.patience)); err != nil {
		return 0, err
	}
	return c.Conn.Read(p)
}

func (c *impatientConn) Write(p []byte) (int, error) {
	if err := c.SetDeadline(time.Now().Add(c.patience)); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}
