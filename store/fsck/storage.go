package fsck

import (
	"context"
	"fmt"
	"strings"

	"gatehouse/store"
	"gatehouse/store/blob"
	"gatehouse/store/packument"
)

// storage looks for what names each object.
func (c *Check) storage(ctx context.Context) error {
	c.sum.Stage = Storage
	c.o.Progress(c.sum.Progress)
	lister, ok := c.blobs.(blob.Lister)
	if !ok {
		c.found(Finding{Kind: StorageNotAsked, Words: "this storage cannot list what it holds, so that nobody knows what is forgotten in it"})
		return nil
	}
	// The objects of a package follow one another.
	var folder []blob.Info
	for info, err := range lister.List(ctx) {
		if err != nil {
			return err
		}
		if len(folder) > 0 && store.PackageOfBlob(folder[0].Key) != store.PackageOfBlob(info.Key) {
			if err := c.folder(ctx, folder); err != nil {
				return err
			}
			folder = folder[:0]
		}
		folder = append(folder, info)
		c.sum.Objects++
	}
	return c.folder(ctx, folder)
}

// folder checks the objects of one package.
func (c *Check) folder(ctx context.Context, objects []blob.Info) error {
	if len(objects) == 0 {
		return nil
	}
	name := store.PackageOfBlob(objects[0].Key)
	nameless, _, err := c.nameless(ctx, name, objects)
	if err != nil {
		return err
	}
	if len(nameless) > 0 {
		// A publish turns an upload into a version, a withdrawal a version into one to be removed: looking at
		// the versions, the uploads and again the versions, one meets it on the way.
		waiting := map[string]bool{}
		for u, err := range c.store.Uploads(ctx) {
			if err != nil {
				return err
			}
			waiting[u.Blob] = true
		}
		nameless, unsure, err := c.nameless(ctx, name, nameless)
		if err != nil {
			return err
		}
		for _, info := range nameless {
			if !waiting[info.Key] {
				c.unnamed(name, info, unsure)
			}
		}
	}
	c.o.Progress(c.sum.Progress)
	return nil
}

// nameless returns those objects that no version of the package names.
func (c *Check) nameless(ctx context.Context, name string, objects []blob.Info) ([]blob.Info, bool, error) {
	named, unsure, err := c.store.Named(ctx, name)
	if err != nil {
		return nil, false, err
	}
	var nameless []blob.Info
	for _, info := range objects {
		if !named[info.Key] {
			nameless = append(nameless, info)
		}
	}
	return nameless, unsure, nil
}

// unnamed judges an object that nothing names.
func (c *Check) unnamed(name string, info blob.Info, unsure bool) {
	f := Finding{Kind: BlobOrphan, Package: name, Blob: info.Key}
	size := fmt.Sprintf("%d bytes of %s", info.Size, info.Modified.UTC().Format("2 January 2006"))
	_, err := packument.ParseName(name)
	switch {
	case err != nil || !strings.HasSuffix(info.Key, ".tgz"):
		f.Kind, f.Package, f.Words = BlobForeign, "", "there is a file in the storage that is no tarball of a registry"
	case unsure:
		c.sum.Kept++
		return
	case c.o.Now().Sub(info.Modified) < forgotten:
		c.sum.Young++
		return
	default:
		f.Repairable, f.Words = true, size+" that no version names"
		c.plan.orphans = append(c.plan.orphans, info)
		c.sum.OrphanBytes += info.Size
	}
	c.found(f)
}
