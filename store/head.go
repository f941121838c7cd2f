package store

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"gatehouse/scopes"
	"gatehouse/store/kv"
)

// Head is the state of a package apart from its versions. Callers must not change its map and its lists.
type Head struct {
	Name     string            `json:"-"`
	Binding  scopes.Binding    `json:"binding"`
	DistTags map[string]string `json:"dist_tags"`
	Created  time.Time         `json:"created"`
	Modified time.Time         `json:"modified"`
	// Revision changes with every change: npm's _rev, and what ETags are made of.
	Revision string `json:"revision"`
	// Unpublished is set while the whole package is withdrawn. Its name stays bound.
	Unpublished *Withdrawal `json:"unpublished,omitempty"`
	// Admitted are the repositories whose workflows may install the package too, and Trusted the rules for workflows that publish it.
	Admitted []scopes.Repo `json:"admitted,omitempty"`
	Trusted  []Trusted     `json:"trusted,omitempty"`

	row kv.Entry // as it was read: the condition of the next change
}

// Head returns the head of a package, or ErrNotFound. Its row is read each time, and decoded when it has changed.
func (s *Store) Head(ctx context.Context, name string) (Head, error) {
	row, err := s.kv.Get(ctx, headKey(name))
	if errors.Is(err, kv.ErrNotFound) {
		return Head{}, ErrNotFound
	}
	if err != nil {
		return Head{}, fmt.Errorf("reading the head of %s: %w", name, err)
	}
	if h, ok := s.heads.GetIfPresent(name); ok && bytes.Equal(h.row.Value, row.Value) {
		return h, nil
	}
	h := Head{Name: name, row: row}
	if err := json.Unmarshal(row.Value, &h); err != nil {
		return Head{}, fmt.Errorf("the head of %s is damaged: %w", name, err)
	}
	s.heads.Set(name, h)
	return h, nil
}

// Version resolves a version or a dist-tag to a version. A version wins over a tag of the same spelling, which cannot
// be: tags are never versions. It does not look whether the version exists.
func (h Head) Version(versionOrTag string) string {
	if v, ok := h.DistTags[versionOrTag]; ok {
		return v
	}
	return versionOrTag
}

// next returns the head with a new revision and time, for the editor of a change to alter.
func (h Head) next(now time.Time) Head {
	n := h
	n.DistTags = make(map[string]string, len(h.DistTags)+1)
	for tag, v := range h.DistTags {
		n.DistTags[tag] = v
	}
	n.Modified = now
	n.Revision = nextRevision(h.Revision)
	return n
}

// replaces returns the entries that make n follow h: the condition and the change.
func (n Head) replaces(h Head) (condition, change kv.Entry, err error) {
	value, err := json.Marshal(n)
	if err != nil {
		return kv.Entry{}, kv.Entry{}, err
	}
	key := headKey(n.Name)
	return kv.Entry{Key: key, Value: h.row.Value}, kv.Entry{Key: key, Value: value}, nil
}

// nextRevision counts up and adds chance, so that a revision seen once never comes back, not even for a package that is
// removed and published anew.
func nextRevision(previous string) string {
	count, _, _ := strings.Cut(previous, "-")
	n, _ := strconv.ParseUint(count, 10, 64)
	var chance [8]byte
	_, _ = rand.Read(chance[:]) // never fails (crypto/rand)
	return strconv.FormatUint(n+1, 10) + "-" + hex.EncodeToString(chance[:])
}
