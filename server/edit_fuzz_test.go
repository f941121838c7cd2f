package server_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"gatehouse/githubauth/githubtest"
	"gatehouse/server"
	"gatehouse/store/packument/packumenttest"
)

// edited is a registry with one package, @acme/ui, that is told to change it in ways that no client would.
type edited struct {
	url, token string
	published  int
}

func newEdited(t testing.TB) *edited {
	github := githubtest.Acme(githubtest.Seed(1)).Start()
	t.Cleanup(github.Close)
	// Each change asks GitHub, and a fuzzer makes more of them in a minute than GitHub answers in an hour.
	github.SetLimits(githubtest.Limits{})
	served := serve(t, github, func(o *server.Options) { o.NPM.MaxPublish = 256 << 20 })
	e := &edited{url: served.URL, token: github.Wendy}
	e.publish(t)
	e.publish(t)
	return e
}

func (e *edited) send(t testing.TB, method, path string, body io.Reader, headers ...string) (int, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, e.url+path, body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+e.token)
	for header := range slices.Chunk(headers, 2) {
		req.Header.Set(header[0], header[1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, answer
}

func (e *edited) publish(t testing.TB) {
	t.Helper()
	e.published++
	p := packumenttest.Package{Name: "@acme/ui", Version: fmt.Sprintf("%d.0.0", e.published), Repository: "github:acme/ui"}
	if status, body := e.send(t, http.MethodPut, p.Path(), bytes.NewReader(p.Body())); status != http.StatusCreated {
		t.Fatalf("%d %s", status, body)
	}
}

// served is what must hold of a packument, whatever is done to it.
type served struct {
	Rev      string            `json:"_rev"`
	Tags     map[string]string `json:"dist-tags"`
	Time     map[string]json.RawMessage
	Versions map[string]map[string]json.RawMessage

	raw []byte
}

func (e *edited) read(t testing.TB) (d served) {
	t.Helper()
	status, raw := e.send(t, http.MethodGet, "/@acme%2fui?write=true", nil)
	if err := json.Unmarshal(raw, &d); status != http.StatusOK || err != nil {
		t.Fatalf("%d %s: %v", status, raw, err)
	}
	d.raw = raw
	return d
}

// worked is the processor's time that the test has used, which other programs on the machine do not lengthen.
func worked(t testing.TB) time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		t.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// attempt sends an edit and checks that it is refused without a trace, or that what came of it is true.
func (e *edited) attempt(t testing.TB, method, path string, body []byte, headers ...string) int {
	t.Helper()
	before := e.read(t)
	from := worked(t)
	status, answer := e.send(t, method, path, bytes.NewReader(body), headers...)
	if took := worked(t) - from; took > answerWithin {
		t.Errorf("the answer took %v", took)
	}
	after := e.read(t)
	switch {
	case status >= 500:
		t.Fatalf("%s %s: %d %s", method, path, status, answer)
	case status >= 400:
		var said map[string]string
		if json.Unmarshal(answer, &said) != nil || said["error"] == "" || strings.ContainsAny(said["error"], "\n\x00\x1b") || len(answer) > 2000 {
			t.Fatalf("%d with %.3000q", status, answer)
		}
		if !bytes.Equal(before.raw, after.raw) {
			t.Fatalf("%d %s, and it changed\n%s\nto\n%s", status, answer, before.raw, after.raw)
		}
	}
	for tag, version := range after.Tags {
		if after.Versions[version] == nil {
			t.Fatalf("%s is %s, which is not there: %s", tag, version, after.raw)
		}
	}
	if (after.Tags["latest"] == "") != (len(after.Versions) == 0) {
		t.Fatalf("latest: %s", after.raw)
	}
	for version, v := range after.Versions {
		old := maps.Clone(before.Versions[version])
		delete(old, "deprecated")
		delete(v, "deprecated")
		if !maps.EqualFunc(old, v, func(a, b json.RawMessage) bool { return bytes.Equal(a, b) }) {
			t.Fatalf("%s was %s and is %s", version, old, v)
		}
	}
	for at, when := range before.Time {
		if at != "modified" && !bytes.Equal(when, after.Time[at]) {
			t.Fatalf("the time of %s: %s", at, after.raw)
		}
	}
	return status
}

// FuzzEdit: whatever is sent to change a package, the registry answers, and the package stays one that could have come about by honest changes.
// REV in the body is the revision there is.
func FuzzEdit(f *testing.F) {
	e := newEdited(f)
	for _, body := range []string{
		`{"_id":"@acme/ui","name":"@acme/ui","_rev":"REV","versions":{"1.0.0":{"deprecated":"old"},"2.0.0":{}}}`,
		`{"name":"@acme/ui","_rev":"REV","dist-tags":{"latest":"1.0.0","x":"2.0.0"},"versions":{"2.0.0":{"dist":{"tarball":"http://evil.test/"}}}}`,
		`{"_id":"@acme/ui","_rev":"REV","users":{"wendy":true,"rita":true}}`,
		`{"_id":"@acme/ui","_rev":"REV","users":{},"versions":{"1.0.0":{},"2.0.0":{},"9.0.0":{}}}`,
		`{"_id":"@acme/ui","_rev":"REV","maintainers":[{"name":"mallory","email":"x"}]}`,
		`{"versions":{},"Versions":{"1.0.0":{}}}`, `{"versions":{"1.0.0":{"deprecated":"a","deprecated":"b"}}}`,
		`{"versions":{"1.0.0":{"deprecated":"\u0000\u001b[2J"}}}`, `{"versions":{"\ud800":{}}}`, `{"users":{"wendy":"yes"}}`,
		`{"_attachments":{}}`, `{"_attachments":{"x":{}},"versions":{"1.0.0":{}}}`, `[]`, `null`, `"1.0.0"`, `{`, ``, "\x1f\x8b\x08\x00",
		strings.Repeat(`{"a":`, 100), strings.Repeat("[", 100_000),
	} {
		for _, path := range []string{"", "/-rev/REV", "/-rev/1-0"} {
			f.Add(path, []byte(body))
		}
	}
	f.Fuzz(func(t *testing.T, path string, body []byte) {
		now := e.read(t)
		if len(now.Versions) < 2 {
			e.publish(t)
			e.publish(t)
			now = e.read(t)
		}
		if revision, found := strings.CutPrefix(path, "/-rev/"); found {
			path = "/-rev/" + escape(strings.ReplaceAll(revision, "REV", now.Rev))
		} else {
			path = ""
		}
		e.attempt(t, http.MethodPut, "/@acme%2fui"+path, bytes.ReplaceAll(body, []byte("REV"), []byte(now.Rev)))
	})
}

// escape writes every byte but letters, digits and hyphens as an escape.
func escape(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		if c == '-' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02x", c)
		}
	}
	return b.String()
}

// TestEditRefusals: edits that are too large, cut off, packed, or about something else; each is refused with a status that clients don't repeat.
func TestEditRefusals(t *testing.T) {
	e := newEdited(t)
	junk := bytes.Repeat([]byte("x"), 33<<20)
	long := `{"name":"@acme/ui","versions":{"1.0.0":{"deprecated":"` + string(junk) + `"}}}`
	var many strings.Builder
	many.WriteString(`{"name":"@acme/ui","versions":{"1.0.0":{}`)
	for i := range 300_000 {
		fmt.Fprintf(&many, `,"1.0.%d":{}`, i)
	}
	many.WriteString(`}}`)
	rev := e.read(t).Rev
	for _, c := range []struct {
		what, body string
		status     int // of PUT /name; 0: any refusal
		header     []string
	}{
		{"junk", string(junk), 400, nil},
		{"spaces", strings.Repeat(" ", 33<<20), 0, nil},
		{"a long message", long, 413, nil},
		{"a long key", `{"` + string(junk) + `":1}`, 413, nil},
		{"many versions", many.String(), 400, nil},
		{"deep objects", strings.Repeat(`{"versions":`, 1<<20), 400, nil},
		{"deep lists", `{"versions":` + strings.Repeat(`[`, 8<<20), 400, nil},
		{"escapes", `{"name":"` + strings.Repeat(`\u0041`, escapes) + `"}`, 400, nil},
		{"gzip", "\x1f\x8b", 415, []string{"Content-Encoding", "gzip"}},
		{"br", `{}`, 415, []string{"Content-Encoding", "br"}},
		{"a gzip bomb in an odd spelling", "\x1f\x8b", 415, []string{"Content-Encoding", "GZIP, gzip"}},
		{"another package", `{"name":"@acme/other","_rev":"` + rev + `","versions":{"1.0.0":{}}}`, 400, nil},
		{"another id", `{"_id":"@acme/other","_rev":"` + rev + `","versions":{"1.0.0":{}}}`, 400, nil},
		{"a name in capitals", `{"name":"@acme/UI","_rev":"` + rev + `","versions":{"1.0.0":{}}}`, 400, nil},
		{"NUL", `{"name":"@acme/ui` + "\x00" + `","versions":{"1.0.0":{}}}`, 400, nil},
		{"an escaped NUL", `{"name":"@acme/ui\u0000","versions":{"1.0.0":{}}}`, 400, nil},
		{"half of a pair", `{"name":"@acme/ui","versions":{"1.0.0":{"deprecated":"\udc00"}}}`, 400, nil},
		{"not UTF-8", `{"name":"@acme/ui","versions":{"1.0.0":{"deprecated":"` + "\xff" + `"}}}`, 400, nil},
		{"a key twice", `{"versions":{"1.0.0":{}},"versions":{"2.0.0":{}}}`, 400, nil},
		{"a key in two spellings", `{"versions":{"1.0.0":{}},"VERSIONS":{"2.0.0":{}}}`, 400, nil},
		{"a key with an escape", `{"versions":{"1.0.0":{}},"\u0076ersions":{"2.0.0":{}}}`, 400, nil},
	} {
		t.Run(c.what, func(t *testing.T) {
			for _, path := range []string{"/@acme%2fui", "/@acme%2fui/-rev/" + rev} {
				status := e.attempt(t, http.MethodPut, path, []byte(c.body), c.header...)
				if status < 400 || c.status != 0 && status != c.status {
					t.Errorf("%s: %d, want %d", path, status, c.status)
				}
			}
		})
	}
	for _, tags := range []string{string(junk), `{"a":"1.0.0","a":"2.0.0"}`, `{"a":`, `{"\ud800":"1.0.0"}`, `{"a":null}`, `{"a":["1.0.0"]}`, `null`, `{}`, strings.Repeat("[", 60_000)} {
		for _, path := range []string{"", "/next"} {
			if status := e.attempt(t, http.MethodPut, "/-/package/@acme%2fui/dist-tags"+path, []byte(tags)); status < 400 {
				t.Errorf("tags %.40s: %d", tags, status)
			}
		}
	}
	if status := e.attempt(t, http.MethodPut, "/-/package/@acme%2fui/dist-tags/next", []byte("\x1f\x8b"), "Content-Encoding", "gzip"); status != 415 {
		t.Errorf("a packed tag: %d", status)
	}
	for _, wish := range []string{
		string(junk), `{"repository":"acme/ui"`, `{"repository":"acme/ui","repository":"acme/api"}`, `{"repository":"acme/ui","Repository":"acme/api"}`, `{"repository":null}`,
		`{"repository":["acme/ui"]}`, `{"repository":""}`, `{"repository":"` + strings.Repeat("a", 3000) + `/x"}`, `{"repository":"acme/../evil"}`, `{"repository":"acme/ui\u0000"}`,
		`{"repository":"https://user:secret@github.com/acme/ui"}`, `{}`, `null`, `[]`, ``, strings.Repeat("[", 4000), "\x1f\x8b",
	} {
		if status := e.attempt(t, http.MethodPut, "/-/package/@acme%2fui/binding", []byte(wish)); status < 400 {
			t.Errorf("binding %.60s: %d", wish, status)
		}
	}
	// Revisions that are none: of one that differs, nothing is deleted.
	for _, revision := range []string{" ", "undefined", "1-é", "a?b", "a#b", "a;b", "a+b", "*", "'", `"`, "$rev", "a b", rev + " ", strings.ToUpper(rev) + "0"} {
		for _, method := range []string{http.MethodPut, http.MethodDelete} {
			status := e.attempt(t, method, "/@acme%2fui/-rev/"+escape(revision), []byte(`{"name":"@acme/ui","versions":{"1.0.0":{}}}`))
			if status != http.StatusConflict {
				t.Errorf("%s %q: %d", method, revision, status)
			}
		}
	}
	for _, path := range []string{"", "/", "/%00", "/a%2fb", "/%25", "/..", "/%2e%2e", "/a/b", "/" + strings.Repeat("a", 100_000)} {
		for _, method := range []string{http.MethodPut, http.MethodDelete} {
			if status := e.attempt(t, method, "/@acme%2fui/-rev"+path, []byte(`{"name":"@acme/ui","versions":{"1.0.0":{}}}`)); status < 400 {
				t.Errorf("%s %.40q: %d", method, path, status)
			}
		}
	}
}
