package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"gatehouse/config"
	"gatehouse/scopes"
	"gatehouse/server/operator"
	"gatehouse/store/packument"
)

// admitting is what "gatehouse admit" is asked for.
type admitting struct {
	registry            string
	repository, ownerID int64
	list, remove        bool
	pkg                 string
}

func newAdmit() *cobra.Command {
	var a admitting
	c := &cobra.Command{
		Use:   "admit PACKAGE [OWNER/REPOSITORY]",
		Short: "Let the workflows of another GitHub repository install a package",
		Long: `Let the workflows of another GitHub repository install a package, which the token of an Actions job cannot read otherwise. They prove which
repository they run for with their ID token (docs/ci.md), and may read the package and nothing else of its repository.

As an admin of the package's repository: with --registry, from anywhere. Your token is read from the environment, GATEHOUSE_TOKEN, GITHUB_TOKEN
or NPM_TOKEN. GitHub lets a token prove that it is an admin's only if it is a classic one with the scope "repo" (or what "gh auth token" prints).

As the operator, on the registry's machine: without --registry, as the user that the registry runs as, whether it runs or not. What the repository's
number is, is asked of GitHub, with the token in GITHUB_TOKEN if there is one, or with auth.github.token; or say the two numbers yourself.

What is admitted stays so until it is removed, or the package is bound to another repository.`,
		Example: `  GITHUB_TOKEN=ghp_… gatehouse admit @acme/secret acme/api --registry https://npm.example.org/
  gatehouse admit @acme/secret acme/api --remove
  gatehouse admit @acme/secret --list`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			name, err := packument.ParseName(args[0])
			if err != nil {
				return fmt.Errorf("%q is not the name of a package, such as @acme/secret", args[0])
			}
			a.pkg = name.String()
			switch {
			case a.list && (a.remove || len(args) > 1):
				return errors.New("--list takes a package and nothing else")
			case !a.list && len(args) < 2:
				return errors.New("say which repository, as OWNER/REPOSITORY, or --list")
			}
			repository := ""
			if len(args) > 1 {
				repository = args[1]
			}
			if a.registry != "" {
				if cmd.Flags().Changed("repository-id") || cmd.Flags().Changed("owner-id") {
					return errors.New("--repository-id and --owner-id are for an operator on the registry's machine, without --registry")
				}
				return a.asAdmin(cmd, repository)
			}
			return a.asOperator(cmd, repository)
		},
	}
	flags := c.Flags()
	flags.StringVar(&a.registry, "registry", "", "the `ADDRESS` of the registry; unset: the one on this machine, as its operator")
	flags.BoolVar(&a.remove, "remove", false, "do not admit it any more")
	flags.BoolVar(&a.list, "list", false, "list what the package admits")
	flags.Int64Var(&a.repository, "repository-id", 0, "GitHub's `NUMBER` of the repository, where GitHub cannot be asked")
	flags.Int64Var(&a.ownerID, "owner-id", 0, "GitHub's `NUMBER` of its owner")
	takeSettings(c)
	return c
}

// admissions is what the registry answers.
type admissions struct {
	Admitted []struct {
		Repository string `json:"repository"`
		ID         int64  `json:"repository_id"`
		OwnerID    int64  `json:"owner_id"`
	} `json:"admitted"`
}

func (a admissions) repos() []scopes.Repo {
	var list []scopes.Repo
	for _, r := range a.Admitted {
		owner, name, _ := strings.Cut(r.Repository, "/")
		list = append(list, scopes.Repo{ID: r.ID, OwnerID: r.OwnerID, Owner: owner, Name: name})
	}
	return list
}

func (a *admitting) asAdmin(cmd *cobra.Command, repository string) error {
	var now admissions
	ask := func(method, what string, wish any) error {
		now = admissions{}
		return askAsAdmin(cmd.Context(), a.registry, method, a.pkg, what, wish, &now)
	}
	var err error
	switch {
	case a.list:
		err = ask(http.MethodGet, "admitted", nil)
	case a.remove:
		if err = ask(http.MethodGet, "admitted", nil); err == nil {
			var gone scopes.Repo
			if gone, err = operator.FindAdmitted(now.repos(), a.pkg, repository); err == nil {
				err = ask(http.MethodDelete, "admitted/"+strconv.FormatInt(gone.ID, 10), nil)
			}
		}
	default:
		err = ask(http.MethodPut, "admitted", map[string]string{"repository": repository})
	}
	if err != nil {
		return err
	}
	return a.print(cmd.OutOrStdout(), now.repos())
}

func (a *admitting) asOperator(cmd *cobra.Command, repository string) error {
	cfg, err := config.Load(config.Process(cmd.Flags()))
	if err != nil {
		return err
	}
	what := operator.Admit{Package: a.pkg}
	switch {
	case a.remove:
		what.Remove = repository
	case !a.list:
		repo, err := findRepository(cmd.Context(), cfg, repository, a.repository, a.ownerID)
		if err != nil {
			return err
		}
		what.Add = &repo
	}
	err = atDesk(cmd.Context(), cfg, func(d desk, _ bool) error {
		now, err := d.Admit(cmd.Context(), what)
		if err != nil {
			return err
		}
		return a.print(cmd.OutOrStdout(), now.Repos)
	})
	if errors.Is(err, errNoRegistry) {
		return fmt.Errorf("%w; one that runs elsewhere is named with --registry https://…", err)
	}
	return err
}

func (a *admitting) print(out io.Writer, repos []scopes.Repo) error {
	if len(repos) == 0 {
		_, err := fmt.Fprintf(out, "%s admits no other repository's workflows.\n", a.pkg)
		return err
	}
	var names []string
	for _, r := range repos {
		names = append(names, fmt.Sprintf("%s (%d)", r, r.ID))
	}
	_, err := fmt.Fprintf(out, "%s admits the workflows of %s.\n", a.pkg, strings.Join(names, ", "))
	return err
}
