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
	First    bool // the package does not exist yet, and the repository is the one that package.json names
	host     string
}

// Error is the sentence for the caller. It never tells a caller who may not see the package more than they
// would be told of a name that nobody has used; for those see server/problem, which gives both the same answer.
func (r *Refusal) Error() string {
	q := r.Question
	repo := q.Where.Repo.String()
	switch r.Reason {
	case scopes.NotReadable, scopes.NotBound:
		if r.First {
			return fmt.Sprintf(`cannot publish %s: GitHub shows %s no repository %s, which "repository" in package.json names. Either there is none, or this token may not see it%s`,
				r.Package, r.who(), repo, because(q.Access))
		}
	case scopes.RoleTooLow:
		return fmt.Sprintf("%s may not %s %s: that takes %q on the GitHub repository %s, and %s has %q there. An admin of the repository can change it: https://%s/%s/settings/access",
			r.who(), q.What, r.Package, q.What.Needs(), repo, r.who(), q.Access.Role, r.host, repo)
	case scopes.ReachTooLow:
		if q.Who.Kind == scopes.App {
			return fmt.Sprintf("%s may not %s %s: that takes %q on the GitHub repository %s, and this token only reaches %q%s. In a workflow, give the job \"permissions: contents: write\"; for a GitHub App, its installation",
				r.who(), q.What, r.Package, q.What.Needs(), repo, q.Access.Reach, because(q.Access))
		}
		return fmt.Sprintf("this token may not %s %s: %s has %q on the GitHub repository %s, but the token only reaches %q%s",
			q.What, r.Package, r.who(), q.Access.Role, repo, q.Access.Reach, because(q.Access))
	case scopes.GrantTooNarrow:
		if q.What == scopes.Rebind {
			return fmt.Sprintf("this token may not rebind %s: no token of this registry may; use your GitHub token", r.Package)
		}
		return fmt.Sprintf("this token may not %s %s: that takes %q, and its scope gives it %q; mint one with a wider scope (npm token create)",
			q.What, r.Package, q.What.Needs(), q.Grant.Rights.Package(r.Package))
	case scopes.Archived:
		return fmt.Sprintf("cannot %s %s: its GitHub repository %s is archived and takes no changes", q.What, r.Package, repo)
	case scopes.Transferred:
		return fmt.Sprintf("%s is frozen: its GitHub repository now belongs to %s, which the package's namespace does not stand for", r.Package, q.Access.Repo.Owner)
	}
	return "no such package, or no permission to see it"
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
