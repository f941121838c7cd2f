package githubtest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
)

// JSON Web Tokens with RS256 (RFC 7515, 7519), which apps sign to name themselves and Actions signs to name a
// job. Nothing of this is for use outside a fake.

func newKey() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic("githubtest: " + err.Error())
	}
	return key
}

func part(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic("githubtest: " + err.Error())
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// signJWT signs the claims. The key id may be empty.
func signJWT(key *rsa.PrivateKey, kid string, claims map[string]any) string {
	header := map[string]any{"alg": "RS256", "typ": "JWT"}
	if kid != "" {
		header["kid"], header["x5t"] = kid, kid
	}
	signed := part(header) + "." + part(claims)
	sum := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
	if err != nil {
		panic("githubtest: " + err.Error())
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// claimsOf reads a token without verifying it; ok says whether it is one, signed with RS256.
func claimsOf(text string) (claims map[string]any, ok bool) {
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return nil, false
	}
	var header struct{ Alg string }
	return claims, unpart(parts[0], &header) && header.Alg == "RS256" && unpart(parts[1], &claims)
}

func unpart(text string, v any) bool {
	b, err := base64.RawURLEncoding.DecodeString(text)
	return err == nil && json.Unmarshal(b, v) == nil
}

// signedBy says whether the key signed the token.
func signedBy(text string, key *rsa.PublicKey) bool {
	at := strings.LastIndexByte(text, '.')
	if at < 0 {
		return false
	}
	signature, err := base64.RawURLEncoding.DecodeString(text[at+1:])
	sum := sha256.Sum256([]byte(text[:at]))
	return err == nil && rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature) == nil
}
