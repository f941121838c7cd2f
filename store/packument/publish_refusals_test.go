package packument

import (
	"encoding/base64"
	"errors"
	"os"
	"strings"
	"testing"
)

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
