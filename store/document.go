package store

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"strconv"

	"gatehouse/store/kv"
	"gatehouse/store/packument"
)

// Document is a rendered packument, ready to send. Callers must not change its bytes.
type Document struct {
	Body []byte
	ETag string
}

type documentKey struct {
	name, revision, base string
	form                 packument.Form
	gzip                 bool
}

// ETag is the strong validator of a package's document: known from the head alone, so that a client that has the
// document is told so without it. It differs for everything that makes the bytes differ.
func (h Head) ETag(form packument.Form, base string, gzipped bool) string {
	return etag(documentKey{name: h.Name, revision: h.Revision, base: base, form: form, gzip: gzipped})
}

func etag(k documentKey) string {
	tag := `"` + k.revision + "-" + shortHash(k.base)
	if k.form == packument.Short {
		tag += "-s"
	}
	if k.gzip {
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
	key := documentKey{name: h.Name, revision: h.Revision, base: base, form: form, gzip: gzipped}
	if d, ok := s.documents.GetIfPresent(key); ok {
		return d, nil
	}
	flight := fmt.Sprintf("%s\x00%s\x00%s\x00%d\x00%t", key.name, key.revision, key.base, key.form, key.gzip)
	ch := s.builds.DoChan(flight, func() (any, error) {
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
func (s *Store) build(ctx context.Context, h Head, key documentKey) (*Document, error) {
	for range attempts {
		versions, err := s.versions(ctx, h.Name, key.form)
		if err != nil {
			return nil, err
		}
		var page kv.Entry
		var stars []string
		if key.form == packument.Full {
			if stars, err = s.Stars(ctx, h.Name); err != nil {
				return nil, err
			}
		}
		if latest := h.DistTags["latest"]; key.form == packument.Full && latest != "" {
			if page, err = s.kv.Get(ctx, pageKey(h.Name, latest)); err != nil && !errors.Is(err, kv.ErrNotFound) {
				return nil, fmt.Errorf("reading the page of %s@%s: %w", h.Name, latest, err)
			}
		}
		again, err := s.Head(ctx, h.Name)
		if err != nil {
			return nil, err
		}
		if again.Revision != h.Revision {
			h, key.revision = again, again.Revision
			continue
		}
		body, err := render(h, key, page.Value, stars, versions)
		if err != nil {
			return nil, fmt.Errorf("rendering %s: %w", h.Name, err)
		}
		d := &Document{Body: body, ETag: etag(key)}
		s.documents.Set(key, d)
		return d, nil
	}
	return nil, ErrBusy
}

// Versions returns the versions of a package that are there, in the order of the keys. A package that is not there has none.
func (s *Store) Versions(ctx context.Context, name string) ([]string, error) {
	all, err := s.versions(ctx, name, packument.Short)
	var there []string
	for _, v := range all {
		if v.Fragment.JSON != nil {
			there = append(there, v.Version)
		}
	}
	return there, err
}

func (s *Store) versions(ctx context.Context, name string, form packument.Form) ([]packument.Version, error) {
	from, to := versionRange(name)
	var versions []packument.Version
	for row, err := range s.kv.Scan(ctx, from, to) {
		if err != nil {
			return nil, fmt.Errorf("reading the versions of %s: %w", name, err)
		}
		v, err := decodeVersion(row.Value)
		if err != nil {
			return nil, fmt.Errorf("%s@%s: %w", name, row.Key[len(from):], err)
		}
		fragment := v.full
		if form == packument.Short {
			fragment = v.short
		}
		if v.gone {
			fragment = packument.Fragment{}
		}
		versions = append(versions, packument.Version{Version: string(row.Key[len(from):]), Time: v.at, Fragment: fragment})
	}
	return versions, nil
}

func render(h Head, key documentKey, page []byte, stars []string, versions []packument.Version) ([]byte, error) {
	top := packument.Top{Name: h.Name, Revision: h.Revision, DistTags: h.DistTags, Created: h.Created, Modified: h.Modified, Page: page, Users: stars}
	if u := h.Unpublished; u != nil {
		top.Unpublished = &packument.Unpublished{By: u.By.name(), At: u.At}
		for _, v := range versions {
			top.Unpublished.Versions = append(top.Unpublished.Versions, v.Version)
		}
	}
	size := 1024 + len(page)
	for _, v := range versions {
		size += len(v.Fragment.JSON) + len(key.base) + 2*len(v.Version) + 40
	}
	if !key.gzip {
		buf := bytes.NewBuffer(make([]byte, 0, size))
		err := packument.Join(buf, key.form, top, versions, key.base)
		return buf.Bytes(), err
	}
	buf := bytes.NewBuffer(make([]byte, 0, size/4))
	z := gzip.NewWriter(buf)
	if err := packument.Join(z, key.form, top, versions, key.base); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return bytes.Clone(buf.Bytes()), nil
}
