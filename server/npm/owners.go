package npm

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"gatehouse/scopes"
	"gatehouse/server/gate"
	"gatehouse/server/problem"
	"gatehouse/store"
	"gatehouse/store/packument"
)

// Owners are whoever may publish a package, and GitHub keeps them (met by *people.People, whose comments hold).
type Owners interface {
	Owners(ctx context.Context, who gate.Caller, head store.Head) (owners []scopes.Member, stamp, notice string, err error)
	SetOwners(c *gin.Context, who gate.Caller, head store.Head, stamp string, logins []string) error
	AddOwner(c *gin.Context, who gate.Caller, head store.Head, login string) error
	RemoveOwner(c *gin.Context, who gate.Caller, head store.Head, login string) error
}

// npm has no route for owners. "npm owner" reads the packument, and sends it back with other maintainers: so its packument is one of its own, told
// apart by the header in which npm says which command it is. The document of everybody else names as maintainer who published the version, costs
// GitHub nothing and says nothing of other people.
//
// stampMark stands between a revision and the stamp of the owners that went out with it: what npm sends back is a difference to that very list.
const stampMark = ".owners-"

// asksOwners reports whether a packument is read for its owners.
func asksOwners(c *gin.Context) bool { return c.GetHeader("Npm-Command") == "owner" }

type maintainer struct {
	Name  string `json:"name"`
	Email string `json:"email"`
}

// ownerDocument serves what npm reads of a packument for its owners, and reports whether it did: else GitHub shows them to the caller no more than
// who published.
func (p *protocol) ownerDocument(c *gin.Context, head store.Head, who gate.Caller) (served bool, err error) {
	if p.Owners == nil || p.Gate.Open() {
		return false, nil
	}
	named := head
	named.Binding.Repo = p.present(c.Request.Context(), head, who)
	owners, stamp, notice, err := p.Owners.Owners(c.Request.Context(), who, named)
	if err != nil {
		return false, err
	}
	if notice != "" {
		c.Writer.Header().Set("Npm-Notice", notice)
	}
	if stamp == "" {
		return false, nil
	}
	maintainers := make([]maintainer, 0, len(owners))
	for _, m := range owners {
		maintainers = append(maintainers, maintainer{m.Login, strconv.FormatInt(m.ID, 10) + "+" + m.Login + "@" + p.MailDomain})
	}
	return true, answer(c, map[string]any{
		"_id": head.Name, "_rev": head.Revision + stampMark + stamp, "name": head.Name, "dist-tags": head.DistTags, "maintainers": maintainers,
	})
}

// setOwners takes the list that npm sends back.
func (p *protocol) setOwners(c *gin.Context, who gate.Caller, head store.Head, revision string, document []byte) error {
	_, stamp, ok := strings.Cut(revision, stampMark)
	if p.Owners == nil || p.Gate.Open() || !ok {
		return p.ownersElsewhere(c, head, who)
	}
	head.Binding.Repo = p.present(c.Request.Context(), head, who)
	var list struct {
		Maintainers []maintainer `json:"maintainers"`
	}
	if err := json.Unmarshal(document, &list); err != nil {
		return &packument.Invalid{Field: "maintainers", Problem: `is not a list of {"name": LOGIN}`}
	}
	logins := make([]string, 0, len(list.Maintainers))
	for _, m := range list.Maintainers {
		logins = append(logins, m.Name)
	}
	return p.Owners.SetOwners(c, who, head, stamp, logins)
}

// owners is how pnpm 12 asks to add or remove one.
func (p *protocol) owners(c *gin.Context) error {
	_, head, who, err := p.visible(c)
	if err != nil {
		return p.drained(c, err)
	}
	if p.Owners == nil || p.Gate.Open() {
		return p.drained(c, p.ownersElsewhere(c, head, who))
	}
	head.Binding.Repo = p.present(c.Request.Context(), head, who)
	if c.Request.Method == http.MethodDelete {
		return p.Owners.RemoveOwner(c, who, head, param(c, "login"))
	}
	document, release, err := p.receiveDocument(c, who)
	if err != nil {
		return p.drained(c, err)
	}
	defer release()
	var body struct {
		User     string `json:"user"`
		Username string `json:"username"`
	}
	if err := json.Unmarshal(document, &body); err != nil {
		return &packument.Invalid{Field: "user", Problem: "is not text"}
	}
	return p.Owners.AddOwner(c, who, head, cmp.Or(body.User, body.Username))
}

func (p *protocol) ownersElsewhere(c *gin.Context, head store.Head, who gate.Caller) error {
	return &problem.Plain{Status: http.StatusForbidden, Text: "owners are not kept here: whoever can write to the package's GitHub repository can publish it. Change it there: " + p.settingsPage(c.Request.Context(), head, who)}
}

// Ways lead to a package by its name, for other rooms that serve something about packages.
type Ways struct{ p *protocol }

// NewWays returns those of a protocol with these options.
func NewWays(o Options) *Ways { return &Ways{&protocol{Options: o}} }

// Caller identifies the caller.
func (w *Ways) Caller(c *gin.Context) (gate.Caller, error) { return w.p.caller(c) }

// Read is the way of every read of the package that the route's "name" is. Who may not know of it gets the answer of one that is missing.
func (w *Ways) Read(c *gin.Context) (store.Head, gate.Caller, error) {
	_, head, who, err := w.p.readable(c)
	return w.named(c, head, who, err)
}

// Change is the way of a change of something about a package, for whoever may read it.
func (w *Ways) Change(c *gin.Context, pkg string) (store.Head, gate.Caller, error) {
	name, err := packument.ParseName(pkg)
	if err != nil {
		return store.Head{}, gate.Caller{}, err
	}
	if !w.p.ours(name) {
		return store.Head{}, gate.Caller{}, &problem.Plain{Status: http.StatusNotFound, Text: name.String() + " is not one of this registry's names; " + w.p.served()}
	}
	who, err := w.p.caller(c)
	if err != nil {
		return store.Head{}, who, err
	}
	head, err := w.p.Registry.Head(c.Request.Context(), name.String())
	return w.named(c, head, who, w.p.shown(c, name, head, who, err))
}

// named gives the head its repository's present name, by which GitHub is asked.
func (w *Ways) named(c *gin.Context, head store.Head, who gate.Caller, err error) (store.Head, gate.Caller, error) {
	if err == nil {
		head.Binding.Repo = w.p.present(c.Request.Context(), head, who)
	}
	return head, who, err
}
