package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// request is one request as it goes over the wire, to be sent again and again. The generator writes these bytes and reads past the answer, so that
// it costs the machine little beside what it measures.
type request struct {
	address string
	bytes   []byte
	want    int // status
}

func get(address, path, token string, headers ...string) request {
	var b bytes.Buffer
	fmt.Fprintf(&b, "GET %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nAccept-Encoding: gzip\r\nUser-Agent: npm/11.0.0\r\n", path, address, token)
	for _, h := range headers {
		b.WriteString(h + "\r\n")
	}
	b.WriteString("\r\n")
	return request{address, b.Bytes(), 200}
}

func put(address, path, token string, body []byte) request {
	head := fmt.Sprintf("PUT %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", path, address, token, len(body))
	return request{address, append([]byte(head), body...), 201}
}

// wire is a connection that is kept.
type wire struct {
	net.Conn
	buf []byte
}

func dial(address string) (*wire, error) {
	c, err := net.DialTimeout("tcp", address, 5*time.Second)
	if err != nil {
		return nil, err
	}
	return &wire{c, make([]byte, 256<<10)}, nil
}

const answerTimeout = 2 * time.Minute

// do sends a request and reads the answer. The body goes to keep, or nowhere.
func (w *wire) do(r request, keep io.Writer) (header []byte, err error) {
	_ = w.SetDeadline(time.Now().Add(answerTimeout))
	if _, err := w.Write(r.bytes); err != nil {
		return nil, err
	}
	n, end := 0, -1
	for end < 0 {
		m, err := w.Read(w.buf[n:])
		if err != nil {
			return nil, err
		}
		n += m
		end = bytes.Index(w.buf[:n], []byte("\r\n\r\n"))
	}
	header = w.buf[:end]
	if len(header) < 12 {
		return nil, fmt.Errorf("not an answer: %q", header)
	}
	status, _ := strconv.Atoi(string(header[9:12]))
	left := int64(0)
	if status != 304 {
		if left, err = strconv.ParseInt(field(header, "Content-Length"), 10, 64); err != nil {
			return nil, fmt.Errorf("an answer without a length:\n%s", header)
		}
	}
	body := w.buf[end+4 : n]
	if status != r.want {
		return nil, fmt.Errorf("status %d, want %d: %.200s", status, r.want, body)
	}
	if keep != nil {
		header = bytes.Clone(header)
		_, _ = keep.Write(body)
	}
	for left -= int64(len(body)); left > 0; left -= int64(n) {
		if n, err = w.Read(w.buf); err != nil {
			return nil, err
		}
		if keep != nil {
			_, _ = keep.Write(w.buf[:n])
		}
	}
	if left < 0 {
		return nil, errors.New("an answer longer than it says")
	}
	return header, nil
}

func field(header []byte, name string) string {
	for l := range bytes.Lines(header) {
		if key, value, ok := strings.Cut(string(l), ": "); ok && strings.EqualFold(key, name) {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// fetch sends a request once and returns the answer.
func fetch(r request) (header, body []byte, err error) {
	w, err := dial(r.address)
	if err != nil {
		return nil, nil, err
	}
	defer w.Close()
	var b bytes.Buffer
	header, err = w.do(r, &b)
	return header, b.Bytes(), err
}

// load sends total requests over so many connections and returns how long that took.
func load(r request, connections, total int) (time.Duration, error) {
	wires := make([]*wire, connections)
	for i := range wires {
		w, err := dial(r.address)
		if err != nil {
			return 0, err
		}
		defer w.Close()
		wires[i] = w
	}
	var left atomic.Int64
	left.Store(int64(total))
	began := time.Now()
	err := all(connections, func(i int) error {
		for left.Add(-1) >= 0 {
			if _, err := wires[i].do(r, nil); err != nil {
				return err
			}
		}
		return nil
	})
	return time.Since(began), err
}

// all runs do n times at once.
func all(n int, do func(i int) error) error {
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { errs[i] = do(i) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

func median[T float64 | time.Duration](values []T) T { return quantile(values, 0.5) }

func quantile[T float64 | time.Duration](values []T, q float64) T {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}
