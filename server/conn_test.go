package server

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"testing/iotest"
	"time"
)

// TestAnswersOfEverySize sends bodies around the sizes at which net/http and its connection change their ways, with and without a length, from memory,
// from a file and from a reader, one after the other on one connection.
func TestAnswersOfEverySize(t *testing.T) {
	content := bytes.Repeat([]byte("0123456789abcdef"), 150_000) // 2.4 MB: more than a piece
	file := filepath.Join(t.TempDir(), "content")
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	handler := paced(time.Minute, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.FormValue("n"))
		if r.FormValue("length") != "" {
			w.Header().Set("Content-Length", strconv.Itoa(n))
		}
		w.Header().Set("Content-Type", "text/plain")
		switch r.FormValue("from") {
		case "memory":
			_, _ = w.Write(content[:n])
		case "two":
			_, _ = w.Write(content[:n/2])
			_, _ = w.Write(content[n/2 : n])
		case "reader":
			_, _ = io.CopyN(w, iotest.HalfReader(bytes.NewReader(content)), int64(n))
		case "range":
			if n > 0 {
				r.Header.Set("Range", fmt.Sprintf("bytes=0-%d", n-1))
				http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
			}
		case "content":
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content[:n]))
		case "file":
			f, err := os.Open(file)
			if err != nil {
				t.Error(err)
				return
			}
			defer f.Close()
			_, _ = io.CopyN(w, f, int64(n))
		}
	}))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: handler}
	go func() { _ = Serve(s, l) }()
	t.Cleanup(func() { _ = s.Close() })

	for _, from := range []string{"memory", "two", "reader", "content", "range", "file"} {
		for _, length := range []string{"", "yes"} {
			t.Run(from+length, func(t *testing.T) {
				c, err := net.Dial("tcp", l.Addr().String())
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				_ = c.SetDeadline(time.Now().Add(30 * time.Second))
				in := bufio.NewReader(c)
				sizes := []int{0, 1, 2047, 2048, 2049, small - 1, small, small + 1, 8192, 32 << 10, piece, piece + 1, len(content)}
				for n := 3600; n < 4200; n += 7 { // where the header decides whether it fits
					sizes = append(sizes, n)
				}
				for _, n := range sizes {
					for _, method := range []string{"GET", "HEAD"} {
						fmt.Fprintf(c, "%s /?from=%s&n=%d&length=%s HTTP/1.1\r\nHost: registry.test\r\n\r\n", method, from, n, length)
						r, err := http.ReadResponse(in, &http.Request{Method: method})
						if err != nil {
							t.Fatalf("%d bytes: %v", n, err)
						}
						got, err := io.ReadAll(r.Body)
						want := content[:n]
						if method == "HEAD" {
							want = nil
						}
						if err != nil || !bytes.Equal(got, want) {
							t.Fatalf("%s of %d bytes brings %d: %v", method, n, len(got), err)
						}
					}
				}
			})
		}
	}
}

// TestOneWrite: the header and the body of an answer leave together.
func TestOneWrite(t *testing.T) {
	for _, n := range []int{100, small, 4096, 30_000} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		s := &http.Server{Handler: paced(time.Minute, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", strconv.Itoa(n))
			_, _ = w.Write(make([]byte, n))
		}))}
		go func() { _ = Serve(s, l) }()
		t.Cleanup(func() { _ = s.Close() })
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(30 * time.Second))
		fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: registry.test\r\n\r\n")
		first := make([]byte, 64<<10) // loopback carries it in one segment
		got, err := c.Read(first)
		if err != nil || got <= n {
			t.Errorf("of %d bytes and their header, the first read brings %d: %v", n, got, err)
		}
	}
}
