package main

import (
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/config"
	"gatehouse/scopes"
	"gatehouse/server/operator"
)

func newToken() *cobra.Command {
	c := &cobra.Command{
		Use:   "token",
		Short: "See and end the tokens that this registry gave out",
		Long: `See and end the granular access tokens that this registry gave out, whosever they are. It works on the machine of the registry, running or
stopped. People see and end their own with "npm token".

There is no command that shows a token: the registry does not have it.`,
	}
	c.AddCommand(newTokenList(), newTokenRevoke())
	return c
}

func newTokenList() *cobra.Command {
	var what operator.Listing
	c := &cobra.Command{
		Use:     "list",
		Short:   "List all tokens, or those of a login",
		Example: "  gatehouse token list --login rita",
		Args:    cobra.NoArgs,
	}
	c.Flags().StringVar(&what.Login, "login", "", "only those of this GitHub login")
	return operatorCommand(c, func(cmd *cobra.Command, _ []string, cfg *config.Config) error {
		return atDesk(cmd.Context(), cfg, func(d desk, _ bool) error {
			l, err := d.Tokens(cmd.Context(), what)
			if err != nil {
				return err
			}
			if len(l.Tokens) == 0 {
				_, err = fmt.Fprintln(cmd.OutOrStdout(), "There are no tokens.")
				return err
			}
			return tokenTable(cmd.OutOrStdout(), l.Tokens)
		})
	})
}

func newTokenRevoke() *cobra.Command {
	var what operator.Revocation
	c := &cobra.Command{
		Use:   "revoke [ID]",
		Short: "End a token, or all tokens of a login, at once",
		Example: `  gatehouse token revoke 3fa9c1
  gatehouse token revoke --login rita`,
		Args: cobra.MaximumNArgs(1),
	}
	c.Flags().StringVar(&what.Login, "login", "", "end all tokens of this GitHub login")
	return operatorCommand(c, func(cmd *cobra.Command, args []string, cfg *config.Config) error {
		if len(args) == 1 {
			what.ID = args[0]
		}
		if (what.ID == "") == (what.Login == "") {
			return errors.New(`name a token by its id ("gatehouse token list" shows it), or a login with --login`)
		}
		return atDesk(cmd.Context(), cfg, func(d desk, _ bool) error {
			l, err := d.Revoke(cmd.Context(), what)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "Revoked %s.\n", many(len(l.Tokens), "token"))
			if err == nil && len(l.Tokens) > 0 {
				err = tokenTable(cmd.OutOrStdout(), l.Tokens)
			}
			return err
		})
	})
}

// tokenTable prints tokens for people. Names are free of control characters since they were taken in (scopes.ParseTokenRequest).
func tokenTable(out io.Writer, tokens []scopes.Token) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "ID\tOWNER\tBEGINS\tNAME\tMAY\tCREATED\tENDS\tLAST USED")
	for _, t := range tokens {
		owner, may := t.Owner.Login, "write"
		if t.Workflow != nil {
			owner = t.Workflow.Principal().Login
		}
		if t.Grant.ReadOnly() {
			may = "read"
		}
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s…\t%s\t%s\t%s\t%s\t%s\n", t.ID, owner, t.Shown, t.Name, may, date(t.Created), date(t.Grant.Until), date(t.LastUsed))
	}
	return table.Flush()
}

func date(at time.Time) string {
	if at.IsZero() {
		return "-"
	}
	return at.UTC().Format(time.DateOnly)
}
