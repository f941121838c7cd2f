package main

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/githubauth/githubtest"
	"gatehouse/store/packument/packumenttest"
)

// cutOff is how long a connection that does nothing useful may last.
const cutOff = 75 * time.Second

// TestSlowClients opens connections that say nothing, that send a header or a body by the byte, and that ask and never read. All of them are cut off, and
// whoever installs meanwhile is served.
func TestSlowClients(t *testing.T) {
	if testing.Short() {
		t.Skip("it waits for connections to be cut off: skipped with -short")
	}
	t.Parallel()
	github := githubtest.Acme().Start()
	defer github.Close()
	i := launch(t, self(t), t.TempDir(), github)
	address := strings.TrimPrefix(i.url, "http://")
	filler := make([]byte, 16<<20) // more than the sockets of both sides hold
	_, _ = rand.Read(filler)
	p := packumenttest.Package{Name: "@acme/ui", Version: "1.0.0", Repository: "github:acme/ui", Files: map[string]string{"filler": string(filler)}}
	if status := put(i.url+p.Path(), github.Wendy, bytes.NewReader(p.Body())); status != http.StatusCreated {
		t.Fatal(status)
	}

	pid := i.cmd.Process.Pid
	before := sockets(t, pid)
	began := time.Now()
	done := make(chan struct{})
	var all sync.WaitGroup
	slow := func(n int, begin string, drip byte) {
		for range n {
			c, err := net.Dial("tcp", address)
			if err != nil {
				t.Fatal(err)
			}
			all.Go(func() {
				defer func() { _ = c.Close() }()
				_, _ = io.WriteString(c, begin)
				every := time.NewTicker(time.Second) // the pace of the slow client
				defer every.Stop()
				for {
					select {
					case <-done:
						return
					case <-every.C:
						if drip != 0 {
							if _, err := c.Write([]byte{drip}); err != nil {
								return
							}
						}
					}
				}
			})
		}
	}
	auth := "Host: registry\r\nAuthorization: Bearer " + github.Wendy + "\r\n"
	slow(500, "", 0)
	slow(200, "GET /@acme/ui HTTP/1.1\r\n"+auth+"X-Slow: ", 'x')
	slow(150, "PUT /@acme%2fui HTTP/1.1\r\n"+auth+"Content-Length: 100000\r\n\r\n", ' ')
	slow(50, "GET /@acme/ui/-/ui-1.0.0.tgz HTTP/1.1\r\n"+auth+"\r\n", 0)

	var took []time.Duration
	for range 200 {
		at := time.Now()
		if status, _ := get(t, i.url+"/@acme/ui", github.Rita); status != http.StatusOK {
			t.Errorf("an install beside them is answered with %d", status)
		}
		took = append(took, time.Since(at))
	}
	// From the other side a connection whose answer nobody reads looks open for ever; what counts is what the registry still holds.
	for sockets(t, pid) > before+2 && time.Since(began) < cutOff+10*time.Second {
		time.Sleep(100 * time.Millisecond)
	}
	lasted := time.Since(began)
	close(done)
	all.Wait()
	slices.Sort(took)
	if lasted > cutOff {
		t.Errorf("after %s the registry still holds %d sockets; before there were %d", lasted.Round(time.Second), sockets(t, pid), before)
	}
	t.Logf("900 slow connections, the last cut off after %s; an install beside them: median %s, 95 %% within %s", lasted.Round(time.Second), took[100], took[190])
	i.terminate(t)
}

// descriptors is how many descriptors a process has open (proc(5)).
func descriptors(t *testing.T, pid int) int {
	t.Helper()
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		t.Fatal(err)
	}
	return len(open)
}

// sockets is how many of them are sockets.
func sockets(t *testing.T, pid int) (n int) {
	t.Helper()
	folder := fmt.Sprintf("/proc/%d/fd", pid)
	open, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range open {
		if to, err := os.Readlink(filepath.Join(folder, fd.Name())); err == nil && strings.HasPrefix(to, "socket:") {
			n++
		}
	}
	return n
}
