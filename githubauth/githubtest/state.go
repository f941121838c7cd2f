package githubtest

import (
	"encoding/base64"
	"encoding/binary"
	"maps"
	"net/netip"
	"strings"
	"time"
)

// Role is what a person may do on a repository, in the words of GitHub's `permissions` map ("Repository
// roles for an organization"). The zero value is no role.
type Role uint8

const (
	NoRole Role = iota
	Pull
	Triage
	Push
	Maintain
	Admin
)

// String returns GitHub's role_name for the role.
func (r Role) String() string {
	return [...]string{"none", "read", "triage", "write", "maintain", "admin"}[r]
}

// legacy is the `permission` of the collaborator permission route, which has four values only:
// "maintain is mapped to write and the triage role is mapped to read".
func (r Role) legacy() string {
	return [...]string{"none", "read", "read", "write", "write", "admin"}[r]
}

// graphql is the RepositoryPermission of the GraphQL schema, or nil.
func (r Role) graphql() any {
	return [...]any{nil, "READ", "TRIAGE", "WRITE", "MAINTAIN", "ADMIN"}[r]
}

// permissions is the map that REST shows in a repository.
func (r Role) permissions() map[string]bool {
	return map[string]bool{
		"admin": r >= Admin, "maintain": r >= Maintain, "push": r >= Push, "triage": r >= Triage, "pull": r >= Pull,
	}
}

// Visibility says who may see a repository.
type Visibility string

const (
	Public  Visibility = "public"
	Private Visibility = "private"
	// Internal is readable by the members of every organization here: they are all of one enterprise.
	Internal Visibility = "internal"
)

// Account is a user or an organization, as it was when it was asked for.
type Account struct {
	ID     int64
	NodeID string
	Login  string
	Org    bool
}

// Repo is a repository, as it was when it was asked for.
type Repo struct {
	ID            int64
	NodeID        string
	OwnerID       int64
	Owner, Name   string
	Visibility    Visibility
	Archived      bool
	DefaultBranch string
}

// FullName is owner/name.
func (r Repo) FullName() string { return r.Owner + "/" + r.Name }

type account struct {
	id        int64
	login     string
	org       bool
	suspended bool
	created   time.Time

	members       map[int64]bool // user -> is an owner
	base          Role
	invited       map[int64]bool   // user -> as an owner
	teams         map[string]*team // by slug
	sso           bool
	forbidClassic bool

	ownersMakeTeams bool // and nobody else does
	allow           []netip.Prefix
}

type team struct {
	id         int64
	org        *account
	name, slug string
	synced     bool           // with groups of an identity provider
	secret     bool           // seen by its members and the owners only
	members    map[int64]bool // user -> is a maintainer
	repos      map[int64]Role
	created    time.Time
}

type repo struct {
	id               int64
	owner            int64
	name             string
	visibility       Visibility
	archived         bool
	empty            bool
	blocked          string // "dmca", "tos", or not at all
	branch           string
	grants           map[int64]Role
	created, updated time.Time
	subjectIDs       bool // in the `sub` of ID tokens
}

func (a *account) nodeID() string {
	if a.org {
		return nodeID("O", a.id)
	}
	return nodeID("U", a.id)
}

func (r *repo) nodeID() string { return nodeID("R", r.id) }

// nodeID makes a global node id in the form GitHub has used since 2021: the type's letters and, after
// "_", MessagePack of [0, id] in unpadded URL-safe base64. Consumers must not look into it.
func nodeID(kind string, id int64) string {
	b := binary.BigEndian.AppendUint32([]byte{0x92, 0x00, 0xce}, uint32(id))
	return kind + "_" + base64.RawURLEncoding.EncodeToString(b)
}

func (g *GitHub) account(r *account) Account {
	return Account{ID: r.id, NodeID: r.nodeID(), Login: r.login, Org: r.org}
}

func (g *GitHub) repo(r *repo) Repo {
	return Repo{
		ID: r.id, NodeID: r.nodeID(), OwnerID: r.owner, Owner: g.accounts[r.owner].login, Name: r.name,
		Visibility: r.visibility, Archived: r.archived, DefaultBranch: r.branch,
	}
}

func (g *GitHub) fullName(r *repo) string { return g.accounts[r.owner].login + "/" + r.name }

// fold is how GitHub compares logins and repository names: without case.
func fold(name string) string { return strings.ToLower(name) }

func (g *GitHub) nextID() int64 {
	g.lastID++
	return g.lastID
}

// findRepo looks a name up. The second value says that the name is a former one of that repository.
func (g *GitHub) findRepo(owner, name string) (r *repo, moved bool) {
	key := fold(owner + "/" + strings.TrimSuffix(name, ".git"))
	if id, ok := g.names[key]; ok {
		return g.repos[id], false
	}
	if id, ok := g.moved[key]; ok {
		return g.repos[id], true
	}
	return nil, false
}

// mustRepo is findRepo for mutators; the present name only.
func (g *GitHub) mustRepo(fullName string) *repo {
	id, ok := g.names[fold(fullName)]
	if !ok {
		panic("githubtest: no repository " + fullName)
	}
	return g.repos[id]
}

func (g *GitHub) mustAccount(login string) *account {
	id, ok := g.logins[fold(login)]
	if !ok {
		panic("githubtest: no account " + login)
	}
	return g.accounts[id]
}

func (g *GitHub) mustUser(login string) *account {
	a := g.mustAccount(login)
	if a.org {
		panic("githubtest: " + login + " is an organization")
	}
	return a
}

func (g *GitHub) mustOrg(login string) *account {
	a := g.mustAccount(login)
	if !a.org {
		panic("githubtest: " + login + " is a user")
	}
	return a
}

// sortedRepos returns every repository, oldest first.
func (g *GitHub) sortedRepos() []*repo {
	all := make([]*repo, 0, len(g.repos))
	for _, id := range sortedKeys(maps.Keys(g.repos)) {
		all = append(all, g.repos[id])
	}
	return all
}
