package server

import (
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"runtime/debug"
	"time"

	"github.com/gin-gonic/gin"

	"gatehouse/server/audit"
	"gatehouse/server/gate"
	"gatehouse/server/problem"
)

// Answered is the message of the lines of the access log.
const Answered = "request"

// watched gives each request an id, writes one line when it is answered, counts it, and turns a panic into a 500.
//
// The line names the route and the package, never the path or the query as they came, and no header: npm logout, for one, has the token
// in its path.
func watched(log *slog.Logger, m *Metrics, changes *audit.Log) gin.HandlerFunc {
	return func(c *gin.Context) {
		start := time.Now()
		counted := m.begin(c)
		id := rand.Text()[:16]
		c.Writer.Header().Set("X-Request-Id", id)
		c.Writer.Header().Set("X-Content-Type-Options", "nosniff")
		defer func() {
			if v := recover(); v != nil {
				if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
					counted.done(problem.StatusClientGone, 0, time.Since(start))
					panic(v)
				}
				log.Error("a handler panicked: this is a bug", "id", id, "route", c.FullPath(), "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
				if sent := paceOf(c); sent != nil && sent.status != 0 {
					counted.done(http.StatusInternalServerError, sent.sent, time.Since(start))
					panic(http.ErrAbortHandler) // what has been sent cannot be mended, only cut off
				}
				problem.Answer(c, errPanicked)
			}
			took := time.Since(start)
			status, sent := answered(c)
			counted.done(status, sent, took)
			changes.Answered(c, id, status)
			write(log, c, id, status, sent, took)
		}()
		c.Next()
	}
}

var errPanicked = errors.New("a handler panicked")

// answered is the status and the bytes of the body that really went out.
func answered(c *gin.Context) (status int, sent int64) {
	if p := paceOf(c); p != nil && p.status != 0 {
		return p.status, p.sent
	}
	return c.Writer.Status(), 0
}

func write(log *slog.Logger, c *gin.Context, id string, status int, sent int64, took time.Duration) {
	level := slog.LevelInfo
	attrs := append(make([]slog.Attr, 0, 12),
		slog.String("id", id), slog.String("method", c.Request.Method), slog.String("route", c.FullPath()),
		slog.Int("status", status), slog.Int64("bytes", sent), slog.Int64("ms", took.Milliseconds()))
	if name, err := url.PathUnescape(c.Param("name")); err == nil && name != "" {
		attrs = append(attrs, slog.String("package", name))
	}
	if who := audit.Known(c); who != nil && who.Login != "" {
		attrs = append(attrs, slog.String("login", who.Login))
	}
	if warning := c.GetString("warning"); warning != "" {
		level = slog.LevelWarn
		attrs = append(attrs, slog.String("warning", warning))
	}
	for _, e := range c.Errors {
		if r := (*gate.Refusal)(nil); errors.As(e.Err, &r) {
			attrs = append(attrs, slog.String("refused", r.Reason.String()))
		}
		code, _ := problem.Status(e.Err)
		if code >= 500 || status >= 500 {
			level = slog.LevelError
		}
		attrs = append(attrs, slog.String("error", e.Err.Error()))
	}
	if c.FullPath() == "/-/healthz" || c.FullPath() == "/-/readyz" {
		level = min(level, slog.LevelDebug)
		if status >= 500 {
			level = slog.LevelError
		}
	}
	log.LogAttrs(c.Request.Context(), level, Answered, attrs...)
}

// paceOf is the writer underneath gin's, which knows what really went out.
func paceOf(c *gin.Context) *pacedWriter {
	w, ok := c.Writer.(interface{ Unwrap() http.ResponseWriter })
	if !ok {
		return nil
	}
	p, _ := w.Unwrap().(*pacedWriter)
	return p
}
