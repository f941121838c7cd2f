package packument

import "io"

// Upload is a publish that was read and found true. It holds the tarball until it is closed.
type Upload struct {
	Name    Name
	Version string
	Tag     string // the dist-tag that is to name the version
	// Access is what the publisher asked for: "public", "restricted", or "" for what the registry does by itself.
	Access string
	// Repository is the text of the manifest's repository, of an object its url, and "" if there is none. Nothing else
	// of it was looked at, and it was not compared with PackageRepository: clients spell it anew.
	Repository string

	Size      int64  // of the tarball, in bytes
	Shasum    string // of the tarball: SHA-1, in hex, which yarn 1 puts into its lockfiles
	Integrity string // of the tarball: SHA-512, "sha512-" and base64 (Subresource Integrity)
	SHA512    [64]byte

	contents
	manifest value            // as published
	fields   map[string]value // of manifest
	top      map[string]value // fields of the body
	spool    *spool
}

// contents is what a tarball was found to hold.
type contents struct {
	// FileCount and UnpackedSize are the number of files and the sum of their bytes, as npm shows them.
	FileCount    int
	UnpackedSize int64
	// HasShrinkwrap and HasBindingGyp tell whether npm-shrinkwrap.json and binding.gyp lie beside package.json.
	HasShrinkwrap bool
	HasBindingGyp bool
	// PackageJSON is the file in the tarball, as it is.
	PackageJSON []byte
	// PackageRepository is the text of the repository in that file, as Upload.Repository is that of the manifest.
	PackageRepository string

	truth *truth
}

// Tarball reads the tarball; seek to its start first. A large one is an *os.File, so that the kernel can copy it. There
// is one place in it for all readers, so that only one can be used at a time.
func (u *Upload) Tarball() io.ReadSeeker { return u.spool.reader() }

// Close lets the tarball go. It may be called more than once.
func (u *Upload) Close() error { return u.spool.Close() }
