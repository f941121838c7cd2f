package packument

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// publishOf is the body of a publish of @acme/ui@1.0.0 with these members in the package.json of its tarball and these in
// its manifest, beside name and version.
func publishOf(t testing.TB, packageJSON, manifest string, more ...file) string {
	t.Helper()
	join := func(members string) string {
		return strings.TrimSuffix(`"name":"@acme/ui","version":"1.0.0",`+members, ",")
	}
	b := bodyFor(pack(t, "{"+join(packageJSON)+"}", more...))
	b.manifest = join(manifest)
	return b.String()
}

const (
	gitLong = `"a":"npm/cli","b":"git@github.com:npm/cli.git#v1","c":"https://github.com/npm/cli/tree/v1","d":"https://u:p@github.com/npm/cli","e":"git+https://gitlab.com/a/b/c.git",` +
		`"f":"ssh://git@github.com:22/npm/cli","g":"https://git.sr.ht/~u/r","h":"https://gist.github.com/u/abc","i":"latest","j":"npm:other@^1","k":"https://example.com/x.tgz"`
	gitNPM = `"a":"github:npm/cli","b":"git+ssh://git@github.com/npm/cli.git#v1","c":"git+https://github.com/npm/cli.git#v1","d":"git+https://u:p@github.com/npm/cli.git","e":"git+https://gitlab.com/a/b/c.git",` +
		`"f":"git+ssh://git@github.com/npm/cli.git","g":"https://git.sr.ht/~u/r.git","h":"git+https://gist.github.com/abc.git","i":"latest","j":"npm:other@^1","k":"https://example.com/x.tgz"`
)

// What each client makes of a package.json between the tarball and the manifest, as they were seen to: npm 6, 8, 10, 11 and
// 12, pnpm 10 and 12, yarn 1 and 4, bun 1.4, vlt 1.0.0-rc.23. Where a client is not named it sends what it packed.
func TestHonestPublishes(t *testing.T) {
	bin := func(names ...string) (files []file) {
		for _, name := range names {
			files = append(files, file{name: "package/bin/" + name, body: "x"})
		}
		return files
	}
	gyp := []file{{name: "package/binding.gyp", body: "{}"}}
	for _, c := range []struct {
		what        string
		packageJSON string
		files       []file
		served      string   // of the installed fields
		manifests   []string // what clients send of it, beside the same
	}{
		{"bin as text", `"bin":"./cli.js"`, nil, `"bin":{"ui":"cli.js"}`, []string{`"bin":{"ui":"cli.js"}`, `"bin":{"@acme/ui":"cli.js"}`}}, // bun: the second
		{"bin with the scope", `"bin":{"@acme/ui":"./cli.js"}`, nil, `"bin":{"ui":"cli.js"}`, []string{`"bin":{"ui":"cli.js"}`, `"bin":{"@acme/ui":"cli.js"}`, `"bin":{}`}},
		{"bin with odd paths", `"bin":{"a":"./x/../cli.js","b":"lib//cli.js","c":"../../cli.js","d":"/cli.js","e":"lib\\cli.js","f/g":"cli.js","./h":"lib/"}`, nil,
			`"bin":{"a":"cli.js","b":"lib/cli.js","c":"cli.js","d":"cli.js","e":"lib/cli.js","g":"cli.js","h":"lib"}`,
			[]string{`"bin":{"a":"cli.js","b":"lib/cli.js","c":"cli.js","d":"cli.js","e":"lib/cli.js","g":"cli.js","h":"lib/"}`, `"bin":{"a":"cli.js","b":"lib/cli.js","e":"lib\\cli.js"}`}},
		{"bin with odd values", `"bin":{"ui":"cli.js","n":5,"z":null,"":"cli.js","dot":".","é":"cli.js","é":"cli.js"}`, nil, `"bin":{"ui":"cli.js","é":"cli.js"}`,
			[]string{`"bin":{"ui":"cli.js","é":"cli.js"}`, `"bin":{"ui":"cli.js"}`}},
		{"bin as a list", `"bin":["cli.js","lib/cli.js","x.js"]`, nil, `"bin":{"cli.js":"lib/cli.js","x.js":"x.js"}`, []string{`"bin":{"cli.js":"lib/cli.js","x.js":"x.js"}`}},
		{"bin empty", `"bin":{}`, nil, ``, []string{``}},
		{"bin empty text", `"bin":""`, nil, ``, []string{``, `"bin":{}`}},
		{"directories.bin", `"directories":{"bin":"./bin/","lib":"l"}`, bin("a", "b.js", "sub/c", ".hidden", "made"),
			`"bin":{"a":"bin/a","b.js":"bin/b.js","c":"bin/sub/c","made":"bin/made"},"directories":{"bin":"./bin/","lib":"l"}`,
			[]string{
				`"directories":{"bin":"./bin/","lib":"l"},"bin":{"sub":"bin/sub","a":"bin//a","b.js":"bin/b.js","c":"bin/sub/c","not packed":"bin/not packed"}`, // npm
				`"directories":{"bin":"./bin/","lib":"l"},"bin":{"a":"bin/a","b.js":"bin/b.js","c":"bin/sub/c",".hidden":"bin/.hidden"}`,                        // bun
				`"bin":{"a":"bin/a","b.js":"bin/b.js","sub":"bin/sub"}`, `"bin":{}`,                                                                             // yarn 1, before the folder is built
			}},
		{"directories.bin without files", `"directories":{"bin":"nope"}`, nil, `"directories":{"bin":"nope"}`, []string{`"bin":{},"directories":{"bin":"nope"}`, `"bin":{}`, ``}},
		{"directories.bin is the package", `"directories":{"bin":"."}`, bin("a"), `"bin":{"package.json":"package.json","a":"bin/a"},"directories":{"bin":"."}`, nil},
		{"directories.bin beside bin", `"directories":{"bin":"bin"},"bin":{"x":"cli.js"}`, bin("a"), `"bin":{"x":"cli.js"},"directories":{"bin":"bin"}`, []string{`"bin":{"x":"cli.js"}`}},
		{"directories", `"directories":{"lib":"l"}`, nil, `"directories":{"lib":"l"}`, []string{``}},
		{"bundledDependencies", `"dependencies":{"a":"1"},"bundledDependencies":["a"]`, nil, `"dependencies":{"a":"1"},"bundleDependencies":["a"]`, []string{`"dependencies":{"a":"1"},"bundleDependencies":["a"]`}},
		{"bundle spelled twice", `"dependencies":{"a":"1","b":"1"},"bundleDependencies":["a"],"bundledDependencies":["b"]`, nil, `"dependencies":{"a":"1","b":"1"},"bundleDependencies":["a"]`,
			[]string{`"dependencies":{"a":"1","b":"1"},"bundleDependencies":["a"]`}},
		{"bundle of all", `"dependencies":{"a":"1","b":"1"},"bundleDependencies":true`, nil, `"dependencies":{"a":"1","b":"1"},"bundleDependencies":["a","b"]`,
			[]string{`"dependencies":{"a":"1","b":"1"},"bundleDependencies":["a","b"]`}},
		{"bundle of none", `"bundleDependencies":false`, nil, ``, []string{``, `"bundleDependencies":[]`}},
		{"bundle as an object", `"dependencies":{"a":"1"},"bundleDependencies":{"a":"1"}`, nil, `"dependencies":{"a":"1"},"bundleDependencies":["a"]`,
			[]string{`"dependencies":{"a":"1"},"bundleDependencies":["a"]`, `"dependencies":{"a":"1"}`}},
		{"bundle as text", `"bundleDependencies":"a"`, nil, ``, []string{``}},
		{"bundle with odd values", `"dependencies":{"a":"1"},"bundleDependencies":["a",5,"",null]`, nil, `"dependencies":{"a":"1"},"bundleDependencies":["a"]`,
			[]string{`"dependencies":{"a":"1"},"bundleDependencies":["a"]`}},
		{"bundle of what is not listed", `"bundleDependencies":["a"]`, nil, `"bundleDependencies":["a"]`, []string{`"bundleDependencies":["a"],"dependencies":{"a":"*"}`}},
		{"bundle of what is optional", `"optionalDependencies":{"a":"^1"},"bundleDependencies":["a"]`, nil, `"optionalDependencies":{"a":"^1"},"bundleDependencies":["a"]`,
			[]string{`"optionalDependencies":{"a":"^1"},"bundleDependencies":["a"],"dependencies":{"a":"*"}`, `"optionalDependencies":{"a":"^1"},"bundleDependencies":["a"],"dependencies":{"a":"^1"}`}},
		{"optional and not", `"dependencies":{"a":"1","b":"1"},"optionalDependencies":{"b":"^9","c":"2"}`, nil, `"dependencies":{"a":"1","b":"1"},"optionalDependencies":{"b":"^9","c":"2"}`,
			[]string{
				`"dependencies":{"a":"1","b":"^9","c":"2"},"optionalDependencies":{"b":"^9","c":"2"}`, // npm 6, 8
				`"dependencies":{"a":"1"},"optionalDependencies":{"b":"^9","c":"2"}`,                  // yarn 1
			}},
		{"one name in many kinds", `"dependencies":{"a":"*","b":""},"optionalDependencies":{"c":"*"},"devDependencies":{"a":"^1","b":"^2","c":"^3"}`, nil,
			`"dependencies":{"a":"*","b":""},"optionalDependencies":{"c":"*"},"devDependencies":{"a":"^1","b":"^2","c":"^3"}`,
			[]string{`"dependencies":{"a":"^1","b":"^2"},"optionalDependencies":{"c":"^3"},"devDependencies":{}`}}, // yarn 1
		{"dependencies as a list", `"dependencies":["a@^1"," b ","c >=2","d:@x",5]`, nil, `"dependencies":{"a":"^1","b":"","c":">=2","d":":@x"}`, []string{`"dependencies":{"a":"^1","b":"","c":">=2","d":":@x"}`}},
		{"dependencies as text", `"dependencies":"a@^1 b, c"`, nil, `"dependencies":{"a":"^1","b":"","c":""}`, []string{`"dependencies":{"a":"^1","b":"","c":""}`}},
		{"dependencies with odd values", `"dependencies":{"a":5,"b":null,"c":"1","d":"","//":"note"}`, nil, `"dependencies":{"c":"1","d":""}`,
			[]string{`"dependencies":{"c":"1","d":""}`, `"dependencies":{"b":"","c":"1","d":""}`}},
		{"dependencies in repositories", `"dependencies":{` + gitLong + `}`, nil, `"dependencies":{` + gitLong + `}`, []string{`"dependencies":{` + gitNPM + `}`}},
		{"dependencies on the disk", `"dependencies":{"a":"file:../a","b":"/b"}`, nil, `"dependencies":{"a":"file:../a","b":"/b"}`, []string{`"dependencies":{"a":"file:p/a","b":"file:../../b"}`}},
		{"dependencies only for development", `"dependencies":{}`, nil, `"dependencies":{}`, []string{`"dependencies":{},"devDependencies":{"x":"workspace:*"},"scripts":{"test":"x"}`, ``}},
		{"peers", `"peerDependencies":{"a":">=1"},"peerDependenciesMeta":{"a":{"optional":true}},"acceptDependencies":{"b":"1"},"dependenciesMeta":{"c":{"built":false}}`, nil,
			`"peerDependencies":{"a":">=1"},"peerDependenciesMeta":{"a":{"optional":true}},"acceptDependencies":{"b":"1"},"dependenciesMeta":{"c":{"built":false}}`, nil},
		{"nothing in many words", `"dependencies":null,"devDependencies":null,"engines":null,"os":null,"cpu":[],"libc":"","scripts":null,"peerDependenciesMeta":{},"directories":null,"gypfile":null`, nil,
			`"peerDependenciesMeta":{}`, []string{``, `"dependencies":{},"engines":{},"os":[]`}},
		{"platforms as text", `"os":"linux","cpu":"x64","libc":"glibc","engines":"node >= 18"`, nil, `"engines":"node >= 18","os":["linux"],"cpu":["x64"],"libc":["glibc"]`, nil},
		{"engines as a list", `"engines":["node >= 18"," npm  >=8"]`, nil, `"engines":["node >= 18"," npm  >=8"]`, []string{`"engines":{"node":">= 18","npm":">=8"}`}},
		{"engines", `"engines":{"node":">=18","npm":">=8"},"os":["linux","!win32"]`, nil, `"engines":{"node":">=18","npm":">=8"},"os":["linux","!win32"]`, []string{`"engines":{"npm":">=8","node":">=18"},"os":["linux","!win32"]`}},
		{"binding.gyp", ``, gyp, `"scripts":{"install":"node-gyp rebuild"},"gypfile":true`, []string{`"scripts":{"install":"node-gyp rebuild"},"gypfile":true`, `"scripts":{"install":"node-gyp rebuild"}`}},
		{"binding.gyp beside scripts", `"scripts":{"test":"x","install":""}`, gyp, `"scripts":{"test":"x","install":"node-gyp rebuild"},"gypfile":true`,
			[]string{`"scripts":{"test":"x","install":"node-gyp rebuild"},"gypfile":true`}},
		{"binding.gyp beside preinstall", `"scripts":{"preinstall":"x"}`, gyp, `"scripts":{"preinstall":"x"}`, []string{`"scripts":{"preinstall":"x","install":"node-gyp rebuild"}`}}, // yarn 1
		{"binding.gyp not to be built", `"gypfile":false`, gyp, `"gypfile":false`, []string{`"gypfile":false,"scripts":{"install":"node-gyp rebuild"}`}},                              // yarn 1
		{"binding.gyp not packed", ``, nil, ``, []string{`"scripts":{"install":"node-gyp rebuild"},"gypfile":true`}},
		{"server.js", ``, nil, ``, []string{`"scripts":{"start":"node server.js"}`}},
		{"scripts", `"scripts":{"test":"./node_modules/.bin/mocha","postinstall":"node_modules/.bin/x && y","n":5,"z":null,"prepare":"p"}`, nil,
			`"scripts":{"test":"mocha","postinstall":"x && y","prepare":"p"}`, []string{`"scripts":{"test":"mocha","postinstall":"x && y","prepare":"p"}`, `"scripts":{"postinstall":"x && y"}`}},
		{"scripts that are none", `"scripts":["x"]`, nil, ``, []string{``}},
		{"keys that come twice", `"engines":{"node":"1","node":"2"},"scripts":{"install":"a","install":"b"},"dependencies":{"a":"1","a":"2"}`, nil,
			`"dependencies":{"a":"2"},"scripts":{"install":"b"},"engines":{"node":"2"}`, []string{`"engines":{"node":"2"},"scripts":{"install":"b"},"dependencies":{"a":"2"}`}},
		{"text that is no Unicode", "\"scripts\":{\"install\":\"\xe9\"},\"engines\":{\"x\":\"\xe9\"}", nil, `"scripts":{"install":"�"},"engines":{"x":"�"}`, []string{`"scripts":{"install":"�"},"engines":{"x":"�"}`}},
	} {
		t.Run(c.what, func(t *testing.T) {
			manifests := append([]string{c.served}, c.manifests...) // what the registry serves can be published again
			if !strings.Contains(c.packageJSON, `"a":"1","a":"2"`) && !strings.Contains(c.packageJSON, "\xe9") && !strings.Contains(c.packageJSON, `"é":"cli.js","é"`) {
				manifests = append(manifests, c.packageJSON)
			}
			for _, manifest := range manifests {
				kept := read(t, ui, publishOf(t, c.packageJSON, manifest, c.files...)).Kept(ada)
				full, short := tree(t, kept.Full.JSON).(map[string]any), tree(t, kept.Short.JSON).(map[string]any)
				want := tree(t, []byte("{"+c.served+"}")).(map[string]any)
				for _, field := range installedFields {
					if got := full[field]; fmt.Sprint(got) != fmt.Sprint(want[field]) {
						t.Errorf("of %s, %s is served as %v, want %v", manifest, field, got, want[field])
					}
					if got := short[field]; short[field] != nil && fmt.Sprint(got) != fmt.Sprint(want[field]) {
						t.Errorf("of %s, %s is in the short form as %v, want %v", manifest, field, got, want[field])
					}
				}
				scripts, _ := want["scripts"].(map[string]any)
				runs := scripts["preinstall"] != nil || scripts["install"] != nil || scripts["postinstall"] != nil
				if full["hasInstallScript"] != short["hasInstallScript"] || (full["hasInstallScript"] == true) != runs {
					t.Errorf("of %s, hasInstallScript is %v", manifest, full["hasInstallScript"])
				}
			}
		})
	}
}

// A manifest that says something else than the tarball is refused, whichever of the two has more to say.
func TestManifestConfusion(t *testing.T) {
	bin := []file{{name: "package/bin/a", body: "x"}}
	gyp := []file{{name: "package/binding.gyp", body: "{}"}}
	for _, c := range []struct {
		packageJSON, manifest string
		fields                string
		files                 []file
	}{
		{`"dependencies":{"evil":"1"}`, ``, "dependencies", nil},
		{``, `"dependencies":{"evil":"1"}`, "dependencies", nil},
		{`"dependencies":{"a":"1"}`, `"dependencies":{"a":"2"}`, "dependencies", nil},
		{`"dependencies":{"a":"1"}`, `"dependencies":{"a":"*"}`, "dependencies", nil},
		{`"dependencies":{"a":"*"}`, `"dependencies":{"a":"1"}`, "dependencies", nil},
		{`"dependencies":{"a":"acme/ui"}`, `"dependencies":{"a":"github:acme/uix"}`, "dependencies", nil},
		{`"dependencies":{"a":"acme/ui#a"}`, `"dependencies":{"a":"github:acme/ui"}`, "dependencies", nil},
		{`"dependencies":{"a":"acme/ui"}`, `"dependencies":{"a":"gitlab:acme/ui"}`, "dependencies", nil},
		{`"dependencies":{"a":"https://evil.example/x.tgz"}`, `"dependencies":{"a":"https://example.com/x.tgz"}`, "dependencies", nil},
		{`"dependencies":{"a":"file:x"}`, `"dependencies":{"a":"^1"}`, "dependencies", nil},
		{`"dependencies":{"a":5}`, `"dependencies":{"a":"1"}`, "dependencies", nil},
		{`"optionalDependencies":{"a":"1"}`, `"dependencies":{"a":"1"}`, "optionalDependencies", nil},
		{`"dependencies":{"a":"1"}`, `"optionalDependencies":{"a":"1"}`, "dependencies, optionalDependencies", nil},
		{`"optionalDependencies":{"a":"1"}`, `"optionalDependencies":{"a":"2"}`, "optionalDependencies", nil},
		{`"peerDependencies":{"a":"1"}`, ``, "peerDependencies", nil},
		{`"acceptDependencies":{"a":"1"}`, `"acceptDependencies":{"a":"2"}`, "acceptDependencies", nil},
		{`"peerDependenciesMeta":{"a":{"optional":true}}`, `"peerDependenciesMeta":{"a":{"optional":false}}`, "peerDependenciesMeta", nil},
		{`"dependenciesMeta":{"a":{"optional":true}}`, ``, "dependenciesMeta", nil},
		{`"dependencies":{"a":"1"},"bundleDependencies":["a"]`, `"dependencies":{"a":"1"}`, "bundleDependencies", nil},
		{`"dependencies":{"a":"1"}`, `"dependencies":{"a":"1"},"bundledDependencies":true`, "bundleDependencies", nil},
		{`"bundleDependencies":["a"]`, `"bundleDependencies":["b"],"dependencies":{"b":"*"}`, "dependencies, bundleDependencies", nil},
		{`"bin":{"npm":"x.js"}`, ``, "bin", nil},
		{``, `"bin":{"npm":"x.js"}`, "bin", nil},
		{`"bin":{"ui":"x.js"}`, `"bin":{"ui":"y.js"}`, "bin", nil},
		{`"bin":"x.js"`, `"bin":{"x":"x.js"}`, "bin", nil},
		{`"directories":{"bin":"bin"}`, ``, "bin", bin},
		{`"directories":{"bin":"bin"}`, `"directories":{"bin":"b"}`, "bin", bin},
		{`"directories":{"bin":"bin"}`, `"bin":{"a":"evil/a"}`, "bin", bin},
		{`"directories":{"bin":"bin"}`, `"bin":{"evil":"bin/a"}`, "bin", bin},
		{`"bin":{"x":"y"}`, `"directories":{"bin":"bin"}`, "bin", bin},
		{`"scripts":{"postinstall":"x"}`, ``, "scripts", nil},
		{``, `"scripts":{"preinstall":"x"}`, "scripts", nil},
		{`"scripts":{"install":"x"}`, `"scripts":{"install":"node-gyp rebuild"}`, "scripts", nil},
		{`"scripts":{"install":"node-gyp rebuild"}`, ``, "scripts", nil},
		{``, `"scripts":{"install":"x"}`, "scripts", gyp},
		{`"engines":{"node":">=20"}`, `"engines":{"node":">=18"}`, "engines", nil},
		{`"engines":{"node":">=20"}`, ``, "engines", nil},
		{`"engines":{"node":">=20"}`, `"engines":["node >=20"]`, "engines", nil},
		{`"os":["linux"]`, `"os":["darwin"]`, "os", nil},
		{`"os":["linux"]`, `"os":["linux","darwin"]`, "os", nil},
		{`"os":["linux"],"cpu":["x64"],"libc":["musl"]`, ``, "os, cpu, libc", nil},
		{`"dependencies":{"a":"1"},"bin":"x","scripts":{"install":"x"},"engines":{"a":"1"},"os":"x"`, `"peerDependencies":{"a":"1"}`, "dependencies, peerDependencies, bin, scripts, engines, os", nil},
		{`"dependencies":{"` + strings.Repeat(`\n\u0000é`, 200) + `":"` + strings.Repeat("\x80", 200) + `"}`, ``, "dependencies", nil},
	} {
		t.Run(c.packageJSON+" "+c.manifest, func(t *testing.T) {
			text := publishOf(t, c.packageJSON, c.manifest, c.files...)
			refused(t, text, "tarball package.json")
			_, err := ReadPublish(t.Context(), strings.NewReader(text), ui, DefaultLimits, "")
			var named []string
			for _, field := range installedFields {
				if strings.Contains(err.Error(), " "+field+" (") {
					named = append(named, field)
				}
			}
			if got := strings.Join(named, ", "); got != c.fields {
				t.Errorf("%s is named, want %s: %v", got, c.fields, err)
			}
		})
	}
}

func TestManifestConfusionSaysHow(t *testing.T) {
	text := publishOf(t, `"dependencies":{"a":"1","b":"2"},"engines":{"node":"20"}`, `"dependencies":{"a":"1"},"engines":{"node":"18"}`)
	_, err := ReadPublish(t.Context(), strings.NewReader(text), ui, DefaultLimits, "")
	const want = `tarball package.json: does not agree with the manifest sent with it in dependencies ("b" is "2", in the manifest not there), ` +
		`engines (it is {"node":"20"}, in the manifest {"node":"18"}); if a script changes package.json while packing, pack first and publish the file`
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestPackageRepository(t *testing.T) {
	for packageJSON, want := range map[string]string{
		``:                         "",
		`"repository":"acme/ui"`:   "acme/ui",
		`"repository":{"url":"u"}`: "u",
		`"repositories":["a","b"]`: "a",
		`"repositories":[{"url":"a"}],"repository":"r"`: "r",
		`"repository":5`: "",
	} {
		if u := read(t, ui, publishOf(t, packageJSON, `"repository":"other"`)); u.PackageRepository != want || u.Repository != "other" {
			t.Errorf("%s: the repository is %q beside %q", packageJSON, u.PackageRepository, u.Repository)
		}
	}
	refused(t, publishOf(t, `"repository":"a\u0000"`, ``), "tarball package.json repository")
	refused(t, publishOf(t, `"repository":{"url":"a","URL":"b"}`, ``), "tarball package.json repository")
}

// Fields that the manifest lacks come behind those that it has, before what the registry adds.
func TestKeptOrder(t *testing.T) {
	u := read(t, ui, publishOf(t, `"bin":"a","dependencies":{"a":"1"},"os":"linux","main":"x.js","directories":{"lib":"l"}`, `"main":"m.js","bin":{"ui":"a"},"dependencies":{"a":"1"},"os":["linux"],"exports":{}`))
	kept := u.Kept(ada)
	const full = `{"_id":"@acme/ui@1.0.0","name":"@acme/ui","version":"1.0.0","main":"m.js","bin":{"ui":"a"},"dependencies":{"a":"1"},"os":["linux"],"exports":{},"directories":{"lib":"l"},"dist":`
	if !strings.HasPrefix(string(kept.Full.JSON), full) {
		t.Errorf("got  %s\nwant %s…", kept.Full.JSON, full)
	}
	const short = `{"name":"@acme/ui","version":"1.0.0","bin":{"ui":"a"},"dependencies":{"a":"1"},"os":["linux"],"directories":{"lib":"l"},"dist":`
	if !strings.HasPrefix(string(kept.Short.JSON), short) {
		t.Errorf("got  %s\nwant %s…", kept.Short.JSON, short)
	}
}

func TestGitRef(t *testing.T) {
	for spec, want := range map[string]string{
		"npm/cli":                                   "github.com/npm/cli#",
		"npm/cli#semver:^1":                         "github.com/npm/cli#semver:^1",
		"npm/cli#a b@c":                             "github.com/npm/cli#a b@c",
		"github:npm/cli.git#%61":                    "github.com/npm/cli#a",
		"github:user:pw@npm/cli":                    "github.com/npm/cli#",
		"git@github.com:npm/cli.git":                "github.com/npm/cli#",
		"git@github.com/npm/cli":                    "github.com/npm/cli#",
		"git+ssh://git@github.com:npm/cli.git":      "github.com/npm/cli#",
		"ssh://git@github.com:22/npm/cli":           "github.com/npm/cli#",
		"git://github.com/npm/cli.git":              "github.com/npm/cli#",
		"https://www.github.com/npm/cli/":           "github.com/npm/cli#",
		"https://user:p@w@github.com/npm/cli":       "github.com/npm/cli#",
		"https://github.com/npm/cli/tree/v1":        "github.com/npm/cli#v1",
		"gitlab:a/b/c":                              "gitlab.com/a/b/c#",
		"https://gitlab.com/a/b/c.git#x":            "gitlab.com/a/b/c#x",
		"bitbucket:a/b":                             "bitbucket.org/a/b#",
		"gist:abc":                                  "gist.github.com/abc#",
		"https://gist.github.com/user/abc.git":      "gist.github.com/abc#",
		"https://git.sr.ht/~u/r":                    "git.sr.ht/~u/r#",
		"https://github.com/npm/cli/archive/v1.tgz": "",
		"https://gitlab.com/a/b/-/archive/c.tgz":    "",
		"https://example.com/github.com/npm/cli":    "",
		"https://github.com.evil.example/npm/cli":   "",
		"https://evil.example/@github.com/npm/cli":  "",
		"https://github.com":                        "",
		"https://github.com/npm":                    "",
		"./npm/cli":                                 "",
		"./cli":                                     "",
		"@npm/cli":                                  "",
		"^1.0.0":                                    "",
		"1 - 2":                                     "",
		"npm:@npm/cli@^1":                           "",
		"file:../x":                                 "",
		"npm/cli#%":                                 "",
		"a/b/c":                                     "",
		"":                                          "",
	} {
		if got := gitRef(spec); got != want {
			t.Errorf("%q is %q, want %q", spec, got, want)
		}
	}
}

// A folder of commands costs no more than a package.json may.
func TestTooManyCommands(t *testing.T) {
	files := []file{{name: "package/bin/a", body: ""}, {name: "package/bin/" + strings.Repeat("b", 90), body: ""}}
	text := publishOf(t, `"directories":{"bin":"bin"}`, `"directories":{"bin":"bin"}`, files...)
	for limit, fits := range map[int64]bool{int64(len("bin/a") + len("bin/") + 90): true, int64(len("bin/a")+len("bin/")+90) - 1: false} {
		lim := DefaultLimits
		lim.PackageJSON = limit
		u, err := ReadPublish(t.Context(), strings.NewReader(text), ui, lim, "")
		var large *TooLarge
		if fits != (err == nil) || !fits && (!errors.As(err, &large) || u != nil) {
			t.Errorf("with room for %d bytes: %v", limit, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	s := newSpool("")
	if _, err := s.Write(pack(t, uiJSON)); err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := filesIn(ctx, s, DefaultLimits, "bin"); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
