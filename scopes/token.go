package scopes

import (
	"cmp"
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
	Created  time.Time `json:"created"`
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

// Access is what a workflow's token may do with a repository: write to its own, and nothing with any other.
func (w *Workflow) Access(repo Repo, at time.Time) Access {
	if w.Repo.ID == 0 || w.Repo.ID != repo.ID {
		return Access{At: at}
	}
	return Access{Repo: w.Repo, Role: Write, Reach: Write, At: at}
}

// Named is Access to the repository that has these names.
func (w *Workflow) Named(owner, name string, at time.Time) Access {
	if !strings.EqualFold(w.Repo.Owner, owner) || !strings.EqualFold(w.Repo.Name, name) {
		return Access{At: at}
	}
	return w.Access(w.Repo, at)
}

// Principal is who shows a workflow's token.
func (w *Workflow) Principal() Principal {
	return Principal{Kind: App, ID: w.Repo.ID, Login: "a workflow of " + w.Repo.String(), Credential: WorkflowToken}
}
