package packument

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
)

// ratioFrom is the size below which a tarball may inflate as much as it likes.
const ratioFrom = 32 << 20

// inspect reads a spooled tarball to its end, without unpacking anything, and reports what is in it.
//
// It takes what every client unpacks to the same files, and refuses what they might disagree about. A tarball is one
// gzip member, with zeros behind it at most: Node's zlib reads on into a second member and passes over anything else.
// In it is one directory, whose name clients strip, with a package.json. Links are of no use (npm does not unpack
// them), but yarn packs those it finds, so they may point at files of the package.
func inspect(ctx context.Context, s *spool, lim Limits) (contents, error) {
	t := tarball{lim: lim}
	if err := t.readAll(ctx, s); err != nil {
		return contents{}, err
	}
	if t.found.PackageJSON == nil {
		return contents{}, &Invalid{Field: "tarball", Problem: "has no package.json in its top-level directory"}
	}
	return t.found, nil
}

// filesIn reads a tarball that passed inspect again, and lists the files in one of its folders, at any depth, but for
// hidden ones. A list as long as a package.json may be is too long.
func filesIn(ctx context.Context, s *spool, lim Limits, folder string) ([]string, error) {
	t := tarball{lim: lim}
	var files []string
	left := lim.PackageJSON
	t.file = func(inside string) error {
		if folder != "" && !strings.HasPrefix(inside, folder+"/") || strings.Contains("/"+inside[len(folder):], "/.") {
			return nil
		}
		if left -= int64(len(inside)); left < 0 {
			return &TooLarge{What: "list of files in directories.bin", Limit: lim.PackageJSON}
		}
		files = append(files, inside)
		return nil
	}
	err := t.readAll(ctx, s)
	return files, err
}

func (t *tarball) readAll(ctx context.Context, s *spool) error {
	file := s.reader()
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("reading an upload again: %w", err)
	}
	in := &inflater{ctx: ctx, file: file, limit: min(t.lim.Unpacked, max(ratioFrom, s.size*int64(t.lim.Ratio)))}
	err := in.open()
	if err == nil {
		err = t.read(in)
	}
	if err == nil {
		err = in.end()
	}
	var invalid *Invalid
	var large *TooLarge
	switch {
	case in.failed != nil: // whatever gzip and tar made of it
		return in.failed
	case err == nil, errors.As(err, &invalid), errors.As(err, &large):
		return err
	}
	return &Invalid{Field: "tarball", Problem: fmt.Sprintf("is not a gzipped tar archive, or is damaged (%v)", err)}
}

// inflater is the tar archive inside the gzipped file.
type inflater struct {
	ctx    context.Context
	file   io.Reader
	buf    *bufio.Reader
	gzip   *gzip.Reader
	size   int64
	limit  int64
	failed error // what went wrong that is not the archive's fault, or is its size
}

func (in *inflater) open() (err error) {
	in.buf = bufio.NewReaderSize(readerFunc(in.raw), bufferSize)
	if in.gzip, err = gzip.NewReader(in.buf); err == nil {
		in.gzip.Multistream(false)
	}
	return err
}

// raw reads the gzipped bytes.
func (in *inflater) raw(p []byte) (int, error) {
	n, err := in.file.Read(p)
	if err != nil && err != io.EOF {
		in.failed = fmt.Errorf("reading an upload again: %w", err)
	}
	return n, err
}

// Read reads inflated bytes.
func (in *inflater) Read(p []byte) (int, error) {
	if in.failed == nil {
		in.failed = in.ctx.Err()
	}
	if in.failed != nil {
		return 0, in.failed
	}
	n, err := in.gzip.Read(p)
	if in.size += int64(n); in.size > in.limit {
		in.failed = &TooLarge{What: "unpacked tarball", Limit: in.limit}
		return 0, in.failed
	}
	return n, err
}

// end reads what is behind the archive: tar pads it with zeros, and some storage pads the file.
func (in *inflater) end() error {
	for _, r := range []io.Reader{in, in.buf} {
		zeros, err := onlyZeros(r)
		if err != nil {
			return err
		}
		if !zeros {
			return &Invalid{Field: "tarball", Problem: "has something after its end"}
		}
	}
	return nil
}

func onlyZeros(r io.Reader) (bool, error) {
	buf, zero := make([]byte, 4096), make([]byte, 4096)
	for {
		n, err := r.Read(buf)
		if !bytes.Equal(buf[:n], zero[:n]) {
			return false, nil
		}
		if err == io.EOF {
			return true, nil
		}
		if err != nil {
			return false, err
		}
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// tarball is an archive being read.
type tarball struct {
	lim     Limits
	entries int
	root    string // the one top-level directory, once known
	found   contents
	file    func(inside string) error // gets each file, if set
}

func (t *tarball) read(r io.Reader) error {
	archive := tar.NewReader(r)
	for {
		h, err := archive.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if t.entries++; t.entries > t.lim.Entries {
			return &TooLarge{What: "number of entries in the tarball", Limit: int64(t.lim.Entries)}
		}
		if err := t.entry(h, archive); err != nil {
			return err
		}
	}
}

func (t *tarball) entry(h *tar.Header, body io.Reader) error {
	refuse := func(problem string) error {
		return &Invalid{Field: "tarball entry " + shorten(h.Name), Problem: problem}
	}
	for record := range h.PAXRecords {
		// git archive writes a global header with a comment. Fields in one are taken over by some readers and not by others.
		if strings.HasPrefix(record, "GNU.sparse.") ||
			h.Typeflag == tar.TypeXGlobalHeader && (record == "path" || record == "linkpath" || record == "size") {
			return refuse("is written in a way that not all clients read alike")
		}
	}
	if h.Typeflag == tar.TypeXGlobalHeader {
		return nil
	}
	inside, problem := t.place(h)
	if problem != "" {
		return refuse(problem)
	}
	switch h.Typeflag {
	case tar.TypeReg:
		if inside == "" || strings.HasSuffix(h.Name, "/") { // node-tar takes the latter for a directory and its content for headers
			return refuse("is a file where a directory is expected")
		}
		t.found.FileCount++
		t.found.UnpackedSize += h.Size
		if t.file != nil {
			if err := t.file(inside); err != nil {
				return err
			}
		}
	case tar.TypeDir:
	case tar.TypeSymlink, tar.TypeLink:
		if h.Size != 0 || !t.linksInside(h) {
			return refuse("is a link that leaves the package")
		}
	default:
		return refuse("is neither a file nor a directory")
	}
	return t.special(inside, h, body)
}

// place finds where in the package an entry lies, or says why nowhere.
func (t *tarball) place(h *tar.Header) (inside, problem string) {
	name := strings.TrimSuffix(h.Name, "/")
	if strings.HasPrefix(name, "/") {
		return "", "has an absolute path"
	}
	if strings.ContainsAny(name, "\\\x00") {
		return "", "has a backslash or a NUL in its path"
	}
	root, inside, _ := strings.Cut(name, "/")
	for i, part := range strings.Split(name, "/") {
		if part == "" || part == ".." || part == "." && i > 0 {
			return "", `has ".", ".." or nothing in its path`
		}
	}
	if t.root == "" {
		t.root = root
	}
	if root != t.root {
		return "", "lies outside the archive's one top-level directory, " + shorten(t.root)
	}
	return inside, ""
}

// linksInside reports whether a link's target lies in the package, by the letter of its path. ".." counts only at its
// beginning: behind a name it would mean another place wherever that name is a link.
func (t *tarball) linksInside(h *tar.Header) bool {
	target := h.Linkname
	if target == "" || strings.HasPrefix(target, "/") || strings.ContainsAny(target, "\\\x00") {
		return false
	}
	name := false
	for part := range strings.SplitSeq(target, "/") {
		if part == ".." && name {
			return false
		}
		name = name || part != ".." && part != "."
	}
	if h.Typeflag == tar.TypeSymlink { // relative to the link; of a hard link, to the archive
		target = path.Join(path.Dir(strings.TrimSuffix(h.Name, "/")), target)
	}
	target = path.Clean(target)
	if t.root == "." {
		return target != ".." && !strings.HasPrefix(target, "../")
	}
	return target == t.root || strings.HasPrefix(target, t.root+"/")
}

// special notes the files that mean something to a registry.
func (t *tarball) special(inside string, h *tar.Header, body io.Reader) error {
	switch inside {
	case "package.json":
		if h.Typeflag != tar.TypeReg {
			return &Invalid{Field: "tarball", Problem: "has a package.json that is no file"}
		}
		if t.found.PackageJSON != nil {
			return &Invalid{Field: "tarball", Problem: "has two package.json in its top-level directory"}
		}
		if h.Size > t.lim.PackageJSON {
			return &TooLarge{What: "package.json", Limit: t.lim.PackageJSON}
		}
		t.found.PackageJSON = make([]byte, h.Size)
		_, err := io.ReadFull(body, t.found.PackageJSON)
		return err
	case "npm-shrinkwrap.json":
		t.found.HasShrinkwrap = t.found.HasShrinkwrap || h.Typeflag == tar.TypeReg
	case "binding.gyp":
		t.found.HasBindingGyp = t.found.HasBindingGyp || h.Typeflag == tar.TypeReg
	}
	return nil
}

// readPackageJSON opens the tarball's package.json and compares the name and version in it with what is published. It is
// read as npm reads a file that a person wrote: a byte order mark is passed over, and so is a key repeated where nothing
// is decided by it.
func (c *contents) readPackageJSON(name Name, version string) error {
	const field = "tarball package.json"
	text := bytes.TrimPrefix(c.PackageJSON, []byte("\ufeff")) // as npm reads it
	s := &scanner{
		src: newSource(context.Background(), bytes.NewReader(text)), field: field, what: "package.json", limit: int64(len(text)), lenient: true,
	}
	document, err := s.document()
	if err != nil {
		return err
	}
	m, err := value(document).object(field)
	if err != nil {
		return err
	}
	if m["name"].text() != name.String() {
		return &Invalid{Field: field + " name", Problem: fmt.Sprintf("is %s, and must be %q", m["name"].describe(), name)}
	}
	if v, ok := CleanVersion(m["version"].text()); !ok || v != version {
		return &Invalid{Field: field + " version", Problem: fmt.Sprintf("is %s, and must be %q", m["version"].describe(), version)}
	}
	r := m["repository"]
	if more := slices.Collect(m["repositories"].elements()); r.missing() && len(more) > 0 {
		r = more[0] // npm's repository, then
	}
	if c.PackageRepository, err = repositoryText(r, field+" repository"); err != nil {
		return err
	}
	c.truth = readTruth(m, name, c.HasBindingGyp)
	return nil
}
