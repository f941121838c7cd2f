package githubauth

import "time"

// Outcome says how a call to GitHub ended.
type Outcome string

// The outcomes of a Call.
const (
	OK            Outcome = "ok"
	Refused       Outcome = "refused"        // GitHub knows the credential and will not do this for it
	NotShown      Outcome = "not-shown"      // there is no such thing, or it is hidden
	BadCredential Outcome = "bad-credential" // 401
	RateLimited   Outcome = "rate-limited"
	Down          Outcome = "unavailable"  // no answer, or none that can be used
	BreakerOpen   Outcome = "breaker-open" // no call was made: GitHub has failed too often just now
)

// Call is one call to GitHub, as Options.Observe is told of it. It holds nothing of the credential and no name of a repository.
type Call struct {
	// Endpoint is what was asked, as a template: "GET /repositories/{id}", "GraphQL nodes", "git upload-pack".
	Endpoint string
	Outcome  Outcome
	Took     time.Duration
	// Remaining is how many calls GitHub says are left of the hour for this credential and resource; -1 if it does not say.
	Remaining int
}

// Stats counts what the memory of answers was good for, since the start.
type Stats struct {
	// Hits are questions about a caller or a repository answered without GitHub, Misses those for which it had to be asked.
	Hits, Misses uint64
	// Stale are answers given from beyond their time because GitHub could not be asked (Options.Stale).
	Stale uint64
	// Entries is about how many credentials are remembered.
	Entries int
}

// Stats returns a snapshot of the counters. It may be called from any goroutine.
func (c *Client) Stats() Stats {
	return Stats{Hits: c.hits.Load(), Misses: c.misses.Load(), Stale: c.staleUses.Load(), Entries: c.entries()}
}
