package server

import (
	"strconv"
	"sync/atomic"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"
)

// requests counts requests by route. What a route counts with is looked up before its first request, so that counting one costs a look into a map
// and a few additions.
type requests struct {
	counted  *prometheus.CounterVec
	took     *prometheus.HistogramVec
	sent     *prometheus.CounterVec
	inFlight *prometheus.GaugeVec

	routes map[routeKey]*route // complete before the first request
	lost   *route              // of what meets no route
}

type routeKey struct{ path, method string }

// noRoute stands for the path, and the method, of requests that meet no route: they can have any.
const noRoute = "none"

// route is what one route counts with.
type route struct {
	all      *requests
	key      routeKey
	took     prometheus.Observer
	sent     prometheus.Counter
	inFlight prometheus.Gauge
	codes    [600]atomic.Pointer[prometheus.Counter]
}

func newRequests() requests {
	labels := []string{"route", "method"}
	return requests{
		counted: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "gatehouse_requests_total", Help: "Requests answered, by route and status."}, []string{"route", "method", "class", "code"}),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "gatehouse_request_duration_seconds", Help: "Time from the end of a request's headers to the end of its answer, by route.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 120},
		}, labels),
		sent:     prometheus.NewCounterVec(prometheus.CounterOpts{Name: "gatehouse_response_bytes_total", Help: "Bytes of bodies sent, by route."}, labels),
		inFlight: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "gatehouse_requests_in_flight", Help: "Requests that are being answered, by route; those of PUT /:name are publishes."}, labels),
	}
}

// know prepares for the routes of a server.
func (r *requests) know(routes gin.RoutesInfo) {
	r.routes = make(map[routeKey]*route, len(routes))
	for _, known := range routes {
		key := routeKey{known.Path, known.Method}
		r.routes[key] = r.newRoute(key)
	}
	r.lost = r.newRoute(routeKey{noRoute, noRoute})
}

func (r *requests) newRoute(key routeKey) *route {
	return &route{
		all: r, key: key,
		took:     r.took.WithLabelValues(key.path, key.method),
		sent:     r.sent.WithLabelValues(key.path, key.method),
		inFlight: r.inFlight.WithLabelValues(key.path, key.method),
	}
}

// begin counts a request in. Its end is done, of what begin returns; without metrics that is nil.
func (m *Metrics) begin(c *gin.Context) *route {
	if m == nil {
		return nil
	}
	found := m.requests.routes[routeKey{c.FullPath(), c.Request.Method}]
	if found == nil {
		found = m.requests.lost
	}
	found.inFlight.Inc()
	return found
}

func (r *route) done(status int, sent int64, took time.Duration) {
	if r == nil {
		return
	}
	r.inFlight.Dec()
	r.code(status).Inc()
	r.took.Observe(took.Seconds())
	r.sent.Add(float64(max(sent, 0)))
}

func (r *route) code(status int) prometheus.Counter {
	if status < 100 || status >= len(r.codes) {
		status = 0
	}
	if known := r.codes[status].Load(); known != nil {
		return *known
	}
	counter := r.all.counted.WithLabelValues(r.key.path, r.key.method, strconv.Itoa(status/100)+"xx", strconv.Itoa(status))
	r.codes[status].Store(&counter)
	return counter
}
