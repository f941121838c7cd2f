package githubtest

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Fault goes before the answer to a request. It says whether it answered; if not, the request goes on. A
// fault may look at the request to choose, and may panic with http.ErrAbortHandler to close the connection.
type Fault func(w http.ResponseWriter, r *http.Request) (answered bool)

type placedFault struct {
	route string
	fault Fault
}

// Fail puts a fault in front of a route, named as in Counts, or of everything if route is "". Several faults
// take their turns in the order they were added. It returns a function that takes this fault away; Heal takes
// away all.
func (g *GitHub) Fail(route string, f Fault) (heal func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	placed := &placedFault{route, f}
	g.faults = append(slices.Clone(g.faults), placed) // requests go through the former slice
	return func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.faults = slices.DeleteFunc(slices.Clone(g.faults), func(p *placedFault) bool { return p == placed })
	}
}

// Heal takes every fault away.
func (g *GitHub) Heal() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.faults = nil
}

// Outage has everything fail, git included: with the status, or by closing connections if it is 0.
func (g *GitHub) Outage(status int) (heal func()) {
	if status == 0 {
		return g.Fail(anyRoute, Drop)
	}
	return g.Fail(anyRoute, Status(status))
}

// Delay has everything take so much longer.
func (g *GitHub) Delay(d time.Duration) (heal func()) { return g.Fail(anyRoute, Slow(d)) }

// Drop closes the connection without an answer.
func Drop(http.ResponseWriter, *http.Request) bool { panic(http.ErrAbortHandler) }

// Status answers with an error page, as GitHub's front does when there is trouble behind it: 502 and 503 are
// HTML with a unicorn, and no API headers.
func Status(status int) Fault {
	return func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(status)
		fmt.Fprintf(w, "<!DOCTYPE html><title>Unicorn! &middot; GitHub</title><p>%s\n", http.StatusText(status))
		return true
	}
}

// Slow waits, then lets the request go on; if the client leaves first, it closes the connection.
func Slow(d time.Duration) Fault {
	return func(_ http.ResponseWriter, r *http.Request) bool {
		wait := time.NewTimer(d)
		defer wait.Stop()
		select {
		case <-wait.C:
			return false
		case <-r.Context().Done():
			panic(http.ErrAbortHandler)
		}
	}
}

// PrimaryLimit answers that the hour's requests are used up, with status 403 or 429: GitHub sends either. Git
// is not limited by it. See also Exhaust, which uses the hour up for one caller.
func PrimaryLimit(status int) Fault {
	return limited(status, func(h http.Header) string {
		h.Set("X-RateLimit-Limit", "5000")
		h.Set("X-RateLimit-Remaining", "0")
		h.Set("X-RateLimit-Used", "5000")
		h.Set("X-RateLimit-Reset", strconv.FormatInt(time.Now().Add(time.Hour).Unix(), 10))
		h.Set("X-RateLimit-Resource", "core")
		return "API rate limit exceeded for user ID 1."
	})
}

// SecondaryLimit answers that requests came too fast, with status 403 or 429 and, unless after is 0, with
// retry-after in seconds; without, only the text tells. Git is not limited by it.
func SecondaryLimit(status int, after time.Duration) Fault {
	return limited(status, func(h http.Header) string {
		h.Set("X-RateLimit-Limit", "5000")
		h.Set("X-RateLimit-Remaining", "4000")
		if after > 0 {
			h.Set("Retry-After", strconv.Itoa(int(after/time.Second)))
		}
		return "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
	})
}

func limited(status int, describe func(http.Header) string) Fault {
	return func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, "/info/refs") {
			return false
		}
		p := problem{Message: describe(w.Header()), DocumentationURL: limitDocs, Status: strconv.Itoa(status)}
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.WriteHeader(status)
		w.Write(answer{body: p}.encode(""))
		return true
	}
}

// fault runs the faults of the route, without the lock.
func (g *GitHub) fault(w http.ResponseWriter, r *http.Request, route string) bool {
	g.mu.Lock()
	faults := g.faults
	g.mu.Unlock()
	for _, p := range faults {
		if (p.route == anyRoute || p.route == route) && p.fault(w, r) {
			return true
		}
	}
	return false
}
