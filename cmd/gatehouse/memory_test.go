package main

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"gatehouse/githubauth/githubtest"
)

// TestMemoryOfALargePublish publishes and installs a tarball of 200 MiB and asks the kernel for the most memory that the registry ever
// had. It is built anew for this, since the race detector of the tests takes many times the memory.
func TestMemoryOfALargePublish(t *testing.T) {
	if testing.Short() {
		t.Skip("200 MiB take a while: skipped with -short")
	}
	t.Parallel()
	for name, flags := range map[string]func(*testing.T) []string{
		"local": func(*testing.T) []string { return nil },
		"s3":    func(t *testing.T) []string { return newBucket(t).flags() },
	} {
		t.Run(name, func(t *testing.T) { memoryOfALargePublish(t, flags(t)...) })
	}
}

func memoryOfALargePublish(t *testing.T, flags ...string) {
	const size, most = 200 << 20, 64 << 20
	program := filepath.Join(t.TempDir(), "gatehouse")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	github := githubtest.Acme().Start()
	defer github.Close()
	i := launch(t, program, t.TempDir(), github, flags...)

	body, w := io.Pipe()
	go func() { w.CloseWithError(writePublish(w, "@acme/big", "1.0.0", size)) }()
	if status := put(i.url+"/@acme%2fbig", github.Wendy, body); status != http.StatusCreated {
		t.Fatalf("the publish was answered with %d", status)
	}
	req, _ := http.NewRequest(http.MethodGet, i.url+"/@acme/big/-/big-1.0.0.tgz", nil)
	req.Header.Set("Authorization", "Bearer "+github.Rita)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	n, err := io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	if err != nil || n < size {
		t.Errorf("%d bytes came back, %v", n, err)
	}
	peak := memory(t, i.cmd.Process.Pid, "VmHWM")
	t.Logf("at most %d MiB for a tarball of %d MiB", peak>>20, size>>20)
	if peak > most {
		t.Errorf("it took %d MiB, more than %d", peak>>20, most>>20)
	}
	i.terminate(t)
}

// writePublish writes the body of a publish of about size bytes without holding it.
func writePublish(w io.Writer, name, version string, size int64) error {
	packageJSON := fmt.Sprintf(`{"name":%q,"version":%q,"repository":"github:acme/ui"}`, name, version)
	if _, err := fmt.Fprintf(w, `{"_id":%q,"name":%q,"dist-tags":{"latest":%q},"versions":{%q:%s},"_attachments":{"%s-%s.tgz":{"data":"`,
		name, name, version, version, packageJSON, name, version); err != nil {
		return err
	}
	encoder := base64.NewEncoder(base64.StdEncoding, w)
	z, err := gzip.NewWriterLevel(encoder, gzip.NoCompression)
	if err != nil {
		return err
	}
	a := tar.NewWriter(z)
	file := func(name string, size int64, content io.Reader) error {
		if err := a.WriteHeader(&tar.Header{Name: "package/" + name, Mode: 0o644, Size: size}); err != nil {
			return err
		}
		_, err := io.CopyN(a, content, size)
		return err
	}
	if err := file("package.json", int64(len(packageJSON)), strings.NewReader(packageJSON)); err != nil {
		return err
	}
	if err := file("data", size, rand.NewChaCha8([32]byte{1})); err != nil {
		return err
	}
	for _, c := range []io.Closer{a, z, encoder} {
		if err := c.Close(); err != nil {
			return err
		}
	}
	_, err = io.WriteString(w, `"}}}`)
	return err
}

// memory is the resident set of a process in bytes: "VmRSS" is now, "VmHWM" the largest so far (proc(5)).
func memory(t *testing.T, pid int, which string) int64 {
	t.Helper()
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), which+":"); ok {
			kb, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return kb << 10
		}
	}
	t.Fatal("the kernel does not say")
	return 0
}
