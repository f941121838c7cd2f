package s3

import (
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"

	"gatehouse/store/s3/s3test"
)

// countNew counts connections.
func countNew(n *int) func(net.Conn, http.ConnState) {
	var mu sync.Mutex
	return func(_ net.Conn, state http.ConnState) {
		mu.Lock()
		defer mu.Unlock()
		if state == http.StateNew {
			*n++
		}
	}
}

// peak returns what a function adds to the memory of this process, the system's view, at its highest.
func peak(t *testing.T, run func()) (mib int) {
	t.Helper()
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		t.Skip("the system does not tell the highest use of memory:", err)
	}
	before := status(t, "VmRSS:")
	run()
	return (status(t, "VmHWM:") - before) >> 10
}

// status returns a line of /proc/self/status, in KiB.
func status(t *testing.T, name string) (kib int) {
	t.Helper()
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), name)
	for _, c := range strings.TrimSpace(rest) {
		if c < '0' || c > '9' {
			break
		}
		kib = kib*10 + int(c-'0')
	}
	return kib
}

// TestMemory: four uploads of 64 MiB at once, from streams that have to be copied and from files that need not be.
func TestMemory(t *testing.T) {
	server := s3test.New(t)
	s := mustOpen(t, options(t, server, server.URL))
	const size = 64 << 20
	file, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := file.Truncate(size); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		reader func() io.Reader
		bound  int
	}{
		"streams": {func() io.Reader { return io.MultiReader(io.NewSectionReader(file, 0, size)) }, buffers*partSize>>20 + 24},
		"files":   {func() io.Reader { return io.NewSectionReader(file, 0, size) }, 24},
	} {
		used := peak(t, func() {
			var wg sync.WaitGroup
			for i := range 4 {
				wg.Go(func() {
					if err := s.Put(t.Context(), name+"/"+string(rune('a'+i)), size, c.reader()); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
		})
		t.Logf("4 %s of 64 MiB: %d MiB more than before", name, used)
		if used > c.bound {
			t.Errorf("%s took %d MiB", name, used)
		}
	}
	if len(s.buffers) > 0 {
		t.Errorf("%d buffers were not given back", len(s.buffers))
	}
	o, err := s.Open(t.Context(), "files/a")
	if err != nil {
		t.Fatal(err)
	}
	defer o.Body.Close()
	if n, err := io.Copy(io.Discard, o.Body); err != nil || n != size || o.Size != size {
		t.Errorf("%d bytes, %v", n, err)
	}
}
