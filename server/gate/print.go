package gate

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
)

// A credential is named in logs and explanations by its fingerprint: the first eight characters of its SHA-256 in base64. GitHub's audit log shows
// the whole of that as hashed_token, so the two can be laid side by side. Eight characters tell the tokens of a registry apart, and what is behind them has
// more chance in it than could be tried.
const printLength = 8

// Print is the fingerprint of the credential that the caller has shown, "" for none. It is made when it is asked for.
func (c Caller) Print() string {
	if c.own != nil {
		return fingerprint(c.own.secret)
	}
	return fingerprint(c.token)
}

// PrintOf is the fingerprint of the credential that a request carries, whoever's it is. It is "" if there is none, and for what no token looks like: the
// fingerprint of a password that somebody sent by mistake would give the password away.
func PrintOf(h http.Header) string {
	token, err := Credential(h)
	if err != nil || !tokenLike(token) {
		return ""
	}
	return fingerprint(token)
}

func fingerprint(token string) string {
	if token == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(token))
	return base64.StdEncoding.EncodeToString(sum[:])[:printLength]
}

// tokenLike reports whether a text is as long, and of such characters, as tokens are.
func tokenLike(s string) bool {
	if len(s) < 36 || len(s) > 4<<10 {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '_', c == '-', c == '.':
		default:
			return false
		}
	}
	return true
}
