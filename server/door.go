package server

import (
	"net/http"
	"net/url"
	"strings"
)

// spell turns every spelling of a path that an npm client sends into the one that the routes know, or reports false if it is no path of ours.
//
// It reads the path as it came over the wire and decodes each segment once. In the result a scoped name is one segment,
// "@scope%2Fname", whether it came as "@scope/name", "@scope%2fname" or "%40scope%2Fname"; and the tarball of a scoped package
// is "name-1.0.0.tgz", also where the client spelled it with the scope once more ("/@s/n/-/@s/n-1.0.0.tgz", as npm writes it into the body of a
// publish). Every other segment is escaped as url.PathEscape does it.
//
// Refused are escapes that hide structure: an encoded slash anywhere but after a scope, "%" and "\" and control
// characters after decoding, and the segments "." and "..". An empty segment is refused too, but for one at the end.
func spell(escaped string) (string, bool) {
	rest, found := strings.CutPrefix(escaped, "/")
	if !found {
		return "", false
	}
	if rest == "" {
		return "/", true
	}
	rest = strings.TrimSuffix(rest, "/")
	var segments []string
	scope := "" // an unfinished scoped name
	for raw := range strings.SplitSeq(rest, "/") {
		segment, err := url.PathUnescape(raw)
		if err != nil || !plain(segment) {
			return "", false
		}
		before, after, slash := strings.Cut(segment, "/")
		switch {
		case scope != "":
			if slash {
				return "", false
			}
			segments = append(segments, scope+"/"+segment)
			scope = ""
		case slash:
			if len(before) < 2 || before[0] != '@' || after == "" || strings.Contains(after, "/") || dots(after) {
				return "", false
			}
			segments = append(segments, segment)
		case len(segment) > 1 && segment[0] == '@':
			scope = segment
		default:
			segments = append(segments, segment)
		}
	}
	if scope != "" {
		return "", false // "@scope" alone names nothing
	}
	if len(segments) >= 3 && segments[1] == "-" {
		// The tarball's scope, said twice.
		own, _, scoped := strings.Cut(segments[0], "/")
		if again, file, found := strings.Cut(segments[2], "/"); found {
			if !scoped || again != own {
				return "", false
			}
			segments[2] = file
		}
	}
	for i, s := range segments {
		segments[i] = url.PathEscape(s)
	}
	return "/" + strings.Join(segments, "/"), true
}

// plain reports whether a decoded segment is free of what some layer below could read as more than a name.
func plain(s string) bool {
	if s == "" || dots(s) {
		return false
	}
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c == 0x7f || c == '%' || c == '\\' {
			return false
		}
	}
	return true
}

func dots(s string) bool { return s == "." || s == ".." }

// door gives every request its one spelling before any route is looked for. A registry whose public address has a path answers
// under that path and at the root: npm makes some of its calls to the root whatever the registry's address is (its OIDC exchange).
func door(prefix string, next, lost http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// As it came, and not as net/url would have written it: it makes a new encoding of what it finds wrong in the old one.
		escaped := r.URL.RawPath
		if escaped == "" {
			escaped = r.URL.EscapedPath()
		}
		if prefix != "/" && (escaped == strings.TrimSuffix(prefix, "/") || strings.HasPrefix(escaped, prefix)) {
			escaped = "/" + strings.TrimPrefix(escaped[min(len(prefix), len(escaped)):], "/")
		}
		path, ok := spell(escaped)
		if !ok {
			lost.ServeHTTP(w, r)
			return
		}
		// EscapedPath believes RawPath only if it is an encoding of Path.
		decoded, err := url.PathUnescape(path)
		if err != nil {
			lost.ServeHTTP(w, r)
			return
		}
		r.URL.RawPath, r.URL.Path = path, decoded
		next.ServeHTTP(w, r)
	})
}
