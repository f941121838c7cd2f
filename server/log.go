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

	"gatehouse/server/gate"
	"gatehouse/server/problem"
)

// Answered is the message of the lines of the access log.
const Answered = "request"

// logged gives each request an id, writes one line when it is answered, and turns a panic into a 500.
//
// The line names the route and the package, never the path or the query as they came, and no header: npm logout, for one, has the token
// in its path.
func logged(log *slog.Logger) gin.HandlerFunc {
	return func(c *gin.Context) {
		start := time.Now()
		id := rand.Text()[:16]
		c.Writer.Header().Set("X-Request-Id", id)
		c.Writer.Header().Set("X-Content-Type-Options", "nosniff")
		defer func() {
			if v := recover(); v != nil {
				if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
					panic(v)
				}
				log.Error("a handler panicked: this is a bug", "id", id, "route", c.FullPath(), "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
				if sent := paceOf(c); sent != nil && sent.status != 0 {
					panic(http.ErrAbortHandler) // what has been sent cannot be mended, only cut off
				}
				problem.Answer(c, errPanicked)
			}
			write(log, c, id, time.Since(start))
		}()
		c.Next()
	}
}

var errPanicked = errors.New("a handler panicked")

func write(log *slog.Logger, c *gin.Context, id string, took time.Duration) {
	p := paceOf(c)
	status, sent := c.Writer.Status(), int64(0)
	if p != nil && p.status != 0 {
		status, sent = p.status, p.sent
	}
	level := slog.LevelInfo
	attrs := append(make([]slog.Attr, 0, 12),
		slog.String("id", id), slog.String("method", c.Request.Method), slog.String("route", c.FullPath()),
		slog.Int("status", status), slog.Int64("bytes", sent), slog.Int64("ms", took.Milliseconds()))
	if name, err := url.PathUnescape(c.Param("name")); err == nil && name != "" {
		attrs = append(attrs, slog.String("package", name))
	}
	if login := c.GetString("login"); login != "" {
		attrs = append(attrs, slog.String("login", login))
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
