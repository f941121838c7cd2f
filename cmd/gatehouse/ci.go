package main

import (
	"gatehouse/config"
	"gatehouse/githubauth/oidc"
	"gatehouse/scopes"
	"gatehouse/server/ci"
	"gatehouse/store"
	"gatehouse/store/tokens"
)

// newCI lets workflows in, if they are to be. It asks no issuer anything.
func newCI(cfg *config.Config, packages *store.Store, own *tokens.Tokens) (ci.Options, error) {
	its := cfg.Auth.GitHub.OIDC
	o := ci.Options{
		Registry: packages, Tokens: own, Audience: its.Audience,
		Publishing: trust(its.WorkflowRules), PublishingOf: map[string]scopes.Trust{},
		Reading: scopes.Trust{Events: its.ReadEvents, AnyCalled: true},
	}
	if len(its.ReadEvents) == 0 {
		o.Reading.Events = scopes.ReadingEvents
	}
	for namespace, rules := range cfg.Namespaces {
		o.PublishingOf[namespace] = trust(rules.OIDC)
	}
	if cfg.Auth.Type == config.AuthNone || !its.Enabled {
		return o, nil
	}
	verifier, err := oidc.New(oidc.Options{Issuers: its.Issuer})
	if err != nil {
		return o, err
	}
	o.Verifier = verifier
	return o, nil
}

func trust(r config.WorkflowRules) scopes.Trust {
	return scopes.Trust{Events: r.Events, Refs: r.Refs, Environments: r.Environments, Files: r.Workflows, NotSelfHosted: !r.SelfHosted}
}
