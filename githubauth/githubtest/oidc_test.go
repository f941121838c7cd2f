package githubtest

import (
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"
)

// verified takes an ID token apart as a relying party does, from the issuer's address on.
func (f *Fixture) verified(t *testing.T, token string) (claims map[string]any, ok bool) {
	t.Helper()
	a := asker{t: t}
	var config struct {
		Issuer  string
		JWKSURI string `json:"jwks_uri"`
	}
	if err := json.Unmarshal(a.get(f.OIDCIssuer()+"/.well-known/openid-configuration").body, &config); err != nil || config.Issuer != f.OIDCIssuer() {
		t.Fatal(config, err)
	}
	var set struct {
		Keys []struct{ Kid, N, E, Kty string }
	}
	if err := json.Unmarshal(a.get(config.JWKSURI).body, &set); err != nil {
		t.Fatal(err)
	}
	var header struct{ Kid string }
	first, _, _ := strings.Cut(token, ".")
	if !unpart(first, &header) {
		t.Fatal(token)
	}
	claims, ok = claimsOf(token)
	if !ok || claims["iss"] != config.Issuer {
		t.Fatal(claims)
	}
	number := func(text string) *big.Int {
		b, err := base64.RawURLEncoding.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		return new(big.Int).SetBytes(b)
	}
	for _, k := range set.Keys {
		if k.Kid == header.Kid && k.Kty == "RSA" {
			return claims, signedBy(token, &rsa.PublicKey{N: number(k.N), E: int(number(k.E).Int64())})
		}
	}
	return claims, false
}

func TestIDToken(t *testing.T) {
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	f := started(t, Clock(func() time.Time { return now }))
	claims, ok := f.verified(t, f.IDToken(Job{Repo: "acme/ui"}, "npm:registry.example"))
	if !ok {
		t.Fatal("signature")
	}
	acme := f.Account("acme")
	text := func(id int64) string { return jsonText(t, id) }
	for name, want := range map[string]any{
		"aud": "npm:registry.example", "exp": float64(now.Unix() + 300), "iat": float64(now.Unix()), "nbf": float64(now.Unix() - 600),
		"repository": "acme/ui", "repository_id": text(f.UI.ID), "repository_owner": "acme", "repository_owner_id": text(acme.ID),
		"repository_visibility": "private", "ref": "refs/heads/main", "ref_type": "branch", "event_name": "push", "actor": "ada",
		"workflow_ref":     "acme/ui/.github/workflows/release.yml@refs/heads/main",
		"job_workflow_ref": "acme/ui/.github/workflows/release.yml@refs/heads/main", "runner_environment": "github-hosted", "environment": nil,
		"sub": "repo:acme@" + text(acme.ID) + "/ui@" + text(f.UI.ID) + ":ref:refs/heads/main", "head_ref": "", "run_attempt": "1",
	} {
		if claims[name] != want {
			t.Errorf("%s: %v, want %v", name, claims[name], want)
		}
	}
	for name := range claims {
		if !slices.Contains(claimNames, name) {
			t.Errorf("a claim that GitHub has not: %s", name)
		}
	}
	again, _ := f.verified(t, f.IDToken(Job{Repo: "acme/ui"}, "npm:registry.example"))
	if again["jti"] == claims["jti"] || again["run_id"] == claims["run_id"] {
		t.Errorf("two jobs are one: %v", again)
	}
}

func jsonText(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestJobs(t *testing.T) {
	now := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	f := started(t, Clock(func() time.Time { return now }))
	f.SetDefaultBranch("acme/ui", "trunk")
	for name, c := range map[string]struct {
		job  Job
		want map[string]any
	}{
		"pull request": {Job{Event: "pull_request"}, map[string]any{
			"ref": "refs/pull/1/merge", "head_ref": "patch", "base_ref": "trunk", "sub": "repo:acme/ui:pull_request", "ref_type": "branch"}},
		// The trap: a stranger's change runs with the default branch as its ref.
		"pull request target": {Job{Event: "pull_request_target", HeadRef: "evil", Actor: "mallory"}, map[string]any{
			"ref": "refs/heads/trunk", "head_ref": "evil", "sub": "repo:acme/ui:ref:refs/heads/trunk", "actor": "mallory"}},
		"release":     {Job{Event: "release", Workflow: "ship.yaml"}, map[string]any{"ref": "refs/tags/v1.0.0", "ref_type": "tag", "workflow_ref": "acme/ui/.github/workflows/ship.yaml@refs/tags/v1.0.0"}},
		"environment": {Job{Environment: "a:b"}, map[string]any{"environment": "a:b", "sub": "repo:acme/ui:environment:a%3Ab"}},
		"self-hosted": {Job{SelfHosted: true}, map[string]any{"runner_environment": "self-hosted"}},
		"called": {Job{Called: "evil/x/.github/workflows/y.yml@main"}, map[string]any{
			"job_workflow_ref": "evil/x/.github/workflows/y.yml@main", "workflow_ref": "acme/ui/.github/workflows/release.yml@refs/heads/trunk"}},
		"forged": {Job{Claims: map[string]any{"repository": "acme/api", "ref": nil}}, map[string]any{"repository": "acme/api", "ref": nil}},
	} {
		c.job.Repo = "acme/ui"
		claims, ok := f.verified(t, f.IDToken(c.job, ""))
		if !ok || claims["aud"] != f.URL()+"/acme" {
			t.Errorf("%s: %v", name, claims)
		}
		for key, want := range c.want {
			if claims[key] != want {
				t.Errorf("%s: %s is %v, want %v", name, key, claims[key], want)
			}
		}
	}
	now = subjectsChanged
	f.Rename("acme/ui", "widgets")
	if claims, _ := f.verified(t, f.IDToken(Job{Repo: "acme/widgets"}, "")); !strings.Contains(claims["sub"].(string), "/widgets@"+jsonText(t, f.UI.ID)+":") {
		t.Errorf("after a rename: %v", claims["sub"])
	}
}

// TestActionsEnv asks for a token as npm does in a job.
func TestActionsEnv(t *testing.T) {
	f := started(t)
	env := f.ActionsEnv(Job{Repo: "acme/ui", Event: "release"})
	other := f.ActionsEnv(Job{Repo: "acme/api"})
	ask := func(address, bearer string) reply {
		t.Helper()
		return asker{t: t, token: bearer}.get(address + "&audience=npm:localhost")
	}
	r := ask(env["ACTIONS_ID_TOKEN_REQUEST_URL"], env["ACTIONS_ID_TOKEN_REQUEST_TOKEN"])
	claims, ok := f.verified(t, r.document(t)["value"].(string))
	if !ok || claims["aud"] != "npm:localhost" || claims["repository"] != "acme/ui" || claims["run_id"] != env["GITHUB_RUN_ID"] || claims["ref"] != env["GITHUB_REF"] {
		t.Errorf("%v", claims)
	}
	if env["GITHUB_ACTIONS"] != "true" || env["GITHUB_REF_NAME"] != "v1.0.0" || env["GITHUB_REPOSITORY_ID"] != claims["repository_id"] {
		t.Errorf("%v", env)
	}
	for name, bearer := range map[string]string{"nobody": "", "another job": other["ACTIONS_ID_TOKEN_REQUEST_TOKEN"], "a token": f.ActionsWrites} {
		if r := ask(env["ACTIONS_ID_TOKEN_REQUEST_URL"], bearer); r.StatusCode != 401 {
			t.Errorf("%s: %d", name, r.StatusCode)
		}
	}
}

func TestRotation(t *testing.T) {
	f := started(t)
	first := f.IDToken(Job{Repo: "acme/ui"}, "")
	f.RotateOIDC()
	second := f.IDToken(Job{Repo: "acme/ui"}, "")
	for name, token := range map[string]string{"before": first, "after": second} {
		if _, ok := f.verified(t, token); !ok {
			t.Errorf("a token of %s the rotation", name)
		}
	}
	f.RotateOIDC()
	if _, ok := f.verified(t, first); ok {
		t.Error("the first key is still published")
	}
	if _, ok := f.verified(t, second); !ok {
		t.Error("the former key is not published any more")
	}
}
