package fsck

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"gatehouse/store"
)

// ErrMistaken: most of what the metadata name is not in the storage, or the other way round, which is rather a mistake than damage.
var ErrMistaken = errors.New("metadata and storage hardly belong together: is each the right folder or bucket, and mounted? Nothing was changed; if it is damage all the same, use --force")

// mistaken reports whether metadata and storage do not seem to belong together: all of one has nothing on the other side, or, of more
// than a few, most.
func mistaken(tarballs, missing, orphans int) bool {
	most := func(lonely, all int) bool { return lonely > 0 && lonely >= all || lonely >= few && 2*lonely > all }
	return most(missing, tarballs) || most(orphans, tarballs-missing+orphans)
}

const few = 10

// Repair puts right what Run has found and can be put right. It may be cut off at any moment: each repair is whole, and a second check finds the rest.
func (c *Check) Repair(ctx context.Context) (Summary, error) {
	if !c.o.Force && mistaken(c.sum.Tarballs, c.plan.missing, len(c.plan.orphans)) {
		return c.sum, ErrMistaken
	}
	c.sum.Stage = Repairs
	for _, step := range []func(context.Context) error{c.mend, c.repairRest, c.removeOrphans} {
		if err := step(ctx); err != nil {
			return c.sum, err
		}
	}
	return c.sum, nil
}

func (c *Check) fixed(format string, args ...any) {
	c.o.Fixed(fmt.Sprintf(format, args...))
}

func (c *Check) mend(ctx context.Context) error {
	for _, name := range slices.Sorted(maps.Keys(c.plan.packages)) {
		before, err := c.repairable(ctx, name)
		if err != nil {
			return err
		}
		e, err := c.store.Mend(ctx, name, c.plan.packages[name], c.o.By)
		if err != nil {
			return err
		}
		after, err := c.repairable(ctx, name)
		if err != nil {
			return err
		}
		c.sum.Repaired += max(before-after, 0)
		if e.What != "" {
			c.fixed("%s: %s", name, e.Note)
		}
	}
	return nil
}

// repairable counts the findings of a package, of which a repair should leave none.
func (c *Check) repairable(ctx context.Context, name string) (n int, err error) {
	r, err := c.store.Record(ctx, name)
	if err != nil {
		return 0, err
	}
	count := c.sum.Progress // what is looked at again is not counted again
	findings, _, err := c.inspect(ctx, r)
	c.sum.Progress = count
	for _, f := range findings {
		if f.Repairable {
			n++
		}
	}
	return n, err
}

func (c *Check) repairRest(ctx context.Context) error {
	for _, star := range c.plan.stars {
		if err := c.store.MendStar(ctx, star, c.o.By); err != nil {
			return err
		}
		c.sum.Repaired++
		c.fixed("%s: put the star of %s right", star.Package, star.Login)
	}
	for _, token := range c.plan.tokens {
		if err := c.store.MendToken(ctx, token, c.o.By); err != nil {
			return err
		}
		c.sum.Repaired++
		c.fixed("put the token %s right", token.ID)
	}
	for _, u := range c.plan.uploads {
		if err := c.store.Spare(ctx, u, c.o.By); err != nil {
			return err
		}
		c.sum.Repaired++
		c.fixed("%s: is not to be removed any more", u.Blob)
	}
	return nil
}

func (c *Check) removeOrphans(ctx context.Context) error {
	for _, info := range c.plan.orphans {
		// A row that was put aside since may have named it.
		named, unsure, err := c.store.Named(ctx, store.PackageOfBlob(info.Key))
		if err != nil {
			return err
		}
		if named[info.Key] || unsure {
			continue
		}
		if err := c.store.Collect(ctx, info.Key, c.o.By); err != nil {
			return err
		}
		c.sum.Repaired++
		c.fixed("%s: removed (%d bytes)", info.Key, info.Size)
	}
	return nil
}
