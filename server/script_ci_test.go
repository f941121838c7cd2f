package server_test

import (
	"strings"
	"time"

	"gatehouse/githubauth/githubtest"
	"gatehouse/githubauth/oidc"
	"gatehouse/scopes"
	"gatehouse/server/ci"
	"gatehouse/store"
)

// ci are the options for workflows: settings refs, environments, workflows, events, read-events, self-hosted=no, audience=none, oidc=off, and refs-of=tools=….
func (s *script) ci(settings map[string]string, packages *store.Store) ci.Options {
	list := func(key string) []string {
		if settings[key] == "" {
			return nil
		}
		return strings.Split(settings[key], ",")
	}
	o := ci.Options{
		Registry: packages, Audience: []string{audience}, Reading: scopes.Trust{Events: scopes.ReadingEvents, AnyCalled: true}, PublishingOf: map[string]scopes.Trust{},
		Publishing: scopes.Trust{Refs: list("refs"), Environments: list("environments"), Files: list("workflows"), Events: list("events"), NotSelfHosted: settings["self-hosted"] == "no"},
	}
	for ns, ref := range pairs(settings["refs-of"]) {
		o.PublishingOf[ns] = scopes.Trust{Refs: []string{ref}}
	}
	if settings["audience"] == "none" {
		o.Audience = nil
	}
	if settings["auth"] == "none" || settings["oidc"] == "off" {
		return o
	}
	v, err := oidc.New(oidc.Options{Issuers: []string{s.github.OIDCIssuer()}})
	if err != nil {
		s.fatal("%v", err)
	}
	o.Verifier, o.Tokens = v, s.tokens
	return o
}

const audience = "npm:registry.test"

// idToken saves an ID token of a job that begins now.
func (s *script) idToken(words []string) {
	options := map[string]string{"audience": audience}
	for _, word := range words[1:] {
		key, value, _ := strings.Cut(word, "=")
		options[key] = value
	}
	job := githubtest.Job{
		Repo: options["repo"], Event: options["event"], Ref: options["ref"], Environment: options["environment"], Workflow: options["workflow"],
		Called: options["called"], SelfHosted: options["self_hosted"] == "yes", Claims: map[string]any{},
	}
	if options["expired"] != "" {
		job.Claims["exp"] = time.Now().Add(-time.Minute).Unix()
	}
	if r := options["as"]; r != "" { // the numbers of another
		job.Claims["repository"], job.Claims["repository_owner"] = r, strings.Split(r, "/")[0]
		job.Claims["workflow_ref"] = r + "/.github/workflows/release.yml@refs/heads/main"
	}
	s.saved[words[0]] = s.github.IDToken(job, options["audience"])
	s.minted = append(s.minted, s.saved[words[0]])
}
