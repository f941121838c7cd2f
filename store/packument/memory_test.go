package packument

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
)

// large streams a publish of @acme/ui@1.0.0 with a tarball of about n bytes, which is never in memory. compressible
// content costs more to inspect.
func large(n int64, compressible bool) io.Reader {
	data, w := io.Pipe()
	go func() {
		to64 := base64.NewEncoder(base64.StdEncoding, w)
		level, content := gzip.NoCompression, io.Reader(rand.NewChaCha8([32]byte{}))
		if compressible {
			level, content, n = gzip.BestSpeed, text{}, n*5
		}
		z, err := gzip.NewWriterLevel(to64, level)
		archive := tar.NewWriter(z)
		err = errors.Join(err, archive.WriteHeader(&tar.Header{Name: "package/package.json", Typeflag: tar.TypeReg, Size: int64(len(uiJSON)), Mode: 0o644}))
		_, err2 := io.WriteString(archive, uiJSON)
		err3 := archive.WriteHeader(&tar.Header{Name: "package/content", Typeflag: tar.TypeReg, Size: n, Mode: 0o644})
		_, err4 := io.CopyN(archive, content, n)
		w.CloseWithError(errors.Join(err, err2, err3, err4, archive.Close(), z.Close(), to64.Close()))
	}()
	return io.MultiReader(
		strings.NewReader(`{"name":"@acme/ui","dist-tags":{"latest":"1.0.0"},"_attachments":{"@acme/ui-1.0.0.tgz":{"data":"`), data,
		strings.NewReader(`"}},"versions":{"1.0.0":{"name":"@acme/ui","version":"1.0.0"}}}`),
	)
}

// text is words in no order: it deflates to about a fifth.
type text struct{}

func (text) Read(p []byte) (int, error) {
	words := []string{"function ", "return ", "const ", "export ", "default ", "import ", "this.", "value", "(", ") {\n", "}\n"}
	n := 0
	for n < len(p) {
		n += copy(p[n:], words[rand.IntN(len(words))])
	}
	return n, nil
}

// The memory a publish takes is that of a small one, and it does not leave more for the collector to find.
func TestReadPublishMemory(t *testing.T) {
	size := int64(200 << 20)
	if testing.Short() {
		size = 32 << 20
	}
	lim := DefaultLimits
	lim.Tarball = size + 1<<20
	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	peak, passed := uint64(0), int64(0)
	body := large(size, false)
	measured := readerFunc(func(p []byte) (int, error) {
		n, err := body.Read(p)
		if passed += int64(n); passed > 4<<20 {
			passed = 0
			runtime.ReadMemStats(&now)
			peak = max(peak, now.HeapAlloc)
		}
		return n, err
	})
	u, err := ReadPublish(t.Context(), measured, ui, lim, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	runtime.ReadMemStats(&now)
	if u.Size < size {
		t.Fatalf("the tarball has %d bytes", u.Size)
	}
	const most = 8 << 20 // the test's own writer takes about one
	if held := int64(max(peak, now.HeapAlloc)) - int64(before.HeapAlloc); held > most {
		t.Errorf("%d MiB were held for a tarball of %d MiB", held>>20, u.Size>>20)
	}
	if allocated := now.TotalAlloc - before.TotalAlloc; allocated > most {
		t.Errorf("%d MiB were allocated for a tarball of %d MiB", allocated>>20, u.Size>>20)
	}
	t.Logf("peak %d KiB above the start, %d KiB allocated in all", (int64(peak)-int64(before.HeapAlloc))>>10, (now.TotalAlloc-before.TotalAlloc)>>10)
}

func BenchmarkReadPublish(b *testing.B) {
	for name, compressible := range map[string]bool{"noise": false, "text": true} {
		b.Run(name+"/64MiB", func(b *testing.B) {
			body, err := io.ReadAll(large(64<<20, compressible))
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			dir := b.TempDir()
			for b.Loop() {
				u, err := ReadPublish(context.Background(), bytes.NewReader(body), ui, DefaultLimits, dir)
				if err != nil {
					b.Fatal(err)
				}
				u.Close()
			}
		})
	}
}

// BenchmarkBase64 is the part of a publish that the sender waits for: decoding and hashing, without a disk and without
// inspection.
func BenchmarkBase64(b *testing.B) {
	body, err := io.ReadAll(large(16<<20, false))
	if err != nil {
		b.Fatal(err)
	}
	start := bytes.Index(body, []byte(`"data":"`)) + len(`"data":"`)
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		s := newSpool("")
		r := &base64Reader{src: newSource(context.Background(), bytes.NewReader(body[start:])), to: func(p []byte) error {
			s.sha1.Write(p)
			s.sha512.Write(p)
			return nil
		}}
		if err := r.read(); err != nil {
			b.Fatal(err)
		}
	}
}

// A document costs a small multiple of its size, whatever is in it.
func TestReadDocumentMemory(t *testing.T) {
	const size = 8 << 20
	for what, unit := range map[string]string{
		"objects":  `{"a":0,"b":{}},`,
		"arrays":   `["xxxx"],`,
		"versions": `{"versions":{"1.0.0":{"deprecated":"x"}},"dist-tags":{"a":"1.0.0"},"users":{"a":true}},`,
		"text":     strings.Repeat(`"`+strings.Repeat("x", 1000)+`",`, 100),
	} {
		text := `{"name":"@acme/ui","versions":{"1.0.0":{"x":[` + strings.TrimSuffix(strings.Repeat(unit, size/len(unit)), ",") + `]}}}`
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		document, err := ReadDocument(t.Context(), strings.NewReader(text), DefaultLimits)
		if err == nil {
			_, err = ReadEdit(document)
		}
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		runtime.ReadMemStats(&after)
		// What append leaves behind on its way up is four times what it arrives at.
		if allocated := int(after.TotalAlloc - before.TotalAlloc); allocated > 7*size {
			t.Errorf("%s: %d KiB were allocated for a document of %d KiB", what, allocated>>10, size>>10)
		}
	}
}

// keys are n members of an object, each with another name.
func keys(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,"%06x":0`, i)
	}
	return b.String()[1:]
}

// A manifest of 800,000 keys cost 118 MiB and 1.5 s, and was taken.
func TestReadPublishOfManyKeys(t *testing.T) {
	b := npmBody(t)
	honest := b.manifest
	for _, c := range []struct {
		what, extra, large string
		attachmentsFirst   bool
	}{
		{"many keys", `"x":{` + keys(15_000) + `}`, "", false},
		{"too many keys", `"x":{` + keys(20_000) + `}`, "number of members", false},
		{"too many keys behind the tarball", `"x":{` + keys(20_000) + `}`, "number of members", true},
		{"too many keys in all", `"x":[` + strings.Repeat(`{`+keys(100)+`},`, 200) + `0]`, "number of members", false},
		{"too many elements", `"x":[` + strings.Repeat(`0,`, 20_000) + `0]`, "number of members", false},
		{"too many objects", `"x":[` + strings.Repeat(`{},`, 20_000) + `0]`, "number of members", false},
		{"too many keys for any document", `"x":[` + strings.Repeat(`0,`, 2_000_000) + `0]`, "number of members", false},
		{"too many keys at a time", `"x":{` + keys(100_001) + `}`, "number of keys in one object", false},
		{"a list in one text", `"dependencies":"` + strings.Repeat("a,", maxTextList/2) + `"`, "dependencies in one text", false},
		{"a large manifest", `"description":"` + strings.Repeat("x", 4<<20) + `"`, "manifest", false},
		{"a large readme", `"readme":"` + strings.Repeat("x", 2<<20) + `"`, "", false},
		{"a large version", `"description":"` + strings.Repeat("x", 1<<20) + `"`, "manifest without its readme", false},
	} {
		t.Run(c.what, func(t *testing.T) {
			b.manifest = honest + "," + c.extra
			text := b.String()
			if c.attachmentsFirst {
				i := strings.Index(text, `"_attachments"`)
				text = `{` + text[i:len(text)-1] + `,` + strings.TrimSuffix(text[1:i], ",") + `}`
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			u, err := ReadPublish(t.Context(), strings.NewReader(text), ui, DefaultLimits, t.TempDir())
			runtime.ReadMemStats(&after)
			if allocated := (after.TotalAlloc - before.TotalAlloc) >> 20; allocated > 40 {
				t.Errorf("%d MiB were allocated for %d KiB", allocated, len(text)>>10)
			}
			if c.large == "" {
				if err != nil {
					t.Fatal(err)
				}
				u.Close()
				return
			}
			var large *TooLarge
			if !errors.As(err, &large) || !strings.HasPrefix(large.What, c.large) {
				t.Errorf("got %v, want a *TooLarge that says %q", err, c.large)
			}
		})
	}
	for what, packageJSON := range map[string]string{
		"keys":   `{"name":"@acme/ui","version":"1.0.0","x":{` + keys(20_000) + `}}`,
		"a text": `{"name":"@acme/ui","version":"1.0.0","dependencies":"` + strings.Repeat("a,", maxTextList/2) + `"}`,
	} {
		var large *TooLarge
		if _, err := inspected(t, pack(t, packageJSON), DefaultLimits); !errors.As(err, &large) {
			t.Errorf("%s in package.json: %v", what, err)
		}
	}
}
