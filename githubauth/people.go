package githubauth

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

	"github.com/google/go-github/v60/github"

	"gatehouse/scopes"
)

// People are asked about and changed with the caller's own token and no other, so that GitHub decides what is shown and done: this package neither
// adds to that nor takes from it. Errors of all of it are *scopes.Denied, *Unavailable, and ones that wrap ErrBadCredential.

const (
	peopleTTL   = 10 * time.Second
	peopleKept  = 500 // lists
	peoplePage  = 100 // GitHub's largest
	peoplePages = 10  // of one list
)

// Collaborators lists who may do what with a repository, by whatever way they may. GitHub shows it to those who can write to it.
func (c *Client) Collaborators(ctx context.Context, token string, repo scopes.Repo) (scopes.Members, error) {
	path := "repositories/" + strconv.FormatInt(repo.ID, 10) + "/collaborators?"
	return c.members(ctx, token, "/repos/{owner}/{repo}/collaborators", path, func(u *github.User) scopes.Member {
		return scopes.Member{ID: u.GetID(), Login: u.GetLogin(), Permission: level(u.GetPermissions())}
	})
}

// Collaborator tells what somebody may do with a repository, by whatever way. It is never answered from memory.
func (c *Client) Collaborator(ctx context.Context, token string, repo scopes.Repo, login string) (scopes.Permission, error) {
	path := "repositories/" + strconv.FormatInt(repo.ID, 10) + "/collaborators/" + url.PathEscape(login) + "/permission"
	var found github.RepositoryPermissionLevel
	ctx, cancel := context.WithTimeout(ctx, factTimeout)
	defer cancel()
	if _, err := c.askPeople(ctx, token, http.MethodGet, "/repos/{owner}/{repo}/collaborators/{username}/permission", path, nil, &found); err != nil {
		return scopes.None, err
	}
	return roleWord(found.GetPermission()), nil
}

// roleWord reads the permission of a collaborator, in which GitHub counts its five roles and an organisation's own among these.
func roleWord(word string) scopes.Permission {
	switch word {
	case "admin":
		return scopes.Admin
	case "write":
		return scopes.Write
	case "read":
		return scopes.Read
	}
	return scopes.None
}

// Account finds the account of a login, and reports whether it is an organisation's and not a person's.
func (c *Client) Account(ctx context.Context, token, login string) (scopes.Member, bool, error) {
	account, err := peopleOnce(ctx, c, token, "account/"+strings.ToLower(login), func(ctx context.Context) (account github.User, err error) {
		_, err = c.askPeople(ctx, token, http.MethodGet, "/users/{username}", "users/"+url.PathEscape(login), nil, &account)
		return account, err
	})
	return scopes.Member{ID: account.GetID(), Login: account.GetLogin()}, account.GetType() == "Organization", err
}

// OrgMembers lists the members of an organisation. To those who are none of them GitHub shows the ones who want to be seen.
func (c *Client) OrgMembers(ctx context.Context, token, org string) (scopes.Members, error) {
	path := "orgs/" + url.PathEscape(org) + "/members?role="
	var all scopes.Members
	for _, role := range []string{"admin", "member"} {
		some, err := c.members(ctx, token, "/orgs/{org}/members", path+role+"&", func(u *github.User) scopes.Member {
			return scopes.Member{ID: u.GetID(), Login: u.GetLogin(), Owner: role == "admin"}
		})
		if err != nil {
			return scopes.Members{}, err
		}
		all.List, all.Cut, all.Takes = append(all.List, some.List...), all.Cut || some.Cut, some.Takes
	}
	return all, nil
}

// OrgTeams lists the teams of an organisation that the caller can see.
func (c *Client) OrgTeams(ctx context.Context, token, org string) (scopes.Teams, error) {
	path := "orgs/" + url.PathEscape(org) + "/teams?"
	return peopleOnce(ctx, c, token, path, func(ctx context.Context) (teams scopes.Teams, err error) {
		teams.Cut, _, err = pages(ctx, c, token, "/orgs/{org}/teams", path, func(t *github.Team) { teams.List = append(teams.List, t.GetSlug()) })
		return teams, err
	})
}

// TeamMembers lists the members of a team, those of its child teams included.
func (c *Client) TeamMembers(ctx context.Context, token, org, team string) (scopes.Members, error) {
	return c.members(ctx, token, "/orgs/{org}/teams/{team_slug}/members", teamPath(org, team)+"/members?", func(u *github.User) scopes.Member {
		return scopes.Member{ID: u.GetID(), Login: u.GetLogin()}
	})
}

// TeamRepos lists what a team may do with which repositories, of those that the caller can see.
func (c *Client) TeamRepos(ctx context.Context, token, org, team string) (scopes.TeamRepos, error) {
	path := teamPath(org, team) + "/repos?"
	return peopleOnce(ctx, c, token, path, func(ctx context.Context) (repos scopes.TeamRepos, err error) {
		repos.Permissions = map[int64]scopes.Permission{}
		repos.Cut, _, err = pages(ctx, c, token, "/orgs/{org}/teams/{team_slug}/repos", path, func(r *github.Repository) {
			repos.Permissions[r.GetID()] = level(r.GetPermissions())
		})
		return repos, err
	})
}

func teamPath(org, team string) string {
	return "orgs/" + url.PathEscape(org) + "/teams/" + url.PathEscape(team)
}

// level reads a map of GitHub's permissions.
func level(p map[string]bool) scopes.Permission {
	return role(&github.Repository{Permissions: p}, false)
}

// members reads a list of accounts. path ends where parameters can be added.
func (c *Client) members(ctx context.Context, token, endpoint, path string, read func(*github.User) scopes.Member) (scopes.Members, error) {
	return peopleOnce(ctx, c, token, path, func(ctx context.Context) (m scopes.Members, err error) {
		m.Cut, m.Takes, err = pages(ctx, c, token, endpoint, path, func(u *github.User) { m.List = append(m.List, read(u)) })
		slices.SortFunc(m.List, func(a, b scopes.Member) int {
			return strings.Compare(strings.ToLower(a.Login), strings.ToLower(b.Login))
		})
		return m, err
	})
}

// pages reads a list page by page, up to peoplePages of them, and reports whether there are more, and what the credential surely lacks to see all.
func pages[T any](ctx context.Context, c *Client, token, endpoint, path string, each func(T)) (cut bool, lacks string, err error) {
	for page := 1; page <= peoplePages; page++ {
		var list []T
		at := fmt.Sprintf("%sper_page=%d&page=%d", path, peoplePage, page)
		resp, err := c.askPeople(ctx, token, http.MethodGet, endpoint, at, nil, &list)
		if err != nil {
			return false, "", err
		}
		for _, item := range list {
			each(item)
		}
		if what, sure := takes(resp.Header); sure {
			lacks = what
		}
		if resp.NextPage == 0 {
			return false, lacks, nil
		}
	}
	return true, lacks, nil
}

// peopleCache keeps what was told about people for a moment: a command asks some things twice. The zero value is empty.
type peopleCache struct {
	mu    sync.Mutex
	epoch uint64
	known map[string]peopleAnswer
}

type peopleAnswer struct {
	value any
	until time.Time
}

func (p *peopleCache) get(key string, now time.Time) (value any, epoch uint64, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	a, ok := p.known[key]
	return a.value, p.epoch, ok && now.Before(a.until)
}

// put keeps an answer to what was asked in an epoch that is still the present one.
func (p *peopleCache) put(key string, value any, epoch uint64, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if epoch != p.epoch {
		return
	}
	if len(p.known) >= peopleKept || p.known == nil {
		p.known = map[string]peopleAnswer{}
	}
	p.known[key] = peopleAnswer{value, now.Add(peopleTTL)}
}

// forget drops everything, what is on its way included.
func (p *peopleCache) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.epoch++
	p.known = nil
}

// peopleOnce answers from memory, or asks for all who want to know the same with the same token.
func peopleOnce[T any](ctx context.Context, c *Client, token, what string, ask func(context.Context) (T, error)) (T, error) {
	hash := c.hash(token)
	key := "p" + string(hash[:]) + what
	known, epoch, ok := c.people.get(key, c.now())
	if ok {
		return known.(T), nil
	}
	return once(ctx, c, key+"\x00"+strconv.FormatUint(epoch, 10), func(ctx context.Context) (T, error) {
		found, err := ask(ctx)
		if err == nil {
			c.people.put(key, found, epoch, c.now())
		}
		return found, err
	})
}

// askPeople makes one call, whose answer is read into v.
func (c *Client) askPeople(ctx context.Context, token, method, endpoint, path string, body, v any) (*github.Response, error) {
	kind, err := offline(token)
	if err != nil {
		return nil, err
	}
	k := c.know(c.hash(token), kind, token)
	if err := k.refusal(c.now()); err != nil {
		return nil, err
	}
	var answer *github.Response
	var said error
	resp, err := c.call(ctx, k, plan{method + " " + endpoint, rest, func(ctx context.Context) (*http.Response, error) {
		g := c.as(token, sameHost)
		req, err := g.NewRequest(method, path, body)
		if err != nil {
			return nil, err
		}
		answer, said = g.Do(ctx, req, v)
		if answer == nil {
			return nil, said
		}
		return answer.Response, said
	}})
	if resp == nil {
		return nil, err
	}
	return answer, denial(resp, said, err)
}

// denial makes GitHub's no of what judge made of an answer. said is what go-github made of it.
func denial(resp *http.Response, said, judged error) error {
	d := &scopes.Denied{}
	if e := (*github.ErrorResponse)(nil); errors.As(said, &e) {
		d.Why = sentence(e)
	}
	switch {
	case judged == nil:
		return nil
	case errors.Is(judged, errNotShown):
		d.Hidden, d.Why = true, ""
	case isRefused(judged):
		if why := whyRefused(judged); why != "" {
			d.Why = oneLine(why)
		}
	case slices.Contains([]int{http.StatusBadRequest, http.StatusConflict, http.StatusUnprocessableEntity}, resp.StatusCode):
		d.Wrong = true
	default:
		return judged
	}
	var sure bool
	if d.Takes, sure = takes(resp.Header); sure {
		d.Hidden = false // the same is said of what there is and of what there is not
	}
	return d
}

// sentence is GitHub's message with the first of its details.
func sentence(e *github.ErrorResponse) string {
	why := e.Message
	for _, detail := range e.Errors {
		if detail.Message != "" {
			why += ": " + detail.Message
			break
		}
	}
	return oneLine(why)
}

// oneLine makes a line of ASCII text of what GitHub said: it goes into headers and onto terminals.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case r < 0x20 || r >= 0x7f:
			return -1
		}
		return r
	}, s)
	if len(s) > 300 {
		s = s[:300] + "..."
	}
	return strings.TrimRight(strings.Join(strings.Fields(s), " "), ".")
}

// takes says what the credential needs, and whether it surely lacks that: GitHub lists what a route accepts beside what a classic token has. Of other
// tokens it only tells the first.
func takes(h http.Header) (what string, sure bool) {
	if accepted := words(h.Get("X-Accepted-Oauth-Scopes")); len(accepted) > 0 && len(h.Values("X-Oauth-Scopes")) > 0 {
		for _, has := range words(h.Get("X-Oauth-Scopes")) {
			if slices.Contains(accepted, has) {
				return "", false
			}
		}
		return "the scope " + strings.Join(accepted, " or "), true
	}
	var ways []string
	for way := range strings.SplitSeq(h.Get("X-Accepted-Github-Permissions"), ";") {
		var needs []string
		for _, need := range words(way) {
			name, much, _ := strings.Cut(need, "=")
			needs = append(needs, name+": "+much)
		}
		if len(needs) > 0 {
			ways = append(ways, strings.Join(needs, " and "))
		}
	}
	if len(ways) == 0 {
		return "", false
	}
	return "a token with " + strings.Join(ways, ", or "), false
}

// words are the items of a header's list, those that look like scopes and permissions.
func words(list string) (items []string) {
	for item := range strings.SplitSeq(list, ",") {
		item = strings.TrimSpace(item)
		plain := func(r rune) bool { return r >= 'a' && r <= 'z' || strings.ContainsRune("_:=-", r) }
		if item != "" && len(item) <= 60 && len(items) < 8 && strings.TrimFunc(item, plain) == "" {
			items = append(items, item)
		}
	}
	return items
}
