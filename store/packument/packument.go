// Package packument is npm's documents as values: names, versions and tags, the body of a publish,
// the JSON kept for one version, and the documents joined from those pieces.
//
// It owns what npm clients send and expect inside a body, and the checks that make a publish true:
// that everything in it agrees and that the tarball is what it says. It refuses to know where bytes are kept, who is
// calling and over which protocol: a publish comes in as a reader, a document goes out to a writer.
//
// Two promises shape the code. Memory does not grow with a tarball: the body of a publish is scanned
// as it arrives, and the tarball goes to a spool. And reading never parses: what is kept for a version is the very JSON that is
// served, with the place marked where the registry's own address goes, so that a document is joined by copying.
package packument

import "fmt"

// Form is one of the two documents npm clients ask for.
type Form uint8

const (
	// Full is the whole packument, application/json.
	Full Form = iota
	// Short is the abbreviated packument, application/vnd.npm.install-v1+json: what an install needs.
	Short
)

// Invalid is a publisher's mistake: what is wrong with which field, in words for them.
type Invalid struct {
	Field   string // where: "versions[1.0.0].name", "tarball package.json", "_attachments"
	Problem string // what is wrong, and what to do where that is not obvious
}

func (e *Invalid) Error() string { return fmt.Sprintf("%s: %s", e.Field, e.Problem) }

// TooLarge is a body, or something in it, over a limit of this registry.
type TooLarge struct {
	What  string // "tarball", "manifest", "unpacked tarball"
	Limit int64  // bytes, or entries where What says so
}

func (e *TooLarge) Error() string {
	return fmt.Sprintf("%s is larger than this registry takes (%d)", e.What, e.Limit)
}
