package main

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/spf13/cobra"

	"gatehouse/config"
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
	if b.To, err = findRepository(cmd.Context(), cfg, repository, b.repository, b.ownerID); err != nil {
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

// asAdmin asks the registry, as anybody may.
func (b *binding) asAdmin(cmd *cobra.Command, repository string) error {
	var answer struct {
		Repository string
		ID         int64 `json:"repository_id"`
	}
	if err := askAsAdmin(cmd.Context(), b.registry, http.MethodPut, b.Package, "binding", map[string]string{"repository": repository}, &answer); err != nil {
		return err
	}
	_, _ = fmt.Fprintf(cmd.OutOrStdout(), "%s is bound to %s (%d).\n", b.Package, answer.Repository, answer.ID)
	return nil
}
