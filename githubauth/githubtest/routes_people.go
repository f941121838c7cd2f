package githubtest

// peopleTable is the part of the REST API by which people, teams and their access are shown and changed.
var peopleTable = []route{
	{pattern: "GET /user/orgs", docs: "orgs/orgs#list-organizations-for-the-authenticated-user", scopes: "admin:org, read:org, user, write:org", serve: listUserOrgs},
	{pattern: "GET /user/emails", docs: "users/emails#list-email-addresses-for-the-authenticated-user", scopes: "user, user:email", needs: "emails=read", serve: listEmails},
	{pattern: "PATCH /user/memberships/orgs/{org}", docs: "orgs/members#update-an-organization-membership-for-the-authenticated-user", scopes: "admin:org, write:org", serve: acceptMembership},
	{pattern: "GET /user/repository_invitations", docs: "collaborators/invitations#list-repository-invitations-for-the-authenticated-user", scopes: "repo, repo:invite", serve: listInvitations},
	{pattern: "PATCH /user/repository_invitations/{invitation}", docs: "collaborators/invitations#accept-a-repository-invitation", scopes: "repo, repo:invite", serve: acceptInvitation},

	{pattern: "GET /orgs/{org}/members", docs: "orgs/members#list-organization-members", scopes: "admin:org, read:org, write:org", needs: "members=read", serve: listMembers},
	{pattern: "GET /orgs/{org}/memberships/{username}", docs: "orgs/members#get-organization-membership-for-a-user", scopes: "admin:org, read:org, write:org", needs: "members=read", serve: getMembership},
	{pattern: "PUT /orgs/{org}/memberships/{username}", docs: "orgs/members#set-organization-membership-for-a-user", scopes: "admin:org", needs: "members=write", serve: putMembership},
	{pattern: "DELETE /orgs/{org}/memberships/{username}", docs: "orgs/members#remove-organization-membership-for-a-user", scopes: "admin:org", needs: "members=write", serve: deleteMembership},
	{pattern: "GET /orgs/{org}/teams", docs: "teams/teams#list-teams", scopes: "admin:org, read:org, write:org", needs: "members=read", serve: listTeams},
	{pattern: "POST /orgs/{org}/teams", docs: "teams/teams#create-a-team", scopes: "admin:org", needs: "members=write", serve: createTeam},
	{pattern: "GET /orgs/{org}/teams/{team}", docs: "teams/teams#get-a-team-by-name", scopes: "admin:org, read:org, write:org", needs: "members=read", serve: getTeam},
	{pattern: "DELETE /orgs/{org}/teams/{team}", docs: "teams/teams#delete-a-team", scopes: "admin:org", needs: "members=write", serve: removeTeam},
	{pattern: "GET /orgs/{org}/teams/{team}/members", docs: "teams/members#list-team-members", scopes: "admin:org, read:org, write:org", needs: "members=read", serve: listTeamMembers},
	{pattern: "GET /orgs/{org}/teams/{team}/memberships/{username}", docs: "teams/members#get-team-membership-for-a-user", scopes: "admin:org, read:org, write:org", needs: "members=read", serve: getTeamMembership},
	{pattern: "PUT /orgs/{org}/teams/{team}/memberships/{username}", docs: "teams/members#add-or-update-team-membership-for-a-user", scopes: "admin:org", needs: "members=write", serve: putTeamMembership},
	{pattern: "DELETE /orgs/{org}/teams/{team}/memberships/{username}", docs: "teams/members#remove-team-membership-for-a-user", scopes: "admin:org", needs: "members=write", serve: deleteTeamMembership},
	{pattern: "GET /orgs/{org}/teams/{team}/repos", docs: "teams/teams#list-team-repositories", scopes: "admin:org, read:org, write:org", needs: "members=read", serve: listTeamRepos},
	{pattern: "GET /orgs/{org}/teams/{team}/repos/{owner}/{repo}", docs: "teams/teams#check-team-permissions-for-a-repository", scopes: "admin:org, read:org, write:org, repo", needs: "members=read,metadata=read", serve: checkTeamRepo},
	{pattern: "PUT /orgs/{org}/teams/{team}/repos/{owner}/{repo}", docs: "teams/teams#add-or-update-team-repository-permissions", scopes: "repo", needs: "administration=write,members=read", serve: putTeamRepo},
	{pattern: "DELETE /orgs/{org}/teams/{team}/repos/{owner}/{repo}", docs: "teams/teams#remove-a-repository-from-a-team", scopes: "repo", needs: "administration=write,members=read", serve: deleteTeamRepo},
	{pattern: "GET /repos/{owner}/{repo}/collaborators", docs: "collaborators/collaborators#list-repository-collaborators", scopes: "read:org, repo", needs: "metadata=read", serve: listCollaborators},
	{pattern: "GET /repos/{owner}/{repo}/collaborators/{username}", docs: "collaborators/collaborators#check-if-a-user-is-a-repository-collaborator", scopes: "read:org, repo", needs: "metadata=read", serve: checkCollaborator},
	{pattern: "PUT /repos/{owner}/{repo}/collaborators/{username}", docs: "collaborators/collaborators#add-a-repository-collaborator", scopes: "repo", needs: "administration=write", serve: putCollaborator},
	{pattern: "DELETE /repos/{owner}/{repo}/collaborators/{username}", docs: "collaborators/collaborators#remove-a-repository-collaborator", scopes: "repo", needs: "administration=write", serve: deleteCollaborator},
}
