package audit

import (
	"testing"
	"time"
)

func TestStrangersAreFew(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	l := New(nil, nil)
	l.now = func() time.Time { return now }
	for i := range 25 {
		if n, ok := l.turn(); ok != (i < strangers) || n != 0 {
			t.Fatalf("line %d: %v, %d left out", i, ok, n)
		}
	}
	now = now.Add(time.Second)
	if n, ok := l.turn(); !ok || n != 25-strangers {
		t.Errorf("a second later: %v, %d left out", ok, n)
	}
	if n, ok := l.turn(); !ok || n != 0 {
		t.Errorf("and the next: %v, %d left out", ok, n)
	}
}
