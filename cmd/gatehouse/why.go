package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"gatehouse/config"
	"gatehouse/server/gate"
	"gatehouse/server/operator"
)

// The exit codes of "gatehouse why": 0 is a yes.
const (
	exitRefused  = 1
	exitNotAsked = 2
)

// tokenVariables are where a command that asks a registry finds the token, the first that is set. Never a flag: everybody on a machine can read those.
var tokenVariables = []string{config.TokenVariable, "GITHUB_TOKEN", "NPM_TOKEN"}

func newWhy() *cobra.Command {
	var registry, as string
	var asJSON bool
	c := &cobra.Command{
		Use:   "why PACKAGE [ACTION]",
		Short: "Explain what a token may do with a package, and why",
		Long: `Ask a registry what the holder of a token may do with a package, and print all that the answer goes by: who holds the token, what their role
is on the package's GitHub repository, what this token reaches there, and the page on GitHub that changes it.

The actions are install (if none is named), publish, tag, deprecate, unpublish, manage and rebind. For all but install GitHub is asked anew.

The token is taken from the environment: GATEHOUSE_TOKEN, GITHUB_TOKEN or NPM_TOKEN, the first that is set. It is sent to the registry and nowhere else.
Without --registry that is server.url, or this machine's.

An operator can ask with --as LOGIN on the machine of the registry instead, without a token of that account. GitHub is then asked by the registry itself,
as its App (auth.github.app.id), installed where the repository is, or with auth.github.token, if that is a token of somebody who can write to the
repository. The answer goes by the role alone, since what a token reaches depends on the token.

Exit code: 0 it is allowed, 1 it is not, 2 it could not be asked.`,
		Example: `  GATEHOUSE_TOKEN=… gatehouse why @acme/ui publish --registry https://npm.example.org/
  gatehouse why @acme/ui --json
  gatehouse why @acme/ui publish --as rita           on the machine of the registry`,
		Args: cobra.ArbitraryArgs,
	}
	c.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) < 1 || len(args) > 2 {
			return notAsked(errors.New(`name a package and an action, such as "gatehouse why @acme/ui publish"`))
		}
		args = append(args, "install")
		cfg, err := config.Load(config.Process(cmd.Flags()))
		if err != nil {
			return notAsked(err)
		}
		var answer report
		if as != "" {
			answer, err = askDesk(cmd.Context(), cfg, operator.Why{Package: args[0], Action: args[1], As: as})
		} else {
			address := ownRegistry(cfg)
			if registry != "" {
				if address, err = registryAddress(registry); err != nil {
					return notAsked(err)
				}
			}
			answer, err = askRegistry(cmd.Context(), address, args[0], args[1], tokenFromEnvironment())
		}
		if err != nil {
			return notAsked(err)
		}
		if asJSON {
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s\n", answer.json)
		} else {
			_, err = io.WriteString(cmd.OutOrStdout(), printable(answer.words))
		}
		if err == nil && !answer.allowed {
			err = &ended{code: exitRefused}
		}
		return err
	}
	c.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return notAsked(config.FlagError(err)) })
	c.Flags().StringVar(&registry, "registry", "", "the `ADDRESS` of the registry; unset: server.url, or the one on this machine")
	c.Flags().StringVar(&as, "as", "", "ask about the GitHub account of this `LOGIN`, as the operator")
	c.Flags().BoolVar(&asJSON, "json", false, "print the answer as JSON")
	takeSettings(c)
	return c
}

// ended is the error of a command whose exit code tells how it went. Where it has no text, all has been said.
type ended struct {
	code int
	text string
}

func (e *ended) Error() string { return e.text }

func notAsked(err error) error { return &ended{exitNotAsked, err.Error()} }

// report is what was answered.
type report struct {
	allowed bool
	words   string
	json    []byte
}

func explained(w gate.Why) (report, error) {
	text, err := json.MarshalIndent(w, "", "  ")
	return report{w.Allowed, w.Words(), text}, err
}

func askDesk(ctx context.Context, cfg *config.Config, what operator.Why) (r report, err error) {
	err = atDesk(ctx, cfg, func(d desk, _ bool) error {
		answer, err := d.Why(ctx, what)
		if err == nil {
			r, err = explained(answer)
		}
		return err
	})
	return r, err
}

// ownRegistry is the address of the registry with these settings, for somebody on its machine.
func ownRegistry(cfg *config.Config) string {
	return cmp.Or(cfg.Server.URL, "http://localhost:"+strconv.Itoa(cfg.Server.Port)+"/")
}

func tokenFromEnvironment() string {
	for _, name := range tokenVariables {
		if token := strings.TrimSpace(os.Getenv(name)); token != "" {
			return token
		}
	}
	return ""
}

const maxReport = 1 << 20

// askRegistry asks with a token, or with none.
func askRegistry(ctx context.Context, registry, pkg, action, token string) (report, error) {
	base, err := url.Parse(registry)
	if err != nil {
		return report{}, err
	}
	address := strings.TrimSuffix(base.Scheme+"://"+base.Host+base.EscapedPath(), "/") + "/-/why/" + url.PathEscape(pkg) + "/" + url.PathEscape(action)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return report{}, err
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "gatehouse/"+version)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	client := http.Client{
		Timeout: 60 * time.Second,
		// The token is for this registry, and for nobody it points to.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	resp, err := client.Do(req)
	if err != nil {
		if u := (*url.Error)(nil); errors.As(err, &u) {
			err = u.Err
		}
		return report{}, fmt.Errorf("the registry %s cannot be asked: %w", base.Host, err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxReport))
	if err != nil {
		return report{}, fmt.Errorf("the registry %s answered half: %w", base.Host, err)
	}
	return readReport(resp.StatusCode, base.Host, pkg, action, token, body)
}

// readReport reads an answer. A refusal that explains nothing is one too: it is what is said of a package that the caller may not know of.
func readReport(status int, host, pkg, action, token string, body []byte) (report, error) {
	if status == http.StatusOK {
		var w gate.Why
		if err := json.Unmarshal(body, &w); err != nil || w.Action == "" {
			return report{}, fmt.Errorf("%s is no gatehouse, or one of another version: it does not explain itself", host)
		}
		return explained(w)
	}
	var no struct {
		Error  string       `json:"error"`
		Caller *gate.Holder `json:"caller"`
	}
	if json.Unmarshal(body, &no) != nil || no.Error == "" {
		return report{}, fmt.Errorf("%s is no gatehouse: it answered with the status %d", host, status)
	}
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
	case http.StatusNotFound:
		if no.Caller == nil {
			return report{}, fmt.Errorf("%s answered: %s", host, printable(no.Error))
		}
	default:
		return report{}, fmt.Errorf("%s answered with the status %d: %s", host, status, printable(no.Error))
	}
	words := action + " " + pkg + ": NO\n\n"
	if no.Caller != nil {
		words += no.Caller.Words() + "\n"
	} else if token == "" {
		words += "  caller      nobody: none of " + strings.Join(tokenVariables, ", ") + " is set\n\n"
	}
	return report{words: words + strings.TrimSuffix(no.Error, ".") + ".\n", json: body}, nil
}

// printable leaves out of a text of somebody else's what a terminal would obey.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' {
			return -1
		}
		return r
	}, text)
}
