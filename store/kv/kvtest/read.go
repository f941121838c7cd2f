package kvtest

import (
	"bytes"
	"maps"
	"slices"
	"testing"

	"gatehouse/store/kv"
)

// odd are keys on which engines that compare anything but bytes disagree: the ends of the byte range,
// prefixes of each other, case, invalid UTF-8, what SQL and C take for an end.
var odd = []string{
	"\x00", "\x00\x00", "\x00\xff", "\x01", " ", "%", "A", "B", "Z", "_", "a", "a\x00", "a\x00b", "a\x00\xff", "a\x01", "a/",
	"aa", "ab", "b", "z", "~", "\x7f", "\x80", "\xc3\x28", "\xc3\xa9", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xfe", "\xff", "\xff\x00", "\xff\xff", "\xff\xff\xff",
}

func testGet(t *testing.T, h Harness) {
	s := h.Open(t)
	expectNone(t, s, "a")
	apply(t, s, put("a", "1", "ab", "2"))
	expect(t, s, "a", "1")
	expect(t, s, "ab", "2")
	expectNone(t, s, "abc")
	expectNone(t, s, "A")
	apply(t, s, put("a", "3"))
	expect(t, s, "a", "3")
	apply(t, s, kv.Batch{Delete: [][]byte{[]byte("a"), []byte("never there")}})
	expectNone(t, s, "a")
	expect(t, s, "ab", "2")
	if e, err := s.Get(t.Context(), nil); err == nil {
		t.Errorf("Get of the empty key = %q", e.Value)
	}
}

func testEmptyValue(t *testing.T, h Harness) {
	s := h.Open(t)
	apply(t, s, kv.Batch{Put: []kv.Entry{{Key: []byte("nil")}, {Key: []byte("empty"), Value: []byte{}}}})
	for _, key := range []string{"empty", "nil"} {
		e, err := s.Get(t.Context(), []byte(key))
		if err != nil || e.Value == nil || len(e.Value) != 0 {
			t.Errorf("Get(%q).Value = %#v, %v, want []byte{}: nil would mean that there is no entry", key, e.Value, err)
		}
	}
	for e, err := range s.Scan(t.Context(), nil, nil) {
		if err != nil || e.Value == nil || len(e.Value) != 0 {
			t.Errorf("Scan: value of %q = %#v, %v, want []byte{}", e.Key, e.Value, err)
		}
	}
	absent := kv.Batch{If: []kv.Entry{{Key: []byte("empty")}}}
	expectError(t, "absent, but it is there and empty", s.Apply(t.Context(), absent), kv.ErrConflict)
	there := kv.Batch{If: []kv.Entry{{Key: []byte("none"), Value: []byte{}}}}
	expectError(t, "there and empty, but it is absent", s.Apply(t.Context(), there), kv.ErrConflict)
	apply(t, s, kv.Batch{If: []kv.Entry{{Key: []byte("empty"), Value: []byte{}}, {Key: []byte("none")}}})
}

// testOwnBytes: the caller may use its buffers again, and what it was given does not change.
func testOwnBytes(t *testing.T, h Harness) {
	s := h.Open(t)
	key, value := []byte("key"), []byte("value")
	apply(t, s, kv.Batch{Put: []kv.Entry{{Key: key, Value: value}}})
	copy(key, "xxx")
	copy(value, "xxxxx")
	expect(t, s, "key", "value")
	expectNone(t, s, "xxx")

	copy(key, "key")
	e, err := s.Get(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	copy(key, "xxx")
	apply(t, s, put("key", "other"))
	if string(e.Key) != "key" || string(e.Value) != "value" {
		t.Errorf("an entry that was read has become %q: %q", e.Key, e.Value)
	}
}

func testOrder(t *testing.T, h Harness) {
	s := h.Open(t)
	// Backwards and one by one, so that the order is the engine's.
	for _, key := range slices.Backward(odd) {
		apply(t, s, put(key, "value of "+key))
	}
	want := slices.Sorted(slices.Values(odd))
	if got := scan(t, s, nil, nil); !slices.Equal(got, want) {
		t.Fatalf("keys in the wrong order:\n got %q\nwant %q", got, want)
	}
	for _, key := range odd {
		expect(t, s, key, "value of "+key)
	}
}

func testScanBounds(t *testing.T, h Harness) {
	s := h.Open(t)
	if got := scan(t, s, nil, nil); len(got) != 0 {
		t.Fatalf("a new store has %q", got)
	}
	for _, key := range odd {
		apply(t, s, put(key, ""))
	}
	sorted := slices.Sorted(slices.Values(odd))
	// Every pair of bounds, those that are keys and those that fall between, in both orders.
	bounds := [][]byte{nil, {}, []byte("a\x00a"), []byte("c"), bytes.Repeat([]byte{0xff}, 8)}
	for _, key := range odd {
		bounds = append(bounds, []byte(key))
	}
	for _, from := range bounds {
		for _, to := range bounds {
			want := []string{}
			for _, key := range sorted {
				if key >= string(from) && (to == nil || key < string(to)) {
					want = append(want, key)
				}
			}
			if got := scan(t, s, from, to); !slices.Equal(got, want) {
				t.Fatalf("Scan(%q, %q, to the end: %v) = %q, want %q", from, to, to == nil, got, want)
			}
		}
	}
}

func testScanBreak(t *testing.T, h Harness) {
	s := h.Open(t)
	apply(t, s, put("a", "", "b", "", "c", ""))
	all := s.Scan(t.Context(), nil, nil)
	for range 100 { // enough to run out of what an unfinished scan might keep
		for e, err := range all {
			if err != nil || string(e.Key) != "a" {
				t.Fatalf("first entry %q, %v", e.Key, err)
			}
			break
		}
	}
	apply(t, s, put("0", ""))
	var got []string
	for e, err := range all {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(e.Key))
	}
	if want := []string{"0", "a", "b", "c"}; !slices.Equal(got, want) {
		t.Errorf("a scan that is ranged over again yields %q, want %q", got, want)
	}
}

// testScanNested: the body of a loop may call the store.
func testScanNested(t *testing.T, h Harness) {
	s := h.Open(t)
	apply(t, s, put("a", "1", "b", "2", "c", "3"))
	var got []string
	for e, err := range s.Scan(t.Context(), nil, nil) {
		if err != nil {
			t.Fatal(err)
		}
		expect(t, s, string(e.Key), string(e.Value))
		got = append(got, scan(t, s, e.Key, nil)...)
		apply(t, s, kv.Batch{Delete: [][]byte{e.Key}})
	}
	if want := []string{"a", "b", "c", "b", "c", "c"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if left := everything(t, s); len(left) != 0 {
		t.Errorf("left: %q", left)
	}
}

func testScanEntriesStay(t *testing.T, h Harness) {
	s := h.Open(t)
	want := map[string]string{}
	for i := range 300 {
		key, value := string(pattern(20, uint64(i))), string(pattern(3000, uint64(i)))
		want[key] = value
		apply(t, s, put(key, value))
	}
	var kept []kv.Entry
	for e, err := range s.Scan(t.Context(), nil, nil) {
		if err != nil {
			t.Fatal(err)
		}
		kept = append(kept, e)
	}
	got := map[string]string{}
	for _, e := range kept {
		// Whoever appends to a key or a value must not write into what lies behind it.
		_, _ = append(e.Key, '!'), append(e.Value, '!')
		got[string(e.Key)] = string(e.Value)
	}
	if !maps.Equal(got, want) {
		t.Errorf("entries did not stay as they were when the loop moved on")
	}
}
