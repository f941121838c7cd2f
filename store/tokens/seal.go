package tokens

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"time"
)

// Credential is a credential of GitHub's that acts behind a token. It exists in the clear in memory only.
type Credential struct {
	// Access is what GitHub takes.
	Access string `json:"access"`
	// Refresh gets a new one, where there is such a thing; Expires is when Access ends, zero if it does not say.
	Refresh string    `json:"refresh,omitempty"`
	Expires time.Time `json:"expires,omitzero"`
	// Parent is the secret of the token whose credential this is. It stands alone where that credential is refreshed, for each of those works once only
	// and a copy would end with it: who opens the token goes on to its parent, and the token ends when that does.
	Parent string `json:"parent,omitempty"`
}

// sealInfo sets the key apart from whatever else may ever be derived from a secret.
const sealInfo = "gatehouse: the GitHub credential behind a granular access token, version 1"

// seal encrypts a credential so that it takes the token's secret to read it: AES-256-GCM under HKDF-SHA-256 of the secret, with the token's
// ID as the salt and as authenticated data. The nonce comes first.
func seal(secret, id string, c Credential) ([]byte, error) {
	plain, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	box, err := boxOf(secret, id)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, box.NonceSize())
	_, _ = rand.Read(nonce) // never fails (crypto/rand)
	return box.Seal(nonce, nonce, plain, []byte(id)), nil
}

var errSealed = errors.New("the credential behind the token cannot be unsealed: the record is damaged")

func unseal(secret, id string, sealed []byte) (c Credential, err error) {
	box, err := boxOf(secret, id)
	if err != nil {
		return c, err
	}
	if len(sealed) < box.NonceSize() {
		return c, errSealed
	}
	plain, err := box.Open(nil, sealed[:box.NonceSize()], sealed[box.NonceSize():], []byte(id))
	if err != nil || json.Unmarshal(plain, &c) != nil || c.Access == "" && c.Parent == "" {
		return Credential{}, errSealed
	}
	return c, nil
}

func boxOf(secret, id string) (cipher.AEAD, error) {
	key, err := hkdf.Key(sha256.New, []byte(secret), []byte(id), sealInfo, 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}
