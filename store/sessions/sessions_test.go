package sessions_test

import (
	"bytes"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/store"
	"gatehouse/store/kv"
	"gatehouse/store/memory"
	"gatehouse/store/sessions"
)

var start = time.Unix(1_800_000_000, 0)

func open(t *testing.T) (*sessions.Sessions, kv.Store, *time.Time) {
	t.Helper()
	engine, now := memory.NewKV(), start
	return sessions.New(engine, func() time.Time { return now }), engine, &now
}

func TestLifeOfALogin(t *testing.T) {
	s, _, now := open(t)
	ticket, page, err := s.Begin(t.Context(), []byte("begun"), start.Add(10*time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	if again, ok := sessions.PageOf(ticket); !ok || again != page || ticket == page {
		t.Errorf("the ticket leads to %q, want %q", again, page)
	}
	first, err := s.Read(t.Context(), page)
	if err != nil || string(first.Content) != "begun" {
		t.Fatalf("read %q, %v", first.Content, err)
	}
	second, err := s.Replace(t.Context(), first, []byte("approved"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Replace(t.Context(), first, []byte("late")); !errors.Is(err, sessions.ErrChanged) {
		t.Errorf("a step from before the last one: %v", err)
	}
	if err := s.End(t.Context(), first); !errors.Is(err, sessions.ErrChanged) {
		t.Errorf("ended as it was before: %v", err)
	}
	*now = start.Add(10 * time.Minute)
	if _, err := s.Read(t.Context(), page); !errors.Is(err, sessions.ErrNone) {
		t.Errorf("read at its end: %v", err)
	}
	*now = start.Add(10*time.Minute - time.Second)
	if err := s.End(t.Context(), second); err != nil {
		t.Error(err)
	}
	if _, err := s.Read(t.Context(), page); !errors.Is(err, sessions.ErrNone) {
		t.Errorf("read after its end: %v", err)
	}
}

// TestNamesThatAreNone: a name has one spelling, and everything else is none.
func TestNamesThatAreNone(t *testing.T) {
	s, _, _ := open(t)
	ticket, page, err := s.Begin(t.Context(), nil, start.Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	// The last digit of 43 carries two bits that must be zero.
	loose := page[:42] + string("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[strings.IndexByte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", page[42])+1])
	for _, name := range []string{"", ticket, page[:42], page + "=", page + "A", loose, strings.Repeat("A", 43), strings.Repeat("/", 43), strings.Repeat("A", 10_000)} {
		if _, err := s.Read(t.Context(), name); !errors.Is(err, sessions.ErrNone) {
			t.Errorf("%.50q: %v", name, err)
		}
	}
	if _, ok := sessions.PageOf("not a ticket"); ok {
		t.Error("anything is a ticket")
	}
}

func TestOneOfManyEnds(t *testing.T) {
	s, _, _ := open(t)
	_, page, err := s.Begin(t.Context(), []byte("token"), start.Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	var won atomic.Int32
	for range 16 {
		group.Go(func() {
			if found, err := s.Read(t.Context(), page); err == nil && s.End(t.Context(), found) == nil {
				won.Add(1)
			}
		})
	}
	group.Wait()
	if won.Load() != 1 {
		t.Errorf("%d of 16 got it", won.Load())
	}
}

// TestStolenDataOpenNothing: neither a name nor what is in a log-in can be found in a copy of the data.
func TestStolenDataOpenNothing(t *testing.T) {
	s, engine, _ := open(t)
	ticket, page, err := s.Begin(t.Context(), []byte("a token that is waiting"), start.Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	for row, err := range engine.Scan(t.Context(), nil, nil) {
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{ticket, page, "a token that is waiting"} {
			if bytes.Contains(row.Key, []byte(secret)) || bytes.Contains(row.Value, []byte(secret)) {
				t.Errorf("%q is stored as it is", secret)
			}
		}
	}
}

// TestDamagedIsNone: no byte of a row can be changed, the end included, and no row be put in another's place.
func TestDamagedIsNone(t *testing.T) {
	s, engine, _ := open(t)
	_, page, err := s.Begin(t.Context(), []byte("content"), start.Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	_, other, err := s.Begin(t.Context(), []byte("another"), start.Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	var rows []kv.Entry
	from, to := store.SessionRange()
	for row, err := range engine.Scan(t.Context(), from, to) {
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, row)
	}
	put := func(key, value []byte) {
		if err := engine.Apply(t.Context(), kv.Batch{Put: []kv.Entry{{Key: key, Value: value}}}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range rows[0].Value {
		bad := bytes.Clone(rows[0].Value)
		bad[i] ^= 1
		put(rows[0].Key, bad)
		_, err1 := s.Read(t.Context(), page)
		_, err2 := s.Read(t.Context(), other)
		if errors.Is(err1, sessions.ErrNone) == errors.Is(err2, sessions.ErrNone) {
			t.Fatalf("byte %d: %v and %v, and one of them is damaged", i, err1, err2)
		}
	}
	put(rows[0].Key, rows[1].Value)
	put(rows[1].Key, rows[0].Value)
	for _, name := range []string{page, other} {
		if _, err := s.Read(t.Context(), name); !errors.Is(err, sessions.ErrNone) {
			t.Errorf("in another's place: %v", err)
		}
	}
}

func TestSweep(t *testing.T) {
	s, engine, now := open(t)
	_, short, _ := s.Begin(t.Context(), nil, start.Add(time.Minute))
	_, long, err := s.Begin(t.Context(), nil, start.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if err := engine.Apply(t.Context(), kv.Batch{Put: []kv.Entry{{Key: store.SessionKey([32]byte{1}), Value: []byte("x")}}}); err != nil {
		t.Fatal(err)
	}
	*now = start.Add(2 * time.Minute)
	if n, err := s.Sweep(t.Context()); n != 2 || err != nil {
		t.Errorf("swept %d, %v; want the expired and the damaged one", n, err)
	}
	*now = start
	if _, err := s.Read(t.Context(), short); !errors.Is(err, sessions.ErrNone) {
		t.Errorf("the expired one is there: %v", err)
	}
	if _, err := s.Read(t.Context(), long); err != nil {
		t.Error(err)
	}
}

// TestChecksAndBackupsKnowLogins: a log-in under way is nothing odd to a check, and in no backup.
func TestChecksAndBackupsKnowLogins(t *testing.T) {
	s, engine, _ := open(t)
	packages, err := store.Open(t.Context(), engine, memory.NewBlob(), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Begin(t.Context(), nil, start.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	for key, err := range packages.Strays(t.Context()) {
		t.Errorf("a stray %q, %v", key, err)
	}
	for entry, err := range packages.Entries(t.Context()) {
		t.Errorf("in a backup: %q, %v", entry.Key, err)
	}
}
