package clienttest_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

const token = "a-token-of-the-tests"

// registry is as little of one as shows that a client reached it with its credential: what it stores it
// believes. The real one is gatehouse itself.
type registry struct {
	*httptest.Server
	mu       sync.Mutex
	packages map[string]*packument
	requests []string
}

type packument struct {
	ID       string                    `json:"_id"`
	Name     string                    `json:"name"`
	Tags     map[string]string         `json:"dist-tags"`
	Versions map[string]map[string]any `json:"versions"`
	Time     map[string]string         `json:"time"`

	tarballs map[string][]byte
}

func newRegistry(t *testing.T) *registry {
	r := &registry{packages: map[string]*packument{}}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	return r
}

// seen returns the requests so far, each as "METHOD /path".
func (r *registry) seen() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.requests)
}

func (r *registry) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests = append(r.requests, q.Method+" "+q.URL.EscapedPath())
	if q.Header.Get("Authorization") != "Bearer "+token {
		answer(w, http.StatusUnauthorized, map[string]string{"error": "the mock wants its token"})
		return
	}
	switch path := q.URL.Path; {
	case path == "/-/ping":
		answer(w, http.StatusOK, map[string]string{})
	case path == "/-/whoami":
		answer(w, http.StatusOK, map[string]string{"username": "octocat"})
	case strings.HasSuffix(path, "/advisories/bulk"):
		answer(w, http.StatusOK, map[string]string{}) // npm and bun look for known holes after an install
	case strings.HasPrefix(path, "/-/package/"):
		r.tags(w, q)
	case q.Method == http.MethodPut:
		r.publish(w, q)
	default:
		r.read(w, path)
	}
}

func (r *registry) read(w http.ResponseWriter, path string) {
	name, file, isTarball := strings.Cut(path[1:], "/-/")
	p := r.packages[name]
	switch {
	case p == nil:
		answer(w, http.StatusNotFound, map[string]string{"error": "not in the mock"})
	case isTarball:
		w.Header().Set("Content-Type", "application/octet-stream")
		_, _ = w.Write(p.tarballs[file])
	default:
		answer(w, http.StatusOK, p)
	}
}

func (r *registry) publish(w http.ResponseWriter, q *http.Request) {
	var body struct {
		packument
		Attachments map[string]struct{ Data string } `json:"_attachments"`
	}
	if err := json.NewDecoder(q.Body).Decode(&body); err != nil {
		answer(w, http.StatusBadRequest, map[string]string{"error": err.Error()})
		return
	}
	p := r.packages[body.Name]
	if p == nil {
		p = &packument{
			ID: body.Name, Name: body.Name, Tags: map[string]string{}, Versions: map[string]map[string]any{},
			Time: map[string]string{}, tarballs: map[string][]byte{},
		}
		r.packages[body.Name] = p
	}
	for v, manifest := range body.Versions {
		if p.Versions[v] != nil {
			answer(w, http.StatusConflict, map[string]string{"error": v + " is there already"})
			return
		}
		file := body.Name[strings.Index(body.Name, "/")+1:] + "-" + v + ".tgz"
		manifest["dist"].(map[string]any)["tarball"] = fmt.Sprintf("%s/%s/-/%s", r.URL, body.Name, file)
		p.Versions[v] = manifest
		p.Time[v] = time.Now().UTC().Format(time.RFC3339Nano) // young, so that the clients' age gates are met
		for _, a := range body.Attachments {
			p.tarballs[file], _ = base64.StdEncoding.DecodeString(a.Data)
		}
	}
	for tag, v := range body.Tags {
		p.Tags[tag] = v
	}
	p.Time["modified"] = time.Now().UTC().Format(time.RFC3339Nano)
	answer(w, http.StatusCreated, map[string]bool{"ok": true})
}

func (r *registry) tags(w http.ResponseWriter, q *http.Request) {
	rest, _ := url.PathUnescape(strings.TrimPrefix(q.URL.EscapedPath(), "/-/package/"))
	name, tag, _ := strings.Cut(rest, "/dist-tags")
	p := r.packages[name]
	if p == nil {
		answer(w, http.StatusNotFound, map[string]string{"error": "not in the mock"})
		return
	}
	switch tag = strings.TrimPrefix(tag, "/"); q.Method {
	case http.MethodPut:
		var v string
		_ = json.NewDecoder(q.Body).Decode(&v)
		p.Tags[tag] = v
		answer(w, http.StatusCreated, map[string]bool{"ok": true}) // without it yarn 1 says it failed
	case http.MethodDelete:
		delete(p.Tags, tag)
		answer(w, http.StatusOK, map[string]bool{"ok": true})
	default:
		answer(w, http.StatusOK, p.Tags)
	}
}

func answer(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body)
}
