package ci

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"gatehouse/githubauth/oidc"
	"gatehouse/scopes"
	"gatehouse/server/audit"
	"gatehouse/server/gate"
	"gatehouse/store"
	"gatehouse/store/packument"
	"gatehouse/store/tokens"
)

const (
	// publishFor is how long a token publishes: a job asks for it when it has built.
	publishFor = 15 * time.Minute
	// readFor is how long one reads. It is the most that a token without a credential behind it may live.
	readFor = tokens.MaxWorkflow
	// Exchange is the word of it in the audit log.
	Exchange = "exchange"
)

// proven reads the ID token of a request.
func (x *rooms) proven(c *gin.Context) (oidc.Proof, error) {
	switch {
	case x.Gate.Open():
		return oidc.Proof{}, refuse(http.StatusForbidden, "this registry asks nobody for permissions (auth.type none): no token is needed")
	case x.Verifier == nil || x.Tokens == nil:
		return oidc.Proof{}, refuse(http.StatusForbidden, "this registry takes no ID tokens of workflows (auth.github.oidc.enabled)")
	case len(x.Audience) == 0:
		return oidc.Proof{}, refuse(http.StatusForbidden, "this registry does not know its public address, and cannot tell whether an ID token is for it: its operator has to set server.url, or auth.github.oidc.audience")
	}
	token, err := gate.Bearer(c.Request.Header)
	if err != nil {
		return oidc.Proof{}, err
	}
	return x.Verifier.Verify(c.Request.Context(), token, x.Audience...)
}

// exchange gives a workflow the token that publishes one package.
func (x *rooms) exchange(c *gin.Context) error {
	ctx := c.Request.Context()
	name, err := packument.ParseName(param(c, "name"))
	if err != nil {
		return err
	}
	proof, err := x.proven(c)
	if err != nil {
		return err
	}
	if !x.Gate.Names().Has(name.String()) {
		return refuse(http.StatusNotFound, "%s is not one of this registry's names", name)
	}
	now := x.Now()
	use := scopes.Types{Pkg: scopes.Use{Read: true, Write: true}}
	token := scopes.Token{
		Name: "publish " + name.String(), Workflow: &proof.Workflow,
		Grant: scopes.Grant{Rights: scopes.Rights{{Values: []string{name.String()}, Types: use}}, Until: now.Add(publishFor)},
	}
	who := gate.Proven(proof.Workflow, token.Grant, now)
	audit.Caller(c, who)
	head, err := x.Registry.Head(ctx, name.String())
	switch {
	case err == nil:
		err = x.may(ctx, who, proof.Workflow, name, head)
	case errors.Is(err, store.ErrNotFound):
		err = x.mayBegin(ctx, who, proof.Workflow, name)
	}
	if err != nil {
		return err
	}
	if err := x.rules(name.Scope).Check(proof.Workflow); err != nil {
		return err
	}
	var own []scopes.Publisher
	for _, t := range head.Trusted {
		own = append(own, scopes.Publisher{File: t.File, Environment: t.Environment})
	}
	if err := scopes.CheckPublishers(own, proof.Workflow); err != nil {
		return err
	}
	return x.mint(c, token, proof, name.String())
}

// may asks about a package that is there.
func (x *rooms) may(ctx context.Context, who gate.Caller, w scopes.Workflow, name packument.Name, head store.Head) error {
	_, err := x.Gate.Allow(ctx, who, name.String(), head.Binding, scopes.Publish)
	if refused := (*gate.Refusal)(nil); errors.As(err, &refused) && refused.Hide {
		return &stranger{name.String(), w.Repo}
	}
	return err
}

// mayBegin asks about one that is not: whether its first publish may bind it to the workflow's repository.
func (x *rooms) mayBegin(ctx context.Context, who gate.Caller, w scopes.Workflow, name packument.Name) error {
	if err := name.CheckNew(); err != nil {
		return err
	}
	namespace := name.Scope
	if namespace == "" {
		namespace = strings.ToLower(w.Repo.Owner)
	}
	owner, err := x.Registry.NamespaceOwner(ctx, namespace)
	if err != nil {
		return err
	}
	if owner != 0 && owner != w.Repo.OwnerID {
		return &stranger{name.String(), w.Repo}
	}
	_, err = x.Gate.Bind(ctx, who, gate.Claim{Package: name.String(), Repository: w.Repo.String(), Owner: owner})
	refused := (*gate.Refusal)(nil)
	if errors.Is(err, scopes.ErrBinding) || errors.As(err, &refused) && refused.Hide {
		return &stranger{name.String(), w.Repo}
	}
	return err
}

// stranger is a workflow that has nothing to do with a package, whether or not there is one.
type stranger struct {
	pkg  string
	repo scopes.Repo
}

func (e *stranger) Error() string {
	return "a workflow of " + e.repo.String() + " may not publish " + e.pkg + ": it is no package of this repository, and cannot become one. A package is published by " +
		"workflows of the repository that it is bound to, and the first time by one of the account that its namespace stands for"
}

// Status makes it a refusal that everybody may read (problem.Statuser).
func (e *stranger) Status() int { return http.StatusForbidden }

// rules are those for publishing under a namespace.
func (x *rooms) rules(namespace string) scopes.Trust {
	if own, ok := x.PublishingOf[namespace]; ok {
		return own
	}
	return x.Publishing
}

// reading gives a workflow a token that reads what it may when it is used.
func (x *rooms) reading(c *gin.Context) error {
	proof, err := x.proven(c)
	if err != nil {
		return err
	}
	now := x.Now()
	token := scopes.Token{
		Name: "install", Workflow: &proof.Workflow,
		Grant: scopes.Grant{Rights: scopes.Rights{{Values: []string{"*"}, Types: scopes.Types{Pkg: scopes.Use{Read: true}}}}, Until: now.Add(readFor)},
	}
	audit.Caller(c, gate.Proven(proof.Workflow, token.Grant, now))
	if err := x.Reading.Check(proof.Workflow); err != nil {
		return err
	}
	return x.mint(c, token, proof, "")
}

// mint makes the token, unless the ID token has been used, and hands it out.
func (x *rooms) mint(c *gin.Context, token scopes.Token, proof oidc.Proof, pkg string) error {
	home, err := x.atHome(c.Request.Context(), proof.Repo)
	if err != nil {
		return err
	}
	token.Guest = !home
	token, secret, err := x.Tokens.CreateWorkflow(context.WithoutCancel(c.Request.Context()), token, tokens.Proof{ID: proof.ID, Until: proof.Until})
	if err != nil {
		return err
	}
	audit.Changed(c, audit.Change{
		Action: Exchange, Package: pkg,
		Note: "the token " + token.ID + " for the run " + short(proof.RunID) + " of " + short(proof.File) + " on " + short(proof.Event) + " for " + short(proof.Ref) + " by " + short(proof.Actor),
	})
	const form = "2006-01-02T15:04:05.000Z"
	return answer(c, http.StatusCreated, map[string]string{
		"token": secret, "token_type": "oidc", "created": token.Created.UTC().Format(form), "expires": token.Grant.Until.UTC().Format(form),
	})
}

// atHome reports whether packages have been published under a namespace of the repository's owner.
func (x *rooms) atHome(ctx context.Context, repo scopes.Repo) (bool, error) {
	login := strings.ToLower(repo.Owner)
	its := []string{login}
	for alias, owner := range x.Gate.Names().Aliases {
		if strings.EqualFold(owner, login) {
			its = append(its, alias)
		}
	}
	for _, namespace := range its {
		if id, err := x.Registry.NamespaceOwner(ctx, namespace); err != nil || id == repo.OwnerID {
			return err == nil, err
		}
	}
	return false, nil
}

// short is a claim for a line of the log.
func short(s string) string {
	if len(s) > 120 {
		return s[:120] + "…"
	}
	return s
}
