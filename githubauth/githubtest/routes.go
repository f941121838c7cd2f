package githubtest

import (
	"net/http"
	"slices"
	"strings"
)

// table and peopleTable are everything of the REST API that is served. Each route below /repos/{owner}/{repo} is also served
// below /repositories/{id}, where redirects of renamed repositories lead.
var table = []route{
	{pattern: GetUser, docs: "users/users#get-the-authenticated-user", serve: getAuthenticatedUser},
	{pattern: "GET /user/{id}", docs: "users/users#get-a-user-using-their-id", serve: getUserByID},
	{pattern: "GET /users/{username}", docs: "users/users#get-a-user", serve: getUser},
	{pattern: "GET /user/repos", docs: "repos/repos#list-repositories-for-the-authenticated-user", needs: "metadata=read", serve: listUserRepos},
	{pattern: "GET /orgs/{org}/repos", docs: "repos/repos#list-organization-repositories", scopes: "admin:org, read:org, repo, user, write:org", needs: "metadata=read", serve: listOrgRepos},
	{pattern: GetInstallationRepos, docs: "apps/installations#list-repositories-accessible-to-the-app-installation", needs: "metadata=read", serve: listInstallationRepos},

	{pattern: GetRepo, docs: "repos/repos#get-a-repository", scopes: "repo", needs: "metadata=read", serve: getRepo},
	{pattern: GetBranches, docs: "branches/branches#list-branches", needs: "contents=read", serve: listBranches},
	{pattern: GetCollaborator, docs: "collaborators/collaborators#get-repository-permissions-for-a-user", needs: "metadata=read", serve: getCollaboratorPermission},
	{pattern: GenerateNotes, docs: "releases/releases#generate-release-notes-content-for-a-release", scopes: "repo", needs: "contents=write", serve: generateNotes},
	{pattern: "POST /repos/{owner}/{repo}/git/refs", docs: "git/refs#create-a-reference", scopes: "repo", needs: "contents=write; contents=write,workflows=write", serve: createRef},
	{pattern: DeleteRef, docs: "git/refs#delete-a-reference", scopes: "repo", needs: "contents=write", serve: deleteRef},

	{pattern: "GET /app", docs: "apps/apps#get-the-authenticated-app", app: true, serve: getApp},
	{pattern: "GET /app/installations", docs: "apps/apps#list-installations-for-the-authenticated-app", app: true, serve: listInstallations},
	{pattern: "GET /app/installations/{installation}", docs: "apps/apps#get-an-installation-for-the-authenticated-app", app: true, serve: getInstallation},
	{pattern: CreateInstallationToken, docs: "apps/apps#create-an-installation-access-token-for-an-app", app: true, serve: createInstallToken},
	{pattern: "GET /orgs/{org}/installation", docs: "apps/apps#get-an-organization-installation-for-the-authenticated-app", app: true, serve: getAccountInstallation},
	{pattern: "GET /users/{username}/installation", docs: "apps/apps#get-a-user-installation-for-the-authenticated-app", app: true, serve: getAccountInstallation},
	{pattern: "GET /repos/{owner}/{repo}/installation", docs: "apps/apps#get-a-repository-installation-for-the-authenticated-app", app: true, serve: getRepoInstallation},
	{pattern: "GET /user/installations", docs: "apps/installations#list-app-installations-accessible-to-the-user-access-token", serve: listUserInstallations},
	{pattern: "DELETE /installation/token", docs: "apps/installations#revoke-an-installation-access-token", serve: deleteInstallToken},

	{pattern: "POST /applications/{client_id}/token", docs: "apps/oauth-applications#check-a-token", serve: checkToken},
	{pattern: "PATCH /applications/{client_id}/token", docs: "apps/oauth-applications#reset-a-token", serve: resetToken},
	{pattern: "DELETE /applications/{client_id}/token", docs: "apps/oauth-applications#delete-an-app-token", serve: deleteToken},
	{pattern: "DELETE /applications/{client_id}/grant", docs: "apps/oauth-applications#delete-an-app-authorization", serve: deleteGrant},
	{pattern: "POST /credentials/revoke", docs: "credentials/revoke#revoke-a-list-of-credentials", serve: revokeCredentials},

	{pattern: "GET /rate_limit", docs: "rate-limit/rate-limit#get-rate-limit-status-for-the-authenticated-user", free: true, serve: getRateLimit},
	{pattern: "GET /meta", docs: "meta/meta#get-apiname-meta-information", serve: getMeta},
	{pattern: PostGraphQL, docs: "graphql", serve: postGraphQL},
	{pattern: "/", serve: nothing},
}

// nothing is GitHub's answer to an unknown path, and to a method that a path doesn't have.
func nothing(*GitHub, *call) answer { return *notFound() }

const byName, byID = " /repos/{owner}/{repo}", " /repositories/{id}"

func (g *GitHub) routes() *http.ServeMux {
	mux := http.NewServeMux()
	for _, rt := range slices.Concat(table, peopleTable) {
		pattern := rt.pattern
		if pattern == "/" {
			rt.pattern = unknownRoute
		}
		mux.HandleFunc(pattern, g.handle(rt))
		if strings.Contains(pattern, byName) {
			rt.pattern = strings.Replace(pattern, byName, byID, 1)
			mux.HandleFunc(rt.pattern, g.handle(rt))
		}
	}
	for name, serve := range site {
		mux.HandleFunc(name, g.siteHandler(name, serve))
	}
	mux.HandleFunc("GET /{owner}/{repo}/info/refs", g.serveGit)
	return mux
}
