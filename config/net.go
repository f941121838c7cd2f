package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	gopath "path"
	"regexp"
	"strconv"
	"strings"
)

// hostName is a DNS name of ASCII labels. Underscores are not for DNS, but container networks have them.
var hostName = regexp.MustCompile(`^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$`)

// onlyDigits is what no host name may look like: 127.1 or 0177.0.0.1 mean different addresses to different programs.
var onlyDigits = regexp.MustCompile(`^[0-9.]+$`)

// validHost reports whether the text is an IP address (without brackets) or a host name.
func validHost(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	return len(host) <= 253 && hostName.MatchString(strings.ToLower(host)) && !onlyDigits.MatchString(host)
}

func validPort(text string) bool {
	n, err := strconv.ParseUint(text, 10, 16)
	return err == nil && n > 0
}

// loopback reports whether a host can only be this machine.
func loopback(host string) bool {
	if a, err := netip.ParseAddr(host); err == nil {
		return a.Unmap().IsLoopback()
	}
	host = strings.ToLower(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// hostKind is an address to listen on.
func hostKind(field func(*Config) *string) kind {
	return scalarKind("host", field, func(s setting, text string) (string, error) {
		if inner, ok := strings.CutPrefix(text, "["); ok && strings.HasSuffix(inner, "]") {
			text = strings.TrimSuffix(inner, "]")
		}
		if validHost(text) {
			return strings.ToLower(text), nil
		}
		if h, p, err := net.SplitHostPort(text); err == nil && validHost(h) && validPort(p) && !s.Hidden {
			return "", fmt.Errorf("must be the host alone, %s; the port goes into server.port", h)
		}
		return "", s.must("an IP address or a host name (0.0.0.0 is every address)", text)
	}, same[string])
}

// urlRule is what an address has to be like.
type urlRule struct {
	slash    bool // it ends in a slash; otherwise in none
	tokens   bool // callers' tokens are sent there, so it is https or on loopback
	optional bool // it may be empty
	bare     bool // it has no path
}

// address is an absolute http or https URL, kept in one spelling.
func address(field func(*Config) *string, rule urlRule) kind {
	return scalarKind("url", field, func(s setting, text string) (string, error) {
		if text == "" && rule.optional {
			return "", nil
		}
		return parseURL(s, text, rule)
	}, same[string])
}

func parseURL(s setting, text string, rule urlRule) (string, error) {
	const want = "an absolute http or https address such as https://npm.example.org/"
	if strings.Contains(text, "@") {
		return "", errors.New(`must be an address without a user name, a password or "@"`)
	}
	u, err := url.Parse(text)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Opaque != "" || !validHost(u.Hostname()) {
		return "", s.must(want, text)
	}
	if port := u.Port(); (port != "" && !validPort(port)) || strings.HasSuffix(u.Host, ":") {
		return "", s.must(want, text)
	}
	if strings.ContainsAny(text, "?#") {
		return "", errors.New("must be an address without a query (?) or a fragment (#)")
	}
	if p := strings.TrimSuffix(u.Path, "/"); p != "" && (p != gopath.Clean(p) || p == "/" || u.RawPath != "" || strings.Contains(p, `\`)) {
		return "", s.must("an address with a plain path, without empty, dotted or escaped parts", text)
	}
	if rule.bare && strings.Trim(u.Path, "/") != "" {
		return "", errors.New("must be a scheme, a host and perhaps a port, without a path")
	}
	if rule.tokens && u.Scheme == "http" && !loopback(u.Hostname()) {
		return "", fmt.Errorf("must be https, because tokens are sent there; plain http is for loopback addresses only")
	}
	u.Host = strings.ToLower(u.Host)
	if (u.Scheme == "http" && u.Port() == "80") || (u.Scheme == "https" && u.Port() == "443") {
		u.Host = strings.TrimSuffix(u.Host, ":"+u.Port())
	}
	u.Path = strings.TrimSuffix(u.Path, "/")
	if rule.slash {
		u.Path += "/"
	}
	return u.String(), nil
}

// prefixes is a list of networks; an address is a network of one.
func prefixes(field func(*Config) *[]netip.Prefix) kind {
	return listKind("list", field, func(s setting, item string) (netip.Prefix, error) {
		const want = "a list of IP addresses or networks such as 10.0.0.0/8"
		if a, err := netip.ParseAddr(item); err == nil && a.Zone() == "" {
			a = a.Unmap()
			return netip.PrefixFrom(a, a.BitLen()), nil
		}
		p, err := netip.ParsePrefix(item)
		if err != nil {
			return p, s.must(want, item)
		}
		if a := p.Addr(); a.Is4In6() && p.Bits() >= 96 {
			p = netip.PrefixFrom(a.Unmap(), p.Bits()-96)
		}
		if p.Bits() == 0 {
			return p, errors.New("must name the proxies' own networks; every address would let every caller forge the address that it calls from")
		}
		if p != p.Masked() {
			return p, fmt.Errorf("must be "+want+"; %s has bits beyond its length, did you mean %s or %s?", s.quote(item), p.Masked(), p.Addr())
		}
		return p, nil
	}, func(p netip.Prefix) string {
		if p.IsSingleIP() {
			return p.Addr().String()
		}
		return p.String()
	})
}
