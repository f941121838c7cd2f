package clienttest

import (
	"fmt"
	"maps"
	"net/url"
	"strings"
)

// dialect is how one client is spoken to.
type dialect struct {
	spelling map[Verb]string               // the command of each verb, with {placeholders}
	lacks    map[Verb]string               // why there is no command for a verb
	config   func(Setup) map[string]string // files in the home folder, by name
	project  map[string]string             // files every project has, by name
	before   map[Verb]Verb                 // what has to be done first in a fresh folder
	env      []string
	// complaint begins the line in which a command says that it failed, while its exit code says it did not.
	complaint map[Verb]string
}

var npmDialect = dialect{
	spelling: map[Verb]string{
		Publish:       "publish --tag {tag}",
		Install:       "install",
		InstallFrozen: "ci",
		Add:           "install {spec}",
		View:          "view {name} {field}",
		DistTagAdd:    "dist-tag add {name}@{version} {tag}",
		DistTagRemove: "dist-tag rm {name} {tag}",
		DistTagList:   "dist-tag ls {name}",
		Whoami:        "whoami --registry {registry}",
		Ping:          "ping --registry {registry}",
		Deprecate:     "deprecate {spec} {message}",
		Undeprecate:   "deprecate {spec} {nothing}",
		Unpublish:     "unpublish {spec}",
		UnpublishAll:  "unpublish {spec} --force",
		// These don't look for the registry of a scope.
		Star:        "star {name} --registry {registry}",
		Unstar:      "unstar {name} --registry {registry}",
		Stars:       "stars {login} --registry {registry}",
		OwnerList:   "owner ls {name}",
		OwnerAdd:    "owner add {login} {name} --registry {registry}",
		OwnerRemove: "owner rm {login} {name} --registry {registry}",
		Outdated:    "outdated",
	},
	config: func(s Setup) map[string]string { return map[string]string{".npmrc": npmrc(s)} },
	env:    npmEnv,
}

// npm12Dialect is npm's since some commands were taken out.
var npm12Dialect = dialect{
	spelling: otherwise(npmDialect.spelling, map[Verb]string{Undeprecate: "undeprecate {spec}"}, Star, Unstar, Stars),
	lacks:    map[Verb]string{Star: "npm 12 has no stars", Unstar: "npm 12 has no stars", Stars: "npm 12 has no stars"},
	config:   npmDialect.config,
	env:      npmEnv,
}

// otherwise is a client's spelling with some commands changed and some taken out.
func otherwise(spelling, changed map[Verb]string, without ...Verb) map[Verb]string {
	s := maps.Clone(spelling)
	maps.Copy(s, changed)
	for _, v := range without {
		delete(s, v)
	}
	return s
}

// A refusal is final and the registry is near: waiting ten seconds to ask again only makes tests slow.
var npmEnv = []string{
	"npm_config_cache={cache}/npm",
	"npm_config_globalconfig={home}/none", // the machine's own npmrc
	"npm_config_update_notifier=false",
	"npm_config_fund=false",
	"npm_config_fetch_retries=0",
}

// npmrc is what users are told to write, and what every client but yarn 4 reads.
func npmrc(s Setup) string {
	var b strings.Builder
	if s.Global {
		fmt.Fprintf(&b, "registry=%s/\n", s.Registry)
	}
	for _, scope := range s.Scopes {
		fmt.Fprintf(&b, "%s:registry=%s/\n", scope, s.Registry)
	}
	if s.Token != "" {
		_, address, _ := strings.Cut(s.Registry, ":")
		fmt.Fprintf(&b, "%s/:_authToken=%s\n", address, s.Token)
	}
	return b.String()
}

var pnpm10Dialect = dialect{
	spelling: map[Verb]string{
		Publish:       "publish --no-git-checks --tag {tag}",
		Install:       "install",
		InstallFrozen: "install --frozen-lockfile",
		Add:           "add {spec}",
		View:          "view {name} {field}",
		DistTagAdd:    "dist-tag add {name}@{version} {tag}",
		DistTagRemove: "dist-tag rm {name} {tag}",
		DistTagList:   "dist-tag ls {name}",
		Whoami:        "whoami --registry {registry}",
		Ping:          "ping --registry {registry}",
		// These it has npm do.
		Deprecate:    "deprecate {spec} {message}",
		Undeprecate:  "deprecate {spec} {nothing}",
		Unpublish:    "unpublish {spec}",
		UnpublishAll: "unpublish {spec} --force",
		Star:         "star {name} --registry {registry}",
		Unstar:       "unstar {name} --registry {registry}",
		Stars:        "stars {login} --registry {registry}",
		OwnerList:    "owner ls {name}",
		OwnerAdd:     "owner add {login} {name} --registry {registry}",
		OwnerRemove:  "owner rm {login} {name} --registry {registry}",
		Outdated:     "outdated",
	},
	config: func(s Setup) map[string]string { return map[string]string{".npmrc": npmrc(s)} },
	env:    npmEnv,
}

var pnpm12Dialect = dialect{
	spelling: otherwise(pnpm10Dialect.spelling, map[Verb]string{
		Undeprecate: "undeprecate {spec}",
		OwnerAdd:    "owner add {name} {login}",
		OwnerRemove: "owner rm {name} {login}",
	}),
	config: func(s Setup) map[string]string {
		return map[string]string{".npmrc": npmrc(s), ".config/pnpm/config.yaml": pnpmConfig(s)}
	},
	env: npmEnv,
}

// pnpmConfig holds the settings that pnpm 12 takes from no .npmrc. By default it passes over versions
// younger than a day, which in a test is all of them.
func pnpmConfig(s Setup) string {
	var b strings.Builder
	b.WriteString("fetchRetries: 0\n")
	if s.Global {
		b.WriteString("minimumReleaseAge: 0\n")
		return b.String()
	}
	b.WriteString("minimumReleaseAgeExclude:\n")
	for _, scope := range s.Scopes {
		fmt.Fprintf(&b, "  - %q\n", scope+"/*")
	}
	return b.String()
}

var yarn1Dialect = dialect{
	spelling: map[Verb]string{
		Publish:       "publish --non-interactive --tag {tag}",
		Install:       "install --non-interactive",
		InstallFrozen: "install --non-interactive --frozen-lockfile",
		Add:           "add --non-interactive {spec}",
		View:          "info {name} {field}",
		DistTagAdd:    "tag add {name}@{version} {tag}",
		DistTagRemove: "tag remove {name} {tag}",
		DistTagList:   "tag list {name}",
		OwnerList:     "owner list {name}",
		OwnerAdd:      "owner add {login} {name}",
		OwnerRemove:   "owner remove {login} {name}",
		Outdated:      "outdated",
	},
	lacks: map[Verb]string{
		Whoami: "yarn 1 has no whoami command",
		Ping:   "yarn 1 has no ping command",
	},
	complaint: map[Verb]string{View: "error "},
	config:    func(s Setup) map[string]string { return map[string]string{".npmrc": npmrc(s)} },
	env:       []string{"YARN_CACHE_FOLDER={cache}/yarn", "YARN_DISABLE_SELF_UPDATE_CHECK=1", "PREFIX={home}"},
}

var yarn4Dialect = dialect{
	spelling: map[Verb]string{
		Publish:       "npm publish --tag {tag}",
		Install:       "install",
		InstallFrozen: "install --immutable",
		Add:           "add {spec}",
		View:          "npm info {name} --fields {field} --json",
		DistTagAdd:    "npm tag add {name}@{version} {tag}",
		DistTagRemove: "npm tag remove {name} {tag}",
		DistTagList:   "npm tag list {name}",
		Whoami:        "npm whoami --scope {scope}",
	},
	lacks:  map[Verb]string{Ping: "yarn 4 has no ping command"},
	config: func(s Setup) map[string]string { return map[string]string{".yarnrc.yml": yarnrc(s)} },
	// Without a lock file of its own a project counts as part of one in a folder above.
	project: map[string]string{"yarn.lock": ""},
	// It publishes nothing that its lock file does not know.
	before: map[Verb]Verb{Publish: Install},
	env:    []string{"YARN_GLOBAL_FOLDER={cache}/yarn", "YARN_ENABLE_COLORS=0"},
}

// yarnrc is yarn 4's own: it reads no .npmrc, quarantines versions younger than a day, speaks HTTP only to
// hosts it is told to (localhost is where a test's registry may redirect to), and, unless a scope also names its publishing registry, publishes the scope's
// packages to the public one.
func yarnrc(s Setup) string {
	host := s.Registry
	if u, err := url.Parse(s.Registry); err == nil {
		host = u.Hostname()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "enableTelemetry: false\nhttpRetry: 0\nnodeLinker: node-modules\nunsafeHttpWhitelist: [%q, localhost]\n", host)
	if s.Global {
		fmt.Fprintf(&b, "npmRegistryServer: %q\nnpmMinimalAgeGate: 0\n", s.Registry)
		if s.Token != "" {
			fmt.Fprintf(&b, "npmAuthToken: %q\n", s.Token)
		}
	}
	b.WriteString("npmPreapprovedPackages:\n")
	for _, scope := range s.Scopes {
		fmt.Fprintf(&b, "  - %q\n", scope+"/*")
	}
	b.WriteString("npmScopes:\n")
	for _, scope := range s.Scopes {
		fmt.Fprintf(&b, "  %[1]q:\n    npmRegistryServer: %[2]q\n    npmPublishRegistry: %[2]q\n", strings.TrimPrefix(scope, "@"), s.Registry)
		if s.Token != "" {
			fmt.Fprintf(&b, "    npmAuthToken: %q\n", s.Token)
		}
	}
	return b.String()
}

var bunDialect = dialect{
	spelling: map[Verb]string{
		Publish:       "publish --tag {tag}",
		Install:       "install",
		InstallFrozen: "install --frozen-lockfile",
		Add:           "add {spec}",
		View:          "pm view {name} {field}",
		Whoami:        "pm whoami --registry {registry}",
		Outdated:      "outdated",
	},
	lacks: map[Verb]string{
		DistTagAdd:    "bun has no dist-tag command",
		DistTagRemove: "bun has no dist-tag command",
		DistTagList:   "bun has no dist-tag command",
		Ping:          "bun has no ping command",
	},
	config: func(s Setup) map[string]string { return map[string]string{".npmrc": npmrc(s)} },
	env:    []string{"BUN_INSTALL_CACHE_DIR={cache}/bun", "DO_NOT_TRACK=1"},
}
