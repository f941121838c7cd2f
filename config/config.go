package config

import (
	"log/slog"
	"net/netip"
	"time"
)

// Config is the validated configuration. Each field is one key of the schema.
type Config struct {
	Server   Server
	Logger   Logger
	Settings Settings
	Auth     Auth
	Metadata Metadata
	Storage  Storage
	Packages Packages
	// Namespaces are those with settings of their own, by name in lower case. What is not set for one is what holds for all.
	Namespaces map[string]*Namespace
	Metrics    Metrics
	Limits     Limits

	origin *origin
}

// Server is how the registry is reached.
type Server struct {
	Host            string         // an IP address or a host name, never empty
	Port            int            // 0: any free port
	URL             string         // "" or the public address, ending in "/"
	TrustedProxies  []netip.Prefix // masked; an address is a prefix of its full length
	MaxPublishBytes int64
}

// Logger is what is logged, and how.
type Logger struct {
	Level  slog.Level
	Format LogFormat
}

// LogFormat is the form of a log line.
type LogFormat string

const (
	LogText LogFormat = "text"
	LogJSON LogFormat = "json"
)

// Settings are the founding document's switches.
type Settings struct {
	AllowPreviousVersion bool
}

// Auth is where identities and permissions come from.
type Auth struct {
	Type   AuthType
	GitHub GitHub
	Login  Login
}

// Login is what npm login hands out.
type Login struct {
	Expires time.Duration // from when it was handed out
}

// AuthType is the source of identities and permissions.
type AuthType string

const (
	AuthGitHub AuthType = "github"
	AuthNone   AuthType = "none"
)

// GitHub is the GitHub instance that the registry asks.
type GitHub struct {
	Host   string   // lower case, with a port only if one was written: "github.com"
	APIURL string   // without a slash at the end: "https://api.github.com"
	WebURL string   // without a slash at the end: "https://github.com"
	Orgs   []string // empty: every @namespace belongs to this registry
	// Namespaces are those that stand for an owner of another name: namespace, in lower case, to owner.
	Namespaces     map[string]string
	PublicPackages PublicPackages
	Stale          time.Duration // 0: never
	Cache          GitHubCache
	App            GitHubApp
	Token          Secret
	OAuth          OAuth
	Webhook        Webhook
	ChangePeople   bool
	OIDC           OIDC
}

// OIDC is which workflows of GitHub Actions are believed.
type OIDC struct {
	Enabled    bool
	Issuer     []string
	Audience   []string // empty: there is none that could be told
	ReadEvents []string // of workflows that install
	WorkflowRules
}

// WorkflowRules are for workflows that publish. Empty lists ask for nothing, but for Events.
type WorkflowRules struct {
	Events       []string
	Refs         []string
	Environments []string
	Workflows    []string
	SelfHosted   bool
}

// PublicPackages says who may read what is public on GitHub.
type PublicPackages string

const (
	PublicAnonymous     PublicPackages = "anonymous"
	PublicAuthenticated PublicPackages = "authenticated"
)

// GitHubApp is the registry's identity as a GitHub App: both or neither.
type GitHubApp struct {
	ID         string // a number that fits int64
	PrivateKey Secret // PEM
}

// OAuth is the app that people log in with, an OAuth app or a GitHub App. A ClientSecret comes with a ClientID.
type OAuth struct {
	ClientID     string
	ClientSecret Secret
}

// Webhook is what GitHub signs its webhooks with.
type Webhook struct {
	Secret Secret
}

// GitHubCache is where answers from GitHub are kept.
type GitHubCache struct {
	Path string // "": in memory only
}

// Metadata is what remembers packages and versions.
type Metadata struct {
	Type    MetadataType
	LevelDB LevelDB
}

// MetadataType is a metadata engine.
type MetadataType string

// MetadataLevelDB is a LevelDB folder of this process.
const MetadataLevelDB MetadataType = "leveldb"

// LevelDB is the LevelDB engine's folder.
type LevelDB struct {
	Path string
}

// Storage is what keeps the tarballs.
type Storage struct {
	Type  StorageType
	Local LocalStorage
	S3    S3
}

// StorageType is a byte engine.
type StorageType string

const (
	StorageLocal StorageType = "local" // a folder on this machine
	StorageS3    StorageType = "s3"    // a bucket
)

// LocalStorage is the local engine's folder.
type LocalStorage struct {
	Path string
}

// S3 is the bucket, and how it is reached.
type S3 struct {
	AccessKeyID     string // both or neither with Type s3; neither: the SDK's default chain
	SecretAccessKey Secret
	Region          string
	Bucket          string        // not empty with Type s3
	Prefix          string        // without slashes around it
	Endpoint        string        // "" is Amazon; scheme, host and port otherwise
	PathStyle       bool          // the bucket is in the path, not in the host name
	Redirect        bool          // tarballs are fetched from the bucket
	Expires         time.Duration // of the addresses that Redirect hands out, in whole seconds
}

// Limits are how many requests a minute one caller gets answered; 0: any number.
type Limits struct {
	RequestsPerToken   int
	RequestsPerAddress int
}

// Packages is which names belong to this registry.
type Packages struct {
	Global         GlobalNames
	GlobalRegistry string // ends in "/"
	// Names are those without a namespace that belong to this registry: name to OWNER/REPOSITORY.
	Names map[string]string
}

// Namespace is what holds for one namespace.
type Namespace struct {
	PublicPackages       PublicPackages
	AllowPreviousVersion bool
	OIDC                 WorkflowRules
}

// namespace returns the settings of a namespace, to be filled.
func (c *Config) namespace(name string) *Namespace {
	if c.Namespaces == nil {
		c.Namespaces = map[string]*Namespace{}
	}
	n := c.Namespaces[name]
	if n == nil {
		n = new(Namespace)
		c.Namespaces[name] = n
	}
	return n
}

// Metrics is who may read them, and where.
type Metrics struct {
	Listen string // "" or host:port
	Token  Secret
}

// GlobalNames says what happens to names without a namespace.
type GlobalNames string

const (
	GlobalRedirect GlobalNames = "redirect" // reads are redirected to Packages.GlobalRegistry
	GlobalDeny     GlobalNames = "deny"     // they don't exist here
	GlobalLocal    GlobalNames = "local"    // they are packages of this registry
)

// Entry is one key as `gatehouse config print` shows it.
type Entry struct {
	Key     string
	Value   string // redacted if the key is a secret
	Source  string // "default", "FILE:LINE", a variable, a flag, or the key that it follows from
	Meaning string
}

// origin is where a Config came from. It sits behind a pointer so that printing a Config doesn't print it.
type origin struct {
	schema []key
	from   map[string]string // by key name
	file   string
}

// Entries lists every key with its value and where the value came from, in the schema's order.
func (c *Config) Entries() []Entry {
	if c.origin == nil {
		return nil
	}
	entries := make([]Entry, 0, len(c.origin.schema))
	for _, k := range c.origin.schema {
		entries = append(entries, Entry{Key: k.name, Value: k.show(c), Source: c.origin.from[k.name], Meaning: k.meaning})
	}
	return entries
}

// Source says where the value of a key came from, in Entry's words; "" if there is no such key.
func (c *Config) Source(key string) string {
	if c.origin == nil {
		return ""
	}
	return c.origin.from[key]
}

// File is the configuration file that was read; "" if none was.
func (c *Config) File() string {
	if c.origin == nil {
		return ""
	}
	return c.origin.file
}
