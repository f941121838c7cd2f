package githubtest

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestRename(t *testing.T) {
	f := started(t)
	wendy := f.as(t, f.Wendy)
	f.Rename("acme/ui", "widgets")

	byID := fmt.Sprintf("/repositories/%d", f.UI.ID)
	r := wendy.want(301, "GET /repos/acme/ui")
	if got := r.Header.Get("Location"); got != f.APIURL()+byID || r.document(t)["url"] != got {
		t.Errorf("Location %q, body %s", got, r.body)
	}
	if d := wendy.want(200, "GET "+byID).document(t); d["full_name"] != "acme/widgets" || d["id"] != float64(f.UI.ID) {
		t.Errorf("%v %v", d["full_name"], d["id"])
	}
	if got := wendy.want(301, "GET /repos/ACME/UI/branches?per_page=1").Header.Get("Location"); got != f.APIURL()+byID+"/branches?per_page=1" {
		t.Errorf("branches: Location %q", got)
	}
	wendy.want(200, "GET "+byID+"/branches")
	if got := wendy.want(307, "POST /repos/acme/ui/releases/generate-notes").Header.Get("Location"); got != f.APIURL()+byID+"/releases/generate-notes" {
		t.Errorf("POST: Location %q", got)
	}
	wendy.want(422, "POST "+byID+"/releases/generate-notes")
	if r := f.git(t, "git-receive-pack", "acme/ui", f.Wendy); r.StatusCode != 301 ||
		r.Header.Get("Location") != f.URL()+"/acme/widgets.git/info/refs?service=git-receive-pack" {
		t.Errorf("git: %d %v", r.StatusCode, r.Header)
	}
	// A redirect tells that there is something, so strangers don't see it.
	f.as(t, f.Mallory).want(404, "GET /repos/acme/ui")
	f.as(t, f.Mallory).want(404, "GET "+byID)
	f.as(t, "").want(404, "GET /repos/acme/ui")

	f.Rename("acme/widgets", "parts")
	wendy.want(301, "GET /repos/acme/ui")
	wendy.want(301, "GET /repos/acme/widgets")
	f.Rename("acme/parts", "ui")
	wendy.want(200, "GET /repos/acme/ui")
}

func TestNameTakenAgain(t *testing.T) {
	f := started(t)
	f.Rename("acme/ui", "widgets")
	other := f.AddRepo("acme/ui", Private)
	f.Grant("wendy", "acme/ui", Pull)
	if d := f.as(t, f.Wendy).want(200, "GET /repos/acme/ui").document(t); d["id"] != float64(other.ID) || other.ID == f.UI.ID {
		t.Errorf("the new repository has id %v", d["id"])
	}
	f.DeleteRepo("acme/ui") // the redirect is gone for good
	f.as(t, f.Wendy).want(404, "GET /repos/acme/ui")
	f.as(t, f.Wendy).want(200, "GET /repos/acme/widgets")
}

func TestTransfer(t *testing.T) {
	f := started(t)
	f.AddOrg("evil")
	f.AddOwner("evil", "mallory")
	f.Transfer("acme/ui", "evil")
	got := f.Repo("evil/ui")
	if got.ID != f.UI.ID || got.OwnerID != f.Account("evil").ID {
		t.Errorf("%+v", got)
	}
	f.as(t, f.Mallory).want(200, "GET /repos/evil/ui")
	f.as(t, f.Wendy).want(301, "GET /repos/acme/ui")                               // granted directly
	f.as(t, f.Ada).want(404, "GET /repos/acme/ui")                                 // through the organization
	for _, token := range []string{f.WendyWrites, f.WendyReads, f.ActionsWrites} { // of acme
		f.as(t, token).want(404, "GET /repos/evil/ui")
		f.as(t, token).want(404, "GET /repos/acme/ui")
	}
}

func TestRenamedAccount(t *testing.T) {
	f := started(t)
	f.RenameAccount("acme", "apex")
	wendy := f.as(t, f.Wendy)
	wendy.want(301, "GET /repos/acme/ui")
	wendy.want(200, "GET /repos/apex/ui")
	wendy.want(404, "GET /users/acme")
	f.RenameAccount("wendy", "gwen")
	if d := wendy.want(200, GetUser).document(t); d["login"] != "gwen" {
		t.Errorf("login %v", d["login"])
	}
	squatter := f.AddOrg("acme")
	if d := wendy.want(200, "GET /users/acme").document(t); d["id"] != float64(squatter.ID) {
		t.Errorf("the login belongs to %v", d["id"])
	}
	wendy.want(301, "GET /repos/acme/ui")
	f.AddRepo("acme/ui", Public)
	wendy.want(200, "GET /repos/acme/ui")
}

func TestDeletedAndRecreated(t *testing.T) {
	f := started(t)
	f.Rename("acme/ui", "widgets")
	f.DeleteRepo("acme/widgets")
	wendy := f.as(t, f.Wendy)
	for _, path := range []string{"/repos/acme/ui", "/repos/acme/widgets", fmt.Sprintf("/repositories/%d", f.UI.ID)} {
		wendy.want(404, "GET "+path)
	}
	if again := f.AddRepo("acme/ui", Private); again.ID == f.UI.ID || again.NodeID == f.UI.NodeID {
		t.Error("the recreated repository has the former id")
	}
	wendy.want(404, "GET /repos/acme/ui") // grants are not inherited
	f.as(t, f.ActionsWrites).want(404, "GET /repos/acme/ui")
}

func TestArchived(t *testing.T) {
	f := started(t)
	f.Archive("acme/ui", true)
	wendy := f.as(t, f.Wendy)
	if d := wendy.want(200, "GET /repos/acme/ui").document(t); d["archived"] != true || d["permissions"].(map[string]any)["push"] != true {
		t.Errorf("archived %v, permissions %v", d["archived"], d["permissions"])
	}
	if r := wendy.want(403, "POST /repos/acme/ui/releases/generate-notes"); !strings.Contains(r.message(t), "archived") {
		t.Error(r.message(t))
	}
	if r := f.git(t, "git-receive-pack", "acme/ui", f.Wendy); r.StatusCode != 403 {
		t.Errorf("push: %d", r.StatusCode)
	}
	if r := f.git(t, "git-upload-pack", "acme/ui", f.Wendy); r.StatusCode != 200 {
		t.Errorf("fetch: %d", r.StatusCode)
	}
	f.Archive("acme/ui", false)
	wendy.want(422, "POST /repos/acme/ui/releases/generate-notes")
}

func TestVisibilityEmptyAndBlocked(t *testing.T) {
	f := started(t)
	nobody, wendy := f.as(t, ""), f.as(t, f.Wendy)
	f.SetVisibility("acme/ui", Public)
	if d := nobody.want(200, "GET /repos/acme/ui").document(t); d["visibility"] != "public" || d["private"] != false {
		t.Errorf("%v %v", d["visibility"], d["private"])
	}
	f.SetVisibility("acme/ui", Internal)
	nobody.want(404, "GET /repos/acme/ui")
	if d := wendy.want(200, "GET /repos/acme/ui").document(t); d["visibility"] != "internal" || d["private"] != true {
		t.Errorf("%v %v", d["visibility"], d["private"])
	}
	f.SetEmpty("acme/ui", true)
	if r := wendy.want(200, "GET /repos/acme/ui/branches"); string(r.body) != "[]" {
		t.Errorf("branches of an empty repository: %s", r.body)
	}
	f.SetDefaultBranch("acme/api", "trunk")
	if d := wendy.want(200, "GET /repos/acme/api").document(t); d["default_branch"] != "trunk" {
		t.Error(d["default_branch"])
	}
	f.Block("acme/open", "dmca")
	if d := nobody.want(451, "GET /repos/acme/open").document(t); d["block"].(map[string]any)["reason"] != "dmca" {
		t.Error(d)
	}
	f.Block("acme/open", "tos")
	wendy.want(403, "GET /repos/acme/open")
}

func TestChangeWhileServing(t *testing.T) {
	f := started(t)
	f.SetLimits(Limits{})
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for range 25 {
				f.as(t, f.Wendy).get("/repos/acme/ui")
				f.git(t, "git-upload-pack", "acme/ui", f.ActionsReads)
				f.as(t, f.Wendy).do(PostGraphQL[:5]+"/graphql", `{"query":"{viewer{login}}"}`)
			}
		})
		wg.Go(func() {
			name := fmt.Sprintf("acme/r%d", i)
			for range 25 {
				f.AddRepo(name, Private)
				f.Grant("wendy", name, Push)
				f.Rename(name, "moved"+name[5:])
				f.RevokeToken(f.Token(Classic{User: "wendy"}))
				f.DeleteRepo("acme/moved" + name[5:])
				f.Counts()
			}
		})
	}
	wg.Wait()
	if got := f.Counts().Of(GetRepo); got != 100 {
		t.Errorf("%d requests", got)
	}
}

func TestMistakesPanic(t *testing.T) {
	f := Acme()
	for name, mistake := range map[string]func(){
		"no repository": func() { f.Grant("wendy", "acme/nothing", Push) },
		"no user":       func() { f.Grant("nobody", "acme/ui", Push) },
		"login taken":   func() { f.AddUser("Wendy") },
		"name taken":    func() { f.AddRepo("ACME/UI", Private) },
		"other owner":   func() { f.Token(FineGrained{User: "ada", Owner: "ada", Repos: []string{"acme/ui"}}) },
		"an org's PAT":  func() { f.Token(Classic{User: "acme"}) },
		"not serving":   func() { f.URL() },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			mistake()
		}()
	}
	f.AddUser("still") // and no lock was left behind
}

func TestServe(t *testing.T) {
	l, err := net.Listen("tcp4", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	g := New()
	g.AddUser("ada")
	served := make(chan error)
	go func() { served <- g.Serve(l) }()
	for range 100 { // until Serve knows the listener
		if g.serving() {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if !strings.HasPrefix(g.URL(), "http://localhost:") {
		t.Error(g.URL())
	}
	token := g.Token(Classic{User: "ada"})
	asker{t, g.APIURL(), token}.want(200, GetUser)
	asker{t, strings.TrimSuffix(g.GraphQLURL(), "/graphql"), token}.want(200, PostGraphQL)
	g.Close()
	g.Close()
	if err := <-served; err != http.ErrServerClosed {
		t.Error(err)
	}
}

func (g *GitHub) serving() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.listener != nil
}
