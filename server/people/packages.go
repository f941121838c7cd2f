package people

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/gin-gonic/gin"
	"golang.org/x/sync/errgroup"

	"gatehouse/scopes"
	"gatehouse/server/gate"
	"gatehouse/store"
)

// maxListed bounds a list of packages.
const maxListed = 5000

// orgPackages is "access list packages @org". Of a person's login npm asks the same, and goes on to userPackages if there is no such organisation.
func (p *People) orgPackages(c *gin.Context) error {
	who, org, err := p.asked(c)
	if err != nil {
		return err
	}
	_, is, err := p.Gate.Account(c.Request.Context(), who, org)
	if denied := (*scopes.Denied)(nil); errors.As(err, &denied) || err == nil && !is {
		return refuse(http.StatusNotFound, "GitHub has no organisation %s", org)
	}
	if err != nil {
		return told(err, who, "see what "+org+" is", "organisation "+org, p.orgPage(org))
	}
	return p.packagesOf(c, who, param(c, "org"), org)
}

// userPackages is "access list packages" of a person: of oneself, every package that one can read. pnpm 12 asks it of organisations, too.
func (p *People) userPackages(c *gin.Context) error {
	who, err := p.Ways.Caller(c)
	if err != nil {
		return err
	}
	user := param(c, "user")
	if who.Login != "" && strings.EqualFold(user, who.Login) {
		return p.packages(c, who, func(string, scopes.Repo) bool { return true }, p.Gate.Held)
	}
	c.Params = append(c.Params, gin.Param{Key: "org", Value: c.Param("user")})
	owner, err := p.organisation(c)
	if err != nil {
		return err
	}
	return p.packagesOf(c, who, user, owner)
}

// packagesOf lists the packages of a namespace that the caller can read, with what the caller may do with them.
func (p *People) packagesOf(c *gin.Context, who gate.Caller, namespace, owner string) error {
	return p.packages(c, who, func(pkg string, repo scopes.Repo) bool {
		if of := scopes.Namespace(pkg); of != "" {
			return strings.EqualFold(of, namespace)
		}
		return strings.EqualFold(repo.Owner, owner)
	}, p.Gate.Held)
}

// teamPackages is "access list packages @org:team": of the packages that the caller can read, those whose repository the team was given.
func (p *People) teamPackages(c *gin.Context) error {
	who, err := p.Ways.Caller(c)
	if err != nil {
		return err
	}
	org, team, err := p.team(c)
	if err != nil {
		return err
	}
	repos, err := p.Gate.TeamRepos(c.Request.Context(), who, org, team)
	if err != nil {
		return told(err, who, "see the repositories of the team "+team, "team "+team+" in "+org, p.teamPage(org, team))
	}
	if repos.Cut {
		c.Writer.Header().Set("Npm-Notice", "the team has more repositories than were looked at; all of them: "+p.teamPage(org, team)+"/repositories")
	}
	return p.packages(c, who, func(_ string, repo scopes.Repo) bool { return repos.Permissions[repo.ID] >= scopes.Read },
		func(ctx context.Context, who gate.Caller, pkg string, where scopes.Binding) (scopes.Permission, error) {
			held, err := p.Gate.Held(ctx, who, pkg, where)
			if err != nil || held < scopes.Read {
				return scopes.None, err
			}
			return repos.Permissions[where.Repo.ID], nil
		})
}

type holding func(ctx context.Context, who gate.Caller, pkg string, where scopes.Binding) (scopes.Permission, error)

// packages answers with the packages that are wanted and that the caller may know of, and what held says of each. Repositories are asked about at
// once, so that GitHub is in few questions.
func (p *People) packages(c *gin.Context, who gate.Caller, wanted func(pkg string, repo scopes.Repo) bool, held holding) error {
	if p.Gate.Open() {
		return p.Gate.MayChangePeople(who)
	}
	repos, err := p.Registry.Repositories(c.Request.Context())
	if err != nil {
		return err
	}
	var (
		mu    sync.Mutex
		found = map[string]string{}
		full  bool
	)
	group, ctx := errgroup.WithContext(c.Request.Context())
	group.SetLimit(100)
	for _, repo := range repos {
		group.Go(func() error {
			names, err := p.Registry.Packages(ctx, repo.ID)
			if err != nil {
				return err
			}
			for _, pkg := range names {
				if !wanted(pkg, repo) {
					continue
				}
				head, err := p.Registry.Head(ctx, pkg)
				if errors.Is(err, store.ErrNotFound) {
					continue
				}
				if err != nil {
					return err
				}
				level, err := held(ctx, who, pkg, head.Binding)
				if err != nil {
					return err
				}
				if level < scopes.Read {
					continue
				}
				mu.Lock()
				if full = full || len(found) >= maxListed; !full {
					found[pkg] = word(level)
				}
				mu.Unlock()
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	notice := ""
	if full {
		notice = fmt.Sprintf("these are %d packages, and there are more", maxListed)
	}
	return answer(c, found, notice)
}
