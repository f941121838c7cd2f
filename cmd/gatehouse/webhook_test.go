package main

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"gatehouse/config"
	"gatehouse/githubauth/githubtest"
	"gatehouse/store/packument/packumenttest"
)

// TestRevokedAtOnce: with a webhook, who loses access on GitHub has lost it here once the delivery is answered, though reads are believed for a minute.
func TestRevokedAtOnce(t *testing.T) {
	github := githubtest.Acme(githubtest.Seed(1)).Start()
	defer github.Close()
	const secret = "a-secret-of-the-webhook"
	r, _ := started(t, github, func(cfg *config.Config) { cfg.Auth.GitHub.Webhook.Secret = config.NewSecret(secret) })
	registry := strings.TrimSuffix(r.local, "/")
	p := packumenttest.Package{Name: "@acme/ui", Version: "1.0.0", Repository: "github:acme/ui"}
	if code := put(registry+p.Path(), github.Wendy, bytes.NewReader(p.Body())); code != http.StatusCreated {
		t.Fatalf("publishing: %d", code)
	}
	read := func() int {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, registry+p.Path(), nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+github.Rita)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp.StatusCode
	}
	if code := read(); code != http.StatusOK {
		t.Fatalf("before: %d", code)
	}
	github.Revoke("rita", "acme/ui")
	if code := read(); code != http.StatusOK {
		t.Fatalf("without a delivery the answer should be believed for a while, or this test shows nothing: %d", code)
	}
	event := githubtest.Event{Name: "member", Action: "removed", Repo: "acme/ui", User: "rita"}
	if d := github.SendHook(registry+"/-/github/webhook", "another-secret-than-that", event); d.Status != http.StatusUnauthorized {
		t.Errorf("with another secret: %+v", d)
	}
	if code := read(); code != http.StatusOK {
		t.Fatalf("after a forged delivery: %d", code)
	}
	if d := github.SendHook(registry+"/-/github/webhook", secret, event); d.Status != http.StatusAccepted {
		t.Fatalf("the delivery: %+v", d)
	}
	if code := read(); code != http.StatusNotFound {
		t.Errorf("after the delivery: %d", code)
	}
}
