package scopes

// Member is an account on one of GitHub's lists of people.
type Member struct {
	ID    int64
	Login string
	// Permission is what the account may do with the repository whose list it is; None on lists of organisations and teams.
	Permission Permission
	// Owner: it owns the organisation whose list it is.
	Owner bool
}

// Members is such a list. Cut: GitHub has more of them.
type Members struct {
	List []Member
	Cut  bool
	// Takes is what a credential needs to be shown those who do not want to be seen by everybody, where this one lacks it; else "".
	Takes string
}

// Teams are the short names of an organisation's teams. Cut: GitHub has more of them.
type Teams struct {
	List []string
	Cut  bool
}

// TeamRepos is what a team may do with which repositories, by number. Cut: GitHub has more of them.
type TeamRepos struct {
	Permissions map[int64]Permission
	Cut         bool
}

// PeopleVerb is a change of who may do what on GitHub.
type PeopleVerb uint8

const (
	// AddCollaborator gives Login Permission on Repo, or invites it to have it. The zero PeopleVerb is none.
	AddCollaborator PeopleVerb = iota + 1
	// RemoveCollaborator takes what Login was itself given on Repo. What it has through a team or an organisation stays.
	RemoveCollaborator
	// GrantTeam gives Team of Org Permission on Repo.
	GrantTeam
	// RevokeTeam takes it.
	RevokeTeam
	// SetMember makes Login a member of Org, or an owner, or invites it to be one.
	SetMember
	// RemoveMember ends that, or the invitation.
	RemoveMember
	// CreateTeam makes Team in Org, of that name.
	CreateTeam
	// DeleteTeam deletes it.
	DeleteTeam
	// AddToTeam puts Login into Team of Org, or invites it.
	AddToTeam
	// RemoveFromTeam takes it out.
	RemoveFromTeam
)

var peopleVerbs = [...]string{
	AddCollaborator: "add-collaborator", RemoveCollaborator: "remove-collaborator", GrantTeam: "grant-team", RevokeTeam: "revoke-team",
	SetMember: "set-member", RemoveMember: "remove-member", CreateTeam: "create-team", DeleteTeam: "delete-team",
	AddToTeam: "add-to-team", RemoveFromTeam: "remove-from-team",
}

// String returns the word that logs carry.
func (v PeopleVerb) String() string {
	if int(v) < len(peopleVerbs) && v > 0 {
		return peopleVerbs[v]
	}
	return "unknown"
}

// PeopleChange is a verb with what it is about. What a verb does not name is zero.
type PeopleChange struct {
	What        PeopleVerb
	Org, Team   string
	Description string // of a new team
	Repo        Repo
	Login       string
	Permission  Permission // Read or Write
	Owner       bool
}

// PeopleOutcome is what became of a change.
type PeopleOutcome struct {
	// Invited: it takes effect when the account accepts GitHub's invitation.
	Invited bool
	// Team is the short name that a new team got.
	Team string
	// Repo is the repository as GitHub called it then.
	Repo Repo
}

// Denied is GitHub's no to a question about people or to a change of them, in the words it gave. It comes after the caller was let through here.
type Denied struct {
	// Hidden: GitHub said that there is no such thing, which is also what it says of what it hides and, to some credentials, of what they may not do.
	Hidden bool
	// Wrong: what was asked for makes no sense to GitHub, whoever asks.
	Wrong bool
	// Why is its reason, a line of text; "" if it gave none.
	Why string
	// Takes is what the credential lacks, as far as GitHub says: `the scope "admin:org"`. May be empty.
	Takes string
}

func (e *Denied) Error() string {
	text := "GitHub refuses"
	if e.Hidden {
		text = "GitHub shows no such thing"
	}
	if e.Why != "" {
		text += ": " + e.Why
	}
	if e.Takes != "" {
		text += " (it takes " + e.Takes + ")"
	}
	return text
}

// PeopleAction is what a caller wants with people on GitHub.
type PeopleAction uint8

const (
	// ListPeople shows who is on a repository, in an organisation or in a team. The zero PeopleAction is none, and never allowed.
	ListPeople PeopleAction = iota + 1
	// ChangePeople changes it.
	ChangePeople
	// SeeThemselves shows callers what GitHub shows to nobody but them: their address, for one.
	SeeThemselves
	// Star says in the caller's name, for everybody to see, that they like a package.
	Star
)

// PeopleQuestion is everything on which it depends whether GitHub is asked at all. What GitHub then allows is its own affair.
type PeopleQuestion struct {
	Who   Principal
	Grant *Grant // that the caller's token has; nil for a credential of GitHub's own
	What  PeopleAction
}

// DecidePeople says whose questions about people, and whose changes, go on to GitHub, with the caller's own credential.
//
// Lists are GitHub's to show or not. A granular token lists if its rights to users are to all of them: rights to packages have nothing to do with people.
// Changes are for people who show GitHub's own credential. A granular token was never meant to reach that far, whatever is behind it;
// and with an App's or a workflow's, somebody could do with it what GitHub does not let them do themselves. What is for a person's own eyes takes,
// of a granular token, a right to that user: it may be in other hands. What it says in their name takes the right to write.
func DecidePeople(q PeopleQuestion) Verdict {
	switch {
	case q.What < ListPeople || q.What > Star:
		return Verdict{Reason: NotAsked, Hide: true}
	case q.Who.Kind == Anyone:
		return Verdict{Reason: NotBound}
	case q.Who.Kind != Person && q.Who.Kind != App:
		return Verdict{Reason: NoCredential, Hide: true}
	case q.What == ListPeople && q.Grant != nil && q.Grant.Rights.everybody() < Read:
		return Verdict{Reason: GrantTooNarrow}
	case q.What == ChangePeople && q.Grant != nil:
		return Verdict{Reason: GrantTooNarrow}
	case q.What == SeeThemselves && q.Grant != nil && q.Grant.Rights.User(q.Who.Login) < Read:
		return Verdict{Reason: GrantTooNarrow}
	case q.What == Star && q.Grant != nil && q.Grant.Rights.User(q.Who.Login) < Write:
		return Verdict{Reason: GrantTooNarrow}
	case (q.What == ChangePeople || q.What == SeeThemselves) && q.Who.Kind != Person:
		return Verdict{Reason: NotAPerson}
	}
	return Verdict{OK: true, Reason: Allowed}
}

// everybody is the most that the rights allow with all users.
func (r Rights) everybody() Permission {
	return r.best(func(t Types) Use { return t.User }, func(v string) bool { return v == "*" })
}

// ValidLogin reports whether s can be the login of a GitHub account: it is then safe as a part of an address.
func ValidLogin(s string) bool { return validOwner(s) }

// ValidTeam reports whether s can be the short name of a team.
func ValidTeam(s string) bool { return s != "" && len(s) <= 100 && within(s, "-_") }
