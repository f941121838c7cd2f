package githubtest

import (
	"net/http"
	"strings"
)

// table is everything of the REST API that is served. Each route below /repos/{owner}/{repo} is also served
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
	for _, rt := range table {
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
	mux.HandleFunc("GET /{owner}/{repo}/info/refs", g.serveGit)
	return mux
}
