package server

import (
	"context"
	"io"
	"net"
	"net/http"
)

// Serve is s.Serve on connections that send the beginning of an answer in one piece.
//
// net/http writes when its buffer of 4 KiB is full: the header and the first bytes of a body, and then the rest. For an answer of 30 KiB, which most
// packuments are, that is two packets on their way and the client woken twice, and a third of what the answer costs. Here the first of the
// two waits for the second, and the kernel gets both in one call.
func Serve(s *http.Server, l net.Listener) error {
	s.ConnContext = func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, connKey{}, c) }
	return s.Serve(listener{l})
}

type connKey struct{}

type listener struct{ net.Listener }

func (l listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if tcp, ok := c.(*net.TCPConn); ok {
		return &conn{TCPConn: tcp}, err
	}
	return c, err
}

// conn is a connection that can hold a write back until the next one. Like those of any connection of net/http, its writes come from one goroutine at a time.
type conn struct {
	*net.TCPConn
	holding bool
	held    []byte
}

// hold makes the next write wait for the one after it, or for release.
func (c *conn) hold() { c.holding = true }

// release sends what is still held.
func (c *conn) release() error {
	c.holding = false
	if len(c.held) == 0 {
		return nil
	}
	held := c.held
	c.held = nil
	_, err := c.TCPConn.Write(held)
	return err
}

func (c *conn) Write(p []byte) (int, error) {
	switch {
	case c.holding:
		c.holding, c.held = false, append(c.held, p...)
		return len(p), nil
	case len(c.held) > 0:
		both := net.Buffers{c.held, p}
		held := len(c.held)
		c.held = nil
		n, err := both.WriteTo(c.TCPConn)
		return max(int(n)-held, 0), err
	}
	return c.TCPConn.Write(p)
}

// ReadFrom is how net/http sends files.
func (c *conn) ReadFrom(r io.Reader) (int64, error) {
	if err := c.release(); err != nil {
		return 0, err
	}
	return c.TCPConn.ReadFrom(r)
}
