package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"

	"gatehouse/cmd/gatehouse/clienttest"
)

// cell is one client at one registry.
type cell struct {
	clienttest.Client
	at      *process
	results *board // nil: nobody looks
}

// name is that of a package of this client's own.
func (c cell) name(what string) string { return "@acme/" + what + "-" + c.Name }

func (c cell) user(t *testing.T, token string) *clienttest.User {
	t.Helper()
	return c.User(t, clienttest.Setup{Registry: c.at.url, Scopes: []string{"@acme"}, Token: token})
}

// yes is for a command that has to succeed.
func (c cell) yes(t *testing.T, step string, r clienttest.Result) clienttest.Result {
	t.Helper()
	r.Must(t)
	c.results.note(step, c.Name, fmt.Sprintf("%.1f", r.Took.Seconds()))
	return r
}

// no is for a command that has to be refused with this sentence, in which NAME is the package.
func (c cell) no(t *testing.T, step string, r clienttest.Result, sentence, name string) clienttest.Result {
	t.Helper()
	r.MustFail(t)
	// pnpm 12 sets its text in lines with a border; it and yarn 1 show JSON as it is.
	squeeze := strings.NewReplacer(" ", "", "\n", "", "│", "", `\`, "").Replace
	sentence = strings.ReplaceAll(sentence, "NAME", name)
	if !strings.Contains(squeeze(r.Output), squeeze(sentence)) {
		t.Errorf("the refusal does not say %q:\n%v", sentence, r)
	}
	c.results.note(step, c.Name, "no")
	return r
}

// has tells whether the client has a command, without which it cannot take these steps.
func (c cell) has(v clienttest.Verb, steps ...string) bool {
	_, ok := c.Supports(v)
	for _, step := range steps {
		if !ok {
			c.results.note(step, c.Name, "-")
		}
	}
	return ok
}

// library is a package of the repository acme/ui. It exports a value; require of another package may be one.
func library(t *testing.T, name, version, exports string, dependencies ...string) string {
	t.Helper()
	needs := map[string]string{}
	for _, d := range dependencies {
		needs[d] = "^1.0.0"
	}
	dir := clienttest.Project(t, map[string]any{
		"name": name, "version": version, "main": "index.js", "license": "MIT", "dependencies": needs,
		"repository": map[string]any{"type": "git", "url": "git+https://github.com/acme/ui.git", "directory": "packages/" + name},
	})
	if err := os.WriteFile(filepath.Join(dir, "index.js"), []byte("module.exports = "+exports+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// application is a project with dependencies, each followed by the version it wants.
func application(t *testing.T, dependencies ...string) string {
	t.Helper()
	needs := map[string]string{}
	for pair := range slices.Chunk(dependencies, 2) {
		needs[pair[0]] = pair[1]
	}
	return clienttest.Project(t, map[string]any{"name": "app", "version": "1.0.0", "private": true, "dependencies": needs})
}

// board is the matrix as it comes out, for people.
type board struct {
	mu             sync.Mutex
	steps, clients []string
	cells          map[[2]string]string
}

func newBoard(clients []clienttest.Client) *board {
	b := &board{cells: map[[2]string]string{}}
	for _, c := range clients {
		b.clients = append(b.clients, c.Name)
	}
	return b
}

func (b *board) note(step, client, outcome string) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !slices.Contains(b.steps, step) {
		b.steps = append(b.steps, step)
	}
	b.cells[[2]string{step, client}] = outcome
}

func (b *board) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var text strings.Builder
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "\t"+strings.Join(b.clients, "\t"))
	for _, step := range b.steps {
		row := step
		for _, client := range b.clients {
			row += "\t" + b.cells[[2]string{step, client}]
		}
		_, _ = fmt.Fprintln(table, row)
	}
	_ = table.Flush()
	return text.String()
}
