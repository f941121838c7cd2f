package githubauth

import (
	"context"
	"errors"
	"net/url"

	"github.com/google/go-github/v60/github"

	"gatehouse/scopes"
)

// Person tells what GitHub shows the token of an account, and, with login "", of its own holder, the mail addresses included if the token may see them.
// Nothing is kept. An account that is not shown is the zero Profile and no error. Errors: *Unavailable, and one that wraps ErrBadCredential.
func (c *Client) Person(ctx context.Context, token, login string) (scopes.Profile, error) {
	kind, err := offline(token)
	if err != nil {
		return scopes.Profile{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, factTimeout)
	defer cancel()
	k := c.know(c.hash(token), kind, token)
	if err := k.refusal(c.now()); err != nil {
		return scopes.Profile{}, err
	}
	endpoint, path := "GET /user", "user"
	if login != "" {
		endpoint, path = "GET /users/{username}", "users/"+url.PathEscape(login)
	}
	user := &github.User{}
	if _, err := c.get(ctx, k, token, endpoint, path, etag{}, user); errors.Is(err, errNotShown) {
		return scopes.Profile{}, nil
	} else if err != nil {
		return scopes.Profile{}, asUnavailable(err)
	}
	p := scopes.Profile{
		Account: scopes.Account{ID: user.GetID(), Login: user.GetLogin()}, Name: user.GetName(), Mail: user.GetEmail(), Homepage: user.GetBlog(), Page: user.GetHTMLURL(),
		Twitter: user.GetTwitterUsername(), Created: user.GetCreatedAt().Time, Updated: user.GetUpdatedAt().Time, TwoFactor: user.TwoFactorAuthentication,
	}
	if login != "" {
		return p, nil
	}
	var mails []*github.UserEmail
	_, err = c.get(ctx, k, token, "GET /user/emails", "user/emails", etag{}, &mails)
	if err != nil && !errors.Is(err, errNotShown) && !isRefused(err) {
		return scopes.Profile{}, asUnavailable(err)
	}
	for _, m := range mails {
		if m.GetPrimary() {
			p.Mail, p.MailVerified = m.GetEmail(), m.GetVerified()
		}
	}
	return p, nil
}
