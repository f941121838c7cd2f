package githubauth

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/go-github/v60/github"

	"gatehouse/scopes"
)

// Access tells what the token may do with the repository of that number, established up to the level need: what lies
// above it may be understated, never overstated.
//
// Reads are answered from answers at most 60 s old (10 s where there is no access); for anything above scopes.Read, GitHub is
// always asked. A repository that GitHub does not show is the zero Access and no error. Errors: *Unavailable, and one that wraps ErrBadCredential.
func (c *Client) Access(ctx context.Context, token string, bound scopes.Repo, need scopes.Permission) (scopes.Access, error) {
	repo := bound.ID
	key := accessKey{c.hash(token), repo}
	if need <= scopes.Read {
		if known, ok := c.accesses.GetIfPresent(key); ok && c.now().Before(known.until) {
			return known.Access, nil
		}
	}
	kind, err := offline(token)
	if err != nil {
		return scopes.Access{}, err
	}
	// Different levels are different questions: a write must not share the flight of a read.
	flight := "a" + string(key.token[:]) + strconv.FormatInt(repo, 10) + "/" + need.String()
	found, err := once(ctx, c, flight, func(ctx context.Context) (scopes.Access, error) {
		began := time.Now()
		a, expires, err := c.askAccess(ctx, kind, token, need, func(ctx context.Context, g *github.Client) (*github.Repository, *github.Response, error) {
			return g.Repositories.GetByID(ctx, repo)
		})
		if err != nil {
			c.doubt(key.token, err)
			return a, err
		}
		c.observe(time.Since(began))
		until := c.now().Add(readTTL)
		if a.Permission() < scopes.Read {
			until = c.now().Add(notReadTTL)
		}
		if !expires.IsZero() && expires.Before(until) {
			until = expires
		}
		c.accesses.Set(key, access{Access: a, until: until})
		return a, nil
	})
	return found, err
}

// Resolve finds the repository now called owner/name and what the token may do with it, established up to need. Nothing is
// taken from or put into the cache: it serves first publishes, where a name becomes a number for good.
// Errors and the zero Access are as for Access.
func (c *Client) Resolve(ctx context.Context, token, owner, name string, need scopes.Permission) (scopes.Access, error) {
	kind, err := offline(token)
	if err != nil {
		return scopes.Access{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, factTimeout)
	defer cancel()
	a, _, err := c.askAccess(ctx, kind, token, need, func(ctx context.Context, g *github.Client) (*github.Repository, *github.Response, error) {
		return g.Repositories.Get(ctx, owner, name)
	})
	if err != nil {
		c.doubt(c.hash(token), err)
	}
	return a, err
}

// Pace is about how long GitHub takes at present to say what a token may do: a little more than the slowest answer of late, and never more than a second.
func (c *Client) Pace() time.Duration { return time.Duration(c.pace.Load()) }

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

type lookUp func(context.Context, *github.Client) (*github.Repository, *github.Response, error)

func (c *Client) askAccess(ctx context.Context, kind tokenKind, token string, need scopes.Permission, find lookUp) (a scopes.Access, expires time.Time, err error) {
	a.At = c.now()
	g := c.as(token)
	repo, resp, err := find(ctx, g)
	var h *http.Response
	if resp != nil {
		h, expires = resp.Response, resp.TokenExpiration.Time
	}
	switch err := c.judge(h, err); {
	case errors.Is(err, errNotShown):
		return a, expires, nil
	case isRefused(err):
		a.Why = refusedWhy(err)
		return a, expires, nil
	case err != nil:
		return scopes.Access{}, expires, err
	}
	if repo.GetID() == 0 || repo.GetOwner().GetID() == 0 {
		return scopes.Access{}, expires, &Unavailable{Retry: 5 * time.Second, Cause: "a repository without numbers"}
	}
	a.Repo = scopes.Repo{ID: repo.GetID(), OwnerID: repo.GetOwner().GetID(), Owner: repo.GetOwner().GetLogin(), Name: repo.GetName()}
	a.Archived = repo.GetArchived()
	// "private" is true of internal repositories too; a missing field must not read as public.
	public := repo.Private != nil && !*repo.Private && (repo.Visibility == nil || *repo.Visibility == "public")

	switch kind {
	case scoped:
		a.Role = role(repo, public)
		a.Reach, a.Why = scopedReach(h.Header.Get("X-OAuth-Scopes"), public)
	case granular:
		a.Role = role(repo, public)
		a.Reach, a.Why, err = c.probedReach(ctx, g, token, a.Repo, public, min(need, a.Role))
	case installed:
		// The map shows an installation no rights even where it has them. There is no person whose role could be less, so
		// the role is no limit: what the probes establish is all there is.
		a.Role = scopes.Admin
		a.Reach, a.Why, err = c.probedReach(ctx, g, token, a.Repo, public, need)
	}
	if err != nil {
		return scopes.Access{}, expires, err
	}
	return a, expires, nil
}

// role reads the map of GitHub's permissions. Custom roles show their base role there; role_name is an arbitrary
// string and not looked at. A public repository is everybody's to read, map or no map.
func role(repo *github.Repository, public bool) scopes.Permission {
	p := repo.Permissions
	switch {
	case p["admin"]:
		return scopes.Admin
	case p["maintain"], p["push"]:
		return scopes.Write
	case p["triage"], p["pull"], public:
		return scopes.Read
	}
	return scopes.None
}

// scopedReach is what the scopes of a classic or OAuth token allow (docs.github.com, "Scopes for OAuth apps"). That the
// repository was shown at all proves reading it: GitHub hides private ones from a token without the scope.
func scopedReach(header string, public bool) (scopes.Permission, string) {
	for s := range strings.SplitSeq(header, ",") {
		switch strings.TrimSpace(s) {
		case "repo":
			return scopes.Admin, ""
		case "public_repo":
			if public {
				return scopes.Admin, ""
			}
		}
	}
	missing := `the token lacks the scope "repo"`
	if public {
		missing = `the token lacks the scope "public_repo" or "repo"`
	}
	return scopes.Read, missing
}

func isRefused(err error) bool {
	r := (*refused)(nil)
	return errors.As(err, &r)
}

func refusedWhy(err error) string {
	r := (*refused)(nil)
	errors.As(err, &r)
	return r.why
}
