package githubauth

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/google/go-github/v60/github"

	"gatehouse/scopes"
)

// Access tells what the token may do with the repository of that number, established up to the level need: what lies
// above it may be understated, never overstated.
//
// Reads are answered from answers at most 60 s old (10 s where there is no access), and where GitHub cannot be asked from ones that are older by
// Options.Stale at most: At tells. For anything above scopes.Read, GitHub is always asked. A repository that GitHub does not show is the zero Access
// and no error. Errors: *Unavailable, and one that wraps ErrBadCredential.
func (c *Client) Access(ctx context.Context, token string, bound scopes.Repo, need scopes.Permission) (scopes.Access, error) {
	hash := c.hash(token)
	k, found := c.known.GetIfPresent(hash)
	if found && need <= scopes.Read {
		if a, ok := k.access(bound.ID, c.now(), 0); ok {
			c.hits.Add(1)
			return a, nil
		}
	}
	c.misses.Add(1)
	if !found {
		kind, err := offline(token)
		if err != nil {
			return scopes.Access{}, err
		}
		k = c.know(hash, kind, token)
	}
	if err := k.refusal(c.now()); err != nil {
		return scopes.Access{}, err
	}
	began := time.Now()
	a, err := c.settled(ctx, k, ofRepo(bound), func(ctx context.Context, epoch uint64) (scopes.Access, error) {
		if need <= scopes.Read {
			return c.mayRead(ctx, k, token, epoch, bound)
		}
		return c.mayChange(ctx, k, token, epoch, bound, need)
	})
	if err == nil {
		c.observe(time.Since(began))
		return a, nil
	}
	if ctx.Err() != nil {
		return scopes.Access{}, err // the caller has gone, which says nothing of the token
	}
	k.doubt()
	if u := (*Unavailable)(nil); need <= scopes.Read && errors.As(err, &u) {
		if old, ok := k.access(bound.ID, c.now(), c.stale); ok {
			c.staleUses.Add(1)
			return old, nil
		}
	}
	return scopes.Access{}, err
}

// settled asks, within factTimeout, and asks again if something was forgotten meanwhile that the answer may rest on.
func (c *Client) settled(ctx context.Context, k *credential, s subject, ask func(context.Context, uint64) (scopes.Access, error)) (scopes.Access, error) {
	limited, cancel := context.WithTimeout(ctx, factTimeout)
	defer cancel()
	for range 3 {
		epoch := c.forgotten.now()
		a, err := ask(limited, epoch)
		switch {
		case err != nil && ctx.Err() != nil:
			return scopes.Access{}, ctx.Err()
		case err != nil:
			return scopes.Access{}, inTime(err)
		}
		s.user = k.userID()
		s.owners[1] = a.Repo.OwnerID
		if !c.forgotten.since(epoch, s) {
			return a, nil
		}
	}
	return scopes.Access{}, &Unavailable{Retry: time.Second, Cause: "it changed while it was asked about"}
}

// inTime is for an answer that took longer than this package waits, while its caller would have waited longer.
func inTime(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return &Unavailable{Retry: 5 * time.Second, Cause: "no answer in time"}
	}
	return err
}

// mayRead finds out about reading: with many others by GraphQL where that can be had, else alone.
func (c *Client) mayRead(ctx context.Context, k *credential, token string, epoch uint64, repo scopes.Repo) (scopes.Access, error) {
	f, known := k.fact(repo.ID, c.now())
	if !known && repo.Node != "" && k.byGraphQL(c.now()) {
		if err := c.inBatch(ctx, k, token, repo); err != nil && !unclear(err) {
			return scopes.Access{}, err
		}
		f, known = k.fact(repo.ID, c.now())
	}
	if !known {
		var err error
		f, err = once(ctx, c, key('r', k, repo.ID, epoch), func(ctx context.Context) (fact, error) {
			if f, known := k.fact(repo.ID, c.now()); known {
				return f, nil // somebody's flight has landed since we looked
			}
			return c.askRepo(ctx, k, token, epoch, repo)
		})
		if err != nil {
			return scopes.Access{}, err
		}
	}
	if _, proven := k.proof(f.Repo.OwnerID, c.now()); f.WantProof && !proven && c.now().Sub(f.At) > proofOn {
		// It may be public by now, and then reading it proves nothing of the owner's others.
		var err error
		if f, err = once(ctx, c, key('n', k, repo.ID, epoch), func(ctx context.Context) (fact, error) {
			return c.askRepo(ctx, k, token, epoch, repo)
		}); err != nil {
			return scopes.Access{}, err
		}
	}
	if !f.WantProof {
		return f.Access, nil
	}
	p, err := c.prove(ctx, k, token, epoch, f.Repo)
	if errors.Is(err, errNotShown) {
		// It has gone since it was shown; that says nothing of the owner's other repositories.
		none := fact{Access: scopes.Access{At: c.now()}, Asked: f.Asked, Owner: f.Owner, Until: c.now().Add(notReadTTL)}
		c.learn(k, epoch, none)
		return none.Access, nil
	}
	f.Reach, f.Why = p.Reach, p.Why
	return f.Access, err
}

// askRepo asks REST about one repository, for reading. What was known of it is renewed at no charge where GitHub says it is unchanged.
func (c *Client) askRepo(ctx context.Context, k *credential, token string, epoch uint64, asked scopes.Repo) (fact, error) {
	at := c.now()
	k.mu.RLock()
	old := k.facts[asked.ID]
	k.mu.RUnlock()
	path := "repositories/" + strconv.FormatInt(asked.ID, 10)
	repo := &github.Repository{}
	resp, err := c.get(ctx, k, token, "GET /repositories/{id}", path, old.Tag, repo)
	if err == nil && resp.StatusCode == http.StatusNotModified && k.kind == scoped && len(resp.Header.Values("X-OAuth-Scopes")) == 0 {
		resp, err = c.get(ctx, k, token, "GET /repositories/{id}", path, etag{}, repo) // the scopes can change without the repository
	}
	var f fact
	if err == nil && resp.StatusCode == http.StatusNotModified {
		f = old
		f.At = at
		if k.kind == scoped {
			f.Reach, f.Why = scopedReach(resp.Header.Get("X-OAuth-Scopes"), f.Public)
		}
	} else if f, err = c.weighRepo(k, epoch, resp, repo, err, at); err != nil {
		return fact{}, err
	} else if resp != nil && resp.StatusCode == http.StatusOK {
		f.Tag = etag{resp.Header.Get("ETag"), at}
	}
	f.Asked, f.Owner, f.Until = asked.ID, asked.OwnerID, at.Add(readTTL)
	switch {
	case f.Repo.ID == 0:
	case k.kind == granular, k.kind == installed:
		f.readable(f.Public)
	}
	if !f.WantProof && f.Permission() < scopes.Read {
		f.Until = at.Add(notReadTTL)
	}
	if f.barred {
		c.keepOut(k, epoch, asked.OwnerID, f.Why)
	}
	c.learn(k, epoch, f)
	return f, nil
}

// mayChange establishes what is allowed up to need, which is above read, from nothing that was known before.
func (c *Client) mayChange(ctx context.Context, k *credential, token string, epoch uint64, bound scopes.Repo, need scopes.Permission) (scopes.Access, error) {
	// Different levels are different questions: a write must not share the flight of a read.
	return once(ctx, c, key('w', k, bound.ID, epoch)+need.String(), func(ctx context.Context) (scopes.Access, error) {
		f, err := c.establish(ctx, k, token, epoch, need, "GET /repositories/{id}", "repositories/"+strconv.FormatInt(bound.ID, 10))
		if err != nil {
			return scopes.Access{}, err
		}
		f.Asked, f.Owner = bound.ID, bound.OwnerID
		c.learn(k, epoch, f)
		return f.Access, nil
	})
}

// Resolve finds the repository now called owner/name and what the token may do with it, established up to need. Nothing is
// taken from or put into what is known: it serves first publishes, where a name becomes a number for good.
// Errors and the zero Access are as for Access.
func (c *Client) Resolve(ctx context.Context, token, owner, name string, need scopes.Permission) (scopes.Access, error) {
	kind, err := offline(token)
	if err != nil {
		return scopes.Access{}, err
	}
	k := c.know(c.hash(token), kind, token)
	if err := k.refusal(c.now()); err != nil {
		return scopes.Access{}, err
	}
	a, err := c.settled(ctx, k, subject{}, func(ctx context.Context, epoch uint64) (scopes.Access, error) {
		f, err := c.establish(ctx, k, token, epoch, need, "GET /repos/{owner}/{repo}", "repos/"+url.PathEscape(owner)+"/"+url.PathEscape(name))
		return f.Access, err
	})
	if err != nil && ctx.Err() == nil {
		k.doubt()
	}
	return a, err
}

// establish asks REST for a repository and, by probes, what the token may do with it up to need.
func (c *Client) establish(ctx context.Context, k *credential, token string, epoch uint64, need scopes.Permission, endpoint, path string) (fact, error) {
	at := c.now()
	repo := &github.Repository{}
	resp, err := c.get(ctx, k, token, endpoint, path, etag{}, repo)
	f, err := c.weighRepo(k, epoch, resp, repo, err, at)
	if err != nil {
		return fact{}, err
	}
	switch {
	case f.Repo.ID == 0:
	case k.kind == granular:
		f.Reach, f.Why, err = c.probedReach(ctx, k, token, f.Repo, f.Public, min(need, f.Role))
	case k.kind == installed:
		f.Reach, f.Why, err = c.probedReach(ctx, k, token, f.Repo, f.Public, need)
	}
	f.Until = at.Add(readTTL)
	if f.Permission() < scopes.Read {
		f.Until = at.Add(notReadTTL)
	}
	return f, err
}

// firstPace is a guess, for as long as GitHub has not been asked anything.
const firstPace = 250 * time.Millisecond

// Pace is about how long GitHub takes at present to say what a token may do, or whether a repository is public: a little more than the slowest answer of
// late, and never more than a second.
func (c *Client) Pace() time.Duration {
	if pace := c.pace.Load(); pace > 0 {
		return time.Duration(pace)
	}
	return firstPace
}

// observe lets one answer's time count for Pace. It forgets slow ones by and by.
func (c *Client) observe(took time.Duration) {
	took = min(took+took/4, time.Second)
	for {
		old := c.pace.Load()
		if c.pace.CompareAndSwap(old, max(int64(took), old-old/16)) {
			return
		}
	}
}
