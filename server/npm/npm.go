// Package npm is the protocol that npm, pnpm, yarn and bun speak to a registry.
//
// It owns the routes of packages, tarballs, dist-tags and the account, and what goes into and comes out of them: a handler resolves
// names, asks the gate, calls the registry and copies bytes. Rules about permission are the gate's, rules about packages the store's, and what
// an error looks like is package problem's; none of them is repeated here.
//
// The order inside a handler is always the same: the name, the caller, the head, the verdict, and only then anything that depends on what is
// stored. So what a caller may not see costs the same answer as what is not there, and a 304 takes the same permission as the document.
package npm

import (
	"context"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"time"

	"gatehouse/scopes"
	"gatehouse/server/audit"
	"gatehouse/server/gate"
	"gatehouse/server/problem"
	"gatehouse/store"
	"gatehouse/store/blob"
	"gatehouse/store/packument"
	"github.com/gin-gonic/gin"
)

// Registry is what the protocol speaks about (met by *store.Store, whose comments hold).
type Registry interface {
	reader
	writer
}

type reader interface {
	Head(ctx context.Context, name string) (store.Head, error)
	Document(ctx context.Context, h store.Head, form packument.Form, base string, gzipped bool) (*store.Document, error)
	Manifest(ctx context.Context, h store.Head, version, base string) ([]byte, error)
	Stat(ctx context.Context, h store.Head, version string) (store.Version, error)
	Tarball(ctx context.Context, h store.Head, version string) (*blob.Object, store.Version, error)
	Link(ctx context.Context, h store.Head, version string, ttl time.Duration) (address string, ok bool, err error)
	Versions(ctx context.Context, name string) ([]string, error)
	Starred(ctx context.Context, login string) ([]string, error)
	NamespaceOwner(ctx context.Context, namespace string) (int64, error)
	Sample(ctx context.Context, namespace string) (scopes.Repo, bool)
}

type writer interface {
	Publish(ctx context.Context, p store.Publication) (store.Outcome, error)
	Tag(ctx context.Context, name string, tags map[string]string, e store.Edit) (store.Head, error)
	Retag(ctx context.Context, name string, tags map[string]string, e store.Edit) (store.Head, error)
	Untag(ctx context.Context, name, tag string, e store.Edit) (store.Head, error)
	Deprecate(ctx context.Context, name string, messages map[string]string, e store.Edit) (store.Head, error)
	Unpublish(ctx context.Context, name string, keep func(version string) bool, latest string, e store.Edit) (store.Head, error)
	UnpublishAll(ctx context.Context, name string, e store.Edit) (store.Head, error)
	Star(ctx context.Context, name string, on bool, by scopes.Principal) (store.Head, error)
	Rebind(ctx context.Context, name string, r store.Rebinding, e store.Edit) (store.Head, error)
}

// Global says what becomes of names that this registry does not serve: those without a namespace, and those of others' namespaces.
type Global struct {
	// Redirect is the registry that reads of them are sent to; nil refuses them.
	Redirect *url.URL
}

// Options of the protocol.
type Options struct {
	Registry Registry
	Gate     *gate.Gate
	// Tokens are the registry's own; nil: it gives out none.
	Tokens Tokens
	Global Global
	// Owners may be nil: they are then neither shown nor changed from here.
	Owners Owners
	// Base returns the public address of the registry for a request: an absolute URL that ends in a slash.
	Base func(*http.Request) (string, error)
	// From returns the address of whoever sent a request, by way of trusted proxies.
	From func(*http.Request) netip.Addr
	// Redirect is for how long the address is valid that a caller is sent to for a tarball, where the registry has one; 0: tarballs are
	// served from here.
	Redirect time.Duration
	// Replace lets a publish take the place of a version that exists (settings.allow_previous_version).
	// ReplaceOf says otherwise for single namespaces, in lower case.
	Replace   bool
	ReplaceOf map[string]bool
	// MaxPublish bounds the body of a publish, in bytes.
	MaxPublish int64
	// VerdictFor is how old a verdict may be when the change it allows is made; 0 means 5 s.
	VerdictFor time.Duration
	// Spool is the folder for tarballs on their way in.
	Spool string
	// MailDomain is GitHub's for addresses that reach nobody: publishers are named with one, as npm wants an address.
	MailDomain string
}

type protocol struct {
	Options
	bodies *bodies
	// inflate hands out the turns at unpacking tarballs, which takes a processor for as long as a hostile one can be made to last.
	inflate  func(context.Context) (done func(), err error)
	sameHost sync.Once // says in the log that redirects would go to the registry's own host name
}

// Mount adds the routes of the protocol. Names come from the door in one spelling, so each route stands here once.
func Mount(r gin.IRoutes, o Options) {
	if o.VerdictFor == 0 {
		o.VerdictFor = 5 * time.Second
	}
	p := &protocol{Options: o, bodies: newBodies(), inflate: packument.Turns(2)}
	handle := func(method, path string, h problem.Handler) { r.Handle(method, path, problem.Handle(h)) }
	get := func(path string, h problem.Handler) {
		handle(http.MethodGet, path, h)
		handle(http.MethodHead, path, h)
	}

	get("/-/ping", p.ping)
	get("/-/whoami", p.whoami)
	handle(http.MethodPut, "/-/user/:user", p.login)
	handle(http.MethodPost, "/-/v1/login", p.login)
	get("/-/v1/search", cannot("this registry cannot search yet"))
	for _, path := range []string{"advisories/bulk", "audits", "audits/quick"} {
		handle(http.MethodPost, "/-/npm/v1/security/"+path, cannot("this registry has no advisories; audit against the public registry"))
	}

	get("/-/why/:name/:action", p.why)

	get("/-/package/:name/dist-tags", p.listTags)
	handle(http.MethodPost, "/-/package/:name/dist-tags", p.mergeTags)
	handle(http.MethodPut, "/-/package/:name/dist-tags", p.replaceTags)
	handle(http.MethodPut, "/-/package/:name/dist-tags/:tag", p.setTag)
	handle(http.MethodPost, "/-/package/:name/dist-tags/:tag", p.setTag)
	handle(http.MethodDelete, "/-/package/:name/dist-tags/:tag", p.removeTag)

	get("/-/package/:name/binding", p.binding)
	handle(http.MethodPut, "/-/package/:name/binding", p.rebind)

	for _, method := range []string{http.MethodPost, http.MethodPut} {
		handle(method, "/-/package/:name/owners", p.owners)
	}
	handle(http.MethodDelete, "/-/package/:name/owners/:login", p.owners)

	p.mountTokens(handle)

	get("/:name", p.packument)
	get("/:name/:version", p.manifest)
	get("/:name/-/:file", p.tarball)
	handle(http.MethodPut, "/:name", p.publish)
	handle(http.MethodPut, "/:name/-rev/:revision", p.edit)
	handle(http.MethodDelete, "/:name/-rev/:revision", p.unpublish)
	handle(http.MethodDelete, "/:name/-/:file/-rev/:revision", p.removeTarball)
	get("/-/_view/starredByUser", p.starred)
}

// param returns a part of the path as it was meant. The door has seen to it that it decodes.
func param(c *gin.Context, name string) string {
	s, err := url.PathUnescape(c.Param(name))
	if err != nil {
		return ""
	}
	return s
}

// reader identifies the caller of a read of the package: see gate.Reader.
func (p *protocol) reader(c *gin.Context, name packument.Name) (gate.Caller, error) {
	who, err := p.Gate.Reader(c.Request.Context(), c.Request.Header, p.From(c.Request), name.String())
	if err == nil {
		audit.Caller(c, who)
	}
	return who, err
}

// caller identifies the caller and notes who it is for the logs.
func (p *protocol) caller(c *gin.Context) (gate.Caller, error) {
	who, err := p.Gate.Identify(c.Request.Context(), c.Request.Header, p.From(c.Request))
	if err == nil {
		audit.Caller(c, who)
	}
	return who, err
}
