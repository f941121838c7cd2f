package scopes

import (
	"errors"
	"fmt"
	"strings"
)

// Namespaces says which GitHub instance, and which of its owners, this registry's names stand for.
type Namespaces struct {
	// Host is the GitHub instance's name as it appears in repository addresses: "github.com".
	Host string
	// Owners lists the owners whose namespaces are served, compared without regard to case. Empty: every
	// namespace is served, by whoever GitHub says owns it.
	Owners []string
	// Global: names without a namespace are packages of this registry too, published from repositories of Owners.
	// With no Owners nobody may publish them: anybody could take any name.
	Global bool
}

// Serves reports whether packages of the namespace (without "@") belong to this registry. Those that
// do are never looked for anywhere else.
func (n Namespaces) Serves(namespace string) bool {
	if namespace == "" {
		return false
	}
	return len(n.Owners) == 0 || n.Owns(namespace)
}

// Owns reports whether the owner is one of those listed.
func (n Namespaces) Owns(owner string) bool {
	for _, o := range n.Owners {
		if strings.EqualFold(o, owner) {
			return true
		}
	}
	return false
}

var (
	// ErrBinding is wrapped by every error of Bind: the publisher's input is at fault, and the text says what to change.
	ErrBinding = errors.New("cannot be bound to a repository")
	// ErrRepositoryField is wrapped as well where the repository field is missing or cannot be read.
	ErrRepositoryField = errors.New("no repository")
)

type bindError struct {
	text  string
	field bool
}

func (e *bindError) Error() string { return e.text }
func (e *bindError) Is(target error) bool {
	return target == ErrBinding || e.field && target == ErrRepositoryField
}

// Bind finds the repository that a package's first publish claims: the owner and name in its
// package.json's repository field, where the owner must be the package's namespace.
//
// namespace comes without "@". repository is the field's text (of an object, its url): any of npm's
// spellings of a GitHub repository (docs.npmjs.com, package.json, "repository"). It is read by a
// grammar and thrown away: nothing of it but the two names, checked against what GitHub allows, ever
// reaches a URL. Whether the repository exists, and what the caller may do there, is not known here.
func Bind(namespace, repository string, n Namespaces) (owner, name string, err error) {
	refuse := func(field bool, format string, args ...any) (string, string, error) {
		return "", "", &bindError{fmt.Sprintf(format, args...), field}
	}
	example := "OWNER"
	switch {
	case namespace != "" && !n.Serves(namespace):
		return refuse(false, "this registry does not serve the namespace @%s; it serves @%s", namespace, strings.Join(n.Owners, ", @"))
	case namespace != "":
		example = namespace
	case !n.Global:
		return refuse(false, "the package name has no namespace; name it @OWNER/NAME, where OWNER is the GitHub account that owns its repository")
	}
	if repository == "" {
		return refuse(true, `package.json has no "repository" field; add "repository": "github:%s/REPOSITORY", the repository whose permissions this package gets`, example)
	}
	owner, name, ok := ParseRepository(repository, n.Host)
	switch {
	case !ok:
		return refuse(true, `"repository" in package.json is not a repository on %s; write it as "github:%s/REPOSITORY"`, n.Host, example)
	case namespace == "" && !n.Owns(owner):
		return refuse(false, "packages without a namespace are published here from repositories of %s only, and %s/%s is none", strings.Join(n.Owners, ", "), owner, name)
	case namespace != "" && !strings.EqualFold(owner, namespace):
		return refuse(false, "the namespace @%s and the owner of the repository %s/%s differ; a package of %s is named @%s/NAME",
			namespace, owner, name, owner, strings.ToLower(owner))
	}
	return owner, name, nil
}

// ParseRepository reads the owner and name out of any spelling of a repository on host that npm
// accepts (hosted-git-info's): "github:o/n", "o/n", "git@host:o/n.git", and http, https, git, ssh, git+http,
// git+https and git+ssh URLs, each with an optional ".git", "#branch" and trailing slash. "github:" stands for
// the configured instance, so that a company's own GitHub needs no other words.
// It reports false for everything else: other hosts, gists, pages below a repository, ports, passwords.
func ParseRepository(s, host string) (owner, name string, ok bool) {
	if len(s) > 512 {
		return "", "", false
	}
	s = strings.TrimSpace(s)
	s, _, _ = strings.Cut(s, "#")
	if rest, found := strings.CutPrefix(s, "github:"); found {
		return ownerAndName(rest)
	}
	scheme, rest, found := strings.Cut(s, "://")
	if !found {
		if rest, found := strings.CutPrefix(s, "git@"); found {
			h, path, found := strings.Cut(rest, ":")
			if !found || !sameHost(h, host) {
				return "", "", false
			}
			return ownerAndName(path)
		}
		return ownerAndName(s)
	}
	switch strings.ToLower(scheme) {
	case "http", "https", "git", "ssh", "git+http", "git+https", "git+ssh":
	default:
		return "", "", false
	}
	authority, path, found := strings.Cut(rest, "/")
	if !found {
		// git+ssh://git@github.com:o/n.git, which npm writes though no RFC allows it.
		i := strings.LastIndexByte(rest, ':')
		if i < 0 {
			return "", "", false
		}
		authority, path = rest[:i], rest[i+1:]
	}
	if user, h, found := strings.Cut(authority, "@"); found {
		if strings.ContainsAny(user, ":/\\") || strings.Contains(h, "@") {
			return "", "", false
		}
		authority = h
	}
	// The scp-like form again, now with the owner between ":" and "/".
	if h, first, found := strings.Cut(authority, ":"); found {
		authority, path = h, first+"/"+path
	}
	if !sameHost(authority, host) {
		return "", "", false
	}
	return ownerAndName(path)
}

func sameHost(h, host string) bool {
	return strings.EqualFold(h, host) || strings.EqualFold(h, "www."+host)
}

func ownerAndName(path string) (owner, name string, ok bool) {
	path = strings.TrimSuffix(path, "/")
	owner, name, found := strings.Cut(path, "/")
	if !found {
		return "", "", false
	}
	name = strings.TrimSuffix(name, ".git")
	return owner, name, validOwner(owner) && validRepoName(name)
}

// validOwner accepts what a GitHub login can be: letters, digits and hyphens, and the underscore before
// the short code of managed users.
func validOwner(s string) bool {
	if s == "" || len(s) > 39 || s[0] == '-' {
		return false
	}
	return within(s, "-_")
}

func validRepoName(s string) bool {
	if s == "" || len(s) > 100 || s == "." || s == ".." {
		return false
	}
	return within(s, "-_.")
}

func within(s, extra string) bool {
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte(extra, c) >= 0:
		default:
			return false
		}
	}
	return true
}
