// Package ci lets workflows of GitHub Actions in without a stored secret.
//
// A job proves what it is with an ID token, which GitHub signs for it (package oidc), and gets a token of the registry's for it, once. There are two
// kinds. One publishes a single package, which is bound to the job's repository or is to be by its first publish (exchange). The other reads, and what it
// reads is decided at each use (reading, scopes.Workflow.Access). Both end within the hour, and have no credential behind them.
//
// Besides, a package's admins say here whom they admit of other repositories' workflows (admit), and narrow which of their own publish it (trust).
//
// What it owns is the exchange: the order of its questions, and that a stranger learns nothing from it. Anybody with a GitHub account can get a
// genuine ID token for this registry; so whatever makes a package none of the caller's is answered by one sentence, whether the package is there or not. It
// asks GitHub nothing but the issuer's keys: ID tokens hold the numbers that bindings are made of. Whether a workflow may publish is asked of the
// gate, as of anybody who comes with a token.
//
// npm reads the field "message" of a refusal here, and prints it with --loglevel verbose.
package ci

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"gatehouse/githubauth/oidc"
	"gatehouse/scopes"
	"gatehouse/server/gate"
	"gatehouse/server/problem"
	"gatehouse/store"
	"gatehouse/store/packument"
	"gatehouse/store/tokens"
)

// Registry is what packages say of workflows (met by *store.Store, whose comments hold).
type Registry interface {
	Head(ctx context.Context, name string) (store.Head, error)
	NamespaceOwner(ctx context.Context, namespace string) (int64, error)
	Admit(ctx context.Context, name string, repo scopes.Repo, on bool, e store.Edit) (store.Head, error)
	Trust(ctx context.Context, name string, rule store.Trusted, e store.Edit) (store.Trusted, error)
	Distrust(ctx context.Context, name, id string, e store.Edit) error
}

// Tokens makes the tokens of workflows (met by *tokens.Tokens, whose comment holds).
type Tokens interface {
	CreateWorkflow(ctx context.Context, token scopes.Token, proof tokens.Proof) (scopes.Token, string, error)
}

// Verifier checks ID tokens (met by *oidc.Verifier, whose comment holds).
type Verifier interface {
	Verify(ctx context.Context, token string, audiences ...string) (oidc.Proof, error)
}

// Ways lead to the package of a request (met by *npm.Ways, whose comments hold).
type Ways interface {
	Change(c *gin.Context, pkg string) (store.Head, gate.Caller, error)
}

// Options of the exchange.
type Options struct {
	Registry Registry
	Gate     *gate.Gate
	Ways     Ways
	// Verifier and Tokens may be nil: nothing is exchanged then.
	Verifier Verifier
	Tokens   Tokens
	// Audience is whom ID tokens have to be for. Empty: nothing is exchanged, since it could not be told whom they are for.
	Audience []string
	// Publishing are the rules for workflows that publish, PublishingOf those of single namespaces, in lower case; Reading are those for workflows that install.
	Publishing   scopes.Trust
	PublishingOf map[string]scopes.Trust
	Reading      scopes.Trust
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

type rooms struct{ Options }

// Mount adds the routes.
func Mount(r gin.IRoutes, o Options) {
	if o.Now == nil {
		o.Now = time.Now
	}
	x := &rooms{o}
	handle := func(method, path string, h problem.Handler) { r.Handle(method, path, problem.Handle(h)) }
	handle(http.MethodPost, "/-/npm/v1/oidc/token/exchange/package/:name", spoken(x.exchange))
	handle(http.MethodPost, "/-/gatehouse/oidc/token", spoken(x.reading))

	handle(http.MethodGet, "/-/package/:name/admitted", x.admitted)
	handle(http.MethodPut, "/-/package/:name/admitted", x.admit)
	handle(http.MethodDelete, "/-/package/:name/admitted/:id", x.dismiss)

	handle(http.MethodGet, "/-/package/:name/trust", x.trusted)
	handle(http.MethodPost, "/-/package/:name/trust", x.trust)
	handle(http.MethodDelete, "/-/package/:name/trust/:id", x.distrust)
}

func spoken(h problem.Handler) problem.Handler {
	return func(c *gin.Context) error {
		if err := h(c); err != nil {
			return &problem.Spoken{Err: err}
		}
		return nil
	}
}

func refuse(status int, format string, args ...any) error {
	return &problem.Plain{Status: status, Text: fmt.Sprintf(format, args...)}
}

// param returns a part of the path as it was meant.
func param(c *gin.Context, name string) string {
	s, err := url.PathUnescape(c.Param(name))
	if err != nil {
		return ""
	}
	return s
}

// managed is the way to a package for whoever may say who comes in.
func (x *rooms) managed(c *gin.Context) (store.Head, gate.Caller, error) {
	if x.Gate.Open() {
		return store.Head{}, gate.Caller{}, refuse(http.StatusForbidden, "this registry asks nobody for permissions (auth.type none): everybody comes in")
	}
	head, who, err := x.Ways.Change(c, param(c, "name"))
	if err != nil {
		return head, who, err
	}
	_, err = x.Gate.Allow(c.Request.Context(), who, head.Name, head.Binding, scopes.Manage)
	return head, who, err
}

// named is the repository of a text, as the caller's token shows it.
func (x *rooms) named(c *gin.Context, who gate.Caller, text string) (scopes.Repo, error) {
	owner, name, ok := scopes.ParseRepository(text, x.Gate.Names().Host)
	if !ok {
		return scopes.Repo{}, refuse(http.StatusBadRequest, "%.120q is not a repository on %s, such as acme/api", text, x.Gate.Names().Host)
	}
	return x.Gate.Named(c.Request.Context(), who, owner, name)
}

const maxBody = 16 << 10

// read reads the request's JSON into v. Fields that it does not have are refused: what cannot be honoured is not ignored.
func read(c *gin.Context, v any, example string) error {
	if coding := c.GetHeader("Content-Encoding"); coding != "" {
		return refuse(http.StatusUnsupportedMediaType, "a change is sent without content-encoding")
	}
	in := json.NewDecoder(http.MaxBytesReader(c.Writer, c.Request.Body, maxBody))
	in.DisallowUnknownFields()
	err := in.Decode(v)
	if tooLong := (*http.MaxBytesError)(nil); errors.As(err, &tooLong) {
		return err
	}
	if err != nil {
		return &packument.Invalid{Field: "body", Problem: "is not " + example}
	}
	return nil
}

// answer serves a value that must not be kept by any cache.
func answer(c *gin.Context, status int, value any) error {
	body, err := json.Marshal(value)
	if err != nil {
		return err
	}
	h := c.Writer.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	c.Writer.WriteHeader(status)
	_, _ = c.Writer.Write(body) // a caller who has gone needs no answer
	return nil
}
