package main

import (
	"fmt"
	"strings"

	"gatehouse/config"
	"gatehouse/githubauth"
	"gatehouse/server/hooks"
)

// webhook has deliveries of GitHub's verified with the secret, and the client forget what they may have changed. Without a secret there is no webhook.
func webhook(cfg *config.Config, github *githubauth.Client) hooks.Options {
	secret := cfg.Auth.GitHub.Webhook.Secret
	if secret.IsZero() || github == nil {
		return hooks.Options{}
	}
	return hooks.Options{
		Verify: func(signature string, body []byte) error {
			return githubauth.VerifyHook(secret.Reveal(), signature, body)
		},
		Apply: func(event string, body []byte) (name, forgot string, err error) {
			what, name, err := githubauth.HookEffect(event, body)
			if err != nil {
				return name, "", err
			}
			github.Forget(what)
			return name, forgotten(what), nil
		},
	}
}

// forgotten says for the log what was forgotten.
func forgotten(f githubauth.Forgotten) string {
	if f.All {
		return "everything"
	}
	var parts []string
	for _, p := range []struct {
		what string
		id   int64
	}{{"repository", f.Repo}, {"owner", f.Owner}, {"account", f.User}} {
		if p.id != 0 {
			parts = append(parts, fmt.Sprintf("%s %d", p.what, p.id))
		}
	}
	return strings.Join(parts, ", ")
}
