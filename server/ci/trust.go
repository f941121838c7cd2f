package ci

import (
	"encoding/json"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"gatehouse/scopes"
	"gatehouse/server/audit"
	"gatehouse/store"
)

// rule is what npm trust sends and shows: a workflow file and an environment of the package's repository.
type rule struct {
	ID          string          `json:"id,omitempty"`
	Type        string          `json:"type"`
	Claims      json.RawMessage `json:"claims"`
	Permissions []string        `json:"permissions"`
}

// claims are those of a rule of the type github.
type claims struct {
	Repository  string  `json:"repository"`
	WorkflowRef fileRef `json:"workflow_ref"`
	Environment string  `json:"environment,omitempty"`
}

type fileRef struct {
	File string `json:"file"`
}

// mayPublish is the permission that a rule is about; there is no other here.
const mayPublish = "createPackage"

func ruleOf(repo scopes.Repo, t store.Trusted) rule {
	c, _ := json.Marshal(claims{repo.String(), fileRef{t.File}, t.Environment}) // never fails: texts
	return rule{ID: t.ID, Type: "github", Claims: c, Permissions: []string{mayPublish}}
}

// trusted lists the rules. With none, every workflow of the repository that the registry's own rules allow may publish.
func (x *rooms) trusted(c *gin.Context) error {
	head, _, err := x.managed(c)
	if err != nil {
		return err
	}
	all := []rule{}
	for _, t := range head.Trusted {
		all = append(all, ruleOf(head.Binding.Repo, t))
	}
	return answer(c, http.StatusOK, all)
}

// trust adds a rule.
func (x *rooms) trust(c *gin.Context) error {
	head, who, err := x.managed(c)
	if err != nil {
		return err
	}
	var wishes []rule
	if err := read(c, &wishes, "the list of one rule that npm trust sends"); err != nil {
		return err
	}
	if len(wishes) != 1 {
		return refuse(http.StatusBadRequest, "one rule at a time is added, and these are %d", len(wishes))
	}
	asked, err := wishes[0].claims()
	if err != nil {
		return err
	}
	repo, err := x.named(c, who, asked.Repository)
	if err != nil {
		return err
	}
	if repo.ID != head.Binding.Repo.ID {
		return refuse(http.StatusConflict, "%s is bound to the GitHub repository %s, whose workflows publish it; a rule names that repository, and this one names %s", head.Name, head.Binding.Repo, repo)
	}
	made, err := x.Registry.Trust(c.Request.Context(), head.Name, store.Trusted{File: asked.WorkflowRef.File, Environment: asked.Environment}, store.Edit{Where: head.Binding, By: who.Principal})
	if err != nil {
		return err
	}
	audit.Changed(c, audit.Change{Action: scopes.Manage.String(), Package: head.Name, Note: strings.TrimSpace("trusts the workflow " + made.File + " " + made.Environment)})
	return answer(c, http.StatusCreated, []rule{ruleOf(repo, made)})
}

// claims checks a rule and returns what it asks of a workflow.
func (r rule) claims() (claims, error) {
	var asked claims
	if r.Type != "github" {
		return asked, refuse(http.StatusBadRequest, "this registry's permissions are GitHub's, and it trusts workflows of GitHub Actions only, none of %.40q", r.Type)
	}
	for _, p := range r.Permissions {
		if p == "createStagedPackage" {
			return asked, refuse(http.StatusBadRequest, "nothing is staged in this registry: use --allow-publish, without --allow-stage-publish")
		}
		if p != mayPublish {
			return asked, refuse(http.StatusBadRequest, "this registry knows no permission %.60q; a rule is about publishing (--allow-publish)", p)
		}
	}
	if len(r.Permissions) == 0 {
		return asked, refuse(http.StatusBadRequest, "the rule allows nothing: use --allow-publish")
	}
	in := json.NewDecoder(strings.NewReader(string(r.Claims)))
	in.DisallowUnknownFields()
	if len(r.Claims) == 0 || in.Decode(&asked) != nil {
		return asked, refuse(http.StatusBadRequest, `the rule's claims are not {"repository": …, "workflow_ref": {"file": …}, "environment": …}`)
	}
	file := asked.WorkflowRef.File
	switch {
	case len(file) > 255 || !printable(file) || strings.ContainsAny(file, `/\ `) || !strings.HasSuffix(file, ".yml") && !strings.HasSuffix(file, ".yaml"):
		return asked, refuse(http.StatusBadRequest, "the workflow is named by its file below .github/workflows, such as release.yml, and not %.80q", file)
	case len(asked.Environment) > 255 || !printable(asked.Environment):
		return asked, refuse(http.StatusBadRequest, "%.80q is not the name of an environment", asked.Environment)
	}
	return asked, nil
}

func printable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

// distrust removes a rule by its id.
func (x *rooms) distrust(c *gin.Context) error {
	head, who, err := x.managed(c)
	if err != nil {
		return err
	}
	id := param(c, "id")
	if err := x.Registry.Distrust(c.Request.Context(), head.Name, id, store.Edit{Where: head.Binding, By: who.Principal}); err != nil {
		return err
	}
	audit.Changed(c, audit.Change{Action: scopes.Manage.String(), Package: head.Name, Note: "trusts the workflow of the rule " + id + " no more"})
	return answer(c, http.StatusOK, map[string]bool{"ok": true})
}
