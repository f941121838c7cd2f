package packument

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

func edit(t testing.TB, text string) (*Edit, error) {
	t.Helper()
	document, err := ReadDocument(t.Context(), strings.NewReader(text), DefaultLimits)
	if err != nil {
		return nil, err
	}
	return ReadEdit(document)
}

// What clients send to change a package (npm-protocol.md §8.1, §8.2).
func TestReadEdit(t *testing.T) {
	for what, c := range map[string]struct {
		text string
		want Edit
	}{
		"deprecate": {
			`{"_id":"@acme/ui","_rev":"7-a","name":"@acme/ui","dist-tags":{"latest":"2.0.0","next":"2.0.0-rc.1"},"versions":{` +
				`"1.0.0":{"name":"@acme/ui","version":"1.0.0","deprecated":"use \u0032","dist":{"tarball":"x"}},"2.0.0":{"name":"@acme/ui"},"2.0.0-rc.1":{"deprecated":""}},` +
				`"time":{"1.0.0":"2020"},"maintainers":[{"name":"ada"}],"readme":"x"}`,
			Edit{
				Name: "@acme/ui", Rev: "7-a", HasVersions: true, HasMaintainers: true,
				Versions: map[string]Deprecation{"1.0.0": {"use 2", true}, "2.0.0": {}, "2.0.0-rc.1": {"", true}},
				DistTags: map[string]string{"latest": "2.0.0", "next": "2.0.0-rc.1"},
			},
		},
		"nothing said of a deprecation": {
			`{"name":"a","versions":{"1.0.0":{"deprecated":null},"1.0.1":{"deprecated":false},"1.0.2":{"x":{"deprecated":5}}}}`,
			Edit{Name: "a", HasVersions: true, Versions: map[string]Deprecation{"1.0.0": {}, "1.0.1": {}, "1.0.2": {}}},
		},
		"unpublish the last": {`{"name":"a","_rev":"1","versions":{},"dist-tags":{}}`, Edit{Name: "a", Rev: "1", HasVersions: true, Versions: map[string]Deprecation{}, DistTags: map[string]string{}}},
		"star":               {`{"_id":"a","_rev":"1","users":{"ada":true,"bob":false}}`, Edit{Name: "a", Rev: "1", HasUsers: true, Users: map[string]bool{"ada": true, "bob": false}}},
		"unstar":             {`{"_id":"a","_rev":"1","users":{}}`, Edit{Name: "a", Rev: "1", HasUsers: true, Users: map[string]bool{}}},
		"owner":              {`{"_id":"a","_rev":"1","maintainers":[{"name":"ada","email":"a@b.c"}]}`, Edit{Name: "a", Rev: "1", HasMaintainers: true}},
		"nothing":            {`{}`, Edit{}},
		"null":               {`{"name":null,"_rev":null,"versions":null,"users":null,"maintainers":null,"dist-tags":null,"_attachments":{}}`, Edit{}},
	} {
		e, err := edit(t, c.text)
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		if !reflect.DeepEqual(*e, c.want) {
			t.Errorf("%s:\ngot  %+v\nwant %+v", what, *e, c.want)
		}
		var no *NoAttachment
		if _, err := ReadPublish(t.Context(), strings.NewReader(c.text), ui, DefaultLimits, ""); !errors.As(err, &no) {
			t.Errorf("%s, read as a publish: %v", what, err)
		} else if again, err := ReadEdit(no.Document); err != nil || !reflect.DeepEqual(again, e) {
			t.Errorf("%s, read as a publish first: %+v, %v", what, again, err)
		}
	}
}

func TestReadEditRefusals(t *testing.T) {
	for text, field := range map[string]string{
		`[]`:                                         "body",
		`{"name":5}`:                                 "name",
		`{"_id":{}}`:                                 "_id",
		`{"_id":"a","name":"b"}`:                     "_id",
		`{"_rev":7}`:                                 "_rev",
		`{"_rev":"1","_REV":"2"}`:                    "body",
		`{"versions":{},"Versions":{}}`:              "body",
		`{"users":{},"Users":{}}`:                    "body",
		`{"name":"a","name":"a"}`:                    "body",
		`{"versions":[]}`:                            "versions",
		`{"versions":{"v1.0.0":{}}}`:                 "versions.v1.0.0",
		`{"versions":{"__proto__":{}}}`:              "body",
		`{"versions":{"1.0.0":"x"}}`:                 "versions.1.0.0",
		`{"versions":{"1.0.0":null}}`:                "versions.1.0.0",
		`{"versions":{"1.0.0":{"deprecated":1}}}`:    "versions.1.0.0.deprecated",
		`{"versions":{"1.0.0":{"deprecated":true}}}`: "versions.1.0.0.deprecated",
		`{"versions":{"1.0.0":{"deprecated":{}}}}`:   "versions.1.0.0.deprecated",
		`{"versions":{"1.0.0":{"deprecated":"x","Deprecated":""}}}`:                       "versions.1.0.0",
		`{"versions":{"1.0.0":{"deprecated":"` + strings.Repeat("x", maxMessage) + `"}}}`: "versions.1.0.0.deprecated",
		`{"dist-tags":["latest"]}`:       "dist-tags",
		`{"dist-tags":{"latest":null}}`:  "dist-tags.latest",
		`{"dist-tags":{"latest":"^1"}}`:  "dist-tags.latest",
		`{"dist-tags":{"1.x":"1.0.0"}}`:  "dist-tags",
		`{"maintainers":{"name":"ada"}}`: "maintainers",
		`{"users":["ada"]}`:              "users",
		`{"users":{"ada":1}}`:            "users.ada",
		`{"users":{"a\nb":{}}}`:          `users."a\nb"`,
		`{"name":"\ud800"}`:              "body",
		`{"name":"a"`:                    "body",
	} {
		e, err := edit(t, text)
		var invalid *Invalid
		if !errors.As(err, &invalid) || e != nil {
			t.Errorf("%.100s: %+v, %v", text, e, err)
			continue
		}
		if invalid.Field != field || invalid.Problem == "" || strings.ContainsAny(invalid.Error(), "\n\x00") || len(invalid.Error()) > 700 {
			t.Errorf("%.100s is refused as %q, want %q", text, invalid.Error(), field)
		}
	}
}

// A document that is no publish may be larger than the manifest of one, wherever its attachments stand.
func TestDocumentLimit(t *testing.T) {
	lim := DefaultLimits
	lim.Manifest, lim.Document = 2000, 6000
	b := npmBody(t)
	padding := func(n int) string { return `,"padding":"` + strings.Repeat("x", n) + `"` }
	attachments := `"_attachments":{"` + b.attachment + `":{"data":"` + b.data + `"}}`
	rest := `"name":"@acme/ui","dist-tags":{"latest":"1.0.0"},"versions":{"1.0.0":{"name":"@acme/ui","version":"1.0.0"}}`
	for what, c := range map[string]struct{ text, over string }{
		"publish":                              {`{` + rest + padding(1000) + `,` + attachments + `}`, ""},
		"publish, too large":                   {`{` + rest + padding(3000) + `,` + attachments + `}`, "manifest"},
		"publish, too large behind its data":   {`{` + attachments + `,` + rest + padding(3000) + `}`, "manifest"},
		"publish, too large for anything":      {`{` + rest + padding(7000) + `,` + attachments + `}`, "document"},
		"publish without data, too large":      {`{"_attachments":{"x":{}},` + rest + padding(3000) + `}`, "manifest"},
		"no publish":                           {`{` + rest + padding(5000) + `}`, ""},
		"no publish, with empty attachments":   {`{"_attachments":{},` + rest + padding(5000) + `}`, ""},
		"no publish, too large":                {`{` + rest + padding(7000) + `}`, "document"},
		"no publish, attachments are in vain":  {`{"x":{"_attachments":{"` + b.attachment + `":{"data":"x"}}},` + rest + padding(5000) + `}`, ""},
		"no publish, attachments are too many": {`{"x":{"_attachments":{"` + b.attachment + `":{"data":"x"}}},` + rest + padding(6000) + `}`, "document"},
	} {
		u, err := ReadPublish(t.Context(), strings.NewReader(c.text), ui, lim, "")
		var large *TooLarge
		switch {
		case c.over == "" && (err == nil) == strings.HasPrefix(what, "publish") && (err == nil || errors.Is(err, ErrNoAttachment)):
		case c.over != "" && errors.As(err, &large) && large.What == c.over && large.Limit == map[string]int64{"manifest": lim.Manifest, "document": lim.Document}[c.over]:
		default:
			t.Errorf("%s: %v", what, err)
		}
		if u != nil {
			u.Close()
		}
		if strings.HasPrefix(what, "no publish") {
			if _, err := ReadDocument(t.Context(), strings.NewReader(c.text), lim); (err != nil) != (c.over != "") {
				t.Errorf("%s, read as a document: %v", what, err)
			}
		}
	}
	// A registry that sets no limit for documents takes them as large as manifests.
	lim.Document = 0
	if _, err := ReadDocument(t.Context(), strings.NewReader(`{`+padding(1900)[1:]+`}`), lim); err != nil {
		t.Error(err)
	}
}

func TestReadDocumentErrors(t *testing.T) {
	if _, err := ReadDocument(t.Context(), stuck{}, DefaultLimits); !errors.Is(err, ErrBody) {
		t.Errorf("a reader that gives nothing: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := ReadDocument(ctx, strings.NewReader("{}"), DefaultLimits); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// Objects with keys beyond number are refused before they cost more than the text they come in.
func TestTooManyKeys(t *testing.T) {
	object := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `,"%d":0`, i)
		}
		return "{" + b.String()[1:] + "}"
	}
	for what, text := range map[string]string{
		"in one object":                    object(maxKeys + 1),
		"in those that lie in one another": strings.TrimSuffix(object(maxKeys/2), "0}") + object(maxKeys/2+1) + "}",
	} {
		_, err := ReadDocument(t.Context(), strings.NewReader(text), DefaultLimits)
		var large *TooLarge
		if !errors.As(err, &large) || large.Limit != maxKeys {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := ReadDocument(t.Context(), strings.NewReader("["+object(maxKeys)+","+object(maxKeys)+"]"), DefaultLimits); err != nil {
		t.Error(err)
	}
	if _, err := value(object(maxMembers)).object("x"); err != nil {
		t.Error(err)
	}
	var invalid *Invalid
	if _, err := value(object(maxMembers + 1)).object("x"); !errors.As(err, &invalid) || invalid.Field != "x" {
		t.Errorf("an object with %d members: %v", maxMembers+1, err)
	}
}

func FuzzReadEdit(f *testing.F) {
	f.Add(`{"_id":"@acme/ui","_rev":"7-a","name":"@acme/ui","dist-tags":{"latest":"2.0.0"},"versions":{"1.0.0":{"deprecated":"use 2"},"2.0.0":{"deprecated":null}}}`)
	f.Add(`{"_id":"a","_rev":"1","users":{"ada":true},"maintainers":[{"name":"ada"}]}`)
	f.Add(`{"versions":{"1.0.0":{"Deprecated":1}},"users":[],"dist-tags":{"*":"1"}}`)
	lim := Limits{Manifest: 1 << 14, Document: 1 << 16}
	f.Fuzz(func(t *testing.T, text string) {
		document, err := ReadDocument(t.Context(), strings.NewReader(text), lim)
		if err != nil {
			var invalid *Invalid
			var large *TooLarge
			if document != nil || !errors.As(err, &invalid) && !errors.As(err, &large) {
				t.Fatalf("%s, %v", document, err)
			}
			return
		}
		if !json.Valid(document) {
			t.Fatalf("%s is not JSON", document)
		}
		e, err := ReadEdit(document)
		if err != nil {
			var invalid *Invalid
			if e != nil || !errors.As(err, &invalid) {
				t.Fatalf("%+v, %v", e, err)
			}
			return
		}
		for v, d := range e.Versions {
			if CheckVersion(v) != nil || d.Message != "" && !d.Present {
				t.Fatalf("%q %+v was taken", v, d)
			}
		}
		for tag, v := range e.DistTags {
			if CheckTag(tag) != nil || CheckVersion(v) != nil {
				t.Fatalf("the tag %q of %q was taken", tag, v)
			}
		}
		if e.HasVersions != (e.Versions != nil) || e.HasUsers != (e.Users != nil) {
			t.Fatalf("%+v", e)
		}
	})
}
