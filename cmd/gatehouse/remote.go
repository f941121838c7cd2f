package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"time"

	"gatehouse/config"
	"gatehouse/githubauth"
	"gatehouse/scopes"
)

// findRepository is the repository of a name with its numbers: those that were said, or those that GitHub says.
func findRepository(ctx context.Context, cfg *config.Config, repository string, id, ownerID int64) (scopes.Repo, error) {
	owner, name, ok := scopes.ParseRepository(repository, cfg.Auth.GitHub.Host)
	switch {
	case !ok:
		return scopes.Repo{}, fmt.Errorf("%q is not a repository on %s, such as acme/ui", repository, cfg.Auth.GitHub.Host)
	case (id > 0) != (ownerID > 0) || id < 0:
		return scopes.Repo{}, errors.New("--repository-id and --owner-id belong together: both numbers count")
	case id > 0:
		return scopes.Repo{ID: id, OwnerID: ownerID, Owner: owner, Name: name}, nil
	}
	token := strings.TrimSpace(os.Getenv("GITHUB_TOKEN")) // and no other: a registry's token is nothing to show to GitHub
	if token == "" {
		token = cfg.Auth.GitHub.Token.Reveal()
	}
	if token == "" {
		return scopes.Repo{}, errors.New("GitHub has to be asked for the repository's number, and there is no token to ask with: set GITHUB_TOKEN or auth.github.token, or say --repository-id and --owner-id")
	}
	github, err := githubauth.New(githubauth.Options{APIURL: cfg.Auth.GitHub.APIURL, WebURL: cfg.Auth.GitHub.WebURL, UserAgent: "gatehouse/" + version})
	if err != nil {
		return scopes.Repo{}, err
	}
	access, err := github.Resolve(ctx, token, owner, name, scopes.Read)
	if err != nil {
		return scopes.Repo{}, fmt.Errorf("GitHub was asked about %s/%s: %w; --repository-id and --owner-id do without it", owner, name, err)
	}
	if access.Repo.ID == 0 {
		return scopes.Repo{}, fmt.Errorf("GitHub shows this token no repository %s/%s: there is none, or the token may not see it", owner, name)
	}
	return access.Repo, nil
}

// askAsAdmin asks a registry about one of its packages with the token of the environment, and reads the answer. A refusal is an error in the registry's words.
func askAsAdmin(ctx context.Context, registry, method, pkg, what string, wish, answer any) error {
	token := tokenFromEnvironment()
	if token == "" {
		return errors.New("there is no token: set GATEHOUSE_TOKEN or GITHUB_TOKEN to a GitHub token of an admin of the repository")
	}
	address, err := registryAddress(registry)
	if err != nil {
		return err
	}
	var body io.Reader
	if wish != nil {
		text, err := json.Marshal(wish)
		if err != nil {
			return err
		}
		body = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, address+"-/package/"+strings.Replace(pkg, "/", "%2f", 1)+"/"+what, body)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	if wish != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	client := http.Client{Timeout: time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("the registry gives no answer: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	var refusal struct{ Error string }
	switch {
	case err != nil:
		return fmt.Errorf("the registry's answer breaks off: %w", err)
	case json.Unmarshal(text, &refusal) == nil && refusal.Error != "":
		return errors.New(refusal.Error)
	case resp.StatusCode != http.StatusOK || json.Unmarshal(text, answer) != nil:
		return fmt.Errorf("%s does not answer as gatehouse does (status %d)", address, resp.StatusCode)
	}
	return nil
}

// registryAddress is the address of a registry that may be shown a token, with a slash at its end.
func registryAddress(text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", errors.New("--registry must be the address of a registry, such as https://npm.example.org/")
	}
	if ip, err := netip.ParseAddr(u.Hostname()); u.Scheme == "http" && u.Hostname() != "localhost" && (err != nil || !ip.IsLoopback()) {
		return "", errors.New("--registry must be https: your token is sent there. Plain http is for this machine only")
	}
	return strings.TrimSuffix(u.String(), "/") + "/", nil
}
