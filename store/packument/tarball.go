package packument

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"path"
	"slices"
	"strings"
	"unicode"
)

// ratioFrom is the size below which a tarball may inflate as much as it likes.
const ratioFrom = 32 << 20

// inspect reads a spooled tarball to its end, without unpacking anything, and reports what is in it.
//
// It takes what every client unpacks to the same files, and refuses what they might disagree about. A tarball is one
// gzip member, with zeros behind it at most: Node's zlib reads on into a second member and passes over anything else.
// In it, in headers as tarReader wants them, is one directory, whose name clients strip, with a package.json. Nothing lies
// in one place twice, and nothing has a name that a client or a system takes for another. Links are of no use (npm does
// not unpack them), but yarn packs those it finds, so they may point at files of the package.
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
	// Zlib wants none of the flags that are not given out, and compress/gzip takes them.
	if head, err := in.buf.Peek(4); err == nil && head[3]&0xe0 != 0 {
		return &Invalid{Field: "tarball", Problem: "has an unknown flag in its gzip header"}
	}
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
	if in.size%tarBlock != 0 {
		return &Invalid{Field: "tarball", Problem: "ends in the middle of a block"}
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
	root    string          // the one top-level directory, once known
	places  map[uint64]byte // what lies where, by hashes of paths inside: tarFile, tarFolder or the kind of a link
	found   contents
	file    func(inside string) error // gets each file, if set
}

func (t *tarball) read(r io.Reader) error {
	archive := &tarReader{r: r}
	t.places = make(map[uint64]byte)
	for {
		e, err := archive.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if t.entries++; t.entries > t.lim.Entries {
			return &TooLarge{What: "number of entries in the tarball", Limit: int64(t.lim.Entries)}
		}
		if e.kind == tarGlobal {
			continue
		}
		if err := t.entry(e, archive); err != nil {
			return err
		}
	}
}

func (t *tarball) entry(e tarEntry, body io.Reader) error {
	inside, problem := t.place(e)
	if problem != "" {
		return refuseEntry(e.name, problem)
	}
	switch e.kind {
	case tarFile:
		if inside == "" || strings.HasSuffix(e.name, "/") { // node-tar takes the latter for a directory and its content for headers
			return refuseEntry(e.name, "is a file where a directory is expected")
		}
		t.found.FileCount++
		t.found.UnpackedSize += e.size
		if t.file != nil {
			if err := t.file(inside); err != nil {
				return err
			}
		}
	case tarHardLink, tarSymlink:
		if inside == "" || strings.HasSuffix(e.name, "/") || !t.linksInside(e) {
			return refuseEntry(e.name, "is a link that leaves the package")
		}
	}
	if err := t.special(inside, e, body); err != nil {
		return err
	}
	return t.occupy(inside, e)
}

// place finds where in the package an entry lies, or says why nowhere.
func (t *tarball) place(e tarEntry) (inside, problem string) {
	name := strings.TrimSuffix(e.name, "/")
	if strings.HasPrefix(name, "/") {
		return "", "has an absolute path"
	}
	if len(name) > maxPath {
		return "", "has a path that is too long"
	}
	if strings.ContainsAny(name, "\\\x00") {
		return "", "has a backslash or a NUL in its path"
	}
	root, inside, _ := strings.Cut(name, "/")
	if isPattern(inside) {
		return "", "has a path that yarn 1 takes for a pattern, and deletes what fits it"
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == "" || part == ".." || part == "." { // at the beginning, too: yarn 4 takes the next part for the root then
			return "", `has ".", ".." or nothing in its path`
		}
		if len(part) > 1 && part[1] == ':' && within(part[:1], "") { // npm takes it away, and what is behind it comes to the top
			return "", "has the letter of a drive in its path"
		}
	}
	if t.root == "" {
		t.root = root
	}
	if root != t.root {
		return "", "lies outside the archive's one top-level directory, " + shorten(t.root)
	}
	return inside, t.disguised(inside, e)
}

// isPattern reports whether a path fits others that are not harmless. yarn 1 deletes what is in the way of a file, and
// takes its path for a pattern then: of package/{..,x}/{..,x}/src, that was in the project that installed it. "[id].js"
// is a name in use, and cannot reach far, but one at the top can reach package.json.
func isPattern(inside string) bool {
	if strings.ContainsAny(inside, "*?") {
		return true
	}
	if _, rest, found := strings.Cut(inside, "{"); found {
		braced := rest[:max(0, strings.LastIndexByte(rest, '}'))]
		if strings.Contains(braced, ",") || strings.Contains(braced, "..") {
			return true
		}
	}
	return !strings.Contains(inside, "/") && (strings.Contains(inside, "[") || strings.Contains(inside, "+(") ||
		strings.Contains(inside, "@(") || strings.Contains(inside, "!("))
}

// disguised finds entries that some clients or systems take for one of the files that mean something to a registry.
func (t *tarball) disguised(inside string, e tarEntry) (problem string) {
	top, _, _ := strings.Cut(inside, "/")
	if looks := onDisk(top); looks != top && isSpecial[looks] {
		return "has a name that some systems take for " + looks
	}
	if e.short == "" || e.short == e.name {
		return ""
	}
	_, short, found := strings.Cut(path.Clean(e.short), "/")
	if !found {
		short = path.Clean(e.short)
	}
	if isSpecial[inside] || isSpecial[onDisk(short)] {
		return notAlike + " (its long name)"
	}
	return ""
}

// onDisk is what a name at the top may become on a disk that does not tell upper from lower case, passes over what is
// not seen, or cuts names: Windows and macOS.
func onDisk(name string) string {
	name, _, _ = strings.Cut(foldCase(name), ":") // behind it, Windows has the name of a stream
	name = strings.TrimRight(strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Cf, unicode.Variation_Selector) {
			return -1
		}
		return r
	}, name), ". ")
	for special := range isSpecial { // as Windows shortens them: packag~1.jso
		dot := strings.LastIndexByte(special, '.')
		if rest, ok := strings.CutPrefix(name, special[:6]+"~"); ok && strings.HasSuffix(rest, special[dot:dot+4]) {
			return special
		}
	}
	return name
}

// occupy notes what lies at a place, and in which folders, and refuses what lies there twice: clients keep one or the
// other, or write through a link.
func (t *tarball) occupy(inside string, e tarEntry) error {
	for at, kind := inside, e.kind; at != ""; kind = tarFolder {
		h := maphash.String(seed, at)
		switch there, known := t.places[h]; {
		case !known:
			t.places[h] = kind
		case kind != tarFolder && there != tarFolder:
			return refuseEntry(e.name, "is there twice")
		case kind != there:
			return refuseEntry(e.name, "is or lies in something that is both a directory and none")
		default:
			return nil // and so are the folders around it
		}
		if len(t.places) > 2*t.lim.Entries {
			return &TooLarge{What: "number of files and folders in the tarball", Limit: 2 * int64(t.lim.Entries)}
		}
		at = at[:max(0, strings.LastIndexByte(at, '/'))]
	}
	return nil
}

// linksInside reports whether a link's target lies in the package, by the letter of its path. ".." counts only at its
// beginning: behind a name it would mean another place wherever that name is a link.
func (t *tarball) linksInside(e tarEntry) bool {
	target := e.link
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
	if e.kind == tarSymlink { // relative to the link; of a hard link, to the archive
		target = path.Join(path.Dir(strings.TrimSuffix(e.name, "/")), target)
	}
	target = path.Clean(target)
	inside, found := strings.CutPrefix(target, t.root+"/")
	if e.kind == tarHardLink {
		return found && t.places[maphash.String(seed, inside)] == tarFile // which is packed before its links
	}
	return found || target == t.root
}

var isSpecial = set("package.json", "npm-shrinkwrap.json", "binding.gyp")

// special notes the files that mean something to a registry.
func (t *tarball) special(inside string, e tarEntry, body io.Reader) error {
	switch inside {
	case "package.json":
		if e.kind != tarFile {
			return &Invalid{Field: "tarball", Problem: "has a package.json that is no file"}
		}
		if t.found.PackageJSON != nil {
			return &Invalid{Field: "tarball", Problem: "has two package.json in its top-level directory"}
		}
		if e.size > t.lim.PackageJSON {
			return &TooLarge{What: "package.json", Limit: t.lim.PackageJSON}
		}
		t.found.PackageJSON = make([]byte, e.size)
		_, err := io.ReadFull(body, t.found.PackageJSON)
		return cutShort(err)
	case "npm-shrinkwrap.json":
		t.found.HasShrinkwrap = t.found.HasShrinkwrap || e.kind == tarFile
	case "binding.gyp":
		t.found.HasBindingGyp = t.found.HasBindingGyp || e.kind == tarFile
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
		src: newSource(context.Background(), bytes.NewReader(text)), field: field, what: "package.json", limit: int64(len(text)), most: maxParts, lenient: true,
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
	if err := checkLists(m); err != nil {
		return err
	}
	c.truth = readTruth(m, name, c.HasBindingGyp)
	return nil
}
