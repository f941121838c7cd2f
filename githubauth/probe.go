package githubauth

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"

	"github.com/google/go-github/v60/github"

	"gatehouse/scopes"
)

// probedReach establishes what a token may do whose rights GitHub does not tell, by asking for something
// that takes the right and changes nothing. It goes no further than need.
func (c *Client) probedReach(ctx context.Context, g *github.Client, token string, repo scopes.Repo, public bool, need scopes.Permission) (scopes.Permission, string, error) {
	if need >= scopes.Write {
		may, err := c.mayPush(ctx, g, token, repo)
		if err != nil {
			return scopes.None, "", err
		}
		if may {
			// Whether the token could also administer cannot be asked without doing it.
			return scopes.Write, "", nil
		}
	}
	const noWrite = `the token lacks the repository permission "Contents: read and write"`
	if public {
		return scopes.Read, noWrite, nil
	}
	// Every such token sees the metadata of the repositories it is installed on; only contents mean reading.
	_, resp, err := g.Repositories.ListBranches(ctx, repo.Owner, repo.Name, &github.BranchListOptions{ListOptions: github.ListOptions{PerPage: 1}})
	var h *http.Response
	if resp != nil {
		h = resp.Response
	}
	switch err := c.judge(h, err); {
	case err == nil:
		return scopes.Read, noWrite, nil
	case errors.Is(err, errNotShown), isRefused(err):
		return scopes.None, `the token lacks the repository permission "Contents: read"`, nil
	default:
		return scopes.None, "", err
	}
}

// mayPush asks git's own question before a push: the list of references that git-receive-pack would accept updates to.
// It takes Contents: write and the role, it is what "git push --dry-run" sends, and it is not charged to the REST limit.
func (c *Client) mayPush(ctx context.Context, g *github.Client, token string, repo scopes.Repo) (bool, error) {
	u := c.web.JoinPath(repo.Owner, repo.Name+".git", "info", "refs")
	u.RawQuery = "service=git-receive-pack"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return false, err
	}
	req.SetBasicAuth("x-access-token", token)
	req.Header.Set("User-Agent", "git/2.39 "+c.agent)
	client := &http.Client{
		Transport:     bounded{c.transport},
		Timeout:       callTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	resp, err := client.Do(req)
	if err == nil {
		_ = resp.Body.Close()
		switch resp.StatusCode {
		case http.StatusOK:
			// A proxy's log-in page is a 200 as well; git's answer names itself.
			if strings.HasPrefix(resp.Header.Get("Content-Type"), "application/x-git-receive-pack-advertisement") {
				return true, nil
			}
		case http.StatusForbidden, http.StatusTooManyRequests:
			if wait, limited := c.rateLimit(resp.StatusCode, resp.Header, ""); limited {
				return false, &Unavailable{Retry: wait, Cause: "rate limit of git"}
			}
			return false, nil
		case http.StatusUnauthorized, http.StatusNotFound:
			return false, nil
		}
	}
	return c.mayDeleteNothing(ctx, g, repo)
}

// mayDeleteNothing is asked where git gave no clear answer: deleting a branch that cannot exist is 422 for those who may write
// and 403 or 404 for the others.
func (c *Client) mayDeleteNothing(ctx context.Context, g *github.Client, repo scopes.Repo) (bool, error) {
	var name [16]byte
	if _, err := rand.Read(name[:]); err != nil {
		return false, err
	}
	resp, err := g.Git.DeleteRef(ctx, repo.Owner, repo.Name, "heads/gatehouse-"+hex.EncodeToString(name[:]))
	if resp == nil {
		return false, c.judge(nil, err)
	}
	if resp.StatusCode == http.StatusUnprocessableEntity {
		return true, nil
	}
	err = c.judge(resp.Response, err)
	if errors.Is(err, errNotShown) || isRefused(err) {
		return false, nil
	}
	return false, err
}
