package githubtest

import (
	"encoding/base64"
	"net/http"
	"net/netip"
	"strings"
	"time"
)

// credential is what a request carries in Authorization. The API and git take the same forms ("Authenticating
// to the REST API", "Using Basic authentication"): Bearer or token and the secret, or Basic with the secret
// as password beside any user name, or as user name beside x-oauth-basic.
type credential struct {
	user, secret string
	basic        bool
}

func credentialOf(r *http.Request) (credential, bool) {
	header := r.Header.Get("Authorization")
	if header == "" {
		return credential{}, false
	}
	scheme, rest, _ := strings.Cut(header, " ")
	switch strings.ToLower(scheme) {
	case "bearer", "token":
		return credential{secret: strings.TrimSpace(rest)}, true
	case "basic":
		plain, err := base64.StdEncoding.DecodeString(strings.TrimSpace(rest))
		if err != nil {
			return credential{}, true
		}
		user, password, _ := strings.Cut(string(plain), ":")
		if password == "" || password == "x-oauth-basic" {
			user, password = password, user
		}
		return credential{user: user, secret: password, basic: true}, true
	}
	return credential{}, true
}

// authenticate finds the caller. The answer, if there is one, is the refusal to send instead: 401 "Bad
// credentials" for what is unknown, revoked or expired, 403 for a suspended user or a locked out address.
func (g *GitHub) authenticate(r *http.Request) (caller, *answer) {
	c := caller{addr: address(r)}
	cred, given := credentialOf(r)
	if !given {
		return c, nil
	}
	now := g.now()
	if g.lockOut > 0 && g.failed(c.addr, now) >= g.lockOut {
		return c, fail(http.StatusForbidden, "Maximum number of login attempts exceeded. Please try again later.")
	}
	if !cred.basic && strings.HasPrefix(cred.secret, "eyJ") {
		app, refused := g.authenticateApp(cred.secret)
		c.app = app
		return c, refused
	}
	t := g.tokens[cred.secret]
	switch {
	case t != nil && !t.expired(now):
		c.token = t
	case cred.basic && cred.secret != "" && g.clients[cred.user] != nil && g.clients[cred.user].secret == cred.secret:
		c.client = cred.user
	default:
		if g.lockOut > 0 {
			g.failures[c.addr] = append(g.failures[c.addr], now)
		}
		return c, fail(http.StatusUnauthorized, "Bad credentials")
	}
	if t != nil && t.user != 0 && g.accounts[t.user].suspended {
		return c, fail(http.StatusForbidden, "Sorry. Your account was suspended.")
	}
	if t != nil && t.install != nil && !t.install.suspended.IsZero() {
		return c, fail(http.StatusForbidden, "This installation has been suspended")
	}
	return c, nil
}

// failed counts the address's bad credentials of the last minute, and forgets older ones.
func (g *GitHub) failed(addr netip.Addr, now time.Time) int {
	recent := g.failures[addr][:0]
	for _, at := range g.failures[addr] {
		if now.Sub(at) < time.Minute {
			recent = append(recent, at)
		}
	}
	g.failures[addr] = recent
	return len(recent)
}

func address(r *http.Request) netip.Addr {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap()
}
