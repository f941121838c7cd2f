package gzipped

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"os/exec"
	"strings"
	"sync"
	"testing"
)

func part(t testing.TB, content []byte) Part {
	t.Helper()
	p, err := Compress(func(w io.Writer) error {
		for chunk := content; len(chunk) > 0; { // in uneven writes, as documents come
			n := min(len(chunk), 1+rand.IntN(5000))
			if _, err := w.Write(chunk[:n]); err != nil {
				return err
			}
			chunk = chunk[n:]
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func unpack(t testing.TB, b []byte) []byte {
	t.Helper()
	r := bytes.NewReader(b)
	z, err := gzip.NewReader(r)
	if err != nil {
		t.Fatal(err)
	}
	z.Multistream(false)
	content, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	if r.Len() != 0 {
		t.Errorf("%d bytes behind the first member", r.Len())
	}
	return content
}

func TestJoin(t *testing.T) {
	random := make([]byte, 100_000)
	_, _ = rand.NewChaCha8([32]byte{}).Read(random)
	text := []byte(strings.Repeat(`"1.0.0":{"name":"@acme/ui","version":"1.0.0"},`, 5000))
	for _, contents := range [][][]byte{
		{},
		{nil},
		{[]byte("a")},
		{[]byte("a"), nil, []byte("b")},
		{text}, {random},
		{text, random, text, nil, []byte("{"), random, text},
	} {
		var parts []Part
		for _, c := range contents {
			parts = append(parts, part(t, c))
		}
		if got, want := unpack(t, Join(parts...)), bytes.Join(contents, nil); !bytes.Equal(got, want) {
			t.Errorf("%d bytes, want %d", len(got), len(want))
		}
	}
}

// TestOthersReadIt shows the result to the decoders of npm (zlib, inside Node) and of the command line.
func TestOthersReadIt(t *testing.T) {
	text := []byte(strings.Repeat(`"1.0.0":{"name":"@acme/ui","version":"1.0.0"},`, 50_000))
	joined := Join(part(t, []byte("{")), part(t, text), part(t, text[:70_001]), part(t, []byte("}")))
	want := fmt.Sprintf("%08x", crc32.ChecksumIEEE(unpack(t, joined)))
	for name, args := range map[string][]string{
		"node": {"-e", `const z=require("zlib"),b=require("fs").readFileSync(0);process.stdout.write(z.gunzipSync(b))`},
		"gzip": {"-dc"},
	} {
		path, err := exec.LookPath(name)
		if err != nil {
			t.Logf("no %s here", name)
			continue
		}
		cmd := exec.Command(path, args...)
		cmd.Stdin = bytes.NewReader(joined)
		out, err := cmd.Output()
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got := fmt.Sprintf("%08x", crc32.ChecksumIEEE(out)); got != want {
			t.Errorf("%s unpacks %d bytes to something else", name, len(out))
		}
	}
}

func TestCompressAtOnce(t *testing.T) {
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			content := []byte(strings.Repeat(fmt.Sprint(i, " "), 20_000))
			p := part(t, content)
			if !bytes.Equal(unpack(t, Join(p, p)), append(content, content...)) {
				t.Error(i)
			}
		})
	}
	wg.Wait()
}

func TestCompressFails(t *testing.T) {
	broken := errors.New("broken")
	_, err := Compress(func(w io.Writer) error {
		_, _ = w.Write([]byte("half of it"))
		return broken
	})
	if err != broken {
		t.Error(err)
	}
	if got := unpack(t, Join(part(t, []byte("whole")))); string(got) != "whole" {
		t.Errorf("the compressor kept something: %q", got)
	}
}

func FuzzCombine(f *testing.F) {
	f.Add([]byte(nil), []byte(nil))
	f.Add([]byte("a"), []byte{})
	f.Add([]byte{}, []byte("b"))
	f.Add([]byte("123456789"), bytes.Repeat([]byte{0}, 70_000))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		want := crc32.ChecksumIEEE(append(bytes.Clone(a), b...))
		if got := combine(crc32.ChecksumIEEE(a), crc32.ChecksumIEEE(b), int64(len(b))); got != want {
			t.Errorf("%08x, want %08x", got, want)
		}
	})
}

// TestCombineLong: lengths beyond 32 bits, which no test can hash. Appending zeros in two steps is appending them in one.
func TestCombineLong(t *testing.T) {
	for _, n := range []int64{1 << 20, 1<<32 - 1, 1 << 32, 1<<40 + 12345} {
		a := crc32.ChecksumIEEE([]byte("gatehouse"))
		if multiply(power(8*uint64(n)), multiply(power(8*77), a)) != multiply(power(8*uint64(n+77)), a) {
			t.Error(n)
		}
	}
}

func BenchmarkCompress(b *testing.B) {
	content := []byte(strings.Repeat(`"1.0.0":{"name":"@acme/ui","version":"1.0.0"},`, 5000))
	b.SetBytes(int64(len(content)))
	b.ReportAllocs()
	for b.Loop() {
		part(b, content)
	}
}
