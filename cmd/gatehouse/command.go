package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"gatehouse/config"
)

// version is set by the linker for a release (-X main.version=1.2.3).
var version = "0.1.0-dev"

// The groups that --help lists commands in.
const groupRun, groupAccess, groupData = "run", "access", "data"

func newCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "gatehouse",
		Short: "A private npm registry: your GitHub permissions are your npm permissions",
		Long: `gatehouse is a private npm registry. Whoever can read a package's GitHub repository can install it, and
whoever can write to it can publish it; nobody keeps a list of users.

Without a command it serves: GitHub's permissions, data in ./data, port 3000. Nothing has to be set up first.
Users put two lines into .npmrc, with a GitHub personal access token:

  @OWNER:registry=http://localhost:3000/
  //localhost:3000/:_authToken=YOUR_GITHUB_TOKEN

New here? "gatehouse demo" shows it working in a minute, without a network or an account.`,
		Example: `  gatehouse                                  serve with the defaults
  gatehouse --server.port 8080               another port
  gatehouse --config /etc/gatehouse.yaml     settings from a file
  GATEHOUSE_SERVER__PORT=8080 gatehouse      settings from the environment
  gatehouse config print                     what is set, and by what`,
		Args:          cobra.NoArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE:          runServe,
	}
	root.SetGlobalNormalizationFunc(config.FlagName)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return fmt.Errorf("%w\nRun \"%s --help\" for the flags", config.FlagError(err), cmd.CommandPath())
	})
	root.CompletionOptions.HiddenDefaultCmd = true
	config.Flags(root.Flags())

	serve := &cobra.Command{
		Use:   "serve",
		Short: "Run the registry (the same as gatehouse alone)",
		Long: `Run the registry until it is told to stop (Ctrl-C or SIGTERM); running requests are finished first.

Every setting below can also be written into a YAML file (nested: "server:" and below it "port: 8080") or into the environment
(GATEHOUSE_SERVER__PORT=8080: two underscores per level; GATEHOUSE_…_FILE reads the value from a file).
Flags win over the environment, which wins over the file. "gatehouse config print" shows the outcome.`,
		Args: cobra.NoArgs,
		RunE: runServe,
	}
	config.Flags(serve.Flags())

	settings := &cobra.Command{Use: "config", Short: "Look at the configuration"}
	show := &cobra.Command{
		Use:   "print",
		Short: "Print every setting, its value and where it comes from",
		Long:  `Print every setting, its value and where it comes from: a default, a file and its line, a variable, a flag. Secrets are shown as [redacted].`,
		Args:  cobra.NoArgs,
		RunE:  runConfigPrint,
	}
	takeSettings(show)
	settings.AddCommand(show)

	root.AddGroup(&cobra.Group{ID: groupRun, Title: "Run it:"}, &cobra.Group{ID: groupAccess, Title: "Who may do what:"}, &cobra.Group{ID: groupData, Title: "Look after the data:"})
	for id, commands := range map[string][]*cobra.Command{
		groupRun: {serve, newDemo(), settings, newHealth()}, groupAccess: {newWhy(), newBind(), newAdmit(), newToken()}, groupData: {newBackup(), newRestore(), newFsck(), newGC(), newMigrate()},
	} {
		for _, c := range commands {
			c.GroupID = id
			root.AddCommand(c)
		}
	}
	root.AddCommand(&cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		Run: func(cmd *cobra.Command, _ []string) {
			cmd.Printf("gatehouse %s%s %s %s/%s\n", version, commit(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
		},
	})
	for _, c := range []*cobra.Command{root, serve, show} {
		c.Flags().SortFlags = false
	}
	return root
}

// commit is the source's, where the build knows it.
func commit() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return " (" + s.Value[:12] + ")"
		}
	}
	return ""
}

func runConfigPrint(cmd *cobra.Command, _ []string) error {
	cfg, err := config.Load(config.Process(cmd.Flags()))
	if err != nil {
		return err
	}
	out := cmd.OutOrStdout()
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(t, "KEY\tVALUE\tSOURCE")
	for _, e := range cfg.Entries() {
		value := e.Value
		if value == "" {
			value = "-"
		}
		_, _ = fmt.Fprintf(t, "%s\t%s\t%s\n", e.Key, value, e.Source)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if f := cfg.File(); f == "" && isTerminal(out) {
		_, _ = fmt.Fprintln(out, "\nNo configuration file was found. The README explains each key.")
	}
	return nil
}

func isTerminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

func indent(lines ...string) string { return "  " + strings.Join(lines, "\n  ") + "\n" }

// newFlags is a set with a flag for every key.
func newFlags() *pflag.FlagSet {
	flags := pflag.NewFlagSet("gatehouse", pflag.ContinueOnError)
	config.Flags(flags)
	return flags
}
