package main

import (
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"gatehouse/cmd/gatehouse/clienttest"
	"gatehouse/githubauth/githubtest"
)

const (
	loginID     = "0123456789abcdef0123"
	loginSecret = "the-secret-of-the-registrys-app"
)

// startWithLogin runs a registry that people log in to with an OAuth app.
func startWithLogin(t *testing.T) *process {
	t.Helper()
	file := filepath.Join(t.TempDir(), "gatehouse.yaml")
	text := "auth:\n  github:\n    oauth:\n      client_id: \"" + loginID + "\"\n      client_secret: \"" + loginSecret + "\"\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	at := startRegistry(t, "--config="+file)
	at.github.AddOAuthApp(loginID, loginSecret)
	return at
}

// TestClientsLogin is npm login as people type it, up to a publish with what came of it, and npm logout. The browser is one without a screen that keeps
// cookies, sends forms and follows links, all that the pages need.
func TestClientsLogin(t *testing.T) {
	at := startWithLogin(t)
	for _, name := range []string{"npm-10", "npm-11", "npm-12", "pnpm-12", "yarn-4"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := cell{clienttest.Named(t, name), at, nil}
			c.login(t)
		})
	}
}

// loginCommand is how each client is told to log in in a browser.
var loginCommand = map[string][]string{
	"npm-10": {"login"}, "npm-11": {"login"}, "npm-12": {"login"}, "pnpm-12": {"login"}, "yarn-4": {"npm", "login", "--web-login", "--scope", "acme"},
}

func (c cell) login(t *testing.T) {
	name := c.name("login")
	u := c.user(t, "")
	screen := newTerminal()
	u.Also = screen
	args := loginCommand[c.Name]
	if c.Name == "yarn-4" {
		u.Input = "n" // whether it is to open a browser
	} else {
		args = append(args, "--registry="+c.at.url+"/")
	}
	typed := make(chan clienttest.Result, 1)
	go func() { typed <- u.Run(u.Home, args...) }()
	select {
	case page := <-screen.page:
		approveInBrowser(t, c.at.github, "wendy", page)
	case r := <-typed:
		t.Fatalf("it ended without an address:\n%v", r)
	case <-time.After(u.Limit):
		t.Fatal("it shows no address")
	}
	r := (<-typed).Must(t)
	u.Also, u.Input = nil, ""
	t.Logf("$ %s %s\n%s", c.Name, strings.Join(args, " "), hideLogins.ReplaceAllString(r.Output, "$1[…]"))

	token := c.kept(t, u)
	c.at.mu.Lock()
	c.at.shown[token] = true // nor may this one be found anywhere
	c.at.mu.Unlock()
	if c.has(clienttest.Whoami, "whoami") {
		if r := u.Whoami().Must(t); !r.Line("wendy") {
			t.Errorf("the name is not in\n%v", r)
		}
	}
	u.Publish(library(t, name, "1.0.0", "1"), "latest").Must(t)
	if !strings.HasPrefix(c.Name, "npm-") {
		return
	}
	if r := u.Run(u.Home, "token", "list", "--registry="+c.at.url+"/").Must(t); !r.Line(token[:8]) {
		t.Errorf("the login is not in the list\n%v", r)
	}
	u.Run(u.Home, "logout", "--registry="+c.at.url+"/").Must(t)
	if status, body := get(t, c.at.url+"/-/whoami", token); status != http.StatusUnauthorized {
		t.Errorf("after npm logout: %d %s", status, body)
	}
}

// hideLogins finds the names of logins in what a client prints.
var hideLogins = regexp.MustCompile(`(/-/(?:login|v1/done)/)[\w-]{43}`)

var anyToken = regexp.MustCompile(`gth_[0-9A-Za-z]{49}`)

// kept is the token that a client has put into its settings.
func (c cell) kept(t *testing.T, u *clienttest.User) string {
	t.Helper()
	for _, file := range []string{".npmrc", ".yarnrc.yml", ".config/pnpm/auth.ini", ".config/pnpm/rc"} {
		text, err := os.ReadFile(filepath.Join(u.Home, file))
		if token := anyToken.Find(text); err == nil && token != nil {
			return string(token)
		}
	}
	t.Fatal("the client has kept no token")
	return ""
}

// terminal looks for the address of a login's page in what a client prints.
type terminal struct {
	read io.WriteCloser
	page chan string
}

func newTerminal() *terminal {
	in, out := io.Pipe()
	t := &terminal{out, make(chan string, 1)}
	go func() {
		var printed []byte
		buf := make([]byte, 4096)
		for found := false; ; {
			n, err := in.Read(buf)
			if printed = append(printed, buf[:n]...); !found {
				if m := loginPage.FindSubmatch(printed); m != nil {
					found = true
					t.page <- string(m[1])
				}
			}
			if err != nil {
				return
			}
		}
	}()
	return t
}

func (t *terminal) Write(p []byte) (int, error) { return t.read.Write(p) }

var loginPage = regexp.MustCompile(`(http://127\.0\.0\.1:\d+/-/login/[\w-]{43})\W`)

var goesOn = regexp.MustCompile(`<meta http-equiv="refresh" content="0; url=([^"]+)">`)

// approveInBrowser opens a login's page, presses its button, and agrees on GitHub's page as somebody.
func approveInBrowser(t *testing.T, github *githubtest.Fixture, who, page string) {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar, Timeout: time.Minute}
	send := func(r *http.Request, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		resp, err := browser.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d %v\n%s", r.URL.Path, resp.StatusCode, err, body)
		}
		return string(body)
	}
	form := func(address, origin string, values url.Values) string {
		r, err := http.NewRequest(http.MethodPost, address, strings.NewReader(values.Encode()))
		if err == nil {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set("Origin", origin)
		}
		return send(r, err)
	}
	send(http.NewRequest(http.MethodGet, page, nil))
	at, err := url.Parse(page)
	if err != nil {
		t.Fatal(err)
	}
	m := goesOn.FindStringSubmatch(form(page, at.Scheme+"://"+at.Host, nil))
	if m == nil {
		t.Fatal("the button leads nowhere")
	}
	authorize := html.UnescapeString(m[1])
	send(http.NewRequest(http.MethodGet, authorize, nil))
	u, err := url.Parse(authorize)
	if err != nil {
		t.Fatal(err)
	}
	values := u.Query()
	values.Set("user", who)
	if done := form(github.URL()+"/login/oauth/authorize", github.URL(), values); !strings.Contains(done, "npm is logged in as "+who) {
		t.Fatal(done)
	}
}

// TestClientsLegacyLogin is the password prompt, by what npm sends: it asks a terminal and no other.
func TestClientsLegacyLogin(t *testing.T) {
	at := startRegistry(t)
	status, body := sendJSON(t, http.MethodPost, at.url+"/-/v1/login", "{}")
	if status < 400 || status > 499 {
		t.Errorf("without an app npm is to ask for a password: %d %s", status, body)
	}
	login, _ := json.Marshal(map[string]string{"name": "wendy", "password": at.github.Wendy, "type": "user"})
	status, body = sendJSON(t, http.MethodPut, at.url+"/-/user/org.couchdb.user:wendy", string(login))
	token := anyToken.FindString(string(body))
	if status != http.StatusCreated || token == "" {
		t.Fatalf("%d %s", status, body)
	}
	at.mu.Lock()
	at.shown[token] = true
	at.mu.Unlock()
	if status, body := get(t, at.url+"/-/whoami", token); status != 200 || !strings.Contains(string(body), "wendy") {
		t.Errorf("%d %s", status, body)
	}
}

func sendJSON(t *testing.T, method, address, body string) (int, []byte) {
	t.Helper()
	r, err := http.NewRequest(method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, answer
}
