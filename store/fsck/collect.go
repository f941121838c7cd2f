package fsck

import (
	"context"
	"errors"
)

// Collected is what Collect comes to.
type Collected struct {
	Orphans int   `json:"orphans"` // objects that nothing names
	Bytes   int64 `json:"bytes"`   // of the orphans
	Due     int   `json:"due"`     // uploads given up, and what was withdrawn
	Waiting int   `json:"waiting"` // to be removed as well, and not due yet
	Young   int   `json:"young"`   // nameless, and too new to be forgotten
	Kept    int   `json:"kept"`    // nameless, and perhaps of a version whose row is damaged
}

// Collect removes the objects that nothing names any more, those that are due and those that were forgotten; with dry it only counts them. alone
// says that no registry is running on these data, so that every upload that is not committed has been given up. It takes the place of Run.
func (c *Check) Collect(ctx context.Context, alone, dry bool) (Collected, error) {
	var sum Collected
	if err := c.uploads(ctx); err != nil {
		return sum, err
	}
	if len(c.plan.uploads) > 0 {
		return sum, errors.New("a tarball that a version names is marked for removal; nothing was removed: run gatehouse fsck --repair first")
	}
	if err := c.storage(ctx); err != nil {
		return sum, err
	}
	if len(c.plan.orphans) > 0 && !c.o.Force {
		tarballs, err := c.count(ctx)
		if err != nil {
			return sum, err
		}
		if mistaken(tarballs, 0, len(c.plan.orphans)) {
			return sum, ErrMistaken
		}
	}
	sum.Young, sum.Kept = c.sum.Young, c.sum.Kept
	for u, err := range c.store.Uploads(ctx) {
		if err != nil {
			return sum, err
		}
		if c.store.Due(u, alone) {
			sum.Due++
		} else {
			sum.Waiting++
		}
	}
	sum.Orphans, sum.Bytes = len(c.plan.orphans), c.sum.OrphanBytes
	if dry {
		return sum, nil
	}
	var err error
	if sum.Due, err = c.store.Sweep(ctx, alone); err != nil {
		return sum, err
	}
	c.sum.Stage = Repairs
	err = c.removeOrphans(ctx)
	sum.Orphans = c.sum.Repaired
	return sum, err
}

// count is how many tarballs the metadata name.
func (c *Check) count(ctx context.Context) (n int, err error) {
	for r, err := range c.store.Records(ctx) {
		if err != nil {
			return 0, err
		}
		for _, v := range r.Versions {
			if !v.Tombstone {
				n++
			}
		}
	}
	return n, nil
}
