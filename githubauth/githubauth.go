// Package githubauth knows GitHub: who holds a credential, and what that credential may do with a repository.
//
// It owns every call to GitHub, the reading of its answers, and their cache. It hands out facts in
// the words of package scopes and never a verdict: Decide is elsewhere. It refuses to be told who
// somebody is: every fact is asked with the caller's own credential.
//
// Three rules shape it, each learned from what GitHub's answers are not:
//
//   - The permissions GitHub shows are the person's role and not what their token may do. Reach is established apart:
//     from the scopes of classic tokens, and for all others by asking for something that needs the right in question and changes nothing.
//   - Names move, numbers do not. A repository is asked for by its number, and whatever comes back is compared.
//   - Only a clear answer is a no. A time-out, a rate limit, an error of GitHub's is *Unavailable, is never kept and
//     never read as "no such repository".
//
// Whatever is not listed as permitted is denied.
//
// What is known of a token is one entry (credential.go): who holds it, what it was shown of repositories, what was proven of an owner's. A read that
// finds no fresh answer is asked about together with others (batch.go): those that miss at the same time, and those that the registry has beside
// it, by GraphQL, as far as its answers are worth something for that kind of token (weigh.go). Where there is no GraphQL, REST is asked about one (access.go).
// A write is always asked about alone, and nothing known before counts. Every call goes through call.go, which waits, gives up and measures; judge.go sorts
// what comes back. What is true without a caller is in public.go, what an operator asks about others in role.go, what shuts a caller out in standing.go, what ends knowledge early in forget.go and
// hook.go, and what outlives the process in keep.go.
//
// Credentials live in memory for the time of a call. Cache keys are keyed hashes of them, under a key that dies with the process; what is kept on
// disk can be opened with the credential only.
package githubauth

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"
	"golang.org/x/sync/semaphore"
	"golang.org/x/sync/singleflight"

	"gatehouse/scopes"
)

// How long answers are believed. A write never believes one.
const (
	identityTTL = 60 * time.Second
	refusedTTL  = 5 * time.Minute // a bad credential; GitHub locks out good ones when bad ones are repeated
	readTTL     = 60 * time.Second
	notReadTTL  = 10 * time.Second
	proofOn     = 2 * time.Second  // how old the answer may be that a repository is private, for a probe of it to count for others
	fullAgain   = 10 * time.Minute // after which an answer is asked for in full, however often GitHub has called it unchanged
)

// How long GitHub is waited for.
const (
	callTimeout = 5 * time.Second // one call
	factTimeout = 9 * time.Second // all the calls behind one fact
	fairTime    = callTimeout / 2 // a call that was given less than that, and has no answer, says nothing of its host
)

// ErrBadCredential: GitHub does not know the token, or it cannot be a GitHub token at all. The texts of errors that
// wrap it are for the caller and hold nothing of the token.
var ErrBadCredential = errors.New("bad credential")

// Unavailable: GitHub gave no answer that can be used. Nothing follows from it about anybody's rights.
type Unavailable struct {
	Retry time.Duration // when asking again makes sense
	Cause string        // for the log

	limit, wide bool // GitHub asked for patience; for REST and GraphQL alike
	down, late  bool // its host failed; by not answering in time
	cut         bool // by the caller, who hung up or had no time left, so that it may well not have failed
}

func (e *Unavailable) Error() string { return "GitHub gave no usable answer: " + e.Cause }

// Options of a Client.
type Options struct {
	// APIURL is the REST base, "https://api.github.com". WebURL is where git answers, "https://github.com".
	APIURL, WebURL string
	// UserAgent names this program to GitHub, which requires one.
	UserAgent string
	// Transport carries the calls; nil means one with this package's own limits.
	Transport http.RoundTripper
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Observe, if not nil, is told of every call after it ended. It is called from many goroutines and must not block.
	Observe func(Call)
	// Stale is how much longer than usual answers are good for reading while GitHub cannot be asked. 0: no longer.
	Stale time.Duration
	// Neighbours, if not nil, returns repositories of the registry that a caller is likely to ask for beside repo, those of its owner first, at most
	// some five hundred; a zero repo stands for any. It is called from many goroutines.
	Neighbours func(ctx context.Context, repo scopes.Repo) []scopes.Repo
	// Server is the credential for questions that no caller asks.
	Server Server
	// CachePath is the file that answers are kept in over a restart; "" for none. Its folder must exist, and one process uses it at a time. CacheKey is 32
	// secret bytes that live elsewhere.
	CachePath string
	CacheKey  []byte
	// Log is told of trouble with that file; nil for nobody.
	Log *slog.Logger
}

// Client asks GitHub and remembers, for a bounded time and in bounded memory. Its methods may be called from any
// number of goroutines; the same question asked many times at once goes to GitHub once.
type Client struct {
	api, web, graphql *url.URL
	agent             string
	transport         http.RoundTripper
	now               func() time.Time
	watch             func(Call)
	stale             time.Duration
	neighbours        func(context.Context, scopes.Repo) []scopes.Repo
	hashers           sync.Pool // of *hasher

	known     *otter.Cache[tokenHash, *credential]
	visible   *otter.Cache[int64, visibility] // by repository
	forgotten forgettings
	crowd     *crowd
	server    *server
	keep      *keep // nil if answers end with the process
	log       *slog.Logger
	flights   singleflight.Group
	people    peopleCache
	pace      atomic.Int64 // see Pace

	calls        *semaphore.Weighted // all in flight
	apiUp, webUp *breaker

	hits, misses, staleUses atomic.Uint64
}

func (c *Client) entries() int { return c.known.EstimatedSize() }

// New returns a client of the GitHub instance in o. It makes no call.
func New(o Options) (*Client, error) {
	c := &Client{
		agent: o.UserAgent, transport: o.Transport, now: o.Now, watch: o.Observe, stale: o.Stale, neighbours: o.Neighbours,
		calls: semaphore.NewWeighted(inFlight),
	}
	var err error
	if c.api, err = baseURL(o.APIURL); err != nil {
		return nil, fmt.Errorf("GitHub API address: %w", err)
	}
	if c.web, err = baseURL(o.WebURL); err != nil {
		return nil, fmt.Errorf("GitHub web address: %w", err)
	}
	// GitHub Enterprise Server: REST is at /api/v3, GraphQL at /api/graphql.
	if before, found := strings.CutSuffix(c.api.Path, "/api/v3/"); found {
		c.graphql = c.api.ResolveReference(&url.URL{Path: before + "/api/graphql"})
	} else {
		c.graphql = c.api.JoinPath("graphql")
	}
	if c.transport == nil {
		c.transport = newTransport()
	}
	if c.now == nil {
		c.now = time.Now
	}
	if c.agent == "" {
		c.agent = "gatehouse"
	}
	if c.log = o.Log; c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	c.apiUp, c.webUp = newBreaker(c.api.Host), newBreaker(c.web.Host)
	var key [32]byte
	_, _ = rand.Read(key[:]) // never fails (crypto/rand)
	c.hashers.New = func() any { return &hasher{mac: hmac.New(sha256.New, key[:])} }
	if c.known, err = newCache(); err != nil {
		return nil, err
	}
	if c.visible, err = otter.New(&otter.Options[int64, visibility]{MaximumSize: 100_000}); err != nil {
		return nil, err
	}
	if c.crowd, err = newCrowd(); err != nil {
		return nil, err
	}
	if c.server, err = newServer(c, o.Server); err != nil {
		return nil, err
	}
	if err := c.openKeep(o.CachePath, o.CacheKey); err != nil {
		return nil, err
	}
	return c, nil
}

func baseURL(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil {
		return nil, err
	}
	if (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || u.User != nil || u.RawQuery != "" {
		return nil, fmt.Errorf("%q is not an absolute http(s) address", s)
	}
	if !strings.HasSuffix(u.Path, "/") {
		u.Path += "/"
	}
	return u, nil
}
