package scopes

import "slices"

// TokenAction is something that a caller wants to do with tokens.
type TokenAction uint8

const (
	// ListTokens shows what is on record of tokens. The zero TokenAction is none, and never allowed.
	ListTokens TokenAction = iota + 1
	// MintToken makes one.
	MintToken
	// RevokeToken ends one.
	RevokeToken
)

// String returns the word used in messages and logs.
func (a TokenAction) String() string {
	switch a {
	case ListTokens:
		return "list"
	case MintToken:
		return "mint"
	case RevokeToken:
		return "revoke"
	}
	return "do nothing with"
}

// Needs is the right to the owner's user that the action takes of a granular token.
func (a TokenAction) Needs() Permission {
	switch a {
	case ListTokens:
		return Read
	case MintToken, RevokeToken:
		return Write
	}
	return Admin
}

// TokenQuestion is everything that a decision about tokens depends on.
type TokenQuestion struct {
	Who   Principal
	Grant *Grant // that the caller's token has; nil for a credential of GitHub's own
	What  TokenAction
	// Owner is the number of the account whose tokens they are.
	Owner int64
	// New is what is to be minted.
	New *Grant
}

// DecideTokens says who may do what with whose tokens.
//
// A person has their own tokens and nobody else's, whatever kind of credential they show; a granular token has what its rights to users leave
// of that. So "*" among them is no more than the owner: there is nobody whose user the owner could let anybody manage. What is no person mints nothing: a
// job could leave something behind that outlives it. And nothing mints what is wider than itself.
//
// Every site that a person once logged in to holds a credential of GitHub's that answers to their name. Such a one has none of the person's rights to
// tokens: it may be narrowed, which takes nothing from anybody, and no more.
func DecideTokens(q TokenQuestion) Verdict {
	switch {
	case q.What.Needs() > Write:
		return Verdict{Reason: NotAsked, Hide: true}
	case q.Who.Kind == Nobody:
		return Verdict{Reason: NoCredential, Hide: true}
	case q.Who.Kind != Person || q.Who.ID == 0:
		return Verdict{Reason: NotAPerson}
	case q.Who.ID != q.Owner:
		return Verdict{Reason: NotTheirs, Hide: true}
	case q.What == MintToken && (q.New == nil || q.New.Rights.Check() != nil):
		return Verdict{Reason: NotAsked}
	case q.Grant == nil && !own(q.Who.Credential) && (q.What != MintToken || q.New.Rights.users()):
		return Verdict{Reason: Lent}
	case q.Grant != nil && q.Grant.Rights.User(q.Who.Login) < q.What.Needs():
		return Verdict{Reason: GrantTooNarrow}
	case q.What == MintToken && q.Grant != nil && !q.New.Narrowed(*q.Grant):
		return Verdict{Reason: GrantTooNarrow}
	}
	return Verdict{OK: true, Reason: Allowed}
}

// own reports whether it is a sort of credential that people make for themselves, and not one that an app gets for them.
func own(c Credential) bool { return c == Classic || c == FineGrained }

// users reports whether any of the rights is to users.
func (r Rights) users() bool {
	return slices.ContainsFunc(r, func(right Right) bool { return right.Types.User.Permission() > None })
}
