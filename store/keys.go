package store

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"time"
)

// The layout. Parts of a key are joined by 0x00, which no part contains, so the order of keys is the order of parts.
//
//	f                          the format version of this layout
//	p | name                   the head: binding, dist-tags, times, revision. The only row of a package that changes
//	v | name | version         one version: what is served for it and where its tarball is. Written once; replaced by a deprecation, and by its tombstone
//	r | name | version         the page of a version: description, readme and the like, shown while it is "latest". Written once
//	a | login | name           somebody starred a package
//	b | name | login           the same, the other way round
//	n | namespace              the number of the GitHub account that the namespace stands for. Changed by an operator only
//	t | hash                   a token of the registry's own, by the SHA-256 of its secret in hex digits (package tokens)
//	u | holder | token id      the same hash: whose list the token is in
//	j | hash                   an ID token of a workflow that was exchanged for a token, by the SHA-256 of its name in hex digits: until when it would be
//	                           good, in Unix seconds as digits (package tokens). Removed by its Sweep
//	s | hash                   a log-in under way, by the SHA-256 of its name in hex digits (package sessions). Removed when it ends, or by its Sweep
//	k | name                   a secret of this registry's own. Written once; never in a backup
//	e | time, random           an event. Written once, never removed
//	q | key                    a row that could not be read, moved aside by a repair from the key it had. For people; nothing reads it
//	x | due | blob key         an upload that is not committed yet, or the object of a version that was withdrawn. Removed by its commit, or by Sweep once it is due
//
// Objects are named <@scope>/<name>/<name>-<version>-<digest>-<random>.tgz. The random part makes each upload's object its
// own: removing what one failed attempt left can never take the bytes of another.
var formatKey = []byte("f")

const (
	headRow    = "p\x00"
	versionRow = "v\x00"
	pageRow    = "r\x00"
	eventRow   = "e\x00"
	uploadRow  = "x\x00"
	ownerRow   = "n\x00"
	secretRow  = "k\x00"
	starredRow = "a\x00"
	starRow    = "b\x00"
	asideRow   = "q\x00"
	sessionRow = "s\x00"
	tokenRow   = "t\x00"
	holderRow  = "u\x00"
	proofRow   = "j\x00"
)

// tables are all rows but the format, in order: what is between them, nobody here has written.
var tables = []string{starredRow, starRow, eventRow, proofRow, secretRow, ownerRow, headRow, asideRow, pageRow, sessionRow, tokenRow, holderRow, versionRow, uploadRow}

func headKey(name string) []byte             { return []byte(headRow + name) }
func versionKey(name, version string) []byte { return []byte(versionRow + name + "\x00" + version) }
func pageKey(name, version string) []byte    { return []byte(pageRow + name + "\x00" + version) }

func secretKey(name string) []byte         { return []byte(secretRow + name) }
func namespaceKey(namespace string) []byte { return []byte(ownerRow + namespace) }
func starKey(name, login string) []byte    { return []byte(starRow + name + "\x00" + login) }
func starredKey(login, name string) []byte { return []byte(starredRow + login + "\x00" + name) }

// versionRange bounds the version rows of a package.
func versionRange(name string) (from, to []byte) {
	return []byte(versionRow + name + "\x00"), []byte(versionRow + name + "\x01")
}

// tableRange bounds the rows of a table.
func tableRange(table string) (from, to []byte) {
	return []byte(table), []byte(table[:len(table)-1] + "\x01")
}

// packageOf splits the key of a version or a page.
func packageOf(key []byte, table string) (name, version string) {
	name, version, _ = strings.Cut(string(key[len(table):]), "\x00")
	return name, version
}

func eventKey(unixNano int64) []byte {
	k := append([]byte(eventRow), make([]byte, 12)...)
	binary.BigEndian.PutUint64(k[len(eventRow):], uint64(unixNano))
	_, _ = rand.Read(k[len(eventRow)+8:]) // never fails (crypto/rand)
	return k
}

func uploadKey(due time.Time, blobKey string) []byte {
	k := binary.BigEndian.AppendUint64([]byte(uploadRow), uint64(due.Unix()))
	return append(append(k, 0), blobKey...)
}

// maxFileName is what file systems take in one segment of a path.
const maxFileName = 255

// blobKey names the object of one upload.
func blobKey(name string, file string, digest [64]byte) string {
	var nonce [6]byte
	_, _ = rand.Read(nonce[:]) // never fails (crypto/rand)
	suffix := "-" + hex.EncodeToString(digest[:8]) + "-" + hex.EncodeToString(nonce[:]) + ".tgz"
	stem := file[:len(file)-len(".tgz")]
	return name + "/" + stem[:min(len(stem), maxFileName-len(suffix))] + suffix
}
