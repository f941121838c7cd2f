package main

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"gatehouse/cmd/gatehouse/clienttest"
	"gatehouse/store/packument/packumenttest"
)

// Every client takes a package through its life: versions are deprecated, starred, tagged, unpublished one by one and all at once. After each step the
// registry tells the truth about it, to whoever asks.
func TestClientsLifecycle(t *testing.T) {
	clients := clienttest.All(t)
	at := startRegistry(t)
	results := newBoard(clients)
	t.Cleanup(func() {
		t.Logf("what each client did, in seconds (no: refused, as it should be; -: it has no such command)\n%v", results)
	})
	for _, client := range clients {
		t.Run(client.Name, func(t *testing.T) {
			t.Parallel()
			cell{client, at, results}.life(t)
		})
	}
}

const (
	sentenceDeprecate = `rita may not deprecate NAME: that takes "write" on the GitHub repository acme/ui, and rita has "read" there`
	sentenceUnpublish = `rita may not unpublish NAME: that takes "write" on the GitHub repository acme/ui, and rita has "read" there`
	sentenceGone      = `NAME@1.0.0 was unpublished by wendy on `
	sentenceBurned    = `NAME@2.0.0 was unpublished by wendy on `
	sentenceOwners    = `Must have admin rights to Repository`
	sentenceStale     = `the package has changed since it was read; nothing was done, run the command again`
)

// lifeWords are what a client prints of what has happened to a package.
type lifeWords struct {
	deprecated string // warns of the deprecated 1.0.0, installing it; yarn 4 says nothing
	missing    string // 2.0.0 was unpublished, installing it
	locked     string // 1.0.0 was unpublished and is in the lock file
	viewed     string // the package was unpublished
	hidden     string // of a package that the caller may not see
}

func (c cell) lifeWords() lifeWords {
	return map[string]lifeWords{
		"npm-10":  {"deprecated NAME@1.0.0: use 2", "No matching version found for NAME@2.0.0", sentenceGone, "Unpublished on 20", sentenceHidden},
		"npm-11":  {"deprecated NAME@1.0.0: use 2", "No matching version found for NAME@2.0.0", sentenceGone, "Unpublished on 20", sentenceHidden},
		"npm-12":  {"deprecated NAME@1.0.0: use 2", "No matching version found for NAME@2.0.0", sentenceGone, "Unpublished on 20", sentenceHidden},
		"pnpm-10": {"deprecated NAME@1.0.0: use 2", "No matching version found for NAME@2.0.0", "ERR_PNPM_FETCH_410", "Unpublished on 20", sentenceHidden},
		"pnpm-12": {"deprecated NAME@1.0.0", "No matching version found for NAME@2.0.0", "returned HTTP 410", "because it was unpublished", `Package "NAME" not found in registry`},
		"yarn-1":  {"NAME@1.0.0: use 2", `Couldn't find any versions for "NAME" that matches "2.0.0"`, `Request failed "410 Gone"`, "unpublished: {", ""},
		"yarn-4":  {"", "NAME@npm:2.0.0: No candidates found", "Response Code: 410 (Gone)", `"unpublished":`, ""},
		"bun":     {"deprecated NAME@1.0.0: use 2", `No version matching "2.0.0" found for specifier "NAME"`, "410", `No version of "NAME" satisfying "latest" found`, ""},
	}[c.Name]
}

func (c cell) life(t *testing.T) {
	life, words := c.name("life"), c.lifeWords()
	for _, version := range []string{"1.0.0", "1.1.0", "1.2.0", "2.0.0"} {
		c.at.publish(t, life, version)
	}
	want := state{versions: map[string]string{"1.0.0": "", "1.1.0": "", "1.2.0": "", "2.0.0": ""}, tags: map[string]string{"latest": "2.0.0"}}
	check := func() {
		t.Helper()
		c.at.truthful(t, life, want)
	}
	check()
	wendy, rita, mallory := c.user(t, c.at.github.Wendy), c.user(t, c.at.github.Rita), c.user(t, c.at.github.Mallory)
	locked := application(t, life, "1.0.0")
	rita.Install(locked).Must(t)

	// Deprecate.
	if c.has(clienttest.Deprecate, "deprecate a range", "undeprecate", "reader deprecates", "stranger deprecates") {
		c.no(t, "reader deprecates", rita.Deprecate(life, "1.0.0", "no"), sentenceDeprecate, life)
		c.unseen(t, "stranger deprecates", func(name string) clienttest.Result { return mallory.Deprecate(name, "1.0.0", "no") })
		check()
		c.yes(t, "deprecate a range", wendy.Deprecate(life, "<1.2.0", "use 2"))
	} else {
		c.at.edit(t, life, func(d map[string]any) {
			for _, v := range []string{"1.0.0", "1.1.0"} {
				d["versions"].(map[string]any)[v].(map[string]any)["deprecated"] = "use 2"
			}
		})
	}
	want.versions["1.0.0"], want.versions["1.1.0"] = "use 2", "use 2"
	check()
	app := application(t, life, "1.0.0")
	if r := c.yes(t, "install deprecated", rita.Install(app)); !r.Line(strings.ReplaceAll(words.deprecated, "NAME", life)) {
		t.Errorf("no warning of the deprecation in\n%v", r)
	}
	if r := c.yes(t, "view deprecated", rita.View(life+"@1.0.0", "deprecated")); !r.Line("use 2") {
		t.Errorf("the message is not in\n%v", r)
	}
	if c.has(clienttest.Undeprecate) {
		c.yes(t, "undeprecate", wendy.Undeprecate(life, "1.1.0"))
		want.versions["1.1.0"] = ""
		check()
	}

	// Stars.
	if c.has(clienttest.Star, "star", "unstar", "stars", "stranger stars") {
		c.yes(t, "star", rita.Star(life))
		want.stars = []string{"rita"}
		check()
		if c.Name == "pnpm-12" {
			c.results.note("stars", c.Name, "no") // it asks for what only one registry has
		} else {
			if r := c.yes(t, "stars", wendy.Stars("rita")); !r.Line(life) {
				t.Errorf("the star is not in\n%v", r)
			}
			if r := mallory.Stars("rita"); r.Line(life) {
				t.Errorf("a stranger learns of the package:\n%v", r)
			}
		}
		c.unseen(t, "stranger stars", mallory.Star)
		c.yes(t, "unstar", rita.Unstar(life))
		want.stars = nil
		check()
	}

	// Owners are GitHub's.
	if c.has(clienttest.OwnerList, "owner ls", "owner add", "owner rm") {
		if r := c.yes(t, "owner ls", rita.OwnerList(life)); !r.Line("wendy", "@users.noreply.github.com") {
			t.Errorf("wendy is not in\n%v", r)
		}
		sentence := sentenceOwners
		if c.Name == "yarn-1" {
			sentence = "" // takes no name with a scope
		}
		c.no(t, "owner add", wendy.OwnerAdd(life, "mallory"), sentence, life)
		c.no(t, "owner rm", wendy.OwnerRemove(life, "ada"), sentence, life)
		check()
	}
	if c.has(clienttest.Outdated, "outdated") {
		if r := rita.Outdated(locked); !r.Line(life, "1.0.0", "2.0.0") {
			t.Errorf("the newer version is not in\n%v", r)
		}
		c.results.note("outdated", c.Name, "yes")
	}

	// Unpublish: the latest, and one that somebody's lock file has.
	if c.has(clienttest.DistTagAdd) {
		wendy.DistTagAdd(life, "2.0.0", "next").Must(t)
		wendy.DistTagAdd(life, "1.1.0", "old").Must(t)
		want.tags["next"], want.tags["old"] = "2.0.0", "1.1.0"
		check()
	}
	if c.has(clienttest.Unpublish, "unpublish the latest", "unpublish again", "unpublish another", "reader unpublishes", "stranger unpublishes") {
		c.no(t, "reader unpublishes", rita.Unpublish(life, "2.0.0"), sentenceUnpublish, life)
		c.unseen(t, "stranger unpublishes", func(name string) clienttest.Result { return mallory.Unpublish(name, "2.0.0") })
		check()
		c.yes(t, "unpublish the latest", wendy.Unpublish(life, "2.0.0"))
	} else {
		c.at.unpublish(t, life, "2.0.0")
	}
	want.withdraw("2.0.0")
	delete(want.tags, "next")
	want.tags["latest"] = "1.2.0"
	check()
	if c.has(clienttest.Unpublish) {
		if again := wendy.Unpublish(life, "2.0.0"); c.Name == "pnpm-12" {
			c.no(t, "unpublish again", again, `No versions match "2.0.0"`, life)
		} else {
			c.yes(t, "unpublish again", again)
		}
		c.yes(t, "unpublish another", wendy.Unpublish(life, "1.0.0"))
	} else {
		c.at.unpublish(t, life, "1.0.0")
	}
	want.withdraw("1.0.0")
	check()
	c.no(t, "install unpublished", rita.Install(application(t, life, "2.0.0")), words.missing, life)
	c.no(t, "install it from lock", rita.InstallFrozen(locked), words.locked, life)
	c.no(t, "publish it again", wendy.Publish(library(t, life, "2.0.0", "5"), "latest"), sentenceBurned, life)
	if c.has(clienttest.DistTagAdd, "tag unpublished") {
		c.no(t, "tag unpublished", wendy.DistTagAdd(life, "2.0.0", "back"), sentenceBurned, life)
	}
	check()

	// The rest, down to the last.
	if c.has(clienttest.UnpublishAll, "unpublish the last", "unpublish it with force", "unpublish all", "reader unpublishes all") {
		c.yes(t, "unpublish another", wendy.Unpublish(life, "1.1.0"))
		delete(want.tags, "old")
		want.withdraw("1.1.0")
		check()
		c.no(t, "unpublish the last", wendy.Unpublish(life, "1.2.0"), "", life)
		c.no(t, "reader unpublishes all", rita.UnpublishAll(life), sentenceUnpublish, life)
		check()
		c.yes(t, "unpublish it with force", wendy.UnpublishAll(life+"@1.2.0"))
	} else {
		c.at.unpublish(t, life, "1.1.0", "1.2.0")
		delete(want.tags, "old")
		want.withdraw("1.1.0")
	}
	want.withdraw("1.2.0")
	delete(want.tags, "latest")
	check()
	if view := rita.View(life, "time"); !view.Line(strings.ReplaceAll(words.viewed, "NAME", life)) {
		t.Errorf("that the package was unpublished is not in\n%v", view)
	}
	c.yes(t, "publish anew", wendy.Publish(library(t, life, "3.0.0", "5"), "latest"))
	want.versions["3.0.0"], want.tags["latest"] = "", "3.0.0"
	check()
	if c.has(clienttest.UnpublishAll) {
		c.yes(t, "unpublish all", wendy.UnpublishAll(life))
		want.withdraw("3.0.0")
		delete(want.tags, "latest")
		check()
	}
}

// unseen is for a command that tells a stranger nothing: of the package that is there they get to read the same as of one that is not.
func (c cell) unseen(t *testing.T, step string, command func(name string) clienttest.Result) {
	t.Helper()
	there, missing := c.name("life"), c.name("none") // of one length, since pnpm 12 breaks lines
	hidden := shape(c.no(t, step, command(there), c.lifeWords().hidden, there), there)
	absent := shape(c.no(t, step, command(missing), c.lifeWords().hidden, missing), missing)
	if !slices.Equal(hidden, absent) {
		t.Errorf("of a package that is there it says:\n%s\nand of one that is not:\n%s", strings.Join(hidden, "\n"), strings.Join(absent, "\n"))
	}
}

// state is what a package is to be like.
type state struct {
	versions map[string]string // the message of each version that is there
	gone     []string
	tags     map[string]string
	stars    []string
}

func (s *state) withdraw(version string) {
	delete(s.versions, version)
	s.gone = append(s.gone, version)
}

// truthful checks that everything the registry says of a package agrees with the state, and with itself.
func (p *process) truthful(t *testing.T, name string, want state) {
	t.Helper()
	for _, accept := range []string{"application/json", "*/*", "application/vnd.npm.install-v1+json; q=1.0, */*"} {
		short := strings.Contains(accept, "install-v1")
		status, body := p.ask(t, http.MethodGet, "/"+name+"?write=true", p.github.Rita, accept, nil)
		var d struct {
			Rev      string            `json:"_rev"`
			Tags     map[string]string `json:"dist-tags"`
			Time     map[string]json.RawMessage
			Users    map[string]bool
			Versions map[string]struct {
				Version    string
				Deprecated string
				Dist       struct{ Integrity, Shasum, Tarball string }
			}
		}
		if err := json.Unmarshal(body, &d); status != http.StatusOK || err != nil {
			t.Fatalf("%d %s: %v", status, body, err)
		}
		messages := map[string]string{}
		times := []string{"created", "modified"}
		for version, v := range d.Versions {
			messages[version] = v.Deprecated
			if v.Version != version {
				t.Errorf("%s says that it is %s", version, v.Version)
			}
		}
		times = append(append(times, slices.Collect(maps.Keys(want.versions))...), want.gone...)
		if len(want.versions) == 0 {
			times = append(times, "unpublished")
		}
		slices.Sort(times)
		if !maps.Equal(messages, want.versions) || !maps.Equal(d.Tags, want.tags) || (d.Rev == "") != short ||
			!slices.Equal(slices.Sorted(maps.Keys(d.Time)), times) || !short && !slices.Equal(slices.Sorted(maps.Keys(d.Users)), want.stars) {
			t.Errorf("want %+v, got %s", want, body)
		}
		if short {
			continue
		}
		for version, v := range d.Versions {
			tarball := p.read(t, strings.TrimPrefix(v.Dist.Tarball, p.url))
			strong, weak := sha512.Sum512(tarball), sha1.Sum(tarball)
			if v.Dist.Integrity != "sha512-"+base64.StdEncoding.EncodeToString(strong[:]) || v.Dist.Shasum != hex.EncodeToString(weak[:]) || packedVersion(t, tarball) != version {
				t.Errorf("the tarball of %s is another than its packument says", version)
			}
		}
	}
	_, base, _ := strings.Cut(name, "/")
	for _, version := range want.gone {
		for _, path := range []string{"/" + name + "/" + version, "/" + name + "/-/" + base + "-" + version + ".tgz"} {
			for _, method := range []string{http.MethodGet, http.MethodHead} {
				status, body := p.ask(t, method, path, p.github.Rita, "", nil)
				hidden, _ := p.ask(t, method, path, p.github.Mallory, "", nil)
				if status != http.StatusGone || hidden != http.StatusNotFound || method == http.MethodGet && !strings.Contains(string(body), "was unpublished by wendy on") {
					t.Errorf("%s %s: %d %s, and %d to a stranger", method, path, status, body, hidden)
				}
			}
		}
	}
	tags := p.read(t, "/-/package/"+name+"/dist-tags")
	var listed map[string]string
	if err := json.Unmarshal(tags, &listed); err != nil || !maps.Equal(listed, want.tags) {
		t.Errorf("the tags are %s, want %v", tags, want.tags)
	}
}

// ask is one request, without a client.
func (p *process) ask(t *testing.T, method, path, token, accept string, body []byte) (int, []byte) {
	t.Helper()
	req, err := http.NewRequest(method, p.url+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	if accept != "" {
		req.Header.Set("Accept", accept)
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

// publish adds a version to a package of acme/ui, as wendy.
func (p *process) publish(t *testing.T, name, version string) {
	t.Helper()
	made := packumenttest.Package{Name: name, Version: version, Repository: "github:acme/ui", Files: map[string]string{"index.js": "module.exports = '" + version + "'\n"}}
	if status, body := p.ask(t, http.MethodPut, made.Path(), p.github.Wendy, "", made.Body()); status != http.StatusCreated {
		t.Fatalf("publishing %s@%s: %d %s", name, version, status, body)
	}
}

// document reads a package as whoever wants to change it.
func (p *process) document(t *testing.T, name string) (d map[string]any) {
	t.Helper()
	if err := json.Unmarshal(p.read(t, "/"+name+"?write=true"), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// edit sends the document of a package back, changed, as npm deprecate does. It does so twice, as npm does if the answer got lost.
func (p *process) edit(t *testing.T, name string, change func(d map[string]any)) {
	t.Helper()
	d := p.document(t, name)
	change(d)
	p.twice(t, http.MethodPut, "/"+name, d)
}

// unpublish removes versions as npm does; nothing stays of a package that has no others.
func (p *process) unpublish(t *testing.T, name string, versions ...string) {
	t.Helper()
	d := p.document(t, name)
	for _, version := range versions {
		delete(d["versions"].(map[string]any), version)
	}
	path := "/" + name + "/-rev/" + d["_rev"].(string)
	if len(d["versions"].(map[string]any)) == 0 {
		p.twice(t, http.MethodDelete, path, nil)
		return
	}
	tags := d["dist-tags"].(map[string]any)
	maps.DeleteFunc(tags, func(_ string, v any) bool { return slices.Contains(versions, v.(string)) })
	p.twice(t, http.MethodPut, path, d)
	_, base, _ := strings.Cut(name, "/")
	for _, version := range versions {
		p.twice(t, http.MethodDelete, "/"+name+"/-/"+base+"-"+version+".tgz/-rev/"+p.document(t, name)["_rev"].(string), nil)
	}
}

func (p *process) twice(t *testing.T, method, path string, document map[string]any) {
	t.Helper()
	body, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if status, answer := p.ask(t, method, path, p.github.Wendy, "", body); status != http.StatusOK {
			t.Fatalf("%s %s: %d %s", method, path, status, answer)
		}
	}
}

// between is an address of the registry at which requests go through handle, which passes them on.
func (p *process) between(t *testing.T, handle func(w http.ResponseWriter, r *http.Request, on http.Handler)) *process {
	t.Helper()
	target, err := url.Parse(p.url)
	if err != nil {
		t.Fatal(err)
	}
	on := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Host = r.In.Host
	}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handle(w, r, on) }))
	t.Cleanup(server.Close)
	return &process{url: server.URL, github: p.github}
}

func changes(r *http.Request) bool { return r.Method != http.MethodGet && r.Method != http.MethodHead }

// Whoever changes a package that somebody else has changed since they read it is told to run the command again, and undoes nothing.
func TestClientsTwoWriters(t *testing.T) {
	at := startRegistry(t)
	for _, name := range []string{"npm-11", "pnpm-12"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var meanwhile func()
			behind := at.between(t, func(w http.ResponseWriter, r *http.Request, on http.Handler) {
				if act := meanwhile; changes(r) && act != nil {
					meanwhile = nil
					act()
				}
				on.ServeHTTP(w, r)
			})
			c := cell{clienttest.Named(t, name), behind, nil}
			wendy, life := c.user(t, at.github.Wendy), c.name("both")
			at.publish(t, life, "1.0.0")
			at.publish(t, life, "1.1.0")
			want := state{versions: map[string]string{"1.0.0": "", "1.1.0": ""}, tags: map[string]string{"latest": "1.1.0"}}
			publishes := func(version string) func() {
				return func() {
					at.publish(t, life, version)
					want.versions[version], want.tags["latest"] = "", version
				}
			}
			for step, command := range map[string]func() clienttest.Result{
				"1.2.0": func() clienttest.Result { return wendy.Deprecate(life, "1.0.0", "old") },
				"1.3.0": func() clienttest.Result { return wendy.Unpublish(life, "1.0.0") },
				"1.4.0": func() clienttest.Result { return wendy.UnpublishAll(life) },
			} {
				meanwhile = publishes(step)
				c.no(t, "", command(), sentenceStale, life)
				at.truthful(t, life, want)
			}
			wendy.Deprecate(life, "1.0.0", "old").Must(t)
			want.versions["1.0.0"] = "old"
			at.truthful(t, life, want)
		})
	}
}

// npm sends again what it got no answer to, though it was done.
func TestClientsLostAnswers(t *testing.T) {
	at := startRegistry(t)
	var mu sync.Mutex
	lost := map[string]bool{}
	behind := at.between(t, func(w http.ResponseWriter, r *http.Request, on http.Handler) {
		if !changes(r) {
			on.ServeHTTP(w, r)
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		request := r.Method + r.URL.Path + string(body)
		mu.Lock()
		first := !lost[request]
		lost[request] = true
		mu.Unlock()
		if first {
			on.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		}
		on.ServeHTTP(w, r)
	})
	c := cell{clienttest.Named(t, "npm-11"), behind, nil}
	wendy, life := c.user(t, at.github.Wendy), c.name("lost")
	wendy.Env = []string{"npm_config_fetch_retries=2", "npm_config_fetch_retry_mintimeout=10", "npm_config_fetch_retry_maxtimeout=20"}
	for _, version := range []string{"1.0.0", "1.1.0", "1.2.0"} {
		wendy.Publish(library(t, life, version, "1"), "latest").Must(t)
	}
	wendy.Deprecate(life, "1.0.0", "old").Must(t)
	wendy.Star(life).Must(t)
	wendy.DistTagAdd(life, "1.0.0", "old").Must(t)
	wendy.DistTagAdd(life, "1.0.0", "older").Must(t)
	wendy.DistTagRemove(life, "older").Must(t)
	wendy.Unpublish(life, "1.2.0").Must(t)
	want := state{
		versions: map[string]string{"1.0.0": "old", "1.1.0": ""}, gone: []string{"1.2.0"},
		tags: map[string]string{"latest": "1.1.0", "old": "1.0.0"}, stars: []string{"wendy"},
	}
	at.truthful(t, life, want)
	wendy.UnpublishAll(life).Must(t)
	want = state{gone: []string{"1.0.0", "1.1.0", "1.2.0"}, stars: []string{"wendy"}}
	at.truthful(t, life, want)
	if len(lost) < 10 {
		t.Errorf("only %d answers were lost", len(lost))
	}
}

// settings.allow_previous_version: clients that let their users publish over a version do so; each reader gets all of the old one or all of
// the new one, and the log says that it happened.
func TestClientsReplace(t *testing.T) {
	at := startRegistry(t, "--settings.allow_previous_version=true")
	at.warns = "was published over (settings.allow_previous_version)"
	for _, client := range clienttest.All(t) {
		if client.Name == "pnpm-10" {
			continue // npm 11 publishes for it
		}
		t.Run(client.Name, func(t *testing.T) {
			t.Parallel()
			c := cell{client, at, nil}
			over := c.name("over")
			at.publish(t, over, "1.0.0")
			at.publish(t, over, "1.1.0")
			wendy := c.user(t, at.github.Wendy)
			again := library(t, over, "1.0.0", "'again'")
			switch c.Name {
			case "npm-11", "npm-12": // asks its user first
				c.no(t, "", wendy.Publish(again, "latest"), "You cannot publish over the previously published versions", over)
				wendy.Env = []string{"npm_config_force=true"}
			}
			wendy.Publish(again, "latest").Must(t)
			want := state{versions: map[string]string{"1.0.0": "", "1.1.0": ""}, tags: map[string]string{"latest": "1.0.0"}}
			at.truthful(t, over, want)
			app := application(t, over, "1.0.0")
			c.user(t, at.github.Rita).Install(app).Must(t)
			if got := required(t, app, over); got != "again" {
				t.Errorf("it says %q", got)
			}
			// A number that was unpublished stays burned.
			at.unpublish(t, over, "1.0.0")
			want.withdraw("1.0.0")
			want.tags["latest"] = "1.1.0"
			c.no(t, "", wendy.Publish(again, "latest"), sentenceGone, over)
			at.truthful(t, over, want)
		})
	}
}
