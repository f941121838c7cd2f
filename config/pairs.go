package config

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"regexp"
	"slices"
	"strings"
)

// pairs is a map: a list of KEY=VALUE, and in a file also a section with a line for each. Keys are in lower case.
func pairs(field func(*Config) *map[string]string, form *regexp.Regexp, left string, parse func(string) bool, right string) kind {
	return kind{
		word:    "list",
		repeats: true,
		pairs:   true,
		set: func(c *Config, s setting) error {
			items, err := s.list()
			if err != nil {
				return err
			}
			var m map[string]string
			for _, item := range items {
				k, v, found := strings.Cut(item, "=")
				k, v = strings.ToLower(strings.TrimPrefix(strings.TrimSpace(k), "@")), strings.TrimSpace(v)
				switch {
				case !found:
					return s.must(fmt.Sprintf("a list of pairs, each a %s, = and %s", left, right), item)
				case !form.MatchString(k):
					return s.must("a list of pairs that begin with a "+left, k)
				case !parse(v):
					return s.must("a list of pairs that end with "+right, v)
				}
				if before, twice := m[k]; twice && before != v {
					return errors.New("must not have two values for " + k)
				}
				if m == nil {
					m = map[string]string{}
				}
				m[k] = v
			}
			*field(c) = m
			return nil
		},
		show: func(c *Config) string {
			var words []string
			for _, k := range slices.Sorted(maps.Keys(*field(c))) {
				words = append(words, k+"="+(*field(c))[k])
			}
			return strings.Join(words, ",")
		},
		field: func(c *Config) any { return field(c) },
	}
}

// unscopedName is what a package without a namespace may be called.
var unscopedName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,213}$`)

var repositoryName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,100}$`)

func parseOwner(text string) bool { return owner.MatchString(text) }

func parseRepository(text string) bool {
	o, name, found := strings.Cut(text, "/")
	return found && owner.MatchString(o) && repositoryName.MatchString(name) && name != "." && name != ".."
}

// listenAddress is host:port to listen on, or empty.
func listenAddress(field func(*Config) *string) kind {
	return scalarKind("host:port", field, func(s setting, text string) (string, error) {
		if text == "" {
			return "", nil
		}
		host, port, err := net.SplitHostPort(text)
		if err != nil || !validHost(host) || !validPort(port) && port != "0" {
			return "", s.must("an address and a port such as 127.0.0.1:9464", text)
		}
		return net.JoinHostPort(strings.ToLower(host), port), nil
	}, same[string])
}
