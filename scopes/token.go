package scopes

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// TokenPrefix is what the secret of every token of this registry's own begins with. No token of GitHub's does.
const TokenPrefix = "gth_"

// Token is a token of this registry's own: what is on record of it, which is everything but its secret and the credential behind it.
type Token struct {
	// ID names it in lists and logs. It is no secret and tells nothing of one.
	ID string `json:"id"`
	// Shown is how its secret begins: enough to tell it from others, not enough to guess it.
	Shown string `json:"shown"`
	// Owner is who minted it; zero for a workflow's.
	Owner Account `json:"owner,omitzero"`
	// Name and Description are the owner's words.
	Name        string `json:"name,omitempty"`
	Description string `json:"description,omitempty"`
	// Grant is what it may be used for at most.
	Grant Grant `json:"grant"`
	// Behind is the kind of credential that is sealed in it; "" for a workflow's, which has none.
	Behind Credential `json:"behind,omitempty"`
	// Under is the ID of the token with which it was minted, or with which that one was, and so on: of the first, whose credential they all share. "" if it was
	// minted with the credential itself.
	Under string `json:"under,omitempty"`
	// Workflow is set for a token that a workflow got for its ID token, and for no other.
	Workflow *Workflow `json:"workflow,omitempty"`
	// Guest: the owner of the workflow's repository had nothing in the registry when it was made. It says nothing about what the token may do.
	Guest   bool      `json:"guest,omitempty"`
	Created time.Time `json:"created"`
	// LastUsed is a day, in UTC; zero if it has not been used.
	LastUsed time.Time `json:"last_used,omitzero"`
}

// Root is the ID of the first of the tokens that share its credential, which may be itself.
func (t Token) Root() string { return cmp.Or(t.Under, t.ID) }

// Account is a GitHub account: the number is its identity, the login what it was called when last seen.
type Account struct {
	ID    int64  `json:"id"`
	Login string `json:"login"`
}

// Ground is what a workflow may go by besides being one of the package's own repository.
type Ground struct {
	// Admitted are the repositories that the package admits.
	Admitted []Repo
	// Public is what is known of the package's repository without anybody's credential.
	Public Public
}

// Access is what a workflow's token may do with a package of the repository: publish and tag those of its own; read those of an internal one of the same
// owner, and those that admit its repository; and nothing with any other. Numbers count, the owners' too: a repository that went to another owner
// since it was admitted is another's.
func (w *Workflow) Access(repo Repo, what Action, g Ground, at time.Time) Access {
	reads := Access{Repo: repo, Role: Read, Reach: Read, At: at}
	if known := g.Public.Internal; known.ID == repo.ID {
		reads.Repo = known // as it is now
	}
	own := w.Repo
	switch {
	case own.ID == 0 || own.OwnerID == 0 || repo.ID == 0:
	case own.ID == repo.ID:
		a := Access{Repo: own, Role: Write, Reach: Write, At: at}
		if what == Deprecate || what == Unpublish {
			a.Reach, a.Why = Read, "a workflow's token publishes and sets tags, and changes nothing else"
		}
		return a
	case slices.ContainsFunc(g.Admitted, func(r Repo) bool { return r.ID == own.ID && r.OwnerID == own.OwnerID }):
		reads.Why = "the package admits the workflows of " + own.String()
		return reads
	case g.Public.Internal.ID == repo.ID && g.Public.Internal.OwnerID == own.OwnerID:
		reads.Why = "the repository is internal, and of the same owner"
		return reads
	}
	return Access{At: at}
}

// Named is Access to the repository that has these names.
func (w *Workflow) Named(owner, name string, at time.Time) Access {
	if !strings.EqualFold(w.Repo.Owner, owner) || !strings.EqualFold(w.Repo.Name, name) {
		return Access{At: at}
	}
	return w.Access(w.Repo, Publish, Ground{}, at)
}

// Principal is who shows a workflow's token.
func (w *Workflow) Principal() Principal {
	return Principal{Kind: App, ID: w.Repo.ID, Login: "a workflow of " + w.Repo.String(), Credential: WorkflowToken}
}
