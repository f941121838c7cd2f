package login_test

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/githubauth/githubtest"
	"gatehouse/githubauth/oauth"
	"gatehouse/server/login"
)

// TestDoneURLFetchedTwice: the token is handed out once.
func TestDoneURLFetchedTwice(t *testing.T) {
	r := start(t)
	n := r.begin()
	b := newBrowser(t)
	b.do("GET", r.approve("wendy", b.press(n)), "")
	var group sync.WaitGroup
	got := make(chan string, 16)
	for range cap(got) {
		group.Go(func() {
			if _, token := r.collect(n); token != "" {
				got <- token
			}
		})
	}
	group.Wait()
	if len(got) != 1 {
		t.Errorf("%d of 16 got the token", len(got))
	}
	if status, _ := r.collect(n); status != 404 {
		t.Errorf("afterwards npm is told %d", status)
	}
	if a := b.do("GET", n.LoginURL, ""); a.StatusCode != 404 {
		t.Errorf("afterwards the page is a %d", a.StatusCode)
	}
}

// TestDoneURLGuessed: the page's address, which is shown and passed on, collects nothing.
func TestDoneURLGuessed(t *testing.T) {
	r := start(t)
	n := r.begin()
	b := newBrowser(t)
	b.do("GET", r.approve("wendy", b.press(n)), "")
	page := n.LoginURL[strings.LastIndex(n.LoginURL, "/")+1:]
	for _, guess := range []string{page, strings.Repeat("A", 43), "x", page + "A"} {
		if status, token := r.collect(npm{DoneURL: r.server.URL + "/-/v1/done/" + guess}); status != 404 || token != "" {
			t.Errorf("%q collects: %d", guess, status)
		}
	}
	ticket := n.DoneURL[strings.LastIndex(n.DoneURL, "/")+1:]
	if a := b.do("GET", r.server.URL+"/-/login/"+ticket, ""); a.StatusCode != 404 {
		t.Errorf("the ticket is a page: %d", a.StatusCode)
	}
	if status, token := r.collect(n); status != 200 || token == "" {
		t.Error("the guesses have cost npm its token")
	}
}

// TestStateMismatch: an answer of GitHub's that belongs to another login ends in nothing, also in the right browser.
func TestStateMismatch(t *testing.T) {
	r := start(t)
	n := r.begin()
	b := newBrowser(t)
	callback := r.approve("wendy", b.press(n))
	u, _ := url.Parse(callback)
	for _, state := range []string{"", "x", strings.Repeat("A", 43)} {
		q := u.Query()
		q.Set("state", state)
		other := *u
		other.RawQuery = q.Encode()
		if a := b.do("GET", other.String(), ""); a.StatusCode != 403 || !strings.Contains(a.body, "That was another login") {
			t.Errorf("the state %q: %d %s", state, a.StatusCode, a.body)
		}
	}
	if status, _ := r.collect(n); status != 202 {
		t.Errorf("npm is told %d", status)
	}
}

// TestOtherBrowsersCallback: somebody who talks a victim into opening the attacker's callback, or who has seen the victim's, gets nowhere.
func TestOtherBrowsersCallback(t *testing.T) {
	r := start(t)
	n := r.begin()
	attacker, victim := newBrowser(t), newBrowser(t)
	callback := r.approve("mallory", attacker.press(n))
	if a := victim.do("GET", callback, ""); a.StatusCode != 403 || !strings.Contains(a.body, "Another browser began this") {
		t.Errorf("without a cookie: %d", a.StatusCode)
	}
	own := r.begin()
	victim.press(own)
	if a := victim.do("GET", callback, ""); a.StatusCode != 403 {
		t.Errorf("with the cookie of another login: %d", a.StatusCode)
	}
	// The button pressed again, elsewhere: the login is that browser's now.
	victim.press(n)
	if a := attacker.do("GET", callback, ""); a.StatusCode != 403 {
		t.Errorf("with the cookie of before: %d", a.StatusCode)
	}
	for _, n := range []npm{n, own} {
		if status, _ := r.collect(n); status != 202 {
			t.Errorf("npm is told %d", status)
		}
	}
}

// TestCodeReplay: GitHub's answer is good once, also where the first time failed.
func TestCodeReplay(t *testing.T) {
	r := start(t)
	n := r.begin()
	b := newBrowser(t)
	callback := r.approve("wendy", b.press(n))
	cookies := b.Jar.Cookies(mustParse(t, callback))
	if a := b.do("GET", callback, ""); a.StatusCode != 200 {
		t.Fatal(a.StatusCode)
	}
	again := newBrowser(t)
	again.Jar.SetCookies(mustParse(t, callback), cookies)
	if a := again.do("GET", callback, ""); a.StatusCode != 409 || !strings.Contains(a.body, "This login is over") {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
	if status, token := r.collect(n); status != 200 || token == "" {
		t.Errorf("npm is told %d", status)
	}
}

// TestSessionReuse: a login that has its token takes no other.
func TestSessionReuse(t *testing.T) {
	r := start(t)
	n := r.begin()
	b := newBrowser(t)
	b.do("GET", r.approve("wendy", b.press(n)), "")
	other := newBrowser(t)
	if a := other.do("POST", n.LoginURL, "", "Origin", r.server.URL); a.StatusCode != 409 {
		t.Errorf("the button can be pressed again: %d", a.StatusCode)
	}
	if a := other.do("GET", n.LoginURL, ""); !strings.Contains(a.body, "npm is logged in as wendy") {
		t.Error(a.body)
	}
	if _, token := r.collect(n); token == "" {
		t.Error("npm gets no token")
	}
}

// TestCSRF: the button works from the registry's own page and from nowhere else.
func TestCSRF(t *testing.T) {
	r := start(t)
	n := r.begin()
	for _, from := range [][]string{
		{"Origin", "https://evil.example"}, {"Origin", "null"}, {"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"},
		{"Sec-Fetch-Site", "cross-site", "Origin", r.server.URL},
	} {
		b := newBrowser(t)
		if a := b.do("POST", n.LoginURL, "", from...); a.StatusCode != 403 || len(a.Cookies()) > 0 {
			t.Errorf("%v: %d, %v", from, a.StatusCode, a.Cookies())
		}
	}
	if a := newBrowser(t).do("GET", n.LoginURL, ""); a.Header.Get("Referrer-Policy") != "same-origin" {
		t.Error("over plain http a browser would send the form with the origin null")
	}
}

func TestCookieFlags(t *testing.T) {
	for base, want := range map[string]string{
		"https://npm.example/": "__Host-gatehouse-login", "http://npm.example/": "gatehouse-login",
	} {
		r := start(t, func(_ *githubtest.Fixture, _ *oauth.Options, o *login.Options) {
			o.Base = func(*http.Request) (string, error) { return base, nil }
		})
		n := r.begin()
		if !strings.HasPrefix(n.LoginURL, base+"-/login/") || !strings.HasPrefix(n.DoneURL, base+"-/v1/done/") {
			t.Errorf("%+v", n)
		}
		a := newBrowser(t).do("POST", r.server.URL+"/"+strings.TrimPrefix(n.LoginURL, base), "", "Sec-Fetch-Site", "same-origin")
		if len(a.Cookies()) != 1 {
			t.Fatalf("%d %v", a.StatusCode, a.Header)
		}
		c := a.Cookies()[0]
		if c.Name != want || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || c.MaxAge != 600 || c.Secure != strings.HasPrefix(base, "https:") {
			t.Errorf("%s: %s", base, c)
		}
	}
}

// TestElsewhere: somebody else's link asks for more than a click.
func TestElsewhere(t *testing.T) {
	r := start(t)
	n := r.begin()
	r.at("198.51.100.9")
	b := newBrowser(t)
	page := b.do("GET", n.LoginURL, "")
	if !strings.Contains(page.body, "192.0.2.7") || !strings.Contains(page.body, "198.51.100.9") || !strings.Contains(page.body, `type="checkbox" name="mine" value="yes" required`) {
		t.Error(page.body)
	}
	form := func(body string) answer {
		return b.do("POST", n.LoginURL, body, "Origin", r.server.URL, "Content-Type", "application/x-www-form-urlencoded")
	}
	if a := form(""); a.StatusCode != 403 || len(a.Cookies()) > 0 || !strings.Contains(a.body, "Was it you?") {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
	if a := form("mine=yes"); a.StatusCode != 200 || len(a.Cookies()) != 1 {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
}

// TestElsewhereUnknown: where it is not known who anybody is, they are not taken for the same.
func TestElsewhereUnknown(t *testing.T) {
	r := start(t, func(_ *githubtest.Fixture, _ *oauth.Options, o *login.Options) {
		o.From = func(*http.Request) netip.Addr { return netip.Addr{} }
	})
	n := r.begin()
	b := newBrowser(t)
	if a := b.do("GET", n.LoginURL, ""); !strings.Contains(a.body, `name="mine"`) || strings.Contains(a.body, "invalid IP") {
		t.Error(a.body)
	}
	if a := b.do("POST", n.LoginURL, "", "Sec-Fetch-Site", "same-origin"); a.StatusCode != 403 {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
}

// TestForeignAppsToken: a token that GitHub gave another app for the same person is not taken, whichever way it comes.
func TestForeignAppsToken(t *testing.T) {
	r := start(t)
	r.github.AddOAuthApp("evil", "s")
	app, err := oauth.New(oauth.Options{APIURL: r.github.APIURL(), WebURL: r.github.URL(), ClientID: clientID, ClientSecret: secret})
	if err != nil {
		t.Fatal(err)
	}
	for name, token := range map[string]string{"another app's": r.github.Login("evil", "wendy", "repo"), "personal": r.github.Wendy, "none": "x"} {
		if _, err := app.Check(t.Context(), token); err != oauth.ErrForeign {
			t.Errorf("%s: %v", name, err)
		}
	}
	status, body := r.legacy("wendy", r.github.Login("evil", "wendy", "repo"))
	if status != 403 || !strings.Contains(body, "every site that you log in to") {
		t.Errorf("as a password: %d %s", status, body)
	}
}

// TestOpenRedirect: nothing that comes with a request decides where a browser is sent.
func TestOpenRedirect(t *testing.T) {
	r := start(t)
	n := r.begin()
	b := newBrowser(t)
	for _, more := range []string{"?redirect_uri=https://evil.example", "?return_to=//evil.example", "?state=x&redirect=https://evil.example"} {
		a := b.do("POST", n.LoginURL+more, "next=https://evil.example&redirect_uri=https://evil.example", "Origin", r.server.URL, "Content-Type", "application/x-www-form-urlencoded", "Referer", "https://evil.example/", "X-Forwarded-Host", "evil.example")
		if strings.Contains(a.body, "evil.example") || a.Header.Get("Location") != "" || !strings.Contains(a.body, r.github.URL()+"/login/oauth/authorize?") {
			t.Errorf("%s: %v %s", more, a.Header, a.body)
		}
	}
	for _, path := range []string{"/-/login/callback?code=x&state=//evil.example", "/-/login/callback?error=x&error_uri=https://evil.example", "/-/login/https:%2F%2Fevil.example"} {
		if a := b.do("GET", r.server.URL+path, ""); a.Header.Get("Location") != "" || strings.Contains(a.body, "evil.example") {
			t.Errorf("%s: %v %s", path, a.Header, a.body)
		}
	}
}

// TestOtherHost: the host that somebody wrote into the request that began a login is none that a browser is sent to from here.
func TestOtherHost(t *testing.T) {
	for _, settings := range [][]setting{nil, {withoutSecret}} {
		var mu sync.Mutex
		base := "https://evil.example/"
		r := start(t, append(settings, func(_ *githubtest.Fixture, _ *oauth.Options, o *login.Options) {
			own := o.Base
			o.Base = func(r *http.Request) (string, error) {
				mu.Lock()
				defer mu.Unlock()
				if base != "" {
					return base, nil
				}
				return own(r)
			}
		})...)
		n := r.begin()
		mu.Lock()
		base = ""
		mu.Unlock()
		n.LoginURL = r.server.URL + "/" + strings.TrimPrefix(n.LoginURL, "https://evil.example/")
		for _, method := range []string{"GET", "POST"} {
			a := newBrowser(t).do(method, n.LoginURL, "", "Sec-Fetch-Site", "same-origin")
			if a.StatusCode != 404 || strings.Contains(a.body, "evil.example") || a.Header.Get("Location") != "" || len(a.Cookies()) > 0 {
				t.Errorf("%s: %d %v %s", method, a.StatusCode, a.Header, a.body)
			}
		}
	}
}

// TestFlood: whoever begins logins without end is told to wait, and nobody else is.
func TestFlood(t *testing.T) {
	r := start(t)
	for range 100 {
		r.begin()
	}
	a := newBrowser(t).do("POST", r.server.URL+"/-/v1/login", "{}")
	if a.StatusCode != 429 || a.Header.Get("Retry-After") == "" {
		t.Errorf("%d %v", a.StatusCode, a.Header)
	}
	r.at("2001:db8::1")
	r.begin()
	r.at("192.0.2.7")
	r.pass(10 * time.Minute)
	r.begin()
}

func mustParse(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}
