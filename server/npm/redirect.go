package npm

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"

	"gatehouse/store"
)

// noRedirect is the header with which a caller asks for the bytes themselves, whatever its value; "redirect=false" in the query does the same. Other
// registries that have this one as their upstream need it: some refuse redirects, some follow them into networks that they cannot reach.
const noRedirect = "X-Gatehouse-No-Redirect"

// redirected sends the caller to the storage for a tarball that they may read, and reports whether it has.
//
// The address is a credential for this one object. It is made after the verdict and for this request only, no cache may
// keep it, and nothing but the answer shows it. Clients must not send our credential along, which the storage would refuse, and they
// leave it out only when the host name changes: npm and yarn 1 keep it across a change of port. So nobody is sent to the name that they know us by.
//
// Only a plain GET is answered so: the address is signed for that method, and validators and ranges are about our ETag, which the storage does not know.
func (p *protocol) redirected(c *gin.Context, head store.Head, version string) (bool, error) {
	r := c.Request
	if p.Redirect == 0 || r.Method != http.MethodGet || r.Header.Values(noRedirect) != nil || r.URL.Query().Get("redirect") == "false" {
		return false, nil
	}
	for _, name := range []string{"Range", "If-None-Match", "If-Match", "If-Modified-Since", "If-Unmodified-Since"} {
		if r.Header.Get(name) != "" {
			return false, nil
		}
	}
	address, ok, err := p.Registry.Link(r.Context(), head, version, p.Redirect)
	if !ok || err != nil {
		return false, err
	}
	own, err := p.leadsHere(r, address)
	if err != nil {
		return false, err
	}
	if own {
		p.sameHost.Do(func() {
			c.Set("warning", "tarballs are not redirected: the storage has the registry's own host name, and clients would send their tokens there (storage.s3.redirect)")
		})
		return false, nil
	}
	h := c.Writer.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Location", address)
	c.Writer.WriteHeader(http.StatusFound)
	c.Writer.WriteHeaderNow()
	return true, nil
}

// leadsHere reports whether an address has a host name by which the caller may know this registry: that of the request, or
// that in the documents.
func (p *protocol) leadsHere(r *http.Request, address string) (bool, error) {
	there, err := url.Parse(address)
	if err != nil {
		return false, errors.New("the storage makes addresses that are none") // and the cause would show it
	}
	base, err := p.Base(r)
	if err != nil {
		return false, err
	}
	here, err := url.Parse(base)
	if err != nil {
		return false, err
	}
	asked := url.URL{Host: r.Host}
	return sameName(there, here) || sameName(there, &asked), nil
}

func sameName(a, b *url.URL) bool {
	return strings.EqualFold(strings.TrimSuffix(a.Hostname(), "."), strings.TrimSuffix(b.Hostname(), "."))
}
