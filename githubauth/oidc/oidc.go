// Package oidc verifies the ID tokens of GitHub Actions: a job's proof of which repository and workflow it runs for.
//
// It owns the question whether a token is genuine, for this registry, and of this moment; what it hands out is a scopes.Workflow.
// Whether that workflow may do anything is decided elsewhere. It refuses to believe anything before the signature is checked, issuers that were not
// configured letter by letter, and every algorithm but RS256, which is GitHub's (docs.github.com, "OpenID Connect reference").
//
// The issuer's keys are fetched when the first token comes and when a token names a key that is not known, but not more often than
// once in keysFor, whatever tokens come. A key that the issuer withdraws counts for keysMost at the longest, while it answers.
package oidc

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"gatehouse/scopes"
)

var (
	// ErrNotGenuine is wrapped by the errors about a token that proves nothing here. Their texts are for whoever sent it.
	ErrNotGenuine = errors.New("this ID token cannot be accepted")
	// ErrUnavailable: the issuer's keys could not be fetched. Nothing follows from it about the token.
	ErrUnavailable = errors.New("the issuer of ID tokens cannot be asked for its keys")
)

const (
	maxToken     = 16 << 10 // bytes; GitHub's have about 2 KiB
	skew         = time.Minute
	fetchTimeout = 5 * time.Second
)

// Options of a Verifier.
type Options struct {
	// Issuers are those whose tokens count, as they stand in the tokens.
	Issuers []string
	// Transport carries the requests for keys; nil means http.DefaultTransport.
	Transport http.RoundTripper
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Verifier checks tokens. Its methods may be called from any number of goroutines.
type Verifier struct {
	now     func() time.Time
	client  *http.Client
	issuers map[string]*issuer
}

// issuer is found by its metadata at its first token, so that a registry starts without it.
type issuer struct {
	mu       sync.Mutex
	verifier *oidc.Provider
	found    time.Time
	failed   time.Time // when it could not be found last
}

// New returns a verifier. It makes no request.
func New(o Options) (*Verifier, error) {
	v := &Verifier{now: o.Now, issuers: map[string]*issuer{}}
	if v.now == nil {
		v.now = time.Now
	}
	if o.Transport == nil {
		o.Transport = http.DefaultTransport
	}
	v.client = &http.Client{
		Transport: &sparing{RoundTripper: o.Transport, now: v.now},
		Timeout:   fetchTimeout,
		// What is trusted follows from these answers, so they come from where they were asked for.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	for _, name := range o.Issuers {
		if u, err := url.Parse(name); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
			return nil, fmt.Errorf("the issuer %q is not an absolute http(s) address", name)
		}
		v.issuers[name] = &issuer{}
	}
	return v, nil
}

// Proof is a token that was found genuine.
type Proof struct {
	scopes.Workflow
	// ID is the token's own, of which a second use can be told: unlike any other's of any issuer.
	ID string
	// Until is when the token ends.
	Until time.Time
}

// claims are those of GitHub's that count here. Numbers come as strings.
type claims struct {
	ID                string `json:"jti"`
	NotBefore         int64  `json:"nbf"`
	RepositoryID      string `json:"repository_id"`
	Repository        string `json:"repository"`
	OwnerID           string `json:"repository_owner_id"`
	Owner             string `json:"repository_owner"`
	Visibility        string `json:"repository_visibility"`
	Event             string `json:"event_name"`
	Ref               string `json:"ref"`
	Environment       string `json:"environment"`
	WorkflowRef       string `json:"workflow_ref"`
	JobWorkflowRef    string `json:"job_workflow_ref"`
	RunnerEnvironment string `json:"runner_environment"`
	RunID             string `json:"run_id"`
	Actor             string `json:"actor"`
}

// Verify checks a token that has to be for one of the audiences, and for nobody else. Errors wrap ErrNotGenuine or ErrUnavailable.
func (v *Verifier) Verify(ctx context.Context, token string, audiences ...string) (Proof, error) {
	if len(token) > maxToken || strings.Count(token, ".") != 2 {
		return Proof{}, refuse("it is not a JSON Web Token")
	}
	name, err := claimedIssuer(token)
	if err != nil {
		return Proof{}, err
	}
	known, ok := v.issuers[name]
	if !ok {
		return Proof{}, refuse("it was issued by %.120q, which this registry does not know (auth.github.oidc.issuer)", name)
	}
	ctx = oidc.ClientContext(ctx, v.client)
	provider, err := known.find(ctx, name, v.now())
	if err != nil {
		return Proof{}, err
	}
	// The audience is looked at below: there may be several of ours, and a token that is for others too could come from them.
	idToken, err := provider.Verifier(&oidc.Config{SkipClientIDCheck: true, SupportedSigningAlgs: []string{oidc.RS256}, Now: v.now}).Verify(ctx, token)
	if err != nil {
		return Proof{}, explain(err)
	}
	if len(idToken.Audience) != 1 || !slices.Contains(audiences, idToken.Audience[0]) {
		return Proof{}, refuse("it is not for this registry: its audience has to be %s", strings.Join(audiences, " or "))
	}
	var c claims
	if err := idToken.Claims(&c); err != nil {
		return Proof{}, refuse("its claims are not those of GitHub Actions")
	}
	now := v.now()
	if idToken.IssuedAt.After(now.Add(skew)) || c.NotBefore != 0 && time.Unix(c.NotBefore, 0).After(now.Add(skew)) {
		return Proof{}, refuse("it is from the future: is this machine's clock right?")
	}
	w, err := c.workflow()
	if err != nil {
		return Proof{}, err
	}
	if c.ID == "" {
		return Proof{}, refuse("it has no number of its own (jti)")
	}
	return Proof{Workflow: w, ID: name + "\n" + c.ID, Until: idToken.Expiry}, nil
}

func refuse(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrNotGenuine, fmt.Sprintf(format, args...))
}

// explain tells a token that is merely late from one that is forged, and both from our trouble with the issuer.
func explain(err error) error {
	var expired *oidc.TokenExpiredError
	text := err.Error()
	switch {
	case errors.As(err, &expired):
		return refuse("it expired at %s; a job asks for a new one", expired.Expiry.UTC().Format(time.RFC3339))
	case strings.Contains(text, "fetching keys"):
		return fmt.Errorf("%w: %s", ErrUnavailable, withoutAddress(err))
	}
	return refuse("its signature does not hold")
}

// workflow reads the claims. All that is decided by has to be there.
func (c claims) workflow() (scopes.Workflow, error) {
	w := scopes.Workflow{
		Visibility: c.Visibility, Event: c.Event, Ref: c.Ref, Environment: c.Environment, RunID: c.RunID, Actor: c.Actor,
		SelfHosted: c.RunnerEnvironment != "github-hosted",
	}
	var err error
	if w.Repo.ID, err = strconv.ParseInt(c.RepositoryID, 10, 64); err != nil || w.Repo.ID <= 0 {
		return w, refuse("it names no repository by number (repository_id)")
	}
	if w.Repo.OwnerID, err = strconv.ParseInt(c.OwnerID, 10, 64); err != nil || w.Repo.OwnerID <= 0 {
		return w, refuse("it names no owner by number (repository_owner_id)")
	}
	owner, repo, found := scopes.ParseRepository("github:"+c.Repository, "") // of the characters that GitHub has in names: they are shown to people
	if !found || owner+"/"+repo != c.Repository || !strings.EqualFold(owner, c.Owner) {
		return w, refuse("it names no repository (repository)")
	}
	w.Repo.Owner, w.Repo.Name = owner, repo
	running, found := below(c.WorkflowRef, c.Repository)
	if !found {
		return w, refuse("its workflow is not one of its repository (workflow_ref)")
	}
	w.File = running
	called := withoutRef(c.JobWorkflowRef)
	if called != "" && !strings.EqualFold(called, c.Repository+"/"+running) {
		w.Called = called
	}
	return w, nil
}

// below is the path of "owner/repo/path@ref" below a repository.
func below(workflowRef, repository string) (string, bool) {
	at := withoutRef(workflowRef)
	if len(at) <= len(repository)+1 || !strings.EqualFold(at[:len(repository)], repository) || at[len(repository)] != '/' {
		return "", false
	}
	return at[len(repository)+1:], true
}

// withoutRef is the path of "owner/repo/path@ref". Files and branches may have an @ in their names too; but a workflow's file
// lies in .github/workflows itself and its name has no slash, so that the first "@refs/" ends it. A ref that is not written in full, such as a commit, has no @.
func withoutRef(workflowRef string) string {
	if at, _, found := strings.Cut(workflowRef, "@refs/"); found {
		return at
	}
	if i := strings.LastIndexByte(workflowRef, '@'); i >= 0 {
		return workflowRef[:i]
	}
	return workflowRef
}
