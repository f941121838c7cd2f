package oidc_test

import (
	"context"
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/githubauth/githubtest"
	"gatehouse/githubauth/oidc"
)

const audience = "npm:npm.example.org"

// clock is a time that tests move.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time          { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) advance(d time.Duration) { c.ahead.Add(int64(d)) }

// acme is a GitHub and a verifier that knows its issuer.
func acme(t *testing.T, issuers ...string) (*githubtest.Fixture, *oidc.Verifier, *clock) {
	t.Helper()
	c := &clock{}
	f := githubtest.Acme(githubtest.Clock(c.now)).Start()
	t.Cleanup(f.Close)
	v, err := oidc.New(oidc.Options{Issuers: append(issuers, f.OIDCIssuer()), Now: c.now})
	if err != nil {
		t.Fatal(err)
	}
	return f, v, c
}

func encode(v any) string {
	b, _ := json.Marshal(v)
	return base64.RawURLEncoding.EncodeToString(b)
}

// parts takes a token apart.
func parts(t *testing.T, token string) (header, claims map[string]any) {
	t.Helper()
	p := strings.Split(token, ".")
	for i, into := range []*map[string]any{&header, &claims} {
		b, err := base64.RawURLEncoding.DecodeString(p[i])
		if err != nil || json.Unmarshal(b, into) != nil {
			t.Fatal(token)
		}
	}
	return header, claims
}

func TestGenuine(t *testing.T) {
	f, v, _ := acme(t)
	for name, job := range map[string]githubtest.Job{
		"push":        {Repo: "acme/ui"},
		"environment": {Repo: "acme/ui", Environment: "npm", SelfHosted: true, Event: "release"},
		"called":      {Repo: "acme/ui", Called: "acme/flows/.github/workflows/publish.yml@refs/heads/main"},
		"two names":   {Repo: "acme/ui", Claims: map[string]any{"repository": "ACME/ui"}},
	} {
		p, err := v.Verify(t.Context(), f.IDToken(job, audience), "npm:other", audience)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		w := p.Workflow
		if w.Repo.ID != f.UI.ID || w.Repo.OwnerID != f.UI.OwnerID || !strings.EqualFold(w.Repo.String(), "acme/ui") || w.File != ".github/workflows/release.yml" ||
			w.Environment != job.Environment || w.SelfHosted != job.SelfHosted || w.Visibility != "private" || w.Actor != "ada" || w.RunID == "" {
			t.Errorf("%s: %+v", name, w)
		}
		if called, _, _ := strings.Cut(job.Called, "@"); w.Called != called {
			t.Errorf("%s: it calls %q", name, w.Called)
		}
		if !strings.HasPrefix(p.ID, f.OIDCIssuer()+"\n") || len(p.ID) < 30 || time.Until(p.Until) > 6*time.Minute || time.Until(p.Until) < time.Minute {
			t.Errorf("%s: %q until %v", name, p.ID, p.Until)
		}
	}
}

// TestForeignClaims: GitHub has signed all of these, or something that calls itself GitHub has.
func TestForeignClaims(t *testing.T) {
	f, v, _ := acme(t)
	number := strconv.FormatInt(f.UI.ID, 10)
	for name, c := range map[string]struct {
		claims   map[string]any
		audience string
		want     string
	}{
		"another audience":              {nil, "npm:registry.example.com", "not for this registry"},
		"no audience asked for":         {nil, "", "not for this registry"},
		"an audience that begins alike": {nil, audience + ".evil.example", "not for this registry"},
		"two audiences":                 {map[string]any{"aud": []string{audience, "npm:registry.example.com"}}, "", "not for this registry"},
		"issuer, longer":                {map[string]any{"iss": f.OIDCIssuer() + "/evil"}, audience, "which this registry does not know"},
		"issuer, shorter":               {map[string]any{"iss": strings.TrimSuffix(f.OIDCIssuer(), "n")}, audience, "which this registry does not know"},
		"issuer, with a slash":          {map[string]any{"iss": f.OIDCIssuer() + "/"}, audience, "which this registry does not know"},
		"issuer, in capitals":           {map[string]any{"iss": strings.ToUpper(f.OIDCIssuer())}, audience, "which this registry does not know"},
		"issuer, another host":          {map[string]any{"iss": f.OIDCIssuer() + "@evil.example"}, audience, "which this registry does not know"},
		"no issuer":                     {map[string]any{"iss": nil}, audience, "names no issuer"},
		"issuer, a number":              {map[string]any{"iss": 7}, audience, "names no issuer"},
		"expired":                       {map[string]any{"exp": time.Now().Add(-time.Second).Unix()}, audience, "expired"},
		"without an end":                {map[string]any{"exp": nil}, audience, "expired"},
		"from the future":               {map[string]any{"iat": time.Now().Add(2 * time.Minute).Unix()}, audience, "from the future"},
		"not yet":                       {map[string]any{"nbf": time.Now().Add(2 * time.Minute).Unix()}, audience, "from the future"},
		"not for an hour":               {map[string]any{"nbf": time.Now().Add(time.Hour).Unix()}, audience, ""},
		"no jti":                        {map[string]any{"jti": nil}, audience, "no number of its own"},
		"no repository number":          {map[string]any{"repository_id": nil}, audience, "repository_id"},
		"a word for a number":           {map[string]any{"repository_id": "acme/ui"}, audience, "repository_id"},
		"a negative number":             {map[string]any{"repository_id": "-" + number}, audience, "repository_id"},
		"a number that is too long":     {map[string]any{"repository_id": number + "00000000000000000000"}, audience, "repository_id"},
		"zero":                          {map[string]any{"repository_id": "0"}, audience, "repository_id"},
		"a number as a number":          {map[string]any{"repository_id": f.UI.ID}, audience, "not those of GitHub Actions"},
		"no owner number":               {map[string]any{"repository_owner_id": nil}, audience, "repository_owner_id"},
		"owner and repository differ":   {map[string]any{"repository_owner": "evil"}, audience, "names no repository"},
		"no repository":                 {map[string]any{"repository": nil}, audience, "names no repository"},
		"a repository without a name":   {map[string]any{"repository": "acme/"}, audience, "names no repository"},
		"a name that draws":             {map[string]any{"repository": "acme/u\x1b[2J", "workflow_ref": "acme/u\x1b[2J/.github/workflows/r.yml@x"}, audience, "names no repository"},
		"another repository's workflow": {map[string]any{"workflow_ref": "evil/ui/.github/workflows/release.yml@refs/heads/main"}, audience, "workflow_ref"},
		"a repository that begins so":   {map[string]any{"workflow_ref": "acme/ui2/.github/workflows/release.yml@refs/heads/main"}, audience, "workflow_ref"},
		"no workflow":                   {map[string]any{"workflow_ref": nil}, audience, "workflow_ref"},
	} {
		p, err := v.Verify(t.Context(), f.IDToken(githubtest.Job{Repo: "acme/ui", Claims: c.claims}, c.audience), audience)
		if !errors.Is(err, oidc.ErrNotGenuine) || !strings.Contains(err.Error(), c.want) || p != (oidc.Proof{}) {
			t.Errorf("%s: %v, %+v", name, err, p)
		}
	}
}

// TestWorkflowFileWithAnAt: a file may be called release.yml@x.yml, and is not release.yml for it. Branches may have an @ too.
func TestWorkflowFileWithAnAt(t *testing.T) {
	f, v, _ := acme(t)
	for ref, want := range map[string]string{
		"release.yml@refs/heads/main":         "release.yml",
		"release.yml@refs/heads/a@b":          "release.yml",
		"release.yml@refs/heads/x@refs/y":     "release.yml",
		"release.yml@x.yml@refs/heads/main":   "release.yml@x.yml",
		"release.yml@refs@x.yml@refs/heads/a": "release.yml@refs@x.yml",
		"release.yml@main":                    "release.yml",
	} {
		at := "acme/ui/.github/workflows/" + ref
		p, err := v.Verify(t.Context(), f.IDToken(githubtest.Job{Repo: "acme/ui", Claims: map[string]any{"workflow_ref": at, "job_workflow_ref": at}}, audience), audience)
		if err != nil || p.File != ".github/workflows/"+want || p.Called != "" {
			t.Errorf("%s: %v, file %q, called %q", ref, err, p.File, p.Called)
		}
		at = "evil/x/.github/workflows/" + ref
		p, err = v.Verify(t.Context(), f.IDToken(githubtest.Job{Repo: "acme/ui", Claims: map[string]any{"job_workflow_ref": at}}, audience), audience)
		if err != nil || p.Called != "evil/x/.github/workflows/"+want {
			t.Errorf("%s: %v, called %q", ref, err, p.Called)
		}
	}
}

// TestForged: these were never signed, or not by a key of GitHub's.
func TestForged(t *testing.T) {
	f, v, _ := acme(t)
	good := f.IDToken(githubtest.Job{Repo: "acme/api"}, audience)
	header, claims := parts(t, good)
	segments := strings.Split(good, ".")
	mine, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	sign := func(header, claims map[string]any) string {
		text := encode(header) + "." + encode(claims)
		sum := sha256.Sum256([]byte(text))
		s, err := rsa.SignPKCS1v15(nil, mine, crypto.SHA256, sum[:])
		if err != nil {
			t.Fatal(err)
		}
		return text + "." + base64.RawURLEncoding.EncodeToString(s)
	}
	with := func(m map[string]any, name string, value any) map[string]any {
		c := map[string]any{}
		for k, v := range m {
			c[k] = v
		}
		c[name] = value
		return c
	}
	// The trap of HS256: the public key, which everybody has, taken for a secret.
	var set struct{ Keys []struct{ N string } }
	resp, err := http.Get(f.OIDCIssuer() + "/.well-known/jwks")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.NewDecoder(resp.Body).Decode(&set); err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	public, err := base64.RawURLEncoding.DecodeString(set.Keys[0].N)
	if err != nil {
		t.Fatal(err)
	}
	text := encode(with(header, "alg", "HS256")) + "." + segments[1]
	mac := hmac.New(sha256.New, public)
	_, _ = io.WriteString(mac, text)
	hs := text + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))

	for name, token := range map[string]string{
		"alg none":                     encode(with(header, "alg", "none")) + "." + segments[1] + ".",
		"alg none, signature kept":     encode(with(header, "alg", "none")) + "." + segments[1] + "." + segments[2],
		"alg HS256, the public key":    hs,
		"alg RS512":                    encode(with(header, "alg", "RS512")) + "." + segments[1] + "." + segments[2],
		"another's key, known kid":     sign(header, claims),
		"another's key, own kid":       sign(with(header, "kid", "MINE"), claims),
		"another's key, no kid":        sign(map[string]any{"alg": "RS256"}, claims),
		"own key in the header":        sign(with(header, "jwk", map[string]any{"kty": "RSA", "n": base64.RawURLEncoding.EncodeToString(mine.N.Bytes()), "e": "AQAB"}), claims),
		"other claims, signature kept": segments[0] + "." + encode(with(claims, "repository_id", strconv.FormatInt(f.UI.ID, 10))) + "." + segments[2],
		"signature cut":                good[:len(good)-10],
		"no signature":                 segments[0] + "." + segments[1] + ".",
		"two segments":                 segments[0] + "." + segments[1],
		"four segments":                good + ".x",
		"nothing":                      "",
		"not base64":                   "a.$.b",
		"not JSON":                     segments[0] + "." + base64.RawURLEncoding.EncodeToString([]byte("{")) + "." + segments[2],
		"over-long":                    segments[0] + "." + encode(with(claims, "x", strings.Repeat("x", 20_000))) + "." + segments[2],
	} {
		p, err := v.Verify(t.Context(), token, audience)
		if !errors.Is(err, oidc.ErrNotGenuine) || p != (oidc.Proof{}) {
			t.Errorf("%s: %v, %+v", name, err, p)
		}
		if err != nil && len(err.Error()) > 400 {
			t.Errorf("%s: a text of %d bytes", name, len(err.Error()))
		}
	}
	if _, err := v.Verify(t.Context(), good, audience); err != nil {
		t.Errorf("and the genuine one: %v", err)
	}
}

// TestRotation: a new key counts within seconds, and tokens with keys that nobody has make us ask for the keys once in ten seconds, whatever comes.
func TestRotation(t *testing.T) {
	f, v, c := acme(t)
	verify := func() error {
		_, err := v.Verify(t.Context(), f.IDToken(githubtest.Job{Repo: "acme/ui"}, audience), audience)
		return err
	}
	if err := verify(); err != nil {
		t.Fatal(err)
	}
	f.RotateOIDC()
	c.advance(10 * time.Second)
	if err := verify(); err != nil {
		t.Errorf("with a new key: %v", err)
	}
	asked := f.Counts().Of(githubtest.GetJWKS)
	header, claims := parts(t, f.IDToken(githubtest.Job{Repo: "acme/ui"}, audience))
	for i := range 50 {
		header["kid"] = "K" + strconv.Itoa(i)
		if _, err := v.Verify(t.Context(), encode(header)+"."+encode(claims)+".AAAA", audience); !errors.Is(err, oidc.ErrNotGenuine) {
			t.Fatal(err)
		}
	}
	if n := f.Counts().Of(githubtest.GetJWKS) - asked; n > 1 {
		t.Errorf("50 tokens with made-up keys had the keys asked for %d times", n)
	}
	c.advance(10 * time.Second)
	header["kid"] = "LATER"
	for range 1000 { // go-oidc hands out its last answer until the goroutine that got it is through
		if _, _ = v.Verify(t.Context(), encode(header)+"."+encode(claims)+".AAAA", audience); f.Counts().Of(githubtest.GetJWKS) > asked {
			break
		}
	}
	if n := f.Counts().Of(githubtest.GetJWKS) - asked; n < 1 || n > 2 {
		t.Errorf("after ten seconds the keys were asked for %d times in all", n)
	}
}

// TestWithdrawnKey: a key that GitHub no longer publishes ends, though no token ever makes us look.
func TestWithdrawnKey(t *testing.T) {
	f, v, c := acme(t)
	old := f.IDToken(githubtest.Job{Repo: "acme/ui", Claims: map[string]any{"exp": time.Now().Add(24 * time.Hour).Unix()}}, audience)
	if _, err := v.Verify(t.Context(), old, audience); err != nil {
		t.Fatal(err)
	}
	f.RotateOIDC()
	f.RotateOIDC() // the fake publishes two
	c.advance(time.Hour)
	if _, err := v.Verify(t.Context(), old, audience); !errors.Is(err, oidc.ErrNotGenuine) {
		t.Errorf("an hour later: %v", err)
	}
}

// TestIssuerDown: trouble of the issuer's says nothing about a token, is not asked for at every one, and ends.
func TestIssuerDown(t *testing.T) {
	var asked atomic.Int32
	var up atomic.Bool
	f := githubtest.Acme().Start()
	defer f.Close()
	c := &clock{}
	v, err := oidc.New(oidc.Options{Issuers: []string{f.OIDCIssuer()}, Now: c.now, Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		asked.Add(1)
		if !up.Load() {
			return nil, errors.New("connection refused")
		}
		return http.DefaultTransport.RoundTrip(r)
	})})
	if err != nil {
		t.Fatal(err)
	}
	token := f.IDToken(githubtest.Job{Repo: "acme/ui"}, audience)
	for range 20 {
		if _, err := v.Verify(t.Context(), token, audience); !errors.Is(err, oidc.ErrUnavailable) || errors.Is(err, oidc.ErrNotGenuine) {
			t.Fatal(err)
		}
	}
	if n := asked.Load(); n != 1 {
		t.Errorf("20 tokens had an issuer that is down asked %d times", n)
	}
	up.Store(true)
	c.advance(10 * time.Second)
	if _, err := v.Verify(t.Context(), token, audience); err != nil {
		t.Errorf("after it came back: %v", err)
	}
	// With the metadata known and the keys out of reach it is the same.
	up.Store(false)
	c.advance(10 * time.Second)
	header, claims := parts(t, token)
	header["kid"] = "NEW"
	asked.Store(0)
	for range 20 {
		if _, err := v.Verify(t.Context(), encode(header)+"."+encode(claims)+".AAAA", audience); !errors.Is(err, oidc.ErrUnavailable) {
			t.Fatal(err)
		}
	}
	if n := asked.Load(); n != 1 {
		t.Errorf("20 tokens with an unknown key asked for keys that cannot be had %d times", n)
	}
	if _, err := v.Verify(t.Context(), token, audience); err != nil {
		t.Errorf("a token with a known key: %v", err)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestHangUp: somebody who sends the first token and hangs up keeps nobody else out.
func TestHangUp(t *testing.T) {
	f, v, _ := acme(t)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	token := f.IDToken(githubtest.Job{Repo: "acme/ui"}, audience)
	_, _ = v.Verify(gone, token, audience)
	if _, err := v.Verify(t.Context(), token, audience); err != nil {
		t.Error(err)
	}
}

// TestRedirectedIssuer: keys come from where they were asked for, or not at all.
func TestRedirectedIssuer(t *testing.T) {
	f := githubtest.Acme().Start()
	defer f.Close()
	front := httptest.NewServer(http.RedirectHandler(f.OIDCIssuer()+"/.well-known/openid-configuration", http.StatusFound))
	defer front.Close()
	v, err := oidc.New(oidc.Options{Issuers: []string{front.URL}})
	if err != nil {
		t.Fatal(err)
	}
	token := f.IDToken(githubtest.Job{Repo: "acme/ui", Claims: map[string]any{"iss": front.URL}}, audience)
	if _, err := v.Verify(t.Context(), token, audience); !errors.Is(err, oidc.ErrUnavailable) {
		t.Error(err)
	}
}

func TestIssuersAreAddresses(t *testing.T) {
	for _, bad := range []string{"", "github.com", "ftp://github.com", "https://"} {
		if _, err := oidc.New(oidc.Options{Issuers: []string{bad}}); err == nil {
			t.Errorf("%q is taken for an issuer", bad)
		}
	}
}
