package memory

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"iter"
	"slices"
	"sync"
	"time"

	"gatehouse/store/blob"
)

// Blob is a blob.Store in memory. Use NewBlob.
type Blob struct {
	mu      sync.RWMutex
	objects map[string]object
}

type object struct {
	content []byte
	put     time.Time
}

var (
	_ blob.Store  = (*Blob)(nil)
	_ blob.Lister = (*Blob)(nil)
)

// NewBlob returns an empty store.
func NewBlob() *Blob { return &Blob{objects: map[string]object{}} }

// Put implements blob.Store, but for the bound on memory: the object itself has to go somewhere.
func (s *Blob) Put(ctx context.Context, key string, size int64, r io.Reader) error {
	if err := allowed(ctx, key); err != nil {
		return err
	}
	if size < 0 {
		return fmt.Errorf("memory: a size of %d bytes", size)
	}
	if s.has(key) {
		return nil
	}
	// Grown as it is read, so that a size that was only announced costs nothing; one byte more than
	// announced is enough to know that there is more.
	content, err := io.ReadAll(io.LimitReader(reader{ctx, r}, size+1))
	if err != nil {
		return fmt.Errorf("memory: reading %s: %w", key, err)
	}
	if int64(len(content)) != size {
		return blob.ErrShort
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("memory: %w", err)
	}
	if _, found := s.objects[key]; !found {
		s.objects[key] = object{content, time.Now()}
	}
	return nil
}

// Open implements blob.Store.
func (s *Blob) Open(ctx context.Context, key string) (*blob.Object, error) {
	if err := allowed(ctx, key); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	o, found := s.objects[key]
	if !found {
		return nil, blob.ErrNotFound
	}
	return &blob.Object{Size: int64(len(o.content)), Body: body{bytes.NewReader(o.content)}}, nil
}

// Delete implements blob.Store.
func (s *Blob) Delete(ctx context.Context, key string) error {
	if err := allowed(ctx, key); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.objects, key)
	return nil
}

// List implements blob.Lister, but for the bound on memory.
func (s *Blob) List(ctx context.Context) iter.Seq2[blob.Info, error] {
	return func(yield func(blob.Info, error) bool) {
		for _, i := range s.infos() {
			if err := ctx.Err(); err != nil {
				yield(blob.Info{}, fmt.Errorf("memory: %w", err))
				return
			}
			if !yield(i, nil) {
				return
			}
		}
		if err := ctx.Err(); err != nil {
			yield(blob.Info{}, fmt.Errorf("memory: %w", err))
		}
	}
}

func (s *Blob) infos() []blob.Info {
	s.mu.RLock()
	defer s.mu.RUnlock()
	infos := make([]blob.Info, 0, len(s.objects))
	for key, o := range s.objects {
		infos = append(infos, blob.Info{Key: key, Size: int64(len(o.content)), Modified: o.put})
	}
	slices.SortFunc(infos, func(a, b blob.Info) int { return cmp.Compare(a.Key, b.Key) })
	return infos
}

func (s *Blob) has(key string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	_, found := s.objects[key]
	return found
}

func allowed(ctx context.Context, key string) error {
	if err := blob.CheckKey(key); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("memory: %w", err)
	}
	return nil
}

// reader stops when its context does.
type reader struct {
	ctx context.Context
	r   io.Reader
}

func (r reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}

// body is an open object: content that never changes, so there is nothing to close.
type body struct{ *bytes.Reader }

func (body) Close() error { return nil }
