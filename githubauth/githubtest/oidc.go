package githubtest

import (
	"crypto/rsa"
	"encoding/base64"
	"math/big"
	"net/http"
	"strings"
)

// Names of Actions' routes in counts and faults.
const (
	GetOpenIDConfiguration = "GET /_services/token/.well-known/openid-configuration"
	GetJWKS                = "GET /_services/token/.well-known/jwks"
	GetIDToken             = "GET /_services/idtoken/{run}"
)

const issuerPath = "/_services/token"

// oidcKey is a key that signs ID tokens, or did until the last rotation.
type oidcKey struct {
	id  string
	key *rsa.PrivateKey
}

// OIDCIssuer is the `iss` of ID tokens, where an Enterprise Server has it: URL()+"/_services/token".
func (g *GitHub) OIDCIssuer() string { return g.URL() + issuerPath }

// RotateOIDC has ID tokens signed by a new key from now on. The former key stays published until the next
// rotation; tokens it signed are good until then.
func (g *GitHub) RotateOIDC() {
	key := newKey()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.addOIDCKey(key)
}

func (g *GitHub) addOIDCKey(key *rsa.PrivateKey) {
	g.oidcKeys = append([]oidcKey{{strings.ToUpper(g.hex(20)), key}}, g.oidcKeys...)
	if len(g.oidcKeys) > 2 {
		g.oidcKeys = g.oidcKeys[:2]
	}
}

// signing is the present key. The first one is made when somebody needs it.
func (g *GitHub) signing() oidcKey {
	if len(g.oidcKeys) == 0 {
		g.addOIDCKey(newKey())
	}
	return g.oidcKeys[0]
}

func getOpenIDConfiguration(_ *GitHub, w http.ResponseWriter, r *http.Request) {
	issuer := scheme(r) + r.Host + issuerPath
	writeJSON(w, http.StatusOK, map[string]any{
		"issuer": issuer, "jwks_uri": issuer + "/.well-known/jwks", "subject_types_supported": []string{"public", "pairwise"},
		"response_types_supported": []string{"id_token"}, "id_token_signing_alg_values_supported": []string{"RS256"},
		"scopes_supported": []string{"openid"}, "claims_supported": claimNames,
	})
}

func getJWKS(g *GitHub, w http.ResponseWriter, _ *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.signing()
	keys := []any{}
	encode := base64.RawURLEncoding.EncodeToString
	for _, k := range g.oidcKeys {
		keys = append(keys, map[string]any{
			"kty": "RSA", "alg": "RS256", "use": "sig", "kid": k.id,
			"n": encode(k.key.N.Bytes()), "e": encode(big.NewInt(int64(k.key.E)).Bytes()),
		})
	}
	writeJSON(w, http.StatusOK, map[string]any{"keys": keys})
}

// getIDToken is what ACTIONS_ID_TOKEN_REQUEST_URL leads to. Clients append &audience=….
func getIDToken(g *GitHub, w http.ResponseWriter, r *http.Request) {
	cred, _ := credentialOf(r)
	g.mu.Lock()
	defer g.mu.Unlock()
	rn := g.runs[cred.secret]
	if rn == nil || cred.basic || rn.id != r.PathValue("run") {
		writeJSON(w, http.StatusUnauthorized, map[string]any{"message": "The request token is not valid for this job."})
		return
	}
	token := g.idToken(rn, scheme(r)+r.Host, r.URL.Query().Get("audience"))
	writeJSON(w, http.StatusOK, map[string]any{"count": 1, "value": token})
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	w.Write(answer{body: body}.encode(""))
}
