package gate

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"gatehouse/scopes"
)

// Why is all that a verdict went by, for the caller it is about: as JSON, or in words (Words). What a caller must not know is not in it: it is made only for
// packages that the caller may see.
type Why struct {
	Package string `json:"package"`
	Action  string `json:"action"`
	Allowed bool   `json:"allowed"`
	// Reason is a word that stays (scopes.Reason), Sentence says it to people.
	Reason   string `json:"reason"`
	Sentence string `json:"sentence"`
	// Page is the one on GitHub that changes the verdict; "" where it is a yes, or there is none.
	Page string `json:"page,omitempty"`
	// Needs is the permission on the repository that the action takes.
	Needs  string `json:"needs"`
	Caller Holder `json:"caller"`
	// Binding is nil for a package without a repository, and in an open registry.
	Binding *Bound `json:"binding,omitempty"`
	// Access is nil where GitHub was not asked about the caller.
	Access *Held `json:"access,omitempty"`
	// Grant is what the token's scope leaves of a permission on the package; "" for a credential of GitHub's own.
	Grant string `json:"grant,omitempty"`
	// Note says what the answer does not know.
	Note string `json:"note,omitempty"`
}

// Holder is who calls, and by what. It depends on the credential and on no package.
type Holder struct {
	Kind        string `json:"kind"` // "person", "app", "nobody", "anyone"
	Login       string `json:"login,omitempty"`
	Account     int64  `json:"account,omitempty"`
	Credential  string `json:"credential,omitempty"`
	Fingerprint string `json:"fingerprint,omitempty"`
	// Token is nil for a credential of GitHub's own.
	Token *Minted `json:"token,omitempty"`
	// Standing is what keeps the credential from private repositories, in general: a sentence, or "".
	Standing string `json:"standing,omitempty"`
}

// Minted is what is on record of the registry's own token that was shown.
type Minted struct {
	ID    string         `json:"id"`
	Name  string         `json:"name,omitempty"`
	Scope scopes.Rights  `json:"scope"`
	From  []netip.Prefix `json:"from,omitempty"` // none: from anywhere
	Until time.Time      `json:"until,omitzero"` // zero: with the credential behind it
}

// Bound is the repository of a package, as it was bound and as it is now.
type Bound struct {
	Repository string `json:"repository"` // its present name, where that is known
	ID         int64  `json:"id"`
	OwnerID    int64  `json:"owner_id"` // of the binding
	BoundAs    string `json:"bound_as"` // its name then
	State      string `json:"state"`    // "bound", "renamed", "archived", "transferred"
	Public     bool   `json:"public"`   // everybody may read it, by what is known without a caller
}

// Held is what GitHub says of the caller and the repository.
type Held struct {
	Role       string `json:"role"`
	Reach      string `json:"reach"`
	Permission string `json:"permission"` // the lesser of the two
	// Why explains a reach below the role.
	Why string `json:"why,omitempty"`
	// AsOf is when GitHub said so, Age how long ago that was when this was written, in seconds.
	AsOf time.Time `json:"as_of"`
	Age  int       `json:"age_seconds"`
}

// ParseAction reads the word of an action.
func ParseAction(word string) (scopes.Action, bool) {
	for what := scopes.Install; what <= scopes.Rebind; what++ {
		if word == what.String() {
			return what, true
		}
	}
	return 0, false
}

// Holder tells who the caller is. It asks GitHub nothing about any repository.
func (g *Gate) Holder(ctx context.Context, who Caller) Holder {
	h := holder(who.Principal)
	h.show(who)
	if who.token != "" && !g.Open() {
		h.Standing = g.github.Standing(ctx, who.token, scopes.Repo{})
	}
	return h
}

// show adds what there is to say of the credential that was shown.
func (h *Holder) show(who Caller) {
	h.Fingerprint = who.Print()
	if own := who.Own(); own != nil {
		h.Token = &Minted{ID: own.ID, Name: own.Name, Scope: own.Grant.Rights, From: own.Grant.From, Until: own.Grant.Until}
	}
}

func holder(who scopes.Principal) Holder {
	kinds := map[scopes.PrincipalKind]string{scopes.Person: "person", scopes.App: "app", scopes.Anyone: "anyone"}
	h := Holder{Kind: kinds[who.Kind], Login: who.Login, Account: who.ID, Credential: string(who.Credential)}
	if h.Kind == "" {
		h.Kind = "nobody"
	}
	return h
}

// Explain asks what Allow asks, judges as it does, and returns all of it. The caller may see the package, so far as is known; the error is a
// *Refusal that hides if GitHub says now that they may not. Other errors are those of GitHub.
func (g *Gate) Explain(ctx context.Context, who Caller, pkg string, where scopes.Binding, what scopes.Action) (Why, error) {
	q := question(who, pkg, where, what)
	if !g.Open() && where.Kind == scopes.GitHub {
		var err error
		if q.Public, err = g.github.Public(ctx, where.Repo); err != nil {
			q.Public = scopes.Public{} // it is not known to be public, and counts as private
		}
		q.Public.ToAll = g.names.PublicToAll(pkg)
		// For a public package the caller's own rights decide nothing, and not to know them is no trouble.
		if who.Kind != scopes.Nobody {
			if q.Access, err = g.access(ctx, who, q); err != nil && !scopes.Decide(q).OK {
				return Why{}, err
			}
		}
	}
	v := g.verdict(q)
	if v.Hide {
		return Why{}, &Refusal{Verdict: v, Question: q, Package: pkg, host: g.names.Host, trouble: who.trouble}
	}
	w := explain(g.names.Host, pkg, q, v)
	w.Caller.show(who)
	return w, nil
}

// ExplainRole explains what an account may do by its role, for an operator who has no token of it. q.Access has the role; the reach is not looked at.
func ExplainRole(host, pkg string, q scopes.Question) Why {
	q.Access.Reach = scopes.Admin
	v := scopes.Decide(q)
	w := explain(host, pkg, q, v)
	if v.Hide && q.Where.Kind == scopes.GitHub {
		w.Sentence = fmt.Sprintf("%s cannot read the GitHub repository %s, and is told that there is no such package%s", q.Who.Login, present(q), age(q.Access.At))
		w.Page = "https://" + host + "/" + present(q).String() + "/settings/access"
	}
	if w.Access != nil {
		w.Access.Reach, w.Access.Permission = "unknown", "unknown"
		w.Note = "This goes by the role alone. What a token of " + w.Caller.Login + " reaches depends on the token, and can be less: its holder can ask with it (gatehouse why)."
	}
	return w
}

func explain(host, pkg string, q scopes.Question, v scopes.Verdict) Why {
	w := Why{
		Package: pkg, Action: q.What.String(), Allowed: v.OK, Reason: v.Reason.String(), Needs: q.What.Needs().String(), Caller: holder(q.Who),
	}
	if q.Grant != nil {
		w.Grant = q.Grant.Rights.Package(pkg).String()
	}
	r := &Refusal{Verdict: v, Question: q, Package: pkg, host: host}
	if v.OK {
		w.Sentence = r.permission()
	} else {
		w.Sentence, w.Page = r.Error(), r.page()
	}
	if q.Where.Kind != scopes.GitHub || q.Who.Kind == scopes.Anyone {
		return w
	}
	w.Binding = bound(q)
	if a := q.Access; a.Repo.ID != 0 {
		w.Access = &Held{
			Role: a.Role.String(), Reach: a.Reach.String(), Permission: a.Permission().String(), Why: a.Why, AsOf: a.At.UTC().Truncate(time.Second), Age: max(int(time.Since(a.At).Seconds()), 0),
		}
	}
	return w
}

// bound tells of a question's repository.
func bound(q scopes.Question) *Bound {
	was, now := q.Where.Repo, present(q)
	b := &Bound{Repository: now.String(), ID: was.ID, OwnerID: was.OwnerID, BoundAs: was.String(), State: "bound", Public: q.Public.Repo.ID == was.ID}
	switch {
	case now.OwnerID != was.OwnerID:
		b.State = "transferred"
	case q.Access.Archived:
		b.State = "archived"
	case now.String() != was.String():
		b.State = "renamed"
	}
	return b
}

// age says when GitHub was asked.
func age(at time.Time) string {
	switch past := time.Since(at); {
	case at.IsZero():
		return ""
	case past < 5*time.Second:
		return ", as GitHub said just now"
	case past < 2*time.Minute:
		return fmt.Sprintf(", as GitHub said %d s ago", int(past.Seconds()))
	default:
		return fmt.Sprintf(", as GitHub said %d min ago", int(past.Minutes()))
	}
}
