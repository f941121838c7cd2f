package packument

import (
	"net/url"
	"strings"
)

// gitHosts are the hosts whose repositories npm knows by short names, in any of which it spells a dependency when it
// publishes (hosted-git-info).
var gitHosts = map[string]string{
	"github": "github.com", "gitlab": "gitlab.com", "bitbucket": "bitbucket.org", "gist": "gist.github.com", "sourcehut": "git.sr.ht",
}

// gitRef is a dependency on a repository at one of gitHosts in one spelling, and "" for any other dependency.
func gitRef(spec string) string {
	ref, commit, _ := strings.Cut(strings.TrimSpace(spec), "#")
	scheme, rest, found := strings.Cut(ref, ":")
	var host, repo string
	switch {
	case !found && !strings.ContainsAny(ref, "@ \t"): // acme/ui
		if strings.Count(ref, "/") != 1 || strings.HasPrefix(ref, ".") {
			return ""
		}
		host, repo = "github.com", ref
	case found && gitHosts[scheme] != "": // github:acme/ui
		host, repo = gitHosts[scheme], rest[strings.IndexByte(rest, '@')+1:]
	default: // https://user@github.com/acme/ui.git, git@github.com:acme/ui.git, ssh://git@github.com:22/acme/ui
		if host, repo = splitAddress(ref); host == "" {
			return ""
		}
	}
	if repo, commit = repository(host, strings.Trim(repo, "/"), commit); repo == "" {
		return ""
	}
	s, err := url.PathUnescape(repo + "#" + commit)
	if err != nil {
		return ""
	}
	return host + "/" + s
}

// splitAddress splits an address, with or without a scheme, user and port.
func splitAddress(ref string) (host, path string) {
	if _, rest, found := strings.Cut(ref, "://"); found {
		ref = rest
	}
	before, _, _ := strings.Cut(ref, "/")
	ref = ref[strings.LastIndexByte(before, '@')+1:]
	i := strings.IndexAny(ref, ":/")
	if i < 0 {
		return "", ""
	}
	host, path = strings.TrimPrefix(ref[:i], "www."), ref[i+1:]
	if port, rest, found := strings.Cut(path, "/"); found && ref[i] == ':' && isNumber(port) {
		path = rest
	}
	return host, path
}

// repository cuts the name of a repository, and perhaps the commit, out of a path on a host.
func repository(host, path, commit string) (repo, at string) {
	parts := strings.Split(strings.TrimSuffix(path, ".git"), "/")
	switch host {
	case "gist.github.com":
		return strings.TrimSuffix(parts[len(parts)-1], ".git"), commit
	case "gitlab.com":
		if len(parts) < 2 || strings.Contains(path, "/-/") || strings.Contains(path, "/archive.tar.gz") {
			return "", ""
		}
		return strings.Join(parts, "/"), commit
	case "github.com", "bitbucket.org", "git.sr.ht":
	default:
		return "", ""
	}
	if len(parts) < 2 {
		return "", ""
	}
	repo = parts[0] + "/" + strings.TrimSuffix(parts[1], ".git")
	if len(parts) > 2 {
		switch {
		case host == "github.com" && parts[2] == "tree" && len(parts) > 3:
			commit = parts[3]
		case host == "github.com", parts[2] == "get", parts[2] == "archive":
			return "", ""
		}
	}
	return repo, commit
}
