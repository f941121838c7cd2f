package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"gatehouse/store/kv"
)

// secretSize is that of every secret, in bytes.
const secretSize = 32

// Secret returns the random bytes that the registry keeps under a name, and makes them when they are asked for the first time. They are 32, durable
// before they are returned, and the same for every process on these data. Backups leave them out: what is sealed under one is a cache, and whoever holds a
// backup shall not open it.
func (s *Store) Secret(ctx context.Context, name string) ([]byte, error) {
	for range attempts {
		row, err := s.kv.Get(ctx, secretKey(name))
		switch {
		case err == nil && len(row.Value) == secretSize:
			return row.Value, nil
		case err == nil:
			return nil, fmt.Errorf("the secret %s is damaged: it has %d bytes", name, len(row.Value))
		case !errors.Is(err, kv.ErrNotFound):
			return nil, fmt.Errorf("reading the secret %s: %w", name, err)
		}
		made := make([]byte, secretSize)
		_, _ = rand.Read(made) // never fails (crypto/rand)
		err = s.kv.Apply(ctx, kv.Batch{If: []kv.Entry{{Key: secretKey(name)}}, Put: []kv.Entry{{Key: secretKey(name), Value: made}}})
		if err == nil {
			return made, nil
		}
		if !errors.Is(err, kv.ErrConflict) {
			return nil, noRoom(fmt.Errorf("keeping the secret %s: %w", name, err))
		}
	}
	return nil, ErrBusy
}
