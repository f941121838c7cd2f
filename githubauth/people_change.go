package githubauth

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"github.com/google/go-github/v60/github"

	"gatehouse/scopes"
)

// ChangePeople has GitHub make one change, with the caller's own token, and forgets what it may have changed, unless GitHub said that it was
// not made. Repositories are named by number where GitHub takes that, and else by the name that the number has at that moment.
//
// A change is made once: it is never sent again by itself. After *Unavailable it may have been made.
func (c *Client) ChangePeople(ctx context.Context, token string, change scopes.PeopleChange) (scopes.PeopleOutcome, error) {
	ctx, cancel := context.WithTimeout(ctx, factTimeout)
	defer cancel()
	outcome, err := c.changePeople(ctx, token, change)
	if denied := (*scopes.Denied)(nil); err == nil || !errors.As(err, &denied) && !errors.Is(err, ErrBadCredential) {
		c.forgetPeople(ctx, token, change)
	}
	return outcome, err
}

func (c *Client) changePeople(ctx context.Context, token string, change scopes.PeopleChange) (scopes.PeopleOutcome, error) {
	done := scopes.PeopleOutcome{Repo: change.Repo, Team: change.Team}
	var v struct {
		State   string       `json:"state"`   // of a membership
		Slug    string       `json:"slug"`    // of a new team
		Invitee *github.User `json:"invitee"` // of an invitation to a repository
	}
	ask := func(method, endpoint, path string, body any) error {
		_, err := c.askPeople(ctx, token, method, endpoint, path, body, &v)
		return err
	}
	login, team, org := url.PathEscape(change.Login), teamPath(change.Org, change.Team), "orgs/"+url.PathEscape(change.Org)
	var err error
	switch change.What {
	case scopes.AddCollaborator, scopes.RemoveCollaborator:
		path := "repositories/" + strconv.FormatInt(change.Repo.ID, 10) + "/collaborators/" + login
		const endpoint = "/repos/{owner}/{repo}/collaborators/{username}"
		if change.What == scopes.RemoveCollaborator {
			err = ask(http.MethodDelete, endpoint, path, nil)
		} else {
			err = ask(http.MethodPut, endpoint, path, map[string]string{"permission": pushOrPull(change.Permission)})
		}
		done.Invited = v.Invitee != nil
	case scopes.GrantTeam, scopes.RevokeTeam:
		if done.Repo, err = c.named(ctx, token, change.Repo); err != nil {
			break
		}
		path := team + "/repos/" + url.PathEscape(done.Repo.Owner) + "/" + url.PathEscape(done.Repo.Name)
		const endpoint = "/orgs/{org}/teams/{team_slug}/repos/{owner}/{repo}"
		if change.What == scopes.RevokeTeam {
			err = ask(http.MethodDelete, endpoint, path, nil)
		} else {
			err = ask(http.MethodPut, endpoint, path, map[string]string{"permission": pushOrPull(change.Permission)})
		}
	case scopes.SetMember:
		role := "member"
		if change.Owner {
			role = "admin"
		}
		err = ask(http.MethodPut, "/orgs/{org}/memberships/{username}", org+"/memberships/"+login, map[string]string{"role": role})
	case scopes.RemoveMember:
		err = ask(http.MethodDelete, "/orgs/{org}/memberships/{username}", org+"/memberships/"+login, nil)
	case scopes.CreateTeam:
		body := map[string]string{"name": change.Team, "privacy": "closed"}
		if change.Description != "" {
			body["description"] = change.Description
		}
		err = ask(http.MethodPost, "/orgs/{org}/teams", org+"/teams", body)
		done.Team = v.Slug
	case scopes.DeleteTeam:
		err = ask(http.MethodDelete, "/orgs/{org}/teams/{team_slug}", team, nil)
	case scopes.AddToTeam:
		err = ask(http.MethodPut, "/orgs/{org}/teams/{team_slug}/memberships/{username}", team+"/memberships/"+login, map[string]string{"role": "member"})
	case scopes.RemoveFromTeam:
		err = ask(http.MethodDelete, "/orgs/{org}/teams/{team_slug}/memberships/{username}", team+"/memberships/"+login, nil)
	default:
		err = errors.New("not a change: " + change.What.String())
	}
	done.Invited = done.Invited || v.State == "pending"
	return done, err
}

// named is the repository as it is called now. A name kept from before could be another's by now.
func (c *Client) named(ctx context.Context, token string, repo scopes.Repo) (scopes.Repo, error) {
	var now github.Repository
	if _, err := c.askPeople(ctx, token, http.MethodGet, "/repositories/{id}", "repositories/"+strconv.FormatInt(repo.ID, 10), nil, &now); err != nil {
		return repo, err
	}
	if now.GetID() != repo.ID || now.GetOwner().GetLogin() == "" || now.GetName() == "" {
		return repo, &scopes.Denied{Hidden: true}
	}
	repo.Owner, repo.Name = now.GetOwner().GetLogin(), now.GetName()
	return repo, nil
}

func pushOrPull(p scopes.Permission) string {
	if p >= scopes.Write {
		return "push"
	}
	return "pull"
}

// forgetPeople drops what a change may have made untrue: of a repository, or of everything that the organisation owns, as far as its number is to be had.
// What is not dropped lives on for its short life: to drop everybody's answers is not for whoever has an organisation.
func (c *Client) forgetPeople(ctx context.Context, token string, change scopes.PeopleChange) {
	c.people.forget()
	f := Forgotten{Repo: change.Repo.ID}
	if change.Repo.ID == 0 {
		org, _, _ := c.Account(ctx, token, change.Org)
		f.Owner = org.ID
	}
	c.Forget(f)
}
