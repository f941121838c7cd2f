package githubtest

import (
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// Limits are the requests an hour of each kind of caller ("Rate limits for the REST API"). Zero means
// unlimited and without x-ratelimit headers, as an Enterprise Server is by default. GraphQL has its own count
// of the same size; here each query costs one point.
type Limits struct {
	Anonymous    int // for each address
	OAuthApp     int // for each client id
	User         int // for each user, over all tokens
	Installation int // for each account
	Actions      int // for each repository
}

// DefaultLimits are those of github.com, without the additions for large installations and Enterprise Cloud.
func DefaultLimits() Limits {
	return Limits{Anonymous: 60, OAuthApp: 5000, User: 5000, Installation: 5000, Actions: 1000}
}

// SetLimits replaces DefaultLimits.
func (g *GitHub) SetLimits(l Limits) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.limits = l
	clear(g.buckets)
}

// Exhaust uses up the hour's requests of the token's user, installation or repository, of REST and of
// GraphQL.
func (g *GitHub) Exhaust(token string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	c := caller{token: g.mustToken(token)}
	for _, pattern := range []string{GetUser, PostGraphQL} {
		b := g.bucketOf(c, route{pattern: pattern})
		b.used = b.limit
	}
}

type bucketKey struct {
	who      string
	resource string
}

// bucket counts one caller's requests of the current hour. Its limit is zero where there is none.
type bucket struct {
	resource    string
	limit, used int
	reset       time.Time
}

func (b *bucket) exhausted() bool { return b.limit > 0 && b.used >= b.limit }

func (b *bucket) charge() { b.used++ }

func (b *bucket) remaining() int { return max(0, b.limit-b.used) }

func (b *bucket) header(h http.Header) {
	if b.limit == 0 {
		return
	}
	h.Set("X-RateLimit-Limit", strconv.Itoa(b.limit))
	h.Set("X-RateLimit-Remaining", strconv.Itoa(b.remaining()))
	h.Set("X-RateLimit-Used", strconv.Itoa(min(b.used, b.limit)))
	h.Set("X-RateLimit-Reset", strconv.FormatInt(b.reset.Unix(), 10))
	h.Set("X-RateLimit-Resource", b.resource)
}

// bucketOf returns what the caller's request is charged to.
func (g *GitHub) bucketOf(c caller, rt route) *bucket {
	resource := "core"
	if rt.pattern == PostGraphQL {
		resource = "graphql"
	}
	who, limit := g.quota(c)
	key := bucketKey{who, resource}
	b, now := g.buckets[key], g.now()
	if b == nil || !now.Before(b.reset) {
		b = &bucket{resource: resource, limit: limit, reset: now.Add(time.Hour)}
		g.buckets[key] = b
	}
	return b
}

// quota names the caller as rate limit errors do.
func (g *GitHub) quota(c caller) (who string, limit int) {
	t := c.token
	switch {
	case c.client != "":
		return "client ID " + c.client, g.limits.OAuthApp
	case c.app != nil:
		return fmt.Sprintf("app ID %d", c.app.ID), g.limits.Installation
	case t == nil:
		return c.addr.String(), g.limits.Anonymous
	case t.form == actions:
		return fmt.Sprintf("repository ID %d", t.only), g.limits.Actions
	case t.form == installation:
		return fmt.Sprintf("installation ID %d", t.owner), g.limits.Installation
	}
	return fmt.Sprintf("user ID %d", t.user), g.limits.User
}

// exceeded is the answer to a request beyond the limit: 403 with remaining 0, and for GraphQL 200 with an
// error ("Rate limits and query limits for the GraphQL API").
func (g *GitHub) exceeded(c caller, rt route) answer {
	who, _ := g.quota(c)
	message := "API rate limit exceeded for " + who + "."
	if c.anonymous() {
		message += " (But here's the good news: Authenticated requests get a higher rate limit. Check out the documentation for more details.)"
	}
	if rt.pattern == PostGraphQL {
		return ok(map[string]any{"errors": []any{map[string]any{"type": "RATE_LIMITED", "message": message}}})
	}
	a := fail(http.StatusForbidden, message)
	a.body = problem{Message: message, DocumentationURL: limitDocs, Status: "403"}
	return *a
}

const limitDocs = "https://docs.github.com/rest/overview/rate-limits-for-the-rest-api"

func getRateLimit(g *GitHub, c *call) answer {
	resources := map[string]any{}
	for name, pattern := range map[string]string{"core": GetUser, "graphql": PostGraphQL} {
		resources[name] = g.bucketOf(c.caller, route{pattern: pattern}).document()
	}
	resources["search"] = map[string]any{"limit": 30, "used": 0, "remaining": 30, "reset": g.now().Add(time.Minute).Unix()}
	return ok(map[string]any{"resources": resources, "rate": resources["core"]})
}

func (b *bucket) document() map[string]any {
	return map[string]any{
		"limit": b.limit, "used": min(b.used, b.limit), "remaining": b.remaining(), "reset": b.reset.Unix(),
	}
}
