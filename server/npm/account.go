package npm

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"gatehouse/scopes"
	"gatehouse/server/problem"
)

// anonymous is everybody's name in an open registry.
const anonymous = "anonymous"

// ping answers to anybody.
func (p *protocol) ping(c *gin.Context) error { return answer(c, struct{}{}) }

// whoami tells the login on GitHub. Without a credential it is a 401, whose text npm shows; a 200 without a name would only
// make npm ask for a log-in.
func (p *protocol) whoami(c *gin.Context) error {
	who, err := p.caller(c)
	if err != nil {
		return err
	}
	name := who.Login
	if who.Kind == scopes.Anyone {
		name = anonymous
	}
	return answer(c, map[string]string{"username": name})
}

// cannot answers what npm asks of a registry and this one does not have yet, in words that its users see.
func cannot(text string) problem.Handler {
	return func(*gin.Context) error { return &problem.Plain{Status: http.StatusNotFound, Text: text} }
}
