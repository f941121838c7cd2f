package packument

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha1"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"
)

// file is an entry of a test's tarball. A name that ends in a slash is a directory.
type file struct {
	name, body string
	header     tar.Header // what differs from a plain file
}

// archive packs entries as npm does: ustar headers where they suffice, one date.
func archive(t testing.TB, files ...file) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range files {
		h := f.header
		h.Name = f.name
		if h.Typeflag == 0 {
			h.Typeflag = tar.TypeReg
			if strings.HasSuffix(f.name, "/") {
				h.Typeflag = tar.TypeDir
			}
		}
		if h.Typeflag == tar.TypeReg && h.Size == 0 {
			h.Size = int64(len(f.body))
		}
		if h.Typeflag != tar.TypeXGlobalHeader {
			h.Mode, h.ModTime = 0o644, time.Date(1985, 10, 26, 8, 15, 0, 0, time.UTC)
		}
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, f.body); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func gzipped(t testing.TB, p []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(p); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// pack makes a tarball of a package.json and more files in package/.
func pack(t testing.TB, packageJSON string, more ...file) []byte {
	t.Helper()
	return gzipped(t, archive(t, append([]file{{name: "package/package.json", body: packageJSON}}, more...)...))
}

func shasum(p []byte) string { s := sha1.Sum(p); return hex.EncodeToString(s[:]) }

func integrity(p []byte) string {
	s := sha512.Sum512(p)
	return "sha512-" + base64.StdEncoding.EncodeToString(s[:])
}

var (
	ui     = Name{Scope: "acme", Base: "ui"}
	ada    = Publisher{Name: "ada", Email: "ada@example.com"}
	uiJSON = `{"name":"@acme/ui","version":"1.0.0"}`
)

// body is a publish of @acme/ui@1.0.0 as npm 11 sends it, with the parts that tests change.
type body struct {
	top        string // members at the top, before versions
	tags       string
	version    string // the key in versions
	manifest   string // members of the manifest
	dist       string
	attachment string // name
	length     string // member
	data       string // base64
	more       string // further attachments, with a comma before
}

func npmBody(t testing.TB) body {
	return bodyFor(pack(t, uiJSON))
}

func bodyFor(tgz []byte) body {
	return body{
		top:     `"_id":"@acme/ui","name":"@acme/ui","description":"buttons","access":null`,
		tags:    `{"latest":"1.0.0"}`,
		version: "1.0.0",
		manifest: `"name":"@acme/ui","version":"1.0.0","repository":{"type":"git","url":"git+https://github.com/acme/ui.git"},` +
			`"_id":"@acme/ui@1.0.0","_nodeVersion":"24.0.0","_npmVersion":"11.19.1"`,
		dist:       fmt.Sprintf(`{"integrity":%q,"shasum":%q,"tarball":"http://localhost:3000/@acme/ui/-/@acme/ui-1.0.0.tgz"}`, integrity(tgz), shasum(tgz)),
		attachment: "@acme/ui-1.0.0.tgz",
		length:     fmt.Sprintf(`"length":%d`, len(tgz)),
		data:       base64.StdEncoding.EncodeToString(tgz),
	}
}

func (b body) String() string {
	return `{` + b.top + `,"dist-tags":` + b.tags + `,"versions":{"` + b.version + `":{` + b.manifest + `,"dist":` + b.dist + `}},` +
		`"_attachments":{"` + b.attachment + `":{"content_type":"application/octet-stream","data":"` + b.data + `",` + b.length + `}` + b.more + `}}`
}

// read reads a publish of @acme/ui that should pass, and closes it at the end of the test.
func read(t testing.TB, want Name, body string) *Upload {
	t.Helper()
	u, err := ReadPublish(t.Context(), strings.NewReader(body), want, DefaultLimits, t.TempDir())
	if err != nil {
		t.Fatalf("ReadPublish: %v", err)
	}
	t.Cleanup(func() {
		if err := u.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return u
}

// tree is JSON as a tree, for comparing documents without regard to order.
func tree(t testing.TB, text []byte) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatalf("not JSON: %v\n%s", err, text)
	}
	return v
}
