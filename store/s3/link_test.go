package s3

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"gatehouse/store/s3/s3test"
)

// fetch asks as a client does that was redirected: no credential, no header of ours.
func fetch(t *testing.T, link string) (status int, header http.Header, body string) {
	t.Helper()
	res, err := http.Get(link)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	content, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, res.Header, string(content)
}

func TestLink(t *testing.T) {
	server := s3test.New(t)
	o := options(t, server, server.URL)
	o.Prefix = "some/where"
	s := mustOpen(t, o)
	const key = "@acme/ui/ui-1.0.0+build.5-3f2a.tgz"
	put(t, s, key, "content")

	link, err := s.Link(t.Context(), key, time.Minute, "ui-1.0.0+build.5.tgz")
	if err != nil {
		t.Fatal(err)
	}
	status, header, body := fetch(t, link)
	if status != http.StatusOK || body != "content" {
		t.Errorf("status %d, %q", status, body)
	}
	for name, want := range map[string]string{
		"Content-Type": "application/octet-stream", "Content-Disposition": `attachment; filename="ui-1.0.0+build.5.tgz"`,
	} {
		if got := header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	u, err := url.Parse(link)
	if err != nil || u.Hostname() != s.LinkHost() || s.LinkHost() != "127.0.0.1" {
		t.Errorf("%v: the links' host is said to be %q", err, s.LinkHost())
	}
	if strings.Contains(link, o.SecretAccessKey) {
		t.Error("the link shows the secret")
	}

	// It is for this object and nothing else, and gives away nothing.
	for name, other := range map[string]string{
		"another object":    strings.Replace(link, "1.0.0", "1.0.1", 1),
		"a longer life":     strings.Replace(link, "X-Amz-Expires=60", "X-Amz-Expires=6000", 1),
		"another file name": strings.Replace(link, "attachment", "inline", 1),
		"no signature":      strings.Split(link, "?")[0],
	} {
		if other == link {
			t.Fatalf("%s: nothing changed in %s", name, link)
		}
		if status, _, _ := fetch(t, other); status != http.StatusForbidden {
			t.Errorf("%s: status %d", name, status)
		}
	}
	if link, err = s.Link(t.Context(), key, time.Minute, ""); err != nil {
		t.Fatal(err)
	}
	if status, header, _ := fetch(t, link); status != http.StatusOK || header.Get("Content-Disposition") != "" {
		t.Errorf("without a file name: status %d, %q", status, header)
	}

	for name, c := range map[string]struct {
		key  string
		ttl  time.Duration
		file string
	}{
		"a bad key": {"../x", time.Minute, ""}, "no time": {key, 0, ""}, "less than a second": {key, time.Millisecond, ""},
		"more than a week": {key, 8 * 24 * time.Hour, ""}, "a quote": {key, time.Minute, `a"; b="`}, "a path": {key, time.Minute, "a/b"},
	} {
		if link, err := s.Link(t.Context(), c.key, c.ttl, c.file); err == nil {
			t.Errorf("%s: %s", name, link)
		}
	}
}

func TestLinkExpires(t *testing.T) {
	server := s3test.New(t)
	s := mustOpen(t, options(t, server, server.URL))
	put(t, s, "a", "content")
	made := time.Now()
	link, err := s.Link(t.Context(), "a", time.Second, "")
	if err != nil {
		t.Fatal(err)
	}
	for {
		status, _, body := fetch(t, link)
		if status == http.StatusForbidden {
			return
		}
		if time.Since(made) > 10*time.Second || status != http.StatusOK || body != "content" {
			t.Fatalf("after %v: status %d, %q", time.Since(made), status, body)
		}
		time.Sleep(50 * time.Millisecond)
	}
}
