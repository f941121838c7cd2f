package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"runtime/debug"
	"strconv"

	"gatehouse/store/gzipped"
	"gatehouse/store/kv"
	"gatehouse/store/packument"
)

// Document is a rendered packument, ready to send. Callers must not change its bytes.
type Document struct {
	Body []byte
	ETag string

	revision string
}

// documentKey has no revision: of each document the newest is kept, and those before it, which nobody can ask for again, take no room.
type documentKey struct {
	name, base string
	form       packument.Form
	gzip       bool
}

// ETag is the strong validator of a package's document: known from the head alone, so that a client that has the
// document is told so without it. It differs for everything that makes the bytes differ.
func (h Head) ETag(form packument.Form, base string, gzipped bool) string {
	tag := `"` + h.Revision + "-" + shortHash(base)
	if form == packument.Short {
		tag += "-s"
	}
	if gzipped {
		tag += "-gz"
	}
	return tag + `"`
}

func shortHash(base string) string {
	sum := fnv.New64a()
	_, _ = sum.Write([]byte(base)) // never fails (hash.Hash)
	return strconv.FormatUint(sum.Sum64(), 36)
}

// ManifestETag is the strong validator of one version's document.
func (h Head) ManifestETag(version, base string) string {
	return `"` + h.Revision + "-" + shortHash(version+"\x00"+base) + `-m"`
}

// Document returns the packument in the form asked for, gzipped or plain, with tarball addresses that begin with base. It is that
// of the head given, or of a later one. It is built once however many ask, and kept within Options.DocumentCache.
func (s *Store) Document(ctx context.Context, h Head, form packument.Form, base string, gzipped bool) (*Document, error) {
	key := documentKey{name: h.Name, base: base, form: form, gzip: gzipped}
	if d, ok := s.documents.GetIfPresent(key); ok && d.revision == h.Revision {
		return d, nil
	}
	flight := fmt.Sprintf("%s\x00%s\x00%s\x00%d\x00%t", key.name, h.Revision, key.base, key.form, key.gzip)
	ch := s.builds.DoChan(flight, func() (any, error) {
		// Few at a time: a large document takes several times its size while it is made, and who asks chooses how many there are, by the
		// address they ask under.
		s.building <- struct{}{}
		defer func() { <-s.building }()
		// Not the first caller's context: the others would fail with it.
		return s.build(context.WithoutCancel(ctx), h, key)
	})
	select {
	case r := <-ch:
		if r.Err != nil {
			return nil, r.Err
		}
		return r.Val.(*Document), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// build joins and keeps a document. Head and versions are read one after the other, so the head is read again behind the versions: only if
// it stood still do the two belong together.
func (s *Store) build(ctx context.Context, h Head, key documentKey) (_ *Document, err error) {
	defer func() {
		// It would come out in a goroutine of singleflight, where nobody can recover from it.
		if v := recover(); v != nil {
			err = fmt.Errorf("rendering %s panicked: %v\n%s", h.Name, v, debug.Stack())
		}
	}()
	for range attempts {
		o, kept, err := s.outline(ctx, h)
		if err != nil {
			return nil, err
		}
		top, err := s.top(ctx, h, o, key.form)
		if err != nil {
			return nil, err
		}
		body, err := s.render(ctx, key, top, o)
		if err != nil && !errors.Is(err, errMoved) {
			return nil, fmt.Errorf("rendering %s: %w", h.Name, err)
		}
		again, herr := s.Head(ctx, h.Name)
		if herr != nil {
			return nil, herr
		}
		if err != nil {
			s.outlines.Invalidate(h.Name) // it cannot be of use any more, nor must it stand in the way of the next attempt
		}
		if err != nil || again.Revision != h.Revision {
			h = again
			continue
		}
		if !kept {
			s.outlines.Set(h.Name, o)
		}
		d := &Document{Body: body, ETag: h.ETag(key.form, key.base, key.gzip), revision: h.Revision}
		s.documents.Set(key, d)
		return d, nil
	}
	return nil, ErrBusy
}

// Versions returns the versions of a package that are there, in the order of the keys. A package that is not there has none.
func (s *Store) Versions(ctx context.Context, name string) ([]string, error) {
	from, to := versionRange(name)
	var there []string
	for row, err := range s.kv.Scan(ctx, from, to) {
		if err != nil {
			return nil, fmt.Errorf("reading the versions of %s: %w", name, err)
		}
		v, err := decodeVersion(row.Value)
		if err != nil {
			return nil, fmt.Errorf("%s@%s: %w", name, row.Key[len(from):], err)
		}
		if !v.gone {
			there = append(there, string(row.Key[len(from):]))
		}
	}
	return there, nil
}

// top is what a document says beside its versions.
func (s *Store) top(ctx context.Context, h Head, o *outline, form packument.Form) (packument.Top, error) {
	top := packument.Top{Name: h.Name, Revision: h.Revision, DistTags: h.DistTags, Created: h.Created, Modified: h.Modified}
	if u := h.Unpublished; u != nil {
		top.Unpublished = &packument.Unpublished{By: u.By.name(), At: u.At}
		for _, v := range o.versions {
			top.Unpublished.Versions = append(top.Unpublished.Versions, v.version)
		}
	}
	if form == packument.Short {
		return top, nil
	}
	var err error
	if top.Users, err = s.Stars(ctx, h.Name); err != nil {
		return top, err
	}
	if latest := h.DistTags["latest"]; latest != "" {
		page, err := s.kv.Get(ctx, pageKey(h.Name, latest))
		if err != nil && !errors.Is(err, kv.ErrNotFound) {
			return top, fmt.Errorf("reading the page of %s@%s: %w", h.Name, latest, err)
		}
		top.Page = page.Value
	}
	return top, nil
}

// render makes the bytes of a document, of parts: what is before the versions, the versions by blocks, and what is after them.
func (s *Store) render(ctx context.Context, key documentKey, top packument.Top, o *outline) ([]byte, error) {
	before := func(w io.Writer) error { return packument.Open(w, key.form, top) }
	after := func(w io.Writer) error {
		times := make([]packument.Version, len(o.versions))
		for i, v := range o.versions {
			times[i] = packument.Version{Version: v.version, Time: v.at}
		}
		return packument.Close(w, key.form, top, times)
	}
	if key.gzip {
		return s.stitch(ctx, key, o, before, after)
	}
	size := 1024 + len(top.Page)
	for _, v := range o.versions {
		size += v.size[key.form] + len(key.base) + 2*len(v.version) + 40
	}
	buf := bytes.NewBuffer(make([]byte, 0, size))
	if err := before(buf); err != nil {
		return nil, err
	}
	for b := range o.blocks(s.blockSize) {
		versions, err := s.fragments(ctx, key.name, b.versions, key.form)
		if err != nil {
			return nil, err
		}
		if err := packument.Listed(buf, versions, key.base, b.first); err != nil {
			return nil, err
		}
	}
	err := after(buf)
	return buf.Bytes(), err
}

// stitch compresses the parts apart, but for the blocks that were compressed before.
func (s *Store) stitch(ctx context.Context, key documentKey, o *outline, before, after func(io.Writer) error) ([]byte, error) {
	part, err := gzipped.Compress(before)
	if err != nil {
		return nil, err
	}
	parts := []gzipped.Part{part}
	for b := range o.blocks(s.blockSize) {
		if part, err = s.compressed(ctx, key, b); err != nil {
			return nil, err
		}
		parts = append(parts, part)
	}
	if part, err = gzipped.Compress(after); err != nil {
		return nil, err
	}
	return gzipped.Join(append(parts, part)...), nil
}
