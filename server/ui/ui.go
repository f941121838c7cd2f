// Package ui is what the registry shows to a person with a browser, and the root's answer to tools.
//
// It owns its pages and nothing else; what they say of packages they ask of the same store and the same gate as everybody. Pages are
// rendered on the server, carry no script, and allow none (Content-Security-Policy).
package ui

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"html/template"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"gatehouse/scopes"
	"gatehouse/server/problem"
)

// Options of the pages.
type Options struct {
	Base    func(*http.Request) (string, error)
	Names   scopes.Namespaces
	Open    bool // everybody may do everything
	Version string
}

//go:embed root.html
var rootHTML string

var rootPage = template.Must(template.New("root").Parse(rootHTML))

// Mount adds the pages' routes.
func Mount(r gin.IRoutes, o Options) {
	h := problem.Handle(o.root)
	r.GET("/", h)
	r.HEAD("/", h)
}

// root tells a browser how to use the registry, and a tool that there is one: Azure Artifacts and health checks want JSON here.
func (o Options) root(c *gin.Context) error {
	base, err := o.Base(c.Request)
	if err != nil {
		return err
	}
	h := c.Writer.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Vary", "Accept")
	if !strings.Contains(c.GetHeader("Accept"), "text/html") {
		body, err := json.Marshal(map[string]string{"name": "gatehouse", "version": o.Version, "registry": base})
		if err != nil {
			return err
		}
		c.Data(http.StatusOK, "application/json", body)
		return nil
	}
	namespace := "OWNER"
	served := o.Names.Served()
	if len(served) > 0 {
		namespace = served[0]
	}
	var page bytes.Buffer
	err = rootPage.Execute(&page, map[string]any{
		"Base": base, "Key": strings.TrimPrefix(strings.TrimPrefix(base, "https:"), "http:"),
		"Namespace": namespace, "Owners": served, "Host": o.Names.Host, "Open": o.Open, "Version": o.Version,
	})
	if err != nil {
		return err
	}
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	c.Data(http.StatusOK, "text/html; charset=utf-8", page.Bytes())
	return nil
}
