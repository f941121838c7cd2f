package gate

import (
	"fmt"

	"gatehouse/scopes"
)

// Refusal is a no, with everything that explains it to somebody who may know that the package exists.
type Refusal struct {
	scopes.Verdict
	Question scopes.Question
	Package  string
	First    bool // the repository is one that the caller names, for a package that does not exist yet or is to be bound to it
	// Hint is what is known to keep the caller's token from it: a sentence, or "".
	Hint string

	host    string
	trouble error // why the caller is nobody
}

// Unwrap returns why the caller is nobody, if that is so: it is what they are to be told.
func (r *Refusal) Unwrap() error { return r.trouble }

// Error is the sentence for the caller: who they are, the repository, what they have there and what it takes, when GitHub said so, and
// the page that changes it. It never tells a caller who may not see the package more than they
// would be told of a name that nobody has used; for those see server/problem, which gives both the same answer.
func (r *Refusal) Error() string {
	q := r.Question
	repo := present(q).String()
	switch r.Reason {
	case scopes.NotReadable, scopes.NotBound:
		if r.First && q.What == scopes.Rebind {
			return fmt.Sprintf(`cannot bind %s: GitHub shows %s no repository %s. Either there is none, or this token may not see it%s`,
				r.Package, r.who(), repo, r.hint())
		}
		if r.First {
			return fmt.Sprintf(`cannot publish %s: GitHub shows %s no repository %s, which "repository" in package.json names. Either there is none, or this token may not see it%s`,
				r.Package, r.who(), repo, r.hint())
		}
	case scopes.RoleTooLow:
		return fmt.Sprintf("%s may not %s %s: that takes %q on the GitHub repository %s, and %s has %q there%s. An admin of the repository can change it: %s",
			r.who(), q.What, r.Package, q.What.Needs(), repo, r.who(), q.Access.Role, age(q.Access.At), r.page())
	case scopes.ReachTooLow:
		if need := q.What.Needs(); need == scopes.Admin {
			command := "bind"
			if q.What == scopes.Manage {
				command = "admit"
			}
			return fmt.Sprintf(`this token may not %s %s: that takes "admin" on the GitHub repository %s, and GitHub lets no other token prove it than a classic personal access token with the scope "repo"%s. An operator of the registry needs none: gatehouse %s, on its machine`,
				q.What, r.Package, repo, because(q.Access), command)
		}
		if q.Who.Credential == scopes.WorkflowToken {
			return fmt.Sprintf("%s may not %s %s%s; use a person's token", r.who(), q.What, r.Package, because(q.Access))
		}
		if q.Who.Kind == scopes.App {
			return fmt.Sprintf("%s may not %s %s: that takes %q on the GitHub repository %s, and this token only reaches %q%s%s. In a workflow, give the job \"permissions: contents: write\"; for a GitHub App, its installation",
				r.who(), q.What, r.Package, q.What.Needs(), repo, q.Access.Reach, because(q.Access), age(q.Access.At))
		}
		return fmt.Sprintf("this token may not %s %s: %s has %q on the GitHub repository %s, but the token only reaches %q%s%s, and it takes %q. Give it more, or take another: %s",
			q.What, r.Package, r.who(), q.Access.Role, repo, q.Access.Reach, because(q.Access), age(q.Access.At), q.What.Needs(), r.page())
	case scopes.GrantTooNarrow:
		if q.What.Needs() == scopes.Admin {
			return fmt.Sprintf("this token may not %s %s: no token of this registry may; use your GitHub token", q.What, r.Package)
		}
		return fmt.Sprintf("this token may not %s %s: that takes %q, and its scope gives it %q; mint one with a wider scope (npm token create)",
			q.What, r.Package, q.What.Needs(), q.Grant.Rights.Package(r.Package))
	case scopes.Archived:
		return fmt.Sprintf("cannot %s %s: its GitHub repository %s is archived and takes no changes%s. An admin of it can unarchive it: %s", q.What, r.Package, repo, age(q.Access.At), r.page())
	case scopes.Transferred:
		return fmt.Sprintf("%s is frozen: its GitHub repository now belongs to %s, which the package's namespace does not stand for%s: https://%s/%s. An admin of this repository and of another of the namespace's can bind it to that one (gatehouse bind %s OWNER/REPOSITORY), an operator of the registry to any",
			r.Package, q.Access.Repo.Owner, age(q.Access.At), r.host, q.Access.Repo, r.Package)
	}
	return "no such package, or no permission to see it"
}

// permission is the sentence of a yes.
func (r *Refusal) permission() string {
	q := r.Question
	switch r.Reason {
	case scopes.OpenRegistry:
		return "everybody may do everything here (auth.type is none)"
	case scopes.PublicRepository:
		return fmt.Sprintf("everybody may %s %s: its GitHub repository %s is public%s", q.What, r.Package, present(q), age(q.Public.At))
	}
	why := ""
	if q.Who.Credential == scopes.WorkflowToken {
		why = because(q.Access)
	}
	return fmt.Sprintf("%s may %s %s: that takes %q on the GitHub repository %s, and %s has it there%s%s",
		r.who(), q.What, r.Package, q.What.Needs(), present(q), r.who(), why, age(q.Access.At))
}

// page is where on GitHub the verdict can be changed.
func (r *Refusal) page() string {
	site, repo := "https://"+r.host+"/", present(r.Question).String()
	switch r.Reason {
	case scopes.RoleTooLow:
		return site + repo + "/settings/access"
	case scopes.Archived:
		return site + repo + "/settings"
	case scopes.Transferred:
		return site + repo
	case scopes.ReachTooLow:
		switch r.Question.Who.Credential {
		case scopes.FineGrained:
			return site + "settings/personal-access-tokens"
		case scopes.OAuthToken:
			return site + "settings/applications"
		case scopes.AppUser:
			return site + "settings/apps/authorizations"
		case scopes.Installation:
			return site + repo + "/settings/actions"
		}
		return site + "settings/tokens"
	}
	return ""
}

// present is the repository of a question as GitHub calls it now, where that is known.
func present(q scopes.Question) scopes.Repo {
	for _, now := range []scopes.Repo{q.Access.Repo, q.Public.Repo} {
		if now.ID == q.Where.Repo.ID && now.ID != 0 {
			return now
		}
	}
	return q.Where.Repo
}

func (r *Refusal) who() string {
	if l := r.Question.Who.Login; l != "" {
		return l
	}
	return "this token"
}

func because(a scopes.Access) string {
	if a.Why == "" {
		return ""
	}
	return " (" + a.Why + ")"
}

// hint is what keeps the token out, in the words that say most.
func (r *Refusal) hint() string {
	if r.Hint == "" {
		return because(r.Question.Access)
	}
	return ". " + r.Hint
}
