package npm

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"gatehouse/scopes"
	"gatehouse/server/audit"
	"gatehouse/server/gate"
	"gatehouse/server/problem"
	"gatehouse/store"
	"gatehouse/store/packument"
)

// Clients change a package by sending it back whole, changed. What they send is never stored: it is compared with what is, and
// only the change that the verb makes is taken out of it. Which verb it is shows in the body (npm-protocol.md §8.1):
//
//	PUT /name            versions    deprecate, undeprecate
//	PUT /name            users       star, unstar
//	PUT /name/-rev/R     maintainers owner add, owner rm
//	PUT /name/-rev/R     versions    unpublish of those that are missing; star (pnpm 12) if none is
//	DELETE /name/-rev/R              unpublish of the whole package
//	DELETE /name/-/F/-rev/R          the second half of an unpublish, after the version is gone

// amend is PUT /name with a document that has no tarball.
func (p *protocol) amend(c *gin.Context, name packument.Name, head store.Head, who gate.Caller, document []byte) error {
	edit, err := readEdit(document, name)
	if err != nil {
		return err
	}
	switch {
	case edit.HasVersions:
		return p.deprecate(c, name, head, who, edit)
	case edit.HasUsers:
		return p.star(c, name, head, who, edit)
	}
	return &packument.Invalid{Field: "body", Problem: `is neither a publish ("_attachments"), nor a deprecation ("versions"), nor a star ("users")`}
}

// readEdit reads a document, which has to be about the package of the address.
func readEdit(document []byte, name packument.Name) (*packument.Edit, error) {
	edit, err := packument.ReadEdit(document)
	if err == nil && edit.Name != "" && edit.Name != name.String() {
		return nil, &packument.Invalid{Field: "name", Problem: "is not the package of the address, " + name.String()}
	}
	return edit, err
}

// deprecate takes the messages of the document's versions.
func (p *protocol) deprecate(c *gin.Context, name packument.Name, head store.Head, who gate.Caller, edit *packument.Edit) error {
	if err := p.allowed(c, name, head, who, scopes.Deprecate); err != nil {
		return err
	}
	messages := make(map[string]string, len(edit.Versions))
	change := audit.Change{Action: scopes.Deprecate.String(), Package: name.String(), Note: "the versions named are those deprecated now"}
	for version, listed := range edit.Versions {
		messages[version] = listed.Message
		if listed.Message != "" {
			change.Versions = append(change.Versions, version)
		}
	}
	slices.Sort(change.Versions)
	_, err := p.Registry.Deprecate(c.Request.Context(), name.String(), messages, p.basis(head, who, edit.Rev))
	if err != nil {
		return err
	}
	audit.Changed(c, change)
	return done(c, http.StatusOK)
}

// star takes what the caller says of themselves; what is said of others is not looked at.
func (p *protocol) star(c *gin.Context, name packument.Name, head store.Head, who gate.Caller, edit *packument.Edit) error {
	if err := p.Gate.Live(c.Request.Context(), who); err != nil {
		return err
	}
	if err := p.allowed(c, name, head, who, scopes.Install); err != nil {
		return err
	}
	if who.Login == "" {
		return &problem.Plain{Status: http.StatusForbidden, Text: "stars need somebody to be from, and this registry does not ask who is calling (auth.type none)"}
	}
	if err := p.Gate.MayStar(who); err != nil {
		return err
	}
	on := false
	for login, star := range edit.Users {
		on = on || star && strings.EqualFold(login, who.Login)
	}
	if _, err := p.Registry.Star(c.Request.Context(), name.String(), on, who.Principal); err != nil {
		return err
	}
	audit.Changed(c, audit.Change{Action: map[bool]string{true: "star", false: "unstar"}[on], Package: name.String()})
	return done(c, http.StatusOK)
}

// edit is PUT /name/-rev/R.
func (p *protocol) edit(c *gin.Context) error {
	name, head, who, err := p.visible(c)
	if err != nil {
		return p.drained(c, err)
	}
	document, release, err := p.receiveDocument(c, who)
	if err != nil {
		return p.drained(c, err)
	}
	defer release()
	edit, err := readEdit(document, name)
	if err != nil {
		return err
	}
	revision := param(c, "revision")
	switch {
	case edit.Rev != "" && edit.Rev != revision:
		return store.ErrStale // of a document that says which revision it was, that is the one
	case !edit.HasVersions && edit.HasMaintainers:
		return p.setOwners(c, who, head, revision, document)
	case !edit.HasVersions:
		return &packument.Invalid{Field: "body", Problem: `has neither "versions" nor "maintainers"`}
	case len(edit.Versions) == 0:
		return &packument.Invalid{Field: "versions", Problem: "is empty; a whole package is unpublished with DELETE (npm unpublish --force)"}
	}
	keep := func(version string) bool { _, ok := edit.Versions[version]; return ok }
	if edit.HasUsers && p.keepsAll(c.Request.Context(), head, keep) {
		return p.star(c, name, head, who, edit)
	}
	if err := p.allowed(c, name, head, who, scopes.Unpublish); err != nil {
		return err
	}
	gone, err := p.Registry.Versions(c.Request.Context(), name.String())
	if err != nil {
		return err
	}
	gone = slices.DeleteFunc(gone, keep)
	_, err = p.Registry.Unpublish(c.Request.Context(), name.String(), keep, edit.DistTags["latest"], p.basis(head, who, revision))
	if err != nil {
		return err
	}
	audit.Changed(c, audit.Change{Action: scopes.Unpublish.String(), Package: name.String(), Versions: gone})
	return done(c, http.StatusOK)
}

// keepsAll reports whether every version that is there is listed.
func (p *protocol) keepsAll(ctx context.Context, head store.Head, keep func(string) bool) bool {
	versions, err := p.Registry.Versions(ctx, head.Name)
	return err == nil && !slices.ContainsFunc(versions, func(v string) bool { return !keep(v) })
}

// unpublish is DELETE /name/-rev/R: the whole package.
func (p *protocol) unpublish(c *gin.Context) error {
	name, head, who, err := p.visible(c)
	if err != nil {
		return err
	}
	if err := p.allowed(c, name, head, who, scopes.Unpublish); err != nil {
		return err
	}
	if _, err := p.Registry.UnpublishAll(c.Request.Context(), name.String(), p.basis(head, who, param(c, "revision"))); err != nil {
		return err
	}
	audit.Changed(c, audit.Change{Action: scopes.Unpublish.String(), Package: name.String(), Note: "the whole package"})
	return done(c, http.StatusOK)
}

// removeTarball is what npm asks for after it has unpublished a version: by then nothing is left to do, and to say so is all. The
// tarball of a version that is there does not go without it.
func (p *protocol) removeTarball(c *gin.Context) error {
	name, head, who, err := p.visible(c)
	if err != nil {
		return err
	}
	if err := p.allowed(c, name, head, who, scopes.Unpublish); err != nil {
		return err
	}
	version, ok := name.VersionOf(param(c, "file"))
	if !ok {
		return noVersion(name, param(c, "file"), who)
	}
	_, err = p.Registry.Manifest(c.Request.Context(), head, version, "")
	switch gone := (*store.Gone)(nil); {
	case errors.As(err, &gone):
		return done(c, http.StatusOK)
	case errors.Is(err, store.ErrNoVersion):
		return noVersion(name, version, who)
	case err != nil:
		return err
	}
	return &problem.Plain{Status: http.StatusConflict, Text: name.String() + "@" + version + " is published, and its tarball goes only with it: npm unpublish " + name.String() + "@" + version}
}

// visible is the way of an edit up to the package, for whoever may read it.
func (p *protocol) visible(c *gin.Context) (packument.Name, store.Head, gate.Caller, error) {
	name, err := p.writable(c)
	if err != nil {
		return name, store.Head{}, gate.Caller{}, err
	}
	who, err := p.caller(c)
	if err != nil {
		return name, store.Head{}, who, err
	}
	head, err := p.Registry.Head(c.Request.Context(), name.String())
	return name, head, who, p.shown(c, name, head, who, err)
}

func (p *protocol) allowed(c *gin.Context, name packument.Name, head store.Head, who gate.Caller, what scopes.Action) error {
	_, err := p.Gate.Allow(c.Request.Context(), who, name.String(), head.Binding, what)
	return err
}

func (p *protocol) basis(head store.Head, who gate.Caller, revision string) store.Edit {
	return store.Edit{Revision: revision, Where: head.Binding, By: who.Principal}
}

// receiveDocument reads a document that a client sends back. It counts among the bodies under way until it is released.
func (p *protocol) receiveDocument(c *gin.Context, who gate.Caller) (document []byte, release func(), err error) {
	if err := plain(c); err != nil {
		return nil, nil, err
	}
	limits := packument.DefaultLimits
	if release, err = p.bodies.take(c.Request.Context(), who); err != nil {
		return nil, nil, err
	}
	document, err = packument.ReadDocument(c.Request.Context(), http.MaxBytesReader(underlying(c), c.Request.Body, limits.Document), limits)
	if err != nil {
		release()
		return nil, nil, err
	}
	return document, release, nil
}

// settingsPage is where access to the package's repository is given.
func (p *protocol) settingsPage(head store.Head) string {
	if head.Binding.Kind != scopes.GitHub {
		return "the registry's operator can tell how"
	}
	return "https://" + p.Gate.Names().Host + "/" + head.Binding.Repo.String() + "/settings/access"
}

// now is the head of a package that the caller may read, with its repository by the name that it has now.
func (p *protocol) now(ctx context.Context, who gate.Caller, head store.Head) store.Head {
	access, err := p.Gate.Allow(ctx, who, head.Name, head.Binding, scopes.Install) // as just before
	if repo := &head.Binding.Repo; err == nil && access.Repo.ID == repo.ID && repo.ID != 0 {
		repo.Owner, repo.Name = access.Repo.Owner, access.Repo.Name
	}
	return head
}
