package operator_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"gatehouse/scopes"
	"gatehouse/server/operator"
	"gatehouse/store"
	"gatehouse/store/memory"
	"gatehouse/store/packument"
	"gatehouse/store/packument/packumenttest"
)

// roles is GitHub's answer about every account: what it may do on the repository with the number 7.
type roles map[string]scopes.Permission

func (r roles) RoleOf(_ context.Context, repo scopes.Repo, login string) (scopes.Principal, scopes.Access, error) {
	role, known := r[login]
	if login == "nobody-answers" {
		return scopes.Principal{}, scopes.Access{}, errors.New("GitHub gave no usable answer: status 503")
	}
	if !known {
		return scopes.Principal{}, scopes.Access{}, nil
	}
	repo.Name = "web" // it was renamed
	return scopes.Principal{Kind: scopes.Person, ID: 12, Login: login}, scopes.Access{Repo: repo, Role: role, At: time.Now()}, nil
}

func TestWhy(t *testing.T) {
	d := desk(t)
	var err error
	if d.Store, err = store.Open(ctx, memory.NewKV(), d.Blobs, store.Options{}); err != nil {
		t.Fatal(err)
	}
	p := packumenttest.Package{Name: "@acme/ui", Version: "1.0.0"}
	name, err := packument.ParseName(p.Name)
	if err != nil {
		t.Fatal(err)
	}
	limits := packument.DefaultLimits
	limits.Tarball = 1 << 20
	u, err := packument.ReadPublish(ctx, bytes.NewReader(p.Body()), name, limits, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	repo := scopes.Repo{ID: 7, OwnerID: 1, Owner: "acme", Name: "ui"}
	if _, err := d.Store.Publish(ctx, store.Publication{Upload: u, Binding: scopes.Binding{Kind: scopes.GitHub, Repo: repo}, By: scopes.Principal{Login: "wendy"}}); err != nil {
		t.Fatal(err)
	}
	d.Host, d.Roles = "github.com", roles{"wendy": scopes.Write, "rita": scopes.Read, "mallory": scopes.None}
	dir := t.TempDir()
	serve(t, dir, d)
	c := dial(t, dir)

	for _, q := range []struct {
		as, action, reason string
		allowed            bool
	}{
		{"wendy", "publish", "allowed", true},
		{"rita", "publish", "role-too-low", false},
		{"rita", "install", "allowed", true},
		{"mallory", "install", "not-readable", false},
		{"stranger", "install", "not-readable", false},
	} {
		w, err := c.Why(ctx, operator.Why{Package: p.Name, Action: q.action, As: q.as})
		if err != nil || w.Allowed != q.allowed || w.Reason != q.reason || w.Caller.Login != q.as {
			t.Errorf("%s %s: %v, %+v", q.as, q.action, err, w)
		}
		if words := w.Words(); q.reason == "not-readable" && !strings.Contains(words, q.as+" cannot read the GitHub repository acme/") {
			t.Errorf("%s", words)
		}
		// The operator may know that the package is there, and to which repository it is bound.
		if w.Binding == nil || w.Binding.ID != 7 {
			t.Errorf("%s %s: the binding is %+v", q.as, q.action, w.Binding)
		}
		if words := w.Words(); q.reason == "role-too-low" && (!strings.Contains(words, "reach       unknown") || !strings.Contains(words, "depends on the token")) {
			t.Errorf("%s", words)
		}
	}
	refused := func(want string, what operator.Why) {
		t.Helper()
		if _, err := c.Why(ctx, what); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	refused("there is no package @acme/no", operator.Why{Package: "@acme/no", Action: "install", As: "rita"})
	refused(`there is no action "eat"`, operator.Why{Package: p.Name, Action: "eat", As: "rita"})
	refused("GitHub gave no usable answer", operator.Why{Package: p.Name, Action: "install", As: "nobody-answers"})
	alone := operator.Desk{Store: d.Store}
	if _, err := alone.Why(ctx, operator.Why{Package: p.Name, Action: "install", As: "rita"}); err == nil || !strings.Contains(err.Error(), "no credential of its own") {
		t.Errorf("without a credential: %v", err)
	}
}
