package scopes

import (
	"errors"
	"fmt"
	"strings"
)

var (
	// ErrBinding is wrapped by every error of Bind: the publisher's input is at fault, and the text says what to change.
	ErrBinding = errors.New("cannot be bound to a repository")
	// ErrRepositoryField is wrapped as well where the repository field is missing or cannot be read.
	ErrRepositoryField = errors.New("no repository")
	// ErrOwner is wrapped as well where nothing but the name of the repository's owner speaks against it.
	ErrOwner = errors.New("another owner")
)

type bindError struct {
	text  string
	field bool
	owner bool
}

func (e *bindError) Error() string { return e.text }
func (e *bindError) Is(target error) bool {
	return target == ErrBinding || e.field && target == ErrRepositoryField || e.owner && target == ErrOwner
}

// Bind finds the repository that a package is to be bound to: the owner and name in its package.json's repository field, where the owner must be the
// one that the package's namespace stands for. A name without a namespace is bound to the repository it is assigned to.
//
// repository is the field's text (of an object, its url): any of npm's
// spellings of a GitHub repository (docs.npmjs.com, package.json, "repository"). It is read by a
// grammar and thrown away: nothing of it but the two names, checked against what GitHub allows, ever
// reaches a URL. Whether the repository exists, and what the caller may do there, is not known here.
//
// With an ErrOwner come the owner and the name all the same: accounts can be renamed, and whoever knows the number of the namespace's owner can
// find out whether this is such a case.
func Bind(pkg, repository string, n Namespaces) (owner, name string, err error) {
	refuse := func(e bindError, format string, args ...any) (string, string, error) {
		e.text = fmt.Sprintf(format, args...)
		return owner, name, &e
	}
	namespace, assigned := Namespace(pkg), n.Assigned[pkg]
	example := "OWNER/REPOSITORY"
	switch {
	case namespace != "" && !n.Serves(namespace):
		return refuse(bindError{}, "this registry does not serve the namespace @%s; it serves @%s", namespace, strings.Join(n.Served(), ", @"))
	case namespace != "":
		example = n.Owner(namespace) + "/REPOSITORY"
	case assigned != "":
		example = assigned
	case !n.Global:
		return refuse(bindError{}, "the package name has no namespace; name it @OWNER/NAME, where OWNER is the GitHub account that owns its repository")
	}
	if repository == "" {
		return refuse(bindError{field: true}, `package.json has no "repository" field; add "repository": "github:%s", the repository whose permissions this package gets`, example)
	}
	o, r, ok := ParseRepository(repository, n.Host)
	if !ok {
		return refuse(bindError{field: true}, `"repository" is not a repository on %s; write it as "github:%s"`, n.Host, example)
	}
	switch {
	case assigned != "" && namespace == "":
		if !strings.EqualFold(o+"/"+r, assigned) {
			return refuse(bindError{}, "the name %s is kept here for the repository %s, and %s/%s is another", pkg, assigned, o, r)
		}
	case namespace == "" && !n.Owns(o):
		return refuse(bindError{}, "packages without a namespace are published here from repositories of %s only, and %s/%s is none", strings.Join(n.Owners, ", "), o, r)
	case namespace != "" && !strings.EqualFold(o, n.Owner(namespace)):
		owner, name = o, r
		if n.Aliases[namespace] != "" {
			return refuse(bindError{owner: true}, "the namespace @%s stands for the GitHub account %s, and the repository %s/%s is not its", namespace, n.Owner(namespace), o, r)
		}
		return refuse(bindError{owner: true}, "the namespace @%s and the owner of the repository %s/%s differ; a package of %s is named @%s/NAME",
			namespace, o, r, o, strings.ToLower(o))
	}
	return o, r, nil
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
