package operator_test

import (
	"strings"
	"testing"

	"gatehouse/scopes"
	"gatehouse/server/operator"
)

func TestBind(t *testing.T) {
	dir, d := t.TempDir(), desk(t)
	serve(t, dir, d)
	c := dial(t, dir)
	ui := scopes.Repo{ID: 7, OwnerID: 1, Owner: "acme", Name: "ui"}
	evil := scopes.Repo{ID: 8, OwnerID: 2, Owner: "evil", Name: "ui"}

	// A package that is bound to nothing, as a repair leaves one, is bound by an operator too.
	bound, err := c.Bind(ctx, operator.Bind{Package: "@acme/ui", To: ui})
	if err != nil || bound.From.Kind != scopes.Unbound || bound.To.Repo != ui {
		t.Errorf("%+v, %v", bound, err)
	}
	for says, what := range map[string]operator.Bind{
		"there is no package @acme/no": {Package: "@acme/no", To: ui},
		"--move-namespace":             {Package: "@acme/ui", To: evil},
		"has a name":                   {Package: "@acme/ui", To: scopes.Repo{ID: 7, OwnerID: 1, Owner: "acme", Name: "../ui"}},
		"and two numbers":              {Package: "@acme/ui", To: scopes.Repo{ID: 7, Owner: "acme", Name: "ui"}},
	} {
		if _, err := c.Bind(ctx, what); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%+v: %v, want %s", what, err, says)
		}
	}
	bound, err = c.Bind(ctx, operator.Bind{Package: "@acme/ui", To: evil, MoveNamespace: true})
	if err != nil || bound.From.Repo != ui || bound.To.Repo != evil {
		t.Errorf("%+v, %v", bound, err)
	}
	if owner, err := d.Store.NamespaceOwner(ctx, "acme"); owner != 2 || err != nil {
		t.Errorf("the namespace stands for %d, %v", owner, err)
	}
}
