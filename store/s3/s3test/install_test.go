package s3test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestInstalled builds the server where it is not built yet: scripts/test runs it first.
func TestInstalled(t *testing.T) {
	binary, err := Install(t.Context())
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	if out, err := exec.CommandContext(t.Context(), binary, "--version").CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestInstallWithoutNetwork(t *testing.T) {
	t.Setenv("GOPROXY", "off")
	t.Setenv("GOMODCACHE", t.TempDir())
	dir := t.TempDir()
	_, err := install(t.Context(), dir)
	if err == nil || !strings.Contains(err.Error(), "check GOPROXY and the network") || strings.Contains(err.Error(), "\n") {
		t.Errorf("%v: want one line that says what to check", err)
	}
	left, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(left) != 1 || filepath.Base(left[0]) != "lock" {
		t.Errorf("%v, %q are left", err, left)
	}
	// What is there is not built again.
	binary := filepath.Join(dir, "versitygw")
	if err := os.WriteFile(binary, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	if got, err := install(t.Context(), dir); err != nil || got != binary {
		t.Errorf("%q, %v", got, err)
	}
}
