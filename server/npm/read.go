package npm

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"gatehouse/scopes"
	"gatehouse/server/gate"
	"gatehouse/server/problem"
	"gatehouse/store"
	"gatehouse/store/packument"
)

// errRedirected: the request was answered with a redirect, and nothing is left to do.
var errRedirected = errors.New("redirected")

// readable is the way of every read up to the stored package: the name, the caller, the head, the verdict.
func (p *protocol) readable(c *gin.Context) (packument.Name, store.Head, gate.Caller, error) {
	name, err := packument.ParseName(param(c, "name"))
	if err != nil {
		return name, store.Head{}, gate.Caller{}, &problem.Plain{Status: http.StatusNotFound, Text: "not found"}
	}
	if !p.ours(name) {
		return name, store.Head{}, gate.Caller{}, p.elsewhere(c, name)
	}
	who, err := p.reader(c, name)
	if err != nil {
		return name, store.Head{}, who, err
	}
	head, err := p.Registry.Head(c.Request.Context(), name.String())
	return name, head, who, p.shown(c, name, head, who, err)
}

// confirmFor is how old the proof of a credential may be on which a name is said to be missing.
const confirmFor = 5 * time.Second

// shown returns nil if the caller may know of the package that was looked up, with the error of the look-up.
//
// Whoever may not must not be able to tell it from one that is missing: not by the answer, not by GitHub's troubles, which a missing package would not
// have met, and not by the time that GitHub took to answer. So both cost a fresh look at the credential, and both
// answers wait until GitHub could have been asked. Somebody without a credential is told to bring one in both cases.
func (p *protocol) shown(c *gin.Context, name packument.Name, head store.Head, who gate.Caller, lookUp error) error {
	began := time.Now()
	ctx := c.Request.Context()
	var refused *gate.Refusal
	err := lookUp
	switch {
	case errors.Is(lookUp, store.ErrNotFound):
		if err = p.Gate.Confirm(ctx, who, confirmFor); err != nil && who.Kind != scopes.Nobody {
			return err
		}
	case lookUp != nil:
		return lookUp
	default:
		_, err = p.Gate.Allow(ctx, who, name.String(), head.Binding, scopes.Install)
		if !errors.As(err, &refused) || !refused.Hide {
			return err
		}
		// GitHub may have answered in a way that would not have told of a missing one: it counts its limits by the way that it is asked.
		if who.Kind != scopes.Nobody {
			if err := p.Gate.Confirm(ctx, who, confirmFor); err != nil {
				return err
			}
		}
	}
	if who.Kind != scopes.Nobody {
		err = p.notFound(ctx, who, name, refused)
	}
	p.Gate.Level(ctx, began)
	return err
}

// notFound is the answer to a caller who may not know of the package, whether or not there is one: refused is nil where there is none.
func (p *protocol) notFound(ctx context.Context, who gate.Caller, name packument.Name, refused *gate.Refusal) error {
	missing := &problem.NotFound{Package: name.String(), Login: who.Login}
	if refused != nil {
		missing.Cause = refused
	}
	if !p.Gate.Open() {
		like, _ := p.Registry.Sample(ctx, name.Scope)
		missing.Hint = p.Gate.Standing(ctx, who, like)
	}
	return missing
}

// etagHeader is ETag as net/http spells it; with any other spelling it has to be made into this one for each answer.
const etagHeader = "Etag"

const shortType = "application/vnd.npm.install-v1+json"

// packument serves the document with all versions, in the form the client asks for.
//
// It must be revalidated each time (no-cache), since permissions and versions change, and no cache that is shared may keep it (private).
// It never varies by Authorization: npm would write the token into its cache on disk. There is no Last-Modified, from which npm would guess a lifetime.
func (p *protocol) packument(c *gin.Context) error {
	_, head, who, err := p.readable(c)
	if err != nil {
		return unlessRedirected(err)
	}
	if asksOwners(c) {
		if served, err := p.ownerDocument(c, head, who); served || err != nil {
			return err
		}
	}
	base, err := p.Base(c.Request)
	if err != nil {
		return err
	}
	form, contentType := packument.Full, "application/json"
	if strings.Contains(c.GetHeader("Accept"), shortType) {
		form, contentType = packument.Short, shortType
	}
	gzipped := acceptsGzip(c.GetHeader("Accept-Encoding"))
	h := c.Writer.Header()
	h.Set("Cache-Control", "private, no-cache")
	h.Set("Vary", "Accept, Accept-Encoding")
	if known := c.GetHeader("If-None-Match"); known != "" {
		if etag := head.ETag(form, base, gzipped); matches(known, etag) {
			h.Set(etagHeader, etag)
			c.Writer.WriteHeader(http.StatusNotModified)
			c.Writer.WriteHeaderNow()
			return nil
		}
	}
	d, err := p.Registry.Document(c.Request.Context(), head, form, base, gzipped)
	if err != nil {
		return err
	}
	h.Set(etagHeader, d.ETag)
	h.Set("Content-Type", contentType)
	if gzipped {
		h.Set("Content-Encoding", "gzip")
	}
	return send(c, d.Body)
}

// manifest serves one version, named by its number or by a tag.
func (p *protocol) manifest(c *gin.Context) error {
	name, head, who, err := p.readable(c)
	if err != nil {
		return unlessRedirected(err)
	}
	base, err := p.Base(c.Request)
	if err != nil {
		return err
	}
	asked := param(c, "version")
	body, err := p.Registry.Manifest(c.Request.Context(), head, head.Version(asked), base)
	if errors.Is(err, store.ErrNoVersion) {
		return noVersion(name, asked, who)
	}
	if err != nil {
		return err
	}
	etag := head.ManifestETag(head.Version(asked), base)
	h := c.Writer.Header()
	h.Set("Cache-Control", "private, no-cache")
	h.Set(etagHeader, etag)
	if matches(c.GetHeader("If-None-Match"), etag) {
		c.Writer.WriteHeader(http.StatusNotModified)
		c.Writer.WriteHeaderNow()
		return nil
	}
	h.Set("Content-Type", "application/json")
	return send(c, body)
}

func noVersion(name packument.Name, asked string, who gate.Caller) error {
	return &problem.NotFound{Package: name.String() + "@" + asked, Login: who.Login}
}

func unlessRedirected(err error) error {
	if errors.Is(err, errRedirected) {
		return nil
	}
	return err
}

func send(c *gin.Context, body []byte) error {
	c.Writer.Header().Set("Content-Length", strconv.Itoa(len(body)))
	c.Writer.WriteHeader(http.StatusOK)
	if c.Request.Method == http.MethodHead {
		c.Writer.WriteHeaderNow()
		return nil
	}
	_, _ = c.Writer.Write(body) // the client may have gone; the log shows how much it took
	return nil
}

// acceptsGzip reads Accept-Encoding: gzip, unless with q=0.
func acceptsGzip(header string) bool {
	for item := range strings.SplitSeq(header, ",") {
		coding, params, _ := strings.Cut(strings.TrimSpace(item), ";")
		if !strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			continue
		}
		q, found := strings.CutPrefix(strings.ToLower(strings.TrimSpace(params)), "q=")
		if !found {
			return true
		}
		weight, err := strconv.ParseFloat(strings.TrimSpace(q), 64)
		return err == nil && weight > 0
	}
	return false
}

// matches reads If-None-Match: a list of validators, compared weakly as RFC 9110 asks (13.1.2).
func matches(header, etag string) bool {
	for item := range strings.SplitSeq(header, ",") {
		item = strings.TrimSpace(item)
		if item == "*" || strings.TrimPrefix(item, "W/") == etag {
			return true
		}
	}
	return false
}
