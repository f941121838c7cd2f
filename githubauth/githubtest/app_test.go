package githubtest

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"
)

func appExchanges(f *Fixture, tokens map[string]string) []exchange {
	app := f.AddApp(App{Slug: "gatehouse", Owner: "acme", Permissions: Permissions{"contents": Read, "members": Write}})
	id := f.Install("gatehouse", "acme", "acme/ui", "acme/api")
	f.Install("gatehouse", "wendy")
	tokens["app"] = f.AppJWT("gatehouse")
	tokens["app user"] = f.Login(app.ClientID, "wendy")
	tokens["ending"] = f.Token(Installation{Owner: "acme"})
	const list, one, token = "/app/installations", "/app/installations/{installation_id}", "/app/installations/{installation_id}/access_tokens"
	const org, user, repo = "/orgs/{org}/installation", "/users/{username}/installation", "/repos/{owner}/{repo}/installation"
	path := fmt.Sprintf("/app/installations/%d", id)
	create := "POST " + path + "/access_tokens"
	return []exchange{
		{"app", "GET /app", "", "/app", 200, ""},
		{"nobody", "GET /app", "", "/app", 401, "basic-error"},
		{"app", "GET /app/installations?per_page=1", "", list, 200, "[]installation"},
		{"app", "GET " + path, "", one, 200, ""},
		{"app", "GET /app/installations/1", "", one, 404, ""},
		{"app", "GET /orgs/acme/installation", "", org, 200, ""},
		{"app", "GET /orgs/mallory/installation", "", org, 404, "basic-error"},
		{"app", "GET /users/wendy/installation", "", user, 200, ""},
		{"app", "GET /repos/acme/ui/installation", "", repo, 200, ""},
		{"app", "GET /repos/acme/open/installation", "", repo, 404, ""},
		{"app", create, "", token, 201, ""},
		{"app", create, `{"repositories":["ui"],"permissions":{"contents":"read"}}`, token, 201, ""},
		{"app", create, `{"repositories":["open"]}`, token, 422, ""},
		{"wendy", create, "", token, 401, ""},
		{"app user", "GET /user/installations", "", "/user/installations", 200, ""},
		{"wendy", "GET /user/installations", "", "/user/installations", 403, ""},
		{"ending", "DELETE /installation/token", "", "/installation/token", 204, ""},
	}
}

func TestAppInstallationToken(t *testing.T) {
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	f := started(t, Clock(func() time.Time { return now }))
	f.AddApp(App{Slug: "gatehouse", Permissions: Permissions{"contents": Read}})
	path := "/app/installations/" + strconv.FormatInt(f.Install("gatehouse", "acme", "acme/ui", "acme/api"), 10) + "/access_tokens"
	mint := func(body string) asker {
		t.Helper()
		r := f.as(t, f.AppJWT("gatehouse")).do("POST "+path, body)
		if r.StatusCode != 201 {
			t.Fatalf("%d %s", r.StatusCode, r.body)
		}
		return f.as(t, r.document(t)["token"].(string))
	}
	all, ui := mint(""), mint(fmt.Sprintf(`{"repository_ids":[%d]}`, f.UI.ID))
	all.want(200, "GET /repos/acme/ui/branches")
	all.want(200, "GET /repos/acme/api/branches")
	all.want(403, "GET /user")
	ui.want(200, "GET /repos/acme/ui/branches")
	ui.want(404, "GET /repos/acme/api")
	mint(`{"permissions":{"metadata":"read"}}`).want(403, "GET /repos/acme/ui/branches")
	app := f.as(t, f.AppJWT("gatehouse"))
	for _, body := range []string{`{"permissions":{"contents":"write"}}`, `{"permissions":{"administration":"read"}}`, `{"repositories":["open"]}`, `{"repository_ids":[1]}`} {
		if r := app.do("POST "+path, body); r.StatusCode != 422 {
			t.Errorf("%s: %d", body, r.StatusCode)
		}
	}
	if got := all.query(`{viewer{login}}`, nil); fmt.Sprint(got["data"]) != "map[viewer:map[login:gatehouse[bot]]]" {
		t.Errorf("%v", got)
	}

	f.Install("gatehouse", "acme", "acme/api") // ui was taken away
	all.want(404, "GET /repos/acme/ui")
	ui.want(404, "GET /repos/acme/ui")
	all.want(200, "GET /repos/acme/api")
	f.SuspendApp("gatehouse", "acme", true)
	all.want(403, "GET /repos/acme/api")
	app.want(403, "POST "+path)
	f.SuspendApp("gatehouse", "acme", false)
	all.want(200, "GET /repos/acme/api")
	now = now.Add(time.Hour)
	all.want(401, "GET /repos/acme/api")
	f.Uninstall("gatehouse", "acme")
	f.as(t, f.AppJWT("gatehouse")).want(404, "POST "+path)
}

func TestAppJWT(t *testing.T) {
	f := started(t)
	a := f.AddApp(App{Slug: "gatehouse"})
	other := f.AddApp(App{Slug: "other"})
	block, _ := pem.Decode(a.PEM())
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err != nil || !key.Equal(a.Key) {
		t.Errorf("PEM: %v", err)
	}
	now := time.Now().Unix()
	id := strconv.FormatInt(a.ID, 10)
	for name, c := range map[string]struct {
		jwt    string
		status int
		says   string
	}{
		"good":            {signJWT(a.Key, "", map[string]any{"iss": id, "iat": now - 60, "exp": now + 540}), 200, ""},
		"number":          {signJWT(a.Key, "", map[string]any{"iss": a.ID, "iat": now - 60, "exp": now + 540}), 200, ""},
		"client id":       {signJWT(a.Key, "", map[string]any{"iss": a.ClientID, "iat": now - 60, "exp": now + 540}), 200, ""},
		"another's key":   {signJWT(other.Key, "", map[string]any{"iss": id, "iat": now - 60, "exp": now + 540}), 401, "could not be decoded"},
		"unknown":         {signJWT(a.Key, "", map[string]any{"iss": "1", "iat": now - 60, "exp": now + 540}), 404, "Integration not found"},
		"expired":         {signJWT(a.Key, "", map[string]any{"iss": id, "iat": now - 600, "exp": now - 1}), 401, "('exp') must be"},
		"too long":        {signJWT(a.Key, "", map[string]any{"iss": id, "iat": now - 60, "exp": now + 700}), 401, "too far in the future"},
		"issued later":    {signJWT(a.Key, "", map[string]any{"iss": id, "iat": now + 60, "exp": now + 540}), 401, "('iat') must be"},
		"no issue":        {signJWT(a.Key, "", map[string]any{"iss": id, "exp": now + 540}), 401, "('iat') must be"},
		"no expiry":       {signJWT(a.Key, "", map[string]any{"iss": id, "iat": now}), 401, "('exp') must be"},
		"another algo":    {part(map[string]any{"alg": "none"}) + "." + part(map[string]any{"iss": id}) + ".", 401, "could not be decoded"},
		"not one":         {"eyJ", 401, "could not be decoded"},
		"a person":        {f.Wendy, 401, "could not be decoded"},
		"an installation": {f.Token(Installation{Owner: "acme"}), 401, "could not be decoded"},
	} {
		r := f.as(t, c.jwt).get("/app")
		if r.StatusCode != c.status || c.says != "" && !strings.Contains(r.message(t), c.says) {
			t.Errorf("%s: %d %s", name, r.StatusCode, r.body)
		}
	}
	for _, path := range []string{GetUser, "GET /repos/acme/ui", "GET /repos/acme/open", PostGraphQL} {
		f.as(t, f.AppJWT("gatehouse")).want(403, path)
	}
}
