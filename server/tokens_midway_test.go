package server_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"gatehouse/githubauth/githubtest"
	"gatehouse/store/packument/packumenttest"
)

// TestRevokedDuringUpload is the hole of a token that is revoked after its request has begun and before the body has come to its end: what the token was good
// for at the beginning counts for nothing when the change is made.
func TestRevokedDuringUpload(t *testing.T) {
	github := githubtest.Acme(githubtest.Seed(1)).Start()
	t.Cleanup(github.Close)
	h := startOn(t, github.GitHub)
	h.publish(t, github.Wendy, "@acme/ui", "1.0.0", "acme/ui")
	pack := func(name, version string) string {
		p := packumenttest.Package{Name: name, Version: version, Repository: "github:acme/ui"}
		return string(p.Body())
	}
	for name, c := range map[string]struct{ method, path, body string }{
		"publish":       {"PUT", "/@acme%2fui", pack("@acme/ui", "1.1.0")},
		"first publish": {"PUT", "/@acme%2fnew", pack("@acme/new", "1.0.0")},
		"deprecate":     {"PUT", "/@acme%2fui", `{"_id":"@acme/ui","name":"@acme/ui","versions":{"1.0.0":{"name":"@acme/ui","version":"1.0.0","deprecated":"gone"}}}`},
		"star":          {"PUT", "/@acme%2fui", `{"_id":"@acme/ui","name":"@acme/ui","users":{"wendy":true}}`},
		"mint":          {"POST", "/-/npm/v1/tokens", `{"readonly":true}`},
	} {
		_, made := h.do(t, github.Wendy, "POST", "/-/npm/v1/tokens", `{"scope":[{"values":["*"],"types":{"pkg":{"write":true},"user":{"write":true}}}]}`)
		var token struct{ Token string }
		if err := json.Unmarshal(made, &token); err != nil {
			t.Fatal(err)
		}
		half := len(c.body) / 2
		r := httptest.NewRequestWithContext(t.Context(), c.method, c.path, io.MultiReader(
			bytes.NewReader([]byte(c.body[:half])),
			&then{do: func() {
				if _, err := h.tokens.RevokeSecret(t.Context(), token.Token); err != nil {
					t.Error(err)
				}
			}},
			bytes.NewReader([]byte(c.body[half:]))))
		r.ContentLength = int64(len(c.body))
		r.RemoteAddr = "127.0.0.1:1234"
		r.Header.Set("Authorization", "Bearer "+token.Token)
		w := httptest.NewRecorder()
		h.handler.ServeHTTP(w, r)
		if w.Code != http.StatusUnauthorized {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
}

// then is an empty part of a body, at which something happens.
type then struct{ do func() }

func (p *then) Read([]byte) (int, error) {
	p.do()
	return 0, io.EOF
}
