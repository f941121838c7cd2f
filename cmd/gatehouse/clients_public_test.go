package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"gatehouse/config"
)

// unscoped is the package that the public registry has.
const unscoped = "left-padded"

// startPublic stands for the registry that gatehouse redirects foreign names to, and returns its address. It must never be told a
// credential, nor the name of a private package.
func startPublic(t *testing.T) string {
	t.Helper()
	tarball := pack(t, map[string]string{
		"package/package.json": `{"name":"` + unscoped + `","version":"1.0.0","main":"index.js"}`,
		"package/index.js":     "module.exports = 'theirs'\n",
	})
	sum := sha512.Sum512(tarball)
	defaults, err := config.Load(config.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	var address string
	document := func(agent string) []byte {
		host := address
		if strings.HasPrefix(agent, "npm/") {
			// npm puts the configured registry in the place of this one host, and npm 12 fetches from no other than the registry's.
			host = strings.TrimSuffix(defaults.Packages.GlobalRegistry, "/")
		}
		version := map[string]any{"name": unscoped, "version": "1.0.0", "main": "index.js", "dist": map[string]any{
			"tarball":   host + "/" + unscoped + "/-/" + unscoped + "-1.0.0.tgz",
			"integrity": "sha512-" + base64.StdEncoding.EncodeToString(sum[:]),
		}}
		const day = "2020-01-01T00:00:00.000Z"
		body, err := json.Marshal(map[string]any{
			"name": unscoped, "dist-tags": map[string]string{"latest": "1.0.0"}, "versions": map[string]any{"1.0.0": version},
			"time": map[string]string{"created": day, "modified": day, "1.0.0": day},
		})
		if err != nil {
			panic(err)
		}
		return body
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			t.Errorf("%s tells the public registry a credential with %s %s", r.UserAgent(), r.Method, r.URL)
		}
		if strings.Contains(r.URL.Path, "acme") {
			t.Errorf("%s asks the public registry for %s", r.UserAgent(), r.URL)
		}
		switch r.URL.Path {
		case "/" + unscoped:
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(document(r.UserAgent()))
		case "/" + unscoped + "/-/" + unscoped + "-1.0.0.tgz":
			w.Header().Set("Content-Type", "application/octet-stream")
			_, _ = w.Write(tarball)
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(server.Close)
	// Another host than the registry's, as it is in life: several clients keep the credential where only the port changes.
	address = strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
	return address
}

func pack(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	w := tar.NewWriter(zip)
	for name, content := range files {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content))}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := zip.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}
