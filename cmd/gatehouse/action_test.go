package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestActionObeysNoAnswer: whatever the registry answers is a text for the action: it sets no other variable of the job, and gives the runner no command.
func TestActionObeysNoAnswer(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("there is no curl")
	}
	script, err := filepath.Abs(filepath.Join("..", "..", ".github", "actions", "gatehouse-token", "token.sh"))
	if err != nil {
		t.Fatal(err)
	}
	evil := "::stop-commands::x\n::warning::hello"
	refusal, err := json.Marshal(map[string]string{"error": "no"})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		status int
		body   string
	}{
		"two tokens":                {http.StatusCreated, "{\"token\":\"gth_a\"\n,\"token\":\"NODE_OPTIONS=--require=/evil.js\"}"},
		"a token that is a command": {http.StatusCreated, `{"token":"gth_a::warning b"}`},
		"a refusal with commands":   {http.StatusForbidden, string(refusal) + "\n" + evil},
		"carriage returns":          {http.StatusForbidden, string(refusal) + "\r" + evil},
	} {
		t.Run(name, func(t *testing.T) {
			site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodGet {
					_, _ = w.Write([]byte(`{"value":"aa.bb.cc"}`))
					return
				}
				w.WriteHeader(c.status)
				_, _ = w.Write([]byte(c.body))
			}))
			defer site.Close()
			home := t.TempDir()
			left := filepath.Join(home, "left")
			cmd := exec.Command(script)
			cmd.Env = []string{
				"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=" + home, "GITHUB_ENV=" + left, "GITHUB_OUTPUT=" + left, "GATEHOUSE_REGISTRY=" + site.URL,
				"ACTIONS_ID_TOKEN_REQUEST_URL=" + site.URL + "/?x=y", "ACTIONS_ID_TOKEN_REQUEST_TOKEN=z",
			}
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(out), "::error::") {
				t.Errorf("%v: %s", err, out)
			}
			for _, line := range strings.FieldsFunc(string(out), func(r rune) bool { return r == '\n' || r == '\r' }) {
				if strings.HasPrefix(line, "::") && !strings.HasPrefix(line, "::error::") && line != "::add-mask::aa.bb.cc" {
					t.Errorf("the runner is told %q", line)
				}
			}
			if all, err := os.ReadFile(left); err == nil {
				t.Errorf("left %q", all)
			}
		})
	}
}
