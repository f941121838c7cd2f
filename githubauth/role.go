package githubauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/google/go-github/v60/github"

	"gatehouse/scopes"
)

// errNoOwn: the registry has nothing that GitHub would tell about other people's roles.
var errNoOwn = errors.New("the registry has no credential of its own that GitHub tells others' roles: set auth.github.app.id and auth.github.app.private_key, or auth.github.token")

// RoleOf asks, with the Server credential and for an operator, what an account may do on a repository. The Access has the repository as it is now and the
// role, and no reach, which depends on a token. A login that is nobody's is a zero Principal without a role. Nothing is taken from or put into what is known.
//
// It takes more than Server does otherwise: a GitHub App that is installed where the repository is, or a token of somebody who can write to it, that
// reaches it. Other errors than *Unavailable are sentences that say what is missing.
func (c *Client) RoleOf(ctx context.Context, repo scopes.Repo, login string) (scopes.Principal, scopes.Access, error) {
	ctx, cancel := context.WithTimeout(ctx, factTimeout)
	defer cancel()
	var none scopes.Principal
	token, err := c.server.tokenAt(ctx, repo)
	if err != nil {
		return none, scopes.Access{}, inTime(err)
	}
	at := c.now()
	path := "repositories/" + strconv.FormatInt(repo.ID, 10)
	found := &github.Repository{}
	err = c.askAsServer(ctx, token, "GET /repositories/{id}", path, found)
	switch {
	case errors.Is(err, errNotShown), err == nil && found.GetID() != repo.ID:
		return none, scopes.Access{}, fmt.Errorf("GitHub shows the registry's own credential no repository %s (number %d): it is gone, or the credential does not reach it", repo, repo.ID)
	case err != nil:
		return none, scopes.Access{}, ownTrouble(err)
	}
	access := scopes.Access{Archived: found.GetArchived(), At: at, Repo: scopes.Repo{
		ID: found.GetID(), OwnerID: found.GetOwner().GetID(), Owner: found.GetOwner().GetLogin(), Name: found.GetName(), Node: found.GetNodeID(),
	}}
	var has github.RepositoryPermissionLevel
	err = c.askAsServer(ctx, token, "GET /repos/{owner}/{repo}/collaborators/{username}/permission", path+"/collaborators/"+url.PathEscape(login)+"/permission", &has)
	switch {
	case errors.Is(err, errNotShown):
		return none, access, nil
	case err != nil:
		return none, scopes.Access{}, ownTrouble(err)
	}
	access.Role = roleWord(has.GetPermission())
	return scopes.Principal{Kind: scopes.Person, ID: has.GetUser().GetID(), Login: has.GetUser().GetLogin()}, access, nil
}

// tokenAt returns a token that may be told about people at the repository.
func (s *server) tokenAt(ctx context.Context, repo scopes.Repo) (string, error) {
	switch {
	case s.app == nil && s.static == "":
		return "", errNoOwn
	case s.app == nil:
		return s.static, nil
	}
	installation, err := s.find(ctx, repo.OwnerID)
	if err != nil {
		return "", err
	}
	if installation == 0 {
		return "", fmt.Errorf("the registry's GitHub App is not installed on %s, so GitHub tells it nothing about people there", repo.Owner)
	}
	return s.mint(ctx, s.at(installation))
}

func (c *Client) askAsServer(ctx context.Context, token, endpoint, path string, v any) error {
	if err := c.server.k.refusal(c.now()); err != nil {
		return err
	}
	_, err := c.call(ctx, c.server.k, plan{endpoint, rest, func(ctx context.Context) (*http.Response, error) {
		g := c.as(token, sameHost)
		req, err := g.NewRequest(http.MethodGet, path, nil)
		if err != nil {
			return nil, err
		}
		resp, err := g.Do(ctx, req, v)
		return httpOf(resp), err
	}})
	return inTime(err)
}

// ownTrouble makes an operator's sentence of what GitHub said to the registry's own credential.
func ownTrouble(err error) error {
	switch {
	case errors.Is(err, ErrBadCredential):
		return errors.New("GitHub does not accept the registry's own credential: it is wrong, expired or revoked")
	case isRefused(err):
		return fmt.Errorf("GitHub does not tell the registry's own credential about others there (%s): a token has to be of somebody who can write to the repository", whyRefused(err))
	}
	return err
}
