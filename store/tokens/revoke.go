package tokens

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"gatehouse/scopes"
	"gatehouse/store"
	"gatehouse/store/kv"
)

// Revoke ends a token, at once and for good. Errors: ErrUnknown.
func (t *Tokens) Revoke(ctx context.Context, token scopes.Token, by store.Actor) error {
	entry, err := t.kv.Get(ctx, store.HolderKey(holderOf(token), token.ID))
	if errors.Is(err, kv.ErrNotFound) {
		return ErrUnknown
	}
	if err != nil {
		return fmt.Errorf("reading a token: %w", err)
	}
	_, err = t.remove(ctx, string(entry.Value), "revoke", by)
	return err
}

// RevokeSecret ends the token of a secret, and returns it: whoever holds it may. Of a damaged one nothing is known. Errors: ErrMistyped, ErrUnknown.
func (t *Tokens) RevokeSecret(ctx context.Context, secret string) (scopes.Token, error) {
	if !wellFormed(secret) {
		return scopes.Token{}, ErrMistyped
	}
	return t.remove(ctx, hashOf(secret), "revoke", store.Actor{})
}

// remove takes both rows of a token away and returns it; a nobody it is done by is the token's owner.
func (t *Tokens) remove(ctx context.Context, hash, what string, by store.Actor) (scopes.Token, error) {
	for range attempts {
		row, err := t.kv.Get(ctx, store.TokenKey(hash))
		if errors.Is(err, kv.ErrNotFound) {
			return scopes.Token{}, ErrUnknown
		}
		if err != nil {
			return scopes.Token{}, fmt.Errorf("reading a token: %w", err)
		}
		b := kv.Batch{If: []kv.Entry{row}, Delete: [][]byte{row.Key}}
		e := store.Event{What: what, By: by, At: t.now().UTC().Truncate(time.Millisecond)}
		var s stored
		if json.Unmarshal(row.Value, &s) == nil && s.Holder != "" && s.Token.ID != "" { // a damaged one can be revoked too
			b.Delete = append(b.Delete, store.HolderKey(s.Holder, s.Token.ID))
			e.Token, e.Note = s.Token.ID, s.Token.Name
			if by == (store.Actor{}) {
				e.By = store.Actor{ID: s.Token.Owner.ID, Login: s.Token.Owner.Login}
			}
		}
		if recorded(s.Token) || by != (store.Actor{}) {
			event, err := t.events.EventRow(e)
			if err != nil {
				return scopes.Token{}, err
			}
			b.Put = []kv.Entry{event}
		}
		err = t.kv.Apply(ctx, b)
		if err == nil {
			t.opened.Invalidate(hash)
			return s.Token, nil
		}
		if !errors.Is(err, kv.ErrConflict) {
			return scopes.Token{}, failed("revoking a token", err)
		}
	}
	return scopes.Token{}, ErrBusy
}

// keepExpired is how long a person's expired token stays: its owner sees it in the list, and whoever uses it hears that it expired and not that there
// is none.
const keepExpired = 30 * 24 * time.Hour

// Sweep removes tokens that have expired, workflows' at once and people's when keepExpired is over, and writes down which tokens were used today. It
// returns how many tokens it removed. It may run at any time, in several processes.
func (t *Tokens) Sweep(ctx context.Context) (removed int, err error) {
	if err := t.writeUsed(ctx); err != nil {
		return 0, err
	}
	if err := t.sweepProofs(ctx); err != nil {
		return 0, err
	}
	now := t.now()
	from, to := store.TokenRange()
	for row, err := range t.kv.Scan(ctx, from, to) {
		if err != nil {
			return removed, fmt.Errorf("reading the tokens: %w", err)
		}
		s, err := decode(row)
		until := s.Token.Grant.Until
		if err != nil || until.IsZero() {
			continue
		}
		if s.Token.Workflow == nil {
			until = until.Add(keepExpired)
		}
		if now.Before(until) {
			continue
		}
		if _, err := t.remove(ctx, string(row.Key[len(from):]), "expire", store.Actor{}); err == nil {
			removed++
		} else if !errors.Is(err, ErrUnknown) {
			return removed, err
		}
	}
	return removed, nil
}

// writeUsed writes the days of last use that have been noted.
func (t *Tokens) writeUsed(ctx context.Context) error {
	t.mu.Lock()
	used := t.used
	t.used = map[string]time.Time{}
	t.mu.Unlock()
	for hash, day := range used {
		err := t.change(ctx, hash, func(s *stored) error {
			if s.Token.LastUsed.Before(day) {
				s.Token.LastUsed = day
			}
			return nil
		})
		if err != nil && !errors.Is(err, ErrUnknown) && !errors.Is(err, ErrBusy) {
			return fmt.Errorf("noting when tokens were used: %w", err)
		}
	}
	return nil
}
