package githubtest

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestOutage(t *testing.T) {
	f := started(t)
	wendy := f.as(t, f.Wendy)
	for _, status := range []int{500, 502, 503} {
		heal := f.Outage(status)
		r := wendy.want(status, "GET /repos/acme/ui")
		if r.Header.Get("X-GitHub-Media-Type") != "" || !strings.HasPrefix(r.Header.Get("Content-Type"), "text/html") {
			t.Errorf("%v", r.Header)
		}
		if r := f.git(t, "git-receive-pack", "acme/ui", f.Wendy); r.StatusCode != status {
			t.Errorf("git: %d", r.StatusCode)
		}
		heal()
		wendy.want(200, "GET /repos/acme/ui")
	}
	f.Outage(0)
	if r, err := wendy.try("GET /repos/acme/ui", ""); err == nil {
		t.Errorf("a closed connection answered %d", r.StatusCode)
	}
	f.Heal()
	wendy.want(200, "GET /repos/acme/ui")
}

func TestFaultOnRoute(t *testing.T) {
	f := started(t)
	wendy := f.as(t, f.Wendy)
	f.Fail(GetBranches, Status(502))
	wendy.want(502, "GET /repos/acme/ui/branches")
	wendy.want(200, "GET /repos/acme/ui")
	f.Fail(GetRepo, func(w http.ResponseWriter, r *http.Request) bool {
		if r.PathValue("repo") != "api" {
			return false
		}
		w.WriteHeader(418)
		return true
	})
	wendy.want(418, "GET /repos/acme/api")
	wendy.want(200, "GET /repos/acme/ui")
}

func TestDelay(t *testing.T) {
	f := started(t)
	f.Delay(50 * time.Millisecond)
	start := time.Now()
	f.as(t, f.Wendy).want(200, GetUser)
	if took := time.Since(start); took < 50*time.Millisecond {
		t.Errorf("took %v", took)
	}
	f.Heal()
	f.Delay(time.Hour) // Close and an impatient client end it
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	req, _ := http.NewRequestWithContext(ctx, "GET", f.URL()+"/meta", nil)
	if _, err := http.DefaultTransport.RoundTrip(req); err == nil {
		t.Error("answered")
	}
	go func() {
		time.Sleep(20 * time.Millisecond)
		f.Close()
	}()
	if _, err := f.as(t, f.Wendy).try(GetUser, ""); err == nil {
		t.Error("answered after Close")
	}
}

func TestLimitFaults(t *testing.T) {
	f := started(t)
	wendy := f.as(t, f.Wendy)
	for _, status := range []int{403, 429} {
		f.Fail("", PrimaryLimit(status))
		if r := wendy.want(status, "GET /repos/acme/ui"); r.Header.Get("X-RateLimit-Remaining") != "0" || r.Header.Get("X-RateLimit-Reset") == "" {
			t.Errorf("%v", r.Header)
		}
		if r := f.git(t, "git-upload-pack", "acme/ui", f.Wendy); r.StatusCode != 200 {
			t.Errorf("git: %d", r.StatusCode)
		}
		f.Heal()
		f.Fail("", SecondaryLimit(status, 30*time.Second))
		if r := wendy.want(status, "GET /repos/acme/ui"); r.Header.Get("Retry-After") != "30" || !strings.Contains(r.message(t), "secondary rate limit") {
			t.Errorf("%v %s", r.Header, r.body)
		}
		f.Heal()
	}
	f.Fail("", SecondaryLimit(403, 0))
	if r := wendy.want(403, GetUser); r.Header.Get("Retry-After") != "" {
		t.Errorf("%v", r.Header)
	}
}

func TestCounts(t *testing.T) {
	var mu sync.Mutex
	var seen []Call
	f := started(t, Observe(func(c Call) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, c)
	}))
	f.as(t, f.Wendy).get("/repos/acme/ui")
	f.as(t, f.Wendy).get("/repos/acme/api")
	asker{t, f.URL(), f.Rita}.get("/repos/acme/ui") // as on api.github.com
	f.as(t, "").get("/repos/acme/open")
	f.as(t, "ghp_unknown").get("/user")
	f.as(t, f.Rita).do("HEAD /installation/repositories", "")
	f.as(t, f.Rita).get("/no/such/route")
	f.as(t, f.Rita).do("PATCH /repos/acme/ui", "{}")
	f.git(t, "git-receive-pack", "acme/ui", f.Wendy)
	f.git(t, "git-upload-pack", "acme/ui", f.Wendy)
	f.Outage(500)
	f.as(t, f.Wendy).get("/repos/acme/ui")
	f.Heal()

	c := f.Counts()
	for name, check := range map[string][2]int{
		"total": {c.Total(), 11}, "git": {c.Git(), 2}, "api": {c.API(), 9}, "repo": {c.Of(GetRepo), 5},
		"wendy": {c.By(f.Wendy).Total(), 5}, "wendy repo": {c.By(f.Wendy).Of(GetRepo), 3}, "anonymous": {c.By("").Total(), 1},
		"unknown": {c.By(Unknown).Of(GetUser), 1}, "push": {c.By(f.Wendy).Of(GitReceivePack), 1},
		"head": {c.Of("HEAD /installation/repositories"), 1}, "no route": {c.Routes()["(no route)"], 2},
	} {
		if check[0] != check[1] {
			t.Errorf("%s: %d, want %d", name, check[0], check[1])
		}
	}
	if s := c.String(); !strings.HasPrefix(s, "    5  GET /repos/{owner}/{repo}\n") || strings.Contains(s, f.Wendy) {
		t.Errorf("%s", s)
	}
	f.ResetCounts()
	if n := f.Counts().Total(); n != 0 || c.Total() != 11 {
		t.Errorf("after the reset: %d, snapshot %d", n, c.Total())
	}
	mu.Lock()
	defer mu.Unlock()
	if len(seen) != 11 || seen[0].Status != 200 || seen[0].Route != GetRepo || seen[0].Token != f.Wendy || seen[0].Path != "/repos/acme/ui" || seen[10].Status != 500 {
		t.Errorf("observed %+v", seen)
	}
}

func TestNoUserAgentAndOddPaths(t *testing.T) {
	f := started(t)
	f.as(t, f.Wendy).get("/user")
	if r := f.as(t, f.Wendy).get("/user", "User-Agent", ""); r.StatusCode != 403 {
		t.Errorf("without User-Agent: %d", r.StatusCode)
	}
	for _, path := range []string{"/repos//acme/ui", "/repos/acme/../acme/ui", "/repos/acme/ui/", "/repos/acme/..%2f..%2fuser", "/repos/acme%2fui", "/repos/%2e%2e/ui"} {
		f.as(t, f.Wendy).want(404, "GET "+path)
	}
	f.as(t, f.Wendy).want(404, "POST /user")
	res, err := http.Get(f.URL() + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if b, _ := io.ReadAll(res.Body); res.StatusCode != 404 {
		t.Errorf("/: %d %s", res.StatusCode, b)
	}
}
