package server_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/githubauth"
	"gatehouse/githubauth/githubtest"
	"gatehouse/scopes"
	"gatehouse/server"
	"gatehouse/server/gate"
	"gatehouse/server/npm"
	"gatehouse/server/people"
	"gatehouse/store"
	"gatehouse/store/memory"
	"gatehouse/store/packument/packumenttest"
	"gatehouse/store/tokens"
)

// TestScripts runs the scripts in testdata: what is asked of the registry and what it answers, as text. Each script starts with a registry that is
// empty, on a GitHub that is githubtest.Acme.
//
// A script is a list of exchanges, apart by blank lines; "#" begins a comment. The lines of an exchange:
//
//	set orgs=acme global=deny …        before the first request: settings of the registry
//	github rename acme/ui web          a change on GitHub: rename, transfer, archive, delete, add, grant, revoke, public, private, internal, sso, outage, heal;
//	                                   and "github later 61m": that much time passes for what is remembered of it
//	operator bind @acme/ui acme/api    what an operator does on the registry's machine
//	idtoken job repo=acme/ui event=x   an ID token of a job of that repository: "as job"; options audience, ref, environment, workflow, called, self_hosted
//	GET /@acme%2fui as rita            the request; the path goes out exactly as it is written
//	> Accept: text/html                a header of it
//	> publish @acme/ui 1.0.0 tag=beta  its body: a publish, with options (tag, repository, file, and any member=JSON of the document)
//	> body "1.0.0"                     its body: this text
//	< 200                              the answer's status
//	< ETag: ~ ^"                       a header of it, equal or, after "~", matching; "-" for none
//	< body ~ latest                    its body, equal or matching; "!~" not matching
//	< saverev rev                      keeps the _rev of the body as $rev
//	< saveid rule                      keeps the first id, or repository_id, of the body as $rule
//	< save etag ETag                   keeps a header as $etag for later requests of the script
//	< savefield ci token               keeps a field of the body as $ci: a token, for "as ci" too
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			s := &script{t: t, file: file, saved: map[string]string{}, extra: map[string]string{}}
			s.run(string(content))
		})
	}
}

type script struct {
	t      *testing.T
	file   string
	line   int
	github *githubtest.Fixture
	server *httptest.Server
	store  *store.Store
	tokens *tokens.Tokens
	log    *lockedBuffer
	saved  map[string]string
	minted []string // secrets, which may be in no log
	heal   func()
	later  atomic.Int64      // how far ahead the client of GitHub is, in nanoseconds
	extra  map[string]string // tokens that the fixture does not have, by the name of who shows them

	request *http.Request
	answer  *http.Response
	body    []byte
}

// lockedBuffer is a log that requests write and the test reads.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (s *script) fatal(format string, args ...any) {
	s.t.Helper()
	s.t.Fatalf("%s:%d: "+format, append([]any{s.file, s.line}, args...)...)
}

func (s *script) errorf(format string, args ...any) {
	s.t.Helper()
	s.t.Errorf("%s:%d: "+format, append([]any{s.file, s.line}, args...)...)
}

func (s *script) run(content string) {
	s.github = githubtest.Acme(githubtest.Seed(1)).Start()
	s.t.Cleanup(s.github.Close)
	settings := map[string]string{}
	lines := bufio.NewScanner(strings.NewReader(content))
	for lines.Scan() {
		s.line++
		line := strings.TrimSpace(lines.Text())
		word, rest, _ := strings.Cut(line, " ")
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
			continue
		case word == "set":
			for _, pair := range strings.Fields(rest) {
				key, value, _ := strings.Cut(pair, "=")
				settings[key] = value
			}
			continue
		}
		if s.server == nil {
			s.start(settings)
		}
		switch word {
		case "github":
			s.change(strings.Fields(rest))
		case "operator":
			s.operate(strings.Fields(rest))
		case "idtoken":
			s.idToken(strings.Fields(rest))
		case ">":
			s.prepare(rest)
		case "<":
			s.expect(rest)
		default:
			s.begin(line)
		}
	}
	if tokenShape.MatchString(s.log.String()) {
		s.t.Error("a token is in the log")
	}
	for _, secret := range s.minted {
		if strings.Contains(s.log.String(), secret[8:]) {
			s.t.Error("a minted token is in the log")
		}
	}
}

func (s *script) start(settings map[string]string) {
	names := scopes.Namespaces{
		Host: "github.com", Global: settings["global"] == "local", Aliases: pairs(settings["namespaces"]), Assigned: pairs(settings["names"]),
		ToAll: settings["public"] != "authenticated", ToAllOf: map[string]bool{},
	}
	for ns, public := range pairs(settings["public-of"]) {
		names.ToAllOf[ns] = public == "anonymous"
	}
	if o := settings["orgs"]; o != "" {
		names.Owners = strings.Split(o, ",")
	}
	var github gate.GitHub
	if settings["auth"] != "none" {
		c, err := githubauth.New(githubauth.Options{APIURL: s.github.APIURL(), WebURL: s.github.URL(), Now: s.now})
		if err != nil {
			s.fatal("%v", err)
		}
		github = c
	}
	meta := memory.NewKV()
	packages, err := store.Open(s.t.Context(), meta, memory.NewBlob(), store.Options{})
	if err != nil {
		s.fatal("%v", err)
	}
	s.store = packages
	var global npm.Global
	if settings["global"] == "" {
		global.Redirect, _ = url.Parse("https://public.test/npm/")
	}
	s.log = &lockedBuffer{}
	g := gate.New(github, names).UseAdmissions(packages)
	var own npm.Tokens
	if github != nil {
		kept, err := tokens.New(meta, packages, tokens.Options{})
		if err != nil {
			s.fatal("%v", err)
		}
		g.UseTokens(kept)
		s.tokens, own = kept, kept
	}
	o := server.Options{
		People: people.Options{Registry: packages, Change: settings["people"] != "show"},
		CI:     s.ci(settings, packages),
		NPM:    npm.Options{Registry: packages, Gate: g, Tokens: own, Global: global, MaxPublish: 1 << 20, Spool: s.t.TempDir(), Replace: settings["replace"] == "yes", MailDomain: "users.noreply.github.com"},
		Log:    slog.New(slog.NewTextHandler(s.log, nil)), Ready: packages.Ready, Version: "1.2.3",
	}
	if u := settings["url"]; u != "" {
		if o.URL, err = url.Parse(u); err != nil {
			s.fatal("%v", err)
		}
	}
	s.server = httptest.NewServer(server.New(o))
	s.t.Cleanup(s.server.Close)
}

// now is the time as the client of GitHub has it.
func (s *script) now() time.Time { return time.Now().Add(time.Duration(s.later.Load())) }

// pairs reads "a=b,c=d".
func pairs(text string) map[string]string {
	m := map[string]string{}
	for pair := range strings.SplitSeq(text, ",") {
		if k, v, ok := strings.Cut(pair, "="); ok {
			m[k] = v
		}
	}
	return m
}

func (s *script) token(who string) string {
	f := s.github
	known := map[string]string{
		"wendy": f.Wendy, "rita": f.Rita, "mallory": f.Mallory, "ada": f.Ada, "wendy-reads": f.WendyReads, "wendy-writes": f.WendyWrites,
		"wendy-noscope": f.WendyScopes, "ci-reads": f.ActionsReads, "ci-writes": f.ActionsWrites, "garbage": "not-a-token", "unknown": "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",
	}
	if kind, ok := map[string]githubtest.Kind{
		"ada-org":    githubtest.Classic{User: "ada", Scopes: []string{"repo", "admin:org"}},
		"wendy-org":  githubtest.Classic{User: "wendy", Scopes: []string{"repo", "read:org"}},
		"wendy-all":  githubtest.Classic{User: "wendy", Scopes: []string{"repo", "admin:org"}},
		"ada-fine":   githubtest.FineGrained{User: "ada", Owner: "acme", Contents: githubtest.Write, Permissions: githubtest.Permissions{"members": githubtest.Write, "administration": githubtest.Write}},
		"wendy-site": githubtest.OAuth{User: "wendy"},
		"ada-site":   githubtest.OAuth{User: "ada", Scopes: []string{"user:email"}},
		"wendy-meta": githubtest.FineGrained{User: "wendy", Owner: "acme"},
		"ci-none":    githubtest.Actions{Repo: "acme/ui"},
		"app":        githubtest.Installation{Owner: "acme", Contents: githubtest.Write, Permissions: githubtest.Permissions{"members": githubtest.Write, "administration": githubtest.Write}},
	}[who]; ok {
		if s.extra[who] == "" {
			s.extra[who] = f.Token(kind)
		}
		return s.extra[who]
	}
	token, ok := known[who]
	if !ok {
		token, ok = s.saved[who] // one that was minted
	}
	if !ok {
		s.fatal("nobody is called %s", who)
	}
	return token
}

func (s *script) begin(line string) {
	fields := strings.Fields(line)
	if len(fields) < 2 {
		s.fatal("not a request: %s", line)
	}
	s.answer = nil
	s.request = &http.Request{
		Method: fields[0], Header: http.Header{}, Host: "registry.test",
		URL: &url.URL{Scheme: "http", Host: s.server.Listener.Addr().String(), Opaque: s.replace(fields[1])},
	}
	if len(fields) == 4 && fields[2] == "as" {
		s.request.Header.Set("Authorization", "Bearer "+s.token(fields[3]))
	}
}

func (s *script) replace(text string) string {
	for _, name := range slices.Backward(slices.Sorted(maps.Keys(s.saved))) { // $rev2 before $rev
		text = strings.ReplaceAll(text, "$"+name, s.saved[name])
	}
	return text
}

func (s *script) prepare(line string) {
	word, rest, _ := strings.Cut(line, " ")
	switch {
	case word == "body":
		s.setBody([]byte(s.replace(rest)))
	case word == "publish":
		s.setBody(s.publication(rest))
	case word == "Host:":
		s.request.Host = rest
	case strings.HasSuffix(word, ":"):
		s.request.Header.Add(strings.TrimSuffix(word, ":"), s.replace(rest))
	default:
		s.fatal("not a part of a request: %s", line)
	}
}

func (s *script) setBody(body []byte) {
	s.request.Body, s.request.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	if s.request.Header.Get("Content-Type") == "" {
		s.request.Header.Set("Content-Type", "application/json")
	}
}

// publication makes a publish; a member=JSON replaces a member of the document, one level down with a dot.
func (s *script) publication(line string) []byte {
	fields := strings.Fields(line)
	p := packumenttest.Package{Name: fields[0], Version: fields[1], Repository: "github:acme/ui"}
	replaced := map[string]string{}
	for _, option := range fields[2:] {
		key, value, _ := strings.Cut(option, "=")
		switch key {
		case "tag":
			p.Tag = value
		case "repository":
			p.Repository = value
		case "file":
			p.Files = map[string]string{"file": value}
		default:
			replaced[key] = value
		}
	}
	d := p.Document(p.Tarball())
	for _, key := range slices.Sorted(maps.Keys(replaced)) {
		var value any
		if err := json.Unmarshal([]byte(replaced[key]), &value); err != nil {
			s.fatal("%s: %v", key, err)
		}
		at := d
		path := strings.Split(key, "/")
		for _, step := range path[:len(path)-1] {
			next, ok := at[step].(map[string]any)
			if !ok && step == "*" {
				for _, v := range at {
					next, ok = v.(map[string]any)
				}
			}
			if !ok {
				s.fatal("no %s in the document", key)
			}
			at = next
		}
		at[path[len(path)-1]] = value
	}
	body, err := json.Marshal(d)
	if err != nil {
		s.fatal("%v", err)
	}
	return body
}

func (s *script) send() {
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, Transport: &http.Transport{DisableCompression: true}}
	defer client.CloseIdleConnections()
	answer, err := client.Do(s.request)
	if err != nil {
		s.fatal("%v", err)
	}
	s.answer = answer
	s.body, err = io.ReadAll(answer.Body)
	_ = answer.Body.Close()
	if err != nil {
		s.fatal("%v", err)
	}
	if answer.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(bytes.NewReader(s.body))
		if err != nil {
			s.fatal("%v", err)
		}
		if s.body, err = io.ReadAll(z); err != nil {
			s.fatal("%v", err)
		}
	}
	s.always()
}

// always is what holds of every answer, whatever the script says.
func (s *script) always() {
	h := s.answer.Header
	if strings.Contains(strings.ToLower(h.Get("Vary")), "authorization") {
		s.errorf("Vary: %s makes npm write tokens to its disk", h.Get("Vary"))
	}
	if h.Get("Cache-Control") == "" || strings.Contains(h.Get("Cache-Control"), "public") {
		s.errorf("Cache-Control: %q", h.Get("Cache-Control"))
	}
	if h.Get("Last-Modified") != "" {
		s.errorf("Last-Modified lets npm guess a lifetime")
	}
	if s.answer.StatusCode == http.StatusUnauthorized && h.Get("WWW-Authenticate") != "" {
		s.errorf("WWW-Authenticate hides the text from npm's users")
	}
	if s.answer.StatusCode >= 400 && s.request.Method != http.MethodHead {
		var e struct{ Error string }
		if err := json.Unmarshal(s.body, &e); err != nil || e.Error == "" || strings.Contains(e.Error, "\n") || h.Get("Content-Type") != "application/json" {
			s.errorf("an error that npm cannot show: %s %s", h.Get("Content-Type"), s.body)
		}
	}
	if s.answer.StatusCode == http.StatusInternalServerError {
		s.errorf("500; the log:\n%s", s.log)
	}
	if tokenShape.Match(s.body) {
		s.errorf("a token in an answer: %s", s.body)
	}
}

var tokenShape = regexp.MustCompile(`gh[a-z]_[0-9A-Za-z]|github_pat_[0-9A-Za-z]`)

func (s *script) expect(line string) {
	if s.answer == nil {
		s.send()
	}
	word, rest, _ := strings.Cut(line, " ")
	switch {
	case word == "saverev":
		var d struct {
			Rev string `json:"_rev"`
		}
		if err := json.Unmarshal(s.body, &d); err != nil || d.Rev == "" {
			s.fatal("no _rev: %v", err)
		}
		s.saved[rest] = d.Rev
	case word == "saveid":
		found := regexp.MustCompile(`"(?:repository_)?id":"?([0-9a-f-]+)`).FindSubmatch(s.body)
		if found == nil {
			s.fatal("no id: %s", s.body)
		}
		s.saved[rest] = string(found[1])
	case word == "savefield":
		name, field, _ := strings.Cut(rest, " ")
		var d map[string]any
		if err := json.Unmarshal(s.body, &d); err != nil || d[field] == nil {
			s.fatal("no %s: %v", field, err)
		}
		s.saved[name] = fmt.Sprint(d[field])
		if field == "token" {
			s.minted = append(s.minted, s.saved[name])
		}
	case word == "save":
		name, header, _ := strings.Cut(rest, " ")
		s.saved[name] = s.answer.Header.Get(header)
	case word == "body":
		s.compare("the body", strings.TrimSpace(string(s.body)), rest)
	case strings.HasSuffix(word, ":"):
		s.compare(word, strings.Join(s.answer.Header.Values(strings.TrimSuffix(word, ":")), ", "), rest)
	default:
		status, err := strconv.Atoi(word)
		if err != nil {
			s.fatal("not a part of an answer: %s", line)
		}
		if s.answer.StatusCode != status {
			s.errorf("status %d, want %d: %.400s", s.answer.StatusCode, status, s.body)
		}
	}
}

func (s *script) compare(what, got, want string) {
	pattern, like := strings.CutPrefix(want, "~ ")
	unlike := false
	if !like {
		pattern, unlike = strings.CutPrefix(want, "!~ ")
	}
	switch {
	case like || unlike:
		re, err := regexp.Compile(s.replace(pattern))
		if err != nil {
			s.fatal("%v", err)
		}
		if re.MatchString(got) != like {
			s.errorf("%s is %.1200s, want %s", what, got, want)
		}
	case want == "-":
		if got != "" {
			s.errorf("%s is %s, want none", what, got)
		}
	case got != s.replace(want):
		s.errorf("%s is %.1200s, want %s", what, got, want)
	}
}

// operate does what gatehouse bind does for an operator.
func (s *script) operate(words []string) {
	head, err := s.store.Head(s.t.Context(), words[1])
	if err != nil {
		s.fatal("%v", err)
	}
	r := s.github.Repo(words[2])
	owner, name, _ := strings.Cut(words[2], "/")
	to := scopes.Binding{Kind: scopes.GitHub, Repo: scopes.Repo{ID: r.ID, OwnerID: r.OwnerID, Owner: owner, Name: name}}
	if _, err := s.store.Rebind(s.t.Context(), words[1], store.Rebinding{To: to}, store.Edit{Where: head.Binding}); err != nil {
		s.fatal("%v", err)
	}
}

func (s *script) change(words []string) {
	g := s.github
	roles := map[string]githubtest.Role{"pull": githubtest.Pull, "push": githubtest.Push, "admin": githubtest.Admin}
	switch what := words[0]; what {
	case "rename":
		g.Rename(words[1], words[2])
	case "transfer":
		if words[2] == "evil" {
			g.AddOrg("evil")
		}
		g.Transfer(words[1], words[2])
	case "public":
		g.SetVisibility(words[1], githubtest.Public)
	case "private":
		g.SetVisibility(words[1], githubtest.Private)
	case "internal":
		g.SetVisibility(words[1], githubtest.Internal)
	case "archive":
		g.Archive(words[1], true)
	case "delete":
		g.DeleteRepo(words[1])
	case "add":
		g.AddRepo(words[1], githubtest.Private)
	case "org":
		g.AddOrg(words[1])
	case "user":
		g.AddUser(words[1])
	case "team":
		g.AddToTeam(words[1], words[2], words[3:]...)
	case "grant-team":
		g.GrantTeam(words[1], words[2], words[3], roles[words[4]])
	case "accept":
		g.AcceptInvitation(words[1], words[2])
	case "rename-account":
		g.RenameAccount(words[1], words[2])
	case "grant":
		g.Grant(words[1], words[2], roles[words[3]])
	case "revoke":
		g.Revoke(words[1], words[2])
	case "revoke-token":
		g.RevokeToken(s.token(words[1]))
	case "sso":
		g.RequireSSO(words[1], true)
	case "outage":
		s.heal = g.Outage(503)
	case "deaf": // to who somebody is, and to nothing else
		s.heal = g.Fail("GET /user", githubtest.Status(503))
	case "limit":
		s.heal = g.Fail("", githubtest.PrimaryLimit(403))
	case "heal":
		s.heal()
	case "later": // for what is remembered of GitHub
		d, err := time.ParseDuration(words[1])
		if err != nil {
			s.fatal("%v", err)
		}
		s.later.Add(int64(d))
	case "reset-counts":
		g.ResetCounts()
	case "calls":
		if got := fmt.Sprint(g.Counts().Total()); got != words[1] {
			s.errorf("GitHub was called %s times, want %s\n%s", got, words[1], g.Counts())
		}
	default:
		s.fatal("GitHub has no %s here", what)
	}
}
