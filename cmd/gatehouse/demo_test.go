package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// firstWrite tells when something has been written.
type firstWrite struct {
	text    bytes.Buffer
	written chan struct{}
}

func (w *firstWrite) Write(p []byte) (int, error) {
	n, err := w.text.Write(p)
	close(w.written) // the guide is written at once
	return n, err
}

// TestDemo: what the demo prints is there: the folders, the tokens, and a login; and nothing is left when it ends.
func TestDemo(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	out := &firstWrite{written: make(chan struct{})}
	ended := make(chan error, 1)
	go func() { ended <- runDemo(ctx, out, io.Discard, 0, true) }()
	select {
	case <-out.written:
	case err := <-ended:
		t.Fatal(err)
	}
	said := out.text.String()
	base := regexp.MustCompile(`The registry listens on (http://localhost:\d+/)`).FindStringSubmatch(said)
	folders := regexp.MustCompile(`(?m)^  cd (/.*)$`).FindAllStringSubmatch(said, -1)
	if base == nil || len(folders) != 4 {
		t.Fatal(said)
	}
	for _, f := range folders {
		lines, err := os.ReadFile(filepath.Join(f[1], ".npmrc"))
		if err != nil || !strings.Contains(string(lines), "@acme:registry="+base[1]+"\n") || strings.Contains(string(lines), "_authToken") == (filepath.Base(f[1]) == "guest") {
			t.Errorf("%s: %v\n%s", f[1], err, lines)
		}
	}
	if _, err := os.Stat(filepath.Join(folders[0][1], "open", "package.json")); err != nil {
		t.Error(err)
	}
	if status, body := sendJSON(t, http.MethodPost, base[1]+"-/v1/login", "{}"); status != http.StatusOK || !strings.Contains(string(body), "loginUrl") {
		t.Errorf("npm login: %d %s", status, body)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Dir(folders[0][1])); !os.IsNotExist(err) {
		t.Errorf("its folder is left: %v", err)
	}
}
