// Package config turns four sources into one typed, validated Config.
//
// It owns the schema: every key is declared once, in schema.go, with its name, default, kind and
// meaning, and everything else (the file's keys, the variables, the flags, the documentation) follows
// from that declaration. A key is declared only when something reads it.
//
// # Sources
//
// default < file < environment < flags; each overrides the ones before it, key by key.
//
//   - File: YAML. The one named by --config, which must exist; else the first found of gatehouse.yaml
//     in the working directory, gatehouse/gatehouse.yaml in the user's configuration directory, and
//     /etc/gatehouse/gatehouse.yaml. The others are then not read. One that is there
//     and can't be read is an error, except in a home folder that this user can't enter. A key may be nested or dotted; a key
//     without a value (or null) counts as not set.
//   - Environment: GATEHOUSE_SERVER__PORT is server.port, two underscores per level. The same name with
//     _FILE reads the value from the file it names, without the newlines at its end. An empty variable counts
//     as not set, because that is what compose files pass for "not given". GATEHOUSE_TOKEN is
//     for clients and passed over. In a Kubernetes pod the
//     variables that Kubernetes itself makes for a Service called "gatehouse" are passed over.
//   - Flags: --server.port. Flags can set an empty value (--server.url=). Secret keys have no flag,
//     because command lines can be read by everybody on the machine.
//
// A key with NAMESPACE in its name is one key for each namespace that the file or the environment names: namespaces.acme.public_packages,
// GATEHOUSE_NAMESPACES__ACME__PUBLIC_PACKAGES. Flags have to be known before they are read, so these have none.
//
// Names are compared without regard to case everywhere. Lists are YAML lists, or separated by commas;
// a list replaces the list of a lower source. Pairs are lists of KEY=VALUE, and in YAML also
// mappings. Relative paths are relative to the working directory,
// wherever they were written.
//
// # Mistakes
//
// Unknown keys and bad values are errors, in every source, even where a higher source overrides the value: a
// mistake that is hidden today is a surprise tomorrow. All of them are reported in one *Error, one
// sentence each that starts with the place (file and line, variable, flag) and names the nearest known
// key where there is one. No sentence repeats a secret, a value that came from a _FILE, or an address with credentials in it.
//
// # Rules between keys
//
//   - auth.type none, with server.host set by nobody, listens on 127.0.0.1 only.
//   - auth.github.api_url and auth.github.web_url follow from auth.github.host unless set. Both receive the
//     callers' tokens, so plain http is accepted on loopback addresses only; there is no switch to allow more.
//   - auth.github.oidc.issuer follows from auth.github.host, auth.github.oidc.audience from server.url. Without a public address no ID token is taken.
//   - The three folders (packages, metadata, GitHub cache) are separate, none inside another.
//   - What is not set for a namespace is what is set for all. A setting of a namespace that is not served is an error: the one that was meant would
//     be left more open than its operator thinks.
//   - A GitHub App needs its key, a client secret its id; secrets that strangers may guess at have at least 16 characters.
//   - A value that a later version will support (postgres) is refused by name, so
//     that nothing pretends.
//
// # Why koanf, and how much of it
//
// koanf merges the sources: each is a koanf.Provider, and the leaves it merges are settings, which carry
// their text and their origin, so that the winner of a merge still knows where it came from. Its YAML
// parser is not used: it hands over Go values without lines, in which an organisation called 1e3 or "no" has
// become a number or false before a schema can look at it. The YAML project's own parser gives nodes, with
// text and line. Its struct decoding isn't used either, because it stops at types where this package needs
// sentences; each key names its field instead, which the compiler checks.
//
// It refuses: side effects (Load reads files that it is pointed to, creates nothing, opens no connection),
// global state (see Options), knowledge of what values are for beyond their validity, and being
// imported by anything but cmd, which copies values into each package's own options.
package config
