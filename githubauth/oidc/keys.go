package oidc

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
)

const (
	// keysFor is how long an answer of the issuer's stands at least, and a failure.
	keysFor = 10 * time.Second
	// keysMost is how long a key is believed that the issuer has withdrawn, at most.
	keysMost = time.Hour
	// maxAnswer bounds an answer of the issuer's, in bytes.
	maxAnswer = 1 << 20
	// maxAnswers bounds how many are kept: metadata and keys of each issuer.
	maxAnswers = 64
)

// find returns the provider, which is made of the issuer's metadata, and anew after keysMost. Where it cannot be made anew just then, the one before
// goes on. Whoever happens to ask first may hang up: the others want the answer too.
func (i *issuer) find(ctx context.Context, name string, now time.Time) (*oidc.Provider, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.verifier != nil && now.Sub(i.found) < keysMost {
		return i.verifier, nil
	}
	if now.Sub(i.failed) < keysFor {
		if i.verifier != nil {
			return i.verifier, nil
		}
		return nil, ErrUnavailable
	}
	provider, err := oidc.NewProvider(context.WithoutCancel(ctx), name)
	if err != nil {
		i.failed = now
		if i.verifier != nil {
			return i.verifier, nil
		}
		return nil, fmt.Errorf("%w: %s", ErrUnavailable, withoutAddress(err))
	}
	i.verifier, i.found = provider, now
	return provider, nil
}

// claimedIssuer reads who a token says it is from, to look for the keys. Nothing else is read before the signature is checked.
func claimedIssuer(token string) (string, error) {
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err != nil {
		return "", refuse("it is not a JSON Web Token")
	}
	var c struct {
		Issuer string `json:"iss"`
	}
	if err := json.Unmarshal(payload, &c); err != nil || c.Issuer == "" {
		return "", refuse("it names no issuer")
	}
	return c.Issuer, nil
}

// sparing is a transport that gives the same answer for keysFor: a token with an unknown key asks for the keys again, and anybody can make tokens up.
type sparing struct {
	http.RoundTripper
	now func() time.Time

	mu    sync.Mutex
	known map[string]answer
}

type answer struct {
	at     time.Time
	status int
	header http.Header
	body   []byte
	err    error
}

func (s *sparing) RoundTrip(r *http.Request) (*http.Response, error) {
	key := r.URL.String()
	s.mu.Lock()
	last, ok := s.known[key]
	s.mu.Unlock()
	if !ok || s.now().Sub(last.at) >= keysFor || s.now().Before(last.at) {
		last = s.ask(r)
		s.mu.Lock()
		if s.known == nil || len(s.known) >= maxAnswers {
			s.known = map[string]answer{}
		}
		s.known[key] = last
		s.mu.Unlock()
	}
	if last.err != nil {
		return nil, last.err
	}
	return &http.Response{
		Status: http.StatusText(last.status), StatusCode: last.status, Header: last.header.Clone(), Request: r,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, ContentLength: int64(len(last.body)), Body: io.NopCloser(bytes.NewReader(last.body)),
	}, nil
}

func (s *sparing) ask(r *http.Request) answer {
	resp, err := s.RoundTripper.RoundTrip(r)
	if err != nil {
		return answer{at: s.now(), err: err}
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	return answer{at: s.now(), status: resp.StatusCode, header: resp.Header, body: body, err: err}
}

// withoutAddress drops the URL that net/http puts into its errors, and the pages that some errors quote.
func withoutAddress(err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	text := err.Error()
	return text[:min(len(text), 200)]
}
