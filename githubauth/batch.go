package githubauth

import (
	"context"
	"errors"
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
	if b == nil {
		return nil
	}
	select {
	case <-b.done:
		return b.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// joinBatch returns the batch that will bring the answer; nil if one has brought it meanwhile.
func (c *Client) joinBatch(ctx context.Context, k *credential, token string, repo scopes.Repo) *batch {
	k.mu.Lock()
	defer k.mu.Unlock()
	if f, known := k.facts[repo.ID]; known && c.now().Before(f.Until) {
		return nil
	}
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
			c.teach(f.Repo, opening(f.Public, s.node.internal()), at, began)
		}
		if r := (*refused)(nil); errors.As(s.err, &r) && r.policy {
			c.keepOut(k, began, repos[i].OwnerID, r.why)
		}
	}
	c.learn(k, began, facts...)
	return identity{Principal: scopes.Principal{ID: answer.viewer.DatabaseID, Login: answer.viewer.Login}, At: at}, nil
}
