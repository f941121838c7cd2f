package store

import (
	"bytes"
	"encoding/hex"
)

// The rows of log-ins are package sessions' to read and write. They are declared here because the layout of the data is one thing, and because
// backups and checks go over all of it.

// SessionKey is the key of the log-in whose name has that SHA-256.
func SessionKey(hash [32]byte) []byte { return []byte(sessionRow + hex.EncodeToString(hash[:])) }

// SessionRange bounds the rows of all log-ins.
func SessionRange() (from, to []byte) { return tableRange(sessionRow) }

// ProofKey is the key of an ID token that was used, by the SHA-256 of its name; ProofRange bounds the rows of all. They are package tokens' as well.
func ProofKey(hash [32]byte) []byte { return []byte(proofRow + hex.EncodeToString(hash[:])) }

// ProofRange: see ProofKey.
func ProofRange() (from, to []byte) { return tableRange(proofRow) }

// passing tells whether a row is of a log-in under way or of an ID token that was used: of no use to anybody minutes later, so that no backup carries it.
func passing(key []byte) bool {
	return bytes.HasPrefix(key, []byte(sessionRow)) || bytes.HasPrefix(key, []byte(proofRow))
}
