package store

import (
	"context"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"io"

	"gatehouse/store/blob"
)

// Tarball is what the object of a version has to be.
type Tarball struct {
	Package, Version string
	Key              string // of the object
	Size             int64
	Integrity        string
}

var (
	// ErrLost: the object of a version is not there.
	ErrLost = errors.New("its tarball is missing")
	// ErrAltered: the object of a version does not have the bytes that were published.
	ErrAltered = errors.New("its tarball is damaged")
)

// Check looks whether the object is there and has the right size, and, unless quick, reads it to compare its SHA-512. It returns
// ErrLost, ErrAltered, or an error of the engine, which says nothing about the object. read is how many bytes it read.
func (t Tarball) Check(ctx context.Context, blobs blob.Store, quick bool) (read int64, err error) {
	o, err := blobs.Open(ctx, t.Key)
	if errors.Is(err, blob.ErrNotFound) {
		return 0, ErrLost
	}
	if err != nil {
		return 0, fmt.Errorf("opening the tarball of %s@%s: %w", t.Package, t.Version, err)
	}
	defer func() { _ = o.Body.Close() }()
	if o.Size != t.Size {
		return 0, fmt.Errorf("%w: it has %d bytes, and %d were published", ErrAltered, o.Size, t.Size)
	}
	if quick {
		return 0, nil
	}
	read, err = io.Copy(io.Discard, t.Verify(ctx, o.Body))
	if err != nil && !errors.Is(err, ErrAltered) {
		err = fmt.Errorf("reading the tarball of %s@%s: %w", t.Package, t.Version, err)
	}
	return read, err
}

// Verify reads r until ctx ends, and ends with ErrAltered in place of io.EOF unless what was read is the tarball.
func (t Tarball) Verify(ctx context.Context, r io.Reader) io.Reader {
	return &verifier{ctx: ctx, r: r, want: t, sum: sha512.New()}
}

type verifier struct {
	ctx  context.Context
	r    io.Reader
	want Tarball
	sum  hash.Hash
	n    int64
}

func (v *verifier) Read(p []byte) (int, error) {
	if err := v.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := v.r.Read(p)
	v.n += int64(n)
	_, _ = v.sum.Write(p[:n]) // never fails (hash.Hash)
	if err != io.EOF {
		return n, err
	}
	if v.n != v.want.Size {
		return n, fmt.Errorf("%w: it has %d bytes, and %d were published", ErrAltered, v.n, v.want.Size)
	}
	if got := "sha512-" + base64.StdEncoding.EncodeToString(v.sum.Sum(nil)); got != v.want.Integrity {
		return n, fmt.Errorf("%w: its SHA-512 is another than that of what was published", ErrAltered)
	}
	return n, io.EOF
}
