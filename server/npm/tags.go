package npm

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"

	"github.com/gin-gonic/gin"

	"gatehouse/scopes"
	"gatehouse/server/audit"
	"gatehouse/server/gate"
	"gatehouse/server/problem"
	"gatehouse/store"
	"gatehouse/store/packument"
)

// maxTagBody is enough for more tags than anybody has.
const maxTagBody = 64 << 10

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
	return p.changeTags(c, p.Registry.Tag, func(body []byte) (map[string]string, error) {
		var version string
		if err := json.Unmarshal(body, &version); err != nil {
			return nil, &packument.Invalid{Field: "body", Problem: `is not a version as a JSON string, such as "1.0.0"`}
		}
		return map[string]string{param(c, "tag"): version}, nil
	})
}

// mergeTags and replaceTags take tags and their versions as a JSON object, as old libraries send them.
func (p *protocol) mergeTags(c *gin.Context) error {
	return p.changeTags(c, p.Registry.Tag, tagMap)
}

func (p *protocol) replaceTags(c *gin.Context) error {
	return p.changeTags(c, p.Registry.Retag, tagMap)
}

func tagMap(body []byte) (tags map[string]string, err error) {
	if err := json.Unmarshal(body, &tags); err != nil || len(tags) == 0 {
		return nil, &packument.Invalid{Field: "body", Problem: `is not a JSON object of tags and versions, such as {"latest":"1.0.0"}`}
	}
	return tags, nil
}

type tagChange func(ctx context.Context, name string, tags map[string]string, e store.Edit) (store.Head, error)

func (p *protocol) changeTags(c *gin.Context, change tagChange, read func(body []byte) (map[string]string, error)) error {
	name, head, who, err := p.changeable(c)
	if err != nil {
		return err
	}
	if err := plain(c); err != nil {
		return err
	}
	// Not only json.Unmarshal, which takes the last of two tags of one name: see packument.ReadDocument.
	limits := packument.Limits{Document: maxTagBody}
	body, err := packument.ReadDocument(c.Request.Context(), http.MaxBytesReader(underlying(c), c.Request.Body, maxTagBody), limits)
	if err != nil {
		return p.drained(c, err)
	}
	tags, err := read(body)
	if err != nil {
		return err
	}
	for tag, version := range tags {
		if err := packument.CheckTag(tag); err != nil {
			return err
		}
		if err := packument.CheckVersion(version); err != nil {
			return err
		}
	}
	_, err = change(c.Request.Context(), name.String(), tags, p.basis(head, who, ""))
	if errors.Is(err, store.ErrNoVersion) {
		return &problem.Plain{Status: http.StatusNotFound, Text: "a tag can only point to a version that is there, and " + name.String() + " has none that was asked for"}
	}
	if err != nil {
		return err
	}
	audit.Changed(c, audit.Change{
		Action: scopes.Tag.String(), Package: name.String(), Tags: slices.Sorted(maps.Keys(tags)), Versions: slices.Compact(slices.Sorted(maps.Values(tags))),
	})
	return done(c, http.StatusCreated)
}

// removeTag removes a tag.
func (p *protocol) removeTag(c *gin.Context) error {
	name, head, who, err := p.changeable(c)
	if err != nil {
		return err
	}
	if _, err := p.Registry.Untag(c.Request.Context(), name.String(), param(c, "tag"), p.basis(head, who, "")); err != nil {
		return err
	}
	audit.Changed(c, audit.Change{Action: scopes.Tag.String(), Package: name.String(), Tags: []string{param(c, "tag")}, Note: "removed"})
	return done(c, http.StatusOK)
}

// changeable is the way of a change of tags up to the verdict.
func (p *protocol) changeable(c *gin.Context) (packument.Name, store.Head, gate.Caller, error) {
	name, head, who, err := p.visible(c)
	if err != nil {
		return name, head, who, err
	}
	return name, head, who, p.allowed(c, name, head, who, scopes.Tag)
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
