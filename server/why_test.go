package server_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"gatehouse/githubauth/githubtest"
	"gatehouse/server/gate"
)

// whyWords asks for the explanation in words. What these look like is in cmd/gatehouse/testdata/why.golden.
func (s *site) whyWords(path, token string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "/-/why/"+path, nil)
	r.Header.Set("Accept", "text/plain")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

// TestWhyJSON: what programs read.
func TestWhyJSON(t *testing.T) {
	s := newSite(t, nil)
	s.publish(t, "1.0.0", s.github.Wendy)
	w := s.do(http.MethodGet, "/-/why/@acme%2fui/publish", s.github.Rita, "")
	var got gate.Why
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%d, %v: %s", w.Code, err, w.Body)
	}
	if got.Allowed || got.Reason != "role-too-low" || got.Needs != "write" || got.Access == nil || got.Access.Role != "read" || got.Access.Reach != "admin" || got.Access.Permission != "read" || got.Access.AsOf.IsZero() ||
		got.Binding == nil || got.Binding.Repository != "acme/ui" || got.Binding.State != "bound" || got.Binding.ID != s.github.UI.ID ||
		got.Caller.Login != "rita" || got.Caller.Fingerprint != printOf(s.github.Rita) || got.Page != "https://github.com/acme/ui/settings/access" {
		t.Errorf("%+v", got)
	}
	if cache := w.Header().Get("Cache-Control"); cache != "no-store" {
		t.Errorf("Cache-Control: %s", cache)
	}
	if w := s.do(http.MethodGet, "/-/why/@acme%2fui/eat", s.github.Rita, ""); w.Code != http.StatusBadRequest {
		t.Errorf("an action that is none: %d", w.Code)
	}
}

// TestWhyHidesLikeMissing: to ask why is no way to learn what exists.
func TestWhyHidesLikeMissing(t *testing.T) {
	s := newSite(t, nil)
	s.publish(t, "1.0.0", s.github.Wendy)
	for _, action := range []string{"install", "publish", "rebind"} {
		hidden, missing := s.do(http.MethodGet, "/-/why/@acme%2fui/"+action, s.github.Mallory, ""), s.do(http.MethodGet, "/-/why/@acme%2fno/"+action, s.github.Mallory, "")
		if hidden.Code != http.StatusNotFound || missing.Code != http.StatusNotFound {
			t.Errorf("%s: %d and %d", action, hidden.Code, missing.Code)
		}
		if a, b := hidden.Body.String(), strings.ReplaceAll(missing.Body.String(), "@acme/no", "@acme/ui"); a != b {
			t.Errorf("%s:\n%s\n%s", action, a, b)
		}
		for _, w := range []*httptest.ResponseRecorder{hidden, missing} {
			w.Header().Del("X-Request-Id")
		}
		a, _ := json.Marshal(hidden.Header())
		if b, _ := json.Marshal(missing.Header()); string(a) != string(b) {
			t.Errorf("%s:\n%s\n%s", action, a, b)
		}
	}
}

// TestWhyAsksAnew: for a change, what GitHub says now counts, as it would for the change itself.
func TestWhyAsksAnew(t *testing.T) {
	s := newSite(t, nil)
	s.publish(t, "1.0.0", s.github.Wendy)
	if w := s.whyWords("@acme%2fui/publish", s.github.Wendy); !strings.Contains(w.Body.String(), "YES") {
		t.Fatalf("%s", w.Body)
	}
	s.github.Grant("wendy", "acme/ui", githubtest.Pull)
	if w := s.whyWords("@acme%2fui/publish", s.github.Wendy); !strings.Contains(w.Body.String(), "NO (role-too-low)") {
		t.Errorf("%s", w.Body)
	}
}
