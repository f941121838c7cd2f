package scopes

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden table anew")

var (
	bound = Binding{Kind: GitHub, Repo: Repo{ID: 7, OwnerID: 1, Owner: "acme", Name: "ui"}}

	allKinds    = []PrincipalKind{Nobody, Person, App, Anyone, Anyone + 1}
	allActions  = []Action{0, Install, Publish, Tag, Deprecate, Unpublish, Manage, Rebind, Rebind + 1}
	whoNames    = []string{"nobody", "person", "app", "anyone", "alien"}
	whatNames   = []string{"nothing", "install", "publish", "tag", "deprec.", "unpubl.", "manage", "rebind", "unknown"}
	allLevels   = []Permission{None, Read, Write, Admin}
	allBindings = map[string]Binding{"unbound": {}, "github": bound, "numberless": {Kind: GitHub}, "unknown": {Kind: GitHub + 1, Repo: bound.Repo}}
	allPublics  = []Public{{}, {Repo: bound.Repo}, {Repo: bound.Repo, ToAll: true}, {Repo: Repo{ID: 8, OwnerID: 1}, ToAll: true}}
	publicNames = []string{"", "public", "to-all", "another"}
	// allGrants are narrower than none at all. They are asked about where they can matter: a caller that may have one, a package
	// that is bound, facts that are about its repository.
	allGrants  = []*Grant{nil, {}, grantOf("@acme/ui", Use{Read: true}), grantOf("@acme/ui", Use{Write: true}), grantOf("@acme/other", Use{Write: true})}
	grantNames = []string{"", "grants nothing", "grants read", "grants write", "grants another"}
	allRepos   = map[string]Repo{
		"same": bound.Repo, "renamed": {ID: 7, OwnerID: 1, Owner: "acme", Name: "web"}, "transferred": {ID: 7, OwnerID: 2, Owner: "evil", Name: "ui"},
		"recreated": {ID: 8, OwnerID: 1, Owner: "acme", Name: "ui"}, "unseen": {},
	}
)

func grantOf(pkg string, use Use) *Grant {
	return &Grant{Rights: Rights{{Values: []string{pkg}, Types: Types{Pkg: use}}}}
}

// questions is the whole cross product, role and reach in the innermost loops.
func questions(yield func(name string, q Question) bool) {
	for _, kind := range allKinds {
		for _, action := range allActions {
			for _, b := range []string{"github", "unbound", "numberless", "unknown"} {
				for _, r := range []string{"same", "renamed", "transferred", "recreated", "unseen"} {
					for _, archived := range []bool{false, true} {
						for p, public := range allPublics {
							name := fmt.Sprintf("%-6s %-7s %-10s %-11s %-8s %-7s", whoNames[kind], whatNames[action], b, r, map[bool]string{true: "archived"}[archived], publicNames[p])
							for i := range 16 {
								a := Access{Repo: allRepos[r], Role: allLevels[i/4], Reach: allLevels[i%4], Archived: archived}
								if !yield(name, Question{Who: Principal{Kind: kind, ID: 1, Login: "x"}, What: action, Package: "@acme/ui", Where: allBindings[b], Access: a, Public: public}) {
									return
								}
							}
						}
					}
				}
			}
		}
	}
}

// tabled leaves out of the golden table what the properties say enough about: what GitHub says of a repository where there is none to be bound to, and
// all but two of the ways to be public where the action is not to read.
func tabled(q Question) bool {
	if q.Where != bound && (q.Access.Repo != bound.Repo || q.Access.Archived) {
		return false
	}
	return q.What == Install || q.Public == Public{} || q.Public == Public{Repo: bound.Repo, ToAll: true}
}

// narrowed are the questions of the cross product in which a grant can matter, each with every grant.
func narrowed(yield func(name string, q Question) bool) {
	for i, grant := range allGrants[1:] {
		for name, q := range questions {
			if q.Who.Kind != Person && q.Who.Kind != App || q.Where.Kind != GitHub || q.Where.Repo.ID == 0 {
				continue
			}
			if owned := q.Access.Repo.Owner; owned == "" || q.Access.Repo.ID != q.Where.Repo.ID || q.Access.Repo.Name == "web" || q.Public.Repo.ID == 8 || q.Public.Repo.ID != 0 && !q.Public.ToAll {
				continue
			}
			if q.Grant = grant; !yield(name+" "+grantNames[i+1], q) {
				return
			}
		}
	}
}

// codes are the answers in the golden table, one letter each. Small letters are noes that may be explained; signs are
// noes that must look like "no such package".
var codes = map[Verdict]byte{
	{OK: true, Reason: Allowed}:          'Y',
	{OK: true, Reason: OpenRegistry}:     'O',
	{OK: true, Reason: PublicRepository}: 'P',
	{Reason: RoleTooLow}:                 'p',
	{Reason: ReachTooLow}:                'c',
	{Reason: Archived}:                   'a',
	{Reason: Transferred}:                't',
	{Reason: GrantTooNarrow}:             'g',
	{Reason: GrantTooNarrow, Hide: true}: ',',
	{Reason: NotReadable, Hide: true}:    '.',
	{Reason: NoCredential, Hide: true}:   '-',
	{Reason: NotBound, Hide: true}:       '/',
	{Reason: NotAsked, Hide: true}:       '?',
}

// TestDecideGolden pins every answer there is. A change of the table is a change of who may do what: read the difference line by line.
func TestDecideGolden(t *testing.T) {
	var got strings.Builder
	got.WriteString("Y allowed, O open registry, P public repository, p role too low, c reach too low, a archived, t transferred, g grant too narrow;\n" +
		"hidden: . not readable, \",\" grant too narrow, - no credential, / not bound, ? no such action\n\n" +
		"Each group of four is a role (none, read, write, admin), each letter in it a reach (the same four).\n\n")
	cell := 0
	all := func(yield func(string, Question) bool) {
		more := true
		for name, q := range questions {
			if more = yield(name, q); !more {
				return
			}
		}
		narrowed(yield)
	}
	for name, q := range all {
		if !tabled(q) {
			continue
		}
		if cell%16 == 0 {
			got.WriteString(name)
		}
		if cell%4 == 0 {
			got.WriteByte(' ')
		}
		code, known := codes[Decide(q)]
		if !known {
			t.Fatalf("%s: an answer without a letter: %+v", name, Decide(q))
		}
		got.WriteByte(code)
		if cell++; cell%16 == 0 {
			got.WriteByte('\n')
		}
	}
	path := filepath.Join("testdata", "decide.golden")
	if *update {
		if err := os.WriteFile(path, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines, wants := strings.Split(got.String(), "\n"), strings.Split(string(want), "\n")
	if len(lines) != len(wants) {
		t.Fatalf("%d lines, want %d", len(lines), len(wants))
	}
	for i, line := range lines {
		if line != wants[i] {
			t.Errorf("line %d:\n got %s\nwant %s", i+1, line, wants[i])
		}
	}
}

// TestDecideProperties says of every answer what must hold whatever the table looks like.
func TestDecideProperties(t *testing.T) {
	allowed := 0
	for name, q := range questions {
		v := Decide(q)
		if v.OK {
			allowed++
		}
		if v.OK && (v.Hide || q.What.Needs() > Admin) {
			t.Errorf("%s: allowed, and hidden or unknown", name)
		}
		if q.Who.Kind == Anyone {
			continue
		}
		public := q.What == Install && q.Public.Repo.ID == q.Where.Repo.ID && q.Where.Repo.ID != 0 && (q.Public.ToAll || q.Who.Kind == Person || q.Who.Kind == App)
		if v.Reason == PublicRepository {
			if !public || q.Where.Kind != GitHub || q.Who.Kind > App {
				t.Errorf("%s: read as public, and is not", name)
			}
			continue
		}
		if v.OK && (q.Access.Repo.ID != q.Where.Repo.ID || q.Where.Kind != GitHub || min(q.Access.Role, q.Access.Reach) < q.What.Needs()) {
			t.Errorf("%s: allowed without the permission on the bound repository", name)
		}
		if !v.Hide && min(q.Access.Role, q.Access.Reach) < Read {
			t.Errorf("%s: shown to somebody who cannot read it", name)
		}
		for _, level := range allLevels {
			less := q
			less.Access.Role = min(q.Access.Role, level)
			less.Access.Reach = min(q.Access.Reach, level)
			if Decide(less).OK && !v.OK {
				t.Errorf("%s: less permission allows more", name)
			}
		}
	}
	if allowed == 0 {
		t.Error("nothing is ever allowed")
	}
	if v := (Verdict{}); v.OK {
		t.Error("the zero verdict is a yes")
	}
	if Decide(Question{}).OK {
		t.Error("the zero question is allowed")
	}
}

// TestGrantNeverWidens: whatever a grant says, a token may do nothing that the credential behind it may not, and the more a grant gives the more it allows.
func TestGrantNeverWidens(t *testing.T) {
	allowed, refused := 0, 0
	for name, q := range narrowed {
		with, bare := Decide(q), q
		bare.Grant = nil
		without := Decide(bare)
		switch {
		case with.OK && !without.OK:
			t.Errorf("%s: the grant allows what the credential does not", name)
		case !with.Hide && without.Hide:
			t.Errorf("%s: the grant shows what the credential does not", name)
		case with.OK && with.Reason != PublicRepository && q.Grant.Rights.Package(q.Package) < q.What.Needs():
			t.Errorf("%s: allowed against the grant", name)
		case !with.OK && !with.Hide && q.Grant.Rights.Package(q.Package) < Read:
			t.Errorf("%s: shown to a token that may not read it", name)
		case without.OK && without.Reason == PublicRepository && !with.OK:
			t.Errorf("%s: what everybody may read is not for this token", name)
		}
		if with.OK {
			allowed++
		} else if without.OK {
			refused++
		}
		if q.What == Rebind && with.OK {
			t.Errorf("%s: a token of ours gave a package away", name)
		}
	}
	if allowed == 0 || refused == 0 {
		t.Errorf("%d allowed, %d refused by their grant alone", allowed, refused)
	}
}
