package s3

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"

	"gatehouse/store/blob"
)

// What can be wrong with the bucket or the way to it. Errors that wrap one of these wrap blob.ErrUnavailable too.
var (
	// ErrBucket: there is no such bucket.
	ErrBucket = errors.New("s3: no such bucket")
	// ErrDenied: the key is good, but not for this.
	ErrDenied = errors.New("s3: access denied")
	// ErrCredentials: the key is unknown, wrong, expired, or there is none.
	ErrCredentials = errors.New("s3: the credentials are not accepted")
	// ErrRegion: the bucket is in another region.
	ErrRegion = errors.New("s3: wrong region")
	// ErrClock: this machine's clock and the server's differ too much for signatures.
	ErrClock = errors.New("s3: the clocks differ")
	// ErrUnreachable: no answer.
	ErrUnreachable = errors.New("s3: the server cannot be reached")
)

// errAnswer: the server did not do or send what was asked of it, and said that all is well.
var errAnswer = errors.New("the answer is wrong")

// ours marks errors that do not come from the server: of the content, mostly. They are passed on as they are.
type ours struct{ error }

func (e ours) Unwrap() error { return e.error }

// failure is an error with a text for the operator. What it is, and the cause, are there for errors.Is and As; the text of
// the SDK's errors is not shown, but what the server said is.
type failure struct {
	text  string
	is    []error
	cause error
}

func (e *failure) Error() string   { return e.text }
func (e *failure) Unwrap() []error { return append(e.is, e.cause) }

// explain turns an error into one that says what was being done, what is wrong and what to do about it.
func (s *Store) explain(ctx context.Context, doing string, err error) error {
	prefix := "s3: "
	if doing != "" {
		prefix += doing + ": "
	}
	var o ours
	if errors.As(err, &o) {
		return fmt.Errorf("%s%w", prefix, o.error)
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return fmt.Errorf("%s%w", prefix, context.Cause(ctx))
	}
	text, is := s.diagnose(err)
	f := &failure{text: prefix + text + details(err), is: is, cause: err}
	if !errors.Is(f, blob.ErrFull) {
		f.is = append(f.is, blob.ErrUnavailable)
	}
	if ctx.Err() != nil { // its deadline
		f.is = append(f.is, ctx.Err())
	}
	return f
}

// diagnose says what an error of the SDK means.
func (s *Store) diagnose(err error) (text string, is []error) {
	code, status := codeOf(err), statusOf(err)
	switch code {
	case "NoSuchBucket", "InvalidBucketName":
		return fmt.Sprintf("there is no bucket %q at %s: create it, or correct its name", s.bucket, s.where), []error{ErrBucket}
	case "InvalidAccessKeyId", "InvalidAccessKeyID":
		return fmt.Sprintf("%s does not know the access key: check its id, and whether it was deleted", s.where), []error{ErrCredentials}
	case "SignatureDoesNotMatch":
		return fmt.Sprintf("%s does not accept the signature: the secret does not belong to the id of the access key", s.where), []error{ErrCredentials}
	case "ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired":
		return fmt.Sprintf("the credentials for %s have expired: renew them", s.where), []error{ErrCredentials}
	case "InvalidToken", "InvalidSecurity", "CredentialsNotSupported":
		return fmt.Sprintf("%s does not accept the credentials: renew them", s.where), []error{ErrCredentials}
	case "RequestTimeTooSkewed", "RequestExpired":
		return fmt.Sprintf("the clock of this machine and that of %s differ too much: set it", s.where), []error{ErrClock}
	case "QuotaExceeded", "InsufficientStorage", "XMinioStorageFull", "XMinioAdminBucketQuotaExceeded", "StorageFull":
		return fmt.Sprintf("%s has no room left for the bucket %q", s.where, s.bucket), []error{blob.ErrFull}
	case "PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "AuthorizationQueryParametersError",
		"TemporaryRedirect", "Redirect", "IncorrectEndpoint", "MovedPermanently":
		if region := regionOf(err); region != "" && region != s.region {
			return fmt.Sprintf("the bucket %q is in the region %s, not in %s: correct the region", s.bucket, region, s.region), []error{ErrRegion}
		}
		return fmt.Sprintf("the bucket %q is not in the region %s, or not at %s: correct the region or the endpoint",
			s.bucket, s.region, s.where), []error{ErrRegion}
	}
	switch {
	case errors.Is(err, errAnswer):
		return fmt.Sprintf("%s does not give what it has promised", s.where), nil
	case status == http.StatusInsufficientStorage:
		return fmt.Sprintf("%s has no room left for the bucket %q", s.where, s.bucket), []error{blob.ErrFull}
	case status == http.StatusMovedPermanently:
		return fmt.Sprintf("the bucket %q is not in the region %s, or not at %s: correct the region or the endpoint",
			s.bucket, s.region, s.where), []error{ErrRegion}
	case status == http.StatusForbidden || code == "AccessDenied":
		return fmt.Sprintf("%s denies access to the bucket %q: the access key needs s3:ListBucket on it, and s3:GetObject, s3:PutObject, "+
			"s3:DeleteObject and s3:AbortMultipartUpload on what is in it", s.where, s.bucket), []error{ErrDenied}
	case status == http.StatusUnauthorized:
		return fmt.Sprintf("%s does not accept the access key", s.where), []error{ErrCredentials}
	case status >= 500:
		return fmt.Sprintf("%s is not available now (status %d)", s.where, status), nil
	case status == http.StatusTooManyRequests || code == "SlowDown":
		return fmt.Sprintf("%s asks for fewer requests", s.where), nil
	case status >= 200 && status < 300:
		return fmt.Sprintf("what answers at %s is no S3 server: correct the endpoint", s.where), nil
	case status > 0:
		return fmt.Sprintf("%s refuses the request (status %d)", s.where, status), nil
	case errors.Is(err, ErrCredentials):
		return "there are no credentials: none are configured, and the SDK finds none where it looks", nil
	}
	return fmt.Sprintf("%s gives no answer", s.where), []error{ErrUnreachable}
}

// details returns what the server or the system said, shortened.
func details(err error) string {
	var api smithy.APIError
	var u *url.Error
	var op *net.OpError
	var none noCredentials
	text := ""
	switch {
	case errors.As(err, &none):
		text = shortened(none.Error())
	case errors.As(err, &api):
		text = api.ErrorCode()
		if m := api.ErrorMessage(); m != "" {
			text = fmt.Sprintf("%s, %q", text, shortened(m))
		}
	case errors.As(err, &op):
		text = op.Error()
	case errors.As(err, &u):
		text = u.Err.Error()
	case errors.Is(err, context.DeadlineExceeded):
		text = "no answer in time"
	default:
		text = shortened(err.Error())
	}
	var re *awshttp.ResponseError
	if errors.As(err, &re) && re.RequestID != "" {
		text += ", request " + re.RequestID
	}
	if text == "" {
		return ""
	}
	return " (" + text + ")"
}

func shortened(text string) string {
	const most = 200
	if len(text) <= most {
		return text
	}
	return text[:most] + "…"
}

func codeOf(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

func statusOf(err error) int {
	var re *awshttp.ResponseError
	if errors.As(err, &re) {
		return re.HTTPStatusCode()
	}
	return 0
}

var expecting = regexp.MustCompile(`expecting ['"]([a-z0-9-]{1,40})['"]`)

// regionOf returns the region that an answer names as the right one.
func regionOf(err error) string {
	var re *awshttp.ResponseError
	if errors.As(err, &re) && re.Response != nil {
		if region := re.Response.Header.Get("X-Amz-Bucket-Region"); region != "" {
			return region
		}
	}
	var api smithy.APIError
	if errors.As(err, &api) {
		if m := expecting.FindStringSubmatch(api.ErrorMessage()); m != nil {
			return m[1]
		}
	}
	return ""
}

// missing tells whether there is no such object. A missing bucket is something else, and so is the 404 of whatever may stand
// in front of the server: only an answer to HEAD, which has no body, may leave out what is not found.
func missing(err error) bool { return codeOf(err) == "NoSuchKey" }

func missingHead(err error) bool { return missing(err) || codeOf(err) == "NotFound" }

func preconditionFailed(err error) bool {
	return statusOf(err) == http.StatusPreconditionFailed
}

// conflict tells whether an upload met another change of the same key, and should be sent again.
func conflict(err error) bool { return statusOf(err) == http.StatusConflict }

func noSuchUpload(err error) bool { return codeOf(err) == "NoSuchUpload" }

// unknownCondition tells whether a server refuses If-None-Match because it does not know it.
func unknownCondition(err error) bool {
	return statusOf(err) == http.StatusNotImplemented || codeOf(err) == "NotImplemented"
}
