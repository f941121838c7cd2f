package tokens

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strconv"
	"time"

	"gatehouse/store"
	"gatehouse/store/kv"
)

// Proof is what a workflow has shown for a token.
type Proof struct {
	// ID is unlike that of any other proof.
	ID string
	// Until is when it ends by itself.
	Until time.Time
}

// keepProof is how much longer than a proof is good it is remembered that it was used: clocks differ.
const keepProof = 10 * time.Minute

func (p Proof) row() kv.Entry {
	return kv.Entry{Key: store.ProofKey(sha256.Sum256([]byte(p.ID))), Value: strconv.AppendInt(nil, p.Until.Unix(), 10)}
}

// sweepProofs forgets the proofs that are good for nothing any more. One that cannot be read stays: it does no harm, and nothing comes back by it.
func (t *Tokens) sweepProofs(ctx context.Context) error {
	before := t.now().Add(-keepProof).Unix()
	var over []kv.Entry
	from, to := store.ProofRange()
	for row, err := range t.kv.Scan(ctx, from, to) {
		if err != nil {
			return fmt.Errorf("reading the ID tokens that were used: %w", err)
		}
		if until, err := strconv.ParseInt(string(row.Value), 10, 64); err == nil && until < before {
			over = append(over, row)
		}
	}
	for _, row := range over {
		err := t.kv.Apply(ctx, kv.Batch{If: []kv.Entry{row}, Delete: [][]byte{row.Key}})
		if err != nil && !errors.Is(err, kv.ErrConflict) {
			return failed("forgetting an ID token", err)
		}
	}
	return nil
}
