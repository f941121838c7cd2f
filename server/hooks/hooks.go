// Package hooks takes GitHub's webhooks in.
//
// A delivery tells that something has changed that answers of GitHub's depend on, and all that is done about it is to forget those answers:
// nothing is ever taken over from a delivery, so one that comes late, twice or out of order does no harm. By the time it is answered they are forgotten.
//
// Anybody can send something here, and only the secret that GitHub shares with the registry tells who did. So a body is read only behind headers that
// look like GitHub's, of which the signature must be one by SHA-256; what is read at one time is bounded, and nothing of a body is looked at before its
// signature was found right. Who fills that bound from outside delays GitHub's deliveries, and answers are then only forgotten by age, as they are
// without a webhook. What is verified how, and what an event changes, is package githubauth's to know.
package hooks

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"regexp"
	"time"

	"github.com/gin-gonic/gin"
	"golang.org/x/sync/semaphore"

	"gatehouse/server/problem"
)

// Path is where GitHub's deliveries go.
const Path = "/-/github/webhook"

// Options of the webhook. Without Verify there is none: its address is then one that the registry does not have.
type Options struct {
	// Verify returns nil if signature, the value of X-Hub-Signature-256, is the body's by the secret that is shared with GitHub.
	Verify func(signature string, body []byte) error
	// Apply forgets all that an event may have changed. It returns once that is done, with the event's full name ("repository.renamed") and a few words for
	// the log about what it was; forgot is "" for an event that changes nothing here. An error means that the body is not what GitHub documents.
	Apply func(event string, body []byte) (name, forgot string, err error)
	Log   *slog.Logger
}

const (
	// maxBody is the largest that GitHub sends (docs.github.com, "Webhook events and payloads").
	maxBody = 25 << 20
	// Bodies under way are charged what they say they have, and no less than leastCharge: eight at a time as a rule.
	maxInAll    = 32 << 20
	leastCharge = maxInAll / 8
	// GitHub gives a delivery up after 10 s.
	readFor = 10 * time.Second
)

var (
	eventName     = regexp.MustCompile(`^[a-z_]{1,64}$`)
	deliveryID    = regexp.MustCompile(`^[0-9A-Za-z-]{1,64}$`)
	signatureForm = regexp.MustCompile(`^sha256=[0-9a-f]{64}$`)
)

type hooks struct {
	Options
	reading *semaphore.Weighted
}

// Mount adds the route, if there is a secret to verify deliveries with.
func Mount(r gin.IRoutes, o Options) {
	if o.Verify == nil {
		return
	}
	h := &hooks{Options: o, reading: semaphore.NewWeighted(maxInAll)}
	r.POST(Path, problem.Handle(h.receive))
}

func refuse(status int, text string) error { return &problem.Plain{Status: status, Text: text} }

// receive answers a delivery.
func (h *hooks) receive(c *gin.Context) error {
	event, id := c.GetHeader("X-GitHub-Event"), c.GetHeader("X-GitHub-Delivery")
	if !deliveryID.MatchString(id) {
		id = ""
	}
	if err := inOrder(c.Request, event); err != nil {
		return err
	}
	charge := max(c.Request.ContentLength, leastCharge)
	if !h.reading.TryAcquire(charge) {
		return refuse(http.StatusServiceUnavailable, "too many deliveries at once; nothing was done, deliver it again")
	}
	defer h.reading.Release(charge)
	body, err := read(c.Request.Body)
	if err != nil {
		return err
	}
	if err := h.Verify(c.GetHeader("X-Hub-Signature-256"), body); err != nil {
		return fmt.Errorf("%w: %w", errSignature, err) // which of the two it is, is for the log alone
	}
	if event == "ping" {
		h.Log.Info("github webhook", "id", c.Writer.Header().Get("X-Request-Id"), "delivery", id, "event", event)
		return accepted(c, http.StatusOK)
	}
	name, forgot, err := h.Apply(event, body)
	if err != nil {
		return fmt.Errorf("%w: %w", refuse(http.StatusBadRequest, "the delivery is not a "+event+" event as GitHub documents it; nothing was done"), err)
	}
	if name == "" {
		name = event
	}
	h.Log.Info("github webhook", "id", c.Writer.Header().Get("X-Request-Id"), "delivery", id, "event", name, "forgot", forgot)
	return accepted(c, http.StatusAccepted)
}

// errSignature says as little of a signature that is missing as of one that is wrong.
var errSignature = refuse(http.StatusUnauthorized, "the delivery is not signed (X-Hub-Signature-256) with the secret of this registry's webhook")

// inOrder reports what is wrong with the headers of a delivery: its body is not worth reading then.
func inOrder(r *http.Request, event string) error {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch signatures := r.Header.Values("X-Hub-Signature-256"); {
	case kind == "application/x-www-form-urlencoded":
		return refuse(http.StatusUnsupportedMediaType, `deliveries come as JSON: set the webhook's content type to "application/json" on GitHub`)
	case kind != "application/json" || r.Header.Get("Content-Encoding") != "":
		return refuse(http.StatusUnsupportedMediaType, "deliveries come as application/json")
	case !eventName.MatchString(event):
		return refuse(http.StatusBadRequest, "the delivery names no event (X-GitHub-Event)")
	case len(signatures) != 1 || !signatureForm.MatchString(signatures[0]):
		return errSignature
	case r.ContentLength < 0:
		return refuse(http.StatusLengthRequired, "the delivery does not say how long it is (Content-Length)")
	case r.ContentLength > maxBody:
		return &http.MaxBytesError{Limit: maxBody}
	}
	return nil
}

// read returns a body, which is no longer than its Content-Length said.
func read(r io.Reader) ([]byte, error) {
	const piece = 64 << 10
	var body bytes.Buffer
	for began := time.Now(); ; {
		_, err := io.CopyN(&body, r, piece)
		switch late := time.Since(began) >= readFor; {
		case err == io.EOF:
			return body.Bytes(), nil
		case late:
			return nil, refuse(http.StatusRequestTimeout, "the delivery did not arrive in time")
		case err != nil:
			return nil, refuse(http.StatusBadRequest, "the delivery cannot be read to its end")
		}
	}
}

func accepted(c *gin.Context, status int) error {
	c.Writer.Header().Set("Cache-Control", "no-store")
	c.Data(status, "application/json", []byte(`{"ok":true}`))
	return nil
}
