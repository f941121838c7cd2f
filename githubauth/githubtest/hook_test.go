package githubtest

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

// receiver keeps the deliveries it gets, and says those that are wrongly signed.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	events []string
	bodies [][]byte
}

func receive(t *testing.T, secret string, status int) *receiver {
	t.Helper()
	rc := &receiver{}
	rc.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		m := hmac.New(sha256.New, []byte(secret))
		m.Write(body)
		if err != nil || r.Header.Get("X-Hub-Signature-256") != "sha256="+hex.EncodeToString(m.Sum(nil)) {
			t.Errorf("signature %q, %v", r.Header.Get("X-Hub-Signature-256"), err)
		}
		if !strings.HasPrefix(r.UserAgent(), "GitHub-Hookshot/") || len(r.Header.Get("X-GitHub-Delivery")) != 36 || r.Header.Get("X-GitHub-Hook-ID") == "" {
			t.Errorf("%v", r.Header)
		}
		var said struct{ Action string }
		if err := json.Unmarshal(body, &said); err != nil {
			t.Error(err)
		}
		rc.mu.Lock()
		rc.events = append(rc.events, strings.TrimSuffix(r.Header.Get("X-GitHub-Event")+"."+said.Action, "."))
		rc.bodies = append(rc.bodies, body)
		rc.mu.Unlock()
		w.WriteHeader(status)
	}))
	t.Cleanup(rc.Close)
	return rc
}

func (rc *receiver) take() (events []string, bodies [][]byte) {
	rc.mu.Lock()
	defer rc.mu.Unlock()
	events, bodies = rc.events, rc.bodies
	rc.events, rc.bodies = nil, nil
	return events, bodies
}

// TestHooks makes every change that GitHub has an event for, and a few that it has none for, and holds the
// bodies against GitHub's description.
func TestHooks(t *testing.T) {
	d := openAPI(t)
	f := started(t)
	app := f.AddApp(App{Slug: "gatehouse"})
	f.Install("gatehouse", "wendy")
	pending := f.Token(FineGrained{User: "wendy", Owner: "acme"}, Pending())
	rc := receive(t, "secret", 202)
	f.AddHook(rc.URL, "secret")
	for _, c := range []struct {
		change string
		do     func()
		want   string
	}{
		{"new repository", func() { f.AddRepo("acme/new", Private) }, "repository.created"},
		{"grant", func() { f.Grant("mallory", "acme/ui", Pull) }, "member.added"},
		{"higher", func() { f.Grant("mallory", "acme/ui", Push) }, "member.edited"},
		{"the same", func() { f.Grant("mallory", "acme/ui", Push) }, ""},
		{"revoke", func() { f.Revoke("mallory", "acme/ui") }, "member.removed"},
		{"nothing to revoke", func() { f.Revoke("mallory", "acme/ui") }, ""},
		{"archive", func() { f.Archive("acme/new", true) }, "repository.archived"},
		{"unarchive", func() { f.Archive("acme/new", false) }, "repository.unarchived"},
		{"publicize", func() { f.SetVisibility("acme/new", Public) }, "repository.publicized public"},
		{"internal", func() { f.SetVisibility("acme/new", Internal) }, "repository.privatized"},
		{"private", func() { f.SetVisibility("acme/new", Private) }, ""},
		{"branch", func() { f.SetDefaultBranch("acme/new", "trunk") }, "repository.edited"},
		{"rename", func() { f.Rename("acme/new", "newer") }, "repository.renamed"},
		{"team", func() { f.AddToTeam("acme", "The Core", "rita") }, "team.created membership.added"},
		{"team grant", func() { f.GrantTeam("acme", "the-core", "acme/ui", Pull) }, "team.added_to_repository team_add"},
		{"team edit", func() { f.GrantTeam("acme", "The Core", "acme/ui", Push) }, "team.edited"},
		{"team revoke", func() { f.GrantTeam("acme", "The Core", "acme/ui", NoRole) }, "team.removed_from_repository"},
		{"member", func() { f.AddMember("acme", "mallory") }, "organization.member_added"},
		{"promotion", func() { f.AddOwner("acme", "mallory") }, ""},
		{"base permission", func() { f.SetBasePermission("acme", Pull) }, ""},
		{"single sign-on", func() { f.RequireSSO("acme", true) }, ""},
		{"member leaves", func() { f.RemoveMember("acme", "rita") }, "membership.removed organization.member_removed"},
		{"team goes", func() { f.DeleteTeam("acme", "The Core") }, "team.deleted"},
		{"install", func() { f.Install("gatehouse", "acme", "acme/ui") }, "installation.created"},
		{"approval", func() { f.Approve(pending) }, "personal_access_token_request.approved"},
		{"choose", func() { f.Install("gatehouse", "acme", "acme/api") }, "installation_repositories.added installation_repositories.removed"},
		{"suspend", func() { f.SuspendApp("gatehouse", "acme", true) }, "installation.suspend"},
		{"unsuspend", func() { f.SuspendApp("gatehouse", "acme", false) }, "installation.unsuspend"},
		{"organization renamed", func() { f.RenameAccount("acme", "acmeco") }, "organization.renamed installation_target.renamed"},
		{"uninstall", func() { f.Uninstall("gatehouse", "acmeco") }, "installation.deleted"},
		{"a user's grant", func() { f.RevokeGrant(app.ClientID, "wendy") }, "github_app_authorization.revoked"},
		{"transfer", func() { f.Transfer("acmeco/newer", "wendy") }, "repository.transferred"},
		{"delete", func() { f.DeleteRepo("wendy/newer") }, "repository.deleted"},
	} {
		c.do()
		if err := f.AwaitDeliveries(t.Context()); err != nil {
			t.Fatal(err)
		}
		events, bodies := rc.take()
		slices.Sort(events)
		want := strings.Fields(c.want)
		slices.Sort(want)
		if !slices.Equal(events, want) {
			t.Errorf("%s: %v, want %v", c.change, events, want)
		}
		for _, body := range bodies {
			for _, complaint := range d.hookComplaints(t, body, want) {
				t.Errorf("%s: %s", c.change, complaint)
			}
		}
	}
	for _, sent := range f.Deliveries() {
		if sent.Status != 202 || sent.Err != nil {
			t.Errorf("%+v", sent)
		}
	}
}

// hookComplaints holds a body against the description of one of the events.
func (d *description) hookComplaints(t *testing.T, body []byte, events []string) []string {
	t.Helper()
	var value map[string]any
	if err := json.Unmarshal(body, &value); err != nil {
		return []string{err.Error()}
	}
	var all []string
	for _, event := range events {
		name := "webhook-" + strings.NewReplacer(".", "-", "_", "-").Replace(event)
		if _, described := d.at("components", "schemas")[name]; !described {
			t.Fatalf("no event %s", name)
		}
		if _, action, _ := strings.Cut(event, "."); action != "" && action != value["action"] {
			continue
		}
		schema, err := d.compile(component(name))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(value); err != nil {
			all = append(all, err.Error())
			continue
		}
		invented := d.invented(component(name), value, "")
		if len(invented) == 0 {
			return nil
		}
		all = append(all, fmt.Sprint("GitHub has no fields ", invented))
	}
	return all
}

func TestHookScope(t *testing.T) {
	f := started(t)
	acme, wendy := receive(t, "a", 200), receive(t, "b", 500)
	f.AddHook(acme.URL, "a", "acme")
	id := f.AddHook(wendy.URL, "b", "wendy")
	f.Archive("acme/ui", true)
	f.AddRepo("wendy/notes", Private)
	f.Transfer("acme/api", "wendy")
	if err := f.AwaitDeliveries(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, _ := acme.take(); !slices.Equal(got, []string{"repository.archived", "repository.transferred"}) {
		t.Errorf("acme hears %v", got)
	}
	if got, _ := wendy.take(); !slices.Equal(got, []string{"repository.created", "repository.transferred"}) {
		t.Errorf("wendy hears %v", got)
	}
	last := f.Deliveries()[len(f.Deliveries())-1]
	if last.Status != 500 {
		t.Errorf("%+v", last)
	}
	if again := f.Redeliver(last.ID); again.ID != last.ID || again.Status != 500 || string(again.Body) != string(last.Body) {
		t.Errorf("%+v", again)
	}
	wendy.take()
	f.RemoveHook(id)
	f.Archive("wendy/notes", true)
	if err := f.AwaitDeliveries(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, _ := wendy.take(); len(got) > 0 {
		t.Errorf("a removed hook hears %v", got)
	}
}

func TestSendHook(t *testing.T) {
	f := started(t)
	rc := receive(t, "s", 200)
	for _, e := range []Event{
		{Name: "ping"},
		{Name: "repository", Action: "privatized", Repo: "acme/ui"},
		{Name: "organization", Action: "member_removed", Org: "acme", User: "rita"},
		{Name: "github_app_authorization", Action: "revoked", User: "wendy"},
	} {
		if d := f.SendHook(rc.URL, "s", e); d.Status != 200 || d.Err != nil {
			t.Errorf("%+v", d)
		}
	}
	events, _ := rc.take()
	if want := []string{"ping", "repository.privatized", "organization.member_removed", "github_app_authorization.revoked"}; !slices.Equal(events, want) {
		t.Errorf("%v", events)
	}
	// Not to anywhere else: 192.0.2.1 is an address of nobody's.
	if d := f.SendHook("http://192.0.2.1/", "s", Event{Name: "ping"}); d.Err == nil || !strings.Contains(d.Err.Error(), "loopback") {
		t.Errorf("%+v", d)
	}
	other := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(other.Close)
	if d := f.SendHook(other.URL, "", Event{Name: "ping"}); d.Header.Get("X-Hub-Signature-256") != "" {
		t.Errorf("signed without a secret: %v", d.Header)
	}
}

// TestHooksEnd sees that a receiver that doesn't answer holds nobody up, and that waiting ends with Close.
func TestHooksEnd(t *testing.T) {
	f := started(t)
	let := make(chan struct{})
	stuck := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-let }))
	t.Cleanup(stuck.Close)
	t.Cleanup(func() { close(let) })
	f.AddHook(stuck.URL, "")
	for i := range hookQueue + 2 {
		f.Archive("acme/ui", i%2 == 0)
	}
	dropped := 0
	for _, d := range f.Deliveries() {
		if d.Err != nil && strings.Contains(d.Err.Error(), "too many") {
			dropped++
		}
	}
	if dropped == 0 {
		t.Error("the queue has no end")
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if err := f.AwaitDeliveries(ended); err == nil {
		t.Error("waited for nothing")
	}
	f.Close()
	if err := f.AwaitDeliveries(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestChangesWhileServing is for the race detector: changes, hooks, logins and questions at once.
func TestChangesWhileServing(t *testing.T) {
	f := started(t)
	f.AddOAuthApp("site", "s3")
	rc := receive(t, "s", 200)
	f.AddHook(rc.URL, "s")
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for i := range 10 {
				f.Archive("acme/ui", i%2 == 0)
				token := f.Login("site", "wendy", "repo")
				if r, err := f.as(t, token).try("GET /repos/acme/ui", ""); err != nil || r.StatusCode != 200 && r.StatusCode != 401 {
					t.Errorf("%d %v", r.StatusCode, err)
				}
				f.Deliveries()
				f.IDToken(Job{Repo: "acme/ui"}, "")
			}
		})
	}
	all.Wait()
	if err := f.AwaitDeliveries(t.Context()); err != nil {
		t.Error(err)
	}
}
