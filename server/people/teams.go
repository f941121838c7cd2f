package people

import (
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"gatehouse/scopes"
	"gatehouse/store/packument"
)

// grantTeam is "access grant": a team gets to read or write the repository of a package.
func (p *People) grantTeam(c *gin.Context) error {
	var asked struct{ Package, Permissions string }
	if _, err := p.wish(c, &asked); err != nil {
		return err
	}
	head, who, err := p.Ways.Change(c, asked.Package)
	if err != nil {
		return err
	}
	org, team, err := p.team(c)
	if err != nil {
		return err
	}
	permission, ok := map[string]scopes.Permission{"read-only": scopes.Read, "read-write": scopes.Write}[asked.Permissions]
	if !ok {
		return &packument.Invalid{Field: "permissions", Problem: "is neither read-only nor read-write"}
	}
	repo, page, there := head.Binding.Repo, p.repoPage(head.Binding.Repo), "team "+team+" in "+org
	if err := p.mayChange(who, page); err != nil {
		return err
	}
	what := "give the team " + team + " " + permission.String() + " on " + repo.String()
	repos, err := p.Gate.TeamRepos(c.Request.Context(), who, org, team)
	if err != nil {
		return told(err, who, what, there, page)
	}
	has, listed := repos.Permissions[repo.ID]
	if repos.Cut && !listed && permission == scopes.Write {
		return refuse(http.StatusConflict, "nothing was changed: the team %s has more repositories than are looked at here, and if it has admin on %s, this would take it away. Change it there: %s", team, repo, page)
	}
	if has > permission && permission == scopes.Write {
		return done(c, "nothing was changed: the team "+team+" already has "+has.String()+" on "+p.holding(c, repo))
	}
	change := scopes.PeopleChange{What: scopes.GrantTeam, Org: org, Team: team, Repo: repo, Permission: permission}
	if _, err := p.change(c, who, head.Name, change, what, there, page); err != nil {
		return err
	}
	return done(c, "this gives the team "+team+" "+permission.String()+" on "+p.holding(c, repo))
}

// revokeTeam is "access revoke".
func (p *People) revokeTeam(c *gin.Context) error {
	var asked struct{ Package string }
	if _, err := p.wish(c, &asked); err != nil {
		return err
	}
	head, who, err := p.Ways.Change(c, asked.Package)
	if err != nil {
		return err
	}
	org, team, err := p.team(c)
	if err != nil {
		return err
	}
	repo := head.Binding.Repo
	change := scopes.PeopleChange{What: scopes.RevokeTeam, Org: org, Team: team, Repo: repo}
	what := "take " + repo.String() + " from the team " + team
	if _, err := p.change(c, who, head.Name, change, what, "team "+team+" in "+org, p.repoPage(repo)); err != nil {
		return err
	}
	return done(c, "this takes from the team "+team+" what it was given on "+p.holding(c, repo))
}

// createTeam is "team create".
func (p *People) createTeam(c *gin.Context) error {
	var asked struct{ Name, Description string }
	who, err := p.wish(c, &asked)
	if err != nil {
		return err
	}
	org, err := p.organisation(c)
	if err != nil {
		return err
	}
	if !scopes.ValidTeam(asked.Name) {
		return &packument.Invalid{Field: "name", Problem: "is not a team's: up to 100 letters, digits, hyphens and underscores"}
	}
	if len(asked.Description) > 1000 {
		return &packument.Invalid{Field: "description", Problem: "is longer than 1000 bytes"}
	}
	change := scopes.PeopleChange{What: scopes.CreateTeam, Org: org, Team: asked.Name, Description: asked.Description}
	outcome, err := p.change(c, who, "", change, "make a team in "+org, "organisation "+org, p.teamsPage(org))
	if err != nil {
		return err
	}
	said := "this makes the team " + asked.Name + " in the GitHub organisation " + org + ", without access to any repository yet"
	if outcome.Team != "" && outcome.Team != asked.Name {
		said += "; its short name is " + outcome.Team
	}
	return done(c, said)
}

// deleteTeam is "team destroy".
func (p *People) deleteTeam(c *gin.Context) error {
	who, err := p.Ways.Caller(c)
	if err != nil {
		return err
	}
	org, team, err := p.team(c)
	if err != nil {
		return err
	}
	change := scopes.PeopleChange{What: scopes.DeleteTeam, Org: org, Team: team}
	if _, err := p.change(c, who, "", change, "delete the team "+team, "team "+team+" in "+org, p.teamPage(org, team)); err != nil {
		return err
	}
	return done(c, "this deletes the team "+team+" of the GitHub organisation "+org+", and what its members had through it")
}

// addToTeam is "team add".
func (p *People) addToTeam(c *gin.Context) error {
	return p.membership(c, scopes.AddToTeam, func(user, team, org string, invited bool) string {
		if invited {
			return user + " is invited to the team " + team + " of the GitHub organisation " + org + ", and is in it after accepting at " + p.page("orgs", org, "invitation")
		}
		return "this puts " + user + " into the team " + team + " of the GitHub organisation " + org + ", with all that the team may do"
	})
}

// removeFromTeam is "team rm".
func (p *People) removeFromTeam(c *gin.Context) error {
	return p.membership(c, scopes.RemoveFromTeam, func(user, team, org string, _ bool) string {
		return "this takes " + user + " out of the team " + team + " of the GitHub organisation " + org
	})
}

func (p *People) membership(c *gin.Context, verb scopes.PeopleVerb, say func(user, team, org string, invited bool) string) error {
	var asked struct{ User string }
	who, err := p.wish(c, &asked)
	if err != nil {
		return err
	}
	org, team, err := p.team(c)
	if err != nil {
		return err
	}
	user, err := login(asked.User)
	if err != nil {
		return err
	}
	change := scopes.PeopleChange{What: verb, Org: org, Team: team, Login: user}
	outcome, err := p.change(c, who, "", change, "change who is in the team "+team, "team "+team+" in "+org+" or account "+user, p.teamPage(org, team))
	if err != nil {
		return err
	}
	return done(c, say(user, team, org, outcome.Invited))
}

// setMember is "org set".
func (p *People) setMember(c *gin.Context) error {
	var asked struct{ User, Role string }
	who, err := p.wish(c, &asked)
	if err != nil {
		return err
	}
	org, err := p.organisation(c)
	if err != nil {
		return err
	}
	user, err := login(asked.User)
	if err != nil {
		return err
	}
	if asked.Role == "" {
		asked.Role = role(false)
	}
	owner := asked.Role == role(true)
	if !owner && asked.Role != role(false) {
		return &packument.Invalid{Field: "role", Problem: `is neither "owner" nor "developer", which on GitHub is a member; GitHub has nothing between the two`}
	}
	change := scopes.PeopleChange{What: scopes.SetMember, Org: org, Login: user, Owner: owner}
	outcome, err := p.change(c, who, "", change, "change the members of "+org, "account "+user, p.orgPage(org))
	if err != nil {
		return err
	}
	as := "a member"
	if owner {
		as = "an owner"
	}
	said := "this makes " + user + " " + as + " of the GitHub organisation " + org
	if outcome.Invited {
		said = user + " is invited to be " + as + " of the GitHub organisation " + org + ", and is one after accepting at " + p.page("orgs", org, "invitation")
	}
	size := 0
	if members, err := p.Gate.OrgMembers(c.Request.Context(), who, org); err == nil {
		size = len(members.List)
	}
	return answer(c, map[string]any{
		"ok": true, "message": said, "user": user, "role": asked.Role, "org": map[string]any{"name": strings.ToLower(param(c, "org")), "size": size},
	}, said)
}

// removeMember is "org rm".
func (p *People) removeMember(c *gin.Context) error {
	var asked struct{ User string }
	who, err := p.wish(c, &asked)
	if err != nil {
		return err
	}
	org, err := p.organisation(c)
	if err != nil {
		return err
	}
	user, err := login(asked.User)
	if err != nil {
		return err
	}
	change := scopes.PeopleChange{What: scopes.RemoveMember, Org: org, Login: user}
	if _, err := p.change(c, who, "", change, "change the members of "+org, "member "+user, p.orgPage(org)); err != nil {
		return err
	}
	c.Writer.Header().Set("Npm-Notice", "this takes "+user+" out of the GitHub organisation "+org+", with all that came with it")
	c.Writer.Header().Set("Cache-Control", "no-store")
	c.Status(http.StatusNoContent)
	c.Writer.WriteHeaderNow()
	return nil
}
