package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"gatehouse/scopes"
	"gatehouse/store/kv"
)

// Star notes that somebody likes a package, or, with on false, no longer does. It is theirs alone to say, and takes no more than
// permission to read. Errors: ErrNotFound, ErrBusy, ErrFull.
func (s *Store) Star(ctx context.Context, name string, on bool, by scopes.Principal) (Head, error) {
	return s.change(ctx, name, func(old Head, exists bool, b *kv.Batch) (Head, Event, error) {
		if !exists {
			return Head{}, Event{}, ErrNotFound
		}
		login := strings.ToLower(by.Login)
		forward, back := kv.Entry{Key: starKey(name, login)}, kv.Entry{Key: starredKey(login, name)}
		_, err := s.kv.Get(ctx, forward.Key)
		if err != nil && !errors.Is(err, kv.ErrNotFound) {
			return Head{}, Event{}, err
		}
		if is := err == nil; is == on {
			return Head{}, Event{}, errUnchanged
		}
		event := Event{What: "star", Package: name, By: ActorOf(by), At: s.now().UTC().Truncate(time.Millisecond)}
		if on {
			b.Put = []kv.Entry{forward, back}
		} else {
			event.What = "unstar"
			b.Delete = [][]byte{forward.Key, back.Key}
		}
		new := old.next(event.At)
		new.Modified = old.Modified // nothing of the package itself has changed
		return new, event, nil
	})
}

// Stars returns the logins of those who starred a package, in order.
func (s *Store) Stars(ctx context.Context, name string) ([]string, error) {
	return s.names(ctx, starKey(name, ""))
}

// Starred returns the packages that somebody starred, in order. It does not ask who may know of them.
func (s *Store) Starred(ctx context.Context, login string) ([]string, error) {
	return s.names(ctx, starredKey(strings.ToLower(login), ""))
}

// names returns what follows a prefix that ends in 0x00.
func (s *Store) names(ctx context.Context, prefix []byte) ([]string, error) {
	to := append([]byte(nil), prefix...)
	to[len(to)-1]++
	var names []string
	for row, err := range s.kv.Scan(ctx, prefix, to) {
		if err != nil {
			return nil, fmt.Errorf("reading the stars: %w", err)
		}
		names = append(names, string(row.Key[len(prefix):]))
	}
	return names, nil
}
