package login

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"errors"
	"html/template"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"gatehouse/githubauth/oauth"
	"gatehouse/server/problem"
	"gatehouse/store/sessions"
)

//go:embed pages.html
var pagesHTML string

//go:embed pages.css
var css string

var pages = template.Must(template.New("pages").Funcs(template.FuncMap{
	"css": func() template.CSS { return template.CSS(css) },
	"host": func(base string) string {
		return strings.TrimSuffix(strings.TrimPrefix(strings.TrimPrefix(base, "https://"), "http://"), "/")
	},
}).Parse(pagesHTML))

// policy allows the pages nothing but their own style, and forms that come back here.
var policy = func() string {
	sum := sha256.Sum256([]byte(css))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
}()

// What the pages show.
type (
	asking struct {
		state
		Page, Host, Ago   string
		Address, Here     string // npm's and the browser's
		Device, Elsewhere bool
	}
	away struct {
		Host string
		To   string
	}
	device struct {
		oauth.Device
		Again int // seconds
	}
)

// trouble is an error that a person with a browser is shown.
type trouble struct {
	status      int
	title, text string
	page        string // of the login to go back to; "" if that makes no sense
	cause       error  // for the log; may be nil
}

func (e *trouble) Error() string {
	if e.cause != nil {
		return e.cause.Error()
	}
	return strings.ToLower(e.title[:1]) + e.title[1:]
}

// Unwrap lets package problem know the status.
func (e *trouble) Unwrap() []error {
	return []error{&problem.Plain{Status: e.status, Text: e.text}, e.cause}
}

// shown makes a gin handler of a page: an error becomes a page too.
func (l *logins) shown(h problem.Handler) gin.HandlerFunc {
	return func(c *gin.Context) {
		err := h(c)
		if err == nil {
			return
		}
		t := explain(err)
		_ = c.Error(t) // hands it to the access log
		if c.Writer.Written() {
			return
		}
		if t.status == http.StatusServiceUnavailable {
			c.Header("Retry-After", "5")
		}
		if err := l.show(c, t.status, "trouble", map[string]string{"Title": t.title, "Text": t.text, "Page": t.page}); err != nil {
			problem.Answer(c, err)
		}
	}
}

// explain says an error to a person with a browser.
func explain(err error) *trouble {
	var t *trouble
	var setup *oauth.Setup
	switch {
	case errors.As(err, &t):
		return t
	case errors.Is(err, sessions.ErrNone):
		t = &trouble{status: http.StatusNotFound, title: "This login has ended", text: "A login lasts ten minutes and works once. Run npm login again."}
	case errors.Is(err, sessions.ErrChanged):
		t = &trouble{status: http.StatusConflict, title: "Something else was faster", text: "This login went on in another window. Look there, or run npm login again."}
	case errors.Is(err, oauth.ErrForeign):
		t = &trouble{status: http.StatusForbidden, title: "GitHub’s answer is not for this registry", text: "Nobody was logged in. Run npm login again."}
	case errors.Is(err, oauth.ErrSpent):
		t = &trouble{status: http.StatusForbidden, title: "GitHub’s answer came too late", text: "It has expired, or was used before."}
	case errors.As(err, &setup):
		t = &trouble{status: http.StatusServiceUnavailable, title: "Nobody can log in at present", text: "The registry and GitHub do not agree on how it is registered: " + setup.Cause + ". Tell whoever runs this registry."}
	default:
		status, text := problem.Status(err)
		t = &trouble{status: status, title: "That did not work", text: strings.ToUpper(text[:1]) + text[1:] + "."}
		if status == http.StatusServiceUnavailable {
			t.title = "GitHub or the registry cannot be reached"
		}
	}
	t.cause = err
	return t
}

// show writes a page.
func (l *logins) show(c *gin.Context, status int, name string, content any) error {
	base, err := l.Base(c.Request)
	if err != nil {
		return err
	}
	var page bytes.Buffer
	if err := pages.ExecuteTemplate(&page, name, map[string]any{"Base": base, "Is": content}); err != nil {
		return err
	}
	h := c.Writer.Header()
	noStore(c)
	if name == "ask" {
		// With no-referrer a browser would name no origin with the form either, and over plain http there is nothing else to know it by.
		h.Set("Referrer-Policy", "same-origin")
	}
	h.Set("Content-Security-Policy", policy)
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Content-Length", strconv.Itoa(page.Len()))
	c.Data(status, "text/html; charset=utf-8", page.Bytes())
	return nil
}

// ago says how long something is past.
func ago(d time.Duration) string {
	switch minutes := int(d / time.Minute); minutes {
	case 0:
		return "less than a minute ago"
	case 1:
		return "a minute ago"
	default:
		return strconv.Itoa(minutes) + " minutes ago"
	}
}
