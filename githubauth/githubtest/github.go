package githubtest

import (
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// GitHub is one fake GitHub: its accounts, its repositories, the credentials it minted and what it
// was asked. It is an http.Handler and safe for concurrent use; its state may be changed while it
// serves, and every answer is made from one consistent state.
//
// Methods that change the state take names ("wendy", "acme/ui", in any case) and panic on a name that
// doesn't exist: that is a mistake in the test, not a condition to handle.
type GitHub struct {
	mux     *http.ServeMux
	now     func() time.Time
	observe func(Call)
	lockOut int

	mu        sync.Mutex
	random    *rand.ChaCha8
	lastID    int64
	lastToken int64
	accounts  map[int64]*account
	logins    map[string]int64 // folded login -> account
	repos     map[int64]*repo
	names     map[string]int64 // folded owner/name -> repository
	moved     map[string]int64 // folded former owner/name -> repository
	tokens    map[string]*token
	clients   map[string]*client // by client id
	apps      map[int64]*app

	invitations map[int64]*invitation
	codes       map[string]*code
	refreshes   map[string]*refresh
	devices     map[string]*device // by device code

	limits   Limits
	buckets  map[bucketKey]*bucket
	failures map[netip.Addr][]time.Time // of authentication
	faults   []*placedFault
	counts   map[countKey]int

	oidcKeys []oidcKey       // the present one first
	runs     map[string]*run // by request token
	lastRun  int64

	hooks      []*hook
	queue      chan *Delivery
	deliveries []*Delivery
	waiting    int // deliveries in the queue or on their way
	delivered  sync.Cond
	stopHooks  func()

	noGraphQL int // status that refuses every query, 0 for none

	servers  []*http.Server
	listener net.Listener
}

// Option changes a GitHub while it is made.
type Option func(*GitHub)

// Seed makes tokens and request ids repeatable: the same calls in the same order mint the same tokens.
// Without it every GitHub mints different ones, so that a test that mixes up two of them fails.
func Seed(n uint64) Option {
	return func(g *GitHub) {
		var seed [32]byte
		for i := range 8 {
			seed[i] = byte(n >> (8 * i))
		}
		g.random = rand.NewChaCha8(seed)
	}
}

// Clock replaces time.Now: for token expiry, rate limit windows and the lock-out.
func Clock(now func() time.Time) Option {
	return func(g *GitHub) { g.now = now }
}

// Observe has f told of every request after it was answered, for an access log. It is called from
// many goroutines.
func Observe(f func(Call)) Option {
	return func(g *GitHub) { g.observe = f }
}

// LockOut has an address that sent n bad credentials within a minute refused with 403, good
// credentials included, until the minute is over. GitHub does this ("Failed login limit", in
// "Authenticating to the REST API") without publishing the numbers. It is off by default.
func LockOut(n int) Option {
	return func(g *GitHub) { g.lockOut = n }
}

// New returns a GitHub with nobody in it.
func New(options ...Option) *GitHub {
	g := &GitHub{
		now:      time.Now,
		lastID:   1_000_000,
		accounts: map[int64]*account{},
		logins:   map[string]int64{},
		repos:    map[int64]*repo{},
		names:    map[string]int64{},
		moved:    map[string]int64{},
		tokens:   map[string]*token{},
		clients:  map[string]*client{},
		apps:     map[int64]*app{},

		invitations: map[int64]*invitation{},
		runs:        map[string]*run{},
		codes:       map[string]*code{},
		refreshes:   map[string]*refresh{},
		devices:     map[string]*device{},

		limits:   DefaultLimits(),
		buckets:  map[bucketKey]*bucket{},
		failures: map[netip.Addr][]time.Time{},
		counts:   map[countKey]int{},
	}
	g.delivered.L = &g.mu
	Seed(rand.Uint64())(g)
	for _, o := range options {
		o(g)
	}
	g.mux = g.routes()
	return g
}

// Start listens on a free port of the loopback interface, serves from it, and returns g. It panics if
// there is no port.
func (g *GitHub) Start() *GitHub {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic("githubtest: " + err.Error())
	}
	go g.adopt(l).Serve(l)
	return g
}

// Serve answers on l until Close. Like http.Server.Serve it always returns an error, which is
// http.ErrServerClosed after Close.
func (g *GitHub) Serve(l net.Listener) error {
	return g.adopt(l).Serve(l)
}

// adopt notes the listener before serving begins, so that URL and Close know it at once.
func (g *GitHub) adopt(l net.Listener) *http.Server {
	srv := &http.Server{Handler: g, ReadHeaderTimeout: 10 * time.Second}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.listener = l
	g.servers = append(g.servers, srv)
	return srv
}

// Close stops serving, ends every open connection and drops the webhooks that wait.
func (g *GitHub) Close() {
	g.mu.Lock()
	servers, listener := g.servers, g.listener
	g.servers = nil
	g.endHooks()
	g.mu.Unlock()
	for _, srv := range servers {
		srv.Close()
	}
	if listener != nil {
		listener.Close() // it may not have reached its server yet
	}
}

// URL is the address of the web site, without a trailing slash: the part of https://github.com, or of
// https://HOST for an Enterprise Server. Git is below it. It panics before Start or Serve.
func (g *GitHub) URL() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.listener == nil {
		panic("githubtest: not serving yet")
	}
	addr := g.listener.Addr().String()
	if host, port, err := net.SplitHostPort(addr); err == nil {
		if ip, err := netip.ParseAddr(host); err == nil && ip.IsUnspecified() {
			addr = net.JoinHostPort("localhost", port)
		}
	}
	return "http://" + addr
}

// APIURL is the address of the REST API as an Enterprise Server has it, URL()+"/api/v3", without a
// trailing slash. The same API also answers at URL() itself, as at https://api.github.com.
func (g *GitHub) APIURL() string { return g.URL() + "/api/v3" }

// GraphQLURL is the address of the GraphQL API as an Enterprise Server has it, URL()+"/api/graphql". It
// also answers at URL()+"/graphql".
func (g *GitHub) GraphQLURL() string { return g.URL() + "/api/graphql" }
