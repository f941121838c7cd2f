package githubauth_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"gatehouse/githubauth"
	"gatehouse/githubauth/githubtest"
	"gatehouse/scopes"
)

// TestRoleOf: an operator is told what others may do, as GitHub tells it to the registry's own credential.
func TestRoleOf(t *testing.T) {
	f := githubtest.Acme().Start()
	defer f.Close()
	app := f.AddApp(githubtest.App{Slug: "gate"})
	f.AddOrg("elsewhere")
	f.Install("gate", "elsewhere") // the first in the list, and of no use here
	f.Install("gate", "acme")
	for what, own := range map[string]githubauth.Server{
		"an App":             {AppID: app.ID, PrivateKey: app.PEM()},
		"a token":            {Token: f.Wendy},
		"a token that reads": {Token: f.WendyReads},
	} {
		c := registry(t, f, newClock(), nil, func(o *githubauth.Options) { o.Server = own })
		for login, role := range map[string]scopes.Permission{"wendy": scopes.Write, "RITA": scopes.Read, "mallory": scopes.None, "no-such-person": scopes.None} {
			who, access, err := c.RoleOf(context.Background(), bind(f.UI), login)
			known := login != "no-such-person"
			if err != nil || access.Role != role || access.Permission() != scopes.None || access.Repo.ID != f.UI.ID || access.At.IsZero() || (who.ID != 0) != known || known && !strings.EqualFold(who.Login, login) {
				t.Errorf("%s: %s: %+v %+v %v", what, login, who, access, err)
			}
		}
	}
	f.Archive("acme/ui", true)
	f.Rename("acme/ui", "web")
	c := registry(t, f, newClock(), nil, func(o *githubauth.Options) { o.Server = githubauth.Server{AppID: app.ID, PrivateKey: app.PEM()} })
	if _, access, err := c.RoleOf(context.Background(), bind(f.UI), "rita"); err != nil || !access.Archived || access.Repo.Name != "web" {
		t.Errorf("%+v %v", access, err)
	}
}

// TestRoleOfCannotBeAsked: what is missing is a sentence, and never "no role".
func TestRoleOfCannotBeAsked(t *testing.T) {
	f := githubtest.Acme().Start()
	defer f.Close()
	away := f.AddApp(githubtest.App{Slug: "away"})
	f.AddOrg("elsewhere")
	f.Install("away", "elsewhere")
	revoked := f.Token(githubtest.Classic{User: "wendy", Scopes: []string{"repo"}})
	f.RevokeToken(revoked)
	f.AddOAuthApp("Iv1.0123456789abcdef", "secret")
	ask := func(own githubauth.Server, repo scopes.Repo) error {
		t.Helper()
		c := registry(t, f, newClock(), nil, func(o *githubauth.Options) { o.Server = own })
		_, access, err := c.RoleOf(context.Background(), repo, "wendy")
		if access != (scopes.Access{}) {
			t.Errorf("%+v", access)
		}
		return err
	}
	for want, own := range map[string]githubauth.Server{
		"has no credential of its own":   {},
		"has no credential of its own t": {ClientID: "Iv1.0123456789abcdef", ClientSecret: "secret"},
		"is not installed on acme":       {AppID: away.ID, PrivateKey: away.PEM()},
		"somebody who can write":         {Token: f.Rita},
		"does not reach it":              {Token: f.Mallory},
		"wrong, expired or revoked":      {Token: revoked},
	} {
		if err := ask(own, bind(f.UI)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if err := ask(githubauth.Server{Token: f.Wendy}, scopes.Repo{ID: 1 << 40, OwnerID: 1, Owner: "acme", Name: "gone"}); err == nil || !strings.Contains(err.Error(), "acme/gone") {
		t.Errorf("a repository that is gone: %v", err)
	}
	f.Outage(503)
	var u *githubauth.Unavailable
	if err := ask(githubauth.Server{Token: f.Wendy}, bind(f.UI)); !errors.As(err, &u) || u.Retry < time.Second {
		t.Errorf("GitHub is down: %v", err)
	}
}
