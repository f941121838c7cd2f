package packument

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

// keptOf reads a publish of @acme/ui@1.0.0 with more members in its package.json, at the top of the body, and files in
// the tarball.
func keptOf(t *testing.T, manifest, top string, more ...file) (*Upload, Kept) {
	t.Helper()
	b := bodyFor(pack(t, `{"name":"@acme/ui","version":"1.0.0"`+manifest+`}`, more...))
	b.manifest = `"name":"@acme/ui","version":"1.0.0"` + manifest
	b.top = `"name":"@acme/ui"` + top
	u := read(t, ui, b.String())
	return u, u.Kept(ada)
}

// dist is what documents say of the upload's tarball.
func dist(u *Upload) string {
	return fmt.Sprintf(`"dist":{"tarball":"@acme/ui/-/ui-1.0.0.tgz","integrity":%q,"shasum":%q,"fileCount":%d,"unpackedSize":%d}`, u.Integrity, u.Shasum, u.FileCount, u.UnpackedSize)
}

func TestKeptFull(t *testing.T) {
	u, kept := keptOf(t, `,"zeta":1.10,"main":"\u0061.js","scripts":{"test":"x","build":"y"},"_npmVersion":"11.19.1","gitHead":"abc","_id":"@acme/ui@1.0.0","_moduleAliases":{"@":"lib"},"type":"module"`, "")
	want := `{"_id":"@acme/ui@1.0.0","name":"@acme/ui","version":"1.0.0","zeta":1.10,"main":"\u0061.js","scripts":{"test":"x","build":"y"},"_npmVersion":"11.19.1","gitHead":"abc",` +
		`"_moduleAliases":{"@":"lib"},"type":"module",` + dist(u) + `,"_npmUser":{"name":"ada","email":"ada@example.com"},"maintainers":[{"name":"ada","email":"ada@example.com"}]}`
	if string(kept.Full.JSON) != want {
		t.Errorf("got  %s\nwant %s", kept.Full.JSON, want)
	}
	if got := string(kept.Full.JSON[kept.Full.At:][:len("@acme/ui/-/")]); got != "@acme/ui/-/" {
		t.Errorf("the base goes before %q", got)
	}
	if got := string(kept.Full.With("https://npm.example.com/")); got != strings.Replace(want, `"tarball":"`, `"tarball":"https://npm.example.com/`, 1) {
		t.Errorf("with a base it is %s", got)
	}
}

func TestKeptDropsWhatIsNotTheirs(t *testing.T) {
	_, kept := keptOf(t, `,"_npmUser":{"name":"evil"},"maintainers":["evil"],"readme":"text","readmeFilename":"README.md","hasInstallScript":true,"_hasShrinkwrap":true,`+
		`"_resolved":"/home/x.tgz","_from":"file:x","_integrity":"i","integrity":"i","shasum":"s","_where":"/home","_args":[["x","/home"]],"_requested":{"where":"/home"},`+
		`"_somethingNew":{"a":["C:\\Users\\x"]},"_other":"file:///x","_h\u006fme":"~/x","_slash":"\/x","_attachments":{},"_rev":"1","deprecated":true,"kept":"/opt"`, "")
	m := tree(t, kept.Full.JSON).(map[string]any)
	for _, key := range []string{"readme", "readmeFilename", "hasInstallScript", "_hasShrinkwrap", "_resolved", "_from", "_integrity", "integrity", "shasum", "_where", "_args", "_requested",
		"_somethingNew", "_other", "_home", "_slash", "_attachments", "_rev", "deprecated"} {
		if v, ok := m[key]; ok {
			t.Errorf("%s is kept: %v", key, v)
		}
	}
	if strings.Contains(string(kept.Full.JSON), "evil") || m["kept"] != "/opt" {
		t.Errorf("kept: %s", kept.Full.JSON)
	}
}

// Programs that ignore case (Go's own encoding/json) must not find a second word where the registry has the say.
func TestKeptDropsWhatIsTheirsInAnotherCase(t *testing.T) {
	var manifest strings.Builder
	var fields []string
	for _, set := range []map[string]bool{notKept, isInstalled, matters} {
		for key := range set {
			fields = append(fields, key)
		}
	}
	odd := func(key string) []string {
		return []string{strings.ToUpper(key), strings.ToUpper(key[:2]) + key[2:], strings.Replace(key, "s", "\u017f", 1), strings.Replace(key, "k", "\u212a", 1)}
	}
	written := make(map[string]bool)
	for _, key := range fields {
		for _, other := range odd(key) {
			if served(other) && !strings.Contains(other, `\u`) && other != key {
				t.Errorf("%s is served", other)
			}
			if there := key == "name" || key == "version" || key == "dist"; !there && !written[other] && other != key { // beside those, it is refused
				written[other] = true
				fmt.Fprintf(&manifest, `,"%s":{"evil":true}`, other)
			}
		}
	}
	_, kept := keptOf(t, manifest.String()+`,"Keywords":["k"],"MAIN":"x"`, "")
	for what, f := range map[string]Fragment{"full": kept.Full, "short": kept.Short} {
		if strings.Contains(string(f.JSON), "evil") {
			t.Errorf("the %s form has %s", what, f.JSON)
		}
	}
	if !strings.Contains(string(kept.Full.JSON), `"Keywords":["k"],"MAIN":"x"`) {
		t.Errorf("others are gone: %s", kept.Full.JSON)
	}
}

func TestKeptShort(t *testing.T) {
	const lists = `"dependencies":{"a":"^1"},"optionalDependencies":{"b":"1"},"devDependencies":{"c":"1"},"peerDependencies":{"d":"1"},"peerDependenciesMeta":{"d":{"optional":true}},` +
		`"acceptDependencies":{"e":"1"},"directories":{"bin":"b"},"engines":{"node":">=20"},"os":["linux"],"cpu":["x64"],"libc":["glibc"],"funding":"https://x"`
	const start = `{"name":"@acme/ui","version":"1.0.0"`
	for _, c := range []struct {
		manifest, before, after string
		file                    string
	}{
		{manifest: `,` + lists + `,"main":"x","scripts":{"test":"x"},"_npmVersion":"1","license":"MIT","exports":{}`, before: `,` + lists},
		{manifest: `,"bin":"./cli.js"`, before: `,"bin":{"ui":"cli.js"}`},
		{manifest: `,"bin":{"a":"./cli.js"}`, before: `,"bin":{"a":"cli.js"}`},
		{manifest: `,"bin":""`},
		{manifest: `,"bin":null,"dependencies":null`},
		{manifest: `,"bundledDependencies":["a"]`, before: `,"bundleDependencies":["a"]`},
		{manifest: `,"bundleDependencies":["a"],"bundledDependencies":["b"]`, before: `,"bundleDependencies":["a"]`},
		{manifest: `,"bundledDependencies":["b"],"bundleDependencies":null`, before: `,"bundleDependencies":["b"]`},
		{manifest: `,"scripts":{"preinstall":"x"}`, after: `,"hasInstallScript":true`},
		{manifest: `,"scripts":{"install":"x"}`, after: `,"hasInstallScript":true`},
		{manifest: `,"scripts":{"postinstall":"x"}`, after: `,"hasInstallScript":true`},
		{manifest: `,"scripts":{"prepare":"x","install":""}`},
		{manifest: ``, file: "package/binding.gyp", after: `,"hasInstallScript":true`},
		{manifest: `,"gypfile":false`, file: "package/binding.gyp"},
		{manifest: ``, file: "package/npm-shrinkwrap.json", after: `,"_hasShrinkwrap":true`},
		{manifest: `,"deprecated":"use \u003c2>"`, after: `,"deprecated":"use <2>"`},
		{manifest: `,"deprecated":""`},
		{manifest: `,"deprecated":false`},
	} {
		var more []file
		if c.file != "" {
			more = append(more, file{name: c.file, body: "{}"})
		}
		u, kept := keptOf(t, c.manifest, "", more...)
		if want := start + c.before + "," + dist(u) + c.after + "}"; string(kept.Short.JSON) != want {
			t.Errorf("%s:\ngot  %s\nwant %s", c.manifest, kept.Short.JSON, want)
		}
		if !bytes.HasPrefix(kept.Short.JSON[kept.Short.At:], []byte("@acme/ui/-/ui-1.0.0.tgz\"")) {
			t.Errorf("the base goes before %q", kept.Short.JSON[kept.Short.At:])
		}
		if c.after != "" && !bytes.HasSuffix(kept.Full.JSON, []byte(c.after+"}")) {
			t.Errorf("%s: the full form does not say so: %s", c.manifest, kept.Full.JSON)
		}
	}
}

func TestKeptPage(t *testing.T) {
	const maintainers = `"maintainers":[{"name":"ada","email":"ada@example.com"}]`
	for _, c := range []struct{ manifest, top, want string }{
		{"", "", maintainers},
		{
			`,"author":{"name":"x"},"license":"MIT","description":"d","repository":"acme/ui","bugs":{"url":"u"},"homepage":"h","keywords":["k"],"contributors":["c"],"maintainers":["evil"],"readme":"# r","readmeFilename":"README.md"`, "",
			`"description":"d","readme":"# r","readmeFilename":"README.md","homepage":"h","repository":"acme/ui","bugs":{"url":"u"},"license":"MIT","keywords":["k"],"author":{"name":"x"},"contributors":["c"],` + maintainers,
		},
		{`,"readme":"ERROR: No README data found!","readmeFilename":""`, "", maintainers},
		{`,"readme":"ERROR: No README data found!"`, `,"readme":"# top"`, `"readme":"# top",` + maintainers},
		{`,"readmeFilename":"README"`, `,"readme":"# top"`, `"readme":"# top","readmeFilename":"README",` + maintainers},
		{``, `,"readme":"# top","readmeFilename":"r.md"`, `"readme":"# top","readmeFilename":"r.md",` + maintainers},
		{`,"readme":"in \u00e9"`, `,"readme":"# top"`, `"readme":"in \u00e9",` + maintainers},
		{`,"readme":5,"readmeFilename":7`, `,"readme":""`, maintainers},
		{`,"license":null`, ``, maintainers},
	} {
		if _, kept := keptOf(t, c.manifest, c.top); string(kept.Page) != c.want {
			t.Errorf("%s %s:\ngot  %s\nwant %s", c.manifest, c.top, kept.Page, c.want)
		}
	}
}

func TestKeptReadmeIsCut(t *testing.T) {
	for _, text := range []string{strings.Repeat("é", maxReadme), strings.Repeat("a", maxReadme-1) + "😀😀", "a" + strings.Repeat(`\n`, maxReadme)} {
		_, kept := keptOf(t, `,"readme":"`+text+`"`, "")
		got := tree(t, []byte("{"+string(kept.Page)+"}")).(map[string]any)["readme"].(string)
		if len(got) > maxReadme || len(got) < maxReadme-3 || !utf8.ValidString(got) || !strings.HasPrefix(strings.ReplaceAll(text, `\n`, "\n"), got) {
			t.Errorf("a readme of %d bytes became one of %d", len(text), len(got))
		}
	}
	whole := strings.Repeat("a", maxReadme-2)
	if _, kept := keptOf(t, `,"readme":"`+whole+`"`, ""); !strings.Contains(string(kept.Page), `"`+whole+`"`) {
		t.Error("a readme within the limit was changed")
	}
}

func TestDeprecate(t *testing.T) {
	for _, manifest := range []string{"", `,"deprecated":"old"`, `,"x":{"deprecated":"y"}`} {
		_, kept := keptOf(t, manifest, "")
		for _, f := range []Fragment{kept.Full, kept.Short} {
			before := bytes.Clone(f.JSON)
			d := f.Deprecate("use \"2\"\n<é>").Deprecate(`use \2`)
			if m := tree(t, d.With("http://h/")).(map[string]any); m["deprecated"] != `use \2` || m["dist"].(map[string]any)["tarball"] != "http://h/@acme/ui/-/ui-1.0.0.tgz" {
				t.Errorf("deprecated it is %s", d.JSON)
			}
			back := d.Deprecate("")
			want := tree(t, before).(map[string]any)
			delete(want, "deprecated")
			if !reflect.DeepEqual(tree(t, back.JSON), any(want)) || back.At != f.At {
				t.Errorf("taken back it is %s", back.JSON)
			}
			if !bytes.Equal(f.JSON, before) {
				t.Error("the fragment was changed")
			}
		}
	}
}
