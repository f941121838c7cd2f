// Package server is the registry's HTTP side, and all of it: nothing outside this folder knows a request.
//
// A request goes through the door (one spelling for every path, see spell), the middleware here (an id, deadlines, the access log, metrics,
// recovery from a panic) and the route table of gin, into package npm, people, login, ci, ui or hooks. What comes back is an answer or an error; package
// problem turns the second into the first.
//
// gin routes and nothing more: no binding, no rendering, no redirects of its own, no trust in forwarded headers. Its context does not leave these packages.
package server

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"time"

	"github.com/gin-gonic/gin"

	"gatehouse/server/audit"
	"gatehouse/server/ci"
	"gatehouse/server/hooks"
	"gatehouse/server/login"
	"gatehouse/server/npm"
	"gatehouse/server/people"
	"gatehouse/server/problem"
	"gatehouse/server/ui"
)

// Options of the server.
type Options struct {
	// NPM is passed on to the protocol; its Base and From are filled in here.
	NPM npm.Options
	// Login is npm login; its Base, From and Gate are filled in here.
	Login login.Options
	// People are npm's commands about people; their Gate, Ways, MailDomain and Log are filled in here.
	People people.Options
	// CI lets workflows in; its Gate and Ways are filled in here.
	CI ci.Options
	// Hooks is the webhook of GitHub's; its Log is filled in here.
	Hooks hooks.Options
	// URL is the public address, or nil to tell it from each request.
	URL *url.URL
	// TrustedProxies are those whose X-Forwarded-Proto and X-Forwarded-Host count.
	TrustedProxies []netip.Prefix
	// Ready reports whether requests can be served, in words for the operator.
	Ready func(context.Context) error
	// Patience is how long a connection may stand still while a request or an answer is under way; 0 means 30 s.
	Patience time.Duration
	// Metrics count what is asked and answered; nil: nothing is counted. With a MetricsToken they can be read at MetricsPath by who has it; otherwise
	// only through Metrics.Handler.
	Metrics      *Metrics
	MetricsToken string
	// Limits are how many requests one caller gets answered.
	Limits Limits
	// Version of the program, shown at the root.
	Version string
	Log     *slog.Logger
}

// readyTimeout bounds a readiness check: a probe must get its answer before it gives up.
const readyTimeout = 3 * time.Second

// New returns the handler of a registry.
func New(o Options) http.Handler {
	addresses := public{trusted: o.TrustedProxies}
	prefix := "/"
	if o.URL != nil {
		addresses.fixed = o.URL.String()
		prefix = o.URL.EscapedPath()
	}
	o.NPM.Base, o.NPM.From = addresses.base, addresses.from

	gin.SetMode(gin.ReleaseMode)
	e := gin.New()
	e.UseEscapedPath, e.UnescapePathValues = true, false
	e.RedirectTrailingSlash, e.RedirectFixedPath = false, false
	e.HandleMethodNotAllowed = true
	e.ForwardedByClientIP = false
	e.Use(watched(o.Log, o.Metrics, audit.New(o.Log, addresses.from)))
	if o.Limits != (Limits{}) {
		e.Use(limited(o.Limits, addresses.from))
	}
	lost := problem.Handle(func(*gin.Context) error {
		return &problem.Plain{Status: http.StatusNotFound, Text: "not found"}
	})
	e.NoRoute(lost)
	e.NoMethod(problem.Handle(func(*gin.Context) error {
		return &problem.Plain{Status: http.StatusMethodNotAllowed, Text: "this registry does not do that"}
	}))

	o.People.Gate, o.People.Ways, o.People.MailDomain = o.NPM.Gate, npm.NewWays(o.NPM), o.NPM.MailDomain
	folk := people.New(o.People)
	folk.Mount(e)
	o.NPM.Owners = folk
	npm.Mount(e, o.NPM)
	o.Login.Base, o.Login.From, o.Login.Gate = o.NPM.Base, o.NPM.From, o.NPM.Gate
	login.Mount(e, o.Login)
	o.CI.Gate, o.CI.Ways = o.NPM.Gate, o.People.Ways
	ci.Mount(e, o.CI)
	o.Hooks.Log = o.Log
	hooks.Mount(e, o.Hooks)
	ui.Mount(e, ui.Options{Base: addresses.base, Names: o.NPM.Gate.Names(), Open: o.NPM.Gate.Open(), Version: o.Version})
	for path, check := range map[string]func(context.Context) error{"/-/healthz": nil, "/-/readyz": o.Ready} {
		h := problem.Handle(health(check))
		e.GET(path, h)
		e.HEAD(path, h)
	}

	if m := o.Metrics; m != nil {
		if o.MetricsToken != "" {
			m.mount(e, o.MetricsToken)
		}
		m.registry.MustRegister(verdicts{o.NPM.Gate})
		m.requests.know(e.Routes())
	}

	// A path that is none gets its answer through the same middleware, by a path that no route has.
	nowhere := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.URL.Path, r.URL.RawPath = "/-/no/path/of/this/registry", ""
		e.ServeHTTP(w, r)
	})
	if o.Patience == 0 {
		o.Patience = patience
	}
	return paced(o.Patience, door(prefix, e, nowhere))
}

// probe asks no more than once in a while: anybody may, and an answer can cost a write to the disk.
type probe struct {
	mu   sync.Mutex
	last error
	at   time.Time
}

// readyFor is how long an answer stands.
const readyFor = 2 * time.Second

func (p *probe) ask(ctx context.Context, check func(context.Context) error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if time.Since(p.at) < readyFor {
		return p.last
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readyTimeout)
	defer cancel()
	p.last, p.at = check(ctx), time.Now()
	return p.last
}

func health(check func(context.Context) error) problem.Handler {
	var probe probe
	return func(c *gin.Context) error {
		if check != nil {
			if err := probe.ask(c.Request.Context(), check); err != nil {
				_ = c.Error(err) // the log learns the cause
				return &problem.Plain{Status: http.StatusServiceUnavailable, Text: "the registry's storage cannot be used; its log says why"}
			}
		}
		c.Writer.Header().Set("Cache-Control", "no-store")
		c.Data(http.StatusOK, "application/json", []byte(`{"ok":true}`))
		return nil
	}
}
