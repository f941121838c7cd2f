package tokens_test

import (
	"errors"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/scopes"
	"gatehouse/store"
	"gatehouse/store/memory"
	"gatehouse/store/tokens"
)

// TestProofOnce: a proof makes one token, whoever comes with it at the same time, after the token was revoked, and in another process.
func TestProofOnce(t *testing.T) {
	meta := memory.NewKV()
	l := start(t, meta, tokens.Options{})
	proof := tokens.Proof{ID: "https://issuer.example\njob 1", Until: l.now.Add(5 * time.Minute)}
	wanted := func() scopes.Token {
		return scopes.Token{
			Workflow: &scopes.Workflow{Repo: scopes.Repo{ID: 7, OwnerID: 1, Owner: "acme", Name: "ui"}},
			Grant:    scopes.Grant{Rights: scopes.Rights{{Values: []string{"@acme/ui"}, Types: scopes.Types{Pkg: scopes.Use{Write: true}}}}, Until: l.now.Add(15 * time.Minute)},
		}
	}
	var made, used atomic.Int32
	var secret atomic.Value
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			_, s, err := l.tokens.CreateWorkflow(t.Context(), wanted(), proof)
			switch {
			case err == nil:
				made.Add(1)
				secret.Store(s)
			case errors.Is(err, tokens.ErrUsed) && s == "":
				used.Add(1)
			}
		})
	}
	all.Wait()
	if made.Load() != 1 || used.Load() != 15 {
		t.Fatalf("made %d tokens, refused %d", made.Load(), used.Load())
	}
	l.want(secret.Load().(string), nil)
	if _, err := l.tokens.RevokeSecret(t.Context(), secret.Load().(string)); err != nil {
		t.Fatal(err)
	}
	again := start(t, meta, tokens.Options{})
	replay := func() error { _, _, err := again.tokens.CreateWorkflow(t.Context(), wanted(), proof); return err }
	if err := replay(); !errors.Is(err, tokens.ErrUsed) {
		t.Errorf("after the token was revoked, and a restart: %v", err)
	}
	// It is forgotten only when nobody takes it any more.
	rows := func() (n int) {
		from, to := store.ProofRange()
		for range meta.Scan(t.Context(), from, to) {
			n++
		}
		return n
	}
	for _, c := range []struct {
		after time.Duration
		left  int
	}{{14 * time.Minute, 1}, {2 * time.Minute, 0}} {
		again.now = again.now.Add(c.after)
		if _, err := again.tokens.Sweep(t.Context()); err != nil || rows() != c.left {
			t.Errorf("%d rows after %v, want %d: %v", rows(), c.after, c.left, err)
		}
	}
	for name, p := range map[string]tokens.Proof{"no name": {Until: l.now}, "no end": {ID: "x"}} {
		if _, s, err := l.tokens.CreateWorkflow(t.Context(), wanted(), p); err == nil || s != "" {
			t.Errorf("%s: made", name)
		}
	}
}

// TestStrangersLeaveNoEvents: whoever has a GitHub account gets tokens that read, as many as they like over time. Events stay for good, so those tokens make
// none, whatever ends them; those that publish do.
func TestStrangersLeaveNoEvents(t *testing.T) {
	l := start(t, memory.NewKV(), tokens.Options{})
	create := func(name string, use scopes.Use) string {
		t.Helper()
		_, secret, err := l.tokens.CreateWorkflow(t.Context(), scopes.Token{
			Workflow: &scopes.Workflow{Repo: scopes.Repo{ID: 7, OwnerID: 1, Owner: "evil", Name: "ui"}},
			Grant:    scopes.Grant{Rights: scopes.Rights{{Values: []string{"*"}, Types: scopes.Types{Pkg: use}}}, Until: l.now.Add(15 * time.Minute)},
		}, tokens.Proof{ID: name, Until: l.now.Add(5 * time.Minute)})
		if err != nil {
			t.Fatal(err)
		}
		return secret
	}
	create("one", scopes.Use{Read: true})
	if _, err := l.tokens.RevokeSecret(t.Context(), create("two", scopes.Use{Read: true})); err != nil {
		t.Fatal(err)
	}
	sweep := func(want int) {
		t.Helper()
		l.now = l.now.Add(time.Hour)
		if n, err := l.tokens.Sweep(t.Context()); err != nil || n != want || l.whole() != 0 {
			t.Errorf("%d are removed, want %d: %v", n, want, err)
		}
	}
	sweep(1)
	if found := l.events(); len(found) != 0 {
		t.Errorf("tokens that read have left %v", found)
	}
	create("three", scopes.Use{Read: true, Write: true})
	sweep(1)
	if found := l.events(); !slices.Equal(found, []string{"mint", "expire"}) {
		t.Errorf("one that publishes has left %v", found)
	}
}

// TestGuestsShareALimit: somebody who has nothing here has one limit for all repositories, of which anybody can make more. Nobody else meets it.
func TestGuestsShareALimit(t *testing.T) {
	l := start(t, memory.NewKV(), tokens.Options{})
	n := 0
	create := func(owner, repo int64, guest bool) error {
		n++
		_, _, err := l.tokens.CreateWorkflow(t.Context(), scopes.Token{
			Workflow: &scopes.Workflow{Repo: scopes.Repo{ID: repo, OwnerID: owner, Owner: "evil", Name: "ui"}}, Guest: guest,
			Grant: scopes.Grant{Rights: scopes.Rights{{Values: []string{"*"}, Types: scopes.Types{Pkg: scopes.Use{Read: true}}}}, Until: l.now.Add(time.Hour)},
		}, tokens.Proof{ID: strconv.Itoa(n), Until: l.now.Add(5 * time.Minute)})
		return err
	}
	for i := range 1000 {
		if err := create(666, int64(i+1), true); err != nil {
			t.Fatalf("token %d: %v", i, err)
		}
	}
	if err := create(666, 5000, true); !errors.Is(err, tokens.ErrTooMany) {
		t.Errorf("the next repository: %v", err)
	}
	if err := create(667, 5001, true); err != nil {
		t.Errorf("another guest: %v", err)
	}
	if err := create(666, 1, false); err != nil {
		t.Errorf("somebody with packages here: %v", err)
	}
	l.whole()
	l.now = l.now.Add(time.Hour)
	if removed, err := l.tokens.Sweep(t.Context()); err != nil || removed != 1002 || l.whole() != 0 {
		t.Errorf("%d are removed: %v", removed, err)
	}
	if err := create(666, 1, true); err != nil {
		t.Errorf("an hour later: %v", err)
	}
}
