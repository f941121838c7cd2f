// Package packument is npm's documents as values: names, versions and tags, the body of a publish,
// the JSON kept for one version, and the documents joined from those pieces.
//
// It owns what npm clients send and expect inside a body, and the checks that make a publish true:
// that everything in it agrees and that the tarball is what it says. It refuses to know where bytes are kept, who is
// calling and over which protocol: a publish comes in as a reader, a document goes out to a writer.
//
// A publish tells of the package twice: in the manifest that is sent and in the package.json inside the tarball. Of the
// fields by which clients install, the tarball's word is served, in the form that npm gives it when it publishes, and a
// manifest that says something else is refused: clients that go by the manifest and clients that go by what they
// unpacked would install different things. What is served, and when the two disagree:
//
//	dependencies            A name or range differs, or a name is missing on either side. Not so: what is optional, too
//	optionalDependencies    (npm up to 9 copies it, yarn 1 takes it out), "*" for what is bundled (npm), two spellings of
//	peerDependencies        one repository (npm), a range that is no text (npm leaves it out), comments under "//"
//	acceptDependencies      (yarn 1), lists and texts in place of an object (npm), places on the publisher's disk (yarn 1).
//	bundleDependencies      The names differ. The other spelling, true, false and an object are understood as by npm.
//	bin                     A command or its file differs, after paths are cleaned and names cut to their last part. Not
//	                        so: commands that yarn 1 leaves out for their names or paths, and for directories.bin any
//	                        file in that folder, since clients list their disk. What the tarball has there is served.
//	scripts                 preinstall, install or postinstall differ, node_modules/.bin/ before a program aside. Not so:
//	                        "node-gyp rebuild" as the manifest's install (npm and yarn 1 add it for a file that need not
//	                        be packed). All scripts are served from the tarball; the others do not run on installing.
//	engines, os, cpu, libc  They differ. One text is the same as a list of it, and a list of engines the object of them
//	peerDependenciesMeta    (yarn 1). What is empty, null or missing is all the same.
//	dependenciesMeta
//	devDependencies         Never: nobody installs them, and tools take them out while packing. The tarball's are served.
//	directories, gypfile    Never: yarn 1 takes out directories, npm adds gypfile. The tarball's are served.
//
// hasInstallScript and _hasShrinkwrap come from the tarball alone. Everything else (main, exports, description…) is the
// manifest's: clients that load the package read what they unpacked. The repository decides about rights and is left to
// who decides: Upload has both texts. A missing field never passes for one that is there, because no client drops one.
// But npm and yarn 1 send a package.json from before or after a script changed it for packing (prepack, undone by
// postpack); where that concerns the fields above it is refused, too, and the refusal says what to do.
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
