package githubauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/bradleyfalzon/ghinstallation/v2"
	"github.com/google/go-github/v60/github"
	"golang.org/x/sync/semaphore"
	"golang.org/x/time/rate"
)

// Server is the credential for questions that are nobody's: whether a repository is public. At most one kind is set; with none, GitHub is asked
// without a credential, fifty times an hour at most.
type Server struct {
	// Token is a personal access token; it needs no rights, but for RoleOf.
	Token string
	// AppID and PrivateKey (PEM) are a GitHub App's. It needs no rights either, and must be installed somewhere.
	AppID      int64
	PrivateKey []byte
	// ClientID and ClientSecret are an OAuth app's, which reads what is public.
	ClientID, ClientSecret string
}

const (
	installationAgain = 10 * time.Minute // how long it is believed which installation may be used

	anonymousAtOnce = 20 // calls without a credential
	anonymousKept   = 10 // of them, for repositories that were public
)

// mayAskAnonymously takes one of the calls without a credential. Anybody can ask for packages of private repositories, so the last ones
// are for finding out that what was public still is.
func (s *server) mayAskAnonymously(wasPublic bool) bool {
	now := s.c.now()
	if !wasPublic && s.anonymous.TokensAt(now) < anonymousKept+1 {
		return false
	}
	return s.anonymous.AllowN(now, 1)
}

// server asks with the Server credential. k stands for it where calls are counted and paused.
type server struct {
	c         *Client
	k         *credential
	static    string
	basic     *github.BasicAuthTransport
	anonymous *rate.Limiter
	app       *ghinstallation.AppsTransport

	mu           sync.Mutex
	installation *ghinstallation.Transport
	id           int64 // of it
	found        time.Time
	failed       error // what came of it last, until again
	again        time.Time
}

func newServer(c *Client, o Server) (*server, error) {
	s := &server{
		c: c, static: o.Token,
		k: &credential{kind: scoped, calls: semaphore.NewWeighted(perToken), facts: map[int64]fact{}, proofs: map[int64]proof{}, standings: map[int64]standing{}},
		// Never more than fifty within an hour: GitHub gives an address sixty, and others may share it.
		anonymous: rate.NewLimiter(rate.Every(2*time.Minute), anonymousAtOnce),
	}
	set := 0
	for _, is := range []bool{o.Token != "", o.AppID != 0, o.ClientID != ""} {
		if is {
			set++
		}
	}
	switch {
	case set > 1:
		return nil, errors.New("more than one credential is given for the server's own questions to GitHub: choose a token, a GitHub App or an OAuth app")
	case o.Token != "":
		if _, err := offline(o.Token); err != nil {
			return nil, fmt.Errorf("the server's own GitHub token: %w", err)
		}
	case o.AppID != 0:
		app, err := ghinstallation.NewAppsTransport(bounded{c.transport}, o.AppID, o.PrivateKey)
		if err != nil {
			return nil, errors.New("the private key of the GitHub App cannot be read: it must be the PEM file that GitHub gave out, an RSA key")
		}
		app.BaseURL = strings.TrimSuffix(c.api.String(), "/")
		s.app = app
	case o.ClientID != "":
		s.basic = &github.BasicAuthTransport{Username: o.ClientID, Password: o.ClientSecret, Transport: bounded{c.transport}}
	}
	return s, nil
}

// notPublicFor is how long it is believed that a repository is not public, whoever was told so.
func (s *server) notPublicFor() time.Duration {
	if s.static == "" && s.app == nil {
		return notPublicOneByOne
	}
	return notPublicTTL
}

// token returns the token to ask with, "" where that is done without one. Errors are *Unavailable.
func (s *server) token(ctx context.Context) (string, error) {
	if s.app == nil {
		return s.static, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed != nil && s.c.now().Before(s.again) {
		return "", s.failed
	}
	token, err := s.make(ctx)
	s.failed = err
	if u := (*Unavailable)(nil); errors.As(err, &u) {
		s.again = s.c.now().Add(u.Retry)
	}
	return token, err
}

// make returns an installation's token, which the transport makes anew when it is about to end. The caller holds mu.
func (s *server) make(ctx context.Context) (string, error) {
	if s.installation == nil || s.c.now().Sub(s.found) > installationAgain {
		found, err := s.find(ctx, 0)
		switch {
		case err != nil:
			return "", err
		case found == 0:
			return "", &Unavailable{Retry: time.Minute, Cause: "the GitHub App is installed nowhere"}
		}
		if s.installation == nil || s.id != found {
			s.installation = s.at(found)
		}
		s.id, s.found = found, s.c.now()
	}
	token, err := s.mint(ctx, s.installation)
	if err != nil {
		s.installation = nil
	}
	return token, err
}

// at is what makes tokens of an installation.
func (s *server) at(installation int64) *ghinstallation.Transport {
	t := ghinstallation.NewFromAppsTransport(s.app, installation)
	t.BaseURL = s.app.BaseURL
	return t
}

func (s *server) mint(ctx context.Context, installation *ghinstallation.Transport) (string, error) {
	token := ""
	_, err := s.c.call(ctx, s.k, plan{"POST /app/installations/{id}/access_tokens", rest, func(ctx context.Context) (_ *http.Response, err error) {
		token, err = installation.Token(ctx)
		return nil, err
	}})
	if err != nil {
		return "", asUnavailable(err)
	}
	return token, nil
}

// find chooses an installation of the App among the first hundred: the one for the account of that number, or with 0 any, for what is public is public to
// all. It is 0 if there is none.
func (s *server) find(ctx context.Context, owner int64) (int64, error) {
	var id int64
	_, err := s.c.call(ctx, s.k, plan{"GET /app/installations", rest, func(ctx context.Context) (*http.Response, error) {
		g := github.NewClient(&http.Client{Transport: s.app, CheckRedirect: nowhere})
		g.BaseURL, g.UserAgent = s.c.api, s.c.agent
		all, resp, err := g.Apps.ListInstallations(ctx, &github.ListOptions{PerPage: 100})
		for _, i := range all {
			if id == 0 && i.GetSuspendedAt().IsZero() && (owner == 0 || i.GetAccount().GetID() == owner) {
				id = i.GetID()
			}
		}
		return httpOf(resp), err
	}})
	switch {
	case errors.Is(err, ErrBadCredential):
		return 0, &Unavailable{Retry: time.Minute, Cause: "GitHub does not accept the App's id and private key"}
	case err != nil:
		return 0, asUnavailable(err)
	}
	return id, nil
}

// client returns what asks REST: with the token, with the OAuth app's credential, or with none.
func (s *server) client(token string) *github.Client {
	if token != "" {
		return s.c.as(token, sameHost)
	}
	transport := http.RoundTripper(bounded{s.c.transport})
	if s.basic != nil {
		transport = s.basic
	}
	g := github.NewClient(&http.Client{Transport: transport, CheckRedirect: nowhere})
	g.BaseURL, g.UserAgent = s.c.api, s.c.agent
	return g
}
