package config

import (
	"log/slog"
	"net/netip"
	"time"
)

// key is one configuration key: all that is known about it is here.
type key struct {
	name    string // as documented; compared without regard to case
	def     string // the default, as it would be written
	meaning string // one line; no backquotes (pflag reads them) and no bars (Markdown does)
	kind
}

// forEach is a segment of the name of a key that may be set for each namespace by itself. Such a key stands for one key per namespace
// that a source names; see each.go.
const forEach = "NAMESPACE"

// later names sections of the founding document that a later version will read.
var later = map[string]string{
	"metadata.postgres": "metadata in PostgreSQL is not implemented in this version yet",
}

const (
	minPublish = 64 << 10
	maxPublish = 64 << 30
)

// publicRegistry is npm's own. It is named here and nowhere else.
const publicRegistry = "https://registry.npmjs.org/"

// schema lists the keys in the order in which they are shown.
var schema = []key{
	{"server.host", "0.0.0.0",
		"The address or host name to listen on; 0.0.0.0 is every address of the machine. With auth.type none and no host set: 127.0.0.1.",
		hostKind(func(c *Config) *string { return &c.Server.Host })},
	{"server.port", "3000",
		"The port to listen on; 0 takes any free one.",
		integer(func(c *Config) *int { return &c.Server.Port }, 0, 65535)},
	{"server.url", "",
		"The public address, as clients write it, for links inside documents. Unset: the address that each request was sent to.",
		address(func(c *Config) *string { return &c.Server.URL }, urlRule{slash: true, optional: true})},
	{"server.trusted_proxies", "",
		"Addresses or networks (CIDR) of the proxies in front of the registry; forwarded headers from anybody else are ignored.",
		prefixes(func(c *Config) *[]netip.Prefix { return &c.Server.TrustedProxies })},
	{"server.max_publish_bytes", "512MiB",
		"The largest request body of a publish. A tarball travels as base64, 1.34 times its size, so 512MiB lets tarballs of about 380MiB pass.",
		size(func(c *Config) *int64 { return &c.Server.MaxPublishBytes }, minPublish, maxPublish)},

	{"logger.level", "info",
		"The least important messages to log: debug, info, warn or error.",
		level(func(c *Config) *slog.Level { return &c.Logger.Level })},
	{"logger.format", "text",
		"The form of a log line: text or json.",
		oneOf(func(c *Config) *LogFormat { return &c.Logger.Format }, nil, LogText, LogJSON)},

	{"settings.allow_previous_version", "false",
		"Allow publishing over a version that exists, with a warning in the log. Lock files of those who installed it break. Not recommended.",
		toggle(func(c *Config) *bool { return &c.Settings.AllowPreviousVersion })},

	{"auth.type", "github",
		"Who decides what callers may do: github, or none, which lets everybody do everything.",
		oneOf(func(c *Config) *AuthType { return &c.Auth.Type }, nil, AuthGitHub, AuthNone)},
	{"auth.github.host", "github.com",
		"The GitHub instance: github.com, SUBDOMAIN.ghe.com, or the host name of a GitHub Enterprise Server.",
		githubHost(func(c *Config) *string { return &c.Auth.GitHub.Host })},
	{"auth.github.api_url", "",
		"GitHub's REST API. Unset: follows from auth.github.host. Receives tokens, so https except on loopback.",
		address(func(c *Config) *string { return &c.Auth.GitHub.APIURL }, urlRule{tokens: true, optional: true})},
	{"auth.github.web_url", "",
		"GitHub's web and git address. Unset: follows from auth.github.host. Receives tokens, so https except on loopback.",
		address(func(c *Config) *string { return &c.Auth.GitHub.WebURL }, urlRule{tokens: true, optional: true})},
	{"auth.github.orgs", "",
		"The GitHub owners whose @namespaces this registry serves. Empty: every @namespace belongs to this registry, and nothing scoped is ever redirected.",
		owners(func(c *Config) *[]string { return &c.Auth.GitHub.Orgs })},
	{"auth.github.namespaces", "",
		"Namespaces that stand for an owner of another name, as NAMESPACE=OWNER; in a file also as a section with a line for each.",
		pairs(func(c *Config) *map[string]string { return &c.Auth.GitHub.Namespaces }, namespaceName, "namespace", parseOwner, "a GitHub user or organisation")},
	{"auth.github.public_packages", "anonymous",
		"Who may read the packages of public repositories: anonymous, which is everybody, or authenticated, which is everybody with a GitHub token.",
		oneOf(func(c *Config) *PublicPackages { return &c.Auth.GitHub.PublicPackages }, nil, PublicAnonymous, PublicAuthenticated)},
	{"auth.github.stale", "15m",
		"While GitHub cannot be asked, how old an answer may be that still lets somebody read what they could read then; 0 is never. Writes always ask.",
		duration(func(c *Config) *time.Duration { return &c.Auth.GitHub.Stale }, 0, 24*time.Hour)},
	{"auth.github.cache.path", "./data/github-cache",
		"The folder in which answers from GitHub outlast a restart, sealed under a key that is kept with the metadata. Empty: they are kept in memory only.",
		optionalPath(func(c *Config) *string { return &c.Auth.GitHub.Cache.Path })},
	{"auth.github.app.id", "",
		"The number of a GitHub App (App ID), as which the registry asks for public facts. Without one it asks with a token of its own, as an OAuth app, or as nobody.",
		word(func(c *Config) *string { return &c.Auth.GitHub.App.ID }, appNumber, "the number of a GitHub App, such as 123456")},
	{"auth.github.app.private_key", "",
		"The private key of that App, as the PEM file that GitHub hands out; usually named by the variable with _FILE.",
		secret(func(c *Config) *Secret { return &c.Auth.GitHub.App.PrivateKey })},
	{"auth.github.token", "",
		"A GitHub token of the registry's own, for public facts: a classic one without any scope is enough, and lifts GitHub's limit from 60 requests an hour to 5000.",
		secret(func(c *Config) *Secret { return &c.Auth.GitHub.Token })},
	{"auth.github.oauth.client_id", "",
		"The client id of an OAuth app or a GitHub App, with which npm login works; the registry asks for public facts with it too, where it has no App and no token.",
		word(func(c *Config) *string { return &c.Auth.GitHub.OAuth.ClientID }, clientID, "the client id of an OAuth app, such as Iv1.0123456789abcdef")},
	{"auth.github.oauth.client_secret", "",
		"The client secret of that app. Unset: npm login shows a code to type into GitHub's page (the device flow), which must be enabled in the app's settings.",
		secret(func(c *Config) *Secret { return &c.Auth.GitHub.OAuth.ClientSecret })},
	{"auth.github.webhook.secret", "",
		"The secret of GitHub's webhook to /-/github/webhook, at least 16 characters. Unset: webhooks are refused.",
		secret(func(c *Config) *Secret { return &c.Auth.GitHub.Webhook.Secret })},
	{"auth.github.change_people", "true",
		"Let npm's commands about people (owner, access, org, team) change them on GitHub, with the caller's own GitHub token. false: they only list.",
		toggle(func(c *Config) *bool { return &c.Auth.GitHub.ChangePeople })},

	{"auth.github.oidc.enabled", "true",
		"Let workflows of GitHub Actions publish and install with their ID token and no stored secret: see docs/ci.md.",
		toggle(func(c *Config) *bool { return &c.Auth.GitHub.OIDC.Enabled })},
	{"auth.github.oidc.issuer", "",
		"Who issues those ID tokens, letter by letter; an enterprise may have one of its own. Unset: follows from auth.github.host.",
		issuers(func(c *Config) *[]string { return &c.Auth.GitHub.OIDC.Issuer })},
	{"auth.github.oidc.audience", "",
		"Whom those ID tokens have to be for. Unset: npm: and the host name of server.url, which is what clients ask for; with neither, none is taken.",
		items(func(c *Config) *[]string { return &c.Auth.GitHub.OIDC.Audience }, audienceName, "an audience such as npm:npm.example.org")},
	{"auth.github.oidc.events", "push,release,workflow_dispatch,schedule",
		"The events that may have started a workflow that publishes. pull_request_target, issue_comment and workflow_run run on what strangers sent.",
		items(func(c *Config) *[]string { return &c.Auth.GitHub.OIDC.Events }, eventName, "a list of events such as push, release")},
	{"auth.github.oidc.read_events", "push,release,workflow_dispatch,schedule,pull_request,merge_group",
		"The same for a workflow that installs.",
		items(func(c *Config) *[]string { return &c.Auth.GitHub.OIDC.ReadEvents }, eventName, "a list of events such as push, pull_request")},
	{"auth.github.oidc.refs", "",
		"The refs that a workflow that publishes may run for, as patterns such as refs/heads/main, refs/tags/v* or refs/heads/release/**. Empty: any.",
		items(func(c *Config) *[]string { return &c.Auth.GitHub.OIDC.Refs }, refPattern, "a list of patterns of refs such as refs/heads/main or refs/tags/v*")},
	{"auth.github.oidc.environments", "",
		"The deployment environments of which the job that publishes must run in one. Empty: any, or none.",
		items(func(c *Config) *[]string { return &c.Auth.GitHub.OIDC.Environments }, environmentName, "a list of environments such as npm")},
	{"auth.github.oidc.workflows", "",
		"The workflow files that may publish, such as release.yml; one that is called from another owner as OWNER/REPOSITORY/PATH, which needs it. Empty: any of the repository.",
		items(func(c *Config) *[]string { return &c.Auth.GitHub.OIDC.Workflows }, workflowFile, "a list of workflow files such as release.yml")},
	{"auth.github.oidc.self_hosted", "true",
		"Whether a job on a self-hosted runner may publish.",
		toggle(func(c *Config) *bool { return &c.Auth.GitHub.OIDC.SelfHosted })},

	{"auth.login.expires", "720h",
		"How long a token lasts that npm login hands out, in hours; 720h is 30 days.",
		duration(func(c *Config) *time.Duration { return &c.Auth.Login.Expires }, time.Hour, 365*24*time.Hour)},

	{"metadata.type", "leveldb",
		"What remembers packages and versions: leveldb.",
		oneOf(func(c *Config) *MetadataType { return &c.Metadata.Type }, []string{"postgres"}, MetadataLevelDB)},
	{"metadata.leveldb.path", "./data/db",
		"The folder of the LevelDB database.",
		path(func(c *Config) *string { return &c.Metadata.LevelDB.Path })},

	{"storage.type", "local",
		"What keeps the tarballs: local, or s3.",
		oneOf(func(c *Config) *StorageType { return &c.Storage.Type }, nil, StorageLocal, StorageS3)},
	{"storage.local.path", "./data/storage",
		"The folder of the tarballs. Not used with storage.type s3.",
		path(func(c *Config) *string { return &c.Storage.Local.Path })},
	{"storage.s3.accessKeyId", "",
		"The id of the access key. Unset, with the secret: the credentials that the AWS SDK finds (environment, shared files, web identity, container, instance).",
		word(func(c *Config) *string { return &c.Storage.S3.AccessKeyID }, nil, "")},
	{"storage.s3.secretAccessKey", "",
		"The secret of the access key.",
		secret(func(c *Config) *Secret { return &c.Storage.S3.SecretAccessKey })},
	{"storage.s3.region", "",
		"The region of the bucket, such as eu-central-1. Unset: with storage.s3.endpoint us-east-1, else what the AWS SDK finds.",
		word(func(c *Config) *string { return &c.Storage.S3.Region }, regionName, "the name of a region such as eu-central-1")},
	{"storage.s3.bucket", "",
		"The bucket of the tarballs, which must exist. Required with storage.type s3.",
		word(func(c *Config) *string { return &c.Storage.S3.Bucket }, bucketName, "the name of a bucket such as acme-npm")},
	{"storage.s3.prefix", "",
		"What the name of every object in the bucket begins with, such as npm/prod. Empty: nothing.",
		prefix(func(c *Config) *string { return &c.Storage.S3.Prefix })},
	{"storage.s3.endpoint", "",
		"Another S3 server than Amazon's: scheme, host and port, such as https://minio.example.org:9000.",
		address(func(c *Config) *string { return &c.Storage.S3.Endpoint }, urlRule{optional: true, bare: true})},
	{"storage.s3.path_style", "false",
		"Put the bucket into the path of addresses instead of the host name. Most servers other than Amazon's need it.",
		toggle(func(c *Config) *bool { return &c.Storage.S3.PathStyle })},
	{"storage.s3.redirect", "false",
		"Send those who fetch a tarball, and may, to the bucket, with an address that is valid for storage.s3.expires. Never to the registry's own host name.",
		toggle(func(c *Config) *bool { return &c.Storage.S3.Redirect })},
	{"storage.s3.expires", "60s",
		"How long such an address is valid: seconds, or a length of time such as 5m.",
		seconds(func(c *Config) *time.Duration { return &c.Storage.S3.Expires }, time.Second, 7*24*time.Hour)},

	{"packages.global", "redirect",
		"Names without a namespace: redirect (reads go to packages.global_registry), deny, or local (they are packages of this registry).",
		oneOf(func(c *Config) *GlobalNames { return &c.Packages.Global }, nil, GlobalRedirect, GlobalDeny, GlobalLocal)},
	{"packages.global_registry", publicRegistry,
		"The public registry that reads of names without a namespace are redirected to.",
		address(func(c *Config) *string { return &c.Packages.GlobalRegistry }, urlRule{slash: true})},
	{"packages.names", "",
		"Names without a namespace that are packages of this registry, each with its repository, as NAME=OWNER/REPOSITORY; in a file also as a section with a line for each.",
		pairs(func(c *Config) *map[string]string { return &c.Packages.Names }, unscopedName, "package name", parseRepository, "a GitHub repository such as acme/tools")},

	{"namespaces.NAMESPACE.public_packages", "",
		"auth.github.public_packages for one namespace, such as namespaces.acme.public_packages. No flag.",
		kind{each: func(ns string) kind {
			return oneOf(func(c *Config) *PublicPackages { return &c.namespace(ns).PublicPackages }, nil, PublicAnonymous, PublicAuthenticated)
		}}},
	{"namespaces.NAMESPACE.allow_previous_version", "",
		"settings.allow_previous_version for one namespace. No flag.",
		kind{each: func(ns string) kind {
			return toggle(func(c *Config) *bool { return &c.namespace(ns).AllowPreviousVersion })
		}}},

	{"namespaces.NAMESPACE.oidc.events", "",
		"auth.github.oidc.events for one namespace. No flag.",
		kind{each: func(ns string) kind {
			return items(func(c *Config) *[]string { return &c.namespace(ns).OIDC.Events }, eventName, "a list of events such as push, release")
		}}},
	{"namespaces.NAMESPACE.oidc.refs", "",
		"auth.github.oidc.refs for one namespace. No flag.",
		kind{each: func(ns string) kind {
			return items(func(c *Config) *[]string { return &c.namespace(ns).OIDC.Refs }, refPattern, "a list of patterns of refs such as refs/heads/main or refs/tags/v*")
		}}},
	{"namespaces.NAMESPACE.oidc.environments", "",
		"auth.github.oidc.environments for one namespace. No flag.",
		kind{each: func(ns string) kind {
			return items(func(c *Config) *[]string { return &c.namespace(ns).OIDC.Environments }, environmentName, "a list of environments such as npm")
		}}},
	{"namespaces.NAMESPACE.oidc.workflows", "",
		"auth.github.oidc.workflows for one namespace. No flag.",
		kind{each: func(ns string) kind {
			return items(func(c *Config) *[]string { return &c.namespace(ns).OIDC.Workflows }, workflowFile, "a list of workflow files such as release.yml")
		}}},
	{"namespaces.NAMESPACE.oidc.self_hosted", "",
		"auth.github.oidc.self_hosted for one namespace. No flag.",
		kind{each: func(ns string) kind {
			return toggle(func(c *Config) *bool { return &c.namespace(ns).OIDC.SelfHosted })
		}}},

	{"metrics.listen", "",
		"The address and port for metrics alone, such as 127.0.0.1:9464, at /-/metrics. Empty: none.",
		listenAddress(func(c *Config) *string { return &c.Metrics.Listen })},
	{"metrics.token", "",
		"The token, at least 16 characters, with which /-/metrics may be read at the registry's own address (Authorization: Bearer). Unset: it is not there.",
		secret(func(c *Config) *Secret { return &c.Metrics.Token })},

	{"limits.requests_per_token", "30000",
		"How many requests a minute one token gets answered, 429 after that; 0 is any number. A cold install of 2000 packages makes about 4000.",
		integer(func(c *Config) *int { return &c.Limits.RequestsPerToken }, 0, 100_000_000)},
	{"limits.requests_per_address", "60000",
		"The same for one address, whatever its tokens; an IPv6 network of 64 bits is one address. Behind a proxy, set server.trusted_proxies.",
		integer(func(c *Config) *int { return &c.Limits.RequestsPerAddress }, 0, 100_000_000)},
}
