package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// world is a Load with nothing of this machine in it.
type world struct {
	file string   // gatehouse.yaml in the working directory, unless empty
	env  []string // NAME=value
	args []string
}

func (w world) options(t *testing.T, schema []key) Options {
	t.Helper()
	o := Options{Dir: t.TempDir(), UserConfigDir: t.TempDir(), SystemDir: t.TempDir(), Environ: w.env}
	if w.file != "" {
		write(t, filepath.Join(o.Dir, fileName), w.file)
	}
	o.Flags = parse(t, schema, w.args...)
	return o
}

func parse(t *testing.T, schema []key, args ...string) *pflag.FlagSet {
	t.Helper()
	fs := pflag.NewFlagSet("test", pflag.ContinueOnError)
	addFlags(fs, schema)
	if err := fs.Parse(args); err != nil {
		t.Fatal(err)
	}
	return fs
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func mustLoad(t *testing.T, o Options) *Config {
	t.Helper()
	c, err := Load(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// problems are the sentences of a failed Load, with DIR for the working directory.
func problems(t *testing.T, o Options, schema []key) []string {
	t.Helper()
	c, err := load(o, schema)
	if err == nil {
		t.Fatal("no error")
	}
	if c != nil {
		t.Error("a Config came with the error")
	}
	all, ok := errors.AsType[*Error](err)
	if !ok {
		t.Fatalf("%T is not *Error: %v", err, err)
	}
	var list []string
	for _, p := range all.Problems {
		list = append(list, replace(p.Error(), o.Dir))
	}
	return list
}

func entry(t *testing.T, c *Config, name string) Entry {
	t.Helper()
	for _, e := range c.Entries() {
		if e.Key == name {
			return e
		}
	}
	t.Fatalf("no entry %s", name)
	return Entry{}
}

func replace(text, dir string) string {
	return strings.ReplaceAll(text, dir+string(filepath.Separator), "DIR/")
}

func equal(t *testing.T, got, want []string) {
	t.Helper()
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got:\n  %s\nwant:\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}
