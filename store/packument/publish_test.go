package packument

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// Bodies shaped as each client sends them (npm-protocol.md §7.2 and the clients' sources).
func TestReadPublishOfEachClient(t *testing.T) {
	tgz := pack(t, uiJSON)
	data, length := base64.StdEncoding.EncodeToString(tgz), len(tgz)
	sums := fmt.Sprintf(`"integrity":%q,"shasum":%q`, integrity(tgz), shasum(tgz))
	const repository = `"repository":{"type":"git","url":"git+https://github.com/acme/ui.git"}`
	const url = "git+https://github.com/acme/ui.git"
	for _, c := range []struct {
		client, body            string
		tag, access, repository string
	}{
		{"npm 6", fmt.Sprintf(`{"_id":"@acme/ui","name":"@acme/ui","description":"buttons","dist-tags":{"latest":"1.0.0"},"versions":{"1.0.0":{"name":"@acme/ui","version":"1.0.0",%s,`+
			`"readme":"# ui","readmeFilename":"README.md","_id":"@acme/ui@1.0.0","_npmVersion":"6.14.18","_nodeVersion":"14.21.3","_npmUser":{"name":"ada","email":"a@b.c"},"dist":{%s,`+
			`"tarball":"http://localhost:3000/@acme/ui/-/@acme/ui-1.0.0.tgz"},"maintainers":[{"name":"ada","email":"a@b.c"}]}},"readme":"# ui","access":null,"maintainers":[{"name":"ada"}],`+
			`"_attachments":{"@acme/ui-1.0.0.tgz":{"content_type":"application/octet-stream","data":"%s","length":%d}}}`, repository, sums, data, length), "latest", "", url},
		{"npm 8, 10, 11, 12", npmBody(t).String(), "latest", "", url},
		{"npm with provenance", fmt.Sprintf(`{"_id":"@acme/ui","name":"@acme/ui","dist-tags":{"next":"1.0.0"},"versions":{"1.0.0":{"name":"@acme/ui","version":"1.0.0","readme":"ERROR: No README data found!",`+
			`"_id":"@acme/ui@1.0.0","dist":{%s}}},"access":"public","_attachments":{"@acme/ui-1.0.0.tgz":{"content_type":"application/octet-stream","data":"%s","length":%d},`+
			`"@acme/ui-1.0.0.sigstore":{"content_type":"application/vnd.dev.sigstore.bundle+json;version=0.2","data":"{\"mediaType\":\"x\"}","length":17}}}`, sums, data, length), "next", "public", ""},
		{"pnpm 10", fmt.Sprintf(`{"_id":"@acme/ui","name":"@acme/ui","dist-tags":{"latest":"1.0.0"},"versions":{"1.0.0":{"name":"@acme/ui","version":"1.0.0","repository":"github:acme/ui",`+
			`"_id":"@acme/ui@1.0.0","_resolved":"/tmp/x/acme-ui-1.0.0.tgz","_integrity":%q,"_from":"file:acme-ui-1.0.0.tgz","dist":{%s}}},"access":null,`+
			`"_attachments":{"@acme/ui-1.0.0.tgz":{"content_type":"application/octet-stream","data":"%s","length":%d}}}`, integrity(tgz), sums, data, length), "latest", "", "github:acme/ui"},
		{"pnpm 12", fmt.Sprintf(`{"_attachments":{"@acme/ui-1.0.0.tgz":{"data":"%s","content_type":"application/octet-stream","length":%d}},"_id":"@acme/ui","access":null,"dist-tags":{"latest":"1.0.0"},`+
			`"name":"@acme/ui","versions":{"1.0.0":{"_id":"@acme/ui@1.0.0","dist":{%s},"name":"@acme/ui","repository":{"type":"git"},"version":"1.0.0"}}}`, data, length, sums), "latest", "", ""},
		{"yarn 1", fmt.Sprintf(`{"_id":"@acme/ui","name":"@acme/ui","description":"","dist-tags":{"latest":"1.0.0"},"versions":{"1.0.0":{"name":"@acme/ui","version":"1.0.0","repository":"acme/ui",`+
			`"_id":"@acme/ui@1.0.0","dist":{"shasum":%q,"integrity":%q,"tarball":"http://registry.invalid/@acme/ui/-/@acme/ui-1.0.0.tgz"}}},"readme":"# ui",`+
			`"_attachments":{"@acme/ui-1.0.0.tgz":{"content_type":"application/octet-stream","data":"%s","length":%d}}}`, shasum(tgz), integrity(tgz), data, length), "latest", "", "acme/ui"},
		{"yarn 4", fmt.Sprintf(`{"_id":"@acme/ui","_attachments":{"@acme/ui-1.0.0.tgz":{"content_type":"application/octet-stream","data":"%s","length":%d}},"name":"@acme/ui","access":"restricted",`+
			`"dist-tags":{"latest":"1.0.0"},"versions":{"1.0.0":{"name":"@acme/ui","version":"1.0.0",%s,"_id":"@acme/ui@1.0.0","dist":{"shasum":%q,"integrity":%q,"tarball":"http://x/-/y.tgz"}}},"readme":"# ui"}`,
			data, length, repository, shasum(tgz), integrity(tgz)), "latest", "restricted", url},
		{"bun", fmt.Sprintf(`{"_id":"@acme/ui","name":"@acme/ui","dist-tags":{"beta":"1.0.0"},"versions":{"1.0.0":{"name":"@acme/ui","version":"1.0.0",%s,"_id":"@acme/ui@1.0.0","_integrity":%q,`+
			`"_nodeVersion":"24.3.0","_npmVersion":"10.8.3","integrity":%q,"shasum":%q,"dist":{%s,"tarball":"http://x"}}},"access":null,`+
			`"_attachments":{"@acme/ui-1.0.0.tgz":{"content_type":"application/octet-stream","data":"%s","length":%d}}}`,
			repository, integrity(tgz), integrity(tgz), shasum(tgz), sums, data, length), "beta", "", url},
	} {
		t.Run(c.client, func(t *testing.T) {
			u := read(t, ui, c.body)
			if u.Name != ui || u.Version != "1.0.0" || u.Tag != c.tag || u.Access != c.access || u.Repository != c.repository {
				t.Errorf("read as %v %q %q %q %q", u.Name, u.Version, u.Tag, u.Access, u.Repository)
			}
			if u.Size != int64(length) || u.Shasum != shasum(tgz) || u.Integrity != integrity(tgz) || base64.StdEncoding.EncodeToString(u.SHA512[:]) != integrity(tgz)[7:] {
				t.Errorf("the tarball is %d bytes, %s, %s", u.Size, u.Shasum, u.Integrity)
			}
			if u.FileCount != 1 || u.UnpackedSize != int64(len(uiJSON)) || string(u.PackageJSON) != uiJSON || u.HasShrinkwrap || u.HasBindingGyp {
				t.Errorf("the tarball has %+v", u.contents)
			}
			for range 2 {
				r := u.Tarball()
				if _, err := r.Seek(0, io.SeekStart); err != nil {
					t.Fatal(err)
				}
				if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, tgz) {
					t.Errorf("the tarball reads as %d bytes, %v", len(got), err)
				}
			}
			kept := u.Kept(ada)
			for _, leak := range []string{"_resolved", "_from", "_integrity", "/tmp", "file:", "registry.invalid", "README data", "http://", `"shasum":"` + shasum(tgz) + `","_`} {
				if strings.Contains(string(kept.Full.JSON)+string(kept.Short.JSON)+string(kept.Page), leak) {
					t.Errorf("%s is kept:\n%s", leak, kept.Full.JSON)
				}
			}
			if got := strings.Contains(string(kept.Page), `"readme":"# ui"`); got != (c.client == "npm 6" || strings.HasPrefix(c.client, "yarn")) {
				t.Errorf("the page is %s", kept.Page)
			}
		})
	}
}

func TestReadPublishOfOtherNamesAndSpellings(t *testing.T) {
	left := Name{Base: "left-pad"}
	tgz := pack(t, `{"version":"v1.0.0-rc.1+x","name":"left-pad"}`)
	data := base64.StdEncoding.EncodeToString(tgz)
	for name, body := range map[string]string{
		"unscoped": `{"name":"left-pad","dist-tags":{"latest":"1.0.0-rc.1"},"versions":{"1.0.0-rc.1":{"name":"left-pad","version":"1.0.0-rc.1"}},"_attachments":{"left-pad-1.0.0-rc.1.tgz":{"data":"` + data + `"}}}`,
		"escapes": `{"n\u0061me":"left\u002dpad","dist-tags":{"latest":"1.0.0-rc.1"},"versions":{"1.0.0-rc.1":{"name":"left-pad","version":"1.0.0-rc.\u0031"}},"\u005fattachments":{"left-pad-1.0.0-rc.1\u002etgz":{"d\u0061ta":"` +
			strings.ReplaceAll(strings.ReplaceAll(data, "/", `\/`), "A", `\u0041`) + `"}}}`,
		"spaces": " {\n \"name\" : \"left-pad\" , \"dist-tags\" : { \"latest\" : \"1.0.0-rc.1\" } , \"versions\" : { \"1.0.0-rc.1\" : { \"name\" : \"left-pad\" , \"version\" : \"1.0.0-rc.1\" } } ,\n" +
			"\"_attachments\" : { \"left-pad-1.0.0-rc.1.tgz\" : { \"data\" : \"" + data + "\" , \"length\" : null } } }\n\n",
	} {
		t.Run(name, func(t *testing.T) {
			if u := read(t, left, body); u.Integrity != integrity(tgz) || u.Version != "1.0.0-rc.1" {
				t.Errorf("read as %+v", u)
			}
		})
	}
	t.Run("scope once", func(t *testing.T) {
		b := npmBody(t)
		b.attachment = "ui-1.0.0.tgz"
		read(t, ui, b.String())
	})
}

// Members come in any order, and the attachment's too.
func TestReadPublishInAnyOrder(t *testing.T) {
	b := npmBody(t)
	parts := []string{`"_id":"@acme/ui"`, `"name":"@acme/ui"`, `"dist-tags":` + b.tags, `"versions":{"1.0.0":{` + b.manifest + `,"dist":` + b.dist + `}}`, ""}
	attachment := []string{`"content_type":"application/octet-stream"`, b.length, `"data":"` + b.data + `"`}
	permute(attachment, func() {
		parts[4] = `"_attachments":{"` + b.attachment + `":{` + strings.Join(attachment, ",") + `}}`
		read(t, ui, "{"+strings.Join(parts, ",")+"}")
	})
	parts[4] = `"_attachments":{"` + b.attachment + `":{` + strings.Join(attachment, ",") + `}}`
	permute(parts, func() { read(t, ui, "{"+strings.Join(parts, ",")+"}") })
}

// permute calls f with s in each order.
func permute(s []string, f func()) {
	var rec func(int)
	rec = func(n int) {
		if n == len(s) {
			f()
			return
		}
		for i := n; i < len(s); i++ {
			s[n], s[i] = s[i], s[n]
			rec(n + 1)
			s[n], s[i] = s[i], s[n]
		}
	}
	rec(0)
}

func TestReadPublishByTheByte(t *testing.T) {
	text := npmBody(t).String()
	for name, r := range map[string]io.Reader{
		"one byte at a time": iotest.OneByteReader(strings.NewReader(text)),
		"halves":             iotest.HalfReader(strings.NewReader(text)),
		"EOF with the data":  iotest.DataErrReader(strings.NewReader(text)),
	} {
		u, err := ReadPublish(t.Context(), r, ui, DefaultLimits, "")
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if u.Integrity != integrity(pack(t, uiJSON)) {
			t.Errorf("%s: %s", name, u.Integrity)
		}
		u.Close()
	}
}

// Padding ends the data, also where the rest comes later.
func TestReadPublishPaddingThenData(t *testing.T) {
	b := npmBody(t)
	b.data = "AA==" + b.data
	_, err := ReadPublish(t.Context(), iotest.OneByteReader(strings.NewReader(b.String())), ui, DefaultLimits, "")
	var invalid *Invalid
	if !errors.As(err, &invalid) || !strings.Contains(invalid.Problem, "base64") {
		t.Errorf("got %v", err)
	}
}
