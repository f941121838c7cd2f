// Package scopes is the vocabulary of authority, and the decision.
//
// It owns the words (principal, repository, binding, permission, action), the rule that binds a
// package name to a GitHub repository (Bind), and the one function that says yes or no (Decide).
// All of it is values: no I/O, no clock, no globals. What GitHub says is asked by package githubauth,
// what is stored is read by package store, and both hand over what they found in these words.
//
// It refuses to know HTTP, GitHub's API and the stored form of anything. There is no other place
// where a permission is compared: a condition on a role anywhere else is a bug.
package scopes

import "time"

// Permission is a level of authority over a repository. It is used for a person's role, for the reach
// of a credential and for what an action needs. The zero value is no permission at all.
type Permission uint8

const (
	None Permission = iota
	Read
	Write
	Admin
)

// String returns GitHub's word for the level.
func (p Permission) String() string {
	switch p {
	case Read:
		return "read"
	case Write:
		return "write"
	case Admin:
		return "admin"
	}
	return "none"
}

// Action is something that a caller wants to do with a package.
type Action uint8

const (
	// Install reads metadata or a tarball. The zero Action is none, and never allowed.
	Install Action = iota + 1
	// Publish adds a version.
	Publish
	// Tag sets or removes a dist-tag.
	Tag
	// Deprecate sets or removes the message that warns of versions.
	Deprecate
	// Unpublish withdraws versions, or the package.
	Unpublish
	// Manage says who else may come in: other repositories' workflows, and the rules for those that publish.
	Manage
	// Rebind ties the package to another repository. It is asked of the old one and of the new.
	Rebind
)

// String returns the word used in messages and logs.
func (a Action) String() string {
	switch a {
	case Install:
		return "install"
	case Publish:
		return "publish"
	case Tag:
		return "tag"
	case Deprecate:
		return "deprecate"
	case Unpublish:
		return "unpublish"
	case Manage:
		return "manage"
	case Rebind:
		return "rebind"
	}
	return "do nothing with"
}

// Needs is the permission on the bound repository that an action takes: the founding rule of the
// registry. Read installs; write, maintain and admin publish, tag, deprecate and unpublish; only admin lets
// others in, or gives the package to another repository. An unknown action needs more than anybody has.
func (a Action) Needs() Permission {
	switch a {
	case Install:
		return Read
	case Publish, Tag, Deprecate, Unpublish:
		return Write
	case Manage, Rebind:
		return Admin
	}
	return Admin + 1
}

// Repo is a GitHub repository. The numbers are its identity; the names are what they were called
// when last seen, and may be renamed or taken over by somebody else.
type Repo struct {
	ID      int64  `json:"id"`
	OwnerID int64  `json:"owner_id"`
	Owner   string `json:"owner"`
	Name    string `json:"name"`
	// Node is the repository's name in GraphQL, by which many can be asked for at once; "" if it was never seen.
	Node string `json:"node,omitempty"`
}

// String returns "owner/name".
func (r Repo) String() string { return r.Owner + "/" + r.Name }

// BindingKind says what stands behind a package name.
type BindingKind uint8

const (
	// Unbound is a package without a repository: published while authentication was off, or a name
	// without a namespace that the registry keeps itself. Only Anyone may touch it.
	Unbound BindingKind = iota
	// GitHub is a package bound to a repository: its permissions are the package's.
	GitHub
)

// Binding ties a package to a repository. It is fixed at the first publish.
type Binding struct {
	Kind BindingKind `json:"kind"`
	Repo Repo        `json:"repo"`
}

// PrincipalKind says what sort of caller this is.
type PrincipalKind uint8

const (
	// Nobody is a caller without a credential. It may do nothing.
	Nobody PrincipalKind = iota
	// Person is a GitHub user, by any kind of token that acts for one.
	Person
	// App is a GitHub App installation, which includes the GITHUB_TOKEN of an Actions job.
	App
	// Anyone is every caller of a registry that runs with auth.type none. It may do everything.
	Anyone
)

// Principal is who is calling. The zero value is nobody.
type Principal struct {
	Kind  PrincipalKind
	ID    int64  // GitHub's number of the account
	Login string // what the account was called when the credential was last checked
	// Credential is what sort of credential proves it: for people to read, in logs and explanations. Nothing about
	// packages is decided by it.
	Credential Credential
}

// Credential is a sort of credential, in words.
type Credential string

// The credentials that GitHub gives out (docs.github.com, "About authentication to GitHub").
const (
	Classic      Credential = "classic personal access token"
	FineGrained  Credential = "fine-grained personal access token"
	OAuthToken   Credential = "OAuth app token"
	AppUser      Credential = "GitHub App user token"
	Installation Credential = "GitHub App installation token" // GITHUB_TOKEN of a workflow is one
	LegacyToken  Credential = "token of 40 hex digits"
)

// The credentials that this registry gives out.
const (
	GranularToken Credential = "granular access token"
	WorkflowToken Credential = "workflow token"
)

// Public is what is known of a repository without anybody's credential. The zero value is: nothing.
type Public struct {
	// Repo is the repository, if everybody may read it; its ID is zero if not, or if that is not known.
	Repo Repo
	// Internal is the repository, if all of its owner's enterprise may read it; its ID is zero if not, or if that is not known.
	Internal Repo
	// ToAll: callers without a credential count as everybody too (auth.github.public_packages).
	ToAll bool
	// At is when GitHub said so.
	At time.Time
}

// Access is what GitHub says about one credential and one repository at one moment.
// The zero value grants nothing.
type Access struct {
	Repo Repo // as GitHub names it now; ID is zero where GitHub shows the credential no such repository
	// Role is what the account may do; Reach is what this credential may do. GitHub shows the first
	// for every credential, which is why the second is established on its own.
	Role, Reach Permission
	// Why explains a Reach below the Role: the missing scope, the policy in force. May be empty.
	Why string
	// Archived repositories can be read and not written.
	Archived bool
	// At is when GitHub was asked.
	At time.Time
}

// Permission is what the credential may really do: the lesser of role and reach.
func (a Access) Permission() Permission { return min(a.Role, a.Reach) }
