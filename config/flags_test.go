package config

import (
	"errors"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

func TestFlagsTeach(t *testing.T) {
	t.Parallel()
	fs := pflag.NewFlagSet("test", pflag.ContinueOnError)
	Flags(fs)
	usage := fs.FlagUsages()
	for _, k := range schema {
		if k.secret || k.each != nil {
			if fs.Lookup(k.name) != nil || strings.Contains(strings.ToLower(usage), strings.ToLower(k.name)) {
				t.Errorf("%s is a flag, for everybody to read", k.name)
			}
			continue
		}
		if f := fs.Lookup(k.name); f == nil || f.DefValue != k.def || f.Usage != k.meaning || f.Changed {
			t.Errorf("%s: %+v", k.name, f)
		}
		if !strings.Contains(usage, "--"+strings.ToLower(k.name)) {
			t.Errorf("%s is not in the usage", k.name)
		}
	}
	if !strings.Contains(usage, "--config FILE") || !strings.Contains(usage, "--logger.format text|json") || !strings.Contains(usage, "(default 512MiB)") {
		t.Errorf("%s", usage)
	}
}

func TestFlagForms(t *testing.T) {
	t.Parallel()
	c := mustLoad(t, world{args: []string{
		"--auth.github.orgs=one,two", "--auth.github.orgs", "three", "--settings.allow_previous_version=false",
		"--server.port=1", "--server.port=2", "--server.url=",
	}, env: []string{"GATEHOUSE_SERVER__URL=https://npm.example.org"}}.options(t, schema))
	if strings.Join(c.Auth.GitHub.Orgs, " ") != "one two three" || c.Server.Port != 2 || c.Server.URL != "" || c.Source("server.url") != "--server.url" {
		t.Errorf("%+v", c)
	}
	// A set without our flags, and no set at all.
	mustLoad(t, Options{Dir: t.TempDir(), Flags: pflag.NewFlagSet("other", pflag.ContinueOnError)})
	mustLoad(t, Options{Dir: t.TempDir()})
}

func TestFlagError(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"--server.prot=1": "--server.prot is not a known flag; did you mean --server.port?",
		"--port":          "--port is not a known flag; did you mean --server.port?",
		"--confg=x":       "--confg is not a known flag; did you mean --config?",
		"--zzz":           "unknown flag: --zzz",
		"--storage.s3.secretaccesskey=x": "--storage.s3.secretAccessKey is not a flag, since everybody on a machine can read the flags of a process; " +
			"use the environment (GATEHOUSE_STORAGE__S3__SECRETACCESSKEY, or GATEHOUSE_STORAGE__S3__SECRETACCESSKEY_FILE to name a file) or the configuration file",
		"-p":            "unknown shorthand flag: 'p' in -p",
		"--server.port": "flag needs an argument: --server.port",
	} {
		fs := pflag.NewFlagSet("test", pflag.ContinueOnError)
		Flags(fs)
		err := fs.Parse([]string{args})
		if err == nil || FlagError(err).Error() != want {
			t.Errorf("%s: %v", args, FlagError(err))
		}
	}
	// A command that takes no settings, such as the demo, does not offer the flag that was typed.
	err := pflag.NewFlagSet("demo", pflag.ContinueOnError).Parse([]string{"--server.port=0"})
	if want := "--server.port is a setting of the registry, which this command does not take"; err == nil || FlagError(err).Error() != want {
		t.Errorf("%v", FlagError(err))
	}
	if other := errors.New("other"); !errors.Is(FlagError(other), other) || FlagError(nil) != nil {
		t.Error("another error was changed")
	}
}
