package githubauth

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
	"time"

	"gatehouse/scopes"
)

// TestTamperedRecord: a record that somebody changed, or put in another's place, is ignored even where the file as a whole adds up.
func TestTamperedRecord(t *testing.T) {
	const token, thief = "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", "0123456789012345678901234567890123456789"
	path, key, now := filepath.Join(t.TempDir(), "answers"), make([]byte, 32), time.Now()
	open := func() *Client {
		c, err := New(Options{APIURL: "https://github.test", WebURL: "https://github.test", CachePath: path, CacheKey: key, Now: func() time.Time { return now }})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close(context.Background()) })
		return c
	}
	known := func(c *Client, token string) bool {
		_, ok := c.know(c.hash(token), scoped, token).identity(now, 0)
		return ok
	}
	c := open()
	k := c.know(c.hash(token), scoped, token)
	k.who, k.changed = identity{Principal: scopes.Principal{ID: 1, Login: "wendy"}, At: now, Until: now.Add(time.Minute)}, true
	thieves := c.know(c.hash(thief), scoped, thief).drawer.name
	if err := c.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if c := open(); !known(c, token) {
		t.Fatal("the record is not there")
	}
	first := len(keepMagic) + keepCheck
	for what, change := range map[string]func(b []byte){
		"an answer":         func(b []byte) { b[len(b)-sha256.Size-1] ^= 1 },
		"its nonce":         func(b []byte) { b[first+recordHead] ^= 1 },
		"its time":          func(b []byte) { binary.BigEndian.PutUint64(b[first+16:], uint64(now.Unix()-1)) },
		"the thief's place": func(b []byte) { copy(b[first:], thieves[:]) },
	} {
		b := append([]byte(nil), good...)
		change(b)
		sum := sha256.Sum256(b[:len(b)-sha256.Size])
		copy(b[len(b)-sha256.Size:], sum[:])
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if c := open(); known(c, token) || known(c, thief) {
			t.Errorf("%s was changed, and the record is believed", what)
		}
	}
}
