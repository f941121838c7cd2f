package githubauth

import (
	"context"
	"errors"

	"github.com/google/go-github/v60/github"

	"gatehouse/scopes"
)

// Profile tells what GitHub shows the token of its own holder, the mail address included if the token may see it. Nothing is kept. Errors: *Unavailable,
// and one that wraps ErrBadCredential.
func (c *Client) Profile(ctx context.Context, token string) (scopes.Profile, error) {
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
	user := &github.User{}
	if _, err := c.get(ctx, k, token, "GET /user", "user", etag{}, user); err != nil {
		return scopes.Profile{}, asUnavailable(err)
	}
	p := scopes.Profile{
		Account: scopes.Account{ID: user.GetID(), Login: user.GetLogin()}, Name: user.GetName(), Mail: user.GetEmail(), Homepage: user.GetBlog(), Page: user.GetHTMLURL(),
		Twitter: user.GetTwitterUsername(), Created: user.GetCreatedAt().Time, Updated: user.GetUpdatedAt().Time, TwoFactor: user.TwoFactorAuthentication,
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
