package githubauth

import (
	"crypto/sha256"
	"fmt"
	"hash"
	"hash/crc32"
	"strings"

	"gatehouse/scopes"
)

// maxToken is the longest credential looked at, in bytes. Installation tokens have grown to about 520 and may grow on.
const maxToken = 4 << 10

// tokenKind is what can be told of a token without asking anybody (docs.github.com, "About authentication to GitHub").
type tokenKind uint8

const (
	notAToken   tokenKind = iota
	scoped                // classic personal access tokens and OAuth apps' tokens: their scopes come with every answer
	granular              // fine-grained personal access tokens and GitHub Apps' user tokens: nothing tells what they may do
	installed             // GitHub App installations, GITHUB_TOKEN among them: no person behind them
	neverGiven            // refresh tokens and JWTs: real, but not for here
	wrongDigits           // the right shape with a wrong checksum: mistyped or made up
)

type tokenHash [sha256.Size]byte

// hasher makes the keyed hashes of tokens. It is asked twice in every request, so that those that are made are used again, with their memory.
type hasher struct {
	mac hash.Hash
	buf []byte
}

func (c *Client) hash(token string) (h tokenHash) {
	m := c.hashers.Get().(*hasher)
	defer c.hashers.Put(m)
	m.mac.Reset()
	m.buf = append(m.buf[:0], token...)
	m.mac.Write(m.buf)
	clear(m.buf) // a token stays no longer than it is needed
	m.buf = m.mac.Sum(m.buf[:0])
	copy(h[:], m.buf)
	return h
}

// kindOf sorts a token by its shape. Only what cannot possibly be a token is turned away: GitHub changes formats, so
// an unknown shape behind a known prefix is GitHub's to judge.
func kindOf(token string) tokenKind {
	if len(token) > maxToken || !within(token, "._-") {
		return notAToken
	}
	prefix, body, found := strings.Cut(token, "_")
	switch {
	case found && prefix == "github" && strings.HasPrefix(body, "pat_") && len(body) >= 24:
		return granular
	case found && len(prefix) == 3 && strings.HasPrefix(prefix, "gh"):
		if len(body) < 30 {
			return notAToken
		}
		if len(body) == 36 && within(body, "") && !checksumFits(body) {
			return wrongDigits
		}
		switch prefix {
		case "ghp", "gho":
			return scoped
		case "ghu":
			return granular
		case "ghs":
			return installed
		case "ghr":
			return neverGiven
		}
		return notAToken
	case len(token) == 40 && isHex(token):
		return scoped
	case len(token) == 43 && strings.HasPrefix(token, "v1.") && isHex(token[3:]):
		return installed
	case strings.HasPrefix(token, "eyJ") && strings.Count(token, ".") == 2:
		return neverGiven
	}
	return notAToken
}

// wordsFor says what sort of credential a token is, for people.
func wordsFor(token string) scopes.Credential {
	switch prefix, _, _ := strings.Cut(token, "_"); prefix {
	case "github":
		return scopes.FineGrained
	case "ghp":
		return scopes.Classic
	case "gho":
		return scopes.OAuthToken
	case "ghu":
		return scopes.AppUser
	case "ghs":
		return scopes.Installation
	}
	if strings.HasPrefix(token, "v1.") {
		return scopes.Installation
	}
	return scopes.LegacyToken
}

// checksumFits compares the last six characters with the CRC-32 of the thirty before, in base 62.
func checksumFits(body string) bool {
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	sum := crc32.ChecksumIEEE([]byte(body[:30]))
	for i := len(body) - 1; i >= 30; i-- {
		if body[i] != digits[sum%62] {
			return false
		}
		sum /= 62
	}
	return sum == 0
}

// offline refuses what GitHub need not be asked about, with a sentence for the caller.
func offline(token string) (tokenKind, error) {
	kind := kindOf(token)
	switch kind {
	case notAToken:
		return kind, fmt.Errorf("%w: this is not a GitHub token; use a personal access token (ghp_… or github_pat_…) as _authToken", ErrBadCredential)
	case neverGiven:
		return kind, fmt.Errorf("%w: this kind of token cannot be used here; use a personal access token (ghp_… or github_pat_…) as _authToken", ErrBadCredential)
	case wrongDigits:
		return kind, fmt.Errorf("%w: this GitHub token is mistyped or incomplete (its checksum does not fit); copy it again", ErrBadCredential)
	}
	return kind, nil
}

func isHex(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// within reports whether s is not empty and of letters, digits and the extra characters only.
func within(s, extra string) bool {
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte(extra, c) >= 0:
		default:
			return false
		}
	}
	return s != ""
}
