package config

import (
	"log/slog"
	"net/netip"
)

// key is one configuration key: all that is known about it is here.
type key struct {
	name    string // as documented; compared without regard to case
	def     string // the default, as it would be written
	meaning string // one line; no backquotes (pflag reads them) and no bars (Markdown does)
	kind
}

// later names sections of the founding document that a later version will read.
var later = map[string]string{
	"storage.s3":        "storage in S3 is not implemented in this version yet",
	"metadata.postgres": "metadata in PostgreSQL is not implemented in this version yet",
}

const (
	minPublish = 64 << 10
	maxPublish = 64 << 30
)

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
	{"auth.github.cache.path", "./data/github-cache",
		"The folder for cached answers from GitHub. Reserved: this version keeps them in memory only.",
		path(func(c *Config) *string { return &c.Auth.GitHub.Cache.Path })},

	{"metadata.type", "leveldb",
		"What remembers packages and versions: leveldb.",
		oneOf(func(c *Config) *MetadataType { return &c.Metadata.Type }, []string{"postgres"}, MetadataLevelDB)},
	{"metadata.leveldb.path", "./data/db",
		"The folder of the LevelDB database.",
		path(func(c *Config) *string { return &c.Metadata.LevelDB.Path })},

	{"storage.type", "local",
		"What keeps the tarballs: local.",
		oneOf(func(c *Config) *StorageType { return &c.Storage.Type }, []string{"s3"}, StorageLocal)},
	{"storage.local.path", "./data/storage",
		"The folder of the tarballs.",
		path(func(c *Config) *string { return &c.Storage.Local.Path })},

	{"packages.global", "redirect",
		"Names without a namespace: redirect (reads go to packages.global_registry), deny, or local (they are packages of this registry).",
		oneOf(func(c *Config) *GlobalNames { return &c.Packages.Global }, nil, GlobalRedirect, GlobalDeny, GlobalLocal)},
	{"packages.global_registry", "https://registry.npmjs.org/",
		"The public registry that reads of names without a namespace are redirected to.",
		address(func(c *Config) *string { return &c.Packages.GlobalRegistry }, urlRule{slash: true})},
}
