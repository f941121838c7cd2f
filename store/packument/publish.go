package packument

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"sync"
)

// Limits bound what one publish may cost. There is no "unlimited": start from DefaultLimits.
type Limits struct {
	Tarball     int64 // bytes of the tarball, as it is stored
	Manifest    int64 // bytes of the body outside the tarball
	Version     int64 // bytes of what is kept of the manifest, without its readme: a packument has that for each version
	Document    int64 // bytes of a body that is no publish: a whole packument, from npm deprecate and unpublish
	Unpacked    int64 // bytes the tarball inflates to, with its headers
	Entries     int   // files, directories and links in the tarball
	PackageJSON int64 // bytes of the package.json in the tarball
	Ratio       int   // how many times its size the tarball may inflate to, once that is more than 32 MiB

	// Turn, unless it is nil, is waited for before a tarball is inflated, which keeps a processor busy for seconds. It
	// returns what ends the turn, or an error, the context's if that ends first. See Turns.
	Turn func(context.Context) (done func(), err error)
}

// Turns makes a Limits.Turn for all who share it, so that at most n of them have their turn at a time.
func Turns(n int) func(context.Context) (done func(), err error) {
	taken := make(chan struct{}, n)
	return func(ctx context.Context) (func(), error) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		select {
		case taken <- struct{}{}:
			return sync.OnceFunc(func() { <-taken }), nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// DefaultLimits take what honest packages are. The largest on the public registry carry binaries of 50 to 100 MB, and a
// manifest is kilobytes with the readme in it. The largest packuments there have 21 MB. A deflate stream cannot inflate more than 1,032 times; zeros come near
// that, programs stay below 20.
var DefaultLimits = Limits{
	Tarball:     200 << 20,
	Manifest:    4 << 20,
	Version:     1 << 20,
	Document:    32 << 20,
	Unpacked:    1 << 30,
	Entries:     100_000,
	PackageJSON: 1 << 20,
	Ratio:       1000,
}

// ErrNoAttachment is what errors.Is finds in a *NoAttachment.
var ErrNoAttachment = errors.New("the document has no attachment")

// NoAttachment is returned by ReadPublish for a document that is no publish: npm deprecate and npm star use the same
// route (npm-protocol.md §8.1).
type NoAttachment struct {
	// Document is the body: a JSON object that passed every rule of the scan, without spaces between tokens.
	Document []byte
}

func (e *NoAttachment) Error() string { return ErrNoAttachment.Error() }

// Is makes errors.Is(err, ErrNoAttachment) true.
func (e *NoAttachment) Is(target error) bool { return target == ErrNoAttachment }

// ReadPublish reads the body of PUT /<package>: a packument with one version, and its tarball in base64
// (npm-protocol.md §7.2). It checks that the body, the tarball and the package.json inside the tarball all speak of the
// package want and of one version, that every size and hash claimed is true, and that the tarball is one that any
// client can unpack. want, the name in the URL, is the one that permission was asked for, and the only one that counts;
// whether it may be created here is for its CheckNew.
//
// Memory use is that of the manifest, and about 1 MiB for the tarball however large: from there on it goes to a file
// without a name in dir (empty: the system's place for temporary files). Limits.Manifest, and 20,000
// members and elements in all, bound the manifest from the first attachment on; as npm sends those last, what comes
// before them is held up to Limits.Document. The caller closes
// the Upload. After an error nothing is left behind.
//
// Errors: *Invalid, *TooLarge, *NoAttachment, one that wraps ErrBody, the context's, one of Limits.Turn. Any other is this machine's: no
// room in dir.
func ReadPublish(ctx context.Context, body io.Reader, want Name, lim Limits, dir string) (u *Upload, err error) {
	t := &tarballReader{spool: newSpool(dir), limit: lim.Tarball}
	defer func() {
		if err != nil {
			_ = t.spool.Close() // err says what went wrong first
		}
	}()
	s := newScanner(ctx, body, lim)
	s.divert = func(path []string, key string) func(*source) error {
		if len(path) == 0 || path[0] != "_attachments" {
			return nil
		}
		s.what, s.limit, s.most = "manifest", lim.Manifest, maxParts
		return t.divert(path, key)
	}
	document, err := s.document()
	if err != nil {
		return nil, err
	}
	p, err := readPublication(document)
	if err != nil {
		return nil, err
	}
	if s.seen > lim.Manifest {
		return nil, &TooLarge{What: "manifest", Limit: lim.Manifest}
	}
	if s.parts > maxParts {
		return nil, tooManyParts("manifest", maxParts)
	}
	if err := checkLists(p.manifest); err != nil {
		return nil, err
	}
	if u, err = p.check(want, t); err != nil {
		return nil, err
	}
	c, err := open(ctx, t.spool, u.Name, u.Version, lim)
	if err != nil {
		return nil, err
	}
	if err := c.truth.check(p.manifest, want); err != nil {
		return nil, err
	}
	u.contents = c
	if kept := u.full(Publisher{}); int64(len(kept.JSON)) > lim.Version {
		return nil, &TooLarge{What: "manifest without its readme", Limit: lim.Version}
	}
	return u, nil
}

// open inflates the tarball, when it is its turn, and reads what is in it.
func open(ctx context.Context, s *spool, name Name, version string, lim Limits) (contents, error) {
	if lim.Turn != nil {
		done, err := lim.Turn(ctx)
		if err != nil {
			return contents{}, err
		}
		defer done()
	}
	c, err := inspect(ctx, s, lim)
	if err != nil {
		return contents{}, err
	}
	if err := c.readPackageJSON(name, version); err != nil {
		return contents{}, err
	}
	if c.truth.inFolder {
		files, err := filesIn(ctx, s, lim, c.truth.folder)
		if err != nil {
			return contents{}, err
		}
		for _, f := range files {
			c.truth.commands.add(path.Base(f), f)
		}
	}
	return c, nil
}

// newScanner reads a body of which it is not known yet what it is.
func newScanner(ctx context.Context, body io.Reader, lim Limits) *scanner {
	return &scanner{src: newSource(ctx, body), field: "body", what: "document", limit: max(lim.Document, lim.Manifest)}
}

// tarballReader takes the tarball out of the body while it is scanned.
type tarballReader struct {
	spool *spool
	limit int64
	file  string // name of the attachment that was a tarball
}

// divert is the scanner's: it takes the data of attachments that are called like tarballs. That of others (.sigstore, a
// provenance bundle) is not base64.
func (t *tarballReader) divert(path []string, key string) func(*source) error {
	if len(path) != 2 || path[0] != "_attachments" || key != "data" || !strings.HasSuffix(path[1], ".tgz") {
		return nil
	}
	file := path[1]
	return func(src *source) error {
		if t.file != "" {
			return &Invalid{Field: "_attachments", Problem: fmt.Sprintf("has two tarballs, %s and %s; a publish has one", shorten(t.file), shorten(file))}
		}
		t.file = file
		b := &base64Reader{src: src, field: "_attachments." + printable(file) + ".data", to: t.add}
		return b.read()
	}
}

func (t *tarballReader) add(p []byte) error {
	if t.spool.size+int64(len(p)) > t.limit {
		return &TooLarge{What: "tarball", Limit: t.limit}
	}
	_, err := t.spool.Write(p)
	return err
}
