// Package githubtest is a fake GitHub with a memory: people, organizations, repositories, roles and
// credentials that can be changed while it answers. Tests of everything above package githubauth run against
// it, and `gatehouse demo` shows gatehouse with it.
//
// A test says who may do what, mints tokens and asks:
//
//	f := githubtest.Acme().Start()
//	defer f.Close()
//	// f.APIURL(), f.GraphQLURL(), f.URL(), f.Wendy, f.ActionsReads …
//	f.Revoke("wendy", "acme/ui")
//
// # What it imitates
//
// Section names are those of docs.github.com; github.md § refers to the notes they were gathered in, with
// threads that measured what the documentation leaves open.
//
//   - Token formats ("About authentication to GitHub", Token formats; github.md §1.1): ghp_, gho_, ghu_ and
//     old ghs_ with the right CRC-32, fine-grained github_pat_, the long stateless ghs_ of 2026, and 40 hex
//     digits.
//   - Authentication ("Authenticating to the REST API"): Bearer, token and Basic; 401 for bad credentials;
//     the failed login limit; single sign-on, and the policies of organizations that refuse a good token
//     (github.md §1.2).
//   - What a role and a token's reach allow together (github.md §1.3): scopes ("Scopes for OAuth apps"),
//     repository permissions ("Permissions required for fine-grained personal access tokens"), roles
//     ("Repository roles for an organization"). A repository shows the person's role in `permissions`, never
//     the token's reach; an installation token is shown all false, whatever it may do. This is the trap the
//     fake exists for.
//   - Hiding: 404 for private repositories ("Troubleshooting the REST API"), 401 in git without a credential.
//   - Names: case-insensitive; redirects after renames and transfers to the repository's id ("Renaming a
//     repository", "Best practices for using the REST API"), which end when somebody takes the name; a
//     recreated repository has a new id.
//   - Conditional requests ("Best practices", Use conditional requests): entity tags that differ between
//     tokens, 304 that is not charged, and a Last-Modified that a change of role does not touch.
//   - Rate limits ("Rate limits for the REST API", "Rate limits and query limits for the GraphQL API"): per
//     user, installation, repository of a workflow, OAuth app and address.
//   - Headers, error bodies and pagination. The answers of every REST route are held against GitHub's OpenAPI
//     description in openapi_test.go: right fields, right types, none invented.
//   - Probes: the routes by which a caller learns whether it may read or write without changing anything
//     (github.md §1.4), with git's first request among them. Real git can ls-remote and push --dry-run here.
//   - GraphQL: viewer, node, nodes, repository with its collaborators, and rateLimit, with aliases, variables
//     and fragments, partial answers included: policies of organizations are errors beside the data of the
//     rest, and single sign-on is announced in the header too (cli/cli#7881). RefuseGraphQL turns it off.
//   - GitHub Apps ("Authenticating with a GitHub App"): their JWTs with RS256, at most ten minutes; where they
//     are installed, suspended or not; installation tokens for an hour, narrowed to repositories and
//     permissions if asked, which lose what the installation loses.
//   - Webhooks ("Webhook events and payloads", "Validating webhook deliveries"): changes made here are told to
//     the hooks that AddHook registered, signed, in order and once; what GitHub has no event for (base
//     permissions, single sign-on, internal to private…) is told to nobody. The bodies are held against
//     GitHub's description too. Deliveries go to loopback addresses only.
//   - Logins ("Authorizing OAuth apps", "Generating a user access token for a GitHub App"): the web flow with
//     state, PKCE by S256, exact callbacks and prompt; the device flow; codes that are good once, for ten
//     minutes; gho_ tokens that stay and whose scopes add up, at most ten of a kind; ghu_ tokens for eight
//     hours with ghr_ tokens that are good once; the app's questions about its own tokens, and their end.
//     There is no password: the pages have a button for everybody, and AuthorizeAs and AuthorizeDevice do
//     what a person does there.
//   - Actions ID tokens ("OpenID Connect reference"): issuer, keys and their rotation, all claims of a job, and
//     the address a job asks at. ActionsEnv is the environment that npm finds in a job.
//   - People, teams and collaborators (github.md §7): lists and changes with GitHub's rules about roles, scopes
//     and the permissions members and administration; invitations grant nothing before they are accepted.
//
// It answers at three kinds of address at once: the API below / as on api.github.com, the API below /api/v3
// and /api/graphql as on an Enterprise Server, and git below /{owner}/{repo}.git as on github.com. Links in
// answers lead back to where the request came in.
//
// # What it does not
//
// There are no other pages, no contents: every repository has one commit that can't be fetched, and a change
// of contents that would succeed is answered and forgotten. Every organization is in one enterprise. Secondary
// limits are never met by themselves, only as a Fault; GraphQL queries cost one point. Tokens minted by Token
// do not expire unless told to. There are no custom roles, forks, nested teams, branch protection or rulesets.
// GraphQL knows neither introspection nor directives, and lets databaseId be asked of a repository's owner
// without a fragment.
//
// Where nobody has published what GitHub does, the fake takes the answer that gives a caller less:
// viewerPermission is null for installation tokens, a pending fine-grained token reads what is public, 404
// hides a former name from those who may not see the repository, a scope that is missing on a route of an
// organization is a 404, every membership is concealed. Invitations to organizations send no webhook. OAuth
// redirects want exactly a registered callback, where GitHub lets the path go deeper.
//
// # Shape
//
// Handlers are functions from a consistent state to an answer, run under one lock (serve.go). What a caller may
// do is decided in access.go and access_org.go only. The tables in routes.go and routes_people.go are the whole
// REST API, the one in site.go the rest of the site. Changes tell webhooks of themselves (hook_event.go).
package githubtest
