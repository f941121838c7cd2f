package githubtest

import (
	"fmt"
	"net/http"
	"strings"
)

// serveGit is the first request of every fetch and push over HTTPS, GET /{owner}/{repo}.git/info/refs, and
// the only one here: it tells whether the credential may fetch or push (github.md §1.4, R2 and W1), and an
// unauthenticated one gets 401 so that git asks for a password (gitprotocol-http, Smart Clients).
func (g *GitHub) serveGit(w http.ResponseWriter, r *http.Request) {
	name := GitUploadPack
	service := r.URL.Query().Get("service")
	if service == "git-receive-pack" {
		name = GitReceivePack
	}
	rec := g.begin(w, r, name)
	defer g.finish(rec)
	if g.fault(rec, r, name) {
		return
	}
	rec.Header().Set("Cache-Control", "no-cache, max-age=0, must-revalidate")
	rec.Header().Set("X-GitHub-Request-Id", g.lockedRequestID())
	if service != "git-upload-pack" && service != "git-receive-pack" {
		gitSays(rec, http.StatusForbidden, "Please upgrade your git client.\nGitHub.com no longer supports git over dumb-http: https://github.com/blog/809-git-dumb-http-transport-to-be-turned-off-in-90-days")
		return
	}
	g.mu.Lock()
	found, status, message := g.gitAccess(r, name == GitReceivePack)
	advertisement := ""
	if status == http.StatusOK {
		advertisement = advertise(service, found)
	}
	g.mu.Unlock()

	switch status {
	case http.StatusOK:
		rec.Header().Set("Content-Type", "application/x-"+service+"-advertisement")
		rec.WriteHeader(status)
		fmt.Fprint(rec, advertisement)
		return
	case http.StatusMovedPermanently:
		rec.Header().Set("Location", message)
		message = ""
	case http.StatusUnauthorized:
		rec.Header().Set("WWW-Authenticate", `Basic realm="GitHub"`)
	}
	gitSays(rec, status, message)
}

// gitAccess decides. The message is the text for the user, or the new address of a renamed repository.
func (g *GitHub) gitAccess(r *http.Request, push bool) (*repo, int, string) {
	who, refused := g.authenticate(r)
	if refused != nil && refused.status == http.StatusUnauthorized {
		return nil, http.StatusUnauthorized, "Invalid username or token. Password authentication is not supported for Git operations."
	} else if refused != nil {
		return nil, refused.status, refused.body.(problem).Message
	}
	who.client = "" // git knows no OAuth apps
	anonymous := who.token == nil
	found, moved := g.findRepo(r.PathValue("owner"), r.PathValue("repo"))
	if found == nil || !g.visible(who, found) {
		if anonymous {
			return nil, http.StatusUnauthorized, "Repository not found."
		}
		return nil, http.StatusNotFound, "Repository not found."
	}
	if p := g.policy(who, g.accounts[found.owner]); p != nil {
		return nil, http.StatusForbidden, p.message
	}
	full := g.fullName(found)
	switch {
	case found.blocked != "":
		return nil, http.StatusForbidden, "Access to this repository has been disabled by GitHub staff."
	case moved:
		return nil, http.StatusMovedPermanently, scheme(r) + r.Host + "/" + full + ".git/info/refs?" + r.URL.RawQuery
	case push && anonymous:
		return nil, http.StatusUnauthorized, "No anonymous write access."
	case !g.reads(who, found):
		return nil, http.StatusForbidden, "Write access to repository not granted."
	case push && !g.writes(who, found):
		return nil, http.StatusForbidden, "Permission to " + full + ".git denied to " + g.loginOf(who.token) + "."
	case push && found.archived:
		return nil, http.StatusForbidden, "This repository was archived so it is read-only."
	}
	return found, http.StatusOK, ""
}

// loginOf is whom a token acts as: a user, or the app's bot.
func (g *GitHub) loginOf(t *token) string {
	if t.user == 0 {
		return t.bot
	}
	return g.accounts[t.user].login
}

// advertise is a reference advertisement of protocol version 0: pkt-lines with the one branch, or none.
func advertise(service string, r *repo) string {
	const capabilities = "report-status delete-refs side-band-64k ofs-delta agent=git/githubtest"
	var b strings.Builder
	packet := func(line string) { fmt.Fprintf(&b, "%04x%s", len(line)+4, line) }
	packet("# service=" + service + "\n")
	b.WriteString("0000")
	if r.empty {
		packet(strings.Repeat("0", 40) + " capabilities^{}\x00" + capabilities + "\n")
	} else {
		packet(commitOf(r) + " refs/heads/" + r.branch + "\x00" + capabilities + "\n")
	}
	b.WriteString("0000")
	return b.String()
}

func gitSays(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	fmt.Fprint(w, message)
}

func scheme(r *http.Request) string {
	if r.TLS != nil {
		return "https://"
	}
	return "http://"
}

func (g *GitHub) lockedRequestID() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.requestID()
}
