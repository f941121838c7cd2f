package githubauth_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse/githubauth"
	"gatehouse/githubauth/githubtest"
	"gatehouse/scopes"
)

var cacheKey = bytes.Repeat([]byte{7}, 32)

// kept is a client whose answers are kept in path.
func kept(t *testing.T, f *githubtest.Fixture, now *clock, path string, key []byte) *githubauth.Client {
	t.Helper()
	return registry(t, f, now, []scopes.Repo{bind(f.UI), bind(f.API)}, func(o *githubauth.Options) { o.CachePath, o.CacheKey = path, key })
}

func shut(t *testing.T, c *githubauth.Client) {
	t.Helper()
	if err := c.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// reads asks all there is to ask about each token, and returns what GitHub was asked.
func reads(t *testing.T, f *githubtest.Fixture, c *githubauth.Client, tokens ...string) int {
	t.Helper()
	f.ResetCounts()
	for _, token := range tokens {
		if _, err := c.Identify(context.Background(), token, netip.Addr{}); err != nil {
			t.Fatal(err)
		}
		for _, r := range []githubtest.Repo{f.UI, f.API} {
			if _, err := c.Access(context.Background(), token, bind(r), scopes.Read); err != nil {
				t.Fatal(err)
			}
		}
	}
	return f.Counts().Total()
}

// TestRestart: a restart costs no request, and nothing lives longer for it.
func TestRestart(t *testing.T) {
	f := githubtest.Acme().Start()
	defer f.Close()
	now, path := newClock(), filepath.Join(t.TempDir(), "answers")
	tokens := []string{f.Wendy, f.Rita, f.WendyReads, f.Token(githubtest.Installation{Owner: "acme", Contents: githubtest.Read})}
	c := kept(t, f, now, path, cacheKey)
	if reads(t, f, c, tokens...) == 0 {
		t.Fatal("GitHub was not asked")
	}
	shut(t, c)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatal(info, err)
	}
	for range 3 { // the second and third time, records that nobody opened are passed on
		c = kept(t, f, now, path, cacheKey)
		if got := reads(t, f, c, f.Wendy); got != 0 {
			t.Errorf("a restart cost %d requests\n%s", got, f.Counts())
		}
		shut(t, c)
	}
	c = kept(t, f, now, path, cacheKey)
	if got := reads(t, f, c, tokens...); got != 0 {
		t.Errorf("a restart cost %d requests\n%s", got, f.Counts())
	}
	if who, _ := c.Identify(context.Background(), f.Rita, netip.Addr{}); who.Login != "rita" || who.Credential != scopes.Classic || who.Kind != scopes.Person {
		t.Errorf("%+v", who)
	}
	shut(t, c)
	f.Revoke("rita", "acme/ui")
	now.pass(61 * time.Second)
	c = kept(t, f, now, path, cacheKey)
	if a, err := c.Access(context.Background(), f.Rita, bind(f.UI), scopes.Read); err != nil || a.Permission() != scopes.None {
		t.Errorf("after a minute and a restart: %+v %v", a, err)
	}
	shut(t, c)
}

// TestForgottenStaysForgotten: what an event dropped is not there after a restart, seen since the last one or not.
func TestForgottenStaysForgotten(t *testing.T) {
	f := githubtest.Acme().Start()
	defer f.Close()
	now, path := newClock(), filepath.Join(t.TempDir(), "answers")
	c := kept(t, f, now, path, cacheKey)
	reads(t, f, c, f.Wendy, f.Rita)
	shut(t, c)
	f.Revoke("rita", "acme/ui")
	f.Revoke("wendy", "acme/ui")
	c = kept(t, f, now, path, cacheKey)
	if got := reads(t, f, c, f.Rita); got != 0 {
		t.Fatalf("%d requests", got)
	}
	c.Forget(githubauth.Forgotten{Repo: f.UI.ID})
	for range 2 {
		for name, token := range map[string]string{"rita": f.Rita, "wendy": f.Wendy} {
			if a, err := c.Access(context.Background(), token, bind(f.UI), scopes.Read); err != nil || a.Permission() != scopes.None {
				t.Errorf("%s: %+v %v", name, a, err)
			}
		}
		shut(t, c)
		c = kept(t, f, now, path, cacheKey)
	}
	shut(t, c)
}

// TestStolenAnswers: the file tells nothing, and opens nothing for anybody but the holder of the token on this very registry.
func TestStolenAnswers(t *testing.T) {
	f := githubtest.Acme().Start()
	defer f.Close()
	now, path := newClock(), filepath.Join(t.TempDir(), "answers")
	c := kept(t, f, now, path, cacheKey)
	reads(t, f, c, f.Wendy, f.WendyReads)
	shut(t, c)
	all, err := os.ReadFile(path)
	if err != nil || len(all) < 500 {
		t.Fatal(len(all), err)
	}
	for _, secret := range []string{f.Wendy, f.WendyReads, f.Wendy[4:], "wendy", "acme", "ui", "api", f.UI.NodeID, fmt.Sprint(f.UI.ID), fmt.Sprint(f.Account("wendy").ID), "repo", "Login"} {
		if len(secret) > 2 && (bytes.Contains(all, []byte(secret)) || bytes.Contains(all, []byte(base64.StdEncoding.EncodeToString([]byte(secret))))) {
			t.Errorf("%q can be read in the file", secret)
		}
	}
	other := bytes.Repeat([]byte{8}, 32)
	c = kept(t, f, now, path, other)
	if got := reads(t, f, c, f.Wendy); got == 0 {
		t.Error("opened under another key")
	}
	shut(t, c)
}

// TestDamagedAnswers: whatever has become of the file, the registry starts, asks GitHub, and writes a good one.
func TestDamagedAnswers(t *testing.T) {
	f := githubtest.Acme().Start()
	defer f.Close()
	now, path := newClock(), filepath.Join(t.TempDir(), "answers")
	c := kept(t, f, now, path, cacheKey)
	reads(t, f, c, f.Wendy)
	shut(t, c)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	flipped := func(at int) []byte {
		b := bytes.Clone(good)
		b[at] ^= 1
		return b
	}
	for what, content := range map[string][]byte{
		"empty": {}, "cut in the middle": good[:len(good)/2], "a byte missing": good[:len(good)-1], "a byte more": append(bytes.Clone(good), 0),
		"another version": append([]byte("gatehouse answers 9\n"), good[20:]...), "zeros": make([]byte, len(good)), "text": []byte(strings.Repeat("x", 4000)),
		"the first byte": flipped(0), "the key's check": flipped(25), "a name": flipped(40), "a time": flipped(59), "a length": flipped(61), "an answer": flipped(200), "the sum": flipped(len(good) - 1),
	} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		c := kept(t, f, now, path, cacheKey)
		if got := reads(t, f, c, f.Wendy); got == 0 {
			t.Errorf("%s: believed", what)
		}
		shut(t, c)
		c = kept(t, f, now, path, cacheKey)
		if got := reads(t, f, c, f.Wendy); got != 0 {
			t.Errorf("%s: not replaced by a good one", what)
		}
		shut(t, c)
	}
	if left, _ := filepath.Glob(path + ".*"); len(left) > 0 {
		t.Errorf("left behind: %s", left)
	}
}
