package githubauth_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"gatehouse/githubauth"
	"gatehouse/githubauth/githubtest"
	"gatehouse/scopes"
)

// TestRevocationByWebhook: what GitHub's own events tell ends what was known, the moment they are delivered.
func TestRevocationByWebhook(t *testing.T) {
	const secret = "hook secret"
	for what, x := range map[string]struct {
		do   func(*githubtest.Fixture)
		lost bool
	}{
		"a collaborator is removed":              {func(f *githubtest.Fixture) { f.Revoke("rita", "acme/ui") }, true},
		"the repository is deleted":              {func(f *githubtest.Fixture) { f.DeleteRepo("acme/ui") }, true},
		"the member is removed, the grant stays": {func(f *githubtest.Fixture) { f.RemoveMember("acme", "rita") }, false},
		"the repository is renamed":              {func(f *githubtest.Fixture) { f.Rename("acme/ui", "web") }, false},
	} {
		t.Run(what, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			defer cancel()
			f := githubtest.Acme().Start()
			defer f.Close()
			c := registry(t, f, newClock(), nil)
			hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				if err := githubauth.VerifyHook(secret, r.Header.Get("X-Hub-Signature-256"), body); err != nil {
					t.Error(err)
				}
				effect, name, err := githubauth.HookEffect(r.Header.Get("X-GitHub-Event"), body)
				if err != nil || effect.All {
					t.Errorf("%s: %+v %v", name, effect, err)
				}
				c.Forget(effect)
			}))
			defer hook.Close()
			f.AddHook(hook.URL, secret)
			if a, err := c.Access(ctx, f.Rita, bind(f.UI), scopes.Read); err != nil || a.Permission() < scopes.Read {
				t.Fatal(a, err)
			}
			id := bind(f.UI)
			x.do(f)
			if err := f.AwaitDeliveries(ctx); err != nil {
				t.Fatal(err)
			}
			f.ResetCounts()
			a, err := c.Access(ctx, f.Rita, id, scopes.Read)
			if err != nil || (a.Permission() < scopes.Read) != x.lost || f.Counts().By(f.Rita).Total() == 0 {
				t.Errorf("%+v %v\n%s", a, err, f.Counts())
			}
		})
	}
}

// TestServerAppOnTheFake is TestServerApp against the fake's own Apps.
func TestServerAppOnTheFake(t *testing.T) {
	f := githubtest.Acme().Start()
	defer f.Close()
	app := f.AddApp(githubtest.App{Slug: "gate"})
	f.Install("gate", "acme")
	c := registry(t, f, newClock(), nil, func(o *githubauth.Options) { o.Server = githubauth.Server{AppID: app.ID, PrivateKey: app.PEM()} })
	if !isPublic(t, c, f.Open) || isPublic(t, c, f.UI) {
		t.Error("not what is public")
	}
	f.SuspendApp("gate", "acme", true)
	c = registry(t, f, newClock(), nil, func(o *githubauth.Options) { o.Server = githubauth.Server{AppID: app.ID, PrivateKey: app.PEM()} })
	if isPublic(t, c, f.Open) {
		t.Error("answered by a suspended installation")
	}
}
