package hooks_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/gin-gonic/gin"

	"gatehouse/server/hooks"
)

const secret = "It's a Secret to Everybody"

func sign(body string) string {
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte(body))
	return "sha256=" + hex.EncodeToString(m.Sum(nil))
}

// receiver is a webhook and what it was told.
type receiver struct {
	http.Handler
	log bytes.Buffer

	mu      sync.Mutex
	applied []string
	wait    chan struct{} // if not nil, Apply waits for it
}

func newReceiver() *receiver {
	r := &receiver{}
	gin.SetMode(gin.ReleaseMode)
	e := gin.New()
	hooks.Mount(e, hooks.Options{
		Verify: func(signature string, body []byte) error {
			if !hmac.Equal([]byte(signature), []byte(sign(string(body)))) {
				return errors.New("another signature")
			}
			return nil
		},
		Apply: func(event string, body []byte) (string, string, error) {
			if r.wait != nil {
				<-r.wait
			}
			r.mu.Lock()
			defer r.mu.Unlock()
			if !bytes.HasPrefix(body, []byte("{")) {
				return "", "", errors.New("not an object")
			}
			if event == "star" {
				return "", "", nil
			}
			r.applied = append(r.applied, event+" "+string(body))
			return event + ".edited", "repository 7", nil
		},
		Log: slog.New(slog.NewTextHandler(&r.log, nil)),
	})
	r.Handler = e
	return r
}

func delivery(event, body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, hooks.Path, strings.NewReader(body))
	for name, value := range map[string]string{
		"Content-Type": "application/json", "X-GitHub-Event": event, "X-GitHub-Delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958", "X-Hub-Signature-256": sign(body),
	} {
		r.Header.Set(name, value)
	}
	return r
}

func (r *receiver) deliver(request *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	r.ServeHTTP(w, request)
	return w
}

func TestDelivery(t *testing.T) {
	r := newReceiver()
	if w := r.deliver(delivery("ping", `{"zen":"x"}`)); w.Code != http.StatusOK || len(r.applied) != 0 {
		t.Errorf("ping: %d, applied %v", w.Code, r.applied)
	}
	if w := r.deliver(delivery("star", `{}`)); w.Code != http.StatusAccepted || len(r.applied) != 0 {
		t.Errorf("an event of no concern: %d, applied %v", w.Code, r.applied)
	}
	if w := r.deliver(delivery("repository", `{"action":"edited"}`)); w.Code != http.StatusAccepted || len(r.applied) != 1 || r.applied[0] != `repository {"action":"edited"}` {
		t.Errorf("an event: %d, applied %v", w.Code, r.applied)
	}
	if line := r.log.String(); !strings.Contains(line, "delivery=72d3162e-cc78-11e3-81ab-4c9367dc0958 event=repository.edited forgot=\"repository 7\"") {
		t.Errorf("the log: %s", line)
	}
	if w := r.deliver(delivery("repository", `[]`)); w.Code != http.StatusBadRequest {
		t.Errorf("a body that cannot be read: %d", w.Code)
	}
}

// TestDeliveryRefused: whatever is not GitHub's changes nothing, and who sent it learns nothing of the secret.
func TestDeliveryRefused(t *testing.T) {
	const body = `{"action":"edited"}`
	for name, c := range map[string]struct {
		status int
		change func(*http.Request)
	}{
		"unsigned":       {401, func(r *http.Request) { r.Header.Del("X-Hub-Signature-256") }},
		"another secret": {401, func(r *http.Request) { r.Header.Set("X-Hub-Signature-256", "sha256="+strings.Repeat("0", 64)) }},
		"another body":   {401, func(r *http.Request) { r.Header.Set("X-Hub-Signature-256", sign(body+" ")) }},
		"cut signature":  {401, func(r *http.Request) { r.Header.Set("X-Hub-Signature-256", sign(body)[:70]) }},
		"two signatures": {401, func(r *http.Request) { r.Header.Add("X-Hub-Signature-256", sign(body)) }},
		"sha-1": {401, func(r *http.Request) {
			r.Header.Del("X-Hub-Signature-256")
			r.Header.Set("X-Hub-Signature", "sha1=0123456789012345678901234567890123456789")
		}},
		"a form":   {415, func(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") }},
		"no type":  {415, func(r *http.Request) { r.Header.Del("Content-Type") }},
		"packed":   {415, func(r *http.Request) { r.Header.Set("Content-Encoding", "gzip") }},
		"no event": {400, func(r *http.Request) { r.Header.Del("X-GitHub-Event") }},
		"no word":  {400, func(r *http.Request) { r.Header.Set("X-GitHub-Event", "repo\nsitory") }},
		"chunked":  {411, func(r *http.Request) { r.ContentLength = -1 }},
		"too long": {413, func(r *http.Request) { r.ContentLength = 25<<20 + 1 }},
		"cut off":  {400, func(r *http.Request) { r.Body = io.NopCloser(io.MultiReader(strings.NewReader("{"), broken{})) }},
	} {
		t.Run(name, func(t *testing.T) {
			r := newReceiver()
			request := delivery("repository", body)
			c.change(request)
			w := r.deliver(request)
			if w.Code != c.status || len(r.applied) != 0 {
				t.Errorf("%d, want %d; applied %v: %s", w.Code, c.status, r.applied, w.Body)
			}
			if !strings.HasPrefix(w.Body.String(), `{"error":"`) || strings.Contains(w.Body.String(), "sha256=") {
				t.Errorf("%s", w.Body)
			}
		})
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// TestDeliveriesBounded: eight are under way, and a ninth is told to come again.
func TestDeliveriesBounded(t *testing.T) {
	r := newReceiver()
	r.wait = make(chan struct{})
	codes := make(chan int)
	for range 8 {
		go func() { codes <- r.deliver(delivery("repository", `{}`)).Code }()
	}
	// Which of them is the ninth is not known, but one is, and no other is answered before it.
	go func() { codes <- r.deliver(delivery("repository", `{}`)).Code }()
	if code := <-codes; code != http.StatusServiceUnavailable {
		t.Errorf("the ninth: %d", code)
	}
	close(r.wait)
	for range 8 {
		if code := <-codes; code != http.StatusAccepted {
			t.Errorf("one of eight: %d", code)
		}
	}
	if w := r.deliver(delivery("repository", `{}`)); w.Code != http.StatusAccepted {
		t.Errorf("afterwards: %d", w.Code)
	}
}

// TestNoSecretNoWebhook: a registry without a secret has no such address.
func TestNoSecretNoWebhook(t *testing.T) {
	gin.SetMode(gin.ReleaseMode)
	e := gin.New()
	hooks.Mount(e, hooks.Options{})
	w := httptest.NewRecorder()
	e.ServeHTTP(w, delivery("ping", "{}"))
	if w.Code != http.StatusNotFound {
		t.Errorf("%d", w.Code)
	}
}
