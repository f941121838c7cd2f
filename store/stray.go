package store

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"gatehouse/store/kv"
)

// Strays yields the keys that are in no table: nothing of this version has written them.
func (s *Store) Strays(ctx context.Context) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		var from []byte
		for i := range len(tables) + 1 {
			var to, next []byte // nil to: the end
			if i < len(tables) {
				to, next = tableRange(tables[i])
			}
			for row, err := range s.kv.Scan(ctx, from, to) {
				if err != nil {
					yield(nil, fmt.Errorf("reading the keys: %w", err))
					return
				}
				if string(row.Key) != string(formatKey) && !yield(row.Key, nil) {
					return
				}
			}
			from = next
		}
	}
}

// Aside counts the rows that repairs have put aside.
func (s *Store) Aside(ctx context.Context) (n int, err error) {
	from, to := tableRange(asideRow)
	for _, err := range s.kv.Scan(ctx, from, to) {
		if err != nil {
			return 0, fmt.Errorf("reading what was put aside: %w", err)
		}
		n++
	}
	return n, nil
}

// BadStar is a star of which one half is missing, or the package.
type BadStar struct{ Package, Login string }

// BadStars yields them, each once.
func (s *Store) BadStars(ctx context.Context) iter.Seq2[BadStar, error] {
	return func(yield func(BadStar, error) bool) {
		for _, table := range []string{starRow, starredRow} {
			from, to := tableRange(table)
			for row, err := range s.kv.Scan(ctx, from, to) {
				if err != nil {
					yield(BadStar{}, fmt.Errorf("reading the stars: %w", err))
					return
				}
				first, second := packageOf(row.Key, table)
				star, needs := BadStar{Package: first, Login: second}, [][]byte{starredKey(second, first), headKey(first)}
				if table == starredRow { // one that has its other half has been looked at
					star, needs = BadStar{Package: second, Login: first}, [][]byte{starKey(second, first)}
				}
				whole := true
				for _, key := range needs {
					if whole, err = s.has(ctx, key); err != nil || !whole {
						break
					}
				}
				if err == nil && whole {
					continue
				}
				if !yield(star, err) || err != nil {
					return
				}
			}
		}
	}
}

// MendStar makes a star whole if its package is there, and removes it if not.
func (s *Store) MendStar(ctx context.Context, star BadStar, by Actor) error {
	head, err := s.headRow(ctx, star.Package)
	if err != nil {
		return err
	}
	rows := []kv.Entry{{Key: starKey(star.Package, star.Login)}, {Key: starredKey(star.Login, star.Package)}}
	e := Event{What: "repair", Package: star.Package, By: by, At: s.now().UTC().Truncate(time.Millisecond), Note: "made the star of " + star.Login + " whole"}
	b := kv.Batch{If: []kv.Entry{head}, Put: rows}
	if head.Value == nil {
		b = kv.Batch{If: b.If, Delete: [][]byte{rows[0].Key, rows[1].Key}}
		e.Note = "removed the star of " + star.Login + ": there is no such package"
	}
	return s.commit(ctx, b, e)
}

func (s *Store) has(ctx context.Context, key []byte) (bool, error) {
	_, err := s.kv.Get(ctx, key)
	if errors.Is(err, kv.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}
