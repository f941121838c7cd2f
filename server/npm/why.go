package npm

import (
	"errors"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"gatehouse/server/gate"
	"gatehouse/server/problem"
)

// why explains to a caller what they may do with a package, and what that verdict goes by: as JSON, or in words for who asks for text/plain. The
// answer is 200 also where the verdict is a no.
//
// A caller who may not know of the package gets what they would get for one that is missing, after the same time. What is said of their credential there
// depends on the credential alone.
func (p *protocol) why(c *gin.Context) error {
	what, ok := gate.ParseAction(param(c, "action"))
	if !ok {
		return &problem.Plain{Status: http.StatusBadRequest, Text: "the actions to ask about are install, publish, tag, deprecate, unpublish, manage and rebind"}
	}
	ctx := c.Request.Context()
	name, head, who, err := p.readable(c)
	var refused *gate.Refusal
	var missing *problem.NotFound
	switch {
	case errors.As(err, &missing), errors.As(err, &refused) && refused.Hide:
		return &problem.Explained{Err: err, Caller: p.Gate.Holder(ctx, who)}
	case err != nil && refused == nil:
		return err
	}
	// Whoever is refused an install and told so knows of the package.
	answered, err := p.Gate.Explain(ctx, who, name.String(), head.Binding, what)
	if errors.As(err, &refused) && refused.Hide {
		return &problem.Explained{Err: err, Caller: p.Gate.Holder(ctx, who)}
	}
	if err != nil {
		return err
	}
	if strings.HasPrefix(c.GetHeader("Accept"), "text/plain") {
		c.Writer.Header().Set("Cache-Control", "no-store")
		c.Writer.Header().Set("Content-Type", "text/plain; charset=utf-8")
		return send(c, []byte(answered.Words()))
	}
	return answer(c, answered)
}
