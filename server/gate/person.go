package gate

import (
	"context"

	"gatehouse/scopes"
)

// Person tells what GitHub shows the caller of an account, and, with login "", of themselves. One that it does not show is the zero Profile. A workflow's
// token has nobody behind it, and is shown nothing. Errors are those of the GitHub interface.
func (g *Gate) Person(ctx context.Context, who Caller, login string) (scopes.Profile, error) {
	if g.Open() || who.token == "" {
		return scopes.Profile{}, nil
	}
	p, err := g.github.Person(ctx, who.token, login)
	return p, who.behind(err)
}
