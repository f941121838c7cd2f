package packument

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"strings"
	"testing"
)

// inspected spools a tarball of @acme/ui@1.0.0 and inspects it as a publish does.
func inspected(t testing.TB, tgz []byte, lim Limits) (contents, error) {
	t.Helper()
	s := newSpool(t.TempDir())
	defer s.Close()
	if _, err := s.Write(tgz); err != nil {
		t.Fatal(err)
	}
	c, err := inspect(t.Context(), s, lim)
	if err != nil {
		return c, err
	}
	return c, c.readPackageJSON(ui, "1.0.0")
}

func TestInspect(t *testing.T) {
	packageJSON := file{name: "package/package.json", body: uiJSON}
	long := "package/" + strings.Repeat("d/", 100) + "x.js"
	link := func(name, target string) file {
		return file{name: name, header: tar.Header{Typeflag: tar.TypeSymlink, Linkname: target}}
	}
	hard := func(name, target string) file {
		return file{name: name, header: tar.Header{Typeflag: tar.TypeLink, Linkname: target}}
	}
	kind := func(flag byte) file { return file{name: "package/x", header: tar.Header{Typeflag: flag}} }
	global := func(records map[string]string) file {
		return file{name: "pax_global_header", header: tar.Header{Typeflag: tar.TypeXGlobalHeader, PAXRecords: records}}
	}
	for _, c := range []struct {
		what    string
		files   []file
		problem string // empty: taken
	}{
		{"one file", []file{packageJSON}, ""},
		{"package.json last", []file{{name: "package/a.js", body: "1"}, packageJSON}, ""},
		{"another root", []file{{name: "ui-main/package.json", body: uiJSON}, {name: "ui-main/lib/x", body: "1"}}, ""},
		{"directories", []file{{name: "package/"}, {name: "package/lib/"}, packageJSON, {name: "package/lib/x", body: "1"}}, ""},
		{"package.json of others inside", []file{packageJSON, {name: "package/lib/package.json", body: `{"name":"x"}`}, {name: "package/node_modules/x/package.json", body: `?`}}, ""},
		{"long and wide names", []file{packageJSON, {name: long, body: "1"}, {name: "package/é.js", body: "1"}}, ""},
		{"dots and spaces in names", []file{packageJSON, {name: "package/..a", body: "1"}, {name: "package/a b...", body: "1"}}, ""},
		{"brackets in names", []file{packageJSON, {name: "package/pages/[id].js"}, {name: "package/pages/@(a)/[...all].js"}, {name: "package/{{name}}/{a}.js"}, {name: "package/a,b}{.js"}}, ""},
		{"empty file", []file{packageJSON, {name: "package/.npmignore"}}, ""},
		{"git archive", []file{global(map[string]string{"comment": "6eb35545"}), packageJSON}, ""},
		{"byte order mark", []file{{name: "package/package.json", body: "\ufeff" + uiJSON}}, ""},
		{"version npm would clean", []file{{name: "package/package.json", body: `{"name":"@acme/ui","version":" v1.0.0+b "}`}}, ""},
		{"script twice", []file{{name: "package/package.json", body: `{"name":"@acme/ui","version":"1.0.0","scripts":{"a":"1","a":"2"}}`}}, ""},
		{"link inside", []file{packageJSON, {name: "package/a/x", body: "1"}, link("package/b/x", "../a/x"), link("package/c", "./a/x"), hard("package/d", "package/a/x")}, ""},

		{"nothing", nil, "no package.json"},
		{"no package.json", []file{{name: "package/index.js", body: "1"}}, "no package.json"},
		{"package.json too deep", []file{{name: "package/package/package.json", body: uiJSON}}, "no package.json"},
		{"package.json too high", []file{{name: "package.json", body: uiJSON}}, "directory is expected"},
		{"Package.json", []file{{name: "package/Package.json", body: uiJSON}}, "some systems take for"},
		{"two package.json", []file{packageJSON, packageJSON}, "two package.json"},
		{"two package.json, one spelled oddly", []file{packageJSON, {name: "package/./package.json", body: uiJSON}}, "in its path"},
		{"two roots", []file{packageJSON, {name: "evil/package.json", body: uiJSON}}, "top-level directory"},
		{"file beside the root", []file{packageJSON, {name: "._package", body: "1"}}, "top-level directory"},
		{"package.json is a directory", []file{{name: "package/package.json/"}}, "no file"},
		{"package.json is a link", []file{{name: "package/a", body: uiJSON}, link("package/package.json", "a")}, "no file"},
		{"absolute", []file{packageJSON, {name: "/etc/passwd", body: "1"}}, "absolute"},
		{"parent", []file{packageJSON, {name: "package/../../x", body: "1"}}, "in its path"},
		{"root .", []file{{name: "./package.json", body: uiJSON}, {name: "./lib/package.json", body: evilJSON}}, "in its path"},
		{"parent as root", []file{{name: "../package.json", body: uiJSON}}, "in its path"},
		{"backslash", []file{packageJSON, {name: `package/..\..\x`, body: "1"}}, "backslash"},
		{"empty part", []file{packageJSON, {name: "package//x", body: "1"}}, "in its path"},
		{"link to the outside", []file{packageJSON, link("package/x", "../y")}, "link"},
		{"link to the outside, far", []file{packageJSON, link("package/a/x", "../../../etc/passwd")}, "link"},
		{"link to the outside, absolute", []file{packageJSON, link("package/x", "/etc/passwd")}, "link"},
		{"link to the outside through a link", []file{packageJSON, link("package/a", "."), link("package/b", "a/../..")}, "link"},
		{"link to a name that begins alike", []file{packageJSON, link("package/x", "../packages/y")}, "link"},
		{"link to nothing", []file{packageJSON, link("package/x", "")}, "link"},
		{"hard link to the outside", []file{packageJSON, hard("package/x", "etc/passwd")}, "link"},
		{"hard link to the parent", []file{packageJSON, hard("package/x", "../package/y")}, "link"},
		{"device", []file{packageJSON, kind(tar.TypeChar)}, "neither"},
		{"block device", []file{packageJSON, kind(tar.TypeBlock)}, "neither"},
		{"fifo", []file{packageJSON, kind(tar.TypeFifo)}, "neither"},
		{"global path", []file{packageJSON, global(map[string]string{"path": "package/x"})}, "not all clients"},
		{"global size", []file{packageJSON, global(map[string]string{"size": "1"})}, "not all clients"},
		{"another name", []file{{name: "package/package.json", body: `{"name":"@acme/x","version":"1.0.0"}`}}, "must be"},
		{"no name", []file{{name: "package/package.json", body: `{"version":"1.0.0"}`}}, "not there"},
		{"another version", []file{{name: "package/package.json", body: `{"name":"@acme/ui","version":"1.0.1"}`}}, "must be"},
		{"no version", []file{{name: "package/package.json", body: `{"name":"@acme/ui"}`}}, "not there"},
		{"name twice", []file{{name: "package/package.json", body: `{"name":"@acme/x","version":"1.0.0","name":"@acme/ui"}`}}, "twice"},
		{"name in two cases", []file{{name: "package/package.json", body: `{"name":"@acme/ui","version":"1.0.0","Name":"@acme/x"}`}}, "both"},
		{"package.json is no JSON", []file{{name: "package/package.json", body: `name: ui`}}, "not JSON"},
		{"package.json is empty", []file{{name: "package/package.json"}}, "ends in the middle"},
		{"package.json is no object", []file{{name: "package/package.json", body: `[]`}}, "not an object"},
	} {
		t.Run(c.what, func(t *testing.T) {
			found, err := inspected(t, gzipped(t, archive(t, c.files...)), DefaultLimits)
			if c.problem == "" {
				if err != nil {
					t.Fatal(err)
				}
				files, size := 0, 0
				for _, f := range c.files {
					if f.header.Typeflag == 0 && !strings.HasSuffix(f.name, "/") {
						files, size = files+1, size+len(f.body)
					}
				}
				if found.FileCount != files || found.UnpackedSize != int64(size) {
					t.Errorf("%d files of %d bytes, want %d of %d", found.FileCount, found.UnpackedSize, files, size)
				}
				return
			}
			var invalid *Invalid
			if !errors.As(err, &invalid) || !strings.Contains(invalid.Problem, c.problem) {
				t.Errorf("got %v; want an *Invalid that says %q", err, c.problem)
			}
		})
	}
}

func TestInspectFindsSpecialFiles(t *testing.T) {
	packageJSON := file{name: "package/package.json", body: uiJSON}
	for _, c := range []struct {
		files           []file
		shrinkwrap, gyp bool
	}{
		{nil, false, false},
		{[]file{{name: "package/npm-shrinkwrap.json", body: "{}"}}, true, false},
		{[]file{{name: "package/binding.gyp", body: "{}"}}, false, true},
		{[]file{{name: "package/lib/npm-shrinkwrap.json", body: "{}"}, {name: "package/src/binding.gyp", body: "{}"}, {name: "package/binding.gyp/"}}, false, false},
	} {
		found, err := inspected(t, gzipped(t, archive(t, append(c.files, packageJSON)...)), DefaultLimits)
		if err != nil || found.HasShrinkwrap != c.shrinkwrap || found.HasBindingGyp != c.gyp {
			t.Errorf("%v: %t, %t, %v", c.files, found.HasShrinkwrap, found.HasBindingGyp, err)
		}
	}
}

// What the archive's ends look like: clients differ about everything but zeros.
func TestInspectEnds(t *testing.T) {
	plain := archive(t, file{name: "package/package.json", body: uiJSON})
	whole := gzipped(t, plain)
	zeros := make([]byte, 10240)
	damaged := bytes.Clone(whole)
	damaged[len(damaged)-8] ^= 1                   // the checksum
	entry := plain[:1024]                          // header and content, no end
	sized := func(flag byte, name string) []byte { // an entry with a content, which archive/tar would not write
		return rawEntry{name: name, kind: flag, size: 512}.bytes()
	}
	for _, c := range []struct {
		what string
		tgz  []byte
		ok   bool
	}{
		{"as packed", whole, true},
		{"padded as GNU tar does", gzipped(t, append(bytes.Clone(plain), zeros...)), true},
		{"zeros behind the gzip stream", append(bytes.Clone(whole), zeros...), true},
		{"without the end of the archive", gzipped(t, entry), false},
		{"with half of its end", gzipped(t, plain[:1536]), true},
		{"a gzip header with flags unknown", append([]byte{0x1f, 0x8b, 8, 0xe0}, whole[4:]...), false},
		{"an end that is cut", gzipped(t, plain[:len(plain)-1]), false},
		{"something behind the archive", gzipped(t, append(bytes.Clone(plain), entry...)), false},
		{"something far behind the archive", gzipped(t, append(append(bytes.Clone(plain), zeros...), 1)), false},
		{"something behind the gzip stream", append(bytes.Clone(whole), 'x'), false},
		{"something far behind the gzip stream", append(append(bytes.Clone(whole), zeros...), 'x'), false},
		{"a second gzip member", append(bytes.Clone(whole), whole...), false},
		{"an empty second gzip member", append(bytes.Clone(whole), gzipped(t, nil)...), false},
		{"the archive in two gzip members", append(gzipped(t, plain[:512]), gzipped(t, plain[512:])...), false},
		{"not gzipped", plain, false},
		{"gzip of no archive", gzipped(t, []byte("hello")), false},
		{"gzip of nothing", gzipped(t, nil), false},
		{"nothing", nil, false},
		{"wrong checksum", damaged, false},
		{"a file of zeros", gzipped(t, append(sized(tar.TypeReg, "package/x"), plain...)), true},
		{"a file with a slash behind its name", gzipped(t, append(sized(tar.TypeReg, "package/x/"), plain...)), false},
		{"a link with a content", gzipped(t, append(sized(tar.TypeSymlink, "package/x"), plain...)), false},
		{"a contiguous file", gzipped(t, append(sized(tar.TypeCont, "package/x"), plain...)), false},
		{"a kind of entry unknown", gzipped(t, append(sized('Z', "package/x"), plain...)), false},
	} {
		t.Run(c.what, func(t *testing.T) {
			_, err := inspected(t, c.tgz, DefaultLimits)
			var invalid *Invalid
			if c.ok && err != nil || !c.ok && !errors.As(err, &invalid) {
				t.Errorf("got %v, want ok = %t", err, c.ok)
			}
		})
	}
	for n := range whole {
		if _, err := inspected(t, whole[:n], DefaultLimits); err == nil {
			t.Fatalf("cut after %d of %d bytes, it was taken", n, len(whole))
		}
	}
}

// A bomb is put down at the limit, not after it went off: zeros are the worst that deflate can be made to inflate to.
func TestInspectBomb(t *testing.T) {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	w := tar.NewWriter(z)
	const size = 64 << 20
	if err := w.WriteHeader(&tar.Header{Name: "package/zeros", Typeflag: tar.TypeReg, Size: size, Mode: 0o644}); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(w, io.LimitReader(zeroReader{}, size)); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		lim   Limits
		limit int64
	}{
		{Limits{Unpacked: 48 << 20, Entries: 10, Ratio: 2000}, 48 << 20},
		{Limits{Unpacked: 1 << 30, Entries: 10, Ratio: 700}, int64(b.Len()) * 700},
		{Limits{Unpacked: 1 << 30, Entries: 10, Ratio: 1}, ratioFrom},
	} {
		_, err := inspected(t, b.Bytes(), c.lim)
		var large *TooLarge
		if !errors.As(err, &large) || large.Limit != c.limit {
			t.Errorf("%+v: %v", c.lim, err)
		}
	}
	var invalid *Invalid
	if _, err := inspected(t, b.Bytes(), Limits{Unpacked: 1 << 30, Entries: 10, Ratio: 2000}); !errors.As(err, &invalid) || !strings.Contains(invalid.Problem, "no package.json") {
		t.Errorf("within limits: %v", err)
	}
}

type zeroReader struct{}

func (zeroReader) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// FuzzInspect mutates the archive inside an intact gzip stream, whose checksum would stop the mutations. What is taken
// must lie in one directory.
func FuzzInspect(f *testing.F) {
	packageJSON := file{name: "package/package.json", body: uiJSON}
	f.Add(archive(f, packageJSON))
	f.Add(archive(f, file{name: "package/"}, file{name: "package/lib/a.js", body: "1"}, packageJSON, file{name: "package/x", header: tar.Header{Typeflag: tar.TypeSymlink, Linkname: "lib/a.js"}}))
	f.Add(archive(f, packageJSON, file{name: "package/" + strings.Repeat("d/", 100) + "é.js", body: "1"}, file{name: "package/binding.gyp"}))
	f.Add(archive(f, file{name: "g", header: tar.Header{Typeflag: tar.TypeXGlobalHeader, PAXRecords: map[string]string{"comment": "x"}}}, packageJSON))
	for _, c := range oddArchives(f) {
		f.Add(bytes.Join(c.parts, nil))
	}
	f.Add(bytes.Join([][]byte{longName(tarLongName, "package/"+strings.Repeat("n", 120)), rawEntry{name: "package/n", magic: magicGNU}.bytes(), plainPackageJSON, make([]byte, 1024)}, nil))
	lim := Limits{Unpacked: 1 << 20, Entries: 50, PackageJSON: 1 << 12, Ratio: 100}
	f.Fuzz(func(t *testing.T, plain []byte) {
		s := newSpool("/nonexistent")
		z := gzip.NewWriter(s)
		if _, err := z.Write(plain); err != nil || z.Close() != nil {
			t.Skip("too large for this test")
		}
		found, err := inspect(t.Context(), s, lim)
		if err != nil {
			var invalid *Invalid
			var large *TooLarge
			if !errors.As(err, &invalid) && !errors.As(err, &large) {
				t.Fatal(err)
			}
			return
		}
		// archive/tar is to find what we found, to the byte, and all in one directory.
		files, size, root := 0, int64(0), ""
		ours, theirs := &tarReader{r: bytes.NewReader(plain)}, tar.NewReader(bytes.NewReader(plain))
		for {
			e, err := ours.next()
			h, err2 := theirs.Next()
			if err != nil || err2 != nil {
				if err != io.EOF || err2 != io.EOF {
					t.Fatalf("%v, but archive/tar: %v", err, err2)
				}
				break
			}
			if h.Typeflag != e.kind || e.kind != tarGlobal && (h.Name != e.name || h.Linkname != e.link || h.Size != e.size) {
				t.Fatalf("%+v, but archive/tar: %+v", e, h)
			}
			if e.kind == tarGlobal {
				continue
			}
			a, err := io.ReadAll(ours)
			b, err2 := io.ReadAll(theirs)
			if err != nil || err2 != nil || !bytes.Equal(a, b) || int64(len(a)) != e.size {
				t.Fatalf("%q has %q, %v, but with archive/tar %q, %v", e.name, a, err, b, err2)
			}
			if e.kind == tarFile {
				files, size = files+1, size+e.size
			}
			top, inside, _ := strings.Cut(e.name, "/")
			if root == "" {
				root = top
			}
			if top != root || strings.Contains("/"+e.name+"/", "/../") || strings.HasPrefix(e.name, "/") {
				t.Fatalf("an archive with %q was taken", e.name)
			}
			if inside == "package.json" && !bytes.Equal(a, found.PackageJSON) {
				t.Fatalf("package.json is %q, and found was %q", a, found.PackageJSON)
			}
		}
		if found.FileCount != files || found.UnpackedSize != size {
			t.Fatalf("%d files of %d bytes, want %d of %d", found.FileCount, found.UnpackedSize, files, size)
		}
	})
}
