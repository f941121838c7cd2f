package operator

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"gatehouse/scopes"
	"gatehouse/store"
	"gatehouse/store/tokens"
)

// Listing is which tokens are to be listed: those of a login, in any case of its letters, or all.
type Listing struct {
	Login string `json:"login,omitempty"`
}

// Listed are tokens, those of workflows included, by owner and then newest first. There is no secret in them.
type Listed struct {
	Tokens []scopes.Token `json:"tokens"`
}

// Tokens lists tokens.
func (d *Desk) Tokens(ctx context.Context, what Listing) (Listed, error) {
	var l Listed
	for token, err := range d.Own.All(ctx) {
		if err != nil {
			return Listed{}, err
		}
		if what.Login == "" || strings.EqualFold(token.Owner.Login, what.Login) {
			l.Tokens = append(l.Tokens, token)
		}
	}
	slices.SortStableFunc(l.Tokens, func(a, b scopes.Token) int {
		if c := strings.Compare(a.Owner.Login, b.Owner.Login); c != 0 {
			return c
		}
		return b.Created.Compare(a.Created)
	})
	return l, nil
}

// Revocation is which tokens are to end: one, by its id or enough of it, or all of a login.
type Revocation struct {
	ID    string `json:"id,omitempty"`
	Login string `json:"login,omitempty"`
}

// Revoke ends tokens, and returns them. What is cut off has ended some.
func (d *Desk) Revoke(ctx context.Context, what Revocation) (Listed, error) {
	var l Listed
	switch {
	case (what.ID == "") == (what.Login == ""):
		return l, errors.New("name a token or a login")
	case what.Login != "":
		var err error
		if l, err = d.Tokens(ctx, Listing{Login: what.Login}); err != nil {
			return l, err
		}
	default:
		token, err := d.Own.Find(ctx, 0, what.ID)
		if errors.Is(err, tokens.ErrUnknown) {
			return l, fmt.Errorf("there is no token whose id begins with %q: \"gatehouse token list\" shows those there are", what.ID)
		}
		if err != nil {
			return l, err
		}
		l.Tokens = []scopes.Token{token}
	}
	for _, token := range l.Tokens {
		err := d.Own.Revoke(ctx, token, store.Actor{Login: "gatehouse token"}) // no login has a space in it
		if err != nil && !errors.Is(err, tokens.ErrUnknown) {
			return l, err
		}
	}
	return l, nil
}

func (s *Server) tokens(w http.ResponseWriter, r *http.Request) {
	var what Listing
	tell, ok := s.begin(w, r, &what)
	if !ok {
		return
	}
	l, err := s.desk.Tokens(r.Context(), what)
	s.finish(r, tell, Message{Listed: &l}, err)
}

func (s *Server) revoke(w http.ResponseWriter, r *http.Request) {
	var what Revocation
	tell, ok := s.begin(w, r, &what)
	if !ok {
		return
	}
	l, err := s.desk.Revoke(r.Context(), what)
	s.finish(r, tell, Message{Listed: &l}, err)
}

// Tokens is Desk.Tokens.
func (c *Client) Tokens(ctx context.Context, what Listing) (Listed, error) {
	return c.listed(ctx, "token/list", what)
}

// Revoke is Desk.Revoke.
func (c *Client) Revoke(ctx context.Context, what Revocation) (Listed, error) {
	return c.listed(ctx, "token/revoke", what)
}

func (c *Client) listed(ctx context.Context, verb string, what any) (Listed, error) {
	last, err := c.messages(ctx, verb, what, func(Message) {})
	if err != nil {
		return Listed{}, err
	}
	if last.Listed == nil {
		return Listed{}, errCutOff
	}
	return *last.Listed, nil
}
