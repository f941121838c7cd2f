package githubtest

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"
)

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// mint makes the secret in the shape of its kind (github.md §1.1). Every random part begins with FAKE and
// the token's label; everything else about the shape, the checksum included, is right.
func (g *GitHub) mint(t *token) string {
	switch {
	case t.scoped() && t.old:
		return "facade" + hex.EncodeToString(g.bytes(17))
	case t.form == classic:
		return g.checked("ghp_", t.label)
	case t.form == oauth:
		return g.checked("gho_", t.label)
	case t.form == appUser:
		return g.checked("ghu_", t.label)
	case t.form == fineGrained:
		return "github_pat_" + g.word(22, t.label) + "_" + g.word(59, "")
	case t.old:
		return g.checked("ghs_", t.label)
	}
	return g.stateless(t)
}

// checked is prefix, 30 random characters and their checksum.
func (g *GitHub) checked(prefix, label string) string {
	body := g.word(30, label)
	return prefix + body + checksum(body)
}

// checksum is the last six characters of a ghp_, gho_, ghu_ or old ghs_ token: CRC-32 (IEEE) of the 30
// before it, in base 62, padded with zeros ("Behind GitHub's new authentication token formats", 2021-04-05).
func checksum(body string) string {
	n := crc32.ChecksumIEEE([]byte(body))
	var sum [6]byte
	for i := range sum {
		sum[len(sum)-1-i] = base62[n%62]
		n /= 62
	}
	return string(sum[:])
}

// stateless is ghs_<APPID>_<JWT>, about 520 characters of [A-Za-z0-9._-] (announced 2026-04-24). The content
// of the JWT is no contract, and here it says so.
func (g *GitHub) stateless(t *token) string {
	encode := base64.RawURLEncoding.EncodeToString
	header := encode([]byte(`{"alg":"ES256","typ":"JWT","kid":"githubtest"}`))
	claims := fmt.Sprintf(`{"iss":"githubtest, not GitHub","note":"FAKE%s","jti":"%s"}`, t.label, g.word(206, ""))
	id := int64(1234567)
	if t.install != nil {
		id = t.install.app.ID
	}
	return "ghs_" + strconv.FormatInt(id, 10) + "_" + header + "." + encode([]byte(claims)) + "." + encode(g.bytes(64))
}

// word is n random characters of base 62 that begin with FAKE and the letters and digits of the label.
func (g *GitHub) word(n int, label string) string {
	var b strings.Builder
	b.WriteString("FAKE")
	for _, c := range label {
		if strings.ContainsRune(base62, c) && b.Len() < n-8 {
			b.WriteRune(c)
		}
	}
	for _, c := range g.bytes(n - b.Len()) {
		b.WriteByte(base62[int(c)%len(base62)])
	}
	return b.String()
}

func (g *GitHub) bytes(n int) []byte {
	b := make([]byte, n)
	g.random.Read(b)
	return b
}
