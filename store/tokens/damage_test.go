package tokens_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse/scopes"
	"gatehouse/store"
	"gatehouse/store/kv"
	"gatehouse/store/leveldb"
	"gatehouse/store/memory"
	"gatehouse/store/tokens"
)

// TestStolenFolder: somebody has a copy of all data. No credential and no secret is in it, and nothing in it opens what is sealed.
func TestStolenFolder(t *testing.T) {
	folder := t.TempDir()
	engine, err := leveldb.Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	l := start(t, engine, tokens.Options{})
	var secrets []string
	for range 3 {
		_, secret := l.mint(wendy, scopes.Grant{Rights: scopes.All(), Until: l.now.Add(time.Hour)})
		l.want(secret, nil)
		secrets = append(secrets, secret)
	}
	refreshed := tokens.Credential{Access: "ghu_anotherSecretAnotherSecretAnotherSec", Refresh: "ghr_refreshSecretRefreshSecretRefresh"}
	if err := l.tokens.Reseal(t.Context(), secrets[0], behind, refreshed); err != nil {
		t.Fatal(err)
	}
	if _, err := l.tokens.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := engine.Close(); err != nil {
		t.Fatal(err)
	}

	var words []string
	err = filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		for _, secret := range append([]string{behind.Access, refreshed.Access, refreshed.Refresh}, secrets...) {
			for _, part := range []string{secret, secret[8:24], secret[len(secret)-12:]} {
				if bytes.Contains(content, []byte(part)) {
					t.Errorf("%q is in %s", part, path)
				}
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}

	// The thief starts a registry on the copy, and shows it whatever can be found.
	copied := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(copied, os.DirFS(folder)); err != nil {
		t.Fatal(err)
	}
	stolen, err := leveldb.Open(copied)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stolen.Close() })
	thief := start(t, stolen, tokens.Options{})
	rows := 0
	for row, err := range stolen.Scan(t.Context(), nil, nil) {
		if err != nil {
			t.Fatal(err)
		}
		if bytes.HasPrefix(row.Key, []byte("t\x00")) {
			rows++
			if !bytes.Contains(row.Value, []byte(`"sealed"`)) {
				t.Error("a token without a sealed credential: the test has nothing to steal")
			}
		}
		text := string(row.Key) + "\x00" + string(row.Value)
		words = append(words, strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune("\x00\"{}[],:", r) })...)
	}
	if rows != len(secrets) || len(words) < 50 {
		t.Fatalf("%d tokens and %d words were stolen", rows, len(words))
	}
	for _, word := range words {
		for _, guess := range []string{word, "gth_" + word} {
			if _, c, err := thief.tokens.Open(t.Context(), guess); err == nil || c.Access != "" {
				t.Errorf("%q opens a token", guess)
			}
		}
	}
	// The same rows with a secret open everything: it is the secret that is missing, not the record.
	thief.want(secrets[0], nil)
}

// faulty makes the nth batch fail, before it is applied or after.
type faulty struct {
	kv.Store
	left  int
	after bool
}

var errFault = errors.New("the machine has died")

func (f *faulty) Apply(ctx context.Context, b kv.Batch) error {
	if f.left--; f.left != 0 {
		return f.Store.Apply(ctx, b)
	}
	if f.after {
		if err := f.Store.Apply(ctx, b); err != nil {
			return err
		}
	}
	return errFault
}

// TestFailingBatches: whichever batch of minting, using, refreshing, revoking and sweeping fails, each token is whole or not there, and its events say so.
func TestFailingBatches(t *testing.T) {
	for _, after := range []bool{false, true} {
		failed := 0
		for n := 1; ; n++ {
			f := &faulty{Store: memory.NewKV(), left: -1, after: after}
			l := start(t, f, tokens.Options{})
			f.left = n
			grant := scopes.Grant{Rights: scopes.All(), Until: l.now.Add(time.Hour)}
			faults := 0
			try := func(err error) {
				t.Helper()
				if errors.Is(err, errFault) {
					faults++
				} else if err != nil && !errors.Is(err, tokens.ErrUnknown) && !errors.Is(err, tokens.ErrStale) && !errors.Is(err, tokens.ErrMistyped) {
					t.Errorf("batch %d: %v", n, err)
				}
				l.whole()
			}
			_, one, err := l.tokens.Create(t.Context(), scopes.Token{Owner: wendy, Grant: grant}, behind)
			try(err)
			_, two, err := l.tokens.Create(t.Context(), scopes.Token{Owner: wendy, Grant: grant}, behind)
			try(err)
			_, _, err = l.tokens.Open(t.Context(), one)
			try(err)
			_, err = l.tokens.Sweep(t.Context())
			try(err)
			try(l.tokens.Reseal(t.Context(), one, behind, tokens.Credential{Access: "ghp_other"}))
			_, err = l.tokens.RevokeSecret(t.Context(), two)
			try(err)
			l.now = l.now.Add(40 * 24 * time.Hour)
			_, err = l.tokens.Sweep(t.Context())
			try(err)
			counts := map[string]int{}
			for _, what := range l.events() {
				counts[what]++
			}
			if left := l.whole(); counts["mint"]-counts["revoke"]-counts["expire"] != left {
				t.Errorf("batch %d: %v, and %d are left", n, counts, left)
			}
			if faults == 0 {
				break
			}
			failed++
		}
		if failed != 6 {
			t.Errorf("%d batches failed, want 6", failed)
		}
	}
}

// TestDamagedRows: a row that cannot be read opens nothing, hides no other token, can be revoked by its secret, and is found and put right by a check.
func TestDamagedRows(t *testing.T) {
	for name, spoil := range map[string]func(row []byte) []byte{
		"cut":       func(row []byte) []byte { return row[:len(row)/2] },
		"empty":     func([]byte) []byte { return nil },
		"no rights": func(row []byte) []byte { return bytes.Replace(row, []byte(`"rights"`), []byte(`"riches"`), 1) },
		"another's": func(row []byte) []byte { return bytes.Replace(row, []byte(`"holder":"11"`), []byte(`"holder":"1"`), 1) },
		"another id": func(row []byte) []byte {
			return bytes.Replace(row, []byte(`{"token":{"id":"`), []byte(`{"token":{"id":"0`), 1)
		},
		"other sealed": func(row []byte) []byte { return bytes.Replace(row, []byte(`"sealed":"`), []byte(`"sealed":"AAAA`), 1) },
		"made workflow": func(row []byte) []byte {
			return bytes.Replace(row, []byte(`"created"`), []byte(`"workflow":{"repo":{"id":7}},"created"`), 1)
		},
		"nothing sealed": func(row []byte) []byte { return bytes.Replace(row, []byte(`"sealed"`), []byte(`"healed"`), 1) },
	} {
		t.Run(name, func(t *testing.T) {
			l := start(t, memory.NewKV(), tokens.Options{})
			_, good := l.mint(wendy, scopes.Grant{Rights: scopes.All()})
			token, secret := l.mint(wendy, scopes.Grant{Rights: scopes.All()})
			l.want(secret, nil)
			for row, err := range l.engine.Scan(t.Context(), []byte("t\x00"), []byte("t\x01")) {
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Contains(row.Value, []byte(token.ID)) {
					continue
				}
				value := spoil(row.Value)
				if bytes.Equal(value, row.Value) {
					t.Fatal("nothing was spoiled")
				}
				if err := l.engine.Apply(t.Context(), kv.Batch{Put: []kv.Entry{{Key: row.Key, Value: value}}}); err != nil {
					t.Fatal(err)
				}
			}
			if _, c, err := l.tokens.Open(t.Context(), secret); err == nil || c.Access != "" {
				t.Errorf("it opens %+v", c)
			}
			l.want(good, nil)
			if list, err := l.tokens.List(t.Context(), wendy.ID); err != nil || len(list) == 0 {
				t.Errorf("the list is %v, %v", list, err)
			}
			if list, err := l.tokens.List(t.Context(), rita.ID); err != nil || len(list) != 0 {
				t.Errorf("rita has %v, %v", list, err)
			}
			for range 2 { // a row that is put aside leaves a place in a list, which the second check finds
				for bad, err := range l.store.BadTokens(t.Context()) {
					if err != nil {
						t.Fatal(err)
					}
					if err := l.store.MendToken(t.Context(), bad, store.Actor{Login: "fsck"}); err != nil {
						t.Fatal(err)
					}
				}
			}
			l.whole()
			if _, err := l.tokens.RevokeSecret(t.Context(), secret); err != nil && !errors.Is(err, tokens.ErrUnknown) {
				t.Error(err)
			}
			l.whole()
			l.want(good, nil)
			l.want(secret, tokens.ErrUnknown)
		})
	}
}

// TestRestored: what is in a backup (store.Entries) is enough for tokens to go on working, and not for anything else.
func TestRestored(t *testing.T) {
	l := start(t, memory.NewKV(), tokens.Options{})
	token, secret := l.mint(wendy, scopes.Grant{Rights: scopes.All()})
	elsewhere := memory.NewKV()
	r, err := store.BeginRestore(t.Context(), elsewhere)
	if err != nil {
		t.Fatal(err)
	}
	var entries []kv.Entry
	for e, err := range l.store.Entries(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		entries = append(entries, e)
	}
	if err := r.Add(t.Context(), entries); err != nil {
		t.Fatal(err)
	}
	if err := r.Done(t.Context()); err != nil {
		t.Fatal(err)
	}
	restored := start(t, elsewhere, tokens.Options{})
	if opened := restored.want(secret, nil); opened.ID != token.ID {
		t.Errorf("%+v", opened)
	}
	if restored.whole() != 1 {
		t.Error("not one token")
	}
}
