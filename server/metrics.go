package server

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"gatehouse/server/gate"
	"gatehouse/server/problem"
)

// MetricsPath is where the metrics are, on the registry's own address and on one of their own.
const MetricsPath = "/-/metrics"

// Metrics counts what one registry does, for Prometheus. docs/metrics.md has the list.
//
// Labels are of what is known before anybody asks: route templates, registered methods, codes, actions, reasons, kinds of GitHub's answers. Never a
// name, a login or an address: those are without number, and tell who uses what. Its methods may be called from any number of goroutines.
type Metrics struct {
	registry *prometheus.Registry
	requests requests
	github   *prometheus.HistogramVec
	limit    lowest
}

// CacheStats is how the kept answers of GitHub's were used since the start.
type CacheStats struct {
	Hits, Misses, Stale uint64
	Entries             int
}

// NewMetrics returns metrics that have counted nothing.
func NewMetrics(version string) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry(), requests: newRequests(), limit: lowest{now: time.Now}}
	m.github = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "gatehouse_github_call_duration_seconds", Help: "Calls to GitHub by endpoint and outcome.",
		Buckets: []float64{.025, .05, .1, .2, .4, .8, 1.5, 3, 6, 10},
	}, []string{"endpoint", "outcome"})
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "gatehouse_build_info", Help: "1, with the version that runs.",
		ConstLabels: prometheus.Labels{"version": version, "go": runtime.Version()},
	})
	build.Set(1)
	m.registry.MustRegister(m.requests.counted, m.requests.took, m.requests.sent, m.requests.inFlight, m.github, build, &m.limit,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// GitHubCall counts a call to GitHub. endpoint and outcome come from short lists; remaining is what the answer left of its credential's
// rate limit, and less than 0 if it did not say.
func (m *Metrics) GitHubCall(endpoint, outcome string, took time.Duration, remaining int) {
	m.github.WithLabelValues(endpoint, outcome).Observe(took.Seconds())
	if remaining >= 0 {
		m.limit.see(remaining)
	}
}

// GitHubCache makes the metrics tell how kept answers are used; stats is asked at each scrape. It is called once.
func (m *Metrics) GitHubCache(stats func() CacheStats) { m.registry.MustRegister(cacheStats(stats)) }

// Handler serves the metrics at MetricsPath, to whoever can reach it.
func (m *Metrics) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET "+MetricsPath, m.scrape())
	return mux
}

func (m *Metrics) scrape() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4, ErrorHandling: promhttp.ContinueOnError})
}

// mount serves the metrics beside the registry, to who has the token.
func (m *Metrics) mount(r gin.IRoutes, token string) {
	want, scrape := sha256.Sum256([]byte(token)), m.scrape()
	r.GET(MetricsPath, problem.Handle(func(c *gin.Context) error {
		scheme, sent, _ := strings.Cut(c.GetHeader("Authorization"), " ")
		// Hashes are of one length: the comparison takes as long whatever was sent.
		got := sha256.Sum256([]byte(strings.TrimSpace(sent)))
		if !strings.EqualFold(scheme, "Bearer") || subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
			return &problem.Plain{Status: http.StatusUnauthorized, Text: "the metrics need the token that metrics.token names, as \"Authorization: Bearer TOKEN\""}
		}
		c.Writer.Header().Set("Cache-Control", "no-store")
		scrape.ServeHTTP(c.Writer, c.Request)
		return nil
	}))
}

var verdictsDesc = prometheus.NewDesc("gatehouse_verdicts_total", "Verdicts on callers and packages by action and reason.", []string{"action", "reason", "allowed"}, nil)

// verdicts tells how a gate has judged.
type verdicts struct{ gate *gate.Gate }

func (v verdicts) Describe(ch chan<- *prometheus.Desc) { ch <- verdictsDesc }

func (v verdicts) Collect(ch chan<- prometheus.Metric) {
	for t := range v.gate.Verdicts {
		ch <- prometheus.MustNewConstMetric(verdictsDesc, prometheus.CounterValue, float64(t.Count), t.Action.String(), t.Reason.String(), fmt.Sprint(t.Allowed))
	}
}

var (
	cacheReadsDesc   = prometheus.NewDesc("gatehouse_github_cache_reads_total", "Questions about credentials and repositories that kept answers of GitHub's could settle (hit), could not (miss), or settled though old because GitHub was out of reach (stale).", []string{"result"}, nil)
	cacheEntriesDesc = prometheus.NewDesc("gatehouse_github_cache_entries", "Credentials of which answers of GitHub's are kept.", nil, nil)
)

type cacheStats func() CacheStats

func (s cacheStats) Describe(ch chan<- *prometheus.Desc) {
	ch <- cacheReadsDesc
	ch <- cacheEntriesDesc
}

func (s cacheStats) Collect(ch chan<- prometheus.Metric) {
	now := s()
	for result, n := range map[string]uint64{"hit": now.Hits, "miss": now.Misses, "stale": now.Stale} {
		ch <- prometheus.MustNewConstMetric(cacheReadsDesc, prometheus.CounterValue, float64(n), result)
	}
	ch <- prometheus.MustNewConstMetric(cacheEntriesDesc, prometheus.GaugeValue, float64(now.Entries))
}

// lowest is the least of the numbers that were seen of late: since five minutes at least, and ten at most. Every credential has a rate limit of its own,
// so the last one seen would say little; that one of them nears its end is what somebody wants to know.
type lowest struct {
	now func() time.Time

	mu            sync.Mutex
	since         time.Time // of current
	current, last int       // -1: none seen
}

const lowestFor = 5 * time.Minute

var limitDesc = prometheus.NewDesc("gatehouse_github_rate_limit_remaining", "The least that GitHub left to any credential of its rate limit, in the last minutes.", nil, nil)

// turn is called with the lock held.
func (l *lowest) turn() {
	switch age := l.now().Sub(l.since); {
	case l.since.IsZero() || age >= 2*lowestFor:
		l.current, l.last, l.since = -1, -1, l.now()
	case age >= lowestFor:
		l.current, l.last, l.since = -1, l.current, l.now()
	}
}

func (l *lowest) see(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.turn(); l.current < 0 || n < l.current {
		l.current = n
	}
}

// least is -1 if nothing was seen.
func (l *lowest) least() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.turn()
	if l.last < 0 || l.current >= 0 && l.current < l.last {
		return l.current
	}
	return l.last
}

func (l *lowest) Describe(ch chan<- *prometheus.Desc) { ch <- limitDesc }

func (l *lowest) Collect(ch chan<- prometheus.Metric) {
	if n := l.least(); n >= 0 {
		ch <- prometheus.MustNewConstMetric(limitDesc, prometheus.GaugeValue, float64(n))
	}
}
