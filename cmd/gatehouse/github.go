package main

import (
	"context"
	"log/slog"
	"strconv"

	"gatehouse/config"
	"gatehouse/githubauth"
	"gatehouse/scopes"
	"gatehouse/server/hooks"
	"gatehouse/store"
)

// neighbours is how many repositories are asked about together at most.
const neighbours = 500

// newGitHub returns what asks GitHub, nil where nobody is asked (auth.type none). It makes no call.
func newGitHub(cfg *config.Config, packages *store.Store, counts metrics, log *slog.Logger) (*githubauth.Client, error) {
	if cfg.Auth.Type == config.AuthNone {
		return nil, nil
	}
	its := cfg.Auth.GitHub
	app, _ := strconv.ParseInt(its.App.ID, 10, 64) // config has read it as a number
	github, err := githubauth.New(githubauth.Options{
		APIURL: its.APIURL, WebURL: its.WebURL, UserAgent: "gatehouse/" + version, Observe: counts.observe(), Stale: its.Stale,
		Neighbours: func(ctx context.Context, repo scopes.Repo) []scopes.Repo {
			return packages.Neighbours(ctx, repo, neighbours)
		},
		Server: ownIdentity(its, app), Log: log,
	})
	if err != nil {
		return nil, err
	}
	counts.ask(github)
	return github, nil
}

// ownIdentity is the one credential with which the registry asks for what no caller asks: an App's before a token, a token before an OAuth app's, which
// may be there for logging in alone.
func ownIdentity(its config.GitHub, app int64) githubauth.Server {
	switch {
	case app != 0:
		return githubauth.Server{AppID: app, PrivateKey: []byte(its.App.PrivateKey.Reveal())}
	case !its.Token.IsZero():
		return githubauth.Server{Token: its.Token.Reveal()}
	case its.OAuth.ClientID != "" && !its.OAuth.ClientSecret.IsZero():
		return githubauth.Server{ClientID: its.OAuth.ClientID, ClientSecret: its.OAuth.ClientSecret.Reveal()}
	}
	return githubauth.Server{}
}

// webhook takes GitHub's webhooks in, if there is a secret to tell them by.
func webhook(cfg *config.Config, github *githubauth.Client) hooks.Options {
	secret := cfg.Auth.GitHub.Webhook.Secret.Reveal()
	if secret == "" || github == nil {
		return hooks.Options{}
	}
	return hooks.Options{
		Verify: func(signature string, body []byte) error { return githubauth.VerifyHook(secret, signature, body) },
		Apply: func(event string, body []byte) (name, forgot string, err error) {
			effect, name, err := githubauth.HookEffect(event, body)
			if err != nil {
				return "", "", err
			}
			github.Forget(effect)
			return name, forgotten(effect), nil
		},
	}
}

// forgotten says for the log what an event made the registry forget.
func forgotten(f githubauth.Forgotten) string {
	if f == (githubauth.Forgotten{}) {
		return ""
	}
	if f.All {
		return "everything"
	}
	words := "what concerns"
	for _, part := range []struct {
		what string
		id   int64
	}{{"repository", f.Repo}, {"owner", f.Owner}, {"user", f.User}} {
		if part.id != 0 {
			words += " " + part.what + " " + strconv.FormatInt(part.id, 10)
		}
	}
	return words
}
