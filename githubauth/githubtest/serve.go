package githubtest

import (
	"context"
	"fmt"
	"net/http"
	"path"
	"strings"
	"time"
)

// route is one line of the table in routes.go.
type route struct {
	pattern string // of http.ServeMux, and the name in counts and faults
	docs    string // below https://docs.github.com/rest/
	scopes  string // X-Accepted-OAuth-Scopes
	needs   string // X-Accepted-GitHub-Permissions
	free    bool   // not charged to the rate limit
	app     bool   // for the JWT of an app, which nothing else is for
	serve   func(*GitHub, *call) answer
}

// call is a request that passed authentication, while it is answered.
type call struct {
	*http.Request
	caller
	base string // of the API in links: https://api.github.com
	web  string // of the site in links: https://github.com
}

// ServeHTTP answers as api.github.com below /, as an Enterprise Server's API below /api/v3 and /api/graphql,
// and as github.com for git. No path belongs to two of them.
func (g *GitHub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	mount := ""
	asked := r.URL.EscapedPath()
	switch {
	case path.Clean(asked) != asked: // http.ServeMux would redirect
		g.handle(route{pattern: unknownRoute, serve: nothing})(w, r)
		return
	case asked == "/api/graphql":
		mount = "/api"
	case strings.HasPrefix(asked, "/api/v3/"):
		mount = "/api/v3"
	}
	if mount != "" {
		inner := r.Clone(r.Context())
		inner.URL.Path = strings.TrimPrefix(r.URL.Path, mount)
		inner.URL.RawPath = strings.TrimPrefix(r.URL.RawPath, mount)
		r = inner
	}
	r = withMount(r, mount)
	g.mux.ServeHTTP(w, r)
}

type mountKey struct{}

// withMount remembers below which prefix the API was called, for links.
func withMount(r *http.Request, mount string) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), mountKey{}, mount))
}

func mountOf(r *http.Request) string {
	mount, _ := r.Context().Value(mountKey{}).(string)
	return mount
}

// handle makes the handler of a route.
func (g *GitHub) handle(rt route) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		name := rt.pattern
		if r.Method == http.MethodHead {
			name = strings.Replace(name, "GET ", "HEAD ", 1)
		}
		rec := g.begin(w, r, name)
		defer g.finish(rec)
		if g.fault(rec, r, name) {
			return
		}
		if r.UserAgent() == "" {
			http.Error(rec, "Request forbidden by administrative rules. Please make sure your request has a User-Agent header.", http.StatusForbidden)
			return
		}
		g.answer(rec, r, rt)
	}
}

// answer writes what the route said.
func (g *GitHub) answer(w http.ResponseWriter, r *http.Request, rt route) {
	header, status, body := g.decide(r, rt)
	for name, values := range header {
		w.Header()[name] = values
	}
	w.WriteHeader(status)
	w.Write(body)
}

// decide runs the route on one consistent state, between authentication and rate limit, and renders what it
// said.
func (g *GitHub) decide(r *http.Request, rt route) (http.Header, int, []byte) {
	g.mu.Lock()
	defer g.mu.Unlock()
	header := g.commonHeader(r)
	web := "http://" + r.Host
	if r.TLS != nil {
		web = "https://" + r.Host
	}
	who, refused := g.authenticate(r)
	c := &call{Request: r, caller: who, base: web + mountOf(r), web: web}

	var a answer
	window := g.bucketOf(who, rt)
	switch {
	case refused != nil:
		a = *refused
	case rt.app && who.app == nil:
		a = *fail(http.StatusUnauthorized, "A JSON web token could not be decoded")
	case !rt.app && who.app != nil:
		a = *fail(http.StatusForbidden, "Resource not accessible by integration")
	case !rt.free && window.exhausted():
		a = g.exceeded(who, rt)
	default:
		a = rt.serve(g, c)
		g.describeToken(header, who, rt)
	}
	body := a.encode("https://docs.github.com/rest/" + rt.docs)
	for name, values := range a.header {
		header[name] = values
	}

	status := a.status
	if isRead := r.Method == http.MethodGet || r.Method == http.MethodHead; isRead && status == http.StatusOK && !rt.free {
		etag := who.etag(body)
		header.Set("ETag", etag)
		if !a.modified.IsZero() {
			header.Set("Last-Modified", a.modified.UTC().Format(http.TimeFormat))
		}
		if unchanged(r, etag, a.modified) {
			status, body = http.StatusNotModified, nil
		}
		scope := "private"
		if who.anonymous() {
			scope = "public"
		}
		header.Set("Cache-Control", scope+", max-age=60, s-maxage=60")
	}
	if !rt.free && status != http.StatusNotModified {
		window.charge()
	}
	window.header(header)
	if body != nil {
		header.Set("Content-Type", "application/json; charset=utf-8")
	}
	return header, status, body
}

// commonHeader is on every answer of the API.
func (g *GitHub) commonHeader(r *http.Request) http.Header {
	h := http.Header{}
	h.Set("Server", "github.com")
	h.Set("X-GitHub-Media-Type", "github.v3; format=json")
	h.Set("X-GitHub-Request-Id", g.requestID())
	version := r.Header.Get("X-GitHub-Api-Version")
	if version == "" {
		version = "2022-11-28"
	}
	h.Set("X-GitHub-Api-Version-Selected", version)
	h.Set("Vary", "Accept, Authorization, Cookie, X-GitHub-OTP,Accept-Encoding, Accept, X-Requested-With")
	h.Set("X-Content-Type-Options", "nosniff")
	return h
}

func (g *GitHub) requestID() string {
	b := g.bytes(14)
	return fmt.Sprintf("%X:%X:%X:%X:%X", b[:2], b[2:4], b[4:7], b[7:10], b[10:])
}

// describeToken adds what GitHub tells about the credential: granted and accepted scopes for those that have
// scopes, the permission that the route needs (not what the token has) for the others, and the expiry of
// personal access tokens.
func (g *GitHub) describeToken(h http.Header, c caller, rt route) {
	t := c.token
	if t == nil {
		return
	}
	if t.scoped() {
		h.Set("X-OAuth-Scopes", strings.Join(t.scopes, ", "))
		h.Set("X-Accepted-OAuth-Scopes", rt.scopes)
	} else if rt.needs != "" {
		h.Set("X-Accepted-GitHub-Permissions", rt.needs)
	}
	if !t.expires.IsZero() && (t.form == classic || t.form == fineGrained) {
		h.Set("GitHub-Authentication-Token-Expiration", t.expires.UTC().Format("2006-01-02 15:04:05 MST"))
	}
}

// Call is one request, as Observe is told of it.
type Call struct {
	Method, Path string
	Route        string // as in Counts
	Token        string // the secret; "" for anonymous, Unknown for one not minted here
	Status       int    // 0 if the connection was closed
	Took         time.Duration
}
