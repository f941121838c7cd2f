package config

import (
	"errors"
	"net/url"
	gopath "path"
	"regexp"
	"strings"
)

// actionsIssuer is who issues the ID tokens of Actions on a GitHub instance.
func actionsIssuer(host string) string {
	switch {
	case host == "github.com":
		return "https://token.actions.githubusercontent.com"
	case strings.HasSuffix(host, ".ghe.com"):
		return "https://token.actions." + host
	}
	return "https://" + host + "/_services/token"
}

// followOIDC fills in whose ID tokens count, and for whom they have to be: what clients ask for. npm and pnpm ask for the host name, yarn for the port
// with it. The address that a request was sent to would not do: an ID token for another registry would be good for whoever names that as the host.
func (l *loader) followOIDC() {
	c, from := l.cfg, l.cfg.origin.from
	o := &c.Auth.GitHub.OIDC
	if len(o.Issuer) == 0 && c.Auth.GitHub.Host != "" && !l.bad["auth.github.oidc.issuer"] {
		o.Issuer, from["auth.github.oidc.issuer"] = []string{actionsIssuer(c.Auth.GitHub.Host)}, "auth.github.host"
	}
	if u, err := url.Parse(c.Server.URL); err == nil && u.Host != "" && len(o.Audience) == 0 && !l.bad["auth.github.oidc.audience"] {
		o.Audience, from["auth.github.oidc.audience"] = []string{"npm:" + u.Hostname()}, "server.url"
		if u.Port() != "" {
			o.Audience = append(o.Audience, "npm:"+u.Host)
		}
	}
}

// issuers is a list of addresses, kept letter by letter: that is how they are compared.
func issuers(field func(*Config) *[]string) kind {
	return listKind("list", field, func(s setting, item string) (string, error) {
		if _, err := parseURL(s, item, urlRule{}); err != nil {
			return "", err
		}
		if u, _ := url.Parse(item); u.Scheme != "https" && !loopback(u.Hostname()) {
			return "", errors.New("must be https: whoever can answer in its place could publish everything")
		}
		return item, nil
	}, same[string])
}

// items is a list of texts of a form.
func items(field func(*Config) *[]string, ok func(string) bool, be string) kind {
	return listKind("list", field, func(s setting, item string) (string, error) {
		if !ok(item) {
			return "", s.must(be, item)
		}
		return item, nil
	}, same[string])
}

var (
	anEvent       = regexp.MustCompile(`^[a-z][a-z_]{0,59}$`)
	anAudience    = regexp.MustCompile(`^[!-+\--~]{1,255}$`) // printable, and no comma
	anEnvironment = regexp.MustCompile(`^[^\x00-\x1f\x7f,]{1,255}$`)
	aWorkflow     = regexp.MustCompile(`^[^\s,]{1,300}\.ya?ml$`)
)

func eventName(text string) bool       { return anEvent.MatchString(text) }
func audienceName(text string) bool    { return anAudience.MatchString(text) }
func environmentName(text string) bool { return anEnvironment.MatchString(text) }
func workflowFile(text string) bool    { return aWorkflow.MatchString(text) }

func refPattern(text string) bool {
	_, err := gopath.Match(text, "")
	return err == nil && strings.HasPrefix(text, "refs/") && len(text) <= 255
}
