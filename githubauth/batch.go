package githubauth

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"gatehouse/scopes"
)

const (
	gather       = 20 * time.Millisecond // how long a batch waits for more misses
	noGraphQLFor = 5 * time.Minute       // how long a token for which there is no GraphQL is spared
)

// batch is one question about many repositories, asked with one credential. Misses that come while it gathers join it; those that come while it is
// on its way, and are in it, wait for it.
type batch struct {
	began uint64 // see forgettings
	repos map[int64]scopes.Repo
	sent  bool
	done  chan struct{}
	err   error // for all who wait; set before done is closed
}

// inBatch finds out about one repository together with others. After a nil error the answer is among the credential's facts, if GraphQL gave one.
func (c *Client) inBatch(ctx context.Context, k *credential, token string, repo scopes.Repo) error {
	b := c.joinBatch(ctx, k, token, repo)
	select {
	case <-b.done:
		return b.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (c *Client) joinBatch(ctx context.Context, k *credential, token string, repo scopes.Repo) *batch {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := c.forgotten.now()
	for _, b := range k.batches {
		if b.began != now {
			continue
		}
		if _, in := b.repos[repo.ID]; in {
			return b
		}
		if !b.sent && len(b.repos) < perBatch {
			b.repos[repo.ID] = repo
			return b
		}
	}
	b := &batch{began: now, repos: map[int64]scopes.Repo{repo.ID: repo}, done: make(chan struct{})}
	k.batches = append(k.batches, b)
	go c.runBatch(context.WithoutCancel(ctx), k, token, b, repo)
	return b
}

func (c *Client) runBatch(ctx context.Context, k *credential, token string, b *batch, first scopes.Repo) {
	ctx, cancel := context.WithTimeout(ctx, factTimeout)
	defer cancel()
	defer close(b.done)
	defer func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.batches = slices.DeleteFunc(k.batches, func(other *batch) bool { return other == b })
	}()
	time.Sleep(gather)
	_, b.err = sane(ctx, func(ctx context.Context) (struct{}, error) {
		// Asked outside of the lock: the registry may have to look.
		others := c.neighboursOf(ctx, first)
		now := c.now()
		k.mu.Lock()
		b.sent = true
		repos := make([]scopes.Repo, 0, len(b.repos)+len(others))
		for _, r := range b.repos {
			repos = append(repos, r)
		}
		for _, r := range others {
			if _, in := b.repos[r.ID]; !in && len(repos) < perBatch && k.wanting(r, now) {
				b.repos[r.ID] = r
				repos = append(repos, r)
			}
		}
		k.mu.Unlock()
		_, err := c.learnNodes(ctx, k, token, b.began, repos)
		return struct{}{}, err
	})
}

// neighboursOf returns repositories that are likely to be asked about soon: those the registry has packages of, those of the same owner first.
func (c *Client) neighboursOf(ctx context.Context, repo scopes.Repo) []scopes.Repo {
	if c.neighbours == nil {
		return nil
	}
	return c.neighbours(ctx, repo)
}

// wanting reports whether there is no fresh answer about the repository and GraphQL can be asked for one. The caller holds mu.
func (k *credential) wanting(r scopes.Repo, now time.Time) bool {
	f, known := k.facts[r.ID]
	return r.Node != "" && r.ID != 0 && (!known || !now.Before(f.Until))
}

// byGraphQL reports whether GraphQL may be asked with this credential.
func (k *credential) byGraphQL(now time.Time) bool {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return !now.Before(k.noGraphQL) && !now.Before(k.pauses[graphQL])
}

// learnNodes asks GraphQL about repos, keeps what it says, and returns who asked.
func (c *Client) learnNodes(ctx context.Context, k *credential, token string, began uint64, repos []scopes.Repo) (identity, error) {
	at := c.now()
	answer, err := c.askNodes(ctx, k, token, repos)
	if r := (*refused)(nil); errors.As(err, &r) || errors.Is(err, errNotShown) {
		k.mu.Lock()
		k.noGraphQL = c.now().Add(noGraphQLFor)
		k.mu.Unlock()
	}
	if err != nil {
		return identity{}, err
	}
	facts := make([]fact, 0, len(repos))
	for i, s := range answer.repos {
		f, ok := c.weighNode(k, repos[i], s, answer.header, at)
		if !ok {
			continue
		}
		facts = append(facts, f)
		if s.node != nil {
			c.teach(f.Repo, f.Public, at, began)
		}
		if r := (*refused)(nil); errors.As(s.err, &r) && r.policy {
			c.keepOut(k, began, repos[i].OwnerID, r.why)
		}
	}
	c.learn(k, began, facts...)
	return identity{Principal: scopes.Principal{ID: answer.viewer.DatabaseID, Login: answer.viewer.Login}, At: at}, nil
}

// weighNode turns what GraphQL showed of a repository into a fact, by what its answers are worth for each kind of token. It returns false where they do not
// suffice.
func (c *Client) weighNode(k *credential, asked scopes.Repo, s seen, h http.Header, at time.Time) (fact, bool) {
	f := fact{Asked: asked.ID, Owner: asked.OwnerID, Access: scopes.Access{At: at}}
	switch {
	case s.node != nil:
	case s.err != nil:
		f.Until = at.Add(notReadTTL)
		f.Why = whyRefused(s.err)
		return f, true
	default:
		return fact{}, false
	}
	n := s.node
	f.Repo, f.Archived = n.repo(), n.IsArchived
	f.Public = n.public()
	public := f.Public
	switch k.kind {
	case scoped:
		if len(h.Values("X-OAuth-Scopes")) == 0 || n.role() == scopes.None {
			return fact{}, false
		}
		f.Role = n.role()
		f.Reach, f.Why = scopedReach(h.Get("X-OAuth-Scopes"), public)
		if !public && f.Reach < scopes.Admin {
			f.Reach = scopes.None // GraphQL is not known to hide what the scopes do not reach
		}
	case granular:
		if n.role() == scopes.None {
			return fact{}, false
		}
		f.Role = n.role()
		f.readable(public)
	case installed:
		// There is no person whose role could be less.
		f.Role = scopes.Admin
		f.readable(public)
	}
	if n.IsDisabled {
		f.Reach, f.Why, f.WantProof = scopes.None, "GitHub has disabled the repository", false
	}
	f.Until = at.Add(readTTL)
	if !f.WantProof && f.Permission() < scopes.Read {
		f.Until = at.Add(notReadTTL)
	}
	return f, true
}

// readable settles the reach of a token whose rights GitHub does not tell, as far as reading goes: everybody reads what is public, the rest
// takes a proof.
func (f *fact) readable(public bool) {
	if public {
		f.Reach, f.Why = scopes.Read, noWrite
		return
	}
	f.WantProof = true
}
