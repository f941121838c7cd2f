package config

import (
	"os"
	"strings"

	"github.com/knadh/koanf/v2"
	"github.com/spf13/pflag"
)

// Options are the places that Load reads. The zero value reads gatehouse.yaml in the working directory
// and nothing else.
type Options struct {
	Flags         *pflag.FlagSet // parsed, with the flags of Flags; nil: no flags
	Environ       []string       // in the form of os.Environ; nil: no variables
	Dir           string         // the working directory; "": the process's, and relative paths stay relative
	UserConfigDir string         // holds gatehouse/gatehouse.yaml; "": not looked at
	SystemDir     string         // holds gatehouse/gatehouse.yaml; "": not looked at
}

// Process are the options of a running program: its environment, its directories, and the given flags.
func Process(flags *pflag.FlagSet) Options {
	user, _ := os.UserConfigDir() // fails where there is no home, and then there is no such directory
	return Options{Flags: flags, Environ: os.Environ(), UserConfigDir: user, SystemDir: "/etc"}
}

// Load reads the sources and returns the configuration, or an *Error with all that is wrong. It changes
// nothing anywhere.
func Load(o Options) (*Config, error) { return load(o, schema) }

func load(o Options, schema []key) (*Config, error) {
	l := &loader{
		Options: o,
		schema:  schema,
		known:   make(map[string]key, len(schema)),
		bad:     map[string]bool{},
		cfg:     &Config{origin: &origin{from: make(map[string]string, len(schema))}},
	}
	defaults := layer{}
	for _, k := range schema {
		if k.each != nil {
			continue
		}
		l.known[strings.ToLower(k.name)] = k
		defaults[strings.ToLower(k.name)] = setting{Text: k.def, Where: sourceDefault}
	}

	merged := koanf.New(".")
	for _, read := range []func() layer{func() layer { return defaults }, l.fileLayer, l.envLayer, l.flagLayer} {
		source := read()
		l.judge(source)
		if err := merged.Load(source, nil); err != nil {
			return nil, err
		}
	}
	for _, k := range l.concrete() {
		name := strings.ToLower(k.name)
		if s, ok := merged.Get(name).(setting); ok && !l.bad[name] {
			_ = k.set(l.cfg, s) // judged above
			l.cfg.origin.from[k.name] = s.Where
		}
	}
	l.cfg.origin.schema = l.concrete()
	l.follow()
	l.check()
	if len(l.problems) > 0 {
		return nil, &Error{l.problems}
	}
	return l.cfg, nil
}

const sourceDefault = "default"

// loader is the state of one Load.
type loader struct {
	Options
	schema   []key
	known    map[string]key  // by name in lower case
	found    []key           // those of namespaces that a source named
	bad      map[string]bool // keys with a bad value somewhere, which rules between keys pass over
	cfg      *Config
	problems []Problem
}

func (l *loader) report(where, message string) {
	l.problems = append(l.problems, Problem{where, message})
}

// judge reports the bad values of a source, in the schema's order.
func (l *loader) judge(source layer) {
	for _, k := range l.concrete() {
		name := strings.ToLower(k.name)
		s, ok := source[name]
		if !ok {
			continue
		}
		if err := k.set(new(Config), s); err != nil {
			l.bad[name] = true
			l.report(s.Where, k.name+" "+err.Error())
		}
	}
}
