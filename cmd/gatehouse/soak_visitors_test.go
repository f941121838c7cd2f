package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"gatehouse/store/packument/packumenttest"
)

const shortForm = "application/vnd.npm.install-v1+json"

// install reads what a client reads: documents, again if they changed, and a tarball.
func (u *visitor) install(name string) {
	from := time.Now()
	_, body := u.ask(http.MethodGet, "/"+strings.Replace(name, "/", "%2f", 1), nil, 200, "Accept", shortForm)
	u.note(&u.packuments, time.Since(from))
	var d struct {
		Tags     map[string]string `json:"dist-tags"`
		Versions map[string]struct{ Dist struct{ Tarball string } }
	}
	latest := func() string { return d.Versions[d.Tags["latest"]].Dist.Tarball }
	if err := json.Unmarshal(body, &d); err != nil || latest() == "" {
		u.fault("%s: %v %.500s", name, err, body)
		return
	}
	u.ask(http.MethodGet, strings.TrimPrefix(latest(), u.base), nil, 200)
	u.ask(http.MethodGet, "/"+name, nil, 200, "Accept-Encoding", "gzip")
	u.ask(http.MethodGet, "/"+name+"/latest", nil, 200)
	u.ask(http.MethodHead, "/"+name, nil, 200)
	u.ask(http.MethodGet, "/"+name, nil, 304, "If-None-Match", "*")
	u.ask(http.MethodGet, "/-/package/"+name+"/dist-tags", nil, 200)
}

// refused asks for what this one may not have or do.
func (u *visitor) refused(n int) {
	p := packumenttest.Package{Name: "@acme/soak-0", Version: "99.0." + itoa(n), Repository: "github:acme/ui"}
	for token, status := range map[string]int{u.github.Rita: 403, u.github.WendyReads: 403, u.github.Mallory: 404, "": 401, "no-token-of-anybody": 401} {
		as := *u
		as.token = token
		as.ask(http.MethodPut, p.Path(), p.Body(), cmp.Or(map[int]int{404: 403}[status], status)) // as where the name is free
		as.ask(http.MethodPut, "/-/package/@acme%2fsoak-0/dist-tags/evil", []byte(`"1.0.0"`), status)
	}
	for token, status := range map[string]int{u.github.Mallory: 404, "": 401, "no-token-of-anybody": 401} {
		as := *u
		as.token = token
		as.ask(http.MethodGet, p.Path(), nil, status)
		as.ask(http.MethodGet, p.Path(), nil, status, "If-None-Match", "*")
		as.ask(http.MethodGet, p.Path()+"/-/soak-0-1.0.0.tgz", nil, status)
	}
}

// lost asks for what is not there.
func (u *visitor) lost(n int) {
	for _, path := range []string{"/@acme/none-" + itoa(n%100), "/@acme/soak-0/99.99.99", "/@acme/soak-0/-/soak-0-99.99.99.tgz", "/@acme/soak-1/no-such-tag", "/-/no/such/route"} {
		u.ask(http.MethodGet, path, nil, 404)
	}
}

// garbage sends what no client would.
func (u *visitor) garbage(n int) {
	as := *u
	as.token = u.github.Wendy
	bodies := []string{"", "{", "null", `{"_attachments":{}}`, "\x1f\x8b", strings.Repeat("[", 10_000), `{"name":"@acme/soak-2","name":"x"}`, `{"versions":{"\ud800":{}}}`, strings.Repeat("x", 1<<20)}
	as.ask(http.MethodPut, "/@acme%2fsoak-2", []byte(bodies[n%len(bodies)]), 400)
	spoilt := packumenttest.Package{Name: "@acme/soak-2", Version: "99.0." + itoa(n), Repository: "github:acme/ui"}
	body := spoilt.Body()
	as.ask(http.MethodPut, "/@acme%2fsoak-2", body[:n%len(body)], 400)
	as.ask(http.MethodPut, "/@acme%2fsoak-2", spoilt.BodyOf([]byte("no archive")), 400)
	as.ask(http.MethodPut, "/-/package/@acme%2fsoak-2/dist-tags/1.x", []byte(`"1.0.0"`), 400)
	as.ask(http.MethodGet, "/@acme%2fsoak-2%2f..", nil, 404)
	as.ask(http.MethodGet, "/%00", nil, 404)
}

// soaked is a package that one person changes all the time, and what is to be true of it.
type soaked struct {
	user       *visitor
	name       string
	published  int
	versions   []string // that are there, oldest first
	deprecated map[string]bool
}

func (p *soaked) path() string { return "/" + strings.Replace(p.name, "/", "%2f", 1) }

// change does one thing after the other that people do to packages.
func (p *soaked) change(n int) {
	switch oldest, latest := p.versions[0], p.versions[len(p.versions)-1]; n % 5 {
	case 0, 1:
		p.publish()
	case 2:
		p.user.ask(http.MethodPut, "/-/package"+p.path()+"/dist-tags/next", []byte(`"`+latest+`"`), 201)
	case 3:
		d := p.document()
		d["versions"].(map[string]any)[oldest].(map[string]any)["deprecated"] = "old"
		p.edit(p.path(), d)
		p.deprecated[oldest] = true
	case 4:
		if len(p.versions) > 12 {
			p.unpublish(oldest)
			p.unpublish(p.versions[0])
		}
	}
}

func (p *soaked) publish() {
	p.published++
	// A few kilobytes that cannot be compressed much, and some text.
	made := packumenttest.Package{Name: p.name, Version: itoa(p.published) + ".0.0", Repository: "github:acme/ui", Files: map[string]string{
		"readme.md": strings.Repeat("What "+p.name+" is for. ", 100), "numbers.txt": strings.Repeat(itoa(p.published*7919), 500),
	}}
	p.user.ask(http.MethodPut, p.path(), made.Body(), 201)
	p.versions = append(p.versions, made.Version)
}

func (p *soaked) document() (d map[string]any) {
	_, body := p.user.ask(http.MethodGet, p.path()+"?write=true", nil, 200)
	if err := json.Unmarshal(body, &d); err != nil {
		p.user.fault("%s: %v", p.name, err)
	}
	return d
}

func (p *soaked) edit(path string, d map[string]any) {
	body, err := json.Marshal(d)
	if err != nil {
		p.user.fault("%v", err)
	}
	p.user.ask(http.MethodPut, path, body, 200)
}

// unpublish removes a version as npm does.
func (p *soaked) unpublish(version string) {
	d := p.document()
	delete(d["versions"].(map[string]any), version)
	tags := d["dist-tags"].(map[string]any)
	maps.DeleteFunc(tags, func(_ string, v any) bool { return v == version })
	p.edit(p.path()+"/-rev/"+d["_rev"].(string), d)
	_, base, _ := strings.Cut(p.name, "/")
	p.user.ask(http.MethodDelete, "/"+p.name+"/-/"+base+"-"+version+".tgz/-rev/"+p.document()["_rev"].(string), nil, 200)
	p.versions = slices.DeleteFunc(p.versions, func(v string) bool { return v == version })
	delete(p.deprecated, version)
}

// truthful checks that the package is what was acknowledged, tarballs included.
func (p *soaked) truthful() {
	var d struct {
		Tags     map[string]string `json:"dist-tags"`
		Versions map[string]struct {
			Deprecated string
			Dist       struct{ Tarball string }
		}
	}
	_, body := p.user.ask(http.MethodGet, p.path(), nil, 200)
	if err := json.Unmarshal(body, &d); err != nil {
		p.user.fault("%s: %v", p.name, err)
	}
	for _, version := range p.versions {
		v, there := d.Versions[version]
		if !there || (v.Deprecated != "") != p.deprecated[version] {
			p.user.fault("%s@%s: there %t, deprecated %q", p.name, version, there, v.Deprecated)
			continue
		}
		if _, content := p.user.ask(http.MethodGet, strings.TrimPrefix(v.Dist.Tarball, p.user.base), nil, 200); !bytes.HasPrefix(content, []byte{0x1f, 0x8b}) {
			p.user.fault("%s@%s is no tarball", p.name, version)
		}
	}
	if len(d.Versions) != len(p.versions) || d.Tags["latest"] != p.versions[len(p.versions)-1] {
		p.user.fault("%s has %d versions, latest %s; want %v", p.name, len(d.Versions), d.Tags["latest"], p.versions)
	}
}
