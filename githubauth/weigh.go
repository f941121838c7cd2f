package githubauth

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/google/go-github/v60/github"

	"gatehouse/scopes"
)

// weighRepo reads REST's answer about a repository. The reach of tokens without scopes is left open. An error is one after which nothing is known.
func (c *Client) weighRepo(k *credential, epoch uint64, resp *http.Response, repo *github.Repository, err error, at time.Time) (fact, error) {
	f := fact{Access: scopes.Access{At: at}}
	r := (*refused)(nil)
	switch {
	case errors.Is(err, errNotShown), errors.As(err, &r):
		f.Why = whyRefused(err)
		f.barred = r != nil && r.policy
		return f, nil
	case err != nil:
		return fact{}, err
	case repo.GetID() == 0 || repo.GetOwner().GetID() == 0:
		return fact{}, &Unavailable{Retry: 5 * time.Second, Cause: "a repository without numbers"}
	}
	f.Repo = scopes.Repo{ID: repo.GetID(), OwnerID: repo.GetOwner().GetID(), Owner: repo.GetOwner().GetLogin(), Name: repo.GetName(), Node: repo.GetNodeID()}
	f.Archived = repo.GetArchived()
	// "private" is true of internal repositories too; a missing field must not read as public.
	f.Public = repo.Private != nil && !*repo.Private && (repo.Visibility == nil || *repo.Visibility == "public")
	c.teach(f.Repo, opening(f.Public, repo.GetVisibility() == "internal"), at, epoch)
	switch k.kind {
	case scoped:
		f.Role = role(repo, f.Public)
		f.Reach, f.Why = scopedReach(resp.Header.Get("X-OAuth-Scopes"), f.Public)
	case granular:
		f.Role = role(repo, f.Public)
	case installed:
		// The map shows an installation no rights even where it has them. There is no person whose role could be less, so
		// the role is no limit: what the probes establish is all there is.
		f.Role = scopes.Admin
	}
	return f, nil
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

// scopedReach is what the scopes of a classic or OAuth token allow (docs.github.com, "Scopes for OAuth apps"). That GitHub
// shows a private repository proves nothing: there are scopes for what is around its contents, "repo:status" for one, and only "repo" is for these.
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
	if public {
		return scopes.Read, `the token lacks the scope "public_repo" or "repo"`
	}
	return scopes.None, `the token lacks the scope "repo"`
}

// whyRefused is the sentence of a refusal, "" for what GitHub does not show.
func whyRefused(err error) string {
	if r := (*refused)(nil); errors.As(err, &r) {
		return r.why
	}
	return ""
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
