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

	"github.com/spf13/cobra"

	"gatehouse/config"
	"gatehouse/githubauth"
	"gatehouse/scopes"
	"gatehouse/server/operator"
	"gatehouse/store/packument"
)

// binding is what "gatehouse bind" is asked for.
type binding struct {
	registry            string
	repository, ownerID int64
	operator.Bind
}

func newBind() *cobra.Command {
	var b binding
	c := &cobra.Command{
		Use:   "bind PACKAGE OWNER/REPOSITORY",
		Short: "Bind a package to another GitHub repository",
		Long: `Bind a package to another GitHub repository, whose permissions it has from then on. For a package whose repository was transferred, deleted,
made anew or split up. One that was renamed needs nothing.

There are two ways:

As an admin of both repositories, the one that the package is bound to and the new one: with --registry, from anywhere. Your token is read from the
environment, GATEHOUSE_TOKEN, GITHUB_TOKEN or NPM_TOKEN, never from a flag. GitHub lets a token prove that it is an admin's only if it is a
classic one with the scope "repo" (or what "gh auth token" prints). The new repository has to belong to the account that the package's
namespace stands for.

As the operator, on the registry's machine: without --registry, as the user that the registry runs as, whether it runs or not. Nobody
has to be an admin of anything, and the old repository may be gone. What the repository's number is, is asked of GitHub, with the
token in GITHUB_TOKEN if there is one, or with auth.github.token. Where GitHub cannot be asked, say
the two numbers yourself. "gh api repos/OWNER/REPOSITORY --jq .id,.owner.id" prints them.

Every change is recorded as an event, with the old and the new binding.`,
		Example: `  GITHUB_TOKEN=ghp_… gatehouse bind @acme/ui acme/web --registry https://npm.example.org/
  gatehouse bind @acme/ui acme/web                                 as the operator
  gatehouse bind @acme/ui acme/web --repository-id 1296269 --owner-id 583231
  gatehouse bind @acme/ui acme-corp/ui --move-namespace            @acme is acme-corp's from now on`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			name, err := packument.ParseName(args[0])
			if err != nil {
				return fmt.Errorf("%q is not the name of a package, such as @acme/ui", args[0])
			}
			b.Package = name.String()
			if b.registry != "" {
				if cmd.Flags().Changed("repository-id") || cmd.Flags().Changed("owner-id") || b.OtherOwner || b.MoveNamespace {
					return errors.New("--repository-id, --owner-id, --other-owner and --move-namespace are for an operator on the registry's machine, without --registry")
				}
				return b.asAdmin(cmd, args[1])
			}
			return b.asOperator(cmd, args[1])
		},
	}
	flags := c.Flags()
	flags.StringVar(&b.registry, "registry", "", "the `ADDRESS` of the registry; unset: the one on this machine, as its operator")
	flags.Int64Var(&b.repository, "repository-id", 0, "GitHub's `NUMBER` of the repository, where GitHub cannot be asked")
	flags.Int64Var(&b.ownerID, "owner-id", 0, "GitHub's `NUMBER` of its owner")
	flags.BoolVar(&b.OtherOwner, "other-owner", false, "bind this package to a repository of another account than the namespace's")
	flags.BoolVar(&b.MoveNamespace, "move-namespace", false, "give the namespace to the repository's owner")
	takeSettings(c)
	return c
}

// asOperator does it on the data, here or in the registry that runs.
func (b *binding) asOperator(cmd *cobra.Command, repository string) error {
	cfg, err := config.Load(config.Process(cmd.Flags()))
	if err != nil {
		return err
	}
	if b.To, err = b.find(cmd.Context(), cfg, repository); err != nil {
		return err
	}
	err = atDesk(cmd.Context(), cfg, func(d desk, _ bool) error {
		bound, err := d.Bind(cmd.Context(), b.Bind)
		if err != nil {
			return err
		}
		was := "nothing"
		if bound.From.Kind == scopes.GitHub {
			was = fmt.Sprintf("%s (%d)", bound.From.Repo, bound.From.Repo.ID)
		}
		_, _ = fmt.Fprintf(cmd.OutOrStdout(), "%s is bound to %s (%d), and was bound to %s.\n", b.Package, bound.To.Repo, bound.To.Repo.ID, was)
		return nil
	})
	if errors.Is(err, errNoRegistry) {
		return fmt.Errorf("%w; one that runs elsewhere is named with --registry https://…", err)
	}
	return err
}

// find is the repository with its numbers.
func (b *binding) find(ctx context.Context, cfg *config.Config, repository string) (scopes.Repo, error) {
	owner, name, ok := scopes.ParseRepository(repository, cfg.Auth.GitHub.Host)
	switch {
	case !ok:
		return scopes.Repo{}, fmt.Errorf("%q is not a repository on %s, such as acme/ui", repository, cfg.Auth.GitHub.Host)
	case (b.repository > 0) != (b.ownerID > 0) || b.repository < 0:
		return scopes.Repo{}, errors.New("--repository-id and --owner-id belong together: a binding is to both numbers")
	case b.repository > 0:
		return scopes.Repo{ID: b.repository, OwnerID: b.ownerID, Owner: owner, Name: name}, nil
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

// asAdmin asks the registry, as anybody may.
func (b *binding) asAdmin(cmd *cobra.Command, repository string) error {
	token := tokenFromEnvironment()
	if token == "" {
		return errors.New("there is no token: set GATEHOUSE_TOKEN or GITHUB_TOKEN to a GitHub token that is an admin's on both repositories")
	}
	address, err := registryAddress(b.registry)
	if err != nil {
		return err
	}
	body, err := json.Marshal(map[string]string{"repository": repository})
	if err != nil {
		return err
	}
	path := "-/package/" + strings.Replace(b.Package, "/", "%2f", 1) + "/binding"
	req, err := http.NewRequestWithContext(cmd.Context(), http.MethodPut, address+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	client := http.Client{Timeout: time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("the registry gives no answer: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	var answer struct {
		Error, Repository string
		ID                int64 `json:"repository_id"`
	}
	err = json.NewDecoder(io.LimitReader(resp.Body, 64<<10)).Decode(&answer)
	switch {
	case answer.Error != "":
		return errors.New(answer.Error)
	case err != nil || resp.StatusCode != http.StatusOK:
		return fmt.Errorf("%s does not answer as gatehouse does (status %d)", address, resp.StatusCode)
	}
	_, _ = fmt.Fprintf(cmd.OutOrStdout(), "%s is bound to %s (%d).\n", b.Package, answer.Repository, answer.ID)
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
