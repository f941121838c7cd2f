package gate

import (
	"context"

	"gatehouse/scopes"
)

// Profile tells what GitHub shows the caller of themselves. A workflow's token has nobody behind it, and is shown nothing. Errors are those of the GitHub
// interface.
func (g *Gate) Profile(ctx context.Context, who Caller) (scopes.Profile, error) {
	if g.Open() || who.token == "" {
		return scopes.Profile{}, nil
	}
	p, err := g.github.Profile(ctx, who.token)
	return p, who.behind(err)
}
