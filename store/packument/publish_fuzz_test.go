package packument

import (
	"errors"
	"strings"
	"testing"
)

func FuzzReadPublish(f *testing.F) {
	good := npmBody(f)
	f.Add(good.String())
	f.Add(`{"_id":"@acme/ui","versions":{}}`)
	f.Add(`{"name":"@acme/ui","_attachments":{"@acme/ui-1.0.0.tgz":{"data":"AAAA"}}}`)
	b := good
	b.data = strings.ReplaceAll(b.data, "/", `\/`)
	b.more = `,"@acme/ui-1.0.0.sigstore":{"data":"{}"}`
	f.Add(b.String())
	b = bodyFor(gzipped(f, archive(f, file{name: "package/", body: ""}, file{name: "package/package.json", body: uiJSON}, file{name: "package/binding.gyp", body: "{}"})))
	b.manifest += `,"deprecated":"z"`
	f.Add(b.String())
	f.Add(publishOf(f, `"bin":["x"],"scripts":{"install":"y"},"dependencies":"a@1 b","bundledDependencies":true,"optionalDependencies":{"a":"acme/ui"},"engines":["node 1"],"os":"x"`,
		`"bin":{"x":"x"},"scripts":{"install":"y"},"dependencies":{"a":"","b":""},"bundleDependencies":["a","b"],"optionalDependencies":{"a":"github:acme/ui"},"engines":{"node":"1"},"os":["x"]`))
	f.Add(publishOf(f, `"directories":{"bin":"x"}`, `"bin":{"y":"x/y"}`, file{name: "package/x/y", body: "z"}))
	lim := Limits{Tarball: 1 << 16, Manifest: 1 << 16, Version: 1 << 20, Unpacked: 1 << 20, Entries: 100, PackageJSON: 1 << 12, Ratio: 10}
	f.Fuzz(func(t *testing.T, text string) {
		u, err := ReadPublish(t.Context(), strings.NewReader(text), ui, lim, "/nonexistent") // nothing is large enough to spill
		if err != nil {
			var invalid *Invalid
			var large *TooLarge
			if u != nil || !errors.As(err, &invalid) && !errors.As(err, &large) && !errors.Is(err, ErrNoAttachment) {
				t.Fatalf("%v, %v", u, err)
			}
			return
		}
		defer u.Close()
		if CheckVersion(u.Version) != nil || CheckTag(u.Tag) != nil || u.Name != ui || !strings.Contains(string(u.PackageJSON), "name") {
			t.Fatalf("%+v was taken", u)
		}
		kept := u.Kept(ada)
		for _, f := range []Fragment{kept.Full, kept.Short} {
			m := tree(t, f.With("http://localhost/")).(map[string]any)
			if m["name"] != "@acme/ui" || m["version"] != u.Version || m["dist"].(map[string]any)["tarball"] != "http://localhost/@acme/ui/-/ui-"+u.Version+".tgz" {
				t.Fatalf("kept as %s", f.JSON)
			}
		}
		tree(t, []byte("{"+string(kept.Page)+"}"))
		// What is served agrees with the tarball, and so the same publish with it would pass.
		served, err := value(kept.Full.JSON).object("")
		if err != nil {
			t.Fatal(err)
		}
		if err := u.truth.check(served, ui); err != nil {
			t.Fatalf("%s is served: %v", kept.Full.JSON, err)
		}
	})
}

// FuzzTruth looks for a package.json that disagrees with itself, or with what is served of it.
func FuzzTruth(f *testing.F) {
	for _, seed := range []string{
		`"bin":{"a/b":"./x","b":"y"},"directories":{"bin":"."}`, `"dependencies":["a@1"," b"],"bundleDependencies":true,"devDependencies":{"a":5}`,
		`"dependencies":[""],"bundleDependencies":true`, `"scripts":{"install":"node_modules/.bin/x","y":1},"engines":["a b"],"os":"x","peerDependenciesMeta":{"a":{"b":null}}`,
	} {
		f.Add("{"+seed+"}", true)
	}
	f.Fuzz(func(t *testing.T, text string, gyp bool) {
		s := &scanner{src: newSource(t.Context(), strings.NewReader(text)), limit: 1 << 16}
		document, err := s.document()
		if err != nil {
			return
		}
		fields, err := value(document).object("")
		if err != nil {
			return
		}
		mine := readTruth(fields, ui, gyp)
		served := make(map[string]value)
		for _, key := range installedFields {
			if v := mine.served(key); v != nil {
				tree(t, v)
				served[key] = v
			}
		}
		for what, manifest := range map[string]map[string]value{"itself": fields, "what is served": served} {
			if err := mine.check(manifest, ui); err != nil {
				t.Fatalf("%s disagrees with %s: %v", document, what, err)
			}
		}
	})
}
