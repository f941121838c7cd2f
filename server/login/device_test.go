package login_test

import (
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// device begins a login by code and returns what the page shows.
func (b *browser) device(n npm) (code, page string) {
	b.t.Helper()
	a := b.do("POST", n.LoginURL, "", "Sec-Fetch-Site", "same-origin")
	if a.StatusCode != 303 || a.Header.Get("Location") != n.LoginURL {
		b.t.Fatalf("%d %v %s", a.StatusCode, a.Header, a.body)
	}
	a = b.do("GET", n.LoginURL, "")
	m := regexp.MustCompile(`<p class="code">([A-Z-]{9})</p>`).FindStringSubmatch(a.body)
	if m == nil || !strings.Contains(a.body, "/login/device") {
		b.t.Fatal(a.body)
	}
	return m[1], a.body
}

func TestDeviceFlow(t *testing.T) {
	r := start(t, withoutSecret)
	n := r.begin()
	b := newBrowser(t)
	if page := b.do("GET", n.LoginURL, ""); !strings.Contains(page.body, "Show me the code") {
		t.Error(page.body)
	}
	code, page := b.device(n)
	if !strings.Contains(page, `<meta http-equiv="refresh" content="5">`) || strings.Contains(page, "user_code=") {
		t.Error(page)
	}
	// Whoever else has the link sees the question and not the code.
	if other := newBrowser(t).do("GET", n.LoginURL, ""); strings.Contains(other.body, code) {
		t.Error("the code is shown to another browser")
	}
	r.pass(5 * time.Second)
	if status, _ := r.collect(n); status != 202 {
		t.Errorf("npm is told %d", status)
	}
	if err := r.github.AuthorizeDevice("wendy", code); err != nil {
		t.Fatal(err)
	}
	if status, _ := r.collect(n); status != 202 {
		t.Errorf("GitHub was asked again at once: npm is told %d", status)
	}
	r.pass(5 * time.Second)
	if a := b.do("GET", n.LoginURL, ""); !strings.Contains(a.body, "npm is logged in as wendy") {
		t.Error(a.body)
	}
	status, token := r.collect(n)
	if minted, _, err := r.tokens.Open(t.Context(), token); status != 200 || err != nil || minted.Owner.Login != "wendy" {
		t.Errorf("%d %+v %v", status, minted, err)
	}
}

func TestDeviceFlowEnds(t *testing.T) {
	r := start(t, withoutSecret)
	n := r.begin()
	b := newBrowser(t)
	code, _ := b.device(n)
	if err := r.github.DenyDevice(code); err != nil {
		t.Fatal(err)
	}
	r.pass(5 * time.Second)
	if status, _ := r.collect(n); status != 404 {
		t.Errorf("npm is told %d after a no", status)
	}
	if a := b.do("GET", n.LoginURL, ""); a.StatusCode != 403 || !strings.Contains(a.body, "told not to") {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
	r.github.SetDeviceFlow(clientID, false)
	n = r.begin()
	if a := b.do("POST", n.LoginURL, "", "Sec-Fetch-Site", "same-origin"); a.StatusCode != 503 || !strings.Contains(a.body, "device flow is not enabled") {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
}

// TestButtonPressedForEver: each press asks GitHub for a code in the registry's name, of which GitHub gives out so many an hour. One login gets a few.
func TestButtonPressedForEver(t *testing.T) {
	r := start(t, withoutSecret)
	n := r.begin()
	b := newBrowser(t)
	r.github.ResetCounts()
	var group sync.WaitGroup
	for range 30 {
		group.Go(func() { newBrowser(t).do("POST", n.LoginURL, "", "Sec-Fetch-Site", "same-origin") })
	}
	group.Wait()
	for range 5 {
		b.do("POST", n.LoginURL, "", "Sec-Fetch-Site", "same-origin")
	}
	if asked := r.github.Counts().Total(); asked > 5 {
		t.Errorf("GitHub was asked %d times", asked)
	}
	if a := b.do("POST", n.LoginURL, "", "Sec-Fetch-Site", "same-origin"); a.StatusCode != 429 || !strings.Contains(a.body, "npm login again") {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
}
