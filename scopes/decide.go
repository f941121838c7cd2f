package scopes

// Question is everything a decision depends on.
type Question struct {
	Who  Principal
	What Action
	// Package is the name that a grant is about.
	Package string
	// Grant narrows what the caller's credential may do; nil: nothing does.
	Grant  *Grant
	Where  Binding
	Access Access // what GitHub says about Who and the repository of Where
	Public Public // what it says of that repository to everybody
}

// Reason says why a verdict fell as it did. It is stable: logs and tests name it.
type Reason uint8

const (
	// NotAsked is the reason of the zero Verdict, which is a no.
	NotAsked Reason = iota
	Allowed
	// OpenRegistry: authentication is off.
	OpenRegistry
	// NoCredential: the caller showed none.
	NoCredential
	// NotBound: the package has no repository, so GitHub cannot vouch for anybody.
	NotBound
	// NotReadable: the credential cannot read the repository, or there is none.
	NotReadable
	// Transferred: the repository now belongs to another owner than the namespace stands for.
	Transferred
	// RoleTooLow: the account's role on the repository is less than the action needs.
	RoleTooLow
	// ReachTooLow: the role would do, but this credential may not use it.
	ReachTooLow
	// Archived: the repository takes no writes.
	Archived
	// PublicRepository: everybody may read it, whoever they are.
	PublicRepository
	// GrantTooNarrow: the credential behind the token may, and the token may not.
	GrantTooNarrow
	// NotAPerson: tokens are minted, listed and revoked by people only.
	NotAPerson
	// NotTheirs: the token is somebody else's.
	NotTheirs
	// Lent: the credential is one that an app has got for the person.
	Lent
)

var reasons = [...]string{
	NotAsked: "not-asked", Allowed: "allowed", OpenRegistry: "open-registry", NoCredential: "no-credential",
	NotBound: "not-bound", NotReadable: "not-readable", Transferred: "transferred",
	RoleTooLow: "role-too-low", ReachTooLow: "reach-too-low", Archived: "archived", PublicRepository: "public-repository",
	GrantTooNarrow: "grant-too-narrow", NotAPerson: "not-a-person", NotTheirs: "not-theirs", Lent: "lent-credential",
}

// String returns the word that logs carry.
func (r Reason) String() string {
	if int(r) < len(reasons) {
		return reasons[r]
	}
	return "unknown"
}

// Verdict is the answer. The zero value is a no.
type Verdict struct {
	OK     bool
	Reason Reason
	// Hide: the caller may not learn that the package exists. What they are told must be what they
	// would be told of a name that was never used.
	Hide bool
}

// public reports whether the question is one of reading what everybody may read. A repository that was transferred is none
// the less public for it.
func (q Question) public() bool {
	return q.What == Install && q.Where.Kind == GitHub && q.Where.Repo.ID != 0 && q.Public.Repo.ID == q.Where.Repo.ID
}

// granted is the most that the grant leaves of any permission. It never says yes to anything: the facts have to as well.
func (q Question) granted() Permission {
	if q.Grant == nil {
		return Admin
	}
	return q.Grant.Rights.Package(q.Package)
}

// Decide answers a question: access is role ∩ reach ∩ grant, for the repository the package is bound to, now; and reading is everybody's
// where the repository is.
//
// It is a pure function and knows no exceptions: what is not listed as allowed is refused. The order
// matters for what is revealed, not for what is allowed: whether the package may be seen at all is
// settled before anything is said about it.
func Decide(q Question) Verdict {
	switch q.Who.Kind {
	case Anyone:
		if q.What.Needs() > Admin {
			return Verdict{Reason: NotAsked, Hide: true}
		}
		return Verdict{OK: true, Reason: OpenRegistry}
	case Person, App:
		if q.public() {
			return Verdict{OK: true, Reason: PublicRepository}
		}
	default:
		if q.public() && q.Public.ToAll && q.Who.Kind == Nobody {
			return Verdict{OK: true, Reason: PublicRepository}
		}
		return Verdict{Reason: NoCredential, Hide: true}
	}
	if q.Where.Kind != GitHub || q.Where.Repo.ID == 0 {
		return Verdict{Reason: NotBound, Hide: true}
	}
	a := q.Access
	// Facts about any other repository, one recreated under the old name for example, prove nothing.
	if a.Repo.ID != q.Where.Repo.ID || a.Permission() < Read {
		return Verdict{Reason: NotReadable, Hide: true}
	}
	granted := q.granted()
	if granted < Read {
		return Verdict{Reason: GrantTooNarrow, Hide: true}
	}
	// A transferred repository would hand private packages to the new owner's members.
	if a.Repo.OwnerID != q.Where.Repo.OwnerID && q.What != Rebind {
		return Verdict{Reason: Transferred}
	}
	need := q.What.Needs()
	switch {
	case a.Archived && need > Read && q.What != Rebind && q.What != Manage:
		return Verdict{Reason: Archived}
	case a.Role < need:
		return Verdict{Reason: RoleTooLow}
	case a.Reach < need:
		return Verdict{Reason: ReachTooLow}
	case granted < need:
		return Verdict{Reason: GrantTooNarrow}
	}
	return Verdict{OK: true, Reason: Allowed}
}
