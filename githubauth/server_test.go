package githubauth_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/githubauth"
	"gatehouse/githubauth/githubtest"
)

// appRoutes answers what only a GitHub App may ask, in front of a fake that answers the rest.
type appRoutes struct {
	f      *githubtest.Fixture
	minted atomic.Int32
	none   atomic.Bool // the App is installed nowhere
}

func (a *appRoutes) RoundTrip(r *http.Request) (*http.Response, error) {
	say := func(status int, v any) (*http.Response, error) {
		b, err := json.Marshal(v)
		return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(b)), Request: r}, err
	}
	if !strings.Contains(r.URL.Path, "/app/") {
		return http.DefaultTransport.RoundTrip(r)
	}
	// The bearer is a JWT of the App, which it names as its issuer.
	part := strings.Split(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), ".")
	if len(part) != 3 {
		return say(http.StatusUnauthorized, map[string]any{"message": "A JSON web token could not be decoded"})
	}
	claims, _ := base64.RawURLEncoding.DecodeString(part[1])
	if !bytes.Contains(claims, []byte(`"iss":"42"`)) && !bytes.Contains(claims, []byte(`"iss":42`)) {
		return say(http.StatusUnauthorized, map[string]any{"message": "Integration not found"})
	}
	switch {
	case strings.HasSuffix(r.URL.Path, "/app/installations") && a.none.Load():
		return say(http.StatusOK, []any{})
	case strings.HasSuffix(r.URL.Path, "/app/installations"):
		return say(http.StatusOK, []any{map[string]any{"id": 8, "suspended_at": "2026-01-01T00:00:00Z"}, map[string]any{"id": 9}})
	case strings.HasSuffix(r.URL.Path, "/app/installations/9/access_tokens"):
		a.minted.Add(1)
		token := a.f.Token(githubtest.Installation{Owner: "acme"})
		return say(http.StatusCreated, map[string]any{"token": token, "expires_at": time.Now().Add(time.Hour).Format(time.RFC3339)})
	}
	return say(http.StatusNotFound, map[string]any{"message": "Not Found"})
}

func privateKey(t *testing.T) []byte {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
}

// TestServerApp: a GitHub App answers what is public with an installation's token, made once an hour.
func TestServerApp(t *testing.T) {
	f := githubtest.Acme().Start()
	defer f.Close()
	routes, now, pem := &appRoutes{f: f}, newClock(), privateKey(t)
	as := func(app int64) *githubauth.Client {
		return registry(t, f, now, nil, func(o *githubauth.Options) {
			o.Server, o.Transport = githubauth.Server{AppID: app, PrivateKey: pem}, routes
		})
	}
	c := as(42)
	for range 5 {
		if !isPublic(t, c, f.Open) || isPublic(t, c, f.UI) {
			t.Error("not what is public")
		}
		now.pass(61 * time.Second)
	}
	if got := routes.minted.Load(); got != 1 {
		t.Errorf("%d tokens were made", got)
	}
	if got := f.Counts().By("").Total(); got != 0 {
		t.Errorf("asked without a credential %d times", got)
	}
	if isPublic(t, as(43), f.Open) {
		t.Error("answered for an App that GitHub does not know")
	}
	routes.none.Store(true)
	if isPublic(t, as(42), f.Open) {
		t.Error("answered without an installation")
	}
}

// TestServerIsChecked: what cannot work is refused at the start, in words that hold nothing of the secret.
func TestServerIsChecked(t *testing.T) {
	for what, s := range map[string]githubauth.Server{
		"two at once":    {Token: "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", ClientID: "x", ClientSecret: "hush"},
		"a bad token":    {Token: "hush"},
		"a bad key":      {AppID: 1, PrivateKey: []byte("hush")},
		"a key of noise": {AppID: 1, PrivateKey: pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: []byte("hush")})},
	} {
		_, err := githubauth.New(githubauth.Options{APIURL: "https://github.test", WebURL: "https://github.test", Server: s})
		if err == nil || strings.Contains(fmt.Sprint(err), "hush") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestServerTokenGoesBad: a server's token that GitHub does not accept any more is not shown to it again and again.
func TestServerTokenGoesBad(t *testing.T) {
	f := githubtest.Acme().Start()
	defer f.Close()
	now := newClock()
	c := registry(t, f, now, nil, func(o *githubauth.Options) { o.Server = githubauth.Server{Token: f.Mallory} })
	f.RevokeToken(f.Mallory)
	for range 100 {
		if isPublic(t, c, f.Open) {
			t.Fatal("public, says nobody")
		}
	}
	if got := f.Counts().Total(); got > 1 {
		t.Errorf("asked %d times\n%s", got, f.Counts())
	}
}
