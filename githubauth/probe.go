package githubauth

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/go-github/v60/github"

	"gatehouse/scopes"
)

const (
	noRead  = `the token lacks the repository permission "Contents: read"`
	noWrite = `the token lacks the repository permission "Contents: read and write"`
)

// prove finds out whether a token whose rights GitHub does not tell reads the contents of an owner's private repositories. One probe, of repo, stands
// for them all: grants are the same for every repository that such a token holds, and only those are shown to it.
//
// The error errNotShown says that the repository itself is not there.
func (c *Client) prove(ctx context.Context, k *credential, token string, epoch uint64, repo scopes.Repo) (proof, error) {
	if p, known := k.proof(repo.OwnerID, c.now()); known {
		return p, nil
	}
	return once(ctx, c, key('p', k, repo.OwnerID, epoch), func(ctx context.Context) (proof, error) {
		at := c.now()
		if p, known := k.proof(repo.OwnerID, at); known {
			return p, nil // somebody's flight has landed since we looked
		}
		p := proof{Reach: scopes.Read, Why: noWrite, At: at, Until: at.Add(readTTL)}
		switch err := c.mayFetch(ctx, k, token, repo); {
		case isRefused(err):
			p = proof{Why: noRead, At: at, Until: at.Add(notReadTTL)}
			if r := (*refused)(nil); errors.As(err, &r) && r.policy {
				p.Why = r.why
				c.keepOut(k, epoch, repo.OwnerID, r.why)
			}
		case err != nil:
			return proof{}, err
		}
		k.mu.Lock()
		defer k.mu.Unlock()
		if old := k.proofs[repo.OwnerID]; !old.At.After(p.At) && !c.forgotten.since(epoch, k.aboutOwner(repo.OwnerID)) {
			if len(k.proofs) >= maxOwners {
				clear(k.proofs)
			}
			k.proofs[repo.OwnerID] = p
			k.changed = true
		}
		return p, nil
	})
}

// mayFetch returns nil if the token reads the repository's contents: *refused or errNotShown if it does not. Installations are asked by git, which
// is not charged to their small hourly limit.
func (c *Client) mayFetch(ctx context.Context, k *credential, token string, repo scopes.Repo) error {
	if k.kind == installed {
		switch clear, err := c.askGit(ctx, k, token, repo, "git-upload-pack"); {
		case clear:
			return err
		case err != nil && !unclear(err):
			return err
		}
	}
	_, err := c.call(ctx, k, plan{"GET /repos/{owner}/{repo}/branches", rest, func(ctx context.Context) (*http.Response, error) {
		list, resp, err := c.as(token, nowhere).Repositories.ListBranches(ctx, repo.Owner, repo.Name, &github.BranchListOptions{ListOptions: github.ListOptions{PerPage: 1}})
		// go-github takes an answer without a body for a list; one of no branches is that of an empty repository.
		if err == nil && (list == nil || slices.ContainsFunc(list, func(b *github.Branch) bool { return b.GetName() == "" })) {
			err = errors.New("no list of branches")
		}
		return httpOf(resp), err
	}})
	return err
}

// probedReach establishes what a token may do whose rights GitHub does not tell, by asking for something
// that takes the right and changes nothing. It goes no further than need, and takes nothing from what was known.
func (c *Client) probedReach(ctx context.Context, k *credential, token string, repo scopes.Repo, public bool, need scopes.Permission) (scopes.Permission, string, error) {
	if need >= scopes.Write {
		may, err := c.mayPush(ctx, k, token, repo)
		if err != nil {
			return scopes.None, "", err
		}
		if may {
			// Whether the token could also administer cannot be asked without doing it.
			return scopes.Write, "", nil
		}
	}
	if public {
		return scopes.Read, noWrite, nil
	}
	// Every such token sees the metadata of the repositories it is installed on; only contents mean reading.
	switch err := c.mayFetch(ctx, k, token, repo); {
	case err == nil:
		return scopes.Read, noWrite, nil
	case errors.Is(err, errNotShown), isRefused(err):
		return scopes.None, noRead, nil
	default:
		return scopes.None, "", err
	}
}

// mayPush asks git's own question before a push: the list of references that git-receive-pack would accept updates to.
// It takes Contents: write and the role, it is what "git push --dry-run" sends, and it is not charged to the REST limit.
func (c *Client) mayPush(ctx context.Context, k *credential, token string, repo scopes.Repo) (bool, error) {
	switch clear, err := c.askGit(ctx, k, token, repo, "git-receive-pack"); {
	case clear:
		return err == nil, nil
	case err != nil && !unclear(err):
		return false, err
	case isLimit(err):
		return false, err
	}
	return c.mayDeleteNothing(ctx, k, token, repo)
}

// askGit asks for the references of a service of git, the first request of a fetch or a push. clear says that the answer is one to go by: nil, or
// *refused.
func (c *Client) askGit(ctx context.Context, k *credential, token string, repo scopes.Repo, service string) (clear bool, err error) {
	u := c.web.JoinPath(repo.Owner, repo.Name+".git", "info", "refs")
	u.RawQuery = "service=" + service
	_, err = c.call(ctx, k, plan{strings.Replace(service, "-", " ", 1), git, func(ctx context.Context) (*http.Response, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
		if err != nil {
			return nil, err
		}
		req.SetBasicAuth("x-access-token", token)
		req.Header.Set("User-Agent", "git/2.39 "+c.agent)
		client := &http.Client{Transport: bounded{c.transport}, CheckRedirect: nowhere}
		resp, err := client.Do(req)
		if err != nil {
			return nil, err
		}
		_ = resp.Body.Close()
		switch resp.StatusCode {
		case http.StatusOK:
			// A proxy's log-in page is a 200 as well; git's answer names itself.
			if clear = strings.HasPrefix(resp.Header.Get("Content-Type"), "application/x-"+service+"-advertisement"); !clear {
				return resp, &Unavailable{Retry: 5 * time.Second, Cause: "git's question was not answered by git"}
			}
			return resp, nil
		case http.StatusForbidden, http.StatusTooManyRequests:
			if wait, limited := c.rateLimit(resp.StatusCode, resp.Header, ""); limited {
				return resp, &Unavailable{Retry: wait, Cause: "rate limit of git", limit: true}
			}
			clear = true
			return resp, nil
		case http.StatusUnauthorized, http.StatusNotFound:
			// Of a token that REST has just accepted, 401 says no more than 404.
			clear = true
			return resp, &refused{why: "git answers " + strconv.Itoa(resp.StatusCode)}
		}
		return resp, nil
	}})
	return clear, err
}

// mayDeleteNothing is asked where git gave no clear answer: deleting a branch that cannot exist is 422 for those who may write
// and 403 or 404 for the others.
func (c *Client) mayDeleteNothing(ctx context.Context, k *credential, token string, repo scopes.Repo) (bool, error) {
	var name [16]byte
	_, _ = rand.Read(name[:]) // never fails (crypto/rand)
	may := false
	_, err := c.call(ctx, k, plan{"DELETE /repos/{owner}/{repo}/git/refs/{ref}", rest, func(ctx context.Context) (*http.Response, error) {
		resp, err := c.as(token, nowhere).Git.DeleteRef(ctx, repo.Owner, repo.Name, "heads/gatehouse-"+hex.EncodeToString(name[:]))
		no := (*github.ErrorResponse)(nil)
		if resp != nil && resp.StatusCode == http.StatusUnprocessableEntity && errors.As(err, &no) && strings.EqualFold(no.Message, "Reference does not exist") {
			may = true
			return nil, nil
		}
		return httpOf(resp), err
	}})
	if errors.Is(err, errNotShown) || isRefused(err) {
		return false, nil
	}
	return may && err == nil, err
}

func httpOf(resp *github.Response) *http.Response {
	if resp == nil {
		return nil
	}
	return resp.Response
}

func isRefused(err error) bool {
	r := (*refused)(nil)
	return errors.As(err, &r)
}

func isLimit(err error) bool {
	u := (*Unavailable)(nil)
	return errors.As(err, &u) && u.limit
}
