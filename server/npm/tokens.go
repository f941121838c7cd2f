package npm

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"gatehouse/scopes"
	"gatehouse/server/audit"
	"gatehouse/server/problem"
	"gatehouse/store"
	"gatehouse/store/tokens"
)

// Tokens are the registry's own tokens (met by *tokens.Tokens, whose comments hold).
type Tokens interface {
	Create(ctx context.Context, token scopes.Token, behind tokens.Credential) (scopes.Token, string, error)
	List(ctx context.Context, owner int64) ([]scopes.Token, error)
	Find(ctx context.Context, owner int64, id string) (scopes.Token, error)
	Revoke(ctx context.Context, token scopes.Token, by store.Actor) error
	RevokeSecret(ctx context.Context, secret string) (scopes.Token, error)
}

// mountTokens adds the routes of npm token and npm logout. A registry that takes no tokens of its own says so.
func (p *protocol) mountTokens(handle func(method, path string, h problem.Handler)) {
	list, mint, revoke := p.listTokens, p.mintToken, p.revokeToken
	if p.Tokens == nil {
		none := cannot("this registry gives out no tokens")
		list, mint, revoke = none, none, none
	}
	handle(http.MethodGet, "/-/npm/v1/tokens", list)
	handle(http.MethodPost, "/-/npm/v1/tokens", mint)
	handle(http.MethodDelete, "/-/npm/v1/tokens/token/:key", revoke)
	handle(http.MethodDelete, "/-/user/token/:key", p.logout)
}

const (
	maxTokenBody = 128 << 10
	pageOfTokens = 100
	mostOfTokens = 500
)

// tokenView is a token as npm and others see it. The secret is in it only in the answer that makes it; otherwise Token is how it begins.
type tokenView struct {
	Key         string        `json:"key"`
	Token       string        `json:"token"`
	Name        string        `json:"name"`
	Description string        `json:"description,omitempty"`
	Created     string        `json:"created"`
	Updated     string        `json:"updated"`
	Readonly    bool          `json:"readonly"`
	CIDR        []string      `json:"cidr_whitelist"` // null: from anywhere
	Expires     string        `json:"expires,omitempty"`
	LastUsed    string        `json:"last_used,omitempty"` // a day
	Credential  string        `json:"credential"`          // the kind of the one behind it
	Scope       scopes.Rights `json:"scope"`
}

func viewOf(t scopes.Token, shown string) tokenView {
	const form = "2006-01-02T15:04:05.000Z"
	v := tokenView{
		Key: t.ID, Token: shown, Name: t.Name, Description: t.Description, Readonly: t.Grant.ReadOnly(), Credential: string(t.Behind), Scope: t.Grant.Rights,
		Created: t.Created.UTC().Format(form), Updated: t.Created.UTC().Format(form),
	}
	for _, network := range t.Grant.From {
		v.CIDR = append(v.CIDR, network.String())
	}
	if until := t.Grant.Until; !until.IsZero() {
		v.Expires = until.UTC().Format(form)
	}
	if !t.LastUsed.IsZero() {
		v.LastUsed = t.LastUsed.Format(time.DateOnly)
	}
	return v
}

// listTokens lists the caller's tokens, a page at a time.
func (p *protocol) listTokens(c *gin.Context) error {
	who, err := p.caller(c)
	if err != nil {
		return err
	}
	if err := p.Gate.AllowTokens(who, scopes.ListTokens, who.ID, nil); err != nil {
		return err
	}
	all, err := p.Tokens.List(c.Request.Context(), who.ID)
	if err != nil {
		return err
	}
	page, err := number(c, "page", 0, 0, 1<<20)
	if err != nil {
		return err
	}
	size, err := number(c, "perPage", pageOfTokens, 1, mostOfTokens)
	if err != nil {
		return err
	}
	from := min(page*size, len(all))
	to := min(from+size, len(all))
	objects, urls := []tokenView{}, map[string]string{}
	for _, t := range all[from:to] {
		objects = append(objects, viewOf(t, t.Shown))
	}
	if to < len(all) {
		urls["next"] = "/-/npm/v1/tokens?page=" + strconv.Itoa(page+1) + "&perPage=" + strconv.Itoa(size)
	}
	return answer(c, map[string]any{"objects": objects, "total": len(all), "urls": urls})
}

// number reads a number of the query.
func number(c *gin.Context, name string, unset, least, most int) (int, error) {
	text := c.Query(name)
	if text == "" {
		return unset, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		return 0, &problem.Plain{Status: http.StatusBadRequest, Text: "the query " + name + " has to be a number from " + strconv.Itoa(least) + " to " + strconv.Itoa(most)}
	}
	return n, nil
}

// mintToken makes a token over the caller's credential. Where the caller's own is one of the registry's, the new one ends with it and works from where
// it does, unless it says less.
func (p *protocol) mintToken(c *gin.Context) error {
	ctx := c.Request.Context()
	who, err := p.caller(c)
	if err != nil {
		return err
	}
	if err := plain(c); err != nil {
		return err
	}
	body, err := io.ReadAll(http.MaxBytesReader(underlying(c), c.Request.Body, maxTokenBody))
	if tooLong := (*http.MaxBytesError)(nil); errors.As(err, &tooLong) {
		return err
	} else if err != nil {
		return &problem.Plain{Status: http.StatusBadRequest, Text: "the body of the request cannot be read to its end"}
	}
	wanted, err := scopes.ParseTokenRequest(body, p.Gate.Names(), time.Now())
	if err != nil {
		return err
	}
	token := scopes.Token{
		Owner: scopes.Account{ID: who.ID, Login: who.Login}, Name: wanted.Name, Description: wanted.Description, Grant: wanted.Grant, Behind: who.Credential,
	}
	if own := who.Own(); own != nil {
		token.Grant, token.Behind, token.Under = token.Grant.Inherit(own.Grant), own.Behind, own.Root()
	}
	if token.Name == "" {
		token.Name = "unnamed"
	}
	if err := p.Gate.AllowTokens(who, scopes.MintToken, who.ID, &token.Grant); err != nil {
		return err
	}
	if err := p.Gate.Confirm(ctx, who, 0); err != nil {
		return err
	}
	behind, _ := who.GitHub()
	token, secret, err := p.Tokens.Create(context.WithoutCancel(ctx), token, tokens.Credential{Access: behind, Parent: who.Secret()})
	if err != nil {
		return err
	}
	audit.Changed(c, audit.Change{Action: scopes.MintToken.String(), Note: named(token)})
	return answer(c, viewOf(token, secret))
}

// revokeToken ends a token of the caller's, by its id or the beginning of one, or whosever it is, by its secret: whoever has that may.
func (p *protocol) revokeToken(c *gin.Context) error {
	ctx := c.Request.Context()
	who, err := p.caller(c)
	if err != nil {
		return err
	}
	key := param(c, "key")
	var token scopes.Token
	if strings.HasPrefix(key, scopes.TokenPrefix) {
		token, err = p.Tokens.RevokeSecret(ctx, key)
	} else if err = p.Gate.AllowTokens(who, scopes.RevokeToken, who.ID, nil); err == nil {
		if token, err = p.Tokens.Find(ctx, who.ID, key); err == nil {
			err = p.Tokens.Revoke(context.WithoutCancel(ctx), token, store.ActorOf(who.Principal))
		}
	}
	if errors.Is(err, tokens.ErrUnknown) || errors.Is(err, tokens.ErrMistyped) {
		return &problem.Plain{Status: http.StatusNotFound, Text: "you have no such token (npm token list shows those you have); a token of GitHub's own is revoked on GitHub"}
	}
	if err != nil {
		return err
	}
	audit.Changed(c, audit.Change{Action: scopes.RevokeToken.String(), Note: named(token)})
	return answer(c, map[string]bool{"ok": true})
}

// named is a token in the words of the audit. Who sent its secret need not be its owner.
func named(t scopes.Token) string {
	if t.ID == "" {
		return "a token whose record was damaged"
	}
	return "the token " + t.ID + " of " + cmp.Or(t.Owner.Login, "a workflow")
}

// logout ends the token in the path, which npm then forgets. It takes no more than the token, and no token at all is as good: what is not
// there, or is GitHub's to end, does not keep npm from forgetting it.
func (p *protocol) logout(c *gin.Context) error {
	if p.Tokens != nil {
		token, err := p.Tokens.RevokeSecret(c.Request.Context(), param(c, "key"))
		if err != nil && !errors.Is(err, tokens.ErrUnknown) && !errors.Is(err, tokens.ErrMistyped) {
			return err
		}
		if err == nil {
			audit.Changed(c, audit.Change{Action: scopes.RevokeToken.String(), Note: named(token) + ", by logging out"})
		}
	}
	return answer(c, map[string]bool{"ok": true})
}
