package blobtest

import (
	"bytes"
	"errors"
	"io"
	"math"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"gatehouse/store/blob"
)

func testPutOpen(t *testing.T, h Harness) {
	s := h.Open(t)
	put(t, s, key, content)
	expect(t, s, key, content)
	expectClean(t, h, s)
	// Any number of readers, each at its own place.
	first, second := open(t, s, key), open(t, s, key)
	if _, err := io.CopyN(io.Discard, first.Body, 5000); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(second.Body)
	if err != nil || !bytes.Equal(got, content) {
		t.Errorf("a second reader gets %d bytes, %v", len(got), err)
	}
}

func testSeek(t *testing.T, h Harness) {
	s := h.Open(t)
	put(t, s, key, content)
	o := open(t, s, key)
	size := int64(len(content))
	for _, c := range []struct {
		offset int64
		whence int
		at     int64
	}{
		{0, io.SeekEnd, size}, {0, io.SeekStart, 0}, {70_000, io.SeekStart, 70_000}, {-10, io.SeekEnd, size - 10}, {1, io.SeekStart, 1}, {100, io.SeekCurrent, 101},
	} {
		at, err := o.Body.Seek(c.offset, c.whence)
		if err != nil || at != c.at {
			t.Fatalf("Seek(%d, %d) = %d, %v, want %d", c.offset, c.whence, at, err, c.at)
		}
		rest, err := io.ReadAll(o.Body)
		if err != nil || !bytes.Equal(rest, content[c.at:]) {
			t.Fatalf("after Seek(%d, %d): %d bytes, %v, want %d", c.offset, c.whence, len(rest), err, size-c.at)
		}
		if _, err := o.Body.Seek(c.at, io.SeekStart); err != nil { // for the next one, relative to here
			t.Fatal(err)
		}
	}
}

// testSizes: around the sizes of buffers, from readers that give as little as they may.
func testSizes(t *testing.T, h Harness) {
	s := h.Open(t)
	for i, size := range []int{0, 1, 2, 511, 512, 513, 4096, 32<<10 - 1, 32 << 10, 32<<10 + 1, 1 << 20} {
		want := pattern(size, uint64(i))
		for name, r := range map[string]io.Reader{
			"whole":   bytes.NewReader(want),
			"halves":  iotest.HalfReader(bytes.NewReader(want)),
			"dataErr": iotest.DataErrReader(bytes.NewReader(want)),
		} {
			key := "sizes/" + name + "/" + strings.Repeat("x", i+1)
			if err := s.Put(t.Context(), key, int64(size), r); err != nil {
				t.Fatalf("Put of %d bytes, %s: %v", size, name, err)
			}
			expect(t, s, key, want)
		}
	}
	expectClean(t, h, s)
}

// testFirstStays: the key stands for the content, so what is there is what would be put.
func testFirstStays(t *testing.T, h Harness) {
	s := h.Open(t)
	put(t, s, key, content)
	put(t, s, key, content)
	put(t, s, key, pattern(len(content), 2))
	put(t, s, key, nil)
	expect(t, s, key, content)
	put(t, s, "empty", nil)
	put(t, s, "empty", content)
	expect(t, s, "empty", nil)
	expectClean(t, h, s)
}

func testWrongSize(t *testing.T, h Harness) {
	s := h.Open(t)
	for name, c := range map[string]struct {
		announced int64
		content   []byte
	}{
		"one byte less":     {100_001, content},
		"one byte more":     {99_999, content},
		"much less":         {1 << 20, content},
		"much more":         {10, content},
		"nothing":           {1, nil},
		"something":         {0, content[:1]},
		"an absurd size":    {math.MaxInt64, content},
		"nothing, of a lot": {math.MaxInt64, nil},
	} {
		err := s.Put(t.Context(), key, c.announced, bytes.NewReader(c.content))
		// Who cannot hold what is announced may say so before reading.
		if c.announced != math.MaxInt64 || !errors.Is(err, blob.ErrFull) {
			expectError(t, name, err, blob.ErrShort)
		}
		expectNone(t, s, key)
		expectClean(t, h, s)
	}
	if err := s.Put(t.Context(), key, -1, bytes.NewReader(nil)); err == nil {
		t.Error("a negative size was not refused")
	}
	expectNone(t, s, key)
	put(t, s, key, content)
	expect(t, s, key, content)
}

func testReaderFails(t *testing.T, h Harness) {
	s := h.Open(t)
	broken := errors.New("the connection broke")
	for _, after := range []int64{0, 1, 50_000, int64(len(content))} {
		r := io.MultiReader(bytes.NewReader(content[:after]), iotest.ErrReader(broken))
		expectError(t, "Put", s.Put(t.Context(), key, int64(len(content)), r), broken)
		expectNone(t, s, key)
		expectClean(t, h, s)
	}
	r := io.MultiReader(bytes.NewReader(content[:500]), iotest.ErrReader(io.ErrUnexpectedEOF))
	expectError(t, "Put", s.Put(t.Context(), key, int64(len(content)), r), io.ErrUnexpectedEOF)
	expectNone(t, s, key)
	put(t, s, key, content)
	expect(t, s, key, content)
}

func testNotFound(t *testing.T, h Harness) {
	s := h.Open(t)
	expectNone(t, s, key)
	put(t, s, key, content)
	for _, other := range []string{
		"@acme", "@acme/ui", // folders are not objects
		"@acme/ui/ui-1.0.0-3f2a.tg", "@acme/ui/ui-1.0.0-3f2a.tgz2", "@acme/ui/UI-1.0.0-3f2a.tgz", "ui-1.0.0-3f2a.tgz",
		key + "/below",
	} {
		expectNone(t, s, other)
	}
}

func testDelete(t *testing.T, h Harness) {
	s := h.Open(t)
	beside := "@acme/ui/ui-2.0.0-77aa.tgz"
	put(t, s, key, content)
	put(t, s, beside, content)
	for range 2 {
		if err := s.Delete(t.Context(), key); err != nil {
			t.Fatalf("Delete: %v", err)
		}
		expectNone(t, s, key)
	}
	for _, other := range []string{"never/there", "@acme/ui", "@acme", key + "/below", beside + "/below"} {
		if err := s.Delete(t.Context(), other); err != nil {
			t.Errorf("Delete(%q): %v", other, err)
		}
	}
	expect(t, s, beside, content)
	other := pattern(500, 2)
	put(t, s, key, other)
	expect(t, s, key, other)
	for _, k := range []string{key, beside} {
		if err := s.Delete(t.Context(), k); err != nil {
			t.Fatalf("Delete: %v", err)
		}
	}
	expectNone(t, s, beside)
	put(t, s, key, content)
	expect(t, s, key, content)
	expectClean(t, h, s)
}

// testOpenSurvivesDelete: an object that is deleted while it is read is read to its end, or fails.
func testOpenSurvivesDelete(t *testing.T, h Harness) {
	s := h.Open(t)
	put(t, s, key, content)
	o := open(t, s, key)
	begin := make([]byte, 1000)
	if _, err := io.ReadFull(o.Body, begin); err != nil {
		t.Fatal(err)
	}
	if err := s.Delete(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	put(t, s, key, pattern(50, 3)) // not what the reader has begun with
	rest, err := io.ReadAll(o.Body)
	if err == nil && !bytes.Equal(append(begin, rest...), content) {
		t.Errorf("cut short or mixed without an error, after %d bytes", len(rest))
	}
}

// testLarge: an object larger than what may be allocated for it.
func testLarge(t *testing.T, h Harness) {
	s := h.Open(t)
	const size, bound = 64 << 20, 8 << 20
	block := pattern(1<<20, 7)
	endless := func() io.Reader {
		at := 0
		return io.LimitReader(readerFunc(func(p []byte) (int, error) {
			n := copy(p, block[at:])
			at = (at + n) % len(block)
			return n, nil
		}), size)
	}
	allocated := func(what string, run func()) {
		t.Helper()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		run()
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > bound && !h.Resident {
			t.Errorf("%s of %d MiB allocated %d MiB", what, size>>20, n>>20)
		}
	}
	allocated("Put", func() {
		if err := s.Put(t.Context(), key, size, endless()); err != nil {
			t.Fatalf("Put: %v", err)
		}
	})
	o := open(t, s, key)
	if o.Size != size {
		t.Errorf("size %d, want %d", o.Size, size)
	}
	allocated("Open and reading", func() {
		buf := make([]byte, len(block))
		for i := range size / len(block) {
			if _, err := io.ReadFull(o.Body, buf); err != nil || !bytes.Equal(buf, block) {
				t.Fatalf("MiB %d: %v, or other bytes than were put", i, err)
			}
		}
		if n, err := o.Body.Read(buf); n != 0 || err != io.EOF {
			t.Errorf("behind the end: %d bytes, %v", n, err)
		}
	})
	expectClean(t, h, s)
}
