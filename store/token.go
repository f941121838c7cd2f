package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"gatehouse/store/kv"
)

// The rows of tokens are package tokens' to read and write. They are declared here because the layout of the data is one thing, and
// because backups and checks go over all of it.

// TokenKey is the key of the token whose secret has that SHA-256, in hex digits.
func TokenKey(hash string) []byte { return []byte(tokenRow + hash) }

// HolderKey is the key by which a token is found in the list of its holder. Neither part contains 0x00.
func HolderKey(holder, id string) []byte { return []byte(holderRow + holder + "\x00" + id) }

// TokenRange bounds the rows of all tokens, HolderRange those of a holder's list, or, for "", of all lists.
func TokenRange() (from, to []byte) { return tableRange(tokenRow) }

// HolderRange: see TokenRange.
func HolderRange(holder string) (from, to []byte) {
	if holder == "" {
		return tableRange(holderRow)
	}
	return []byte(holderRow + holder + "\x00"), []byte(holderRow + holder + "\x01")
}

// TokenHolder is the part of a token's row that its other row follows from.
type TokenHolder struct {
	Token struct {
		ID string `json:"id"`
	} `json:"token"`
	Holder string `json:"holder"`
}

// EventRow returns the row that records an event, for the batch that makes it true.
func (s *Store) EventRow(e Event) (kv.Entry, error) { return s.record(e) }

// BadToken is a token of which one row is missing or cannot be read.
type BadToken struct {
	ID   string // "" if it cannot be told
	hash string // of the row t; "" if there is none
	row  kv.Entry
}

// BadTokens yields them, each once.
func (s *Store) BadTokens(ctx context.Context) iter.Seq2[BadToken, error] {
	return func(yield func(BadToken, error) bool) {
		for _, table := range []string{tokenRow, holderRow} {
			from, to := tableRange(table)
			for row, err := range s.kv.Scan(ctx, from, to) {
				if err != nil {
					yield(BadToken{}, fmt.Errorf("reading the tokens: %w", err))
					return
				}
				inspect := s.inspectToken
				if table == holderRow {
					inspect = s.inspectHolder
				}
				bad, whole, err := inspect(ctx, row)
				if err == nil && whole {
					continue
				}
				if !yield(bad, err) || err != nil {
					return
				}
			}
		}
	}
}

// inspectToken looks whether the row of a token has its place in a list.
func (s *Store) inspectToken(ctx context.Context, row kv.Entry) (BadToken, bool, error) {
	hash := string(row.Key[len(tokenRow):])
	t, err := tokenHolder(row)
	if err != nil {
		return BadToken{hash: hash, row: row}, false, nil
	}
	listed, err := s.kv.Get(ctx, HolderKey(t.Holder, t.Token.ID))
	if err == nil && string(listed.Value) == hash {
		return BadToken{}, true, nil
	}
	if err != nil && !errors.Is(err, kv.ErrNotFound) {
		return BadToken{}, false, err
	}
	there, err := s.has(ctx, row.Key)
	return BadToken{ID: t.Token.ID, hash: hash, row: row}, !there, err // revoked meanwhile, it is in no list
}

// inspectHolder looks whether a list names a token that there is and that belongs into it.
func (s *Store) inspectHolder(ctx context.Context, row kv.Entry) (BadToken, bool, error) {
	holder, id := packageOf(row.Key, holderRow)
	found, err := s.kv.Get(ctx, TokenKey(string(row.Value)))
	if err == nil {
		if t, err := tokenHolder(found); err == nil && t.Holder == holder && t.Token.ID == id {
			return BadToken{}, true, nil
		}
	} else if !errors.Is(err, kv.ErrNotFound) {
		return BadToken{}, false, err
	}
	there, err := s.has(ctx, row.Key)
	return BadToken{ID: id, row: row}, !there, err
}

func tokenHolder(row kv.Entry) (t TokenHolder, err error) {
	if err = json.Unmarshal(row.Value, &t); err == nil && (t.Token.ID == "" || t.Holder == "" || strings.Contains(t.Token.ID+t.Holder, "\x00")) {
		err = errors.New("it has no name or no holder")
	}
	return t, err
}

// MendToken puts a token back into its holder's list, so that it can be seen and revoked, or, if the token itself is gone, takes it out of there.
// A token that cannot be read is put aside: it opens nothing any more. One that was changed meanwhile is left alone.
func (s *Store) MendToken(ctx context.Context, bad BadToken, by Actor) error {
	e := Event{What: "repair", Token: bad.ID, By: by, At: s.now().UTC().Truncate(time.Millisecond)}
	b := kv.Batch{If: []kv.Entry{bad.row}}
	switch {
	case bad.hash == "":
		b.Delete = [][]byte{bad.row.Key}
		e.Note = "removed the token " + bad.ID + " from its list: there is no such token"
	case bad.ID == "":
		b.Put = []kv.Entry{{Key: append([]byte(asideRow), bad.row.Key...), Value: bad.row.Value}}
		b.Delete = [][]byte{bad.row.Key}
		e.Note = "put a token that cannot be read aside"
	default:
		t, err := tokenHolder(bad.row)
		if err != nil {
			return err
		}
		b.Put = []kv.Entry{{Key: HolderKey(t.Holder, bad.ID), Value: []byte(bad.hash)}}
		e.Note = "put the token " + bad.ID + " back into its list"
	}
	if err := s.commit(ctx, b, e); !errors.Is(err, kv.ErrConflict) {
		return err
	}
	return nil
}
