package oauth_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/githubauth"
	"gatehouse/githubauth/githubtest"
	"gatehouse/githubauth/oauth"
)

const callback = "http://127.0.0.1:1/-/login/callback"

// start returns a fake GitHub and an App of it, whose user tokens last eight hours.
func start(t *testing.T, now func() time.Time) (*githubtest.Fixture, *oauth.App) {
	t.Helper()
	f := githubtest.Acme(githubtest.Seed(1), githubtest.Clock(now)).Start()
	t.Cleanup(f.Close)
	registered := f.AddApp(githubtest.App{Slug: "gatehouse"})
	f.Install("gatehouse", "acme", "acme/ui")
	return f, app(t, f, registered.ClientID, registered.ClientSecret)
}

func app(t *testing.T, f *githubtest.Fixture, id, secret string) *oauth.App {
	t.Helper()
	a, err := oauth.New(oauth.Options{APIURL: f.APIURL(), WebURL: f.URL(), ClientID: id, ClientSecret: secret})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func code(t *testing.T, f *githubtest.Fixture, a *oauth.App, verifier string) string {
	t.Helper()
	back, err := f.AuthorizeAs("wendy", a.AuthorizeURL(callback, "state", verifier))
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(back)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query().Get("code")
}

func TestExchange(t *testing.T) {
	f, a := start(t, time.Now)
	verifier := oauth.NewVerifier()
	text := code(t, f, a, verifier)
	c, err := a.Exchange(t.Context(), text, callback, verifier)
	if err != nil || !strings.HasPrefix(c.Access, "ghu_") || !strings.HasPrefix(c.Refresh, "ghr_") || time.Until(c.Expires) < 7*time.Hour {
		t.Fatalf("%v %v", c.Expires, err)
	}
	if account, err := a.Check(t.Context(), c.Access); err != nil || account == 0 {
		t.Errorf("%d %v", account, err)
	}
	if _, err := a.Exchange(t.Context(), text, callback, verifier); !errors.Is(err, oauth.ErrSpent) {
		t.Errorf("a code twice: %v", err)
	}
	if _, err := a.Exchange(t.Context(), code(t, f, a, verifier), callback, oauth.NewVerifier()); !errors.Is(err, oauth.ErrSpent) {
		t.Errorf("another verifier: %v", err)
	}
	if _, err := a.Exchange(t.Context(), strings.Repeat("x", 10_000), callback, verifier); !errors.Is(err, oauth.ErrSpent) {
		t.Errorf("a huge code: %v", err)
	}
	if err := a.Revoke(t.Context(), c.Access); err != nil {
		t.Error(err)
	}
	if _, err := a.Check(t.Context(), c.Access); !errors.Is(err, oauth.ErrForeign) {
		t.Errorf("after it was revoked: %v", err)
	}
	if err := a.Revoke(t.Context(), c.Access); err != nil {
		t.Errorf("revoked twice: %v", err)
	}
}

// TestErrorsQuoteNothing: no secret, code or token gets into an error, and so into a log.
func TestErrorsQuoteNothing(t *testing.T) {
	f, right := start(t, time.Now)
	secrets := []string{"a-wrong-secret", "a-code-of-somebody", "ghu_ofsomebody", "ghr_ofsomebody", "a-device-code"}
	registered := f.AddApp(githubtest.App{Slug: "second"})
	wrong := app(t, f, registered.ClientID, secrets[0])
	nobody := app(t, f, "Iv1.0123456789abcdef", secrets[0])
	var all []error
	ask := func() {
		for _, a := range []*oauth.App{right, wrong, nobody} {
			_, err1 := a.Exchange(t.Context(), secrets[1], callback, "verifier")
			_, err2 := a.Refresh(t.Context(), secrets[3])
			_, err3 := a.Check(t.Context(), secrets[2])
			_, err4 := a.Poll(t.Context(), secrets[4])
			_, err5 := a.Device(t.Context())
			all = append(all, err1, err2, err3, err4, err5, a.Revoke(t.Context(), secrets[2]))
		}
	}
	ask()
	defer f.Outage(500)()
	ask()
	f.Close()
	ask()
	failed := 0
	for _, err := range all {
		if err == nil {
			continue
		}
		failed++
		for _, s := range secrets {
			if strings.Contains(err.Error(), s) {
				t.Errorf("an error quotes %s: %v", s, err)
			}
		}
	}
	if failed < 3*3*5 {
		t.Errorf("%d of %d failed", failed, len(all))
	}
	for _, c := range []struct {
		err  error
		what any
	}{{all[6], new(*oauth.Setup)}, {all[12], new(*oauth.Setup)}, {all[len(all)-6], new(*githubauth.Unavailable)}} {
		if !errors.As(c.err, c.what) {
			t.Errorf("%v is no %T", c.err, c.what)
		}
	}
}

// TestRedirectsAreNotFollowed: whoever answers in GitHub's place with a redirect gets neither the secret nor the code.
func TestRedirectsAreNotFollowed(t *testing.T) {
	thief := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the redirect was followed") }))
	defer thief.Close()
	for _, status := range []int{301, 302, 307, 308} {
		s := httptest.NewServer(http.RedirectHandler(thief.URL, status))
		a, err := oauth.New(oauth.Options{APIURL: s.URL, WebURL: s.URL, ClientID: "id", ClientSecret: "secret"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := a.Exchange(t.Context(), "code", callback, "verifier"); err == nil {
			t.Error("a redirect is a token")
		}
		if _, err := a.Check(t.Context(), "token"); err == nil {
			t.Error("a redirect is a check")
		}
		if _, err := a.Device(t.Context()); err == nil {
			t.Error("a redirect is a device code")
		}
		if err := a.Revoke(t.Context(), "token"); err == nil {
			t.Error("a redirect is a revocation")
		}
		s.Close()
	}
}

// kept is a credential in a place that several processes share.
type kept struct {
	mu       sync.Mutex
	c        oauth.Credential
	replaced int
	full     int // how often keeping fails before it works
}

var errStale, errFull = errors.New("stale"), errors.New("full")

func (k *kept) as(name string) oauth.Kept {
	return oauth.Kept{
		Name: name,
		Read: func(context.Context) (oauth.Credential, error) { k.mu.Lock(); defer k.mu.Unlock(); return k.c, nil },
		Replace: func(_ context.Context, old, new oauth.Credential) error {
			k.mu.Lock()
			defer k.mu.Unlock()
			if k.c != old {
				return errStale
			}
			if k.full > 0 {
				k.full--
				return errFull
			}
			k.c = new
			k.replaced++
			return nil
		},
		Stale: func(err error) bool { return errors.Is(err, errStale) },
	}
}

// TestRefreshOnce: however many requests need a credential when it ends, in however many processes, it is refreshed once and nobody is turned away.
func TestRefreshOnce(t *testing.T) {
	var mu sync.Mutex
	now := time.Now()
	clock := func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	f, a := start(t, clock)
	verifier := oauth.NewVerifier()
	first, err := a.Exchange(t.Context(), code(t, f, a, verifier), callback, verifier)
	if err != nil {
		t.Fatal(err)
	}
	first.Expires = now.Add(8 * time.Hour)
	k := &kept{c: first, full: 1}
	processes := []*oauth.Refresher{oauth.NewRefresher(a, clock), oauth.NewRefresher(a, clock)}
	if c, err := processes[0].Fresh(t.Context(), first, k.as("t")); err != nil || c != first || k.replaced != 0 {
		t.Fatalf("a fresh one is refreshed: %v", err)
	}
	mu.Lock()
	now = now.Add(7*time.Hour + 56*time.Minute)
	mu.Unlock()
	var group sync.WaitGroup
	for i := range 16 {
		group.Go(func() {
			c, err := processes[i%2].Fresh(t.Context(), first, k.as("t"))
			if err != nil || c.Access == first.Access {
				t.Errorf("%d: %v", i, err)
				return
			}
			if _, err := a.Check(t.Context(), c.Access); err != nil {
				t.Errorf("%d got a token that does not work: %v", i, err)
			}
		})
	}
	group.Wait()
	if k.replaced != 1 {
		t.Errorf("kept %d times", k.replaced)
	}
	// Somebody has taken the refresh token's turn, and nothing came of it.
	if _, err := a.Refresh(t.Context(), k.c.Refresh); err != nil {
		t.Fatal(err)
	}
	k.c.Expires = now
	if _, err := processes[0].Fresh(t.Context(), k.c, k.as("t")); !errors.Is(err, oauth.ErrSpent) {
		t.Errorf("after it was spent elsewhere: %v", err)
	}
}
