package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"gatehouse/config"
	"gatehouse/githubauth"
	"gatehouse/scopes"
	"gatehouse/server/hooks"
	"gatehouse/server/operator"
	"gatehouse/store"
)

// neighbours is how many repositories are asked about together at most.
const neighbours = 500

// lastAnswers bounds how long a stop waits for GitHub's answers to be kept. Without them the next start asks GitHub anew.
const lastAnswers = 10 * time.Second

// newGitHub returns what asks GitHub, nil where nobody is asked (auth.type none), and what ends it. It makes no call.
func newGitHub(ctx context.Context, cfg *config.Config, packages *store.Store, counts metrics, log *slog.Logger) (*githubauth.Client, func(), error) {
	if cfg.Auth.Type == config.AuthNone {
		return nil, func() {}, nil
	}
	its := cfg.Auth.GitHub
	answers, key, err := answersFile(ctx, its.Cache.Path, packages)
	if err != nil {
		return nil, nil, err
	}
	github, err := githubauth.New(githubauth.Options{
		APIURL: its.APIURL, WebURL: its.WebURL, UserAgent: "gatehouse/" + version, Observe: counts.observe(), Stale: its.Stale,
		Neighbours: func(ctx context.Context, repo scopes.Repo) []scopes.Repo {
			return packages.Neighbours(ctx, repo, neighbours)
		},
		Server: ownIdentity(its), CachePath: answers, CacheKey: key, Log: log,
	})
	if err != nil {
		return nil, nil, err
	}
	counts.ask(github)
	return github, func() {
		late, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastAnswers)
		defer cancel()
		if err := github.Close(late); err != nil {
			log.Warn("the answers of GitHub could not be kept; the next start will ask it anew", "error", err)
		}
	}, nil
}

// answersFile is the file in folder that GitHub's answers outlast a restart in, and the key that they are sealed under, which is not in that folder. It
// makes the folder. Without one nothing is kept.
func answersFile(ctx context.Context, folder string, packages *store.Store) (path string, key []byte, err error) {
	if folder == "" {
		return "", nil, nil
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", nil, fmt.Errorf("auth.github.cache.path: %w", err)
	}
	if key, err = packages.Secret(ctx, "github-cache"); err != nil {
		return "", nil, err
	}
	return filepath.Join(folder, "answers"), key, nil
}

// ownIdentity is the one credential with which the registry asks for what no caller asks: an App's before a token, a token before an OAuth app's, which
// may be there for logging in alone.
func ownIdentity(its config.GitHub) githubauth.Server {
	app, _ := strconv.ParseInt(its.App.ID, 10, 64) // config has read it as a number
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

// roles asks GitHub about accounts for an operator; nil where the registry has no credential that GitHub answers that to. Whoever asks is seldom, and gets
// a client of their own, made when it is needed: a wrong key of the App keeps no other command from its work.
func roles(cfg *config.Config) operator.Roles {
	if its := cfg.Auth.GitHub; cfg.Auth.Type == config.AuthNone || its.App.ID == "" && its.Token.IsZero() {
		return nil
	}
	return asker{cfg}
}

type asker struct{ cfg *config.Config }

func (a asker) RoleOf(ctx context.Context, repo scopes.Repo, login string) (scopes.Principal, scopes.Access, error) {
	its := a.cfg.Auth.GitHub
	github, err := githubauth.New(githubauth.Options{APIURL: its.APIURL, WebURL: its.WebURL, UserAgent: "gatehouse/" + version, Server: ownIdentity(its)})
	if err != nil {
		return scopes.Principal{}, scopes.Access{}, err
	}
	return github.RoleOf(ctx, repo, login)
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
