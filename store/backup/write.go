package backup

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"

	"gatehouse/store"
	"gatehouse/store/blob"
)

// Options of a backup or a restore.
type Options struct {
	// By is the program that writes, for the header.
	By string
	// Expected is what Expect has counted; where it is nil Write counts itself.
	Expected *Counts
	// Progress is called now and then with how much has been done, of how much.
	Progress func(done, of Counts)
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

func (o Options) progress(done, of Counts) {
	if o.Progress != nil {
		o.Progress(done, of)
	}
}

// Write writes a backup. The registry may go on meanwhile.
func Write(ctx context.Context, w io.Writer, s *store.Store, blobs blob.Store, o Options) (Summary, error) {
	release := s.Hold()
	defer release()
	if o.Now == nil {
		o.Now = time.Now
	}
	b := &writer{tar: tar.NewWriter(w), sum: sha256.New(), blobs: blobs, o: o, at: o.Now().UTC().Truncate(time.Second)}
	b.done.Header = Header{Format: formatVersion, DataFormat: store.Format, Written: b.at, By: o.By}
	if o.Expected == nil {
		c, err := Expect(ctx, s)
		if err != nil {
			return b.done, err
		}
		o.Expected = &c
	}
	b.done.Header.Expected = *o.Expected
	header, err := json.MarshalIndent(b.done.Header, "", "  ")
	if err != nil {
		return b.done, err
	}
	_, _ = b.sum.Write(header) // never fails (hash.Hash)
	if err := b.member(headerName, header); err != nil {
		return b.done, err
	}
	p := &piece{}
	for e, err := range s.Entries(ctx) {
		if err != nil {
			return b.done, err
		}
		if p.add(e); p.full() {
			if err := b.piece(ctx, p); err != nil {
				return b.done, err
			}
			p = &piece{}
		}
	}
	if err := b.piece(ctx, p); err != nil {
		return b.done, err
	}
	last, err := json.MarshalIndent(end{Counts: b.done.Counts, Damaged: int64(len(b.done.Damaged)), SHA256: hex.EncodeToString(b.sum.Sum(nil))}, "", "  ")
	if err != nil {
		return b.done, err
	}
	return b.done, errors.Join(b.member(endName, last), b.tar.Close())
}

// Expect counts what a backup begun now would hold.
func Expect(ctx context.Context, s *store.Store) (c Counts, err error) {
	for e, err := range s.Entries(ctx) {
		if err != nil {
			return c, err
		}
		c.entry(e)
		if t, ok := store.TarballOf(e); ok {
			c.Tarballs++
			c.Bytes += t.Size
		}
	}
	return c, nil
}

// writer is a backup under way.
type writer struct {
	tar    *tar.Writer
	sum    hash.Hash // of the header and the metadata
	blobs  blob.Store
	o      Options
	at     time.Time
	pieces int
	done   Summary
}

// piece writes a part of the metadata and the tarballs that it names.
func (w *writer) piece(ctx context.Context, p *piece) error {
	if len(p.entries) == 0 {
		return nil
	}
	w.pieces++
	content := p.encode()
	_, _ = w.sum.Write(content)
	if err := w.member(pieceName(w.pieces), content); err != nil {
		return err
	}
	for _, e := range p.entries {
		w.done.Counts.entry(e)
	}
	for _, t := range p.tarballs() {
		if err := w.tarball(ctx, t); err != nil {
			return err
		}
		w.o.progress(w.done.Counts, w.done.Header.Expected)
	}
	w.o.progress(w.done.Counts, w.done.Header.Expected)
	return nil
}

func pieceName(n int) string { return fmt.Sprintf("%s%08d", metadataDir, n) }

// tarball writes one, or what is wrong with it.
func (w *writer) tarball(ctx context.Context, t store.Tarball) error {
	o, err := w.blobs.Open(ctx, t.Key)
	if errors.Is(err, blob.ErrNotFound) {
		return w.damaged(t, store.ErrLost)
	}
	if err != nil {
		return fmt.Errorf("opening the tarball of %s@%s: %w", t.Package, t.Version, err)
	}
	defer func() { _ = o.Body.Close() }()
	if err := w.header(blobsDir+t.Key, o.Size); err != nil {
		return err
	}
	in := &source{r: t.Verify(ctx, o.Body)}
	n, err := io.Copy(w.tar, io.LimitReader(in, o.Size))
	if err == nil && n == o.Size {
		// The verdict comes with the end of the content.
		_, _ = in.Read(make([]byte, 1))
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil && in.err == nil {
		return fmt.Errorf("writing the backup: %w", err)
	}
	if in.err != nil || n < o.Size {
		// The member has to have the size it announced.
		if _, err := io.CopyN(w.tar, zeros{}, o.Size-n); err != nil {
			return fmt.Errorf("writing the backup: %w", err)
		}
		return w.damaged(t, in.err)
	}
	w.done.Counts.Tarballs++
	w.done.Counts.Bytes += t.Size
	return nil
}

func (w *writer) damaged(t store.Tarball, problem error) error {
	if problem == nil {
		problem = store.ErrAltered
	}
	d := Damage{Package: t.Package, Version: t.Version, Blob: t.Key, Problem: problem.Error()}
	w.done.Damaged = append(w.done.Damaged, d)
	content, err := json.Marshal(d)
	if err != nil {
		return err
	}
	return w.member(damagedDir+t.Key, content)
}

func (w *writer) member(name string, content []byte) error {
	if err := w.header(name, int64(len(content))); err != nil {
		return err
	}
	if _, err := w.tar.Write(content); err != nil {
		return fmt.Errorf("writing the backup: %w", err)
	}
	return nil
}

func (w *writer) header(name string, size int64) error {
	err := w.tar.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o600, ModTime: w.at})
	if err != nil {
		return fmt.Errorf("writing the backup: %w", err)
	}
	return nil
}

// source remembers the error of what is read, to tell it from that of what is written.
type source struct {
	r   io.Reader
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
