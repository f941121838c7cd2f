package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

const configFlag = "config"

// Flags adds --config and one flag per key (secrets excepted) to the set. Values are only collected here:
// Load judges them, together with what the other sources say.
func Flags(fs *pflag.FlagSet) { addFlags(fs, schema) }

func addFlags(fs *pflag.FlagSet, schema []key) {
	fs.SetNormalizeFunc(FlagName)
	fs.String(configFlag, "", "the configuration `FILE`; unset: gatehouse.yaml here, in your configuration directory, or in /etc/gatehouse")
	for _, k := range schema {
		if k.secret || k.each != nil {
			continue
		}
		f := fs.VarPF(&flagValue{kind: k.kind, text: k.def}, k.name, "", k.meaning)
		if k.switches {
			f.NoOptDefVal = "true"
		}
	}
}

// FlagName makes flags case-insensitive. Flags sets it on its set; a cobra root command needs it too, with
// SetGlobalNormalizationFunc, because cobra parses into sets of its own.
func FlagName(_ *pflag.FlagSet, name string) pflag.NormalizedName {
	return pflag.NormalizedName(strings.ToLower(name))
}

// FlagError adds the nearest known flag to pflag's complaint about an unknown one, and leaves other errors as
// they are. It suits cobra's SetFlagErrorFunc.
func FlagError(err error) error {
	unknown, ok := errors.AsType[*pflag.NotExistError](err)
	if !ok {
		return err
	}
	name := unknown.GetSpecifiedName()
	for _, k := range schema {
		if k.secret && strings.EqualFold(k.name, name) {
			return fmt.Errorf("--%s is not a flag, since everybody on a machine can read the flags of a process; use the environment (%s, or %s_FILE to name a file) or the configuration file",
				k.name, envName(k.name), envName(k.name))
		}
		if k.each != nil && isNamed(k.name, strings.ToLower(name)) {
			return fmt.Errorf("--%s is not a flag, since it is set for one namespace; use the environment (%s) or the configuration file", name, envName(name))
		}
	}
	if slices.ContainsFunc(names(schema), func(key string) bool { return strings.EqualFold(key, name) }) {
		return fmt.Errorf("--%s is a setting of the registry, which this command does not take", name)
	}
	if near := nearest(strings.ToLower(name), append(names(schema), configFlag)); near != "" && len(name) > 1 {
		return fmt.Errorf("--%s is not a known flag; did you mean --%s?", name, near)
	}
	return err
}

// flagValue collects the text of a flag.
type flagValue struct {
	kind
	text  string
	items []string
}

func (v *flagValue) String() string { return v.text }

// Type is the word that usage shows for the value; pflag shows none for "bool".
func (v *flagValue) Type() string { return v.word }

// Set takes the text as it is. A list's flag may be repeated.
func (v *flagValue) Set(text string) error {
	v.text = text
	if v.repeats {
		v.items = append(v.items, text)
		v.text = strings.Join(v.items, ",")
	}
	return nil
}

// flagLayer is what the flags say.
func (l *loader) flagLayer() layer {
	out := layer{}
	if l.Flags == nil {
		return out
	}
	for _, k := range l.schema {
		if f := l.Flags.Lookup(strings.ToLower(k.name)); f != nil && f.Changed {
			out[strings.ToLower(k.name)] = setting{Text: f.Value.String(), Where: "--" + k.name}
		}
	}
	return out
}

// namedFile is the value of --config, and whether it was given.
func namedFile(fs *pflag.FlagSet) (string, bool) {
	if fs == nil {
		return "", false
	}
	f := fs.Lookup(configFlag)
	if f == nil || !f.Changed {
		return "", false
	}
	return f.Value.String(), true
}
