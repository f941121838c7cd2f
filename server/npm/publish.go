package npm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"gatehouse/scopes"
	"gatehouse/server/gate"
	"gatehouse/server/problem"
	"gatehouse/store"
	"gatehouse/store/packument"
)

// publish adds a version.
//
// The credential is checked before a byte of the body is read, and so is the permission if the package exists. For a new one
// it takes the body: the repository it asks to be bound to is in there.
//
// A package that the caller may not see is treated like one that does not exist, until the very end: only who may publish from the
// repository they name, and so belongs to the namespace's owner, is told that the name is taken.
func (p *protocol) publish(c *gin.Context) error {
	ctx := c.Request.Context()
	name, err := p.writable(c)
	if err != nil {
		return p.drained(c, err)
	}
	if c.Request.ContentLength > p.MaxPublish {
		return p.drained(c, &http.MaxBytesError{Limit: p.MaxPublish})
	}
	who, err := p.caller(c)
	if err != nil {
		return p.drained(c, err)
	}
	head, err := p.Registry.Head(ctx, name.String())
	exists := err == nil
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return p.drained(c, err)
	}
	var access scopes.Access
	hidden := false
	if exists {
		access, err = p.Gate.Allow(ctx, who, name.String(), head.Binding, scopes.Publish)
		if r := (*gate.Refusal)(nil); errors.As(err, &r) && r.Hide {
			hidden = true
		} else if err != nil {
			return p.drained(c, err)
		}
	}

	upload, err := p.receive(c, name)
	if err != nil {
		return p.drained(c, err)
	}
	defer func() { _ = upload.Close() }()

	where := head.Binding
	if exists && !hidden {
		err = p.Gate.Keep(ctx, who, name.String(), upload.Repository, head.Binding, access)
	} else {
		where, err = p.Gate.Bind(ctx, who, name.String(), name.Scope, upload.Repository)
		if err == nil && hidden {
			err = &problem.Plain{Status: http.StatusForbidden, Text: "the name " + name.String() + " is taken by a package of another repository; publish under another name"}
		}
	}
	if err != nil {
		return err
	}
	// What has been allowed and received is finished, also if the client hangs up now: it could not know whether it was.
	_, err = p.Registry.Publish(context.WithoutCancel(ctx), store.Publication{
		Upload: upload, Binding: where, By: who.Principal, Publisher: p.publisher(who.Principal),
	})
	if errors.Is(err, store.ErrVersionExists) {
		return &problem.Plain{Status: http.StatusConflict, Text: fmt.Sprintf("%s@%s has been published before, and a version is never published twice: use a new version number", name, upload.Version)}
	}
	if err != nil {
		return err
	}
	return done(c, http.StatusCreated)
}

// writable is the name of a write, if it can be one of ours.
func (p *protocol) writable(c *gin.Context) (packument.Name, error) {
	name, err := packument.ParseName(param(c, "name"))
	if err != nil {
		return name, err
	}
	if !p.ours(name) {
		return name, p.refuseForeign(name)
	}
	return name, name.CheckNew()
}

// receive reads and checks the body of a publish. The number of bytes under way is bounded; who comes when it is full waits.
func (p *protocol) receive(c *gin.Context, name packument.Name) (*packument.Upload, error) {
	weight := c.Request.ContentLength
	if weight < 0 {
		weight = p.MaxPublish
	}
	if err := p.bodies.Acquire(c.Request.Context(), weight); err != nil {
		return nil, err
	}
	defer p.bodies.Release(weight)
	if coding := c.GetHeader("Content-Encoding"); coding != "" && coding != "identity" {
		return nil, &problem.Plain{Status: http.StatusUnsupportedMediaType, Text: "a publish is sent without content-encoding, not as " + strconv.QuoteToASCII(coding)}
	}
	limits := packument.DefaultLimits
	limits.Tarball = p.MaxPublish
	body := http.MaxBytesReader(underlying(c), c.Request.Body, p.MaxPublish)
	return packument.ReadPublish(c.Request.Context(), body, name, limits, p.Spool)
}

// drained reads what is left of the body before the answer goes out: a client that is still sending does not read, and a connection closed on it
// loses the answer that says what is wrong. It takes no more than a publish may have.
func (p *protocol) drained(c *gin.Context, err error) error {
	_, _ = io.CopyN(io.Discard, c.Request.Body, p.MaxPublish)
	return err
}

// publisher is how documents name the one who published. GitHub keeps addresses private; its own address that reaches nobody tells who it was.
func (p *protocol) publisher(who scopes.Principal) packument.Publisher {
	if who.Kind == scopes.Anyone {
		return packument.Publisher{Name: anonymous}
	}
	return packument.Publisher{Name: who.Login, Email: strconv.FormatInt(who.ID, 10) + "+" + who.Login + "@" + p.MailDomain}
}

// notYet answers the verbs that take something away, in words that npm shows.
func (p *protocol) notYet(c *gin.Context) error {
	return p.drained(c, &problem.Plain{Status: http.StatusMethodNotAllowed, Text: "this registry cannot unpublish or change owners yet"})
}

// done answers a write as CouchDB did and clients expect.
func done(c *gin.Context, status int) error {
	body := []byte(`{"ok":true,"success":true}`)
	h := c.Writer.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	c.Writer.WriteHeader(status)
	_, _ = c.Writer.Write(body)
	return nil
}
