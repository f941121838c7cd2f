package npm

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"

	"gatehouse/server/problem"
	"gatehouse/store/packument"
)

// ours reports whether the name is one of this registry's, whether or not there is such a package. What is ours is never
// looked for elsewhere: a private package that is missing must stay missing.
func (p *protocol) ours(name packument.Name) bool {
	return p.Gate.Names().Has(name.String())
}

// elsewhere answers a read of a name that is not ours: with a redirect to the public registry, made of the parsed path and nothing
// else of the request, or with a refusal.
func (p *protocol) elsewhere(c *gin.Context, name packument.Name) error {
	if p.Global.Redirect == nil {
		return &problem.Plain{Status: http.StatusNotFound, Text: name.String() + " is not one of this registry's names, and it redirects to no other registry; " + p.served()}
	}
	path := c.Request.URL.EscapedPath()
	if strings.HasPrefix(path, "/-/") {
		return &problem.Plain{Status: http.StatusNotFound, Text: name.String() + " is a package of another registry: ask " + p.Global.Redirect.Host}
	}
	c.Writer.Header().Set("Cache-Control", "no-store")
	c.Writer.Header().Set("Location", strings.TrimSuffix(p.Global.Redirect.String(), "/")+path)
	c.Writer.WriteHeader(http.StatusFound)
	c.Writer.WriteHeaderNow()
	return errRedirected
}

// refuseForeign answers a write to a name that is not ours.
func (p *protocol) refuseForeign(name packument.Name) error {
	return &problem.Plain{Status: http.StatusForbidden, Text: fmt.Sprintf("%s cannot be published here: %s", name, p.served())}
}

// served says in a sentence how names work here.
func (p *protocol) served() string {
	names := p.Gate.Names().Served()
	if len(names) == 0 {
		return "packages of this registry are named @OWNER/NAME, where OWNER is the GitHub account that owns their repository"
	}
	return "packages of this registry are named @" + strings.Join(names, "/NAME or @") + "/NAME, after the GitHub account that owns their repository"
}

// ParseGlobal reads the address of the registry that foreign names are redirected to.
func ParseGlobal(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" {
		return nil, fmt.Errorf("%q is not an absolute http(s) address", address)
	}
	return u, nil
}
