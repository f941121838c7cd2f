package blobtest

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"gatehouse/store/blob"
)

func testBadKeys(t *testing.T, h Harness) {
	s := h.Open(t)
	put(t, s, "there", content)
	for _, bad := range []string{
		"", "/", ".", "..", "/etc/passwd", "/there", "there/", "a//b", "./there", "a/../there", "../there", "../../etc/passwd", "a/..", "a/.",
		"a\x00b", "there\x00", `a\b`, `..\there`, `C:\there`, "C:there", "a b", "a%2fb", "a%00", "é", "a\nb", "a*", "a?b", "~", "%tmp", "a:b", "\xff",
		strings.Repeat("x", 256), strings.Repeat("a/", 8) + "a",
	} {
		for name, err := range map[string]error{
			"Put":    s.Put(t.Context(), bad, 1, strings.NewReader("x")),
			"Open":   openError(t, s, bad),
			"Delete": s.Delete(t.Context(), bad),
		} {
			if err == nil || errors.Is(err, blob.ErrNotFound) {
				t.Errorf("%s(%q): %v, want an error that refuses the key", name, bad, err)
			}
		}
	}
	expect(t, s, "there", content)
	expectClean(t, h, s)
}

func openError(t *testing.T, s blob.Store, key string) error {
	o, err := s.Open(t.Context(), key)
	if err == nil {
		o.Body.Close()
	}
	return err
}

// testGoodKeys: whatever the port allows, also names that an engine might want for itself, and that
// differ as little as they can.
func testGoodKeys(t *testing.T, h Harness) {
	s := h.Open(t)
	keys := []string{
		"a", ".tmp/a", ".tmp/b", ".lock", ".a", "...", "..a/b", "a..", "-", "-rf", "@", "+", "_", "@acme/ui/ui-1.0.0+build.5-0a.tgz",
		"tmp/a", "lock", "objects/a", "A.tgz/1", "1/2/3/4/5/6/7/8", strings.Repeat("x", 255), strings.Repeat("y", 255) + "/" + strings.Repeat("z", 255), "LOCK", "CON", "a.tmp",
	}
	for i, key := range keys {
		put(t, s, key, pattern(100, uint64(i)))
	}
	expectClean(t, h, s)
	for i, key := range keys {
		expect(t, s, key, pattern(100, uint64(i)))
	}
	for i, key := range keys {
		if err := s.Delete(t.Context(), key); err != nil {
			t.Errorf("Delete(%q): %v", key, err)
		}
		expectNone(t, s, key)
		for j, other := range keys[i+1:] {
			expect(t, s, other, pattern(100, uint64(i+1+j)))
		}
	}
	if err := s.Put(t.Context(), "after/all", 3, bytes.NewReader([]byte("abc"))); err != nil {
		t.Error(err)
	}
}
