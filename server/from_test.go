package server_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"gatehouse/githubauth/githubtest"
	"gatehouse/server"
)

// TestNetworksOfAToken: where a token is used from is who connects, or whom trusted proxies name, and nothing that the caller writes. What a trusted proxy
// says and nobody understands is nowhere: it is not the proxy's own address, from which everybody would come then.
func TestNetworksOfAToken(t *testing.T) {
	github := githubtest.Acme(githubtest.Seed(1)).Start()
	t.Cleanup(github.Close)
	for name, c := range map[string]struct {
		trusted, peer string
		forwarded     []string
		want          int
	}{
		"at home":                      {"", "192.0.2.7:1", nil, 200},
		"at home, as IPv6 writes it":   {"", "[::ffff:192.0.2.7]:1", nil, 200},
		"elsewhere":                    {"", "203.0.113.1:1", nil, 403},
		"elsewhere, and claims":        {"", "203.0.113.1:1", []string{"192.0.2.7"}, 403},
		"claims to a proxy not theirs": {"10.0.0.0/8", "203.0.113.1:1", []string{"192.0.2.7"}, 403},
		"through the proxy":            {"10.0.0.0/8", "10.0.0.1:1", []string{"192.0.2.7"}, 200},
		"through two of them":          {"10.0.0.0/8", "10.0.0.1:1", []string{"192.0.2.7, 10.9.9.9"}, 200},
		"in two lines":                 {"10.0.0.0/8", "10.0.0.1:1", []string{"203.0.113.1", "192.0.2.7"}, 200},
		"the claim before the truth":   {"10.0.0.0/8", "10.0.0.1:1", []string{"192.0.2.7, 203.0.113.1"}, 403},
		"a proxy that adds a port":     {"10.0.0.0/8", "10.0.0.1:1", []string{"192.0.2.7:55555"}, 200},
		"and for IPv6":                 {"10.0.0.0/8", "10.0.0.1:1", []string{"[2001:db8::1]:55555"}, 200},
		"not at home, with a port":     {"192.0.2.0/24", "192.0.2.1:1", []string{"203.0.113.1:55555"}, 403},
		"through a proxy at home":      {"192.0.2.0/24", "192.0.2.1:1", []string{"203.0.113.1"}, 403},
		"that does not know":           {"192.0.2.0/24", "192.0.2.1:1", []string{"unknown"}, 403},
		"that says garbage":            {"192.0.2.0/24", "192.0.2.1:1", []string{"192.0.2.7, _hidden"}, 403},
		"the proxy itself":             {"192.0.2.0/24", "192.0.2.1:1", nil, 200},
	} {
		h := startOn(t, github.GitHub, func(o *server.Options) {
			if c.trusted != "" {
				o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix(c.trusted)}
			}
		})
		_, body := h.do(t, github.Wendy, "POST", "/-/npm/v1/tokens", `{"readonly":true,"cidr":["192.0.2.0/24","2001:db8::/32"]}`)
		var made struct{ Token string }
		if json.Unmarshal(body, &made) != nil || made.Token == "" {
			t.Fatalf("%s", body)
		}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/-/whoami", nil)
		r.RemoteAddr = c.peer
		r.Header["X-Forwarded-For"] = c.forwarded
		r.Header.Set("Authorization", "Bearer "+made.Token)
		w := httptest.NewRecorder()
		if h.handler.ServeHTTP(w, r); w.Code != c.want || c.want == 403 && !strings.Contains(w.Body.String(), "address") {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
}
