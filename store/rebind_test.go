package store_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"gatehouse/scopes"
	"gatehouse/store"
	"gatehouse/store/blob"
	"gatehouse/store/kv"
	"gatehouse/store/memory"
	"gatehouse/store/packument"
	"gatehouse/store/packument/packumenttest"
)

func boundTo(id, owner int64, name string) scopes.Binding {
	login, name, _ := strings.Cut(name, "/")
	return scopes.Binding{Kind: scopes.GitHub, Repo: scopes.Repo{ID: id, OwnerID: owner, Owner: login, Name: name}}
}

func publishTo(t testing.TB, s *store.Store, name string, where scopes.Binding) {
	t.Helper()
	u := upload(t, packumenttest.Package{Name: name, Version: "1.0.0", Repository: "github:" + where.Repo.String()})
	if _, err := s.Publish(ctx, store.Publication{Upload: u, Binding: where, By: wendy, Publisher: packument.Publisher{Name: "wendy"}}); err != nil {
		t.Fatal(err)
	}
}

func TestRebind(t *testing.T) {
	engines(t, func(t *testing.T, meta kv.Store, blobs blob.Store) {
		s := open(t, meta, blobs, store.Options{})
		publishTo(t, s, "@acme/ui", ui)
		before, _ := s.Head(ctx, "@acme/ui")

		// It is an edit like all others: of the package that the verdict was about, as it was read.
		if _, err := s.Rebind(ctx, "@acme/no", store.Rebinding{To: other}, store.Edit{Where: ui, By: wendy}); !errors.Is(err, store.ErrNotFound) {
			t.Error(err)
		}
		if _, err := s.Rebind(ctx, "@acme/ui", store.Rebinding{To: ui}, store.Edit{Where: other, By: wendy}); !errors.Is(err, store.ErrRebound) {
			t.Error(err)
		}
		if _, err := s.Rebind(ctx, "@acme/ui", store.Rebinding{To: other}, store.Edit{Where: ui, By: wendy, Revision: "1-x"}); !errors.Is(err, store.ErrStale) {
			t.Error(err)
		}
		if h, err := s.Rebind(ctx, "@acme/ui", store.Rebinding{To: ui}, store.Edit{Where: ui, By: wendy}); err != nil || h.Revision != before.Revision {
			t.Errorf("binding it as it is bound: %+v, %v", h, err)
		}
		h, err := s.Rebind(ctx, "@acme/ui", store.Rebinding{To: other}, store.Edit{Where: ui, By: wendy, Revision: before.Revision})
		if err != nil || h.Binding != other || h.Revision == before.Revision || !h.Modified.Equal(before.Modified) {
			t.Fatalf("%+v, %v", h, err)
		}
		if d := whole(t, s, "@acme/ui"); len(d.Versions) != 1 {
			t.Errorf("%+v", d)
		}

		// The old repository has no part in it any more.
		if err := publish(t, s, packumenttest.Package{Name: "@acme/ui", Version: "2.0.0"}, wendy); !errors.Is(err, store.ErrRebound) {
			t.Error(err)
		}
		// One that is withdrawn can be bound too.
		if _, err := s.UnpublishAll(ctx, "@acme/ui", store.Edit{Where: other, By: wendy}); err != nil {
			t.Fatal(err)
		}
		if h, err := s.Rebind(ctx, "@acme/ui", store.Rebinding{To: ui}, store.Edit{Where: other, By: rita}); err != nil || h.Binding != ui || h.Unpublished == nil {
			t.Errorf("%+v, %v", h, err)
		}

		var events []string
		for row, err := range meta.Scan(ctx, []byte("e\x00"), []byte("e\x01")) {
			var e store.Event
			if err == nil {
				err = json.Unmarshal(row.Value, &e)
			}
			if err != nil {
				t.Fatal(err)
			}
			if e.What == "bind" {
				events = append(events, fmt.Sprintf("%s: %s from %d to %d", e.By.Login, e.Package, e.From.Repo.ID, e.To.Repo.ID))
			}
		}
		if want := []string{"wendy: @acme/ui from 7 to 8", "rita: @acme/ui from 8 to 7"}; !slices.Equal(events, want) {
			t.Errorf("events %q", events)
		}
	})
}

// TestRebindEndsAdmissions: whom the old repository's admins let in, the new one's have not.
func TestRebindEndsAdmissions(t *testing.T) {
	s := open(t, memory.NewKV(), memory.NewBlob(), store.Options{})
	publishTo(t, s, "@acme/ui", ui)
	edit := store.Edit{Where: ui, By: wendy}
	if _, err := s.Admit(ctx, "@acme/ui", scopes.Repo{ID: 21, OwnerID: 1, Owner: "acme", Name: "api"}, true, edit); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Trust(ctx, "@acme/ui", store.Trusted{File: "release.yml"}, edit); err != nil {
		t.Fatal(err)
	}
	renamed := ui
	renamed.Repo.Name = "web"
	h, err := s.Rebind(ctx, "@acme/ui", store.Rebinding{To: renamed}, edit)
	if err != nil || !h.Admits(21) || len(h.Trusted) != 1 {
		t.Errorf("the same repository by another name: %+v, %v", h, err)
	}
	if h, err = s.Rebind(ctx, "@acme/ui", store.Rebinding{To: other}, store.Edit{Where: renamed, By: wendy}); err != nil || h.Admits(21) || len(h.Trusted) != 0 {
		t.Errorf("%+v, %v", h, err)
	}
	if list, err := s.Admitted(ctx, "@acme/ui"); len(list) != 0 || err != nil {
		t.Errorf("%v, %v", list, err)
	}
}

// A namespace stands for one account, whatever its login, until an operator says otherwise.
func TestNamespaceOfAnotherAccount(t *testing.T) {
	s := open(t, memory.NewKV(), memory.NewBlob(), store.Options{})
	publishTo(t, s, "@acme/ui", ui)
	taken := boundTo(9, 2, "acme/ui") // another account of the same login
	edit := store.Edit{Where: ui, By: wendy}
	if _, err := s.Rebind(ctx, "@acme/ui", store.Rebinding{To: taken}, edit); !errors.Is(err, store.ErrNamespace) {
		t.Error(err)
	}
	owner := func() int64 {
		id, err := s.NamespaceOwner(ctx, "acme")
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	if _, err := s.Rebind(ctx, "@acme/ui", store.Rebinding{To: taken, OtherOwner: true}, edit); err != nil || owner() != 1 {
		t.Errorf("an exception for one package: %v, owner %d", err, owner())
	}
	edit.Where = taken
	if _, err := s.Rebind(ctx, "@acme/ui", store.Rebinding{To: taken, MoveNamespace: true}, edit); err != nil || owner() != 2 {
		t.Errorf("the whole namespace: %v, owner %d", err, owner())
	}
	if id, err := s.NamespaceOwner(ctx, "nobody"); id != 0 || err != nil {
		t.Errorf("%d, %v", id, err)
	}

	// A name without a namespace counts to its owner's login.
	u := upload(t, packumenttest.Package{Name: "tool", Version: "1.0.0"})
	if _, err := s.Publish(ctx, store.Publication{Upload: u, Binding: boundTo(10, 3, "Acme/tool"), By: wendy}); !errors.Is(err, store.ErrNamespace) {
		t.Errorf("a login that was taken over publishes a name without a namespace: %v", err)
	}
}

func TestRepositories(t *testing.T) {
	engines(t, func(t *testing.T, meta kv.Store, blobs blob.Store) {
		s := open(t, meta, blobs, store.Options{})
		if all, err := s.Repositories(ctx); err != nil || len(all) != 0 {
			t.Errorf("%+v, %v", all, err)
		}
		api, tools := boundTo(5, 1, "acme/api"), boundTo(6, 2, "initech/tools")
		publishTo(t, s, "@acme/ui", ui)
		publishTo(t, s, "@initech/tools", tools)
		publishTo(t, s, "@acme/api", api)
		publishTo(t, s, "@acme/api-types", api)
		publishTo(t, s, "free", scopes.Binding{})

		check := func(s *store.Store, when string, repos, neighbours, packages, sample string) {
			t.Helper()
			names := func(list []scopes.Repo, err error) string {
				var words []string
				for _, r := range list {
					words = append(words, r.String())
				}
				return fmt.Sprint(strings.Join(words, " "), err)
			}
			if got := names(s.Repositories(ctx)); got != repos+"<nil>" {
				t.Errorf("%s: repositories %s", when, got)
			}
			if got := names(s.Neighbours(ctx, ui.Repo, 9), nil); got != neighbours+"<nil>" {
				t.Errorf("%s: neighbours %s", when, got)
			}
			if got, err := s.Packages(ctx, api.Repo.ID); strings.Join(got, " ") != packages || err != nil {
				t.Errorf("%s: packages %q, %v", when, got, err)
			}
			if got, ok := s.Sample(ctx, "acme"); got.String() != sample || !ok {
				t.Errorf("%s: sample %s", when, got)
			}
		}
		check(s, "at first", "acme/api initech/tools acme/ui", "acme/api initech/tools", "@acme/api @acme/api-types", "acme/api")
		if got := s.Neighbours(ctx, ui.Repo, 1); len(got) != 1 || got[0].OwnerID != 1 {
			t.Errorf("the nearest: %+v", got)
		}
		if _, ok := s.Sample(ctx, "nobody"); ok {
			t.Error("a repository of nobody")
		}
		publishTo(t, s, "@acme/a", ui)
		if _, err := s.Rebind(ctx, "@acme/api", store.Rebinding{To: other}, store.Edit{Where: api, By: wendy}); err != nil {
			t.Fatal(err)
		}
		check(s, "changed", "acme/api initech/tools acme/ui acme/other", "acme/api acme/other initech/tools", "@acme/api-types", "acme/ui")
		check(open(t, meta, blobs, store.Options{}), "read again", "acme/api initech/tools acme/ui acme/other", "acme/api acme/other initech/tools", "@acme/api-types", "acme/ui")
	})
}

func TestSecret(t *testing.T) {
	engines(t, func(t *testing.T, meta kv.Store, blobs blob.Store) {
		s := open(t, meta, blobs, store.Options{})
		first, err := s.Secret(ctx, "cache")
		if err != nil || len(first) != 32 {
			t.Fatalf("%d bytes, %v", len(first), err)
		}
		again, err := open(t, meta, blobs, store.Options{}).Secret(ctx, "cache")
		if err != nil || string(again) != string(first) {
			t.Errorf("another secret after all: %v", err)
		}
		if another, err := s.Secret(ctx, "other"); err != nil || string(another) == string(first) {
			t.Errorf("the same secret under another name: %v", err)
		}
		for e, err := range s.Entries(ctx) {
			if err != nil || strings.Contains(string(e.Value), string(first)) {
				t.Errorf("a backup has it: %q, %v", e.Key, err)
			}
		}
		for key, err := range s.Strays(ctx) {
			t.Errorf("a stray: %q, %v", key, err)
		}
	})
}

// What is kept in memory is what a fresh look at the data finds, also where it is read for the first time in the midst of changes.
func TestRepositoriesAmidChanges(t *testing.T) {
	meta, blobs := memory.NewKV(), memory.NewBlob()
	s := open(t, meta, blobs, store.Options{})
	var workers sync.WaitGroup
	for n := range 8 {
		name := fmt.Sprintf("@acme/p%d", n)
		u := upload(t, packumenttest.Package{Name: name, Version: "1.0.0"})
		workers.Go(func() {
			where := boundTo(int64(100+n), 1, "acme/ui")
			if _, err := s.Publish(ctx, store.Publication{Upload: u, Binding: where, By: wendy}); err != nil {
				t.Error(err)
			}
			for i := range 20 {
				next := boundTo(int64(200+(n+i)%5), 1, "acme/ui")
				if _, err := s.Rebind(ctx, name, store.Rebinding{To: next}, store.Edit{Where: where, By: wendy}); err != nil {
					t.Error(err)
				}
				where = next
			}
		})
		workers.Go(func() {
			for range 20 {
				if _, err := s.Repositories(ctx); err != nil {
					t.Error(err)
				}
				s.Sample(ctx, "acme")
			}
		})
	}
	workers.Wait()
	again := open(t, meta, blobs, store.Options{})
	for id := range int64(300) {
		kept, err := s.Packages(ctx, id)
		found, err2 := again.Packages(ctx, id)
		if err != nil || err2 != nil || !slices.Equal(kept, found) {
			t.Errorf("repository %d: %q is kept and %q found, %v, %v", id, kept, found, err, err2)
		}
	}
}
