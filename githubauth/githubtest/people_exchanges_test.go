package githubtest

import "fmt"

// peopleExchanges are in an order: later ones see what earlier ones changed.
func peopleExchanges(f *Fixture, tokens map[string]string) []exchange {
	f.AddUser("nora")
	all := []string{"repo", "admin:org", "user", "repo:invite"}
	tokens["owner"] = f.Token(Classic{User: "ada", Scopes: all})
	tokens["member"] = f.Token(Classic{User: "wendy", Scopes: all})
	tokens["nora"] = f.Token(Classic{User: "nora", Scopes: all})
	tokens["unscoped"] = f.WendyScopes
	f.AddToTeam("acme", "Core", "rita")
	f.AddRepo("nora/own", Public)
	const member, membership = "/orgs/{org}/members", "/orgs/{org}/memberships/{username}"
	const teams, team = "/orgs/{org}/teams", "/orgs/{org}/teams/{team_slug}"
	const inTeam, teamRepos, teamRepo = team + "/memberships/{username}", team + "/repos", team + "/repos/{owner}/{repo}"
	const collaborators, collaborator = "/repos/{owner}/{repo}/collaborators", "/repos/{owner}/{repo}/collaborators/{username}"
	const invitations = "/user/repository_invitations"
	return []exchange{
		{"member", "GET /user/orgs", "", "/user/orgs", 200, ""},
		{"unscoped", "GET /user/orgs", "", "/user/orgs", 403, ""},
		{"nobody", "GET /user/orgs", "", "/user/orgs", 401, ""},
		{"member", "GET /user/emails", "", "/user/emails", 200, ""},
		{"unscoped", "GET /user/emails", "", "/user/emails", 404, ""},
		{"fine", "GET /user/emails", "", "/user/emails", 403, ""},

		{"member", "GET /orgs/acme/members?role=admin", "", member, 200, ""},
		{"nobody", "GET /orgs/acme/members", "", member, 200, ""},
		{"member", "GET /orgs/acme/memberships/rita", "", membership, 200, ""},
		{"nora", "GET /orgs/acme/memberships/rita", "", membership, 403, ""},
		{"member", "GET /orgs/acme/memberships/nora", "", membership, 404, ""},
		{"owner", "PUT /orgs/acme/memberships/nora", `{"role":"member"}`, membership, 200, ""},
		{"owner", "PUT /orgs/acme/memberships/nora", `{"role":"king"}`, membership, 422, ""},
		{"member", "PUT /orgs/acme/memberships/nora", `{}`, membership, 403, ""},
		{"nora", "PATCH /user/memberships/orgs/acme", `{"state":"active"}`, "/user/memberships/orgs/{org}", 200, ""},
		{"owner", "DELETE /orgs/acme/memberships/nora", "", membership, 204, ""},
		{"owner", "DELETE /orgs/acme/memberships/nora", "", membership, 404, ""},
		{"member", "DELETE /orgs/acme/memberships/rita", "", membership, 403, ""},

		{"member", "GET /orgs/acme/teams", "", teams, 200, ""},
		{"nora", "GET /orgs/acme/teams", "", teams, 403, ""},
		{"member", "POST /orgs/acme/teams", `{"name":"New Ones"}`, teams, 201, ""},
		{"member", "POST /orgs/acme/teams", `{"name":"new-ones"}`, teams, 422, ""},
		{"nora", "POST /orgs/acme/teams", `{"name":"x"}`, teams, 403, ""},
		{"member", "GET /orgs/acme/teams/core", "", team, 200, ""},
		{"member", "GET /orgs/acme/teams/nothing", "", team, 404, ""},
		{"member", "GET /orgs/acme/teams/core/members", "", team + "/members", 200, ""},
		{"member", "GET /orgs/acme/teams/core/memberships/rita", "", inTeam, 200, ""},
		{"member", "GET /orgs/acme/teams/core/memberships/ada", "", inTeam, 404, ""},
		{"member", "PUT /orgs/acme/teams/new-ones/memberships/rita", `{"role":"maintainer"}`, inTeam, 200, ""},
		{"member", "PUT /orgs/acme/teams/core/memberships/wendy", `{}`, inTeam, 403, ""},
		{"member", "DELETE /orgs/acme/teams/new-ones/memberships/rita", "", inTeam, 204, ""},
		{"member", "DELETE /orgs/acme/teams/core/memberships/rita", "", inTeam, 403, ""},
		{"owner", "PUT /orgs/acme/teams/core/repos/acme/ui", `{"permission":"push"}`, teamRepo, 204, ""},
		{"member", "PUT /orgs/acme/teams/core/repos/acme/ui", `{}`, teamRepo, 403, "basic-error"},
		{"nora", "PUT /orgs/acme/teams/core/repos/nora/own", `{}`, teamRepo, 403, "basic-error"},
		{"owner", "PUT /orgs/acme/teams/core/repos/acme/ui", `{"permission":"everything"}`, teamRepo, 422, "validation-error"},
		{"member", "GET /orgs/acme/teams/core/repos", "", teamRepos, 200, ""},
		{"member", "GET /orgs/acme/teams/core/repos/acme/ui", "", teamRepo, 204, ""},
		{"member", "GET /orgs/acme/teams/core/repos/acme/api", "", teamRepo, 404, ""},
		{"owner", "DELETE /orgs/acme/teams/core/repos/acme/ui", "", teamRepo, 204, ""},
		{"member", "DELETE /orgs/acme/teams/new-ones", "", team, 204, ""},

		{"member", "GET /repos/acme/ui/collaborators?permission=push", "", collaborators, 200, ""},
		{"rita", "GET /repos/acme/ui/collaborators", "", collaborators, 403, "basic-error"},
		{"nora", "GET /repos/acme/ui/collaborators", "", collaborators, 404, ""},
		{"member", "GET /repos/acme/ui/collaborators/rita", "", collaborator, 204, ""},
		{"member", "GET /repos/acme/ui/collaborators/nora", "", collaborator, 404, ""},
		{"owner", "PUT /repos/acme/ui/collaborators/nora", `{"permission":"push"}`, collaborator, 201, ""},
		{"owner", "PUT /repos/acme/ui/collaborators/rita", `{"permission":"triage"}`, collaborator, 204, ""},
		{"owner", "PUT /repos/acme/ui/collaborators/rita", `{"permission":"x"}`, collaborator, 422, ""},
		{"member", "PUT /repos/acme/ui/collaborators/nora", `{}`, collaborator, 403, ""},
		{"nora", "GET " + invitations, "", invitations, 200, ""},
		{"nora", fmt.Sprintf("PATCH /user/repository_invitations/%d", 1), "", invitations + "/{invitation_id}", 404, ""},
		{"owner", "DELETE /repos/acme/ui/collaborators/nora", "", collaborator, 204, ""},
		{"member", "DELETE /repos/acme/ui/collaborators/rita", "", collaborator, 403, ""},
	}
}
