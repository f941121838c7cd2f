package packument

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// ErrBody is wrapped, with the cause, by errors of the reader that a publish came in by: the connection failed, or a
// limit of the server cut it. The publisher's package may be in order.
var ErrBody = errors.New("reading the body of the publish")

const bufferSize = 64 << 10

// source gives what a reader delivers, by the byte or by the run, from one buffer. It stops when its context does.
type source struct {
	ctx  context.Context
	r    io.Reader
	buf  []byte
	rest []byte // the part of buf not yet taken
	err  error  // of r, once rest is taken
	raw  []byte // the escape read last
}

func newSource(ctx context.Context, r io.Reader) *source {
	return &source{ctx: ctx, r: r, buf: make([]byte, bufferSize)}
}

// ahead returns the bytes at hand, at least one. At the end it returns io.EOF, and after a failure the context's error
// or one that wraps ErrBody.
func (s *source) ahead() ([]byte, error) {
	for empty := 0; len(s.rest) == 0; empty++ {
		if s.err != nil {
			return nil, s.err
		}
		if err := s.ctx.Err(); err != nil {
			return nil, err
		}
		if empty == 100 {
			s.err = fmt.Errorf("%w: %w", ErrBody, io.ErrNoProgress)
			return nil, s.err
		}
		n, err := s.r.Read(s.buf)
		s.rest = s.buf[:n]
		switch {
		case err == io.EOF: // itself; wrapped, it is no regular end (package io)
			s.err = io.EOF
		case err != nil && s.ctx.Err() != nil:
			s.err = s.ctx.Err()
		case err != nil:
			s.err = fmt.Errorf("%w: %w", ErrBody, err)
		}
	}
	return s.rest, nil
}

// take passes over n of the bytes ahead.
func (s *source) take(n int) { s.rest = s.rest[n:] }

// next takes one byte.
func (s *source) next() (byte, error) {
	p, err := s.ahead()
	if err != nil {
		return 0, err
	}
	c := p[0]
	s.take(1)
	return c, nil
}

var errEscape = errors.New("no such escape in JSON")

// escape takes what follows a backslash in a JSON string. It returns the UTF-16 code unit meant, and the text, which is
// valid until the next call. It returns errEscape if JSON has no such escape.
func (s *source) escape() (unit rune, raw []byte, err error) {
	c, err := s.next()
	if err != nil {
		return 0, nil, err
	}
	s.raw = append(s.raw[:0], c)
	if c != 'u' {
		i := strings.IndexByte(`"\/bfnrt`, c)
		if i < 0 {
			return 0, nil, errEscape
		}
		return rune("\"\\/\b\f\n\r\t"[i]), s.raw, nil
	}
	for range 4 {
		if c, err = s.next(); err != nil {
			return 0, nil, err
		}
		s.raw = append(s.raw, c)
	}
	n, err := strconv.ParseUint(string(s.raw[1:]), 16, 16)
	if err != nil {
		return 0, nil, errEscape
	}
	return rune(n), s.raw, nil
}
