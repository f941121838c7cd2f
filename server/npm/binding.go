package npm

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"gatehouse/scopes"
	"gatehouse/server/audit"
	"gatehouse/server/gate"
	"gatehouse/server/problem"
	"gatehouse/store"
	"gatehouse/store/packument"
)

// bindingAnswer is a package's binding for people and programs. The numbers are what counts; the name is the one GitHub has now.
type bindingAnswer struct {
	Package      string `json:"package"`
	Repository   string `json:"repository,omitempty"`
	RepositoryID int64  `json:"repository_id,omitempty"`
	OwnerID      int64  `json:"owner_id,omitempty"` // of the account that it was bound for
	// State is "bound"; "renamed" since it was bound, which changes nothing; "transferred" to another account or "archived", which freezes the
	// package; or "unbound".
	State string `json:"state"`
}

// binding tells readers which repository a package gets its permissions from. Those of a repository that was transferred are told too.
func (p *protocol) binding(c *gin.Context) error {
	name, head, who, err := p.readable(c)
	var refused *gate.Refusal
	if errors.As(err, &refused) && refused.Reason == scopes.Transferred && !refused.Hide {
		return answer(c, stateOf(name, refused.Question.Where.Repo, refused.Question.Access))
	}
	if err != nil {
		return unlessRedirected(err)
	}
	if head.Binding.Kind != scopes.GitHub {
		return answer(c, bindingAnswer{Package: name.String(), State: "unbound"})
	}
	access, err := p.Gate.Allow(c.Request.Context(), who, name.String(), head.Binding, scopes.Install) // as just now
	if err != nil {
		return err
	}
	return answer(c, stateOf(name, head.Binding.Repo, access))
}

func stateOf(name packument.Name, bound scopes.Repo, access scopes.Access) bindingAnswer {
	a := bindingAnswer{Package: name.String(), Repository: access.Repo.String(), RepositoryID: bound.ID, OwnerID: bound.OwnerID, State: "bound"}
	switch {
	case access.Repo.OwnerID != bound.OwnerID:
		a.State = "transferred"
	case access.Archived:
		a.State = "archived"
	case !strings.EqualFold(access.Repo.String(), bound.String()):
		a.State = "renamed"
	}
	return a
}

// maxBindingBody is more than the name of a repository takes.
const maxBindingBody = 4 << 10

// rebind binds a package to another repository, for an admin of both.
//
// That its repository is gone, or not the caller's to see, cannot be told from a package that is missing, and is not: both are answered with what
// helps in the first case.
func (p *protocol) rebind(c *gin.Context) error {
	name, head, who, err := p.visible(c)
	var refused *gate.Refusal
	var missing *problem.NotFound
	switch {
	case errors.As(err, &missing):
		return p.drained(c, &problem.Plain{Status: http.StatusNotFound, Text: missing.Error() + ". If its repository is gone, an operator can bind it on the registry's machine: gatehouse bind " + name.String() + " OWNER/REPOSITORY"})
	case errors.As(err, &refused) && refused.Reason == scopes.Transferred && !refused.Hide: // this is the way out of it
	case err != nil:
		return p.drained(c, err)
	}
	repository, err := p.newRepository(c)
	if err != nil {
		return p.drained(c, err)
	}
	claim, err := p.claim(c.Request.Context(), name, repository)
	if err != nil {
		return err
	}
	to, err := p.Gate.Rebind(c.Request.Context(), who, head.Binding, claim)
	if err != nil {
		return err
	}
	from := head.Binding.Repo
	head, err = p.Registry.Rebind(c.Request.Context(), name.String(), store.Rebinding{To: to}, p.basis(head, who, ""))
	if err != nil {
		return err
	}
	audit.Changed(c, audit.Change{
		Action: scopes.Rebind.String(), Package: name.String(), Note: fmt.Sprintf("from %s (%d) to %s (%d)", from, from.ID, head.Binding.Repo, head.Binding.Repo.ID),
	})
	return answer(c, stateOf(name, head.Binding.Repo, scopes.Access{Repo: to.Repo}))
}

// newRepository reads {"repository":"acme/ui"}.
func (p *protocol) newRepository(c *gin.Context) (string, error) {
	if p.Gate.Open() {
		return "", &problem.Plain{Status: http.StatusForbidden, Text: "this registry asks nobody for permissions (auth.type none), and binds no package to a repository"}
	}
	if err := plain(c); err != nil {
		return "", err
	}
	body, err := packument.ReadDocument(c.Request.Context(), http.MaxBytesReader(underlying(c), c.Request.Body, maxBindingBody), packument.Limits{Document: maxBindingBody})
	if err != nil {
		return "", err
	}
	var wish struct {
		Repository string `json:"repository"`
	}
	if json.Unmarshal(body, &wish) != nil || wish.Repository == "" {
		return "", &packument.Invalid{Field: "body", Problem: `is not a JSON object with the repository to bind to, such as {"repository":"acme/ui"}`}
	}
	return wish.Repository, nil
}
