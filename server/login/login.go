// Package login is npm login: how somebody at a terminal gets a token of the registry's by logging in with GitHub in a browser.
//
// It owns the routes of a login, its steps and its pages. A login goes like this: npm begins one (begin) and gets two addresses. It shows the first to
// its user and asks the second again and again (collect). The first is a page (page) that says who asks for what; a button on it (start) binds the login
// to that browser and goes on to GitHub, which sends the browser back with a code (callback). The code becomes a GitHub token, the token is found to be
// ours and somebody's, a granular access token is minted over it, and npm's next question gets it, once. Without a client secret the button shows a code to
// type into GitHub's page instead (device). Without any app there is the password prompt, which takes a GitHub token (legacy).
//
// What is guaranteed:
//
//   - Whoever sees the page's address collects nothing: what collects has a name of its own (package sessions).
//   - The browser that pressed the button is the one that comes back: a cookie says so, and the state that GitHub hands back has to be that login's.
//   - Each step happens once, in whichever process, and a login ends after lifetime.
//   - Codes, tokens and names of logins are in no log and no Referer, and browsers are sent to no address but GitHub's and this registry's.
//
// What it cannot prevent is somebody who begins a login and talks another person into approving it. So the page says where npm was run, and asks for
// more than a click when that is not where the browser is.
package login

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"gatehouse/githubauth/oauth"
	"gatehouse/scopes"
	"gatehouse/server/gate"
	"gatehouse/server/problem"
	"gatehouse/store/sessions"
)

const (
	// lifetime is how long a login may take. GitHub's codes live as long.
	lifetime = 10 * time.Minute
	// every is how often npm is told to ask.
	every = 2 * time.Second
	// maxPressed is how often the button works in one login: anybody may press it, and where there is no secret each press costs a code of GitHub's.
	maxPressed = 5
)

// Mint makes a token of the registry's over a GitHub credential of who, with all the rights of its owner, and returns it with its secret.
type Mint func(ctx context.Context, who scopes.Principal, name string, until time.Time, behind oauth.Credential) (token scopes.Token, secret string, err error)

// Options of the logins.
type Options struct {
	// App is the registry's registration with GitHub; nil: there is no login in a browser.
	App      *oauth.App
	Sessions *sessions.Sessions
	// Mint makes the tokens; nil: nobody can log in.
	Mint Mint
	Gate *gate.Gate
	// Expires is how long a token lasts.
	Expires time.Duration
	// Host is the name of the GitHub instance, for people to read.
	Host string
	// Base returns the public address of the registry for a request: an absolute URL that ends in a slash.
	Base func(*http.Request) (string, error)
	// From returns the address of whoever sent a request, by way of trusted proxies.
	From func(*http.Request) netip.Addr
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

type logins struct {
	Options
	flood flood
}

// Mount adds the routes.
func Mount(r gin.IRoutes, o Options) {
	if o.Now == nil {
		o.Now = time.Now
	}
	l := &logins{Options: o}
	r.PUT("/-/user/:user", problem.Handle(l.legacy))
	r.POST("/-/v1/login", problem.Handle(l.begin))
	if !l.browser() {
		return
	}
	r.GET("/-/v1/done/:ticket", problem.Handle(l.collect))
	r.GET("/-/login/callback", l.shown(l.callback))
	r.GET("/-/login/:page", l.shown(l.page))
	r.POST("/-/login/:page", l.shown(l.start))
}

// browser reports whether people can log in in a browser.
func (l *logins) browser() bool { return l.App != nil && l.Mint != nil && !l.Gate.Open() }

// begin answers npm's first request with the two addresses. A 4xx makes npm ask for a user name and a password.
func (l *logins) begin(c *gin.Context) error {
	switch {
	case l.Gate.Open():
		return &problem.Plain{Status: http.StatusForbidden, Text: "authentication is off in this registry: there is nobody to log in as, and no need to"}
	case !l.browser():
		return &problem.Plain{Status: http.StatusForbidden, Text: "this registry has no login in a browser: use npm login --auth-type=legacy, with a GitHub token as the password"}
	}
	base, err := l.Base(c.Request)
	if err != nil {
		return err
	}
	now, from := l.Now(), l.From(c.Request)
	if wait := l.flood.refuse(from, now); wait > 0 {
		c.Header("Retry-After", strconv.Itoa(int(wait.Seconds())+1))
		return &problem.Plain{Status: http.StatusTooManyRequests, Text: "too many logins were begun in the last minutes; try again later"}
	}
	var asked struct {
		Hostname string `json:"hostname"` // some clients say it
	}
	if err := readJSON(c, &asked); err != nil {
		return err
	}
	st := state{Began: now.UTC().Truncate(time.Second), Base: base, From: from, Tool: toolOf(c.GetHeader("User-Agent")), Machine: machine(asked.Hostname)}
	ticket, page, err := l.Sessions.Begin(c.Request.Context(), st.encode(), now.Add(lifetime))
	if err != nil {
		return err
	}
	noStore(c)
	c.JSON(http.StatusOK, map[string]string{"loginUrl": base + "-/login/" + page, "doneUrl": base + "-/v1/done/" + ticket})
	return nil
}

// collect tells npm to go on waiting, or hands it the token, once: of all who ask at that time, the one whose request ends the login gets it.
func (l *logins) collect(c *gin.Context) error {
	ctx := c.Request.Context()
	noStore(c)
	page, _ := sessions.PageOf(c.Param("ticket"))
	s, st, err := l.read(ctx, page)
	if err == nil && st.Device != nil {
		// Trouble on the way to GitHub is no reason for npm to give up: the next question may find it gone.
		if s, st, err = l.ask(c, s, st); err != nil && !errors.Is(err, sessions.ErrChanged) {
			_ = c.Error(err)
		}
		err = nil
	}
	if err == nil && st.Token != "" {
		if err = l.Sessions.End(ctx, s); err == nil {
			c.JSON(http.StatusOK, map[string]string{"token": st.Token})
			return nil
		}
	}
	switch {
	case errors.Is(err, sessions.ErrNone), errors.Is(err, sessions.ErrChanged), err == nil && st.Failed != "":
		return &problem.Plain{Status: http.StatusNotFound, Text: "this login has ended, or there never was one; run npm login again"}
	case err != nil:
		return err
	}
	c.Header("Retry-After", strconv.Itoa(int(every.Seconds())))
	c.JSON(http.StatusAccepted, struct{}{})
	return nil
}

func noStore(c *gin.Context) {
	c.Header("Cache-Control", "no-store")
	c.Header("Referrer-Policy", "no-referrer")
}
