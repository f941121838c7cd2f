package githubauth_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"gatehouse/githubauth"
)

// TestVerifyHook begins with GitHub's own example ("Validating webhook deliveries").
func TestVerifyHook(t *testing.T) {
	const secret, body, sum = "It's a Secret to Everybody", "Hello, World!", "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
	if err := githubauth.VerifyHook(secret, "sha256="+sum, []byte(body)); err != nil {
		t.Error(err)
	}
	for what, x := range map[string][3]string{
		"an empty secret":         {"", "sha256=" + sum, body},
		"the empty secret's sum":  {"", "sha256=b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad", ""},
		"another secret":          {"secret", "sha256=" + sum, body},
		"another body":            {secret, "sha256=" + sum, body + "!"},
		"no signature":            {secret, "", body},
		"no sum":                  {secret, "sha256=", body},
		"half a sum":              {secret, "sha256=" + sum[:32], body},
		"SHA-1 in its place":      {secret, "sha1=" + sum[:40], body},
		"a sum without its kind":  {secret, sum, body},
		"a sum that is no number": {secret, "sha256=" + strings.Repeat("x", 64), body},
	} {
		if err := githubauth.VerifyHook(x[0], x[1], []byte(x[2])); !errors.Is(err, githubauth.ErrHook) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestHookEffect(t *testing.T) {
	type f = githubauth.Forgotten
	const repo, org, user = `"repository":{"id":7,"owner":{"id":1}}`, `"organization":{"id":1}`, `{"id":3}`
	for _, x := range []struct {
		event, body string
		want        f
	}{
		{"repository", `{"action":"privatized",` + repo + `,` + org + `}`, f{Repo: 7}},
		{"repository", `{"action":"transferred",` + repo + `}`, f{Repo: 7}},
		{"public", `{` + repo + `}`, f{Repo: 7}},
		{"member", `{"action":"removed",` + repo + `,"member":` + user + `}`, f{Repo: 7, User: 3}},
		{"membership", `{"action":"added","scope":"team",` + org + `,"member":` + user + `}`, f{Owner: 1}},
		{"team", `{"action":"added_to_repository",` + org + `,` + repo + `}`, f{Owner: 1}},
		{"team_add", `{` + org + `,` + repo + `}`, f{Owner: 1}},
		{"organization", `{"action":"member_removed",` + org + `,"membership":{"user":` + user + `}}`, f{Owner: 1, User: 3}},
		{"organization", `{"action":"renamed",` + org + `}`, f{Owner: 1}},
		{"organization", `{"action":"member_invited",` + org + `,"invitation":{}}`, f{Owner: 1}},
		{"org_block", `{"action":"blocked",` + org + `,"blocked_user":` + user + `}`, f{Owner: 1, User: 3}},
		{"installation", `{"action":"suspend","installation":{"id":9,"account":{"id":1}}}`, f{Owner: 1}},
		{"installation_repositories", `{"action":"removed","installation":{"id":9,"account":{"id":1}}}`, f{Owner: 1}},
		{"installation_target", `{"action":"renamed","account":{"id":1}}`, f{Owner: 1}},
		{"github_app_authorization", `{"action":"revoked","sender":` + user + `}`, f{User: 3}},
		{"personal_access_token_request", `{"action":"approved",` + org + `}`, f{Owner: 1}},
		{"repository_ruleset", `{"action":"edited",` + repo + `}`, f{}},
		{"ping", `{"zen":"x"}`, f{}},
		{"push", `{` + repo + `}`, f{}},
		// What is about access and does not say whose is about everybody's.
		{"member", `{"action":"removed",` + repo + `}`, f{All: true}},
		{"repository", `{"action":"deleted"}`, f{All: true}},
		{"installation", `{"action":"deleted"}`, f{All: true}},
		{"repository", `{"repository":{"id":-1}}`, f{All: true}},
	} {
		got, name, err := githubauth.HookEffect(x.event, []byte(x.body))
		if err != nil || got != x.want || !strings.HasPrefix(name, x.event) {
			t.Errorf("%s %s: %+v %q %v, want %+v", x.event, x.body, got, name, err, x.want)
		}
	}
	for _, body := range []string{"", "x", "[]", `{"repository":7}`, `payload=%7B%7D`} {
		if _, _, err := githubauth.HookEffect("repository", []byte(body)); !errors.Is(err, githubauth.ErrHook) {
			t.Errorf("%q: %v", body, err)
		}
	}
}

func FuzzHookEffect(f *testing.F) {
	f.Add("repository", `{"action":"privatized","repository":{"id":7}}`)
	f.Add("organization", `{"organization":{"id":1},"membership":{"user":{"id":3}}}`)
	f.Add("installation", `{"installation":{"account":{"id":1}}}`)
	f.Fuzz(func(t *testing.T, event, body string) {
		got, name, err := githubauth.HookEffect(event, []byte(body))
		if (err == nil) != (json.Valid([]byte(body)) && err == nil) {
			t.Errorf("%q is taken for JSON", body)
		}
		if err != nil && got != (githubauth.Forgotten{}) {
			t.Errorf("an error and an effect: %+v", got)
		}
		if got.Repo < 0 || got.Owner < 0 || got.User < 0 || got.All && got != (githubauth.Forgotten{All: true}) {
			t.Errorf("%+v", got)
		}
		if strings.ContainsAny(name, "\r\n\x00\x1b ") || len(name) > 101 {
			t.Errorf("a name for the log: %q", name)
		}
	})
}
