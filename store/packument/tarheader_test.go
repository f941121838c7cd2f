package packument

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

// rawEntry is an entry of a tar archive as no packer writes it.
type rawEntry struct {
	name, prefix, link string
	kind               byte   // '0' if 0, NUL if 'N'
	magic              string // magicUstar if empty
	body               string
	size               int            // of a content of zeros, if there is no body
	fields             map[int]string // what to write over the header, by offset
	sum                string         // in place of the checksum, a format
}

func (e rawEntry) bytes() []byte {
	h := make([]byte, tarBlock)
	if e.body == "" {
		e.body = string(make([]byte, e.size))
	}
	copy(h[:100], e.name)
	copy(h[100:], "0000644\x000000000\x000000000\x00"+fmt.Sprintf("%011o\x0000000000000\x00", len(e.body)))
	switch h[156] = e.kind; e.kind {
	case 0:
		h[156] = tarFile
	case 'N':
		h[156] = 0
	}
	copy(h[157:257], e.link)
	copy(h[257:], magicUstar)
	if e.magic != "" {
		copy(h[257:265], e.magic)
	}
	copy(h[345:500], e.prefix)
	for at, text := range e.fields {
		copy(h[at:], text)
	}
	copy(h[148:156], "        ")
	sum := 0
	for _, c := range h {
		sum += int(c)
	}
	if e.sum == "" {
		e.sum = "%06o\x00 "
	}
	copy(h[148:156], fmt.Sprintf(e.sum, sum))
	b := append(h, e.body...)
	return append(b, make([]byte, -len(b)&(tarBlock-1))...)
}

// paxOf is an extended header with records such as "path=package/x".
func paxOf(records ...string) []byte {
	return rawEntry{name: "PaxHeader", kind: 'x', body: paxBody(records...)}.bytes()
}

func paxBody(records ...string) string {
	var b strings.Builder
	for _, r := range records {
		n := len(r) + 3
		for len(fmt.Sprint(n))+len(r)+2 != n {
			n++
		}
		fmt.Fprintf(&b, "%d %s\n", n, r)
	}
	return b.String()
}

func manyRecords(n int) (records []string) {
	for i := range n {
		records = append(records, fmt.Sprintf("SCHILY.xattr.user.%d=", i))
	}
	return records
}

func longName(kind byte, name string) []byte {
	return rawEntry{name: "././@LongLink", kind: kind, magic: magicGNU, body: name + "\x00"}.bytes()
}

const evilJSON = `{"name":"evil","version":"6.6.6"}`

var plainPackageJSON = rawEntry{name: "package/package.json", body: uiJSON}.bytes()

type oddArchive struct {
	what  string
	parts [][]byte
}

// oddArchives are archives that the readers of clients and archive/tar read differently, or would.
func oddArchives(t testing.TB) []oddArchive {
	pj := plainPackageJSON
	evil := func(e rawEntry) []byte {
		if e.name == "" {
			e.name = "package/package.json"
		}
		if e.body == "" {
			e.body = evilJSON
		}
		return e.bytes()
	}
	x := func(e rawEntry) []byte { // some file
		if e.name == "" {
			e.name = "package/x"
		}
		return e.bytes()
	}
	hidden := func(e rawEntry) []byte { // a content that some take for headers
		e.body = string(rawEntry{name: "package/package.json", body: evilJSON}.bytes()[:512])
		return e.bytes()
	}
	size := map[int]string{124: "00000001000\x00"}
	return []oddArchive{
		{"a prefix and GNU's magic", [][]byte{pj, evil(rawEntry{prefix: "package/sub", magic: magicGNU})}},
		{"a prefix and version 99", [][]byte{pj, evil(rawEntry{prefix: "package/sub", magic: "ustar\x0099"})}},
		{"a prefix and no version", [][]byte{pj, evil(rawEntry{prefix: "package/sub", magic: "ustar\x00\x00\x00"})}},
		{"a prefix and no magic", [][]byte{pj, evil(rawEntry{prefix: "package/sub", magic: "\x00\x00\x00\x00\x00\x00\x00\x00"})}},
		{"no magic", [][]byte{pj, x(rawEntry{magic: "\x00\x00\x00\x00\x00\x00\x00\x00"})}},
		{"star's magic", [][]byte{pj, x(rawEntry{prefix: "package", fields: map[int]string{508: "tar\x00"}})}},
		{"package.json in a prefix with GNU's magic", [][]byte{rawEntry{prefix: "package", name: "package.json", magic: magicGNU, body: uiJSON}.bytes()}},
		{"a time in GNU's prefix", [][]byte{pj, x(rawEntry{magic: magicGNU, fields: map[int]string{345: "00000000000\x00"}})}},
		{"something behind the end of the prefix", [][]byte{pj, x(rawEntry{name: "x", prefix: "package", fields: map[int]string{360: "x"}})}},
		{"something behind the end of the name", [][]byte{pj, evil(rawEntry{name: "package/x\x00/package.json"})}},
		{"a line behind the end of the name", [][]byte{pj, evil(rawEntry{name: "package/x\x00\npackage.json"})}},
		{"a directory of 512 bytes", [][]byte{pj, hidden(rawEntry{name: "package/d/", kind: tarFolder})}},
		{"a directory of 512 bytes by its extended header", [][]byte{pj, paxOf("size=512"), hidden(rawEntry{name: "package/d/", kind: tarFolder, fields: map[int]string{124: "00000000000\x00"}})}},
		{"a size that only the extended header has", [][]byte{pj, paxOf("size=512"), hidden(rawEntry{name: "package/x", fields: map[int]string{124: "00000000000\x00"}})}},
		{"a size that the extended header takes away", [][]byte{pj, paxOf("size=0"), hidden(rawEntry{name: "package/x"})}},
		{"a file without a kind", [][]byte{pj, x(rawEntry{kind: 'N'})}},
		{"a directory without a kind", [][]byte{pj, hidden(rawEntry{name: "package/d/", kind: 'N'})}},
		{"a file called as a directory", [][]byte{pj, hidden(rawEntry{name: "package/d/"})}},
		{"a file called as a directory by its extended header", [][]byte{pj, paxOf("path=package/d/"), hidden(rawEntry{name: "package/d"})}},
		{"a link with a content", [][]byte{pj, hidden(rawEntry{name: "package/d", kind: tarSymlink, link: "x"})}},
		{"a link with a content by its extended header", [][]byte{pj, paxOf("size=512"), hidden(rawEntry{name: "package/d", kind: tarSymlink, link: "x", fields: map[int]string{124: "00000000000\x00"}})}},
		{"a hard link with a content", [][]byte{pj, hidden(rawEntry{name: "package/d", kind: tarHardLink, link: "package/package.json"})}},
		{"a size in binary", [][]byte{pj, hidden(rawEntry{name: "package/x", fields: map[int]string{124: "\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00"}})}},
		{"a size behind spaces", [][]byte{pj, hidden(rawEntry{name: "package/x", fields: map[int]string{124: "       1000\x00"}})}},
		{"a size that is none", [][]byte{pj, hidden(rawEntry{name: "package/x", fields: map[int]string{124: "000000010x0\x00"}})}},
		{"a size without an end", [][]byte{pj, hidden(rawEntry{name: "package/x", fields: map[int]string{124: "000000001000"}})}},
		{"two sizes", [][]byte{pj, hidden(rawEntry{name: "package/x", fields: map[int]string{124: "1000 0000 0\x00"}})}},
		{"no size", [][]byte{pj, x(rawEntry{fields: map[int]string{124: strings.Repeat("\x00", 12)}})}},
		{"a negative size", [][]byte{pj, x(rawEntry{fields: map[int]string{124: "-0000000001\x00"}})}},
		{"an owner whom node-tar cannot read", [][]byte{pj, hidden(rawEntry{name: "package/x", fields: map[int]string{108: "\x80\xff\xff\xff\xff\xff\xff\xff"}})}},
		{"an owner below zero", [][]byte{pj, hidden(rawEntry{name: "package/x", fields: map[int]string{108: "\xff\xff\xff\xff\xff\xff\xff\xff"}})}},
		{"an owner in another notation", [][]byte{pj, hidden(rawEntry{name: "package/x", fields: map[int]string{108: "\x81\x00\x00\x00\x00\x00\x00\x00"}})}},
		{"a mode that is none", [][]byte{pj, x(rawEntry{fields: map[int]string{100: "0000x44\x00"}})}},
		{"a checksum without an end", [][]byte{pj, hidden(rawEntry{name: "package/x", sum: "%08o"})}},
		{"a checksum that is wrong", [][]byte{pj, x(rawEntry{sum: "1%05o\x00 "})}},
		{"a name twice in an extended header", [][]byte{pj, paxOf("path=package/x", "path=package/package.json"), x(rawEntry{})}},
		{"two extended headers in a row", [][]byte{pj, paxOf("path=package/package.json"), paxOf("mtime=1"), x(rawEntry{})}},
		{"a long name and an extended header", [][]byte{pj, longName(tarLongName, "package/package.json"), paxOf("path=package/x"), x(rawEntry{})}},
		{"an extended header and a long name", [][]byte{pj, paxOf("path=package/x"), longName(tarLongName, "package/package.json"), x(rawEntry{})}},
		{"two long names", [][]byte{pj, longName(tarLongName, "package/package.json"), longName(tarLongName, "package/y"), x(rawEntry{})}},
		{"two long targets", [][]byte{pj, longName(tarLongLink, "a"), longName(tarLongLink, "b"), x(rawEntry{kind: tarSymlink, link: "c"})}},
		{"a long target on a file", [][]byte{pj, longName(tarLongLink, "package/package.json"), x(rawEntry{})}},
		{"a long name without an end", [][]byte{pj, rawEntry{name: "././@LongLink", kind: tarLongName, magic: magicGNU, body: "package/y"}.bytes(), x(rawEntry{})}},
		{"a long name with something behind its end", [][]byte{pj, longName(tarLongName, "package/y\x00\npackage.json"), x(rawEntry{})}},
		{"a long name with a target", [][]byte{pj, rawEntry{name: "././@LongLink", kind: tarLongName, magic: magicGNU, link: "x", body: "package/y\x00"}.bytes(), x(rawEntry{})}},
		{"a long name under another name", [][]byte{pj, rawEntry{name: "package/package.json", kind: tarLongName, magic: magicGNU, body: "package/y\x00"}.bytes(), x(rawEntry{})}},
		{"a long name of POSIX", [][]byte{pj, rawEntry{name: "././@LongLink", kind: tarLongName, body: "package/y\x00"}.bytes(), x(rawEntry{})}},
		{"an empty long name", [][]byte{pj, longName(tarLongName, ""), x(rawEntry{})}},
		{"an empty name in an extended header", [][]byte{pj, paxOf("path="), evil(rawEntry{name: "package/x"})}},
		{"an empty name", [][]byte{pj, paxOf("path=package/x"), rawEntry{body: evilJSON}.bytes()}},
		{"an empty name with a prefix", [][]byte{rawEntry{prefix: "package/package.json", body: uiJSON}.bytes()}},
		{"a target on a file", [][]byte{pj, x(rawEntry{link: "package.json"})}},
		{"a target on a file by its extended header", [][]byte{pj, paxOf("linkpath=package.json"), x(rawEntry{})}},
		{"a target on a directory", [][]byte{pj, x(rawEntry{name: "package/d/", kind: tarFolder, link: "package.json"})}},
		{"a target on an extended header", [][]byte{pj, rawEntry{name: "PaxHeader", kind: tarPAX, link: "x", body: paxBody("path=package/y")}.bytes(), x(rawEntry{})}},
		{"an extended header of GNU's", [][]byte{pj, rawEntry{name: "PaxHeader", kind: tarPAX, magic: magicGNU, body: paxBody("path=package/y")}.bytes(), x(rawEntry{})}},
		{"an empty extended header", [][]byte{pj, rawEntry{name: "PaxHeader", kind: tarPAX}.bytes(), x(rawEntry{})}},
		{"an extended header that is too long", [][]byte{pj, paxOf("comment=" + strings.Repeat("x", maxExtension)), x(rawEntry{})}},
		{"an extended header without an entry", [][]byte{pj, paxOf("path=package/y")}},
		{"an extended header without an entry or an end", [][]byte{pj, paxOf("path=package/y"), nil}},
		{"a long name without an entry", [][]byte{pj, longName(tarLongName, "package/y")}},
		{"a record with a line in it", [][]byte{pj, paxOf("comment=x\n29 path=package/package.json"), x(rawEntry{})}},
		{"a name with a line in it", [][]byte{pj, paxOf("path=package/x\ny"), x(rawEntry{})}},
		{"a name with a NUL in an extended header", [][]byte{pj, paxOf("path=package/package.json\x00x"), x(rawEntry{})}},
		{"a record with a wrong length", [][]byte{pj, rawEntry{name: "PaxHeader", kind: tarPAX, body: "12 path=package/package.json\n"}.bytes(), x(rawEntry{})}},
		{"a record with a length of zeros", [][]byte{pj, rawEntry{name: "PaxHeader", kind: tarPAX, body: "018 path=package/x\n"}.bytes(), x(rawEntry{})}},
		{"a record without a line's end", [][]byte{pj, rawEntry{name: "PaxHeader", kind: tarPAX, body: "17 path=package/x."}.bytes(), x(rawEntry{})}},
		{"a record without a value", [][]byte{pj, paxOf("path"), x(rawEntry{})}},
		{"a record too many", [][]byte{pj, paxOf(manyRecords(maxRecords + 1)...), x(rawEntry{})}},
		{"the record type", [][]byte{pj, paxOf("type=Directory"), x(rawEntry{})}},
		{"the record mode", [][]byte{pj, paxOf("mode=NaN"), x(rawEntry{})}},
		{"the record mtime, not a number", [][]byte{pj, paxOf("mtime=now"), x(rawEntry{})}},
		{"another alphabet", [][]byte{pj, paxOf("hdrcharset=ISO-IR 10646 2000 UTF-8"), x(rawEntry{})}},
		{"a sparse file", [][]byte{pj, paxOf("GNU.sparse.name=package/package.json"), x(rawEntry{})}},
		{"a global header with a mode", [][]byte{rawEntry{name: "g", kind: tarGlobal, body: paxBody("mode=0")}.bytes(), pj}},
		{"a global header between a header and its entry", [][]byte{pj, paxOf("path=package/y"), rawEntry{name: "g", kind: tarGlobal, body: paxBody("comment=x")}.bytes(), x(rawEntry{})}},
		{"a short name that is package.json", [][]byte{pj, paxOf("path=package/é"), evil(rawEntry{})}},
		{"a short name that becomes package.json", [][]byte{pj, paxOf("path=package/é"), evil(rawEntry{name: "package//package.json"})}},
		{"a short name at the top that is package.json", [][]byte{pj, longName(tarLongName, "package/"+strings.Repeat("y", 120)), evil(rawEntry{name: "package.json"})}},
		{"package.json by an extended header only", [][]byte{paxOf("path=package/package.json"), x(rawEntry{body: uiJSON})}},
		{"package.json by a long name only", [][]byte{longName(tarLongName, "package/package.json"), x(rawEntry{body: uiJSON})}},
		{"npm-shrinkwrap.json by an extended header only", [][]byte{pj, paxOf("path=package/npm-shrinkwrap.json"), x(rawEntry{})}},
		{"a link at the root", [][]byte{x(rawEntry{name: "package", kind: tarSymlink, link: "./package"}), pj}},
		{"a link at the root, with a slash", [][]byte{x(rawEntry{name: "package/", kind: tarSymlink, link: "./package"}), pj}},
		{"a file at the root", [][]byte{x(rawEntry{name: "package"}), pj}},
		{"a file that is a directory, too", [][]byte{pj, x(rawEntry{name: "package/a"}), x(rawEntry{name: "package/a/b"})}},
		{"a directory that is a file, too", [][]byte{pj, x(rawEntry{name: "package/a/b/c"}), x(rawEntry{name: "package/a"})}},
		{"a directory by its own entry that is a file, too", [][]byte{pj, x(rawEntry{name: "package/a/", kind: tarFolder}), x(rawEntry{name: "package/a"})}},
		{"package.json that is a directory, too", [][]byte{pj, x(rawEntry{name: "package/package.json/x"})}},
		{"package.json that was a directory", [][]byte{x(rawEntry{name: "package/package.json/x"}), pj}},
		{"a file in a link", [][]byte{pj, x(rawEntry{name: "package/a", kind: tarSymlink, link: "."}), evil(rawEntry{name: "package/a/package.json"})}},
		{"a link in whose place a file comes", [][]byte{pj, x(rawEntry{name: "package/a", kind: tarSymlink, link: "package.json"}), evil(rawEntry{name: "package/a"})}},
		{"a hard link in whose place a file comes", [][]byte{pj, x(rawEntry{name: "package/a", kind: tarHardLink, link: "package/package.json"}), evil(rawEntry{name: "package/a"})}},
		{"a hard link to nothing", [][]byte{pj, x(rawEntry{kind: tarHardLink, link: "package/y"})}},
		{"a hard link to a directory", [][]byte{pj, x(rawEntry{name: "package/y/", kind: tarFolder}), x(rawEntry{kind: tarHardLink, link: "package/y"})}},
		{"a hard link to what follows", [][]byte{x(rawEntry{kind: tarHardLink, link: "package/package.json"}), pj}},
		{"a file twice", [][]byte{pj, x(rawEntry{}), x(rawEntry{size: 1})}},
		{"a drive for a root", [][]byte{rawEntry{name: "C:/package.json", body: uiJSON}.bytes()}},
		{"a drive below the root", [][]byte{pj, evil(rawEntry{name: "package/C:/package.json"})}},
		{"a drive before a name", [][]byte{pj, evil(rawEntry{name: "package/c:package.json"})}},
		{"a pattern of files outside", [][]byte{pj, x(rawEntry{name: "package/{..,x}/{..,x}/src"})}},
		{"a pattern of files outside, over folders", [][]byte{pj, x(rawEntry{name: "package/{a/b,.}./src"})}},
		{"a pattern with a range", [][]byte{pj, x(rawEntry{name: "package/a/{a..z}"})}},
		{"a pattern as a directory", [][]byte{pj, x(rawEntry{name: "package/{.,}./", kind: tarFolder})}},
		{"a pattern of all files", [][]byte{pj, x(rawEntry{name: "package/*"})}},
		{"a pattern of short names", [][]byte{pj, x(rawEntry{name: "package/d/?"})}},
		{"a pattern of package.json", [][]byte{pj, x(rawEntry{name: "package/[p]ackage.json"})}},
		{"another pattern of package.json", [][]byte{pj, x(rawEntry{name: "package/@(package).json"})}},
		{"Package.json beside it", [][]byte{pj, evil(rawEntry{name: "package/Package.json"})}},
		{"PACKAGE.JSON as a directory", [][]byte{pj, evil(rawEntry{name: "package/PACKAGE.JSON/x"})}},
		{"package.json with the sign for Kelvin", [][]byte{pj, evil(rawEntry{name: "package/pac\u212aage.json"})}},
		{"package.json with a long s", [][]byte{pj, evil(rawEntry{name: "package/package.j\u017fon"})}},
		{"package.json with what is not seen", [][]byte{pj, evil(rawEntry{name: "package/pack\u200cage.json"})}},
		{"package.json with a dot behind", [][]byte{pj, evil(rawEntry{name: "package/package.json. ."})}},
		{"package.json as a stream", [][]byte{pj, evil(rawEntry{name: "package/package.json::$DATA"})}},
		{"package.json as Windows shortens it", [][]byte{pj, evil(rawEntry{name: "package/PACKAG~1.JSO"})}},
		{"Binding.gyp", [][]byte{pj, x(rawEntry{name: "package/Binding.gyp"})}},
		{"a name that is not UTF-8", [][]byte{pj, x(rawEntry{name: "package/\xff"})}},
		{"a name that is too long", [][]byte{pj, paxOf("path=package/" + strings.Repeat("x", maxPath)), x(rawEntry{})}},
		{"a kind unknown", [][]byte{pj, x(rawEntry{kind: 'N' + 1, fields: size})}},
	}
}

func TestArchivesThatReadersDisagreeAbout(t *testing.T) {
	for _, c := range oddArchives(t) {
		t.Run(c.what, func(t *testing.T) {
			end := make([]byte, 1024)
			if len(c.parts) > 0 && c.parts[len(c.parts)-1] == nil {
				end = nil
			}
			_, err := inspected(t, gzipped(t, append(bytes.Join(c.parts, nil), end...)), DefaultLimits)
			var invalid *Invalid
			if !errors.As(err, &invalid) || strings.Contains(invalid.Problem, "no package.json") {
				t.Errorf("got %v, want an *Invalid", err)
			}
		})
	}
}

// What packing writes. The forms were seen in archives by npm 10 to 12, pnpm 10 and 12, yarn 1 and 4, bun, GNU tar, bsdtar,
// git archive and Python.
func TestArchivesAsTheyArePacked(t *testing.T) {
	long := "package/lib/" + strings.Repeat("d", 60) + "/" + strings.Repeat("x", 60) + "é.js"
	deep := "package/" + strings.Repeat(strings.Repeat("d", 60)+"/", 5) + "x.js"
	padding := func(f string) map[int]string { // how npm, yarn and bun end numbers
		return map[int]string{100: "000644 \x00", 108: strings.Repeat("\x00", 16), 124: "00000000000" + f, 136: "00000000000 "}
	}
	pj := plainPackageJSON
	for _, c := range []struct {
		what  string
		parts [][]byte
		names []string // beside package.json
	}{
		{"npm", [][]byte{
			rawEntry{name: "package/package.json", body: uiJSON, sum: "%06o \x00"}.bytes(),
			paxOf("path="+deep, "mtime=499162500", "size=2"), rawEntry{name: "x.js", prefix: "package/" + strings.Repeat("d", 60), body: "1\n", sum: "%06o \x00"}.bytes(),
			rawEntry{name: "package/b.js", kind: tarHardLink, link: "package/package.json"}.bytes(),
			rawEntry{name: "package/empty.js", fields: map[int]string{100: "000644 \x00", 108: strings.Repeat("\x00", 16), 124: "0000000000 \x00", 136: "3560116604 \x00"}}.bytes(),
		}, []string{deep, "package/b.js", "package/empty.js"}},
		{"pnpm 12", [][]byte{
			pj, longName(tarLongName, long), rawEntry{name: strings.Repeat("x", 60), prefix: "package/lib/" + strings.Repeat("d", 60), sum: "%07o\x00", fields: map[int]string{100: "0100644\x00"}}.bytes(),
			rawEntry{name: "package/link.js", kind: tarSymlink, link: "package.json"}.bytes(),
		}, []string{long, "package/link.js"}},
		{"pnpm 10, yarn 1 and yarn 4", [][]byte{
			rawEntry{name: "package/", kind: tarFolder}.bytes(), pj, paxOf("path=" + long), rawEntry{name: long[:100], fields: padding(" ")}.bytes(),
		}, []string{"package/", long}},
		{"bun", [][]byte{pj, paxOf("hdrcharset=BINARY", "path="+long), rawEntry{name: long[:80], fields: padding(" ")}.bytes()}, []string{long}},
		{"GNU tar", [][]byte{
			rawEntry{name: "package/", kind: tarFolder, magic: magicGNU}.bytes(), rawEntry{name: "package/package.json", magic: magicGNU, body: uiJSON}.bytes(),
			longName(tarLongLink, deep[len("package/"):]), longName(tarLongName, long), rawEntry{name: long[:100], magic: magicGNU, kind: tarSymlink, link: deep[:100]}.bytes(),
			rawEntry{name: "package/owned", magic: magicGNU, fields: map[int]string{108: "\x80\x00\x00\x00\x7f\xff\xff\xff"}}.bytes(),
		}, []string{"package/", long, "package/owned"}},
		{"GNU tar as POSIX wants it, bsdtar and git archive", [][]byte{
			rawEntry{name: "pax_global_header", kind: tarGlobal, body: paxBody("comment=6eb35545")}.bytes(), paxOf(manyRecords(maxRecords)...), rawEntry{name: "package/attributes"}.bytes(), paxOf("mtime=1795184074.96", "atime=1", "ctime=1795184074.974160926", "SCHILY.xattr.user.x=\x00\xff="), pj,
			paxOf("path="+deep, "linkpath=../../../../../"+deep[8:]), rawEntry{name: deep[:100], kind: tarSymlink, link: "x"}.bytes(),
			rawEntry{name: "x", prefix: "package/" + strings.Repeat("p", 140)}.bytes(),
		}, []string{"package/attributes", deep, "package/" + strings.Repeat("p", 140) + "/x"}},
	} {
		t.Run(c.what, func(t *testing.T) {
			plain := append(bytes.Join(c.parts, nil), make([]byte, 1024)...)
			if _, err := inspected(t, gzipped(t, plain), DefaultLimits); err != nil {
				t.Error(err)
			}
			r, theirs, names := &tarReader{r: bytes.NewReader(plain)}, tar.NewReader(bytes.NewReader(plain)), []string{}
			for {
				e, err := r.next()
				if err == io.EOF {
					break
				}
				h, err2 := theirs.Next()
				if err != nil || err2 != nil {
					t.Fatal(err, err2)
				}
				if e.kind == tarGlobal {
					continue
				}
				if h.Name != e.name || h.Size != e.size || h.Linkname != e.link || h.Typeflag != e.kind {
					t.Errorf("%+v, but archive/tar: %+v", e, h)
				}
				if e.name != "package/package.json" {
					names = append(names, e.name)
				}
			}
			if fmt.Sprint(names) != fmt.Sprint(c.names) {
				t.Errorf("found %q, want %q", names, c.names)
			}
		})
	}
}
