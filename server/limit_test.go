package server_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"gatehouse/githubauth/githubtest"
	"gatehouse/server"
)

func TestLimits(t *testing.T) {
	github := githubtest.Acme(githubtest.Seed(1)).Start()
	t.Cleanup(github.Close)
	ask := func(h *house, token, from, path string) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
		if r.RemoteAddr = from; token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		w := httptest.NewRecorder()
		h.handler.ServeHTTP(w, r)
		return w
	}
	count := func(h *house, token, from string, most int) (answered int) {
		for range most {
			switch w := ask(h, token, from, "/-/ping"); w.Code {
			case http.StatusOK:
				answered++
			case http.StatusTooManyRequests:
				if seconds, err := strconv.Atoi(w.Header().Get("Retry-After")); err != nil || seconds < 1 || seconds > 61 {
					t.Errorf("Retry-After: %q", w.Header().Get("Retry-After"))
				}
				if w.Body.String() != `{"error":"too many requests: wait a little and try again"}` || w.Header().Get("Cache-Control") != "no-store" {
					t.Errorf("%s", w.Body)
				}
				return answered
			default:
				t.Fatalf("%d %s", w.Code, w.Body)
			}
		}
		return answered
	}
	limits := func(l server.Limits) *house {
		return startOn(t, github.GitHub, func(o *server.Options) { o.Limits = l })
	}

	h := limits(server.Limits{PerToken: 3})
	if got := count(h, "a", "192.0.2.1:1", 100); got != 3 {
		t.Errorf("a token got %d", got)
	}
	if got := count(h, "b", "192.0.2.1:1", 100); got != 3 {
		t.Errorf("its neighbour got %d", got)
	}
	if got := count(h, "", "192.0.2.1:1", 100); got != 100 {
		t.Errorf("without a token: %d", got)
	}
	for _, path := range []string{"/-/healthz", "/-/readyz"} {
		if w := ask(h, "a", "192.0.2.1:1", path); w.Code == http.StatusTooManyRequests {
			t.Errorf("%s is limited", path)
		}
	}

	h = limits(server.Limits{PerToken: 3, PerAddress: 5})
	if got := count(h, "a", "192.0.2.1:1", 100); got != 3 {
		t.Errorf("a token got %d", got)
	}
	// The fourth one took from the address too: 4 of 5.
	if got := count(h, "b", "192.0.2.1:2", 100); got != 1 {
		t.Errorf("another token from the same address got %d", got)
	}
	if got := count(h, "b", "192.0.2.2:1", 100); got != 2 {
		t.Errorf("the token from another address got %d", got)
	}
	for i := range 5 {
		if got := count(h, "", fmt.Sprintf("[2001:db8::%d]:1", i+1), 1); got != 1 {
			t.Errorf("address %d of a network got %d", i, got)
		}
	}
	if got := count(h, "", "[2001:db8::ffff]:1", 1); got != 0 {
		t.Error("each address of an IPv6 network has a limit of its own")
	}
	if got := count(h, "", "[2001:db8:0:1::1]:1", 100); got != 5 {
		t.Errorf("the next network got %d", got)
	}
	if got := count(limits(server.Limits{}), "a", "192.0.2.1:1", 500); got != 500 {
		t.Errorf("without limits: %d", got)
	}
}

// TestColdInstallPasses: with the limits that are set unless somebody sets others, one token gets 2,000 packages and their tarballs at once, twice.
func TestColdInstallPasses(t *testing.T) {
	github := githubtest.Acme(githubtest.Seed(1)).Start()
	t.Cleanup(github.Close)
	h := startOn(t, github.GitHub, func(o *server.Options) { o.Limits = server.Limits{PerToken: 30_000, PerAddress: 60_000} })
	for range 2 * 2 * 2000 {
		if status, body := h.do(t, github.Wendy, "GET", "/-/ping", ""); status != http.StatusOK {
			t.Fatalf("%d %s", status, body)
		}
	}
}

// TestLimitCountsTokens is the trap of a token that is written in many ways, each of which had a limit of its own: what counts is the token, as it is read.
func TestLimitCountsTokens(t *testing.T) {
	github := githubtest.Acme(githubtest.Seed(1)).Start()
	t.Cleanup(github.Close)
	h := startOn(t, github.GitHub, func(o *server.Options) { o.Limits = server.Limits{PerToken: 3} })
	answered := 0
	for i := range 20 {
		for _, header := range []string{
			"Bearer " + github.Wendy, "bearer " + strings.Repeat(" ", i) + github.Wendy,
			"Basic " + base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "user%d:%s", i, github.Wendy)), "BASIC " + base64.StdEncoding.EncodeToString([]byte(github.Wendy+":")),
		} {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/-/whoami", nil)
			r.Header.Set("Authorization", header)
			w := httptest.NewRecorder()
			if h.handler.ServeHTTP(w, r); w.Code == http.StatusOK {
				answered++
			}
		}
	}
	if answered != 3 {
		t.Errorf("%d were answered", answered)
	}
}
