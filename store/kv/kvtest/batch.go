package kvtest

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"

	"gatehouse/store/kv"
)

func testBatch(t *testing.T, h Harness) {
	s := h.Open(t)
	apply(t, s, kv.Batch{})
	apply(t, s, put("a", "1", "b", "2", "c", "3"))
	b := put("b", "two", "d", "4")
	b.Delete = [][]byte{[]byte("a"), []byte("nothing")}
	apply(t, s, b)
	want := map[string]string{"b": "two", "c": "3", "d": "4"}
	if got := everything(t, s); !maps.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func testConditions(t *testing.T, h Harness) {
	s := h.Open(t)
	apply(t, s, put("a", "1", "b", "2", "zeros", "\x00\x00"))
	is := func(key, value string) kv.Entry { return kv.Entry{Key: []byte(key), Value: []byte(value)} }
	none := func(key string) kv.Entry { return kv.Entry{Key: []byte(key)} }
	for _, c := range []struct {
		name  string
		when  []kv.Entry
		holds bool
	}{
		{"no condition", nil, true},
		{"equal", []kv.Entry{is("a", "1")}, true},
		{"absent", []kv.Entry{none("c")}, true},
		{"all hold", []kv.Entry{is("a", "1"), is("b", "2"), none("c"), none("d")}, true},
		{"the same twice", []kv.Entry{is("a", "1"), is("a", "1")}, true},
		{"other value", []kv.Entry{is("a", "2")}, false},
		{"longer", []kv.Entry{is("a", "11")}, false},
		{"shorter", []kv.Entry{is("a", "")}, false},
		{"zeros count", []kv.Entry{is("zeros", "\x00")}, false},
		{"there, not absent", []kv.Entry{none("a")}, false},
		{"absent, not there", []kv.Entry{is("c", "1")}, false},
		{"first fails", []kv.Entry{is("a", "x"), is("b", "2")}, false},
		{"last fails", []kv.Entry{is("a", "1"), none("c"), is("b", "x")}, false},
		{"both of two that exclude each other", []kv.Entry{is("a", "1"), none("a")}, false},
	} {
		before := everything(t, s)
		b := put("p", c.name, "q", c.name, "r", c.name)
		b.If, b.Delete = c.when, [][]byte{[]byte("gone")}
		err := s.Apply(t.Context(), b)
		if c.holds {
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			expect(t, s, "p", c.name)
			expect(t, s, "r", c.name)
			continue
		}
		expectError(t, c.name, err, kv.ErrConflict)
		if after := everything(t, s); !maps.Equal(before, after) {
			t.Errorf("%s: a conflict changed the store from %q to %q", c.name, before, after)
		}
	}
}

// testFailedBatch: conditions are about the moment before the batch, and a batch that fails leaves nothing
// whatever it was going to do.
func testFailedBatch(t *testing.T, h Harness) {
	s := h.Open(t)
	apply(t, s, put("head", "1", "old", "there"))
	b := put("a", "x", "head", "2", "z", "x")
	b.Delete = [][]byte{[]byte("old")}
	b.If = []kv.Entry{{Key: []byte("head"), Value: []byte("2")}} // true only after the batch
	expectError(t, "Apply", s.Apply(t.Context(), b), kv.ErrConflict)
	b.If = []kv.Entry{{Key: []byte("old")}}
	expectError(t, "Apply", s.Apply(t.Context(), b), kv.ErrConflict)
	want := map[string]string{"head": "1", "old": "there"}
	if got := everything(t, s); !maps.Equal(got, want) {
		t.Fatalf("got %q, want %q", got, want)
	}
	b.If = []kv.Entry{{Key: []byte("head"), Value: []byte("1")}, {Key: []byte("old"), Value: []byte("there")}, {Key: []byte("a")}}
	apply(t, s, b)
	want = map[string]string{"a": "x", "head": "2", "z": "x"}
	if got := everything(t, s); !maps.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func testConditionOnly(t *testing.T, h Harness) {
	s := h.Open(t)
	apply(t, s, put("a", "1"))
	apply(t, s, kv.Batch{If: []kv.Entry{{Key: []byte("a"), Value: []byte("1")}}})
	b := kv.Batch{If: []kv.Entry{{Key: []byte("a"), Value: []byte("2")}}}
	expectError(t, "Apply", s.Apply(t.Context(), b), kv.ErrConflict)
}

func testRefused(t *testing.T, h Harness) {
	s := h.Open(t)
	apply(t, s, put("there", "1"))
	there := []byte("there")
	long := bytes.Repeat([]byte{'k'}, kv.MaxKey+1)
	for name, b := range map[string]kv.Batch{
		"put of the empty key":       put("", "x"),
		"put of a long key":          put(string(long), "x"),
		"delete of the empty key":    {Delete: [][]byte{{}}},
		"delete of a long key":       {Delete: [][]byte{long}},
		"condition on the empty key": {If: []kv.Entry{{}}},
		"condition on a long key":    {If: []kv.Entry{{Key: long}}},
		"a key put twice":            put("a", "1", "b", "2", "a", "1"),
		"a key deleted twice":        {Delete: [][]byte{there, there}},
		"a key put and deleted":      {Put: []kv.Entry{{Key: there, Value: []byte("2")}}, Delete: [][]byte{there}},
		"a large value":              {Put: []kv.Entry{{Key: []byte("large"), Value: make([]byte, kv.MaxValue+1)}}},
	} {
		b.Put = append(slices.Clone(b.Put), kv.Entry{Key: []byte("beside"), Value: []byte("x")})
		if err := s.Apply(t.Context(), b); err == nil {
			t.Errorf("%s was not refused", name)
		}
	}
	if got := everything(t, s); !maps.Equal(got, map[string]string{"there": "1"}) {
		t.Errorf("a batch that was refused left %q", got)
	}
	if _, err := s.Get(t.Context(), long); err == nil {
		t.Errorf("Get of a long key is no error")
	}
}

func testLarge(t *testing.T, h Harness) {
	s := h.Open(t)
	longest := strings.Repeat("\xff", kv.MaxKey)
	largest := string(pattern(kv.MaxValue, 1))
	apply(t, s, put(longest, largest, "beside", "small"))
	expect(t, s, longest, largest)
	expect(t, s, "beside", "small")
	other := string(pattern(kv.MaxValue, 2))
	b := put(longest, other)
	b.If = []kv.Entry{{Key: []byte(longest), Value: []byte(other)}}
	expectError(t, "Apply", s.Apply(t.Context(), b), kv.ErrConflict)
	b.If[0].Value = []byte(largest)
	apply(t, s, b)
	for e, err := range s.Scan(t.Context(), []byte(longest), nil) {
		if err != nil || string(e.Value) != other {
			t.Fatalf("Scan gives %d bytes, %v", len(e.Value), err)
		}
	}
	// Many keys in one batch.
	var many kv.Batch
	for i := range 5000 {
		many.Put = append(many.Put, kv.Entry{Key: pattern(100, uint64(i)), Value: pattern(200, uint64(i))})
	}
	apply(t, s, many)
	if got := len(everything(t, s)); got != 5002 {
		t.Errorf("%d entries, want 5002", got)
	}
}
