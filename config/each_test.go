package config

import (
	"testing"
)

func TestSettingsOfNamespaces(t *testing.T) {
	t.Parallel()
	w := world{
		file: "auth: {github: {public_packages: authenticated}}\nnamespaces:\n  Acme:\n    public_packages: anonymous\n  initech.allow_previous_version: true\n",
		env:  []string{"GATEHOUSE_NAMESPACES__INITECH__ALLOW_PREVIOUS_VERSION=no", "GATEHOUSE_NAMESPACES__HOOLI__PUBLIC_PACKAGES=anonymous"},
		args: []string{"--settings.allow_previous_version"},
	}
	o := w.options(t, schema)
	c := mustLoad(t, o)
	if len(c.Namespaces) != 3 {
		t.Fatalf("%+v", c.Namespaces)
	}
	for _, want := range []struct{ key, value, source string }{
		{"namespaces.acme.public_packages", "anonymous", "DIR/gatehouse.yaml:4"},
		{"namespaces.acme.allow_previous_version", "true", "settings.allow_previous_version"},
		{"namespaces.initech.public_packages", "authenticated", "auth.github.public_packages"},
		{"namespaces.initech.allow_previous_version", "false", "GATEHOUSE_NAMESPACES__INITECH__ALLOW_PREVIOUS_VERSION"},
		{"namespaces.hooli.public_packages", "anonymous", "GATEHOUSE_NAMESPACES__HOOLI__PUBLIC_PACKAGES"},
	} {
		if e := entry(t, c, want.key); e.Value != want.value || replace(e.Source, o.Dir) != want.source {
			t.Errorf("%+v, want %+v", e, want)
		}
	}
	if n := c.Namespaces["initech"]; n.AllowPreviousVersion || n.PublicPackages != PublicAuthenticated {
		t.Errorf("%+v", n)
	}
	if c := mustLoad(t, world{}.options(t, schema)); c.Namespaces != nil {
		t.Errorf("namespaces that nobody named: %+v", c.Namespaces)
	}
}

func TestMistakesOfNamespaces(t *testing.T) {
	t.Parallel()
	w := world{
		file: "namespaces:\n  acme: yes\n  initech:\n    public: anonymous\n    public_packages: some\n  a b:\n    public_packages: anonymous\n",
		env:  []string{"GATEHOUSE_NAMESPACES__ACME__PUBLIC_PACKAGE=anonymous"},
	}
	equal(t, problems(t, w.options(t, schema), schema), []string{
		"DIR/gatehouse.yaml:2: namespaces.acme must be a section with keys under it, not a value",
		"DIR/gatehouse.yaml:4: namespaces.initech.public is not a known key",
		"DIR/gatehouse.yaml:6: namespaces.a b is not a known key; did you mean namespaces?",
		`DIR/gatehouse.yaml:5: namespaces.initech.public_packages must be anonymous or authenticated, not "some"`,
		"GATEHOUSE_NAMESPACES__ACME__PUBLIC_PACKAGE: namespaces.acme.public_package is not a known key; did you mean GATEHOUSE_NAMESPACES__ACME__PUBLIC_PACKAGES?",
	})
	// A slip of the pen must not leave a namespace open.
	w = world{file: "namespaces: {amce: {public_packages: authenticated}}\nauth: {github: {orgs: acme, namespaces: {tools: acme}}}\n"}
	equal(t, problems(t, w.options(t, schema), schema), []string{
		"DIR/gatehouse.yaml:1: namespaces.amce.public_packages is about a namespace that this registry does not serve; it serves those in auth.github.orgs and auth.github.namespaces",
	})
	mustLoad(t, world{file: "namespaces: {tools: {public_packages: authenticated}}\nauth: {github: {orgs: acme, namespaces: {tools: acme}}}\n"}.options(t, schema))
}

func TestPairsInAFile(t *testing.T) {
	t.Parallel()
	c := mustLoad(t, world{file: "auth:\n  github:\n    namespaces:\n      tools: acme\n      '@Legacy': 1e3\npackages:\n  names: [a=acme/tools, b.c=acme/x]\n"}.options(t, schema))
	if e := entry(t, c, "auth.github.namespaces"); e.Value != "legacy=1e3,tools=acme" {
		t.Errorf("%+v", e)
	}
	if c.Packages.Names["b.c"] != "acme/x" {
		t.Errorf("%+v", c.Packages.Names)
	}
	equal(t, problems(t, world{file: "auth.github.namespaces:\n  tools: [acme]\n"}.options(t, schema), schema), []string{
		"DIR/gatehouse.yaml:2: auth.github.namespaces must have one plain value in each line",
	})
	equal(t, problems(t, world{file: "auth.github.orgs:\n  acme: yes\n"}.options(t, schema), schema), []string{
		"DIR/gatehouse.yaml:1: auth.github.orgs must be a value, not a section with keys under it",
	})
}

func TestIdentitiesAreWhole(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		file, want string
	}{
		{"auth.github.app.id: 7", "DIR/gatehouse.yaml:1: auth.github.app.id and auth.github.app.private_key belong together, and only one of them is set"},
		{"auth.github.app: {id: 7, private_key: hunter2}", "DIR/gatehouse.yaml:1: auth.github.app.private_key must be the PEM file that GitHub hands out for the App, which begins with -----BEGIN"},
		{"auth.github.oauth.client_secret: hunter2", "DIR/gatehouse.yaml:1: auth.github.oauth.client_secret needs auth.github.oauth.client_id beside it"},
		{"auth.github.webhook.secret: hunter2", "DIR/gatehouse.yaml:1: auth.github.webhook.secret must have at least 16 characters"},
		{"metrics.token: hunter2", "DIR/gatehouse.yaml:1: metrics.token must have at least 16 characters"},
		{"auth.github: {orgs: acme, namespaces: {tools: initech}}", "DIR/gatehouse.yaml:1: auth.github.namespaces gives @tools to initech, which is not in auth.github.orgs; list it there too"},
	} {
		equal(t, problems(t, world{file: tc.file}.options(t, schema), schema), []string{tc.want})
	}
	mustLoad(t, world{file: "auth.github.oauth.client_id: Iv1.1", env: []string{"GATEHOUSE_AUTH__GITHUB__CACHE__PATH="}, args: []string{"--auth.github.cache.path="}}.options(t, schema))
}

// Clients on the registry's machine have it in their environment.
func TestTheClientsTokenIsNoSetting(t *testing.T) {
	t.Parallel()
	mustLoad(t, world{env: []string{"GATEHOUSE_TOKEN=ghp_secret"}}.options(t, schema))
	equal(t, problems(t, world{env: []string{"GATEHOUSE_TOKENS=x"}}.options(t, schema), schema), []string{"GATEHOUSE_TOKENS: tokens is not a known key"})
}
