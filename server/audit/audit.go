// Package audit writes down who changed what, and who was refused what: one line of the log each, with the message "audit".
//
// A handler notes the caller and what it has changed; the line is written when the request has been answered, by the middleware, which finds a refusal by
// itself in the errors of the request. Reads that succeed are in the access log only. A line names the credential by its sort and its fingerprint (gate.Print), under
// which GitHub's own audit log knows it too, and never holds any of it. The request's id joins it with the access log.
//
// Anybody can have a request without a credential refused as often as they like. Of such lines at most some are written each second; the next line says
// how many were left out.
package audit

import (
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/gin-gonic/gin"

	"gatehouse/githubauth"
	"gatehouse/scopes"
	"gatehouse/server/gate"
	"gatehouse/store"
)

// Message is that of every line.
const Message = "audit"

// Change is what a request has changed. Action is a word of scopes.Action, or one of its own.
type Change struct {
	Action   string
	Package  string
	Versions []string // of the package, where it was about some
	Tags     []string
	Note     string // what else there is to say of it
}

const (
	callerKey = "audit.caller"
	changeKey = "audit.change"
)

// Caller notes who is calling.
func Caller(c *gin.Context, who gate.Caller) { c.Set(callerKey, &who) }

// Known returns the caller who was noted, or nil.
func Known(c *gin.Context) *gate.Caller {
	v, _ := c.Get(callerKey)
	who, _ := v.(*gate.Caller)
	return who
}

// Changed notes what the request has changed. It is called once the change is made and durable.
func Changed(c *gin.Context, change Change) { c.Set(changeKey, change) }

// Log writes the lines.
type Log struct {
	log  *slog.Logger
	from func(*http.Request) netip.Addr
	now  func() time.Time

	mu      sync.Mutex
	second  int64 // of the strangers' lines that are counted
	written int   // of them in it
	leftOut int   // lines since the last one written
}

// strangers is how many lines a second requests get that were refused for want of a good credential.
const strangers = 10

// New returns a log that writes to log. from tells a request's address.
func New(log *slog.Logger, from func(*http.Request) netip.Addr) *Log {
	return &Log{log: log, from: from, now: time.Now}
}

// Answered writes the line of a request that has been answered with the status, if it has one.
func (l *Log) Answered(c *gin.Context, id string, status int) {
	v, changed := c.Get(changeKey)
	if change, ok := v.(Change); ok {
		l.write(c, id, "allowed", l.allowed(c, change), 0)
	} else if reason, action, ok := refusal(c, status); ok && !changed {
		attrs := []slog.Attr{slog.String("action", action), slog.String("reason", reason)}
		if name, err := url.PathUnescape(c.Param("name")); err == nil && name != "" {
			attrs = append(attrs, slog.String("package", name))
		}
		if tag, err := url.PathUnescape(c.Param("tag")); err == nil && tag != "" {
			attrs = append(attrs, slog.String("tag", tag))
		}
		leftOut := 0
		if status == http.StatusUnauthorized || status == http.StatusTooManyRequests {
			if leftOut, ok = l.turn(); !ok {
				return
			}
		}
		l.write(c, id, "refused", attrs, leftOut)
	}
}

func (l *Log) allowed(c *gin.Context, change Change) []slog.Attr {
	reason := scopes.Allowed
	if who := Known(c); who != nil && who.Kind == scopes.Anyone {
		reason = scopes.OpenRegistry
	}
	attrs := []slog.Attr{slog.String("action", change.Action), slog.String("reason", reason.String())}
	if change.Package != "" {
		attrs = append(attrs, slog.String("package", change.Package))
	}
	if len(change.Versions) > 0 {
		attrs = append(attrs, slog.String("version", few(change.Versions)))
	}
	if len(change.Tags) > 0 {
		attrs = append(attrs, slog.String("tag", few(change.Tags)))
	}
	if change.Note != "" {
		attrs = append(attrs, slog.String("note", change.Note))
	}
	return attrs
}

// few is a list for a line.
func few(list []string) string {
	const most = 20
	if len(list) > most {
		return strings.Join(list[:most], " ") + " …"
	}
	return strings.Join(list, " ")
}

// refusal finds the refusal in the errors of a request: a verdict, or an answer that says that the caller may not.
func refusal(c *gin.Context, status int) (reason, action string, ok bool) {
	for _, e := range c.Errors {
		var verdict *gate.Refusal
		var mismatch *gate.Mismatch
		var aboutTokens *gate.TokenRefusal
		switch {
		case errors.As(e.Err, &verdict):
			return verdict.Reason.String(), verdict.Question.What.String(), true
		case errors.As(e.Err, &aboutTokens):
			return aboutTokens.Reason.String(), aboutTokens.Question.What.String() + " token", true
		case errors.Is(e.Err, scopes.ErrExpired):
			return "expired-token", "", true
		case errors.Is(e.Err, scopes.ErrElsewhere):
			return "elsewhere", "", true
		case errors.As(e.Err, &mismatch):
			return "other-repository", scopes.Publish.String(), true
		case errors.Is(e.Err, gate.ErrNoCredential):
			return scopes.NoCredential.String(), "", true
		case errors.Is(e.Err, gate.ErrCredentialForm), errors.Is(e.Err, githubauth.ErrBadCredential):
			return "bad-credential", "", true
		case errors.Is(e.Err, scopes.ErrDistrusted):
			return "distrusted-workflow", "", true
		case errors.Is(e.Err, store.ErrNamespace):
			return "namespace-taken-over", scopes.Publish.String(), true
		case errors.Is(e.Err, scopes.ErrBinding) && !errors.Is(e.Err, scopes.ErrRepositoryField):
			return "not-the-namespace's", scopes.Publish.String(), true
		}
	}
	switch status {
	case http.StatusUnauthorized:
		return "bad-credential", "", true
	case http.StatusForbidden:
		return "forbidden", "", true
	case http.StatusTooManyRequests:
		return "too-many", "", true
	}
	return "", "", false
}

// turn reports whether one more stranger may have a line, and how many had none before.
func (l *Log) turn() (leftOut int, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now := l.now().Unix(); now != l.second {
		l.second, l.written = now, 0
	}
	if l.written >= strangers {
		l.leftOut++
		return 0, false
	}
	l.written++
	leftOut, l.leftOut = l.leftOut, 0
	return leftOut, true
}

func (l *Log) write(c *gin.Context, id, verdict string, what []slog.Attr, leftOut int) {
	attrs := append(make([]slog.Attr, 0, 16), slog.String("id", id), slog.String("verdict", verdict))
	attrs = append(attrs, what...)
	attrs = append(attrs, slog.String("method", c.Request.Method), slog.String("route", c.FullPath()), slog.String("from", l.from(c.Request).String()))
	fingerprint := ""
	if who := Known(c); who != nil {
		attrs = append(attrs, slog.String("login", who.Login), slog.Int64("account", who.ID), slog.String("credential", string(who.Credential)))
		if own := who.Own(); own != nil {
			attrs = append(attrs, slog.String("token", own.ID))
		}
		fingerprint = who.Print()
	} else {
		fingerprint = gate.PrintOf(c.Request.Header)
	}
	if fingerprint != "" {
		attrs = append(attrs, slog.String("fingerprint", fingerprint))
	}
	if leftOut > 0 {
		attrs = append(attrs, slog.Int("left_out", leftOut))
	}
	l.log.LogAttrs(c.Request.Context(), slog.LevelInfo, Message, attrs...)
}
