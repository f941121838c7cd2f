package githubtest

import (
	"strconv"
	"testing"
	"time"
)

func TestConditionalRequests(t *testing.T) {
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	f := started(t, Clock(func() time.Time { return now }))
	wendy := f.as(t, f.Wendy)
	remaining := func(r reply) int {
		n, err := strconv.Atoi(r.Header.Get("X-RateLimit-Remaining"))
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	first := wendy.get("/repos/acme/ui")
	etag := first.Header.Get("ETag")
	second := wendy.get("/repos/acme/ui", "If-None-Match", etag)
	if second.StatusCode != 304 || len(second.body) != 0 || second.Header.Get("ETag") != etag {
		t.Errorf("%d %s %v", second.StatusCode, second.body, second.Header)
	}
	if remaining(first) != 4999 || remaining(second) != 4999 {
		t.Errorf("304 was charged: %d, %d", remaining(first), remaining(second))
	}
	if r := wendy.get("/repos/acme/ui"); r.Header.Get("ETag") != etag || remaining(r) != 4998 {
		t.Errorf("%v", r.Header)
	}
	other := f.as(t, f.Token(Classic{User: "wendy", Scopes: []string{"repo"}}))
	if r := other.get("/repos/acme/ui", "If-None-Match", etag); r.StatusCode != 200 || string(r.body) != string(first.body) {
		t.Errorf("another token, the same document: %d", r.StatusCode)
	}

	// A change of role changes the document and its tag, but not the repository and its date.
	modified := first.Header.Get("Last-Modified")
	now = now.Add(time.Minute)
	f.Grant("wendy", "acme/ui", Pull)
	if r := wendy.get("/repos/acme/ui", "If-None-Match", etag); r.StatusCode != 200 || shownRole(t, r) != "pull" {
		t.Errorf("after a change of role: %d", r.StatusCode)
	}
	if r := wendy.get("/repos/acme/ui", "If-Modified-Since", modified); r.StatusCode != 304 {
		t.Errorf("If-Modified-Since after a change of role: %d", r.StatusCode)
	}
	f.Archive("acme/ui", true)
	if r := wendy.get("/repos/acme/ui", "If-Modified-Since", modified); r.StatusCode != 200 {
		t.Errorf("If-Modified-Since after a change: %d", r.StatusCode)
	}
	f.Revoke("wendy", "acme/ui")
	if r := wendy.get("/repos/acme/ui", "If-None-Match", etag); r.StatusCode != 404 {
		t.Errorf("after losing access: %d", r.StatusCode)
	}
}

func TestRateLimits(t *testing.T) {
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	f := started(t, Clock(func() time.Time { return now }))
	for name, c := range map[string]struct{ token, limit string }{
		"anonymous": {"", "60"}, "user": {f.Ada, "5000"}, "actions": {f.ActionsReads, "1000"},
		"app": {f.Token(Installation{Owner: "acme"}), "5000"},
	} {
		if got := f.as(t, c.token).get("/repos/acme/open").Header.Get("X-RateLimit-Limit"); got != c.limit {
			t.Errorf("%s: limit %s", name, got)
		}
	}
	f.SetLimits(Limits{Anonymous: 3, User: 2, Actions: 2})
	nobody := f.as(t, "")
	for range 3 {
		nobody.want(200, "GET /repos/acme/open")
	}
	r := nobody.want(403, "GET /repos/acme/open")
	if r.Header.Get("X-RateLimit-Remaining") != "0" || r.Header.Get("X-RateLimit-Reset") != strconv.FormatInt(now.Add(time.Hour).Unix(), 10) {
		t.Errorf("%v", r.Header)
	}
	// All tokens of a user share one count, and REST and GraphQL have one each.
	f.as(t, f.Wendy).want(200, GetUser)
	f.as(t, f.WendyReads).want(200, GetUser)
	f.as(t, f.WendyScopes).want(403, GetUser)
	f.as(t, f.Wendy).want(200, "GET /rate_limit")
	if d := f.as(t, f.Wendy).do(PostGraphQL, `{"query":"{viewer{login}}"}`).document(t); d["errors"] != nil {
		t.Errorf("GraphQL: %v", d)
	}
	f.as(t, f.Rita).want(200, GetUser)
	// Git is not counted.
	if r := f.git(t, "git-upload-pack", "acme/ui", f.Wendy); r.StatusCode != 200 || r.Header.Get("X-RateLimit-Limit") != "" {
		t.Errorf("git: %d", r.StatusCode)
	}
	now = now.Add(time.Hour)
	nobody.want(200, "GET /repos/acme/open")
	f.as(t, f.Wendy).want(200, GetUser)

	// An installation without a limit, as on an Enterprise Server.
	if r := f.as(t, f.Token(Installation{Owner: "acme"})).want(200, "GET /repos/acme/ui"); r.Header.Get("X-RateLimit-Limit") != "" {
		t.Error("a header about no limit")
	}
}

func TestExhaust(t *testing.T) {
	f := started(t)
	f.Exhaust(f.Wendy)
	if r := f.as(t, f.WendyReads).want(403, "GET /repos/acme/ui"); r.Header.Get("X-RateLimit-Remaining") != "0" || r.Header.Get("Retry-After") != "" {
		t.Errorf("%v", r.Header)
	}
	r := f.as(t, f.Wendy).do(PostGraphQL, `{"query":"{viewer{login}}"}`)
	if e := r.document(t)["errors"].([]any); r.StatusCode != 200 || e[0].(map[string]any)["type"] != "RATE_LIMITED" {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
	f.as(t, f.Rita).want(200, "GET /repos/acme/ui")
}

func TestPages(t *testing.T) {
	f := started(t)
	for i := range 105 {
		f.AddRepo("acme/p"+strconv.Itoa(i), Private)
	}
	ada := f.as(t, f.Ada)
	r := ada.want(200, "GET /orgs/acme/repos?per_page=500")
	want := `<` + f.APIURL() + `/orgs/acme/repos?page=2&per_page=500>; rel="next", <` + f.APIURL() + `/orgs/acme/repos?page=2&per_page=500>; rel="last"`
	if got := r.Header.Get("Link"); got != want {
		t.Errorf("Link %s\nwant %s", got, want)
	}
	count := func(path string) int { return len(ada.want(200, "GET "+path).list(t)) }
	for path, want := range map[string]int{
		"/orgs/acme/repos": 30, "/orgs/acme/repos?per_page=100": 100, "/orgs/acme/repos?per_page=100&page=2": 8,
		"/orgs/acme/repos?page=9": 0, "/user/repos?visibility=public": 1, "/user/repos?per_page=100&page=2&visibility=private": 7,
	} {
		if got := count(path); got != want {
			t.Errorf("%s: %d, want %d", path, got, want)
		}
	}
	if d := f.as(t, f.Token(Installation{Owner: "acme"})).want(200, GetInstallationRepos+"?per_page=1").document(t); d["total_count"] != 108.0 || len(d["repositories"].([]any)) != 1 {
		t.Errorf("%v", d["total_count"])
	}
}

func TestLists(t *testing.T) {
	f := started(t)
	for _, c := range []struct {
		who, token, path, want string
	}{
		{"wendy", f.Wendy, "/user/repos", "acme/ui acme/api acme/open"},
		{"no scope", f.WendyScopes, "/user/repos", "acme/open"},
		{"fine-grained", f.WendyWrites, "/user/repos", "acme/ui"},
		{"mallory", f.Mallory, "/user/repos", ""},
		{"mallory", f.Mallory, "/orgs/acme/repos", "acme/open"},
		{"nobody", "", "/orgs/acme/repos", "acme/open"},
		{"rita", f.Rita, "/orgs/Acme/repos?type=private", "acme/ui acme/api"},
		{"actions", f.ActionsReads, "/orgs/acme/repos", "acme/ui acme/open"},
	} {
		got := ""
		for _, r := range f.as(t, c.token).want(200, "GET "+c.path).list(t) {
			got += " " + r.(map[string]any)["full_name"].(string)
		}
		if got != "" && got[1:] != c.want || got == "" && c.want != "" {
			t.Errorf("%s: %s: %s", c.who, c.path, got)
		}
	}
	f.as(t, f.Rita).want(404, "GET /orgs/rita/repos")
	f.as(t, "").want(401, "GET /user/repos")
	d := f.as(t, f.ActionsReads).want(200, GetInstallationRepos).document(t)
	if d["total_count"] != 1.0 {
		t.Errorf("a workflow reaches %v repositories", d["total_count"])
	}
}
