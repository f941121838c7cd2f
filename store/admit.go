package store

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"gatehouse/scopes"
	"gatehouse/store/kv"
)

// What a package says about workflows is part of its head: the decision whether one may come in is made for the head that was read. It
// ends when the package is bound to another repository, whose admins have not said it.

// Trusted is a rule for the workflows that publish a package with nothing but their ID token. With any such rule a workflow has to meet one of them.
type Trusted struct {
	ID          string    `json:"id"`
	File        string    `json:"file,omitempty"` // of the workflow, as release.yml
	Environment string    `json:"environment,omitempty"`
	By          Actor     `json:"by"`
	At          time.Time `json:"at"`
}

const (
	// maxAdmitted and maxTrusted bound the lists of one package.
	maxAdmitted = 500
	maxTrusted  = 50
)

var (
	// ErrTooMany: a list of the package's is full. Nothing was done.
	ErrTooMany = errors.New("the package's list is full")
	// ErrNoRule: the package has no such rule.
	ErrNoRule = errors.New("no such rule")
)

// Admits reports whether workflows of the repository may install the package without being readers of its own.
func (h Head) Admits(repo int64) bool {
	return slices.ContainsFunc(h.Admitted, func(r scopes.Repo) bool { return r.ID == repo })
}

// Admitted are the repositories whose workflows may install a package; none for a package that is not there.
func (s *Store) Admitted(ctx context.Context, name string) ([]scopes.Repo, error) {
	h, err := s.Head(ctx, name)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	return h.Admitted, err
}

// Admit lets workflows of a repository install the package, or no longer. Whether they do already is no error. One that has gone to another owner since it was
// admitted counts for nothing until it is admitted again.
// Errors: ErrNotFound, ErrRebound, ErrStale, ErrTooMany, ErrBusy, ErrFull.
func (s *Store) Admit(ctx context.Context, name string, repo scopes.Repo, on bool, e Edit) (Head, error) {
	return s.note(ctx, name, e, func(h *Head, event *Event) error {
		i := slices.IndexFunc(h.Admitted, func(r scopes.Repo) bool { return r.ID == repo.ID })
		if on && i >= 0 && h.Admitted[i].OwnerID == repo.OwnerID || !on && i < 0 {
			return errUnchanged
		}
		event.What, event.Note = "admit", repo.String()
		if !on {
			event.What = "dismiss"
			h.Admitted = slices.DeleteFunc(slices.Clone(h.Admitted), func(r scopes.Repo) bool { return r.ID == repo.ID })
			return nil
		}
		if i >= 0 {
			h.Admitted = slices.Clone(h.Admitted)
			h.Admitted[i] = repo
			return nil
		}
		if len(h.Admitted) >= maxAdmitted {
			return fmt.Errorf("%w: %d repositories are admitted", ErrTooMany, maxAdmitted)
		}
		h.Admitted = append(slices.Clone(h.Admitted), repo)
		return nil
	})
}

// Trust adds a rule and returns it with its ID. A rule that is there already is the one returned. Errors are those of Admit.
func (s *Store) Trust(ctx context.Context, name string, rule Trusted, e Edit) (Trusted, error) {
	_, err := s.note(ctx, name, e, func(h *Head, event *Event) error {
		for _, known := range h.Trusted {
			if known.File == rule.File && known.Environment == rule.Environment {
				rule = known
				return errUnchanged
			}
		}
		if len(h.Trusted) >= maxTrusted {
			return fmt.Errorf("%w: it has %d rules", ErrTooMany, maxTrusted)
		}
		rule.ID, rule.By, rule.At = uuid(), event.By, h.Modified
		event.What, event.Note = "trust", rule.File+" "+rule.Environment
		h.Trusted = append(slices.Clone(h.Trusted), rule)
		return nil
	})
	return rule, err
}

// Distrust removes a rule. Errors: ErrNoRule, and those of Admit.
func (s *Store) Distrust(ctx context.Context, name, id string, e Edit) error {
	_, err := s.note(ctx, name, e, func(h *Head, event *Event) error {
		i := slices.IndexFunc(h.Trusted, func(t Trusted) bool { return t.ID == id })
		if i < 0 {
			return ErrNoRule
		}
		event.What, event.Note = "distrust", h.Trusted[i].File+" "+h.Trusted[i].Environment
		h.Trusted = slices.Delete(slices.Clone(h.Trusted), i, i+1)
		return nil
	})
	return err
}

// note changes what the head says, and nothing of its versions.
func (s *Store) note(ctx context.Context, name string, e Edit, edit func(*Head, *Event) error) (Head, error) {
	return s.change(ctx, name, func(old Head, exists bool, _ *kv.Batch) (Head, Event, error) {
		if err := e.admit(old, exists); err != nil {
			return Head{}, Event{}, err
		}
		new := old.next(s.now().UTC().Truncate(time.Millisecond))
		event := Event{Package: name, By: ActorOf(e.By), At: new.Modified}
		if err := edit(&new, &event); err != nil {
			return Head{}, Event{}, err
		}
		return new, event, e.current(old)
	})
}

// uuid is a random one (RFC 9562, version 4), the form that npm's clients take for the number of a rule.
func uuid() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	s := hex.EncodeToString(b[:])
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}
