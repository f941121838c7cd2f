package server_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"gatehouse/githubauth/githubtest"
	"gatehouse/server"
	"gatehouse/server/audit"
	"gatehouse/server/gate"
)

// audits are the audit's lines of a log in JSON.
func (s *site) audits(t *testing.T) (lines []map[string]any) {
	t.Helper()
	for line := range strings.SplitSeq(strings.TrimSpace(s.log.String()), "\n") {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if fields["msg"] == audit.Message {
			lines = append(lines, fields)
		}
	}
	return lines
}

// last is the latest of them, and how many there are.
func (s *site) lastAudit(t *testing.T) (map[string]any, int) {
	t.Helper()
	lines := s.audits(t)
	if len(lines) == 0 {
		return nil, 0
	}
	return lines[len(lines)-1], len(lines)
}

func printOf(token string) string {
	sum := sha256.Sum256([]byte(token))
	return base64.StdEncoding.EncodeToString(sum[:])[:8]
}

// TestAudit: a line for every change and every refusal, and none for what was read.
func TestAudit(t *testing.T) {
	s := newSite(t, nil)
	gh := s.github
	s.publish(t, "1.0.0", gh.Wendy)
	s.publish(t, "1.1.0", gh.Wendy)

	document := func(token string) string { return s.do(http.MethodGet, "/@acme%2fui", token, "").Body.String() }
	edit := func(change func(map[string]any)) string {
		var d map[string]any
		if err := json.Unmarshal([]byte(document(gh.Wendy)), &d); err != nil {
			t.Fatal(err)
		}
		change(d)
		body, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		return string(body)
	}
	rev := func() string {
		var d struct {
			Rev string `json:"_rev"`
		}
		_ = json.Unmarshal([]byte(document(gh.Wendy)), &d)
		return d.Rev
	}
	count := len(s.audits(t))
	for _, c := range []struct {
		name, method, path, token, body string
		status                          int
		want                            map[string]string // "-": not there
	}{
		{"a read", "GET", "/@acme%2fui", gh.Rita, "", 200, nil},
		{"a missing package", "GET", "/@acme%2fno", gh.Rita, "", 404, nil},
		{"a mistake", "PUT", "/-/package/@acme%2fui/dist-tags/1.0", gh.Wendy, `"1.0.0"`, 400, nil},
		{"tag", "PUT", "/-/package/@acme%2fui/dist-tags/beta", gh.Wendy, `"1.0.0"`, 201,
			map[string]string{"verdict": "allowed", "action": "tag", "reason": "allowed", "package": "@acme/ui", "version": "1.0.0", "tag": "beta", "login": "wendy", "fingerprint": printOf(gh.Wendy), "from": "192.0.2.1"}},
		{"untag", "DELETE", "/-/package/@acme%2fui/dist-tags/beta", gh.Wendy, "", 200, map[string]string{"verdict": "allowed", "action": "tag", "tag": "beta", "note": "removed"}},
		{"tag of a reader", "PUT", "/-/package/@acme%2fui/dist-tags/beta", gh.Rita, `"1.0.0"`, 403,
			map[string]string{"verdict": "refused", "action": "tag", "reason": "role-too-low", "package": "@acme/ui", "tag": "beta", "login": "rita", "fingerprint": printOf(gh.Rita)}},
		{"hidden", "GET", "/@acme%2fui", gh.Mallory, "", 404, map[string]string{"verdict": "refused", "action": "install", "reason": "not-readable", "package": "@acme/ui", "login": "mallory"}},
		{"nobody", "GET", "/@acme%2fui", "", "", 401, map[string]string{"verdict": "refused", "reason": "no-credential", "fingerprint": "-", "login": "-", "package": "@acme/ui"}},
		{"unknown token", "GET", "/@acme%2fui", "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", "", 401,
			map[string]string{"reason": "bad-credential", "fingerprint": printOf("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")}},
		{"a password", "GET", "/@acme%2fui", "correct-horse", "", 401, map[string]string{"reason": "bad-credential", "fingerprint": "-"}},
		{"another namespace", "PUT", "/@evil%2fui", gh.Wendy, `{}`, 403, map[string]string{"verdict": "refused", "reason": "forbidden", "package": "@evil/ui"}},
		{"deprecate", "PUT", "/@acme%2fui", gh.Wendy, edit(func(d map[string]any) {
			d["versions"].(map[string]any)["1.0.0"].(map[string]any)["deprecated"] = "old"
			delete(d, "_rev")
		}), 200, map[string]string{"action": "deprecate", "version": "1.0.0", "package": "@acme/ui"}},
		{"star", "PUT", "/@acme%2fui", gh.Rita, `{"name":"@acme/ui","users":{"rita":true}}`, 200, map[string]string{"action": "star", "login": "rita"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := s.do(c.method, c.path, c.token, c.body)
			if w.Code != c.status {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			line, n := s.lastAudit(t)
			if c.want == nil {
				if n != count {
					t.Fatalf("a line for what is none: %v", line)
				}
				return
			}
			if n != count+1 {
				t.Fatalf("%d lines more", n-count)
			}
			count = n
			for key, want := range c.want {
				got, ok := line[key].(string)
				if want == "-" && ok || want != "-" && got != want {
					t.Errorf("%s is %v, want %s: %v", key, line[key], want, line)
				}
			}
			if line["id"] != w.Header().Get("X-Request-Id") || line["id"] == "" {
				t.Errorf("id is %v", line["id"])
			}
		})
	}

	// So does binding to another repository.
	for _, repo := range []string{"acme/ui", "acme/api"} {
		gh.Grant("wendy", repo, githubtest.Admin)
	}
	for _, c := range [][2]githubtest.Repo{{gh.UI, gh.API}, {gh.API, gh.UI}} {
		if w := s.do("PUT", "/-/package/@acme%2fui/binding", gh.Wendy, `{"repository":"`+c[1].Owner+"/"+c[1].Name+`"}`); w.Code != http.StatusOK {
			t.Fatalf("rebinding: %d %s", w.Code, w.Body)
		}
		want := fmt.Sprintf("from %s/%s (%d) to %s/%s (%d)", c[0].Owner, c[0].Name, c[0].ID, c[1].Owner, c[1].Name, c[1].ID)
		if line, _ := s.lastAudit(t); line["verdict"] != "allowed" || line["action"] != "rebind" || line["package"] != "@acme/ui" || line["note"] != want {
			t.Errorf("%v, want %s", line, want)
		}
	}

	// Unpublishing names what is gone.
	body := edit(func(d map[string]any) {
		delete(d["versions"].(map[string]any), "1.0.0")
		delete(d, "users")
	})
	if w := s.do("PUT", "/@acme%2fui/-rev/"+rev(), gh.Wendy, body); w.Code != http.StatusOK {
		t.Fatalf("unpublishing: %d %s", w.Code, w.Body)
	}
	if line, _ := s.lastAudit(t); line["action"] != "unpublish" || line["version"] != "1.0.0" {
		t.Errorf("%v", line)
	}
	if w := s.do("DELETE", "/@acme%2fui/-rev/"+rev(), gh.Wendy, ""); w.Code != http.StatusOK {
		t.Fatalf("unpublishing: %d %s", w.Code, w.Body)
	}
	if line, _ := s.lastAudit(t); line["action"] != "unpublish" || line["note"] != "the whole package" {
		t.Errorf("%v", line)
	}
	if log := s.log.String(); tokenShape.MatchString(log) || strings.Contains(log, "correct-horse") {
		t.Error("a credential is in the log")
	}
}

// TestAuditOpen: who everybody is when nobody is asked.
func TestAuditOpen(t *testing.T) {
	s := newSite(t, func(o *server.Options) {
		names := o.NPM.Gate.Names()
		names.Global = true
		o.NPM.Gate = gate.New(nil, names)
	})
	s.publish(t, "1.0.0", "anything")
	line, n := s.lastAudit(t)
	if n != 1 || line["reason"] != "open-registry" || line["login"] != "" {
		t.Errorf("%d lines: %v", n, line)
	}
	if _, ok := line["fingerprint"]; ok {
		t.Errorf("a credential that nobody looked at: %v", line)
	}
}

// TestAuditFlood: a thousand strangers do not fill the disk, and are counted.
func TestAuditFlood(t *testing.T) {
	s := newSite(t, nil)
	const requests = 1000
	for range requests {
		s.do(http.MethodGet, "/@acme%2fui", "", "")
	}
	lines := s.audits(t)
	if len(lines) == 0 || len(lines) > requests/2 {
		t.Errorf("%d lines", len(lines))
	}
}
