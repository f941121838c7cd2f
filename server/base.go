package server

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"gatehouse/server/problem"
)

// public finds the registry's address as its callers know it.
type public struct {
	fixed   string         // server.url, with a slash at its end; "" if it is to be told from the request
	trusted []netip.Prefix // proxies whose forwarded headers count
}

// base returns the address that goes into documents: the configured one, else the scheme and host that the request was sent to. Forwarded
// headers count only from a trusted proxy: anybody else could have tarballs fetched, and tokens sent, from where they like.
func (p public) base(r *http.Request) (string, error) {
	if p.fixed != "" {
		return p.fixed, nil
	}
	scheme, host := "http", r.Host
	if r.TLS != nil {
		scheme = "https"
	}
	if p.trusts(r.RemoteAddr) {
		if s := last(r.Header.Values("X-Forwarded-Proto")); s == "http" || s == "https" {
			scheme = s
		}
		if h := last(r.Header.Values("X-Forwarded-Host")); h != "" {
			host = h
		}
	}
	if !validHost(host) {
		return "", &problem.Plain{Status: http.StatusBadRequest, Text: "the request names no valid host"}
	}
	return scheme + "://" + strings.ToLower(host) + "/", nil
}

func (p public) trusts(remote string) bool {
	if len(p.trusted) == 0 {
		return false
	}
	peer, err := netip.ParseAddrPort(remote)
	if err != nil {
		return false
	}
	addr := peer.Addr().Unmap()
	for _, prefix := range p.trusted {
		if prefix.Contains(addr) {
			return true
		}
	}
	return false
}

// last is the value that the nearest proxy added, to the line or as a line of its own: those before it may be the client's.
func last(lines []string) string {
	list := strings.Join(lines, ",")
	return strings.TrimSpace(list[strings.LastIndexByte(list, ',')+1:])
}

// validHost accepts host[:port] of the characters that a host name or an address has, so that it can stand in a URL and in a JSON string.
func validHost(host string) bool {
	if host == "" || len(host) > 255 {
		return false
	}
	for i := range len(host) {
		switch c := host[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte(".-_:[]", c) >= 0:
		default:
			return false
		}
	}
	// A name, or an IPv4 address, and a port at most: nearly every request, and no parser would find more in it.
	if name, port, _ := strings.Cut(host, ":"); name != "" && !strings.ContainsAny(name, "[]") && strings.Trim(port, "0123456789") == "" {
		return true
	}
	u, err := url.Parse("http://" + host + "/")
	if err != nil || u.Host != host || u.Hostname() == "" {
		return false
	}
	return net.ParseIP(u.Hostname()) != nil || !strings.Contains(u.Hostname(), ":")
}
