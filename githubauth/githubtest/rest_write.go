package githubtest

import (
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
)

// The three routes here change a repository's contents on GitHub. A caller uses them with a body that can't
// succeed to learn whether it may write (github.md §1.4, W2 to W4), so what matters is the order of the
// checks: access first, then the body. Nothing is ever changed: a request that would succeed is answered as
// if it had.

// writable is repository for a caller who may change the contents.
func (g *GitHub) writable(c *call) (*repo, *answer) {
	r, refused := g.repository(c)
	switch {
	case refused != nil:
		return nil, refused
	case c.token == nil && c.client == "":
		return nil, fail(http.StatusUnauthorized, "Requires authentication")
	case c.token == nil:
		return nil, notFound()
	case !g.writes(c.caller, r):
		return nil, forbidden(c.token)
	case r.archived:
		return nil, fail(http.StatusForbidden, "Repository was archived so is read-only.")
	}
	return r, nil
}

func invalid(message string) *answer { return fail(http.StatusUnprocessableEntity, message) }

// jsonBody reads a JSON body. GitHub answers 400 for what isn't an object.
func jsonBody(c *call) (map[string]any, *answer) {
	body, err := io.ReadAll(io.LimitReader(c.Body, 1<<20))
	fields := map[string]any{}
	if err != nil || len(body) > 0 && json.Unmarshal(body, &fields) != nil {
		return nil, fail(http.StatusBadRequest, "Problems parsing JSON")
	}
	return fields, nil
}

// jsonInto reads a JSON body into a struct; no body is an empty one.
func jsonInto(c *call, v any) *answer {
	body, err := io.ReadAll(io.LimitReader(c.Body, 1<<20))
	if err != nil || len(body) > 0 && json.Unmarshal(body, v) != nil {
		return fail(http.StatusBadRequest, "Problems parsing JSON")
	}
	return nil
}

// generateNotes is POST …/releases/generate-notes: "The generated release notes are not saved anywhere".
func generateNotes(g *GitHub, c *call) answer {
	if _, refused := g.writable(c); refused != nil {
		return *refused
	}
	fields, refused := jsonBody(c)
	if refused != nil {
		return *refused
	}
	tag, _ := fields["tag_name"].(string)
	if tag == "" {
		return *invalid(`Invalid request.` + "\n\n" + `"tag_name" wasn't supplied.`)
	}
	return ok(map[string]any{"name": tag, "body": "**Full Changelog**: " + c.web + "/commits/" + tag})
}

var sha = regexp.MustCompile(`^[0-9a-f]{40}$`)

// createRef is POST …/git/refs. It wants the scope repo: a token with public_repo only is refused, even where
// it may push (WordPress/contributor-toolkit#179).
func createRef(g *GitHub, c *call) answer {
	r, refused := g.writable(c)
	if refused != nil {
		return *refused
	}
	if c.token.scoped() && !c.token.has("repo") {
		return *notFound()
	}
	fields, refused := jsonBody(c)
	if refused != nil {
		return *refused
	}
	ref, _ := fields["ref"].(string)
	id, _ := fields["sha"].(string)
	switch {
	case !strings.HasPrefix(ref, "refs/") || strings.Count(ref, "/") < 2:
		return *invalid("Reference name must start with 'refs/' and contain at least two slashes.")
	case !sha.MatchString(id):
		return *invalid("The sha parameter must be exactly 40 characters and contain only [0-9a-f].")
	case r.empty || id != commitOf(r):
		return *invalid("Object does not exist")
	case ref == "refs/heads/"+r.branch:
		return *invalid("Reference already exists")
	}
	url := c.base + "/repos/" + g.fullName(r) + "/git/" + ref
	a := ok(map[string]any{
		"ref": ref, "node_id": nodeID("REF", r.id), "url": url,
		"object": map[string]any{"type": "commit", "sha": id, "url": c.base + "/repos/" + g.fullName(r) + "/git/commits/" + id},
	}).with("Location", url)
	a.status = http.StatusCreated
	return a
}

// deleteRef is DELETE …/git/refs/{ref}.
func deleteRef(g *GitHub, c *call) answer {
	r, refused := g.writable(c)
	if refused != nil {
		return *refused
	}
	if c.PathValue("ref") == "heads/"+r.branch && !r.empty {
		return *invalid("Cannot delete the default branch")
	}
	return *invalid("Reference does not exist")
}
