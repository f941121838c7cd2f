package store_test

import (
	"errors"
	"fmt"
	"testing"

	"gatehouse/scopes"
	"gatehouse/store"
	"gatehouse/store/blob"
	"gatehouse/store/kv"
)

func TestAdmit(t *testing.T) {
	engines(t, func(t *testing.T, meta kv.Store, blobs blob.Store) {
		s := open(t, meta, blobs, store.Options{})
		some(t, s, "1.0.0")
		e := store.Edit{Where: ui, By: wendy}
		api := scopes.Repo{ID: 21, OwnerID: 1, Owner: "acme", Name: "api"}
		before, _ := s.Head(ctx, "@acme/ui")
		head, err := s.Admit(ctx, "@acme/ui", api, true, e)
		if err != nil || !head.Admits(21) || head.Admits(22) || head.Revision == before.Revision || before.Admits(21) {
			t.Fatalf("%+v, %v", head, err)
		}
		again, err := s.Admit(ctx, "@acme/ui", api, true, e)
		if err != nil || again.Revision != head.Revision {
			t.Errorf("twice: %+v, %v", again, err)
		}
		moved := api
		moved.OwnerID = 2
		if h, err := s.Admit(ctx, "@acme/ui", moved, true, e); err != nil || len(h.Admitted) != 1 || h.Admitted[0] != moved {
			t.Errorf("admitted again after it went to another owner: %+v, %v", h, err)
		}
		if _, err := s.Admit(ctx, "@acme/ui", api, true, e); err != nil {
			t.Fatal(err)
		}
		// It is read from the engine like the rest.
		if read, err := open(t, meta, blobs, store.Options{}).Head(ctx, "@acme/ui"); err != nil || !read.Admits(21) {
			t.Errorf("read: %+v, %v", read, err)
		}
		if _, err := s.Admit(ctx, "@acme/ui", api, false, store.Edit{Where: other, By: wendy}); !errors.Is(err, store.ErrRebound) {
			t.Error(err)
		}
		if _, err := s.Admit(ctx, "@acme/none", api, true, e); !errors.Is(err, store.ErrNotFound) {
			t.Error(err)
		}
		if head, err = s.Admit(ctx, "@acme/ui", api, false, e); err != nil || head.Admits(21) {
			t.Errorf("dismissed: %+v, %v", head, err)
		}
		for i := range 600 {
			if _, err = s.Admit(ctx, "@acme/ui", scopes.Repo{ID: int64(100 + i)}, true, e); err != nil {
				break
			}
		}
		if !errors.Is(err, store.ErrTooMany) {
			t.Errorf("no end: %v", err)
		}
	})
}

func TestTrustRules(t *testing.T) {
	engines(t, func(t *testing.T, meta kv.Store, blobs blob.Store) {
		s := open(t, meta, blobs, store.Options{})
		some(t, s, "1.0.0")
		e := store.Edit{Where: ui, By: wendy}
		rule, err := s.Trust(ctx, "@acme/ui", store.Trusted{File: "release.yml", Environment: "npm"}, e)
		if err != nil || len(rule.ID) != 36 || rule.By.Login != wendy.Login || rule.At.IsZero() {
			t.Fatalf("%+v, %v", rule, err)
		}
		if same, err := s.Trust(ctx, "@acme/ui", store.Trusted{File: "release.yml", Environment: "npm"}, e); err != nil || same != rule {
			t.Errorf("twice: %+v, %v", same, err)
		}
		if err := s.Distrust(ctx, "@acme/ui", "x", e); !errors.Is(err, store.ErrNoRule) {
			t.Error(err)
		}
		if err := s.Distrust(ctx, "@acme/ui", rule.ID, e); err != nil {
			t.Error(err)
		}
		if head, _ := s.Head(ctx, "@acme/ui"); len(head.Trusted) != 0 {
			t.Errorf("%+v", head)
		}
		for i := range 60 {
			if _, err = s.Trust(ctx, "@acme/ui", store.Trusted{File: fmt.Sprint(i, ".yml")}, e); err != nil {
				break
			}
		}
		if !errors.Is(err, store.ErrTooMany) {
			t.Errorf("no end: %v", err)
		}
	})
}
