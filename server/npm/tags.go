package npm

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/gin-gonic/gin"

	"gatehouse/scopes"
	"gatehouse/server/gate"
	"gatehouse/server/problem"
	"gatehouse/store"
	"gatehouse/store/packument"
)

// maxTagBody is enough for the longest version as a JSON string.
const maxTagBody = 4 << 10

// listTags serves the dist-tags. npm caches what it is not told to forget, and would show an old list after a change.
func (p *protocol) listTags(c *gin.Context) error {
	_, head, _, err := p.readable(c)
	if err != nil {
		return unlessRedirected(err)
	}
	return answer(c, head.DistTags)
}

// setTag points a tag to a version, which comes as a JSON string.
func (p *protocol) setTag(c *gin.Context) error {
	name, head, who, err := p.changeable(c)
	if err != nil {
		return err
	}
	tag := param(c, "tag")
	if err := packument.CheckTag(tag); err != nil {
		return err
	}
	body, err := io.ReadAll(http.MaxBytesReader(underlying(c), c.Request.Body, maxTagBody))
	if err != nil {
		return bodyError(err)
	}
	var version string
	if err := json.Unmarshal(body, &version); err != nil {
		return &packument.Invalid{Field: "body", Problem: `is not a version as a JSON string, such as "1.0.0"`}
	}
	if err := packument.CheckVersion(version); err != nil {
		return err
	}
	_, err = p.Registry.Tag(c.Request.Context(), name.String(), tag, version, head.Binding, who.Principal)
	if errors.Is(err, store.ErrNoVersion) {
		return noVersion(name, version, who)
	}
	if err != nil {
		return err
	}
	return done(c, http.StatusCreated)
}

// removeTag removes a tag.
func (p *protocol) removeTag(c *gin.Context) error {
	name, head, who, err := p.changeable(c)
	if err != nil {
		return err
	}
	if _, err := p.Registry.Untag(c.Request.Context(), name.String(), param(c, "tag"), head.Binding, who.Principal); err != nil {
		return err
	}
	return done(c, http.StatusOK)
}

// changeable is the way of a change to an existing package up to the verdict.
func (p *protocol) changeable(c *gin.Context) (packument.Name, store.Head, gate.Caller, error) {
	name, err := p.writable(c)
	if err != nil {
		return name, store.Head{}, gate.Caller{}, err
	}
	who, err := p.caller(c)
	if err != nil {
		return name, store.Head{}, who, err
	}
	head, err := p.Registry.Head(c.Request.Context(), name.String())
	if errors.Is(err, store.ErrNotFound) {
		return name, head, who, &problem.NotFound{Package: name.String(), Login: who.Login}
	}
	if err != nil {
		return name, head, who, err
	}
	_, err = p.Gate.Allow(c.Request.Context(), who, name.String(), head.Binding, scopes.Tag)
	return name, head, who, err
}

// bodyError keeps what is wrong with a small body apart from what is wrong with the connection.
func bodyError(err error) error {
	if long := (*http.MaxBytesError)(nil); errors.As(err, &long) {
		return err
	}
	return errors.Join(packument.ErrBody, err)
}

// answer serves a small value that must not be kept by any cache.
func answer(c *gin.Context, value any) error {
	body, err := json.Marshal(value)
	if err != nil {
		return err
	}
	c.Writer.Header().Set("Cache-Control", "no-store")
	c.Writer.Header().Set("Content-Type", "application/json")
	return send(c, body)
}
