package gate

import (
	"context"

	"gatehouse/scopes"
)

// Profile tells what GitHub shows the caller of themselves, or, to a token that has no right to its owner's user, who that is and no more. A workflow's token
// has nobody behind it, and is shown nothing. Errors are those of the GitHub interface.
func (g *Gate) Profile(ctx context.Context, who Caller) (scopes.Profile, error) {
	if g.Open() || who.token == "" {
		return scopes.Profile{}, nil
	}
	if g.mayAsk(who, scopes.SeeThemselves) != nil {
		return scopes.Profile{Account: scopes.Account{ID: who.ID, Login: who.Login}}, nil
	}
	p, err := g.github.Profile(ctx, who.token)
	return p, who.behind(err)
}
