package npm

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"

	"gatehouse/scopes"
	"gatehouse/server/gate"
	"gatehouse/server/problem"
	"gatehouse/store"
)

// starred lists the packages that somebody starred, as CouchDB's view did (npm stars, until npm 11), without those that the caller may not read.
func (p *protocol) starred(c *gin.Context) error {
	who, err := p.caller(c)
	if err != nil {
		return err
	}
	var login string
	if json.Unmarshal([]byte(c.Query("key")), &login) != nil || login == "" {
		return &problem.Plain{Status: http.StatusBadRequest, Text: `the query "key" is not a login as a JSON string`}
	}
	ctx := c.Request.Context()
	names, err := p.Registry.Starred(ctx, login)
	if err != nil {
		return err
	}
	type row struct {
		Value string `json:"value"`
	}
	rows := []row{}
	for _, name := range names {
		head, err := p.Registry.Head(ctx, name)
		if err == nil {
			_, err = p.Gate.Allow(ctx, who, name, head.Binding, scopes.Install)
		}
		switch refused := (*gate.Refusal)(nil); {
		case err == nil:
			rows = append(rows, row{name})
		case !errors.Is(err, store.ErrNotFound) && !errors.As(err, &refused):
			return err
		}
	}
	return answer(c, map[string]any{"rows": rows})
}
