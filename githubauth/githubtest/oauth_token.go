package githubtest

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const deviceGrant = "urn:ietf:params:oauth:grant-type:device_code"

// postAccessToken exchanges a code, a device code or a refresh token for a token. Every refusal is a 200 with
// an error, but for an unknown client id, which is a 404.
func postAccessToken(g *GitHub, w http.ResponseWriter, r *http.Request) {
	form := parameters(r)
	g.mu.Lock()
	defer g.mu.Unlock()
	cl := g.clients[form.Get("client_id")]
	if cl == nil {
		w.WriteHeader(http.StatusNotFound)
		says(w, r, map[string]any{"error": "Not Found"})
		return
	}
	says(w, r, g.exchange(cl, form))
}

func (g *GitHub) exchange(cl *client, form url.Values) map[string]any {
	kind := form.Get("grant_type")
	if kind == deviceGrant {
		return g.exchangeDevice(cl, form)
	}
	old := g.refreshes[form.Get("refresh_token")]
	secretless := kind == "refresh_token" && old != nil && old.token.device
	if form.Get("client_secret") != cl.secret && !secretless {
		return oauthError("incorrect_client_credentials", "The client_id and/or client_secret passed are incorrect.")
	}
	switch kind {
	case "", "authorization_code":
		return g.exchangeCode(cl, form)
	case "refresh_token":
		return g.exchangeRefresh(cl, form)
	}
	return oauthError("unsupported_grant_type", "The grant type is not supported.")
}

// exchangeCode takes a code once, whatever else is wrong with the request.
func (g *GitHub) exchangeCode(cl *client, form url.Values) map[string]any {
	text := form.Get("code")
	given := g.codes[text]
	if given == nil || given.client != cl {
		return oauthError("bad_verification_code", "The code passed is incorrect or expired.")
	}
	delete(g.codes, text)
	sum := sha256.Sum256([]byte(form.Get("code_verifier")))
	switch {
	case !g.now().Before(given.expires):
		return oauthError("bad_verification_code", "The code passed is incorrect or expired.")
	case form.Get("redirect_uri") != "" && form.Get("redirect_uri") != given.redirect:
		return oauthError("redirect_uri_mismatch", "The redirect_uri MUST match the registered callback URL for this application.")
	case given.challenge != "" && base64.RawURLEncoding.EncodeToString(sum[:]) != given.challenge:
		return oauthError("bad_verification_code", "The code passed is incorrect or expired.")
	}
	return g.hand(g.grantTo(cl, given.user, given.scopes))
}

// exchangeRefresh ends the refresh token and the access token it came with.
func (g *GitHub) exchangeRefresh(cl *client, form url.Values) map[string]any {
	r := g.refreshes[form.Get("refresh_token")]
	if r == nil || r.token.client != cl || !g.now().Before(r.expires) {
		return oauthError("bad_refresh_token", "The refresh token passed is incorrect or expired.")
	}
	g.end(r.token)
	t := g.grantTo(cl, r.token.user, nil)
	t.device = r.token.device
	return g.hand(t)
}

// hand is the answer with a new token: with a refresh token for GitHub Apps.
func (g *GitHub) hand(t *token) map[string]any {
	d := map[string]any{"access_token": t.secret, "token_type": "bearer", "scope": strings.Join(t.scopes, ",")}
	if t.client.app != nil {
		text := "ghr_" + g.word(70, "") + checksum(t.secret)
		g.refreshes[text] = &refresh{token: t, expires: g.now().Add(refreshLife)}
		d["refresh_token"] = text
		d["expires_in"] = int(userLife / time.Second)
		d["refresh_token_expires_in"] = int(refreshLife / time.Second)
	}
	return d
}
