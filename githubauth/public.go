package githubauth

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/google/go-github/v60/github"
	"github.com/maypok86/otter/v2"

	"gatehouse/scopes"
)

// How long it is believed whether a repository is public.
const (
	publicTTL         = 60 * time.Second
	notPublicTTL      = 60 * time.Second
	notPublicOneByOne = 5 * time.Minute // where the server has no token, and so no GraphQL to ask about many at once
)

// visibility is what GitHub last said about everybody's reading a repository, whoever it was said to.
type visibility struct {
	repo   scopes.Repo // as GitHub names it
	public bool
	// internal is when it last said that all of the owner's enterprise may read it; zero: it did not, or has said otherwise since.
	internal time.Time
	unseen   bool // GitHub did not show it to whoever asked, which says nothing about internal
	at       time.Time
	until    time.Time
}

// Public tells whether everybody may read the repository, or else all of its owner's enterprise, from what GitHub said without a caller's credential and from what it let fall in answers to
// callers. It is no error not to know: what is not known to be public is not. An answer counts for 60 s, and for Options.Stale longer
// where GitHub cannot be asked; that a repository is not public any more counts from the moment it is learned.
//
// Of a repository that was neither public nor internal nobody waits for the next answer: it is asked for in the background, and counts for the question after this one. A
// stranger could tell by the waiting that there is something to ask about. What is left to tell is the first question about a repository since
// the start, if nobody who may read it has come before; Pace has the answer about a missing one take about as long.
func (c *Client) Public(ctx context.Context, repo scopes.Repo) (scopes.Public, error) {
	v, known := c.visible.GetIfPresent(repo.ID)
	if known && c.now().Before(v.until) {
		c.hits.Add(1)
		return v.answer(c.now()), nil
	}
	c.misses.Add(1)
	epoch := c.forgotten.now()
	flight := key('v', c.server.k, repo.ID, epoch)
	ask := func(ctx context.Context) (struct{}, error) {
		if v, known := c.visible.GetIfPresent(repo.ID); known && c.now().Before(v.until) {
			return struct{}{}, nil // somebody's flight has landed since we looked
		}
		return struct{}{}, c.askPublic(ctx, repo, epoch)
	}
	if known && !v.public && v.internal.IsZero() {
		begin(ctx, c, flight, ask)
		return scopes.Public{}, nil
	}
	began := time.Now()
	_, err := once(ctx, c, flight, ask)
	if ctx.Err() != nil {
		return scopes.Public{}, ctx.Err()
	}
	c.observe(time.Since(began))
	v, known = c.visible.GetIfPresent(repo.ID)
	switch {
	case known && c.now().Before(v.until):
		return v.answer(c.now()), nil
	case known && err != nil && c.now().Before(v.at.Add(publicTTL+c.stale)):
		answer := v.answer(c.now().Add(-c.stale))
		if answer != (scopes.Public{}) {
			c.staleUses.Add(1)
		}
		return answer, nil
	}
	return scopes.Public{}, nil
}

// KnownPublic is what Public would answer by what is known, and asks nobody. ask reports that there is reason to ask: it was public when GitHub last said so,
// which is too long ago.
func (c *Client) KnownPublic(repo scopes.Repo) (known scopes.Public, ask bool) {
	v, ok := c.visible.GetIfPresent(repo.ID)
	if !ok {
		return scopes.Public{}, false
	}
	if c.now().Before(v.until) {
		return v.answer(c.now()), false
	}
	return scopes.Public{}, v.public
}

// answer is what is believed at a moment.
func (v visibility) answer(now time.Time) scopes.Public {
	switch {
	case v.public:
		return scopes.Public{Repo: v.repo, At: v.at}
	case !v.internal.IsZero() && now.Before(v.internal.Add(publicTTL)):
		return scopes.Public{Internal: v.repo, At: v.internal}
	}
	return scopes.Public{}
}

// open is who may read a repository without being let in by name.
type open uint8

const (
	toNobody     open = iota
	toEnterprise      // internal, as GitHub calls it
	toAll
)

// opening is that of a repository that was shown.
func opening(public, internal bool) open {
	switch {
	case public:
		return toAll
	case internal:
		return toEnterprise
	}
	return toNobody
}

// teach notes whether a repository was public at a moment. Of two answers the later question counts, and of two asked at once the one that is more
// careful. epoch is when the question began, as forgettings count.
func (c *Client) teach(repo scopes.Repo, to open, at time.Time, epoch uint64) {
	if c.forgotten.since(epoch, ofRepo(repo)) {
		return
	}
	v := visibility{repo: repo, public: to == toAll, at: at, until: at.Add(c.server.notPublicFor())}
	switch to {
	case toAll:
		v.until = at.Add(publicTTL)
	case toEnterprise:
		v.internal = at
	}
	c.see(v)
}

func (c *Client) see(v visibility) {
	if v.repo.ID == 0 {
		return
	}
	c.visible.Compute(v.repo.ID, func(old visibility, found bool) (visibility, otter.ComputeOp) {
		if found && (v.at.Before(old.at) || v.at.Equal(old.at) && v.public) {
			return old, otter.CancelOp
		}
		if found && v.unseen && v.at.Before(old.internal.Add(publicTTL)) {
			v.internal, v.repo = old.internal, old.repo
		}
		return v, otter.WriteOp
	})
}

// isPublic reports whether the repository was public when it was last heard of.
func (c *Client) isPublic(repo int64) bool {
	v, known := c.visible.GetIfPresent(repo)
	return known && v.public
}

// askPublic asks GitHub about the repository with the server's own credential, or with none. An error says that it did not answer.
func (c *Client) askPublic(ctx context.Context, repo scopes.Repo, epoch uint64) error {
	k := c.server.k
	if err := k.refusal(c.now()); err != nil {
		return err
	}
	token, err := c.server.token(ctx)
	if err != nil {
		return err
	}
	if token != "" && repo.Node != "" && k.byGraphQL(c.now()) {
		// The first question is about all, whichever repository it is that others ask about at the same time.
		about, err := once(ctx, c, key('V', k, 0, epoch), func(ctx context.Context) (int64, error) {
			_, err := c.askAllPublic(ctx, token, repo, epoch)
			return repo.ID, err
		})
		v, known := c.visible.GetIfPresent(repo.ID)
		if known && c.now().Before(v.until) {
			return nil
		}
		if err == nil && about != repo.ID { // there are too many for one question
			var answered bool
			if answered, err = c.askAllPublic(ctx, token, repo, epoch); answered {
				return nil
			}
		}
		if err != nil && !unclear(err) {
			return err
		}
	}
	if token == "" && c.server.basic == nil && !c.server.mayAskAnonymously(c.isPublic(repo.ID)) {
		return &Unavailable{Retry: time.Minute, Cause: "the calls without a credential are used up for now"}
	}
	at := c.now()
	found := &github.Repository{}
	_, err = c.call(ctx, k, plan{"GET /repositories/{id}", rest, func(ctx context.Context) (*http.Response, error) {
		g := c.server.client(token)
		req, err := g.NewRequest(http.MethodGet, "repositories/"+strconv.FormatInt(repo.ID, 10), nil)
		if err != nil {
			return nil, err
		}
		resp, err := g.Do(ctx, req, found)
		return httpOf(resp), err
	}})
	none := visibility{repo: scopes.Repo{ID: repo.ID, OwnerID: repo.OwnerID}, at: at, until: at.Add(c.server.notPublicFor()), unseen: true}
	switch {
	case c.forgotten.since(epoch, ofRepo(repo)):
		return &Unavailable{Retry: time.Second, Cause: "it changed while it was asked about"}
	case errors.Is(err, errNotShown), isRefused(err):
		c.see(none)
	case err != nil:
		return err
	case found.GetID() != repo.ID || found.GetOwner().GetID() == 0 || found.Private == nil:
		return &Unavailable{Retry: 5 * time.Second, Cause: "a repository without numbers"}
	default:
		shown := scopes.Repo{ID: found.GetID(), OwnerID: found.GetOwner().GetID(), Owner: found.GetOwner().GetLogin(), Name: found.GetName(), Node: found.GetNodeID()}
		public := !*found.Private && (found.Visibility == nil || *found.Visibility == "public")
		c.teach(shown, opening(public, found.GetVisibility() == "internal"), at, epoch)
	}
	return nil
}

// askAllPublic asks GraphQL about the repository, and renews in the same request what else is known to be public and what is not known of the registry's
// others: a caller can have all of them asked about. It reports whether it learned of this one.
func (c *Client) askAllPublic(ctx context.Context, token string, repo scopes.Repo, epoch uint64) (bool, error) {
	repos := []scopes.Repo{repo}
	for id, v := range c.visible.All() {
		if len(repos) == perBatch {
			break
		}
		if v.public && id != repo.ID && v.repo.Node != "" {
			repos = append(repos, v.repo)
		}
	}
	at := c.now()
	for _, r := range c.neighboursOf(ctx, repo) {
		if len(repos) == perBatch {
			break
		}
		if v, known := c.visible.GetIfPresent(r.ID); r.ID != repo.ID && r.Node != "" && (!known || !v.public && !at.Before(v.until)) {
			repos = append(repos, r)
		}
	}
	answer, err := c.askNodes(ctx, c.server.k, token, repos)
	if isRefused(err) || errors.Is(err, errNotShown) {
		c.server.k.mu.Lock()
		c.server.k.noGraphQL = c.now().Add(noGraphQLFor)
		c.server.k.mu.Unlock()
	}
	if err != nil {
		return false, err
	}
	for i, s := range answer.repos {
		switch {
		case s.node != nil:
			c.teach(s.node.repo(), opening(s.node.public(), s.node.internal()), at, epoch)
		case s.err != nil:
			if !c.forgotten.since(epoch, ofRepo(repos[i])) {
				c.see(visibility{repo: repos[i], at: at, until: at.Add(notPublicTTL), unseen: true})
			}
		}
	}
	return answer.repos[0].node != nil || answer.repos[0].err != nil, nil
}
