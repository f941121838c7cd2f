package tokens

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"hash/crc32"
	"math/big"
	"strings"

	"gatehouse/scopes"
)

const (
	digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	// bodyDigits hold 256 bits in base 62, sumDigits a CRC-32.
	bodyDigits = 43
	sumDigits  = 6
	secretSize = len(scopes.TokenPrefix) + bodyDigits + sumDigits
	// shownSize is how much of a secret is on record, for its owner to tell it from others: it leaves 232 of its 256 bits.
	shownSize = len(scopes.TokenPrefix) + 4
)

// newSecret is scopes.TokenPrefix, 256 random bits in base 62, and the CRC-32 of those digits in base 62.
func newSecret() string {
	var random [32]byte
	_, _ = rand.Read(random[:]) // never fails (crypto/rand)
	return secretOf(random)
}

func secretOf(random [32]byte) string {
	body := base62(new(big.Int).SetBytes(random[:]), bodyDigits)
	return scopes.TokenPrefix + body + checksum(body)
}

func checksum(body string) string {
	return base62(big.NewInt(int64(crc32.ChecksumIEEE([]byte(body)))), sumDigits)
}

// base62 writes n with exactly that many digits.
func base62(n *big.Int, width int) string {
	text := make([]byte, width)
	base, digit := big.NewInt(int64(len(digits))), new(big.Int)
	for i := width - 1; i >= 0; i-- {
		n.DivMod(n, base, digit)
		text[i] = digits[digit.Int64()]
	}
	return string(text)
}

// wellFormed reports whether text can be the secret of a token: whether it has the form and its checksum fits.
func wellFormed(text string) bool {
	if len(text) != secretSize || !strings.HasPrefix(text, scopes.TokenPrefix) {
		return false
	}
	body, sum := text[len(scopes.TokenPrefix):secretSize-sumDigits], uint32(0)
	for i := range len(body) {
		if strings.IndexByte(digits, body[i]) < 0 {
			return false
		}
	}
	sum = crc32.ChecksumIEEE([]byte(body))
	for i := secretSize - 1; i >= secretSize-sumDigits; i-- {
		if text[i] != digits[sum%62] {
			return false
		}
		sum /= 62
	}
	return sum == 0
}

// hashOf is the name of a secret's row. A plain hash does: nobody guesses 256 bits.
func hashOf(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}
