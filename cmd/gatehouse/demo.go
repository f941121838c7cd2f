package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"gatehouse/config"
	"gatehouse/githubauth/githubtest"
)

const (
	demoPort = 3000
	// The app that people log in with. The fake GitHub knows it, and no other.
	demoApp    = "0123456789abcdef0123"
	demoSecret = "the secret of the demo's app"
)

func newDemo() *cobra.Command {
	var port int
	demo := &cobra.Command{
		Use:   "demo",
		Short: "Try it out: a registry beside a built-in fake GitHub, with people and repositories",
		Long: `Starts a registry and a fake GitHub with an organization, repositories and three people: one who may write, one who
may read, one without access. It prints for each which commands to try, and for a guest, who has no token and can log in as any of them.
No network and no account are needed. Everything lives in a temporary folder, which is removed at the end. Both listen on this machine only.

This is a demo: the fake GitHub knows only what it prints, and its tokens work nowhere else.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runDemo(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr(), port, cmd.Flags().Changed("port"))
		},
	}
	demo.Flags().IntVar(&port, "port", demoPort, "the registry's port; 0 takes any free one")
	return demo
}

func runDemo(ctx context.Context, stdout, stderr io.Writer, port int, chosen bool) (err error) {
	if !chosen && taken(port) {
		port = 0
	}
	folder, err := os.MkdirTemp("", "gatehouse-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	github := githubtest.Acme(githubtest.Seed(1)).Start()
	defer github.Close()
	github.Grant("wendy", "acme/open", githubtest.Push)
	github.AddOAuthApp(demoApp, demoSecret)

	cfg, err := demoConfig(folder, port, github.GitHub)
	if err != nil {
		return err
	}
	cfg.Auth.GitHub.OAuth = config.OAuth{ClientID: demoApp, ClientSecret: config.NewSecret(demoSecret)}
	var broken error
	log, end := newLog(cfg, stderr)
	defer end()
	err = serve(ctx, cfg, log, func(r *registry) {
		broken = demoGuide(stdout, folder, r.local, github)
	})
	return errors.Join(err, broken)
}

func demoConfig(folder string, port int, github *githubtest.GitHub) (*config.Config, error) {
	flags := newFlags()
	for key, value := range map[string]string{
		"server.host":            "127.0.0.1",
		"server.port":            strconv.Itoa(port),
		"logger.level":           "warn",
		"auth.github.api_url":    github.APIURL(),
		"auth.github.web_url":    github.URL(),
		"auth.github.orgs":       "acme",
		"auth.github.cache.path": filepath.Join(folder, "data", "github-cache"),
		"metadata.leveldb.path":  filepath.Join(folder, "data", "db"),
		"storage.local.path":     filepath.Join(folder, "data", "storage"),
	} {
		if err := flags.Set(key, value); err != nil {
			return nil, err
		}
	}
	// Neither a file nor the environment: a demo is the same everywhere.
	return config.Load(config.Options{Flags: flags, Dir: folder})
}

func taken(port int) bool {
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err == nil {
		_ = l.Close()
	}
	return errors.Is(err, syscall.EADDRINUSE)
}

// comes is before what comes of a command.
const comes = "    → "

// person is somebody of the demo.
type person struct {
	name, role, token string
	manifest          map[string]any
	try               []string
}

// demoGuide makes a folder for each person, ready to run npm in, and prints what to try.
func demoGuide(w io.Writer, folder, base string, github *githubtest.Fixture) error {
	project := map[string]any{"name": "project", "version": "1.0.0", "private": true}
	why := "GATEHOUSE_TOKEN=" + github.Rita + " " + itself() + " why @acme/ui publish --registry " + base
	people := []person{
		{"wendy", "may write to acme/ui and acme/open, so she may publish @acme/ui and @acme/open", github.Wendy, demoPackage("ui"), []string{
			"npm publish && (cd open && npm publish)",
			"npm dist-tag add @acme/ui@1.0.0 beta",
			"npm view @acme/ui",
			"npm token create --registry=" + base + " --name=ci --packages=@acme/ui \\\n    --packages-and-scopes-permission=read-only --password=x",
			comes + "a token that can install @acme/ui and nothing else (npm 11 and later)",
		}},
		{"rita", "may read acme/ui, so she may install its package, and not publish", github.Rita, project, []string{
			"npm install @acme/ui",
			"npm dist-tag add @acme/ui@1.0.0 mine", comes + "refused, with the reason",
			why, comes + "all that the reason goes by",
		}},
		{"mallory", "has no access to it, and cannot even learn that it exists", github.Mallory, project, []string{
			"npm install @acme/ui", comes + "not found",
		}},
		{"guest", "has no token. What is public on GitHub takes none; for the rest npm login asks the fake GitHub, in a browser, who you want to be", "", project, []string{
			"npm install @acme/open",
			"npm install @acme/ui", comes + "refused: it takes a token",
			"npm login --registry=" + base + " --userconfig=.npmrc", comes + "a browser; be rita, say. The token goes into the .npmrc of this folder",
			"npm whoami --registry=" + base,
			"npm install @acme/ui",
		}},
	}
	var b strings.Builder
	fmt.Fprintf(&b, `gatehouse %s: THIS IS A DEMO. The GitHub behind it is a fake inside this process; its tokens work nowhere else.

The registry listens on %s
The fake GitHub has the organization acme with the private repositories acme/ui and acme/api, the public acme/open, and people.
Each has a folder with an .npmrc in it. Try, in another terminal and in this order:
`, version, base)
	for _, p := range people {
		home := filepath.Join(folder, p.name)
		lines := npmrc("acme", base, p.token)
		if p.token == "" {
			lines = lines[:1]
		}
		if err := writeProject(home, p.manifest, lines); err != nil {
			return err
		}
		if p.name == "wendy" {
			if err := writeProject(filepath.Join(home, "open"), demoPackage("open"), lines); err != nil {
				return err
			}
		}
		fmt.Fprintf(&b, "\n%s %s\n\n  cd %s\n%s", p.name, p.role, home, indent(p.try...))
		if p.name == "wendy" || p.token == "" { // the others' are like hers
			b.WriteString("\n  .npmrc:\n" + indent(lines...))
		}
	}
	fmt.Fprintf(&b, "\nCtrl-C stops the demo and removes %s.\n", folder)
	_, err := io.WriteString(w, b.String())
	return err
}

// demoPackage is the package.json of a repository's package.
func demoPackage(repository string) map[string]any {
	return map[string]any{
		"name": "@acme/" + repository, "version": "1.0.0", "description": "A package of the demo's", "main": "index.js", "files": []string{"index.js"}, "license": "MIT",
		"repository": map[string]any{"type": "git", "url": "git+https://github.com/acme/" + repository + ".git"},
	}
}

// itself is how this program can be run from another terminal.
func itself() string {
	path, err := os.Executable()
	if found, missing := exec.LookPath("gatehouse"); err != nil || missing == nil && found == path {
		return "gatehouse"
	}
	return path
}

func writeProject(folder string, manifest map[string]any, npmrc []string) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	packageJSON, err := json.MarshalIndent(manifest, "", "  ")
	if err != nil {
		return err
	}
	for name, content := range map[string]string{
		"package.json": string(packageJSON) + "\n",
		"index.js":     "module.exports = 'hello from " + fmt.Sprint(manifest["name"]) + "'\n",
		".npmrc":       strings.Join(npmrc, "\n") + "\n",
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
			return err
		}
	}
	return nil
}
