package githubtest

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Unknown stands in counts for every credential that was not minted here, or was revoked since.
const Unknown = "(unknown)"

// Route names for the requests most often counted. Others are the patterns in routes.go: a method and a path
// with {owner} and {repo}.
const (
	GetUser                 = "GET /user"
	GetRepo                 = "GET /repos/{owner}/{repo}"
	GetRepoByID             = "GET /repositories/{id}"
	GetBranches             = "GET /repos/{owner}/{repo}/branches"
	GetInstallationRepos    = "GET /installation/repositories"
	GetCollaborator         = "GET /repos/{owner}/{repo}/collaborators/{username}/permission"
	CreateInstallationToken = "POST /app/installations/{installation}/access_tokens"
	PostGraphQL             = "POST /graphql"
	GitUploadPack           = "GET /{owner}/{repo}.git/info/refs?service=git-upload-pack"
	GitReceivePack          = "GET /{owner}/{repo}.git/info/refs?service=git-receive-pack"
	DeleteRef               = "DELETE /repos/{owner}/{repo}/git/refs/{ref...}"
	GenerateNotes           = "POST /repos/{owner}/{repo}/releases/generate-notes"
)

const (
	anyRoute     = ""
	unknownRoute = "(no route)"
)

type countKey struct{ token, route string }

// Counts is how often the fake was asked, by route and by token, including requests that met a fault.
type Counts struct{ calls map[countKey]int }

// Counts returns what was counted since the last ResetCounts.
func (g *GitHub) Counts() Counts {
	g.mu.Lock()
	defer g.mu.Unlock()
	calls := make(map[countKey]int, len(g.counts))
	for k, n := range g.counts {
		calls[k] = n
	}
	return Counts{calls}
}

// ResetCounts forgets what was counted.
func (g *GitHub) ResetCounts() {
	g.mu.Lock()
	defer g.mu.Unlock()
	clear(g.counts)
}

// Total is the number of all requests.
func (c Counts) Total() int { return c.sum(func(countKey) bool { return true }) }

// Of is the number of requests to a route.
func (c Counts) Of(route string) int { return c.sum(func(k countKey) bool { return k.route == route }) }

// Git is the number of git requests, which no API limit counts.
func (c Counts) Git() int { return c.sum(func(k countKey) bool { return isGit(k.route) }) }

// API is the number of requests to REST and GraphQL.
func (c Counts) API() int {
	return c.sum(func(k countKey) bool { return !isGit(k.route) && site[k.route] == nil })
}

// By leaves the requests made with one token; "" for those without any.
func (c Counts) By(token string) Counts {
	calls := map[countKey]int{}
	for k, n := range c.calls {
		if k.token == token {
			calls[k] = n
		}
	}
	return Counts{calls}
}

// Routes is the number of requests to each route.
func (c Counts) Routes() map[string]int {
	routes := map[string]int{}
	for k, n := range c.calls {
		routes[k.route] += n
	}
	return routes
}

// String is one line per route, the busiest first, for a test's message. It shows no token.
func (c Counts) String() string {
	routes := c.Routes()
	names := make([]string, 0, len(routes))
	for name := range routes {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(routes[b], routes[a]), cmp.Compare(a, b))
	})
	var b strings.Builder
	for _, name := range names {
		fmt.Fprintf(&b, "%5d  %s\n", routes[name], name)
	}
	return b.String()
}

func (c Counts) sum(which func(countKey) bool) int {
	n := 0
	for k, calls := range c.calls {
		if which(k) {
			n += calls
		}
	}
	return n
}

func isGit(route string) bool { return route == GitUploadPack || route == GitReceivePack }

// recorder notes the status for Observe.
type recorder struct {
	http.ResponseWriter
	call  Call
	start time.Time
}

func (rec *recorder) WriteHeader(status int) {
	rec.call.Status = status
	rec.ResponseWriter.WriteHeader(status)
}

func (rec *recorder) Unwrap() http.ResponseWriter { return rec.ResponseWriter }

// begin counts the request as it arrives.
func (g *GitHub) begin(w http.ResponseWriter, r *http.Request, route string) *recorder {
	g.mu.Lock()
	defer g.mu.Unlock()
	token := ""
	if cred, given := credentialOf(r); given {
		token = Unknown
		if g.tokens[cred.secret] != nil {
			token = cred.secret
		}
	}
	g.counts[countKey{token, route}]++
	return &recorder{
		ResponseWriter: w, start: time.Now(),
		call: Call{Method: r.Method, Path: r.URL.Path, Route: route, Token: token},
	}
}

// finish tells Observe.
func (g *GitHub) finish(rec *recorder) {
	if g.observe != nil {
		rec.call.Took = time.Since(rec.start)
		g.observe(rec.call)
	}
}
