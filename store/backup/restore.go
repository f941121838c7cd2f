package backup

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"

	"gatehouse/store"
	"gatehouse/store/blob"
	"gatehouse/store/kv"
)

// ErrNotEmpty: there are data where a backup is to be restored to.
var ErrNotEmpty = errors.New("there are data already")

// Restore fills an empty pair of engines with a backup. After an error, or when it is cut off, what is there is no registry: nothing starts on it, and
// it has to be removed before another restore. Errors: ErrNotEmpty, ErrNotBackup, store.ErrFormat, and those of the engines.
func Restore(ctx context.Context, r io.Reader, meta kv.Store, blobs blob.Store, o Options) (Summary, error) {
	if err := emptyStorage(ctx, blobs); err != nil {
		return Summary{}, err
	}
	b := &reader{tar: tar.NewReader(r), sum: sha256.New(), blobs: blobs, o: o}
	// Nothing is written before the stream has shown that it is a backup.
	if err := b.header(); err != nil {
		return b.done, err
	}
	into, err := store.BeginRestore(ctx, meta)
	if errors.Is(err, store.ErrNotEmpty) {
		return b.done, ErrNotEmpty
	}
	if err != nil {
		return b.done, err
	}
	for pieces := 1; ; pieces++ {
		p, last, err := b.piece(pieces)
		if err != nil {
			return b.done, err
		}
		if p == nil {
			if err := b.end(last, r); err != nil {
				return b.done, err
			}
			return b.done, into.Done(ctx)
		}
		for _, t := range p.tarballs() {
			if err := b.tarball(ctx, t); err != nil {
				return b.done, err
			}
			b.o.progress(b.done.Counts, b.done.Header.Expected)
		}
		if err := into.Add(ctx, p.entries); err != nil {
			return b.done, fmt.Errorf("writing the metadata: %w", err)
		}
		for _, e := range p.entries {
			b.done.Counts.entry(e)
		}
		b.o.progress(b.done.Counts, b.done.Header.Expected)
	}
}

func emptyStorage(ctx context.Context, blobs blob.Store) error {
	l, ok := blobs.(blob.Lister)
	if !ok {
		return nil // nothing is ever replaced in a storage, and every tarball has a key of its own
	}
	for _, err := range l.List(ctx) {
		if err != nil {
			return err
		}
		return ErrNotEmpty
	}
	return nil
}

// reader is a restore under way.
type reader struct {
	tar   *tar.Reader
	sum   hash.Hash // of the header and the metadata
	blobs blob.Store
	o     Options
	ahead *tar.Header // was read and is for the next to take
	done  Summary
}

func (r *reader) next() (*tar.Header, error) {
	if h := r.ahead; h != nil {
		r.ahead = nil
		return h, nil
	}
	h, err := r.tar.Next()
	switch {
	case err == io.EOF:
		return nil, fmt.Errorf("%w: it ends too early", ErrNotBackup)
	case err != nil:
		return nil, damagedStream(err)
	case h.Typeflag != tar.TypeReg:
		return nil, fmt.Errorf("%w: %q does not belong there", ErrNotBackup, h.Name)
	}
	return h, nil
}

// damagedStream tells the end of a stream that was cut off, and what tar cannot read, from a stream that cannot be read.
func damagedStream(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: it ends too early", ErrNotBackup)
	}
	if errors.Is(err, tar.ErrHeader) || errors.Is(err, tar.ErrFieldTooLong) {
		return fmt.Errorf("%w: it was altered, or is something else", ErrNotBackup)
	}
	return fmt.Errorf("reading the backup: %w", err)
}

func (r *reader) content(h *tar.Header, limit int64) ([]byte, error) {
	if h.Size > limit {
		return nil, fmt.Errorf("%w: %q is too large", ErrNotBackup, h.Name)
	}
	content, err := io.ReadAll(r.tar)
	if err != nil {
		return nil, damagedStream(err)
	}
	return content, nil
}

func (r *reader) header() error {
	h, err := r.next()
	if err != nil {
		return err
	}
	if h.Name != headerName {
		return fmt.Errorf("%w: it does not begin with %s", ErrNotBackup, headerName)
	}
	content, err := r.content(h, maxJSON)
	if err != nil {
		return err
	}
	_, _ = r.sum.Write(content) // never fails (hash.Hash)
	if err := json.Unmarshal(content, &r.done.Header); err != nil {
		return fmt.Errorf("%w: its header cannot be read", ErrNotBackup)
	}
	if f := r.done.Header; f.Format != formatVersion || f.DataFormat != store.Format {
		return fmt.Errorf("%w: the backup was written by %s in format %d with data of format %q, and this version reads %d and %q", store.ErrFormat, f.By, f.Format, f.DataFormat, formatVersion, store.Format)
	}
	return nil
}

// piece reads a part of the metadata, or, where none follows, the end.
func (r *reader) piece(n int) (*piece, []byte, error) {
	h, err := r.next()
	if err != nil {
		return nil, nil, err
	}
	switch h.Name {
	case endName:
		last, err := r.content(h, maxJSON)
		return nil, last, err
	case pieceName(n):
		content, err := r.content(h, maxPiece)
		if err != nil {
			return nil, nil, err
		}
		_, _ = r.sum.Write(content)
		p, err := decodePiece(content)
		return p, nil, err
	}
	return nil, nil, fmt.Errorf("%w: %q does not belong there", ErrNotBackup, h.Name)
}

// tarball stores one, or notes that the backup has not got it.
func (r *reader) tarball(ctx context.Context, t store.Tarball) error {
	h, err := r.next()
	if err != nil {
		return err
	}
	if h.Name == damagedDir+t.Key {
		return r.damaged(h)
	}
	if h.Name != blobsDir+t.Key {
		return fmt.Errorf("%w: %q is in the place of the tarball of %s@%s", ErrNotBackup, h.Name, t.Package, t.Version)
	}
	in := &source{r: t.Verify(ctx, r.tar)}
	err = r.blobs.Put(ctx, t.Key, h.Size, in)
	switch {
	case err == nil:
		r.done.Counts.Tarballs++
		r.done.Counts.Bytes += t.Size
		return nil
	case errors.Is(in.err, store.ErrAltered):
		// It may have been so when it was saved. Then that is said next.
		if r.ahead, err = r.next(); err != nil {
			return err
		}
		if r.ahead.Name == damagedDir+t.Key {
			h, r.ahead = r.ahead, nil
			return r.damaged(h)
		}
		return fmt.Errorf("%w: the tarball of %s@%s was altered: %w", ErrNotBackup, t.Package, t.Version, in.err)
	case in.err != nil && ctx.Err() == nil:
		return damagedStream(in.err)
	}
	return fmt.Errorf("storing the tarball of %s@%s: %w", t.Package, t.Version, err)
}

func (r *reader) damaged(h *tar.Header) error {
	content, err := r.content(h, maxJSON)
	if err != nil {
		return err
	}
	var d Damage
	if err := json.Unmarshal(content, &d); err != nil {
		return fmt.Errorf("%w: %q cannot be read", ErrNotBackup, h.Name)
	}
	r.done.Damaged = append(r.done.Damaged, d)
	return nil
}

// end makes sure that what was read is all that was written, and that nothing follows.
func (r *reader) end(last []byte, stream io.Reader) error {
	var e end
	if err := json.Unmarshal(last, &e); err != nil {
		return fmt.Errorf("%w: its end cannot be read", ErrNotBackup)
	}
	if e.Counts != r.done.Counts || e.Damaged != int64(len(r.done.Damaged)) || e.SHA256 != hex.EncodeToString(r.sum.Sum(nil)) {
		return fmt.Errorf("%w: it was altered: what is in it is not what was written", ErrNotBackup)
	}
	if h, err := r.tar.Next(); err != io.EOF {
		if err != nil {
			return damagedStream(err)
		}
		return fmt.Errorf("%w: %q follows its end", ErrNotBackup, h.Name)
	}
	rest, err := io.ReadAll(io.LimitReader(stream, maxJSON))
	if err != nil {
		return fmt.Errorf("reading the backup: %w", err)
	}
	if len(bytes.Trim(rest, "\x00")) > 0 {
		return fmt.Errorf("%w: something follows its end", ErrNotBackup)
	}
	return nil
}

// entry counts one.
func (c *Counts) entry(e kv.Entry) {
	c.Entries++
	if store.IsHead(e) {
		c.Packages++
	}
}
