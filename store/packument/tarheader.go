package packument

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

const (
	tarBlock = 512
	// maxExtension is how long an extended header may be. Those of honest packages have a path and some times in them.
	maxExtension = 64 << 10
	// maxRecords is how many records one may have.
	maxRecords = 64
	// maxPath is how long a path may be: longer ones no system takes.
	maxPath = 4096
)

// The kinds of tar headers.
const (
	tarFile     = '0'
	tarHardLink = '1'
	tarSymlink  = '2'
	tarFolder   = '5'
	tarPAX      = 'x' // records for the entry behind it
	tarGlobal   = 'g' // records for all
	tarLongName = 'L' // the name of the entry behind it,
	tarLongLink = 'K' // and its target, as GNU tar writes them
)

const (
	magicUstar = "ustar\x0000"
	magicGNU   = "ustar  \x00"
)

// notAlike is what is wrong with most of what tarReader refuses.
const notAlike = "is written in a way that not all clients read alike"

// tarEntry is what an archive says of a file, folder or link.
type tarEntry struct {
	kind byte // one of tarFile, tarHardLink, tarSymlink, tarFolder, tarGlobal
	name string
	link string // of a link, where it points
	size int64
	// short is the name in the entry's own header, where a header before it has another. Readers that lose that one go
	// by this: node-tar does, when a letter in it falls between two of its buffers.
	short string
}

// tarReader reads a tar archive as long as there is one way to read it. The clients' readers, six in all, and archive/tar
// differ about everything that is odd: which headers have a prefix, sizes in other notations, records that come twice,
// contents of what can have none, bytes behind a NUL. So what is taken here is what packing writes (npm, pnpm, yarn, bun,
// GNU tar, bsdtar, git archive and Python were looked at), to the byte, and all else is refused with an *Invalid.
type tarReader struct {
	r     io.Reader
	left  int64 // of the content of the entry, which is read first,
	pad   int64 // and of the zeros behind it
	block [tarBlock]byte
}

// next finds the next entry, whose content can then be read. It returns io.EOF behind the first block of zeros.
func (t *tarReader) next() (tarEntry, error) {
	var long extension
	for {
		if _, err := io.CopyN(io.Discard, t.r, t.left+t.pad); err != nil {
			return tarEntry{}, cutShort(err)
		}
		t.left, t.pad = 0, 0
		switch _, err := io.ReadFull(t.r, t.block[:]); {
		case err != nil: // an end without zeros, too, which pnpm 10 reads beyond
			return tarEntry{}, cutShort(err)
		case allZero(t.block[:]) && long != extension{}:
			return tarEntry{}, &Invalid{Field: "tarball", Problem: "ends behind a header that belongs to an entry"}
		case allZero(t.block[:]):
			return tarEntry{}, io.EOF
		}
		e, err := t.header()
		if err != nil {
			return e, err
		}
		t.left, t.pad = e.size, -e.size&(tarBlock-1)
		if e.kind == tarFile || e.kind == tarHardLink || e.kind == tarSymlink || e.kind == tarFolder {
			return e, long.apply(&e)
		}
		body := make([]byte, e.size)
		if _, err := io.ReadFull(t, body); err != nil {
			return e, cutShort(err)
		}
		if problem := long.read(e.kind, body); problem != "" {
			return e, refuseEntry(e.name, problem)
		}
		if e.kind == tarGlobal {
			return e, nil
		}
	}
}

// Read reads the content of the entry.
func (t *tarReader) Read(p []byte) (int, error) {
	if t.left == 0 {
		return 0, io.EOF
	}
	n, err := t.r.Read(p[:min(int64(len(p)), t.left)])
	t.left -= int64(n)
	if err == io.EOF && t.left > 0 {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

func cutShort(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

func refuseEntry(name, problem string) error {
	return &Invalid{Field: "tarball entry " + shorten(strings.ToValidUTF8(name, "?")), Problem: problem}
}

// header reads the block at hand. Fields that clients read are in the one form that is common to all who write them.
func (t *tarReader) header() (e tarEntry, err error) {
	b := t.block[:]
	e.kind = b[156]
	var sound bool
	if e.name, sound = padded(b[:100]); !sound || e.name == "" {
		return e, refuseEntry(e.name, notAlike+" (its name)")
	}
	odd := func(what string) (tarEntry, error) { return e, refuseEntry(e.name, notAlike+" ("+what+")") }

	sum := int64(8 * ' ')
	for i, c := range b {
		if i < 148 || 156 <= i {
			sum += int64(c)
		}
	}
	if want, ok := octal(b[148:156]); !ok || want != sum {
		return odd("its checksum")
	}
	magic, prefix := string(b[257:265]), b[345:500]
	if magic != magicUstar && (magic != magicGNU || !allZero(prefix)) || !allZero(b[500:]) {
		return odd("neither as POSIX wants it nor as GNU tar does it")
	}
	if folder, sound := padded(prefix); !sound {
		return odd("its prefix")
	} else if folder != "" {
		e.name = folder + "/" + e.name
	}
	if mode, ok := octal(b[100:108]); !ok || mode > 0o177777 {
		return odd("its mode")
	}
	for _, id := range [][]byte{b[108:116], b[116:124], b[136:148], b[329:337], b[337:345]} {
		// GNU tar writes large ids in binary, in as many of the last bytes as they need; npm writes none.
		if _, ok := octal(id); !ok && !allZero(id) && !(id[0] == 0x80 && allZero(id[1:len(id)-4]) && id[len(id)-4] < 0x80) {
			return odd("its owner or date")
		}
	}
	var ok bool
	if e.size, ok = octal(b[124:136]); !ok {
		return odd("its size")
	}
	if e.link, sound = padded(b[157:257]); !sound {
		return odd("its target")
	}
	switch e.kind {
	case tarHardLink, tarSymlink:
		if e.size != 0 || e.link == "" {
			return e, refuseEntry(e.name, "is a link with a content or without a target")
		}
		return e, nil
	case tarFolder:
		if e.size != 0 {
			return odd("a directory with a content")
		}
	case tarFile:
	case tarPAX, tarGlobal:
		if magic != magicUstar || e.size == 0 || e.size > maxExtension {
			return odd("an extended header")
		}
	case tarLongName, tarLongLink:
		if magic != magicGNU || e.name != "././@LongLink" || e.size < 2 || e.size > maxPath {
			return odd("a long name")
		}
	case 0:
		return odd("without its kind")
	default:
		return e, refuseEntry(e.name, "is neither a file nor a directory")
	}
	if e.link != "" {
		return odd("a target, though it is no link")
	}
	return e, nil
}

// extension is what the headers before an entry say of it.
type extension struct {
	pax, gnuName, gnuLink bool // which there are
	path, link            string
	size                  string // as written
}

// read takes the content of such a header, and says what is wrong with it.
func (x *extension) read(kind byte, body []byte) (problem string) {
	switch kind {
	case tarLongName, tarLongLink:
		there, to := &x.gnuName, &x.path
		if kind == tarLongLink {
			there, to = &x.gnuLink, &x.link
		}
		s := string(body[:len(body)-1])
		if *there || x.pax || body[len(body)-1] != 0 || !plainPath(s) {
			return notAlike + " (a long name)"
		}
		*there, *to = true, s
		return ""
	case tarGlobal: // git archive writes one, which says what was archived
		if *x != (extension{}) {
			return notAlike + " (a header between a header and its entry)"
		}
	case tarPAX:
		if *x != (extension{}) {
			return notAlike + " (two extended headers in a row)"
		}
		x.pax = true
	}
	seen := make(map[string]bool)
	for len(body) > 0 {
		key, val, rest, ok := record(body)
		// Some readers split records by lines.
		if !ok || seen[key] || len(seen) == maxRecords || strings.Contains(val, "\n") {
			return notAlike + " (a record in an extended header)"
		}
		seen[key], body = true, rest
		if !x.note(kind, key, val) {
			return notAlike + " (the record " + shorten(strings.ToValidUTF8(key, "?")) + " in an extended header)"
		}
	}
	return ""
}

// note takes one record of an extended header, and reports whether it is one that may be there.
func (x *extension) note(kind byte, key, val string) bool {
	if kind == tarGlobal {
		return key == "comment"
	}
	switch key {
	case "path":
		x.path = val
		return plainPath(val)
	case "linkpath":
		x.link = val
		return plainPath(val)
	case "size": // npm
		x.size = val
		return isNumber(val)
	case "hdrcharset": // bun
		return val == "BINARY"
	case "mtime", "atime", "ctime", "uid", "gid", "SCHILY.dev", "SCHILY.ino", "SCHILY.nlink", "LIBARCHIVE.creationtime":
		whole, fraction, found := strings.Cut(val, ".")
		return isNumber(whole) && len(val) <= 32 && (!found || isNumber(fraction))
	case "uname", "gname", "comment", "SCHILY.fflags":
		return true
	}
	return strings.HasPrefix(key, "SCHILY.xattr.") || strings.HasPrefix(key, "LIBARCHIVE.xattr.")
}

// apply gives an entry what the headers before it say.
func (x *extension) apply(e *tarEntry) error {
	link := e.kind == tarHardLink || e.kind == tarSymlink
	if x.link != "" && !link || x.size != "" && x.size != fmt.Sprint(e.size) {
		return refuseEntry(e.name, notAlike+" (its extended header)")
	}
	if x.path != "" {
		e.name, e.short = x.path, e.name
	}
	if x.link != "" {
		e.link = x.link
	}
	return nil
}

// record reads the first of the records that a PAX header consists of: "<length> <key>=<value>\n".
func record(b []byte) (key, val string, rest []byte, ok bool) {
	n := 0
	for i, c := range b {
		switch {
		case '0' <= c && c <= '9' && (c != '0' || i > 0) && i < 6:
			n = n*10 + int(c-'0')
		case c == ' ' && i+2 <= n && n <= len(b) && b[n-1] == '\n':
			key, val, ok = strings.Cut(string(b[i+1:n-1]), "=")
			return key, val, b[n:], ok && key != "" && strings.IndexByte(key, 0) < 0
		default:
			return "", "", nil, false
		}
	}
	return "", "", nil, false
}

// plainPath reports whether a long path can be read in one way only.
func plainPath(s string) bool {
	return s != "" && len(s) <= maxPath && !strings.ContainsAny(s, "\x00\n") && utf8.ValidString(s)
}

// padded reads a field that ends with its first NUL, behind which there are only others.
func padded(field []byte) (s string, sound bool) {
	before, after, _ := bytes.Cut(field, []byte{0})
	return string(before), allZero(after) && utf8.Valid(before) && bytes.IndexByte(before, '\n') < 0
}

// octal reads a number: digits, and then only spaces and NULs, of which there is one.
func octal(field []byte) (n int64, ok bool) {
	digits := bytes.TrimRight(field, " \x00")
	if len(digits) == 0 || len(digits) == len(field) {
		return 0, false
	}
	for _, c := range digits {
		if c < '0' || '7' < c {
			return 0, false
		}
		n = n<<3 | int64(c-'0')
	}
	return n, true
}

func allZero(p []byte) bool {
	for _, c := range p {
		if c != 0 {
			return false
		}
	}
	return true
}
