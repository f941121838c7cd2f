package config

import (
	"errors"
	"fmt"
	"net"
	"regexp"
	"strings"
)

// githubHost is the name of a GitHub instance, as it appears in repository addresses.
func githubHost(field func(*Config) *string) kind {
	return scalarKind("host", field, func(s setting, text string) (string, error) {
		host := strings.ToLower(text)
		name, port, err := net.SplitHostPort(host)
		if err != nil {
			name, port = host, ""
		}
		if !validHost(name) || (err == nil && !validPort(port)) || (strings.Contains(name, ":") && port == "") {
			if _, after, found := strings.Cut(host, "://"); found && !s.Hidden {
				if alone, _, _ := strings.Cut(after, "/"); validHost(alone) {
					return "", fmt.Errorf("must be a host name alone, without scheme and path: %s", alone)
				}
			}
			return "", s.must("a host name such as github.com, SUBDOMAIN.ghe.com or github.example.org", text)
		}
		if name == "api.github.com" || name == "www.github.com" {
			return "", errors.New("must be github.com, the host in repository addresses")
		}
		if sub, ok := strings.CutSuffix(name, "ghe.com"); ok && (sub == "" || strings.HasSuffix(sub, ".")) {
			sub = strings.TrimSuffix(sub, ".")
			if alone := strings.TrimPrefix(sub, "api."); alone == "" || alone == "api" || strings.Contains(alone, ".") {
				return "", errors.New("must be SUBDOMAIN.ghe.com with the subdomain of your enterprise")
			} else if alone != sub {
				return "", fmt.Errorf("must be %s.ghe.com, the host in repository addresses", alone)
			}
		}
		return host, nil
	}, same[string])
}

// githubURLs are the addresses of the instance's REST API and of its web and git pages.
func githubURLs(host string) (api, web string) {
	web = "https://" + host
	switch {
	case host == "github.com":
		return "https://api.github.com", web
	case strings.HasSuffix(host, ".ghe.com"):
		return "https://api." + host, web
	}
	return web + "/api/v3", web
}

// owner is a user or organisation name. Names that an enterprise manages have an underscore.
var owner = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,38}$`)

// owners is a list of GitHub users and organisations, written with or without "@".
func owners(field func(*Config) *[]string) kind {
	return listKind("list", field, func(s setting, item string) (string, error) {
		name := strings.TrimPrefix(item, "@")
		if !owner.MatchString(name) {
			return "", s.must("a list of GitHub users or organisations such as acme", item)
		}
		return name, nil
	}, same[string])
}
