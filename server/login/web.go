package login

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"gatehouse/githubauth/oauth"
	"gatehouse/store/sessions"
)

// page shows who asks for a login, and the button.
func (l *logins) page(c *gin.Context) error {
	s, st, err := l.here(c)
	if err != nil {
		return err
	}
	if st.Device != nil && l.bound(c, c.Param("page"), st) {
		if _, st, err = l.ask(c, s, st); err != nil && !errors.Is(err, sessions.ErrChanged) {
			return err
		}
		if st.Device != nil {
			return l.show(c, http.StatusOK, "device", device{*st.Device, int(st.Device.Interval / time.Second)})
		}
	}
	switch {
	case st.Token != "":
		return l.show(c, http.StatusOK, "done", st.Login)
	case st.Failed != "":
		return &trouble{status: http.StatusForbidden, title: "Not logged in", text: st.Failed}
	}
	return l.show(c, http.StatusOK, "ask", asking{
		state: st, Host: l.Host, Ago: ago(l.Now().Sub(st.Began)), Address: st.address(), Here: state{From: l.From(c.Request)}.address(),
		Device: !l.App.Web(), Elsewhere: l.elsewhere(c, st),
	})
}

// here returns the login of the page that was asked for. It has to be asked for at the address that npm was told: without a configured one, that is
// what whoever began the login wrote into the request, and browsers are sent back to it.
func (l *logins) here(c *gin.Context) (sessions.Session, state, error) {
	s, st, err := l.read(c.Request.Context(), c.Param("page"))
	if err != nil {
		return s, st, err
	}
	base, err := l.Base(c.Request)
	if err == nil && base != st.Base {
		err = &trouble{status: http.StatusNotFound, title: "This is not the login’s address", text: "Open the address that npm shows, as it is."}
	}
	return s, st, err
}

// elsewhere reports whether npm was run somewhere else than the browser, as far as addresses tell. Two that are not known may be any two.
func (l *logins) elsewhere(c *gin.Context, st state) bool {
	here := l.From(c.Request)
	return !here.IsValid() || networkOf(here) != networkOf(st.From)
}

// start is the button: it binds the login to this browser, and the browser goes on to GitHub, or gets the code to type there.
func (l *logins) start(c *gin.Context) error {
	ctx, page := c.Request.Context(), c.Param("page")
	s, st, err := l.here(c)
	if err != nil {
		return err
	}
	if !sameOrigin(c.Request, st.Base) {
		return &trouble{status: http.StatusForbidden, title: "This came from another site", text: "The button that was pressed is not on this registry's page. Nothing was done."}
	}
	c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, maxBody)
	switch {
	case st.Token != "" || st.Failed != "":
		return errOver
	case st.Pressed >= maxPressed:
		return &trouble{status: http.StatusTooManyRequests, title: "Too many tries", text: "This login was begun again and again. Run npm login again."}
	case l.elsewhere(c, st) && c.Request.PostFormValue("mine") != "yes":
		return &trouble{status: http.StatusForbidden, title: "Was it you?", text: "npm was run somewhere else. If that was you, go back and say so with the box above the button.", page: page}
	}
	st.Pressed++
	if !l.App.Web() { // before GitHub is asked, so that of many presses at once one gets through
		if s, err = l.write(ctx, s, st); err != nil {
			return err
		}
	}
	secret, handed := random(), random()
	sum := sha256.Sum256([]byte(secret))
	st.Browser, st.State, st.Verifier, st.Device = sum[:], handed, oauth.NewVerifier(), nil
	if !l.App.Web() {
		d, err := l.App.Device(ctx)
		if err != nil {
			return err
		}
		st.State, st.Verifier, st.Device, st.Next = "", "", &d, l.Now().Add(d.Interval)
	}
	if _, err = l.write(ctx, s, st); err != nil {
		return err
	}
	l.setCookie(c, st.Base, page+"."+secret, int(lifetime/time.Second))
	if st.Device != nil {
		noStore(c)
		c.Redirect(http.StatusSeeOther, st.Base+"-/login/"+page)
		return nil
	}
	return l.show(c, http.StatusOK, "away", away{l.Host, l.App.AuthorizeURL(st.Base+"-/login/callback", st.State, st.Verifier)})
}

// sameOrigin reports whether a browser sent the request from a page of the registry's own.
func sameOrigin(r *http.Request, base string) bool {
	u, err := url.Parse(base)
	if err != nil {
		return false
	}
	// Behind a proxy the request's own host may be another than the one that browsers know.
	public := &http.Request{Method: r.Method, Host: u.Host, Header: r.Header, URL: r.URL}
	return http.NewCrossOriginProtection().Check(public) == nil
}

// callback is where GitHub sends the browser back to.
func (l *logins) callback(c *gin.Context) error {
	ctx := c.Request.Context()
	page, s, st, err := l.mine(c)
	if err != nil {
		return err
	}
	handed := c.Query("state")
	if st.Token != "" || st.Failed != "" || st.State == "" {
		return errOver
	}
	if subtle.ConstantTimeCompare([]byte(handed), []byte(st.State)) != 1 {
		return &trouble{status: http.StatusForbidden, title: "That was another login", text: "GitHub’s answer does not belong to the login that was last begun in this browser. Run npm login again."}
	}
	// From here on this answer is spent, whatever becomes of it.
	verifier := st.Verifier
	st.State, st.Verifier = "", ""
	if s, err = l.write(ctx, s, st); err != nil {
		return err
	}
	switch said := c.Query("error"); said {
	case "":
	case "access_denied":
		return &trouble{status: http.StatusForbidden, title: "GitHub was told no", text: "Nobody was logged in. If that was a mistake, go back and try again.", page: page}
	case "redirect_uri_mismatch":
		return &oauth.Setup{Cause: "the callback address registered with the app is not the registry's"}
	default:
		return &oauth.Setup{Cause: "it sent a browser back with an error"}
	}
	got, err := l.App.Exchange(ctx, c.Query("code"), st.Base+"-/login/callback", verifier)
	if err != nil {
		return again(err, page)
	}
	if st, err = l.finish(c, st, got); err != nil {
		return again(err, page)
	}
	if _, err = l.write(ctx, s, st); err != nil {
		return err
	}
	l.setCookie(c, st.Base, "", -1)
	return l.show(c, http.StatusOK, "done", st.Login)
}

// mine returns the login that this browser has begun its part of.
func (l *logins) mine(c *gin.Context) (page string, s sessions.Session, st state, err error) {
	for _, secure := range []bool{true, false} {
		cookie, err := c.Request.Cookie(cookieName(secure))
		if err != nil {
			continue
		}
		page, secret, _ := strings.Cut(cookie.Value, ".")
		s, st, err = l.read(c.Request.Context(), page)
		if err != nil {
			return "", s, st, err
		}
		if secure != strings.HasPrefix(st.Base, "https:") || !proves(secret, st) {
			break
		}
		return page, s, st, nil
	}
	return "", s, st, &trouble{status: http.StatusForbidden, title: "Another browser began this", text: "A login has to end in the browser in which it was begun. Run npm login again and open its address in the browser that you use for GitHub."}
}

// bound reports whether this browser is the one that began its part of the login of that page.
func (l *logins) bound(c *gin.Context, page string, st state) bool {
	cookie, err := c.Request.Cookie(cookieName(strings.HasPrefix(st.Base, "https:")))
	if err != nil {
		return false
	}
	of, secret, _ := strings.Cut(cookie.Value, ".")
	return of == page && proves(secret, st)
}

func proves(secret string, st state) bool {
	sum := sha256.Sum256([]byte(secret))
	return len(st.Browser) > 0 && subtle.ConstantTimeCompare(sum[:], st.Browser) == 1
}

// cookieName: browsers take a cookie with the prefix __Host- only from its own host, over https and for all of its paths.
func cookieName(secure bool) string {
	if secure {
		return "__Host-gatehouse-login"
	}
	return "gatehouse-login"
}

func (l *logins) setCookie(c *gin.Context, base, value string, seconds int) {
	secure := strings.HasPrefix(base, "https:")
	// Lax: it has to come along when GitHub sends the browser back, which is a visit from another site.
	http.SetCookie(c.Writer, &http.Cookie{Name: cookieName(secure), Value: value, Path: "/", MaxAge: seconds, Secure: secure, HttpOnly: true, SameSite: http.SameSiteLaxMode})
}

func random() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return base64.RawURLEncoding.EncodeToString(b[:])
}

var errOver = &trouble{status: http.StatusConflict, title: "This login is over", text: "It was used before. If npm is still waiting, run npm login again."}

// again adds the way back to an error after which the same login can be tried once more.
func again(err error, page string) error {
	t := *explain(err)
	if t.status == http.StatusServiceUnavailable || errors.Is(err, oauth.ErrSpent) {
		t.page = page
	}
	return &t
}
