package tokens

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"gatehouse/scopes"
	"gatehouse/store"
	"gatehouse/store/kv"
)

// Open returns the token of a secret and the credential sealed in it; a workflow's has none, and some have a Parent alone. Whether the token may be used now and from there is
// not asked (scopes.Grant.Live). Errors: ErrMistyped, ErrUnknown.
func (t *Tokens) Open(ctx context.Context, secret string) (scopes.Token, Credential, error) {
	if !wellFormed(secret) {
		return scopes.Token{}, Credential{}, ErrMistyped
	}
	hash := hashOf(secret)
	row, err := t.kv.Get(ctx, store.TokenKey(hash))
	if errors.Is(err, kv.ErrNotFound) {
		t.opened.Invalidate(hash)
		return scopes.Token{}, Credential{}, ErrUnknown
	}
	if err != nil {
		return scopes.Token{}, Credential{}, fmt.Errorf("reading a token: %w", err)
	}
	known, ok := t.opened.GetIfPresent(hash)
	if !ok || !bytes.Equal(known.row, row.Value) {
		known = opened{row: row.Value}
		if known.token, known.credential, err = read(row, secret); err != nil {
			return scopes.Token{}, Credential{}, err
		}
		t.opened.Set(hash, known)
	}
	t.note(hash, known.token)
	return known.token, known.credential, nil
}

// Use is Open for whoever needs no more of the credential than what GitHub takes. It goes to the parent by itself. Errors: those of Open, and ErrParent.
func (t *Tokens) Use(ctx context.Context, secret string) (scopes.Token, string, error) {
	token, behind, err := t.Open(ctx, secret)
	if err == nil && behind.Parent != "" {
		_, behind, err = t.Open(ctx, behind.Parent)
		err = OfParent(err)
	}
	return token, behind.Access, err
}

// OfParent makes ErrParent of what Open says of a parent that is not there any more.
func OfParent(err error) error {
	if errors.Is(err, ErrUnknown) {
		return ErrParent
	}
	return err
}

// read decodes a row and unseals what is in it.
func read(row kv.Entry, secret string) (scopes.Token, Credential, error) {
	s, err := decode(row)
	if err != nil || s.Token.Workflow != nil {
		return s.Token, Credential{}, err
	}
	credential, err := unseal(secret, s.Token.ID, s.Sealed)
	if err != nil {
		return scopes.Token{}, Credential{}, fmt.Errorf("the token %s: %w", s.Token.ID, err)
	}
	return s.Token, credential, nil
}

func decode(row kv.Entry) (s stored, err error) {
	if err := json.Unmarshal(row.Value, &s); err != nil {
		return stored{}, fmt.Errorf("a token's record is damaged: %w", err)
	}
	if s.Holder != holderOf(s.Token) || len(s.Token.Grant.Rights) == 0 {
		return stored{}, errors.New("a token's record is damaged")
	}
	return s, nil
}

// Reseal puts a newer credential behind a token, if old is the one that is behind it now. Whoever refreshes a credential that can be used once
// only has to hold on to the new one until this returns nil; with ErrUnknown nobody needs it any more, and with ErrStale somebody else was first.
func (t *Tokens) Reseal(ctx context.Context, secret string, old, new Credential) error {
	if !wellFormed(secret) {
		return ErrMistyped
	}
	return t.change(ctx, hashOf(secret), func(s *stored) error {
		behind, err := unseal(secret, s.Token.ID, s.Sealed)
		if err != nil {
			return err
		}
		if behind.Access != old.Access || behind.Refresh != old.Refresh {
			return ErrStale
		}
		s.Sealed, err = seal(secret, s.Token.ID, new)
		return err
	})
}

// ErrStale: another credential is behind the token than the one that was to be replaced. Open tells which.
var ErrStale = errors.New("the credential behind the token has been replaced")

// attempts bounds how often a change is tried on a row that others keep changing.
const attempts = 10

// change makes a change of a row, under the condition that it is still the one that was read.
func (t *Tokens) change(ctx context.Context, hash string, edit func(*stored) error) error {
	for range attempts {
		row, err := t.kv.Get(ctx, store.TokenKey(hash))
		if errors.Is(err, kv.ErrNotFound) {
			return ErrUnknown
		}
		if err != nil {
			return fmt.Errorf("reading a token: %w", err)
		}
		s, err := decode(row)
		if err != nil {
			return err
		}
		if err := edit(&s); err != nil {
			return err
		}
		value, err := json.Marshal(s)
		if err != nil {
			return err
		}
		err = t.kv.Apply(ctx, kv.Batch{If: []kv.Entry{row}, Put: []kv.Entry{{Key: row.Key, Value: value}}})
		if err == nil {
			return nil
		}
		if !errors.Is(err, kv.ErrConflict) {
			return failed("changing a token", err)
		}
	}
	return ErrBusy
}

// day is the day of a moment, in UTC.
func day(at time.Time) time.Time { return at.UTC().Truncate(24 * time.Hour) }

// note remembers that a token was used today, once a day. A workflow's is gone before anybody would look.
func (t *Tokens) note(hash string, token scopes.Token) {
	today := day(t.now())
	if token.Workflow != nil || !token.LastUsed.Before(today) {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, noted := t.used[hash]; noted || len(t.used) < maxUsed {
		t.used[hash] = today
	}
}
