package fsck

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"gatehouse/store"
)

// Run checks everything.
func (c *Check) Run(ctx context.Context) (Summary, error) {
	for _, step := range []func(context.Context) error{c.packages, c.rest, c.uploads, c.storage} {
		if err := step(ctx); err != nil {
			return c.sum, err
		}
	}
	return c.sum, nil
}

func (c *Check) packages(ctx context.Context) error {
	c.sum.Stage = Packages
	for r, err := range c.store.Records(ctx) {
		if err != nil {
			return err
		}
		before := c.sum.Progress
		findings, lost, err := c.inspect(ctx, r)
		if err != nil {
			return err
		}
		if len(findings) > 0 {
			c.sum.Progress = before
			// It may have been changed while it was read: what is wrong with it at one moment is what counts.
			if r, err = c.store.Record(ctx, r.Name); err != nil {
				return err
			}
			if findings, lost, err = c.inspect(ctx, r); err != nil {
				return err
			}
		}
		for _, f := range findings {
			c.found(f)
			if f.Repairable {
				c.plan.packages[r.Name] = lost
			}
			if f.Kind == TarballMissing {
				c.plan.missing++
			}
		}
		c.sum.Packages++
		c.o.Progress(c.sum.Progress)
	}
	return nil
}

// inspect finds what is wrong with a package, and which versions have lost their tarball.
func (c *Check) inspect(ctx context.Context, r store.Record) ([]Finding, map[string]string, error) {
	findings := metadata(r)
	broken, read, err := c.tarballs(ctx, r)
	if err != nil {
		return nil, nil, err
	}
	lost := map[string]string{}
	for i, err := range broken {
		v := r.Versions[i]
		f := Finding{Package: r.Name, Version: v.Number, Blob: v.Blob}
		switch {
		case err == nil:
			continue
		case errors.Is(err, store.ErrLost):
			f.Kind, f.Words = TarballMissing, err.Error()
		case errors.Is(err, store.ErrAltered):
			f.Kind, f.Words = TarballAltered, err.Error()
		default:
			f.Kind, f.Words = TarballUnread, err.Error()
		}
		if f.Kind != TarballUnread {
			f.Repairable = true
			f.Words += "; put a good copy of " + strconv.Quote(v.Blob) + " back into the storage, or let --repair withdraw the version"
			lost[v.Number] = v.Blob
		}
		findings = append(findings, f)
	}
	c.sum.Bytes += read
	return findings, lost, nil
}

// atOnce is how many tarballs are read at a time, and enough how many may fail to be read before the storage counts as broken.
const (
	atOnce = 4
	enough = 10
)

// tarballs returns what is wrong with the tarball of each version, by its place in the record.
func (c *Check) tarballs(ctx context.Context, r store.Record) (broken []error, read int64, err error) {
	broken = make([]error, len(r.Versions))
	sizes := make([]int64, len(r.Versions))
	var g errgroup.Group
	g.SetLimit(atOnce)
	for i, v := range r.Versions {
		c.sum.Versions++
		if v.Damage != nil || v.Tombstone {
			continue
		}
		c.sum.Tarballs++
		g.Go(func() error {
			sizes[i], broken[i] = v.Tarball(r.Name).Check(ctx, c.blobs, c.o.Quick)
			return nil
		})
	}
	_ = g.Wait() // they return no errors
	unread := 0
	for i, err := range broken {
		read += sizes[i]
		if err == nil || errors.Is(err, store.ErrLost) || errors.Is(err, store.ErrAltered) {
			continue
		}
		if unread++; unread >= enough || ctx.Err() != nil {
			return nil, read, fmt.Errorf("the storage cannot be read: %w", err)
		}
	}
	return broken, read, nil
}

// rest checks what does not belong to one package.
func (c *Check) rest(ctx context.Context) error {
	c.sum.Stage = Rest
	c.o.Progress(c.sum.Progress)
	for star, err := range c.store.BadStars(ctx) {
		if err != nil {
			return err
		}
		c.found(Finding{Kind: StarHalf, Package: star.Package, Words: "the star of " + star.Login + " is half there, or its package is not", Repairable: true})
		c.plan.stars = append(c.plan.stars, star)
	}
	for token, err := range c.store.BadTokens(ctx) {
		if err != nil {
			return err
		}
		words := "the token " + token.ID + " is in no list, or in one that it does not belong into"
		if token.ID == "" {
			words = "the record of a token cannot be read; a repair puts it aside, and its owner needs a new one"
		}
		c.found(Finding{Kind: TokenHalf, Words: words, Repairable: true})
		c.plan.tokens = append(c.plan.tokens, token)
	}
	for key, err := range c.store.Strays(ctx) {
		if err != nil {
			return err
		}
		c.found(Finding{Kind: KeyUnknown, Words: fmt.Sprintf("the metadata have the key %.100q, which this version of gatehouse does not write", key)})
	}
	var err error
	c.sum.Aside, err = c.store.Aside(ctx)
	return err
}

// uploads looks for what is to be removed and must not be.
func (c *Check) uploads(ctx context.Context) error {
	var of string // the package whose tarballs are known
	var named map[string]bool
	for u, err := range c.store.Uploads(ctx) {
		if err != nil {
			return err
		}
		c.sum.Waiting++
		if name := store.PackageOfBlob(u.Blob); named == nil || name != of {
			if named, _, err = c.store.Named(ctx, name); err != nil {
				return err
			}
			of = name
		}
		if named[u.Blob] {
			c.found(Finding{Kind: UploadLive, Package: store.PackageOfBlob(u.Blob), Blob: u.Blob, Repairable: true,
				Words: "a version names it, and it is to be removed on " + u.Due.Format(time.DateTime)})
			c.plan.uploads = append(c.plan.uploads, u)
		}
	}
	return nil
}
