package scopes

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

var (
	requestNow = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	acme       = Namespaces{Host: "github.com", Owners: []string{"acme"}}
)

// TestTokenRequests holds what each field of npm's and of ours comes to.
func TestTokenRequests(t *testing.T) {
	pkg := func(use, values string) string { return `[{"values":[` + values + `],"types":{"pkg":{` + use + `}}}]` }
	const r, w = `"read":true`, `"read":true,"write":true`
	for body, want := range map[string]string{
		// npm 10
		`{"password":"x","readonly":false,"cidr_whitelist":[]}`:            `{"rights":` + pkg(w, `"*"`) + `}`,
		`{"password":"x","readonly":true,"cidr_whitelist":["10.0.0.0/8"]}`: `{"rights":` + pkg(r, `"*"`) + `,"from":["10.0.0.0/8"]}`,
		// npm 11 and 12
		`{"name":"ci","password":"x","packages_all":true,"packages_and_scopes_permission":"read-write"}`:                              `{"rights":` + pkg(w, `"*"`) + `}`,
		`{"packages":["@acme/ui","@acme/api"],"packages_and_scopes_permission":"read-only","expires":30}`:                             `{"rights":` + pkg(r, `"@acme/ui","@acme/api"`) + `,"until":"2026-02-01T03:04:05Z"}`,
		`{"scopes":["@acme"],"packages_and_scopes_permission":"read-write","orgs_permission":"no-access","bypass_2fa":true}`:          `{"rights":` + pkg(w, `"@acme/*"`) + `}`,
		`{"name":null,"packages":["@acme/ui"],"scopes":["@acme"],"packages_and_scopes_permission":"read-only","cidr_whitelist":null}`: `{"rights":` + pkg(r, `"@acme/ui","@acme/*"`) + `}`,
		// ours
		`{"scope":` + pkg(r, `"*"`) + `,"cidr":["2001:db8::/32","192.0.2.1","::ffff:10.0.0.0/104"],"expires":"2026-03-01T00:00:00+01:00"}`: `{"rights":` + pkg(r, `"*"`) + `,"from":["2001:db8::/32","192.0.2.1/32","10.0.0.0/8"],"until":"2026-02-28T23:00:00Z"}`,
		`{"scope":[{"values":["~wendy"],"types":{"user":{"read":true}}}]}`:                                                                 `{"rights":[{"values":["~wendy"],"types":{"user":{"read":true}}}]}`,
	} {
		got, err := ParseTokenRequest([]byte(body), acme, requestNow)
		if err != nil {
			t.Errorf("%s: %v", body, err)
			continue
		}
		if text, _ := json.Marshal(got.Grant); string(text) != want {
			t.Errorf("%s\n got %s\nwant %s", body, text, want)
		}
	}
	got, err := ParseTokenRequest([]byte(`{"name":" CI of ünser \"ui\" ","description":"for the pipeline","readonly":true}`), acme, requestNow)
	if err != nil || got.Name != `CI of ünser "ui"` || got.Description != "for the pipeline" {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestTokenRequestsRefused: what cannot be honoured is refused with a sentence that says what to do, and never left out.
func TestTokenRequestsRefused(t *testing.T) {
	all := `"packages_all":true,"packages_and_scopes_permission":"read-only"`
	for body, says := range map[string]string{
		``:                                "cannot be read",
		`[]`:                              "cannot be read",
		`null`:                            "--packages-and-scopes-permission",
		`{}`:                              "--packages-and-scopes-permission",
		`{"name":"x","password":"x"}`:     "--packages-and-scopes-permission",
		`{` + all + `} {}`:                "behind its end",
		`{` + all + `,"automation":true}`: "automation",
		`{"packages_all":true}`:           "--packages-and-scopes-permission",
		`{"packages_and_scopes_permission":"read-only"}`:                                 "--packages-all",
		`{"packages_all":true,"packages_and_scopes_permission":"no-access"}`:             "may do nothing",
		`{"packages_all":true,"packages_and_scopes_permission":"read-write-stage-only"}`: "stages nothing",
		`{"packages_all":true,"packages_and_scopes_permission":"admin"}`:                 `"admin"`,
		`{` + all + `,"orgs":["acme"]}`:                                                  "--orgs",
		`{` + all + `,"orgs_permission":"read-only"}`:                                    "--orgs-permission",
		`{"packages":["*"],"packages_and_scopes_permission":"read-only"}`:                "--packages-all",
		`{"packages":["@Acme/ui"],"packages_and_scopes_permission":"read-only"}`:         "@Acme/ui",
		`{"packages":["~wendy"],"packages_and_scopes_permission":"read-only"}`:           "~wendy",
		`{"packages":["@evil/ui"],"packages_and_scopes_permission":"read-only"}`:         "does not serve @evil",
		`{"packages":["left-pad"],"packages_and_scopes_permission":"read-only"}`:         "none without a namespace",
		`{"scopes":["acme"],"packages_and_scopes_permission":"read-only"}`:               "@acme",
		`{"scopes":["@acme/ui"],"packages_and_scopes_permission":"read-only"}`:           "--scopes",
		`{"scopes":["@acmeco"],"packages_and_scopes_permission":"read-only"}`:            "does not serve @acmeco",
		`{"scope":[{"values":["@acme/ui"],"types":{"user":{"read":true}}}]}`:             "for users",
		`{"scope":[{"values":["@evil/*"],"types":{"pkg":{"read":true}}}]}`:               "does not serve @evil",
		`{"scope":null}`: "is empty",
		`{"scope":[{"values":["*"],"types":{"pkg":{"read":true}}}],"readonly":true}`:         "one or the other",
		`{"scope":[{"values":["*"],"types":{"pkg":{"read":true}}}],"packages":["@acme/ui"]}`: "one or the other",
		`{"readonly":true,"packages":["@acme/ui"]}`:                                          "one or the other",
		`{` + all + `,"expires":0}`:                                                          "1 to 3650",
		`{` + all + `,"expires":-1}`:                                                         "1 to 3650",
		`{` + all + `,"expires":1.5}`:                                                        "1 to 3650",
		`{` + all + `,"expires":3651}`:                                                       "1 to 3650",
		`{` + all + `,"expires":99999999999999999999}`:                                       "1 to 3650",
		`{` + all + `,"expires":true}`:                                                       "number of days",
		`{` + all + `,"expires":"tomorrow"}`:                                                 "number of days",
		`{` + all + `,"expires":"2025-01-01T00:00:00Z"}`:                                     "passed",
		`{` + all + `,"expires":"2126-01-01T00:00:00Z"}`:                                     "more than",
		`{` + all + `,"cidr":["10.0.0.1/8"]}`:                                                "did you mean 10.0.0.0/8",
		`{` + all + `,"cidr":["office"]}`:                                                    "no network",
		`{` + all + `,"cidr":["fe80::1%eth0"]}`:                                              "no network",
		`{` + all + `,"cidr":["10.0.0.0/8"],"cidr_whitelist":["10.0.0.0/8"]}`:                "both",
		`{` + all + `,"cidr":["10.0.0.0/8"` + strings.Repeat(`,"10.0.0.0/8"`, 100) + `]}`:    "more than 100",
		`{` + all + `,"name":"` + strings.Repeat("x", 256) + `"}`:                            "longer than 255",
		`{` + all + `,"name":"\u001b[31mred"}`:                                               "cannot be shown",
		`{` + all + `,"description":"two\nlines"}`:                                           "cannot be shown",
		`{` + all + `,"name":7}`:                                                             "name",
		`{"packages":[` + strings.TrimSuffix(strings.Repeat(`"@acme/ui",`, 1001), ",") + `],"packages_and_scopes_permission":"read-only"}`: "more than 1000",
	} {
		r, err := ParseTokenRequest([]byte(body), acme, requestNow)
		if !errors.Is(err, ErrScope) || !strings.Contains(fmt.Sprint(err), says) {
			t.Errorf("%.120s: %v (%+v), want %q", body, err, r, says)
		}
	}
	if _, err := ParseTokenRequest([]byte(`{"packages":["left-pad"],"packages_and_scopes_permission":"read-only"}`), Namespaces{Owners: []string{"acme"}, Global: true}, requestNow); err != nil {
		t.Errorf("a registry that has global names: %v", err)
	}
}

// FuzzTokenRequest: whatever is accepted can be honoured, and is no wider than everything.
func FuzzTokenRequest(f *testing.F) {
	f.Add([]byte(`{"name":"ci","packages":["@acme/ui"],"packages_and_scopes_permission":"read-write","expires":7,"cidr_whitelist":["10.0.0.0/8"]}`))
	f.Add([]byte(`{"readonly":true}`))
	f.Add([]byte(`{"scope":[{"values":["*"],"types":{"pkg":{"read":true},"user":{"write":true}}}],"expires":"2026-02-01T00:00:00Z","cidr":["::/0"]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := ParseTokenRequest(body, acme, requestNow)
		if err != nil {
			if !errors.Is(err, ErrScope) {
				t.Fatal(err)
			}
			return
		}
		if r.Grant.Rights.Check() != nil || !r.Grant.Rights.Within(All()) || !r.Grant.Until.IsZero() && !r.Grant.Until.After(requestNow) {
			t.Fatalf("%s became %+v", body, r)
		}
		written, err := json.Marshal(r.Grant)
		var again Grant
		if err != nil || json.Unmarshal(written, &again) != nil || !again.Narrowed(r.Grant) || !r.Grant.Narrowed(again) {
			t.Fatalf("%s became %s, which is another", body, written)
		}
	})
}
