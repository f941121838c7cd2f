package login

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"

	"gatehouse/githubauth"
	"gatehouse/githubauth/oauth"
	"gatehouse/scopes"
	"gatehouse/server/problem"
)

// legacy answers npm login --auth-type=legacy, which asks for a user name and a password: the password is a GitHub token. What npm gets is a token of
// the registry's over it, which can do as much, can be listed and revoked here, and ends. One of the registry's own tokens is handed back as it is.
//
// The user name has to be the token's login: somebody who types another has the wrong token, or the wrong account in mind.
func (l *logins) legacy(c *gin.Context) error {
	noStore(c)
	user, err := url.PathUnescape(c.Param("user"))
	name, found := strings.CutPrefix(user, "org.couchdb.user:")
	switch {
	case err != nil || !found || name == "":
		return &problem.Plain{Status: http.StatusNotFound, Text: "not found"}
	case l.Gate.Open():
		return &problem.Plain{Status: http.StatusForbidden, Text: "authentication is off in this registry: there is nobody to log in as, and no need to"}
	case l.Mint == nil:
		return &problem.Plain{Status: http.StatusForbidden, Text: "there is no login here: put a GitHub token into .npmrc as _authToken for this registry's address"}
	}
	var typed struct {
		Name     string `json:"name"`
		Password string `json:"password"`
	}
	if err := readJSON(c, &typed); err != nil {
		return err
	}
	password := strings.TrimSpace(typed.Password)
	if typed.Name != name || password == "" {
		return &problem.Plain{Status: http.StatusBadRequest, Text: "a login needs a user name, and a GitHub token as the password"}
	}
	from := l.From(c.Request)
	who, err := l.Gate.Identify(c.Request.Context(), http.Header{"Authorization": {"Bearer " + password}}, from)
	if errors.Is(err, githubauth.ErrBadCredential) {
		return &problem.Plain{Status: http.StatusUnauthorized, Text: "the password has to be a GitHub token (ghp_… or github_pat_…), and GitHub knows no such token; a password works nowhere but on GitHub" + l.instead()}
	}
	if err != nil {
		return err
	}
	switch {
	case who.Kind != scopes.Person:
		return &problem.Plain{Status: http.StatusForbidden, Text: "this token is no person's, and nobody can log in with it: put it into .npmrc as _authToken for this registry's address"}
	case !strings.EqualFold(name, who.Login):
		return &problem.Plain{Status: http.StatusForbidden, Text: "this token belongs to " + who.Login + " on GitHub: log in with that user name, or with another token"}
	}
	token := password // one of the registry's own is what they want already
	if who.Own() == nil {
		// Anybody whom they ever let log them in with GitHub may have typed it: not every token is good for this.
		all := scopes.Grant{Rights: scopes.All(), Until: l.Now().Add(l.Expires)}
		if err := l.Gate.AllowTokens(who, scopes.MintToken, who.ID, &all); err != nil {
			return err
		}
		if token, err = l.mint(c, who, state{From: from}.address(), oauth.Credential{Access: password}); err != nil {
			return err
		}
	}
	c.JSON(http.StatusCreated, map[string]any{"ok": true, "id": "org.couchdb.user:" + name, "rev": "1-0", "token": token})
	return nil
}

// instead names the other way to log in, where there is one.
func (l *logins) instead() string {
	if !l.browser() {
		return ""
	}
	return "; or use npm login --auth-type=web"
}
