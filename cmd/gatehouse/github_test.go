package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gatehouse/githubauth/githubtest"
)

// TestWebhookTakesAReadAway: a reader loses their role, and the webhook that tells of it makes it count at once.
func TestWebhookTakesAReadAway(t *testing.T) {
	t.Parallel()
	github := githubtest.Acme().Start()
	defer github.Close()
	// A secret is no flag, so it comes in a file.
	const secret = "long enough to be kept"
	file := filepath.Join(t.TempDir(), "gatehouse.yaml")
	if err := os.WriteFile(file, []byte("auth.github.webhook.secret: "+secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	i := launch(t, self(t), t.TempDir(), github, "--config", file)
	fill(t, i, github.Wendy, "@acme/ui", "1.0.0")
	read := func(want int) {
		t.Helper()
		if got, body := get(t, i.url+"/@acme/ui", github.Rita); got != want {
			t.Errorf("reading: %d, want %d: %.200s", got, want, body)
		}
	}
	read(http.StatusOK)
	github.Revoke("rita", "acme/ui")
	body := fmt.Appendf(nil, `{"action":"removed","repository":{"id":%d},"member":{"id":%d}}`, github.UI.ID, github.Account("rita").ID)
	deliver := func(key string) int {
		t.Helper()
		m := hmac.New(sha256.New, []byte(key))
		m.Write(body)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, i.url+"/-/github/webhook", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("X-GitHub-Event", "member")
		req.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(m.Sum(nil)))
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp.StatusCode
	}
	read(http.StatusOK) // for a minute at most
	if status := deliver("some other secret of somebody's"); status != http.StatusUnauthorized {
		t.Errorf("a forged delivery: %d", status)
	}
	if status := deliver(secret); status != http.StatusAccepted {
		t.Errorf("the delivery: %d", status)
	}
	read(http.StatusNotFound)
	i.terminate(t)
	if !bytes.Contains(i.log.Bytes(), []byte("the secret here is not the one that GitHub was given")) {
		t.Errorf("the log does not say what was wrong with the forged delivery:\n%s", i.log)
	}
}

// TestADeadCredentialOfTheRegistrysIsLogged: when GitHub does not accept the registry's own token any more, its operator is told.
func TestADeadCredentialOfTheRegistrysIsLogged(t *testing.T) {
	t.Parallel()
	github := githubtest.Acme().Start()
	defer github.Close()
	dead := github.Token(githubtest.Classic{User: "ada"})
	github.RevokeToken(dead)
	file := filepath.Join(t.TempDir(), "gatehouse.yaml")
	if err := os.WriteFile(file, []byte("auth.github.token: "+dead+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	data := t.TempDir()
	i := launch(t, self(t), data, github)
	fill(t, i, github.Wendy, "@acme/ui", "1.0.0")
	i.terminate(t)
	i = launch(t, self(t), data, github, "--config", file)
	if got, body := get(t, i.url+"/@acme/ui", ""); got != http.StatusUnauthorized {
		t.Errorf("%d: %.200s", got, body)
	}
	i.terminate(t)
	if log := i.log.String(); !strings.Contains(log, "does not accept the registry's own credential") || strings.Contains(log, dead) {
		t.Errorf("the log:\n%s", log)
	}
}
