package people

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"gatehouse/scopes"
)

// forCLI tells npm, which says so of its lists, from pnpm, which for the same lists wants other shapes.
func forCLI(c *gin.Context) bool { return c.Query("format") == "cli" }

// cut is the notice under a list that is longer than what is asked of GitHub.
func cut(is bool, count int, page string) string {
	if !is {
		return ""
	}
	return "these are the first " + strconv.Itoa(count) + "; all of them: " + page
}

// word is npm's for a permission.
func word(p scopes.Permission) string {
	if p >= scopes.Write {
		return "write"
	}
	return "read"
}

// collaborators is "access list collaborators": a map for npm, a list for pnpm 12, which asks for it with format=cli.
func (p *People) collaborators(c *gin.Context) error {
	head, who, err := p.Ways.Read(c)
	if err != nil {
		return err
	}
	repo := head.Binding.Repo
	list, err := p.Gate.Collaborators(c.Request.Context(), who, repo)
	if err != nil {
		return told(err, who, "see who can work on "+repo.String(), "repository "+repo.String(), p.repoPage(repo))
	}
	notice := cut(list.Cut, len(list.List), p.repoPage(repo))
	if forCLI(c) {
		type collaborator struct {
			User        string `json:"user"`
			Permissions string `json:"permissions"`
		}
		array := make([]collaborator, 0, len(list.List))
		for _, m := range list.List {
			array = append(array, collaborator{m.Login, word(m.Permission)})
		}
		return answer(c, array, notice)
	}
	object := make(map[string]string, len(list.List))
	for _, m := range list.List {
		object[m.Login] = word(m.Permission)
	}
	return answer(c, object, notice)
}

// user is what "owner add" and "owner rm" ask of somebody before anything else: how they are written, and an address.
func (p *People) user(c *gin.Context) error {
	who, err := p.Ways.Caller(c)
	if err != nil {
		return err
	}
	asked := strings.TrimPrefix(param(c, "user"), "org.couchdb.user:")
	if !scopes.ValidLogin(asked) {
		return refuse(http.StatusNotFound, "that is no login of GitHub's")
	}
	account, organisation, err := p.Gate.Account(c.Request.Context(), who, asked)
	if denied := (*scopes.Denied)(nil); errors.As(err, &denied) || err == nil && organisation {
		return refuse(http.StatusNotFound, "GitHub has nobody called %s", asked)
	}
	if err != nil {
		return told(err, who, "look for "+asked, "account "+asked, p.page(asked))
	}
	return answer(c, map[string]any{
		"_id": "org.couchdb.user:" + account.Login, "name": account.Login, "email": strconv.FormatInt(account.ID, 10) + "+" + account.Login + "@" + p.MailDomain, "type": "user", "roles": []string{},
	}, "")
}

// orgMembers is "org ls".
func (p *People) orgMembers(c *gin.Context) error {
	who, org, err := p.asked(c)
	if err != nil {
		return err
	}
	list, err := p.Gate.OrgMembers(c.Request.Context(), who, org)
	if err != nil {
		return told(err, who, "see the members of "+org, "organisation "+org, p.orgPage(org))
	}
	roles := make(map[string]string, len(list.List))
	for _, m := range list.List {
		roles[m.Login] = role(m.Owner)
	}
	notice := cut(list.Cut, len(list.List), p.orgPage(org))
	if list.Takes != "" {
		notice = "these are the members of " + org + " that everybody may see; to see the others takes " + list.Takes
	}
	return answer(c, roles, notice)
}

// role is npm's word for a member of an organisation. Its third, admin, has no counterpart on GitHub.
func role(owner bool) string {
	if owner {
		return "owner"
	}
	return "developer"
}

type named struct {
	Name string `json:"name"`
}

// list answers with names: npm wants them bare, pnpm 12 in objects. prefix is what npm has before each.
func list(c *gin.Context, prefix string, names []string, notice string) error {
	if forCLI(c) {
		bare := make([]string, 0, len(names))
		for _, n := range names {
			bare = append(bare, prefix+n)
		}
		return answer(c, bare, notice)
	}
	objects := make([]named, 0, len(names))
	for _, n := range names {
		objects = append(objects, named{n})
	}
	return answer(c, objects, notice)
}

// orgTeams is "team ls @org".
func (p *People) orgTeams(c *gin.Context) error {
	who, org, err := p.asked(c)
	if err != nil {
		return err
	}
	teams, err := p.Gate.OrgTeams(c.Request.Context(), who, org)
	if err != nil {
		return told(err, who, "see the teams of "+org, "organisation "+org, p.teamsPage(org))
	}
	return list(c, param(c, "org")+":", teams.List, cut(teams.Cut, len(teams.List), p.teamsPage(org)))
}

// teamMembers is "team ls @org:team".
func (p *People) teamMembers(c *gin.Context) error {
	who, err := p.Ways.Caller(c)
	if err != nil {
		return err
	}
	org, team, err := p.team(c)
	if err != nil {
		return err
	}
	members, err := p.Gate.TeamMembers(c.Request.Context(), who, org, team)
	if err != nil {
		return told(err, who, "see the members of the team "+team, "team "+team+" in "+org, p.teamPage(org, team))
	}
	return list(c, "", logins(members.List), cut(members.Cut, len(members.List), p.teamPage(org, team)))
}

// visibility is "access get status" of npm, which also asks before it publishes with provenance: public is what everybody may install.
func (p *People) visibility(c *gin.Context) error {
	public, err := p.public(c)
	if err != nil {
		return err
	}
	return answer(c, map[string]bool{"public": public}, "")
}

// access is "access get status" of pnpm 12.
func (p *People) access(c *gin.Context) error {
	public, err := p.public(c)
	if err != nil {
		return err
	}
	status := "restricted"
	if public {
		status = "public"
	}
	return answer(c, map[string]string{"access": status}, "")
}

func (p *People) public(c *gin.Context) (bool, error) {
	head, _, err := p.Ways.Read(c)
	if err != nil {
		return false, err
	}
	return p.Gate.Everybody(c.Request.Context(), head.Name, head.Binding)
}

// setAccess is "access set status" and "access set mfa", neither of which is anybody's to set here.
func (p *People) setAccess(c *gin.Context) error {
	head, _, err := p.Ways.Change(c, param(c, "name"))
	if err != nil {
		return err
	}
	repo := head.Binding.Repo
	if head.Binding.Kind != scopes.GitHub {
		return refuse(http.StatusForbidden, "%s is bound to no repository, and its operator decides who may do what", head.Name)
	}
	return refuse(http.StatusForbidden, "%s is as public as its GitHub repository %s, and whoever can write to that can publish it, with or without a second factor as GitHub asks of them. Change it there: %s",
		head.Name, repo, p.page(repo.String(), "settings"))
}
