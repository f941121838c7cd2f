// Package fsck looks whether what the registry remembers and what it stores belong together, and puts right what can be put
// right. The name is what file systems call it.
//
// # What it looks at
//
// Every row of the metadata, as package store reads it for a checker: that it can be read, that its parts agree, that
// what it points to is there. Every tarball that a version names: that it is there, has its size, and has the SHA-512 that was
// published; the last means reading all of it, and can be left out. Every object of the storage: that something names it.
//
// # Running beside the registry
//
// The walk over the packages is not one moment. A package with a finding is therefore read again at one moment, and an object
// that nothing names is looked for again in the order in which names move, before either is reported. Repairs are conditional
// batches like all changes. So both may run while the registry does.
//
// # What a repair does, and does not
//
// It never removes what can be read, but for objects that nothing names, and each repair is an event in the batch that makes it. A version
// whose bytes are lost is withdrawn where everybody sees it: the number stays burned, clients get 410 and the reason. A row that
// cannot be read is moved aside. A head that is lost is made anew, bound to nothing: who the package belongs to cannot be known from what is left,
// and must not be up to whoever publishes first.
//
// A repair happens after the whole check, and is refused where most of the tarballs are not where the metadata say, or most of what is
// stored has no name: then a folder is the wrong one, or a disk is not mounted, and withdrawing every version would be the greater damage.
//
// # Memory
//
// One package, the objects of one package's folder, and what was found.
package fsck

import (
	"time"

	"gatehouse/store"
	"gatehouse/store/blob"
)

// Kind says what sort of thing was found.
type Kind string

const (
	HeadDamaged     Kind = "head damaged"
	HeadMissing     Kind = "head missing"
	NoVersions      Kind = "no versions"
	VersionDamaged  Kind = "version damaged"
	BadName         Kind = "bad name"
	TagDangles      Kind = "tag dangles"
	NoLatest        Kind = "no latest"
	Withdrawn       Kind = "withdrawn wrongly"
	PageStray       Kind = "page of nothing"
	PageMissing     Kind = "page missing"
	TarballMissing  Kind = "tarball missing"
	TarballAltered  Kind = "tarball damaged"
	TarballUnread   Kind = "tarball unreadable"
	TarballShared   Kind = "tarball shared"
	UploadLive      Kind = "tarball marked for removal"
	StarHalf        Kind = "half a star"
	TokenHalf       Kind = "half a token"
	KeyUnknown      Kind = "unknown key"
	BlobOrphan      Kind = "orphan"
	BlobForeign     Kind = "foreign file"
	StorageNotAsked Kind = "storage not listed"
)

// Finding is one thing that is not as it should be.
type Finding struct {
	Kind    Kind   `json:"kind"`
	Package string `json:"package,omitempty"`
	Version string `json:"version,omitempty"`
	Blob    string `json:"blob,omitempty"`
	// Words say it to an operator, in one sentence without a full stop.
	Words string `json:"words"`
	// Repairable is true of what Repair puts right.
	Repairable bool `json:"repairable,omitempty"`
}

// Stage says what a check is doing.
type Stage string

const (
	Packages Stage = "packages"
	Rest     Stage = "stars, tokens and uploads"
	Storage  Stage = "storage"
	Repairs  Stage = "repairs"
)

// Progress is how far a check has come.
type Progress struct {
	Stage    Stage `json:"stage"`
	Packages int   `json:"packages"`
	Versions int   `json:"versions"`
	Tarballs int   `json:"tarballs"` // that versions name
	Objects  int   `json:"objects"`  // of the storage
	Bytes    int64 `json:"bytes"`    // read
}

// Summary is what a check, and perhaps a repair, comes to.
type Summary struct {
	Progress
	Findings int `json:"findings"`
	Repaired int `json:"repaired"`
	// Waiting are objects that will be removed when they are due, Young those that nothing names but that are too new to be forgotten.
	Waiting int `json:"waiting"`
	Young   int `json:"young"`
	// Aside are rows that repairs have put aside, and Kept objects that nothing names but that may belong to such a row, or to one that is
	// damaged.
	Aside int `json:"aside"`
	Kept  int `json:"kept"`
	// OrphanBytes is the size of the orphans.
	OrphanBytes int64 `json:"orphan_bytes"`
}

// Left are the findings that were not repaired.
func (s Summary) Left() int { return s.Findings - s.Repaired }

// Options of a check. The zero value checks everything and says nothing.
type Options struct {
	// Quick leaves out reading the tarballs: that they are there and have their size is all that is looked at.
	Quick bool
	// Force repairs even where metadata and storage hardly belong together.
	Force bool
	// By is who repairs, as it stays on record.
	By store.Actor
	// Found is called with each finding, Fixed with what a repair has done, in words, Progress now and then; from one goroutine at a time.
	Found    func(Finding)
	Fixed    func(words string)
	Progress func(Progress)
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// forgotten is the age at which an object that nothing names cannot be an upload any more.
const forgotten = 24 * time.Hour

// Check is one check of a registry.
type Check struct {
	store *store.Store
	blobs blob.Store
	o     Options
	sum   Summary
	plan  plan
}

// plan is what a repair would do.
type plan struct {
	packages map[string]map[string]string // to mend; the versions whose tarball is lost, with its key
	stars    []store.BadStar
	tokens   []store.BadToken
	uploads  []store.Upload
	orphans  []blob.Info
	missing  int // tarballs
}

// New returns a check of a registry and its storage.
func New(s *store.Store, blobs blob.Store, o Options) *Check {
	if o.Found == nil {
		o.Found = func(Finding) {}
	}
	if o.Fixed == nil {
		o.Fixed = func(string) {}
	}
	if o.Progress == nil {
		o.Progress = func(Progress) {}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Check{store: s, blobs: blobs, o: o, plan: plan{packages: map[string]map[string]string{}}}
}

func (c *Check) found(f Finding) {
	c.sum.Findings++
	c.o.Found(f)
}
