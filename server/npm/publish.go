package npm

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/gin-gonic/gin"

	"gatehouse/scopes"
	"gatehouse/server/audit"
	"gatehouse/server/gate"
	"gatehouse/server/problem"
	"gatehouse/store"
	"gatehouse/store/packument"
)

// publish adds a version, or passes on what comes without a tarball: see amend.
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
	began := time.Now()
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
	var refused *gate.Refusal
	if exists {
		access, err = p.Gate.Allow(ctx, who, name.String(), head.Binding, scopes.Publish)
		if err != nil && !errors.As(err, &refused) {
			return p.drained(c, err)
		}
	}
	hidden := refused != nil && refused.Hide

	if !exists {
		// What a hidden package costs in questions to GitHub, and what comes of them, a missing one costs too.
		if err := p.Gate.Confirm(ctx, who, 0); err != nil {
			return p.drained(c, err)
		}
	}

	upload, err := p.receive(c, who, name, refused != nil && !hidden)
	if document := (*packument.NoAttachment)(nil); errors.As(err, &document) {
		switch {
		case hidden, !exists:
			return p.notFound(ctx, who, name, refused)
		}
		return p.amend(c, name, head, who, document.Document)
	}
	if refused != nil && !hidden {
		err = refused
	}
	if err != nil {
		return p.drained(c, err)
	}
	defer func() { _ = upload.Close() }()

	if err := p.Gate.OneRepository(upload.Repository, upload.PackageRepository); err != nil {
		return err
	}
	where := head.Binding
	// The body took its time, and what was allowed when it began may not be any more: a token of the registry's own is looked at again in each case.
	err = p.Gate.Live(ctx, who)
	if err == nil && exists && !hidden && time.Since(began) > p.VerdictFor {
		access, err = p.Gate.Allow(ctx, who, name.String(), head.Binding, scopes.Publish)
	}
	if err != nil {
		return err
	}
	if exists && !hidden {
		err = p.Gate.Keep(ctx, who, name.String(), upload.Repository, head.Binding, access)
	} else {
		where, err = p.bind(ctx, who, name, upload.Repository)
		if err == nil && hidden {
			err = &problem.Plain{Status: http.StatusForbidden, Text: "the name " + name.String() + " is taken by a package of another repository; publish under another name"}
		}
	}
	if err != nil {
		return err
	}
	// What has been allowed and received is finished, also if the client hangs up now: it could not know whether it was.
	outcome, err := p.Registry.Publish(context.WithoutCancel(ctx), store.Publication{
		Upload: upload, Binding: where, By: who.Principal, Publisher: p.publisher(who.Principal), Replace: p.replaces(name),
	})
	if gone := (*store.Gone)(nil); errors.As(err, &gone) {
		return &problem.Plain{Status: http.StatusConflict, Text: gone.Error() + ": publish under a new one"}
	}
	if errors.Is(err, store.ErrVersionExists) {
		return &problem.Plain{Status: http.StatusConflict, Text: fmt.Sprintf("%s@%s has been published before, and a version is never published twice: use a new version number", name, upload.Version)}
	}
	if err != nil {
		return err
	}
	change := audit.Change{Action: scopes.Publish.String(), Package: name.String(), Versions: []string{upload.Version}, Tags: []string{upload.Tag}}
	switch outcome {
	case store.Repeated:
		change.Note = "had been published already"
	case store.Replaced:
		change.Note = "published over the version that existed"
		c.Set("warning", name.String()+"@"+upload.Version+" was published over (settings.allow_previous_version)")
	}
	audit.Changed(c, change)
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

// replaces reports whether a publish may take the place of a version of the package.
func (p *protocol) replaces(name packument.Name) bool {
	if only, ok := p.ReplaceOf[name.Scope]; ok {
		return only
	}
	return p.Replace
}

// bind is the binding that a first publish gets.
func (p *protocol) bind(ctx context.Context, who gate.Caller, name packument.Name, repository string) (scopes.Binding, error) {
	claim, err := p.claim(ctx, name, repository)
	if err != nil {
		return scopes.Binding{}, err
	}
	return p.Gate.Bind(ctx, who, claim)
}

// claim is the wish to bind a package to a repository, with what is known here of its namespace.
func (p *protocol) claim(ctx context.Context, name packument.Name, repository string) (gate.Claim, error) {
	claim := gate.Claim{Package: name.String(), Repository: repository}
	if name.Scope == "" {
		return claim, nil
	}
	var err error
	if claim.Owner, err = p.Registry.NamespaceOwner(ctx, name.Scope); err != nil {
		return claim, err
	}
	claim.Like, _ = p.Registry.Sample(ctx, name.Scope)
	return claim, nil
}

// receive reads and checks the body of a publish. With noTarball it stops at the first byte of one.
func (p *protocol) receive(c *gin.Context, who gate.Caller, name packument.Name, noTarball bool) (*packument.Upload, error) {
	release, err := p.bodies.take(c.Request.Context(), who)
	if err != nil {
		return nil, err
	}
	defer release()
	if err := plain(c); err != nil {
		return nil, err
	}
	limits := packument.DefaultLimits
	limits.Tarball, limits.Turn = p.MaxPublish, p.inflate
	if noTarball {
		limits.Tarball = 0
	}
	body := http.MaxBytesReader(underlying(c), c.Request.Body, p.MaxPublish)
	u, err := packument.ReadPublish(c.Request.Context(), body, name, limits, p.Spool)
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return nil, fmt.Errorf("%w: %w", store.ErrFull, err)
	}
	return u, err
}

// plain refuses a body that is packed: what unpacks it would have to be bounded, and no client packs these.
func plain(c *gin.Context) error {
	if coding := c.GetHeader("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return &problem.Plain{Status: http.StatusUnsupportedMediaType, Text: "a change is sent without content-encoding, not as " + strconv.QuoteToASCII(coding[:min(len(coding), 40)])}
	}
	return nil
}

// drained reads what is left of the body before the answer goes out: a client that is still sending does not read, and a connection closed on it
// loses the answer that says what is wrong. There are limits to that courtesy, closer ones for callers whom nobody knows.
func (p *protocol) drained(c *gin.Context, err error) error {
	most := int64(1 << 20)
	if audit.Known(c) != nil {
		most = 64 << 20
	}
	began, buf := time.Now(), make([]byte, 32<<10)
	for most > 0 && time.Since(began) < drainFor {
		n, err := c.Request.Body.Read(buf)
		if most -= int64(n); err != nil {
			most = -1
		}
	}
	if most >= 0 {
		c.Writer.Header().Set("Connection", "close")
	}
	return err
}

const drainFor = 10 * time.Second

// publisher is how documents name the one who published. GitHub keeps addresses private; its own address that reaches nobody tells who it was.
func (p *protocol) publisher(who scopes.Principal) packument.Publisher {
	if who.Kind == scopes.Anyone {
		return packument.Publisher{Name: anonymous}
	}
	if who.Credential == scopes.WorkflowToken { // GitHub's own address for what workflows do
		return packument.Publisher{Name: who.Login, Email: "github-actions[bot]@" + p.MailDomain}
	}
	return packument.Publisher{Name: who.Login, Email: strconv.FormatInt(who.ID, 10) + "+" + who.Login + "@" + p.MailDomain}
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
