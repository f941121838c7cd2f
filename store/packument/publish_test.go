package packument

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

// Two tarballs are inflated at a time, however many have arrived; who gives up in the meantime leaves nothing behind.
func TestReadPublishTakesTurns(t *testing.T) {
	lim := DefaultLimits
	turn := Turns(2)
	lim.Turn = turn
	var held []func()
	for range 2 {
		done, err := turn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, done)
	}
	body, dir := npmBody(t).String(), t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := ReadPublish(ctx, strings.NewReader(body), ui, lim, dir); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("without a turn: %v", err)
	}
	var invalid *Invalid
	if _, err := ReadPublish(t.Context(), strings.NewReader(`{"name":"@acme/ui"}`), ui, lim, dir); !errors.Is(err, ErrNoAttachment) {
		t.Errorf("a document waited: %v", err)
	}
	if _, err := ReadPublish(t.Context(), strings.NewReader(strings.Replace(body, `"latest"`, `"1"`, 1)), ui, lim, dir); !errors.As(err, &invalid) {
		t.Errorf("a bad manifest waited: %v", err)
	}
	finished := make(chan error)
	for range 8 {
		go func() {
			u, err := ReadPublish(t.Context(), strings.NewReader(body), ui, lim, dir)
			if err == nil {
				err = u.Close()
			}
			finished <- err
		}()
	}
	held[0]()
	held[0]() // once is enough
	for range 8 {
		if err := <-finished; err != nil {
			t.Error(err)
		}
	}
	held[1]()
	for what, tgz := range map[string][]byte{"damaged": {1, 2, 3}, "bad": pack(t, `[]`)} { // a turn ends with an error, too
		for range 3 {
			if _, err := ReadPublish(t.Context(), strings.NewReader(bodyFor(tgz).String()), ui, lim, dir); err == nil {
				t.Errorf("a %s tarball was taken", what)
			}
		}
	}
	u, err := ReadPublish(t.Context(), strings.NewReader(body), ui, lim, dir)
	if err != nil {
		t.Fatal(err)
	}
	u.Close()
	refused := errors.New("too many")
	lim.Turn = func(context.Context) (func(), error) { return nil, refused }
	if _, err := ReadPublish(t.Context(), strings.NewReader(body), ui, lim, dir); !errors.Is(err, refused) {
		t.Errorf("refused a turn: %v", err)
	}
}

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

func TestReadPublishRefusals(t *testing.T) {
	good := npmBody(t)
	other := bodyFor(pack(t, `{"name":"@acme/ui","version":"1.0.1"}`))
	for _, c := range []struct {
		what, field string
		change      func(b *body)
	}{
		{"no name", "name", func(b *body) { b.top = `"_id":"@acme/ui"` }},
		{"name of another package", "name", func(b *body) { b.top = `"name":"@evil/ui"` }},
		{"name that is no text", "name", func(b *body) { b.top = `"name":{"a":"@acme/ui"}` }},
		{"name in capitals", "name", func(b *body) { b.top = `"name":"@acme/UI"` }},
		{"name beside Name", "body", func(b *body) { b.top += `,"Name":"@evil/ui"` }},
		{"name twice", "body", func(b *body) { b.top += `,"name":"@acme/ui"` }},
		{"_id of another package", "_id", func(b *body) { b.top = `"_id":"@acme/x","name":"@acme/ui"` }},
		{"_id null", "_id", func(b *body) { b.top = `"_id":null,"name":"@acme/ui"` }},
		{"access of a kind unknown", "access", func(b *body) { b.top = `"name":"@acme/ui","access":"secret"` }},
		{"access that is no text", "access", func(b *body) { b.top = `"name":"@acme/ui","access":true` }},
		{"manifest of another package", "versions.1.0.0.name", func(b *body) { b.manifest = `"name":"@acme/x","version":"1.0.0"` }},
		{"manifest without name", "versions.1.0.0.name", func(b *body) { b.manifest = `"version":"1.0.0"` }},
		{"manifest of another version", "versions.1.0.0.version", func(b *body) { b.manifest = `"name":"@acme/ui","version":"1.0.1"` }},
		{"manifest _id of another version", "versions.1.0.0._id", func(b *body) { b.manifest = `"name":"@acme/ui","version":"1.0.0","_id":"@acme/ui@1.0.1"` }},
		{"private", "versions.1.0.0.private", func(b *body) { b.manifest += `,"private":true` }},
		{"private as text", "versions.1.0.0.private", func(b *body) { b.manifest += `,"private":"false"` }},
		{"repository with a NUL", "versions.1.0.0.repository", func(b *body) { b.manifest = `"name":"@acme/ui","version":"1.0.0","repository":"acme/ui\u0000"` }},
		{"repository with two urls", "versions.1.0.0.repository", func(b *body) {
			b.manifest = `"name":"@acme/ui","version":"1.0.0","repository":{"url":"acme/ui","URL":"evil/ui"}`
		}},
		{"Repository beside repository", "versions.1.0.0", func(b *body) { b.manifest += `,"Repository":"evil/ui"` }},
		{"__proto__", "body", func(b *body) { b.manifest += `,"__proto__":{"version":"2.0.0"}` }},
		{"version with v", "versions.v1.0.0", func(b *body) { b.version = "v1.0.0" }},
		{"version with build metadata", "versions.1.0.0+a", func(b *body) { b.version = "1.0.0+a" }},
		{"version that is a path", "versions.../1", func(b *body) { b.version = "../1" }},
		{"version key of another version", "versions.1.0.1.version", func(b *body) { b.version = "1.0.1" }},
		{"two versions", "versions", func(b *body) { b.version = `0.9.0":{},"1.0.0` }},
		{"no tag", "dist-tags", func(b *body) { b.tags = `{}` }},
		{"tags null", "dist-tags", func(b *body) { b.tags = `null` }},
		{"two tags", "dist-tags", func(b *body) { b.tags = `{"latest":"1.0.0","next":"1.0.0"}` }},
		{"tag that is a range", "dist-tags", func(b *body) { b.tags = `{"1.x":"1.0.0"}` }},
		{"tag of another version", "dist-tags.latest", func(b *body) { b.tags = `{"latest":"0.9.0"}` }},
		{"attachment of another version", "_attachments.@acme/ui-1.0.1.tgz", func(b *body) { b.attachment = "@acme/ui-1.0.1.tgz" }},
		{"attachment of another package", "_attachments.@acme/uix-1.0.0.tgz", func(b *body) { b.attachment = "@acme/uix-1.0.0.tgz" }},
		{"attachment that is a path", "_attachments.../../@acme/ui-1.0.0.tgz", func(b *body) { b.attachment = "../../@acme/ui-1.0.0.tgz" }},
		{"attachment of no kind known", "_attachments.@acme/ui-1.0.0.zip", func(b *body) { b.attachment = "@acme/ui-1.0.0.zip" }},
		{"two tarballs", "_attachments", func(b *body) { b.more = `,"ui-1.0.0.tgz":{"data":"` + b.data + `"}` }},
		{"one tarball twice", "body", func(b *body) { b.more = `,"@acme/ui-1.0.0.tgz":{"data":"` + b.data + `"}` }},
		{"a second tarball of another name", "_attachments", func(b *body) { b.more = `,"evil.tgz":{"data":"AAAA"}` }},
		{"a second tarball without data", "_attachments.ui-1.0.0.tgz.data", func(b *body) { b.more = `,"ui-1.0.0.tgz":{}` }},
		{"data twice", "body", func(b *body) { b.length = `"data":"` + b.data + `"` }},
		{"data and Data", "_attachments.@acme/ui-1.0.0.tgz", func(b *body) { b.length = `"Data":""` }},
		{"attachment that is no object", "_attachments.ui-1.0.0.sigstore", func(b *body) { b.more = `,"ui-1.0.0.sigstore":"x"` }},
		{"data that is no text", "_attachments.@acme/ui-1.0.0.tgz.data", func(b *body) {
			b.data = ""
			b.length = `"x":1`
			b.attachment = `@acme/ui-1.0.0.tgz":{"data":5},"ui-1.0.0.tgz`
		}},
		{"length too small", "_attachments.@acme/ui-1.0.0.tgz.length", func(b *body) { b.length = `"length":1` }},
		{"length as text", "_attachments.@acme/ui-1.0.0.tgz.length", func(b *body) { b.length = `"length":"1"` }},
		{"data empty", "tarball", func(b *body) { b.data, b.length, b.dist = "", `"length":0`, "null" }},
		{"data not base64", "_attachments.@acme/ui-1.0.0.tgz.data", func(b *body) { b.data = "!" + b.data[1:] }},
		{"data of URLs' base64", "_attachments.@acme/ui-1.0.0.tgz.data", func(b *body) { b.data = "_-" + b.data[2:] }},
		{"data unpadded", "_attachments.@acme/ui-1.0.0.tgz.data", func(b *body) { b.data = b.data[:len(b.data)-1] }},
		{"data after its padding", "_attachments.@acme/ui-1.0.0.tgz.data", func(b *body) { b.data = "AA==" + b.data }},
		{"data with a line break", "_attachments.@acme/ui-1.0.0.tgz.data", func(b *body) { b.data = b.data[:40] + `\n` + b.data[40:] }},
		{"data with a bare line break", "_attachments.@acme/ui-1.0.0.tgz.data", func(b *body) { b.data = b.data[:40] + "\n" + b.data[40:] }},
		{"data with a wide character", "_attachments.@acme/ui-1.0.0.tgz.data", func(b *body) { b.data = b.data[:40] + `\u0141` + b.data[41:] }},
		{"data with no escape", "_attachments.@acme/ui-1.0.0.tgz.data", func(b *body) { b.data = b.data[:40] + `\x` + b.data[42:] }},
		{"shasum of something else", "versions.1.0.0.dist.shasum", func(b *body) { b.dist = `{"shasum":"` + shasum(nil) + `"}` }},
		{"integrity of something else", "versions.1.0.0.dist.integrity", func(b *body) { b.dist = `{"integrity":"` + integrity(nil) + `"}` }},
		{"second integrity of something else", "versions.1.0.0.dist.integrity", func(b *body) {
			b.dist = b.dist[:len(b.dist)-1] + `,"x":1}`
			b.dist = strings.Replace(b.dist, `"sha512-`, `"`+integrity(nil)+` sha512-`, 1)
		}},
		{"integrity in SHA-1 of something else", "versions.1.0.0.dist.integrity", func(b *body) { b.dist = `{"integrity":"sha1-AAAA"}` }},
		{"integrity that is none", "versions.1.0.0.dist.integrity", func(b *body) { b.dist = `{"integrity":"abc"}` }},
		{"integrity that is no text", "versions.1.0.0.dist.integrity", func(b *body) { b.dist = `{"integrity":[]}` }},
		{"dist that is no object", "versions.1.0.0.dist", func(b *body) { b.dist = `"x"` }},
		{"tarball of another version", "tarball package.json version", func(b *body) { b.data, b.length, b.dist = other.data, other.length, other.dist }},
	} {
		t.Run(c.what, func(t *testing.T) {
			b := good
			c.change(&b)
			refused(t, b.String(), c.field)
		})
	}
	for name, text := range map[string]string{
		"more after it":              good.String() + `{}`,
		"an array":                   `[` + good.String() + `]`,
		"attachments in an array":    strings.Replace(good.String(), `"_attachments":{`, `"_attachments":[{`, 1),
		"version that is no object":  strings.Replace(good.String(), `"1.0.0":{`, `"1.0.0":1,"x":{`, 1),
		"not JSON":                   `name=@acme/ui`,
		"empty":                      ``,
		"attachment inside an array": `{"name":"@acme/ui","_attachments":{"@acme/ui-1.0.0.tgz":[{"data":"` + good.data + `"}]},"dist-tags":{"latest":"1.0.0"},"versions":{"1.0.0":{"name":"@acme/ui","version":"1.0.0"}}}`,
	} {
		t.Run(name, func(t *testing.T) { refused(t, text, "") })
	}
}

// refused wants an *Invalid for the field and nothing left behind.
func refused(t *testing.T, text, field string) {
	t.Helper()
	dir := t.TempDir()
	u, err := ReadPublish(t.Context(), strings.NewReader(text), ui, DefaultLimits, dir)
	var invalid *Invalid
	if !errors.As(err, &invalid) || u != nil {
		t.Fatalf("got %v, %v; want an *Invalid for %q", u, err, field)
	}
	if field != "" && invalid.Field != field {
		t.Errorf("refused as %q (%s), want %q", invalid.Field, invalid.Problem, field)
	}
	if invalid.Problem == "" || strings.ContainsAny(invalid.Error(), "\n\x00") || len(invalid.Error()) > 700 {
		t.Errorf("the error is %q", invalid.Error())
	}
	nothingIn(t, dir)
}

func nothingIn(t *testing.T, dir string) {
	t.Helper()
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("%v, %v is left in the directory", entries, err)
	}
}

func TestReadPublishOfNoPublish(t *testing.T) {
	for _, text := range []string{
		`{ "_id" : "@acme/ui", "_rev":"3", "name":"@acme/ui","versions":{"1.0.0":{"deprecated":"use 2"}}}`,
		`{"_id":"@acme/ui","users":{"ada":true},"_attachments":{}}`,
		`{"_id":"@acme/ui","_attachments":null}`,
	} {
		u, err := ReadPublish(t.Context(), strings.NewReader(text), ui, DefaultLimits, "")
		var none *NoAttachment
		if !errors.Is(err, ErrNoAttachment) || !errors.As(err, &none) || u != nil {
			t.Fatalf("%s: %v, %v", text, u, err)
		}
		if string(none.Document) != strings.ReplaceAll(text, " ", "") && !strings.Contains(text, "use 2") {
			t.Errorf("the document is %s", none.Document)
		}
		tree(t, none.Document)
	}
}

// A body cut anywhere is refused, whatever was read before.
func TestReadPublishCutAnywhere(t *testing.T) {
	b := npmBody(t)
	b.manifest += `,"description":"\u00e9\ud83d\ude00é","n":-1.5e+3,"t":[true,null]`
	b.data = strings.Replace(b.data, "/", `\/`, 1)
	text := b.String()
	read(t, ui, text)
	dir := t.TempDir()
	for n := range len(text) {
		u, err := ReadPublish(t.Context(), strings.NewReader(text[:n]), ui, DefaultLimits, dir)
		var invalid *Invalid
		if u != nil || !errors.As(err, &invalid) {
			t.Fatalf("cut after %d bytes: %v, %v", n, u, err)
		}
	}
	nothingIn(t, dir)
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

// noise makes a tarball of n incompressible bytes beside the package.json.
func noise(t testing.TB, n int) []byte {
	p := make([]byte, n)
	random := rand.NewChaCha8([32]byte{1})
	random.Read(p)
	return pack(t, uiJSON, file{name: "package/noise", body: string(p)})
}

func TestReadPublishSpills(t *testing.T) {
	tgz := noise(t, spoolMemory*3)
	dir := t.TempDir()
	u, err := ReadPublish(t.Context(), strings.NewReader(bodyFor(tgz).String()), ui, DefaultLimits, dir)
	if err != nil {
		t.Fatal(err)
	}
	nothingIn(t, dir) // the file has no name
	f, ok := u.Tarball().(*os.File)
	if !ok {
		t.Fatalf("the tarball is a %T", u.Tarball())
	}
	for range 2 {
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(f); err != nil || !bytes.Equal(got, tgz) {
			t.Fatalf("the tarball reads as %d bytes, %v", len(got), err)
		}
	}
	if u.FileCount != 2 || u.UnpackedSize != int64(spoolMemory*3+len(uiJSON)) {
		t.Errorf("%d files of %d bytes", u.FileCount, u.UnpackedSize)
	}
	for range 2 {
		if err := u.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := f.Stat(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("after Close the file says %v", err)
	}
}

// Whatever goes wrong behind a large tarball, its file is closed.
func TestReadPublishLeavesNoFileOpen(t *testing.T) {
	open := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip("needs /proc")
		}
		return len(entries)
	}
	b := bodyFor(noise(t, spoolMemory*2))
	before := open()
	text := b.String()
	lim := DefaultLimits
	lim.Unpacked = 1 << 20
	for name, try := range map[string]func() error{
		"cut": func() error {
			_, err := ReadPublish(t.Context(), strings.NewReader(text[:len(text)-1]), ui, DefaultLimits, "")
			return err
		},
		"another package": func() error {
			_, err := ReadPublish(t.Context(), strings.NewReader(text), Name{Base: "x"}, DefaultLimits, "")
			return err
		},
		"unpacks to too much": func() error {
			_, err := ReadPublish(t.Context(), strings.NewReader(text), ui, lim, "")
			return err
		},
	} {
		if try() == nil {
			t.Errorf("%s: no error", name)
		}
		if after := open(); after != before {
			t.Errorf("%s: %d files are open, before %d", name, after, before)
		}
	}
}

func TestReadPublishLimits(t *testing.T) {
	b := bodyFor(pack(t, uiJSON, file{name: "package/a", body: strings.Repeat("a", 10000)}, file{name: "package/b", body: "b"}))
	text := b.String()
	size := int64(base64.StdEncoding.DecodedLen(len(b.data)) - strings.Count(b.data, "="))
	outside := int64(len(text) - len(b.data) - 1) // the closing quote goes with the data
	for _, c := range []struct {
		what string
		at   func(*Limits) *int64
		min  int64
	}{
		{"tarball", func(l *Limits) *int64 { return &l.Tarball }, size},
		{"manifest", func(l *Limits) *int64 { return &l.Manifest }, outside},
		{"package.json", func(l *Limits) *int64 { return &l.PackageJSON }, int64(len(uiJSON))},
		{"unpacked tarball", func(l *Limits) *int64 { return &l.Unpacked }, 512 + 512 + 512 + 10240 + 512 + 512 + 1024},
	} {
		for _, limit := range []int64{c.min, c.min - 1} {
			lim := DefaultLimits
			*c.at(&lim) = limit
			u, err := ReadPublish(t.Context(), strings.NewReader(text), ui, lim, "")
			var large *TooLarge
			if limit < c.min {
				if !errors.As(err, &large) || large.What != c.what || large.Limit != limit {
					t.Errorf("%s limited to %d: %v", c.what, limit, err)
				}
				continue
			}
			if err != nil {
				t.Errorf("%s limited to %d: %v", c.what, limit, err)
				continue
			}
			u.Close()
		}
	}
	for _, entries := range []int{3, 2} {
		lim := DefaultLimits
		lim.Entries = entries
		_, err := ReadPublish(t.Context(), strings.NewReader(text), ui, lim, "")
		var large *TooLarge
		if errors.As(err, &large) != (entries < 3) || entries == 3 && err != nil {
			t.Errorf("3 entries, limited to %d: %v", entries, err)
		}
	}
}

func TestReadPublishOfABrokenConnection(t *testing.T) {
	text := npmBody(t).String()
	broken := errors.New("connection reset")
	for _, cause := range []error{broken, io.ErrUnexpectedEOF} {
		_, err := ReadPublish(t.Context(), io.MultiReader(strings.NewReader(text[:len(text)/2]), iotest.ErrReader(cause)), ui, DefaultLimits, "")
		var invalid *Invalid
		if !errors.Is(err, ErrBody) || !errors.Is(err, cause) || errors.As(err, &invalid) {
			t.Errorf("the body broke with %v: %v", cause, err)
		}
	}
	_, err := ReadPublish(t.Context(), stuck{}, ui, DefaultLimits, "")
	if !errors.Is(err, ErrBody) || !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("a reader that gives nothing: %v", err)
	}
}

type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, nil }

func TestReadPublishCancelled(t *testing.T) {
	text := npmBody(t).String()
	for at := 0; at < len(text); at += 97 {
		ctx, cancel := context.WithCancel(t.Context())
		r := io.MultiReader(strings.NewReader(text[:at]), readerFunc(func([]byte) (int, error) {
			cancel()
			return 0, errors.New("closed") // as net/http closes the body
		}))
		if _, err := ReadPublish(ctx, r, ui, DefaultLimits, ""); !errors.Is(err, context.Canceled) || errors.Is(err, ErrBody) {
			t.Fatalf("cancelled after %d bytes: %v", at, err)
		}
	}
	// Cancelled with the whole body read, before the tarball is looked at.
	ctx, cancel := context.WithCancel(t.Context())
	r := io.MultiReader(strings.NewReader(text), readerFunc(func([]byte) (int, error) { cancel(); return 0, io.EOF }))
	if _, err := ReadPublish(ctx, r, ui, DefaultLimits, ""); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled before inspection: %v", err)
	}
}

func TestReadPublishWithoutRoom(t *testing.T) {
	_, err := ReadPublish(t.Context(), strings.NewReader(bodyFor(noise(t, spoolMemory*2)).String()), ui, DefaultLimits, "/nonexistent/dir")
	var invalid *Invalid
	if !errors.Is(err, os.ErrNotExist) || errors.As(err, &invalid) || errors.Is(err, ErrBody) {
		t.Errorf("no place for the spool: %v", err)
	}
}

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
