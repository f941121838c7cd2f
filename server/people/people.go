// Package people is npm's commands about people: owner, access, org and team.
//
// It owns their routes, the shapes that each client wants of them, and the sentences that say what was done. It keeps no people: every list is
// GitHub's answer to the caller's own credential, and every change is made by GitHub in the caller's name or not at all. Whether a caller's wish goes on to
// GitHub is decided in package scopes, whether they may know of a package by the gate, and neither here.
//
// One package is not one repository, and npm's words are narrower than what they do here: an owner of a package is somebody who can
// write to its repository, which may hold more packages and has the code in it besides. So the answer to every change says
// which repository it was and what else it holds: in the body, in the log, and in the header npm-notice, which npm prints.
//
// A package that the caller may not know of gets the answer of one that is missing, before anything else is looked at.
package people

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"

	"gatehouse/scopes"
	"gatehouse/server/gate"
	"gatehouse/server/problem"
	"gatehouse/store"
	"gatehouse/store/packument"
)

// Registry is what has to be known of packages (met by *store.Store, whose comments hold).
type Registry interface {
	Head(ctx context.Context, name string) (store.Head, error)
	Repositories(ctx context.Context) ([]scopes.Repo, error)
	Packages(ctx context.Context, repo int64) ([]string, error)
}

// Ways lead to the package of a request (met by *npm.Ways, whose comments hold).
type Ways interface {
	Caller(c *gin.Context) (gate.Caller, error)
	Read(c *gin.Context) (store.Head, gate.Caller, error)
	Change(c *gin.Context, pkg string) (store.Head, gate.Caller, error)
}

// Options of the commands.
type Options struct {
	Registry Registry
	Gate     *gate.Gate
	Ways     Ways
	// MailDomain is GitHub's for addresses that reach nobody, which is what npm is told that people have.
	MailDomain string
	// Change: changes go on to GitHub. Otherwise callers are told where on GitHub to make them.
	Change bool
	Log    *slog.Logger
}

// People answers the commands.
type People struct{ Options }

// New returns them.
func New(o Options) *People { return &People{o} }

// Mount adds the routes.
func (p *People) Mount(r gin.IRoutes) {
	handle := func(method, path string, h problem.Handler) { r.Handle(method, path, problem.Handle(h)) }
	get := func(path string, h problem.Handler) {
		handle(http.MethodGet, path, h)
		handle(http.MethodHead, path, h)
	}
	get("/-/package/:name/collaborators", p.collaborators)
	get("/-/package/:name/visibility", p.visibility)
	get("/-/package/:name/access", p.access)
	handle(http.MethodPost, "/-/package/:name/access", p.setAccess)

	get("/-/user/:user", p.user)
	get("/-/user/:user/package", p.userPackages)
	get("/-/org/:org/package", p.orgPackages)
	get("/-/org/:org/user", p.orgMembers)
	handle(http.MethodPut, "/-/org/:org/user", p.setMember)
	handle(http.MethodDelete, "/-/org/:org/user", p.removeMember)
	get("/-/org/:org/team", p.orgTeams)
	handle(http.MethodPut, "/-/org/:org/team", p.createTeam)

	handle(http.MethodDelete, "/-/team/:org/:team", p.deleteTeam)
	get("/-/team/:org/:team/package", p.teamPackages)
	handle(http.MethodPut, "/-/team/:org/:team/package", p.grantTeam)
	handle(http.MethodDelete, "/-/team/:org/:team/package", p.revokeTeam)
	get("/-/team/:org/:team/user", p.teamMembers)
	handle(http.MethodPut, "/-/team/:org/:team/user", p.addToTeam)
	handle(http.MethodDelete, "/-/team/:org/:team/user", p.removeFromTeam)
}

func refuse(status int, format string, args ...any) error {
	return &problem.Plain{Status: status, Text: fmt.Sprintf(format, args...)}
}

// param returns a part of the path as it was meant.
func param(c *gin.Context, name string) string {
	s, err := url.PathUnescape(c.Param(name))
	if err != nil {
		return ""
	}
	return s
}

// organisation is the owner on GitHub that the route's "org", a namespace, stands for.
func (p *People) organisation(c *gin.Context) (string, error) {
	namespace := strings.ToLower(param(c, "org"))
	names := p.Gate.Names()
	if !scopes.ValidLogin(namespace) || !names.Serves(namespace) {
		return "", refuse(http.StatusNotFound, "this registry does not serve the namespace @%.60s", namespace)
	}
	return names.Owner(namespace), nil
}

// team is the route's organisation and team.
func (p *People) team(c *gin.Context) (org, team string, err error) {
	if org, err = p.organisation(c); err != nil {
		return "", "", err
	}
	if team = strings.ToLower(param(c, "team")); !scopes.ValidTeam(team) {
		return "", "", refuse(http.StatusBadRequest, "a team is named by its short name on GitHub, as in the address of its page: letters, digits, hyphens and underscores")
	}
	return org, team, nil
}

// wish identifies the caller and reads the request's JSON into v.
func (p *People) wish(c *gin.Context, v any) (gate.Caller, error) {
	who, err := p.Ways.Caller(c)
	if err != nil {
		return who, err
	}
	return who, body(c, v)
}

// asked is the caller and the organisation of a route about one.
func (p *People) asked(c *gin.Context) (gate.Caller, string, error) {
	who, err := p.Ways.Caller(c)
	if err != nil {
		return who, "", err
	}
	org, err := p.organisation(c)
	return who, org, err
}

// maxBody is enough for every request of these commands.
const maxBody = 16 << 10

// body reads the request's JSON into v.
func body(c *gin.Context, v any) error {
	if coding := c.GetHeader("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return refuse(http.StatusUnsupportedMediaType, "a change is sent without content-encoding")
	}
	document, err := packument.ReadDocument(c.Request.Context(), http.MaxBytesReader(c.Writer, c.Request.Body, maxBody), packument.Limits{Document: maxBody})
	if err != nil {
		return err
	}
	if err := json.Unmarshal(document, v); err != nil {
		return &packument.Invalid{Field: "body", Problem: "has a value of the wrong type"}
	}
	return nil
}

// login checks a login that a client sent.
func login(s string) (string, error) {
	s = strings.TrimPrefix(s, "@")
	if !scopes.ValidLogin(s) {
		return "", &packument.Invalid{Field: "user", Problem: "is not the login of a GitHub account"}
	}
	return s, nil
}

// answer serves a value that no cache may keep. notice, if there is one, is printed by npm.
func answer(c *gin.Context, value any, notice string) error {
	h := c.Writer.Header()
	h.Set("Cache-Control", "no-store")
	if notice != "" {
		h.Set("Npm-Notice", notice)
	}
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	c.Data(http.StatusOK, "application/json", text)
	return nil
}

// done is the answer to a change.
func done(c *gin.Context, said string) error {
	return answer(c, map[string]any{"ok": true, "success": true, "message": said}, said)
}

// page is an address on GitHub, for people.
func (p *People) page(parts ...string) string {
	return "https://" + p.Gate.Names().Host + "/" + strings.Join(parts, "/")
}

func (p *People) repoPage(repo scopes.Repo) string { return p.page(repo.String(), "settings/access") }
func (p *People) orgPage(org string) string        { return p.page("orgs", org, "people") }
func (p *People) teamsPage(org string) string      { return p.page("orgs", org, "teams") }
func (p *People) teamPage(org, team string) string { return p.page("orgs", org, "teams", team) }

// told makes an answer of what kept a question or a change from being answered or made: with GitHub's reason and the page where it can be done. what
// completes "GitHub does not let wendy …"; there is the thing of which GitHub may show nothing.
func told(err error, who gate.Caller, what, there, page string) error {
	if refused := (*gate.PeopleRefusal)(nil); errors.As(err, &refused) && refused.Reason != scopes.NotBound {
		return refuse(http.StatusForbidden, "%s. The page: %s", refused, page)
	}
	denied := (*scopes.Denied)(nil)
	if !errors.As(err, &denied) {
		return err
	}
	why := ""
	switch {
	case denied.Why != "" && denied.Takes != "":
		why = ": " + denied.Why + " (it takes " + denied.Takes + ")"
	case denied.Why != "":
		why = ": " + denied.Why
	case denied.Takes != "":
		why = ": it takes " + denied.Takes
	}
	switch {
	case denied.Wrong:
		return refuse(http.StatusUnprocessableEntity, "GitHub does not understand %s%s. The page: %s", what, why, page)
	case denied.Hidden:
		return refuse(http.StatusNotFound, "GitHub shows %s no %s, or does not let this token %s%s. The page: %s", name(who), there, what, why, page)
	}
	return refuse(http.StatusForbidden, "GitHub does not let %s %s%s. The page: %s", name(who), what, why, page)
}

func name(who gate.Caller) string {
	if who.Login == "" {
		return "this token"
	}
	return who.Login
}
