// Package packumenttest makes the bodies that npm sends, for tests of what receives them.
package packumenttest

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha1"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// Package is what is published. Name and Version must be set.
type Package struct {
	Name, Version string
	Tag           string         // "latest" if empty
	Repository    string         // left out if empty
	Manifest      map[string]any // more members of package.json
	Files         map[string]string
}

func (p Package) packageJSON() map[string]any {
	m := map[string]any{"name": p.Name, "version": p.Version}
	if p.Repository != "" {
		m["repository"] = map[string]any{"type": "git", "url": p.Repository}
	}
	maps.Copy(m, p.Manifest)
	return m
}

// Tarball is what npm pack makes of it. The same package gives the same bytes.
func (p Package) Tarball() []byte {
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	t := tar.NewWriter(z)
	packageJSON := must(json.MarshalIndent(p.packageJSON(), "", "  "))
	files := map[string]string{"package.json": string(packageJSON), "index.js": "module.exports = 1\n"}
	maps.Copy(files, p.Files)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		check(t.WriteHeader(&tar.Header{Name: "package/" + name, Mode: 0o644, Size: int64(len(files[name])), Typeflag: tar.TypeReg}))
		must(t.Write([]byte(files[name])))
	}
	check(t.Close())
	check(z.Close())
	return buf.Bytes()
}

// Body is the publish that npm sends, made of Tarball.
func (p Package) Body() []byte { return p.BodyOf(p.Tarball()) }

// BodyOf is the publish of a given tarball.
func (p Package) BodyOf(tarball []byte) []byte { return must(json.Marshal(p.Document(tarball))) }

// Document is the publish as a value, to be spoiled by a test.
func (p Package) Document(tarball []byte) map[string]any {
	tag := p.Tag
	if tag == "" {
		tag = "latest"
	}
	sha, digest := sha1.Sum(tarball), sha512.Sum512(tarball)
	manifest := p.packageJSON()
	manifest["_id"] = p.Name + "@" + p.Version
	manifest["_nodeVersion"], manifest["_npmVersion"] = "20.20.2", "11.19.1"
	manifest["readme"], manifest["readmeFilename"] = "# "+p.Name+"\n", "README.md"
	file := p.Name + "-" + p.Version + ".tgz"
	manifest["dist"] = map[string]any{
		"integrity": "sha512-" + base64.StdEncoding.EncodeToString(digest[:]),
		"shasum":    hex.EncodeToString(sha[:]),
		"tarball":   "http://registry.invalid/" + p.Name + "/-/" + file,
	}
	return map[string]any{
		"_id": p.Name, "name": p.Name, "description": "", "access": nil,
		"dist-tags": map[string]any{tag: p.Version},
		"versions":  map[string]any{p.Version: manifest},
		"_attachments": map[string]any{file: map[string]any{
			"content_type": "application/octet-stream", "data": base64.StdEncoding.EncodeToString(tarball), "length": len(tarball),
		}},
	}
}

// Path is the path of the package in npm's spelling, with a slash before it.
func (p Package) Path() string { return "/" + strings.Replace(p.Name, "/", "%2f", 1) }

func must[T any](v T, err error) T {
	check(err)
	return v
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
