package config

import "testing"

// defaultOIDC is what holds where nobody says anything.
func defaultOIDC(issuer string) OIDC {
	events := []string{"push", "release", "workflow_dispatch", "schedule"}
	return OIDC{
		Enabled: true, Issuer: []string{issuer}, ReadEvents: []string{"push", "release", "workflow_dispatch", "schedule", "pull_request", "merge_group"},
		WorkflowRules: WorkflowRules{Events: events, SelfHosted: true},
	}
}

func TestOIDC(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ host, issuer string }{
		{"github.com", "https://token.actions.githubusercontent.com"},
		{"acme.ghe.com", "https://token.actions.acme.ghe.com"},
		{"github.example.org", "https://github.example.org/_services/token"},
		{"notghe.com", "https://notghe.com/_services/token"},
	} {
		c := mustLoad(t, world{args: []string{"--auth.github.host", tc.host}}.options(t, schema))
		if e := entry(t, c, "auth.github.oidc.issuer"); e.Value != tc.issuer || e.Source != "auth.github.host" {
			t.Errorf("%+v", e)
		}
	}
	for url, want := range map[string]string{
		"": "", "https://npm.example.org": "npm:npm.example.org", "https://npm.example.org:8443/npm/": "npm:npm.example.org,npm:npm.example.org:8443",
	} {
		c := mustLoad(t, world{args: []string{"--server.url=" + url}}.options(t, schema))
		if e := entry(t, c, "auth.github.oidc.audience"); e.Value != want {
			t.Errorf("%s: %+v", url, e)
		}
	}
	c := mustLoad(t, world{args: []string{"--server.url=https://npm.example.org", "--auth.github.oidc.audience=npm:a,npm:b", "--auth.github.oidc.issuer=https://token.actions.githubusercontent.com/acme"}}.options(t, schema))
	if o := c.Auth.GitHub.OIDC; !o.Enabled || len(o.Audience) != 2 || len(o.Issuer) != 1 || o.Issuer[0] != "https://token.actions.githubusercontent.com/acme" || !o.SelfHosted {
		t.Errorf("%+v", o)
	}
}

func TestOIDCOfNamespaces(t *testing.T) {
	t.Parallel()
	w := world{
		file: "auth: {github: {oidc: {refs: refs/heads/main, workflows: [release.yml], self_hosted: no}}}\nnamespaces:\n  acme:\n    oidc: {refs: [refs/tags/v*, refs/heads/x], self_hosted: yes}\n  tools.oidc.environments: npm\n",
	}
	o := w.options(t, schema)
	c := mustLoad(t, o)
	for _, want := range []struct{ key, value, source string }{
		{"namespaces.acme.oidc.refs", "refs/tags/v*,refs/heads/x", "DIR/gatehouse.yaml:4"},
		{"namespaces.acme.oidc.self_hosted", "true", "DIR/gatehouse.yaml:4"},
		{"namespaces.acme.oidc.workflows", "release.yml", "auth.github.oidc.workflows"},
		{"namespaces.acme.oidc.events", "push,release,workflow_dispatch,schedule", "auth.github.oidc.events"},
		{"namespaces.tools.oidc.environments", "npm", "DIR/gatehouse.yaml:5"},
		{"namespaces.tools.oidc.self_hosted", "false", "auth.github.oidc.self_hosted"},
		{"namespaces.tools.allow_previous_version", "false", "settings.allow_previous_version"},
	} {
		if e := entry(t, c, want.key); e.Value != want.value || replace(e.Source, o.Dir) != want.source {
			t.Errorf("%+v, want %+v", e, want)
		}
	}
}

func TestMistakesOfOIDC(t *testing.T) {
	t.Parallel()
	w := world{args: []string{
		"--auth.github.oidc.issuer=http://issuer.example", "--auth.github.oidc.events=Push", "--auth.github.oidc.refs=main", "--auth.github.oidc.workflows=release",
		"--auth.github.oidc.self_hosted=maybe", "--auth.github.oidc.audience=a b",
	}}
	equal(t, problems(t, w.options(t, schema), schema), []string{
		"--auth.github.oidc.issuer: auth.github.oidc.issuer must be https: whoever can answer in its place could publish everything",
		`--auth.github.oidc.audience: auth.github.oidc.audience must be an audience such as npm:npm.example.org, not "a b"`,
		`--auth.github.oidc.events: auth.github.oidc.events must be a list of events such as push, release, not "Push"`,
		`--auth.github.oidc.refs: auth.github.oidc.refs must be a list of patterns of refs such as refs/heads/main or refs/tags/v*, not "main"`,
		`--auth.github.oidc.workflows: auth.github.oidc.workflows must be a list of workflow files such as release.yml, not "release"`,
		`--auth.github.oidc.self_hosted: auth.github.oidc.self_hosted must be true or false, not "maybe"`,
	})
}
