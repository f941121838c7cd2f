package tokens

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"gatehouse/scopes"
	"gatehouse/store"
	"gatehouse/store/kv"
)

// List returns the tokens of a person, newest first, those that have expired and are not swept yet included.
func (t *Tokens) List(ctx context.Context, owner int64) ([]scopes.Token, error) {
	from, to := store.HolderRange(personal(owner))
	var all []scopes.Token
	for entry, err := range t.kv.Scan(ctx, from, to) {
		if err != nil {
			return nil, fmt.Errorf("reading the tokens: %w", err)
		}
		s, err := t.listed(ctx, entry)
		if err != nil {
			return nil, err
		}
		if s.Token.ID != "" {
			all = append(all, s.Token)
		}
	}
	slices.SortStableFunc(all, func(a, b scopes.Token) int { return b.Created.Compare(a.Created) })
	return all, nil
}

// listed reads the token that an entry of a list names. One that is gone, is damaged or belongs to somebody else is none; a check finds it.
func (t *Tokens) listed(ctx context.Context, entry kv.Entry) (stored, error) {
	row, err := t.kv.Get(ctx, store.TokenKey(string(entry.Value)))
	if errors.Is(err, kv.ErrNotFound) {
		return stored{}, nil
	}
	if err != nil {
		return stored{}, fmt.Errorf("reading the tokens: %w", err)
	}
	s, err := decode(row)
	if err != nil || !bytes.Equal(store.HolderKey(s.Holder, s.Token.ID), entry.Key) {
		return stored{}, nil
	}
	return s, nil
}

// All yields every token, in no order that means anything. A damaged one is left out; a check finds it.
func (t *Tokens) All(ctx context.Context) iter.Seq2[scopes.Token, error] {
	return func(yield func(scopes.Token, error) bool) {
		from, to := store.TokenRange()
		for row, err := range t.kv.Scan(ctx, from, to) {
			if err != nil {
				yield(scopes.Token{}, fmt.Errorf("reading the tokens: %w", err))
				return
			}
			if s, err := decode(row); err == nil && !yield(s.Token, nil) {
				return
			}
		}
	}
}

func (t *Tokens) count(ctx context.Context, holder string) (n int, err error) {
	from, to := store.HolderRange(holder)
	for _, err := range t.kv.Scan(ctx, from, to) {
		if err != nil {
			return 0, fmt.Errorf("counting the tokens: %w", err)
		}
		n++
	}
	return n, nil
}

// minPrefix is how much of an ID it takes to name a token.
const minPrefix = 4

// Find returns the token of an owner that an ID names, or so much of one that it is the only one. With owner 0 everybody's are
// looked at, which is for operators. Errors: ErrUnknown, ErrNotOne.
func (t *Tokens) Find(ctx context.Context, owner int64, id string) (scopes.Token, error) {
	if len(id) < minPrefix {
		return scopes.Token{}, ErrUnknown
	}
	var found []scopes.Token
	add := func(token scopes.Token) {
		if strings.HasPrefix(token.ID, id) {
			found = append(found, token)
		}
	}
	if owner == 0 {
		for token, err := range t.All(ctx) {
			if err != nil {
				return scopes.Token{}, err
			}
			add(token)
		}
	} else {
		list, err := t.List(ctx, owner)
		if err != nil {
			return scopes.Token{}, err
		}
		for _, token := range list {
			add(token)
		}
	}
	switch len(found) {
	case 0:
		return scopes.Token{}, ErrUnknown
	case 1:
		return found[0], nil
	}
	return scopes.Token{}, ErrNotOne
}
