package ci

import (
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"gatehouse/scopes"
	"gatehouse/server/audit"
	"gatehouse/store"
)

// admission is a repository whose workflows may install a package. The numbers are what counts; the name is what it was called when it was admitted.
type admission struct {
	Repository   string `json:"repository"`
	RepositoryID int64  `json:"repository_id"`
	OwnerID      int64  `json:"owner_id"`
}

func list(head store.Head) map[string]any {
	all := []admission{}
	for _, r := range head.Admitted {
		all = append(all, admission{r.String(), r.ID, r.OwnerID})
	}
	return map[string]any{"package": head.Name, "admitted": all}
}

// admitted lists them.
func (x *rooms) admitted(c *gin.Context) error {
	head, _, err := x.managed(c)
	if err != nil {
		return err
	}
	return answer(c, http.StatusOK, list(head))
}

// admit lets in the workflows of a repository that the caller can see.
func (x *rooms) admit(c *gin.Context) error {
	head, who, err := x.managed(c)
	if err != nil {
		return err
	}
	var wish struct {
		Repository string `json:"repository"`
	}
	if err := read(c, &wish, `a JSON object with the repository to admit, such as {"repository":"acme/api"}`); err != nil {
		return err
	}
	repo, err := x.named(c, who, wish.Repository)
	if err != nil {
		return err
	}
	if head, err = x.Registry.Admit(c.Request.Context(), head.Name, repo, true, store.Edit{Where: head.Binding, By: who.Principal}); err != nil {
		return err
	}
	audit.Changed(c, audit.Change{Action: scopes.Manage.String(), Package: head.Name, Note: "admitted the workflows of " + repo.String()})
	return answer(c, http.StatusOK, list(head))
}

// dismiss takes a repository from the list, by its number: it may be called otherwise by now, or be gone.
func (x *rooms) dismiss(c *gin.Context) error {
	head, who, err := x.managed(c)
	if err != nil {
		return err
	}
	id, err := strconv.ParseInt(param(c, "id"), 10, 64)
	if err != nil || !head.Admits(id) {
		return refuse(http.StatusNotFound, "%s admits no repository of that number", head.Name)
	}
	if head, err = x.Registry.Admit(c.Request.Context(), head.Name, scopes.Repo{ID: id}, false, store.Edit{Where: head.Binding, By: who.Principal}); err != nil {
		return err
	}
	audit.Changed(c, audit.Change{Action: scopes.Manage.String(), Package: head.Name, Note: "dismissed the workflows of the repository " + strconv.FormatInt(id, 10)})
	return answer(c, http.StatusOK, list(head))
}
