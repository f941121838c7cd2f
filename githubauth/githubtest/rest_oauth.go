package githubtest

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
)

// The routes below /applications are for an app that names itself with Basic credentials, and know tokens of
// that app only: that is how an app tells its own tokens from those of other sites.

// ownToken finds the token that the body names, if it is one of the app's.
func (g *GitHub) ownToken(c *call) (*token, *answer) {
	if c.client == "" || c.client != c.PathValue("client_id") {
		return nil, notFound()
	}
	var asked struct {
		AccessToken string `json:"access_token"`
	}
	if refused := jsonInto(c, &asked); refused != nil {
		return nil, refused
	}
	if asked.AccessToken == "" {
		return nil, invalid("Invalid request.\n\n\"access_token\" wasn't supplied.")
	}
	t := g.tokens[asked.AccessToken]
	if t == nil || t.client == nil || t.client.id != c.client || t.expired(g.now()) {
		return nil, notFound()
	}
	return t, nil
}

func checkToken(g *GitHub, c *call) answer {
	t, refused := g.ownToken(c)
	if refused != nil {
		return *refused
	}
	return ok(g.authorization(c, t))
}

// resetToken ends a token and answers with another like it.
func resetToken(g *GitHub, c *call) answer {
	t, refused := g.ownToken(c)
	if refused != nil {
		return *refused
	}
	g.end(t)
	return ok(g.authorization(c, g.grantTo(t.client, t.user, t.scopes)))
}

func deleteToken(g *GitHub, c *call) answer {
	t, refused := g.ownToken(c)
	if refused != nil {
		return *refused
	}
	g.end(t)
	return answer{status: http.StatusNoContent}
}

func deleteGrant(g *GitHub, c *call) answer {
	t, refused := g.ownToken(c)
	if refused != nil {
		return *refused
	}
	g.revokeGrant(t.client, t.user)
	return answer{status: http.StatusNoContent}
}

// authorization is the schema of that name.
func (g *GitHub) authorization(c *call, t *token) map[string]any {
	sum := sha256.Sum256([]byte(t.secret))
	scopes := t.scopes
	if scopes == nil {
		scopes = []string{}
	}
	d := map[string]any{
		"id": t.id, "url": c.base + "/authorizations/" + strconv.FormatInt(t.id, 10), "token": t.secret,
		"token_last_eight": t.secret[len(t.secret)-8:], "hashed_token": hex.EncodeToString(sum[:]), "scopes": scopes,
		"app":  map[string]any{"name": t.client.name, "url": "http://localhost", "client_id": t.client.id},
		"note": nil, "note_url": nil, "fingerprint": nil, "created_at": stamp(t.made), "updated_at": stamp(t.made), "expires_at": nil,
		"user": g.simpleUser(c, g.accounts[t.user]),
	}
	if !t.expires.IsZero() {
		d["expires_at"] = stamp(t.expires)
	}
	return d
}

// revokeCredentials is POST /credentials/revoke: anybody may end a token that was found somewhere, and isn't
// told whether there was one. Installation tokens are not among them.
func revokeCredentials(g *GitHub, c *call) answer {
	var asked struct{ Credentials []string }
	if refused := jsonInto(c, &asked); refused != nil {
		return *refused
	}
	if len(asked.Credentials) == 0 || len(asked.Credentials) > 1000 {
		return *invalid("Invalid request.")
	}
	for _, text := range asked.Credentials {
		if t := g.tokens[text]; t != nil && t.user != 0 {
			g.end(t)
		}
		delete(g.refreshes, text)
	}
	return answer{status: http.StatusAccepted, body: map[string]any{}}
}
