package githubtest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// answer is what a route says, before the headers that all answers share.
type answer struct {
	status   int
	body     any // nil: none
	header   http.Header
	modified time.Time // sent as Last-Modified
}

func ok(body any) answer { return answer{status: http.StatusOK, body: body} }

// with adds a header.
func (a answer) with(name, value string) answer {
	if a.header == nil {
		a.header = http.Header{}
	}
	a.header.Set(name, value)
	return a
}

// problem is the body of GitHub's errors (basic-error in its OpenAPI description). The documentation_url is
// that of the route, filled in later.
type problem struct {
	Message          string `json:"message"`
	Errors           any    `json:"errors,omitempty"`
	Block            any    `json:"block,omitempty"`
	URL              string `json:"url,omitempty"`
	DocumentationURL string `json:"documentation_url"`
	Status           string `json:"status,omitempty"`
}

func fail(status int, message string) *answer {
	return &answer{status: status, body: problem{Message: message, Status: strconv.Itoa(status)}}
}

func notFound() *answer { return fail(http.StatusNotFound, "Not Found") }

// encode renders the body as JSON without HTML escapes, as GitHub does, and fills in what only the route
// knows.
func (a answer) encode(docs string) []byte {
	if a.body == nil {
		return nil
	}
	if p, isProblem := a.body.(problem); isProblem && p.DocumentationURL == "" {
		p.DocumentationURL = docs
		a.body = p
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(a.body); err != nil {
		panic("githubtest: " + err.Error())
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// etag is of the caller as much as of the body: GitHub's entity tags differ between tokens that see the same
// thing (eclipse-csi/otterdog#201, github/docs#34689 as in github.md §3.3).
func (c caller) etag(body []byte) string {
	h := sha256.New()
	if c.token != nil {
		h.Write([]byte(c.token.secret))
	}
	h.Write([]byte{0})
	h.Write([]byte(c.client))
	h.Write([]byte{0})
	h.Write(body)
	return `W/"` + hex.EncodeToString(h.Sum(nil)) + `"`
}

// unchanged says whether a conditional request may be answered with 304. If-Modified-Since looks at the
// repository only, so a change of role goes unnoticed: a trap that callers must not step into.
func unchanged(r *http.Request, etag string, modified time.Time) bool {
	if asked := r.Header.Get("If-None-Match"); asked != "" {
		for tag := range strings.SplitSeq(asked, ",") {
			if tag = strings.TrimSpace(tag); tag == "*" || strings.TrimPrefix(tag, "W/") == strings.TrimPrefix(etag, "W/") {
				return true
			}
		}
		return false
	}
	since, err := http.ParseTime(r.Header.Get("If-Modified-Since"))
	return err == nil && !modified.IsZero() && !modified.Truncate(time.Second).After(since)
}
