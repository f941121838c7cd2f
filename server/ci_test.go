package server_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"gatehouse/githubauth/githubtest"
	"gatehouse/githubauth/oidc"
	"gatehouse/scopes"
	"gatehouse/server"
	"gatehouse/server/ci"
	"gatehouse/store"
	"gatehouse/store/tokens"
)

const exchangeUI = "/-/npm/v1/oidc/token/exchange/package/@acme%2fui"

// withCI lets workflows into a registry that startOn starts, and writes its log to log.
func withCI(t *testing.T, github *githubtest.Fixture, log *lockedBuffer) func(*server.Options) {
	v, err := oidc.New(oidc.Options{Issuers: []string{github.OIDCIssuer()}})
	if err != nil {
		t.Fatal(err)
	}
	return func(o *server.Options) {
		o.CI = ci.Options{Registry: o.NPM.Registry.(*store.Store), Tokens: o.NPM.Tokens.(*tokens.Tokens), Verifier: v, Audience: []string{audience}, Reading: scopes.Trust{Events: scopes.ReadingEvents}}
		o.Log = slog.New(slog.NewJSONHandler(log, nil))
	}
}

// TestExchangeOnce: of many who come with one ID token at the same time, one gets a token; and GitHub is asked nothing but its keys.
func TestExchangeOnce(t *testing.T) {
	github := githubtest.Acme(githubtest.Seed(1)).Start()
	t.Cleanup(github.Close)
	h := startOn(t, github.GitHub, withCI(t, github, &lockedBuffer{}))
	h.publish(t, github.Wendy, "@acme/ui", "1.0.0", "acme/ui")
	github.ResetCounts()
	id := github.IDToken(githubtest.Job{Repo: "acme/ui"}, audience)
	var made, used atomic.Int32
	var all sync.WaitGroup
	for i := range 16 {
		path := exchangeUI
		if i%2 == 1 {
			path = "/-/gatehouse/oidc/token"
		}
		all.Go(func() {
			switch status, body := h.do(t, id, http.MethodPost, path, ""); {
			case status == http.StatusCreated:
				made.Add(1)
			case status == http.StatusUnauthorized && strings.Contains(string(body), "has been used"):
				used.Add(1)
			default:
				t.Errorf("%d %s", status, body)
			}
		})
	}
	all.Wait()
	if made.Load() != 1 || used.Load() != 15 {
		t.Errorf("made %d tokens, refused %d", made.Load(), used.Load())
	}
	keys := github.Counts().Of(githubtest.GetJWKS) + github.Counts().Of(githubtest.GetOpenIDConfiguration)
	if all := github.Counts().Total(); all != keys || keys == 0 {
		t.Errorf("GitHub was asked for more than its keys:\n%s", github.Counts())
	}
}

// TestStrangersExchange: whoever has nothing to do with a package cannot tell it from one that is not there, whatever makes it none of theirs.
func TestStrangersExchange(t *testing.T) {
	github := githubtest.Acme(githubtest.Seed(1)).Start()
	t.Cleanup(github.Close)
	h := startOn(t, github.GitHub, withCI(t, github, &lockedBuffer{}))
	github.AddOrg("evil")
	github.AddRepo("evil/ui", githubtest.Private)
	h.publish(t, github.Wendy, "@acme/ui", "1.0.0", "acme/ui")
	h.publish(t, github.Ada, "@acme/it", "1.0.0", "acme/open")
	answers := map[string]bool{}
	for _, name := range []string{"ui", "it", "no"} {
		for _, job := range []githubtest.Job{{Repo: "evil/ui"}, {Repo: "evil/ui", Event: "pull_request"}, {Repo: "evil/ui", Called: "acme/x/.github/workflows/y.yml@z"}} {
			status, body := h.do(t, github.IDToken(job, audience), http.MethodPost, "/-/npm/v1/oidc/token/exchange/package/@acme%2f"+name, "")
			answers[fmt.Sprint(status, strings.ReplaceAll(string(body), "@acme/"+name, "NAME"))] = true
		}
	}
	if len(answers) != 1 {
		t.Errorf("%d different answers: %v", len(answers), answers)
	}
}

// TestExchangeAudited: each exchange and each refusal is on record with what the workflow is, and no token is.
func TestExchangeAudited(t *testing.T) {
	github := githubtest.Acme(githubtest.Seed(1)).Start()
	t.Cleanup(github.Close)
	s := &site{github: github, log: &lockedBuffer{}}
	h := startOn(t, github.GitHub, withCI(t, github, s.log))
	expect := func(want map[string]string) {
		t.Helper()
		line, _ := s.lastAudit(t)
		for key, value := range want {
			if got := fmt.Sprint(line[key]); !strings.Contains(got, value) || value == "" {
				t.Errorf("%s is %q, want %q: %v", key, got, value, line)
			}
		}
	}
	id := github.IDToken(githubtest.Job{Repo: "acme/ui"}, audience)
	_, body := h.do(t, id, http.MethodPost, exchangeUI, "")
	var made struct{ Token string }
	if err := json.Unmarshal(body, &made); err != nil || made.Token == "" {
		t.Fatalf("%s", body)
	}
	expect(map[string]string{"verdict": "allowed", "action": "exchange", "package": "@acme/ui", "login": "a workflow of acme/ui", "credential": "workflow token", "note": "of .github/workflows/release.yml on push for refs/heads/main by ada"})
	pr := github.IDToken(githubtest.Job{Repo: "acme/ui", Event: "pull_request"}, audience)
	h.do(t, pr, http.MethodPost, exchangeUI, "")
	expect(map[string]string{"verdict": "refused", "reason": "distrusted-workflow", "package": "@acme/ui", "login": "a workflow of acme/ui"})
	if status, body := h.put(t, made.Token, "@acme/ui", "1.0.0", "acme/ui"); status != http.StatusCreated {
		t.Fatalf("%d %s", status, body)
	}
	expect(map[string]string{"verdict": "allowed", "action": "publish", "login": "a workflow of acme/ui", "fingerprint": printOf(made.Token)})
	h.do(t, github.Ada, http.MethodPut, "/-/package/@acme%2fui/admitted", `{"repository":"acme/api"}`)
	expect(map[string]string{"verdict": "allowed", "action": "manage", "login": "ada", "note": "admitted the workflows of acme/api"})
	for _, secret := range []string{id[40:], pr[40:], made.Token[8:]} {
		if strings.Contains(s.log.String(), secret) {
			t.Error("a token is in the log")
		}
	}
}

// TestGuestsOfTheExchange: who has packages here is no guest, and goes by the number: somebody who took over the login of such an account is one.
func TestGuestsOfTheExchange(t *testing.T) {
	github := githubtest.Acme(githubtest.Seed(1)).Start()
	t.Cleanup(github.Close)
	h := startOn(t, github.GitHub, withCI(t, github, &lockedBuffer{}))
	github.AddOrg("evil")
	evil := github.AddRepo("evil/ui", githubtest.Private)
	h.publish(t, github.Wendy, "@acme/ui", "1.0.0", "acme/ui")
	for _, c := range []struct {
		job   githubtest.Job
		guest bool
	}{
		{githubtest.Job{Repo: "acme/api"}, false},
		{githubtest.Job{Repo: "evil/ui"}, true},
		{githubtest.Job{Repo: "acme/ui", Claims: map[string]any{"repository_owner_id": strconv.FormatInt(evil.OwnerID, 10)}}, true},
	} {
		status, body := h.do(t, github.IDToken(c.job, audience), http.MethodPost, "/-/gatehouse/oidc/token", "")
		var made struct{ Token string }
		if err := json.Unmarshal(body, &made); err != nil || status != http.StatusCreated {
			t.Fatalf("%d %s", status, body)
		}
		token, _, err := h.tokens.Open(t.Context(), made.Token)
		if err != nil || token.Guest != c.guest {
			t.Errorf("%+v: guest %v, %v", c.job, token.Guest, err)
		}
	}
}
