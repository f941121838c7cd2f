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

// from returns the address of whoever sent the request: the peer, or, where that is a trusted proxy, whom it and the trusted ones before it name. Of whom they
// name in a way that nobody understands it is none: if it were the proxy's, everybody would come from there, and tokens for the proxy's network would be theirs.
func (p public) from(r *http.Request) netip.Addr {
	addr := peer(r.RemoteAddr)
	named := strings.Join(r.Header.Values("X-Forwarded-For"), ",")
	if !p.trustsAddr(addr) || strings.TrimSpace(named) == "" {
		return addr
	}
	hops := strings.Split(named, ",")
	for i := len(hops) - 1; i >= 0; i-- {
		if addr = hop(strings.TrimSpace(hops[i])); !p.trustsAddr(addr) {
			break
		}
	}
	return addr
}

// hop reads an address as proxies write it, with the port or without; the zero Addr if it is none.
func hop(text string) netip.Addr {
	a, err := netip.ParseAddr(text)
	if err != nil {
		with, _ := netip.ParseAddrPort(text)
		a = with.Addr()
	}
	return a.Unmap().WithZone("")
}

func peer(remote string) netip.Addr {
	a, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Addr{}
	}
	return a.Addr().Unmap()
}

func (p public) trusts(remote string) bool {
	return len(p.trusted) != 0 && p.trustsAddr(peer(remote))
}

func (p public) trustsAddr(addr netip.Addr) bool {
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
