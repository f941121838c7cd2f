package config

import (
	"encoding/pem"
	"fmt"
	"maps"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
)

// follow fills the keys whose values come from other keys when nobody set them.
func (l *loader) follow() {
	c, from := l.cfg, l.cfg.origin.from
	if c.Auth.Type == AuthNone && from["server.host"] == sourceDefault {
		c.Server.Host, from["server.host"] = "127.0.0.1", "auth.type none"
	}
	if c.Auth.GitHub.Host != "" {
		api, web := githubURLs(c.Auth.GitHub.Host)
		if c.Auth.GitHub.APIURL == "" && !l.bad["auth.github.api_url"] {
			c.Auth.GitHub.APIURL, from["auth.github.api_url"] = api, "auth.github.host"
		}
		if c.Auth.GitHub.WebURL == "" && !l.bad["auth.github.web_url"] {
			c.Auth.GitHub.WebURL, from["auth.github.web_url"] = web, "auth.github.host"
		}
	}
	l.followOIDC()
	l.followForAll()
	if l.Dir == "" {
		return
	}
	for _, k := range l.concrete() {
		if p, ok := k.field(c).(*string); ok && k.isPath && *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(l.Dir, *p)
		}
	}
}

// check reports what is wrong between keys that are right by themselves.
func (l *loader) check() {
	c := l.cfg
	l.checkFolders()
	l.checkS3()
	l.checkGitHub()
	l.checkNamespaces()
	l.checkSecrets()
	if c.Packages.Global == GlobalLocal && c.Auth.Type == AuthGitHub && len(c.Auth.GitHub.Orgs) == 0 && !l.bad["auth.github.orgs"] {
		l.blame("packages.global", "is local, so auth.github.orgs must list the owners whose repositories may publish names without a namespace; otherwise anybody could take any name")
	}
	if c.Packages.Global == GlobalRedirect && c.Server.URL != "" && c.Packages.GlobalRegistry != "" {
		here, err1 := url.Parse(c.Server.URL)
		there, err2 := url.Parse(c.Packages.GlobalRegistry)
		if err1 == nil && err2 == nil && here.Host == there.Host {
			l.blame("packages.global_registry", "must be another registry than server.url, or redirected reads would come back for ever")
		}
	}
}

// checkS3 reports what a bucket lacks. Without storage.type s3 the keys are not looked at, so that one may change back and forth.
func (l *loader) checkS3() {
	s3 := l.cfg.Storage.S3
	if l.cfg.Storage.Type != StorageS3 {
		return
	}
	const bucket, id, secret = "storage.s3.bucket", "storage.s3.accessKeyId", "storage.s3.secretAccessKey"
	if s3.Bucket == "" && !l.isBad(bucket) {
		l.blame2(bucket, "storage.type", "must name a bucket, since storage.type is s3")
	}
	if (s3.AccessKeyID == "") != s3.SecretAccessKey.IsZero() && !l.isBad(id) && !l.isBad(secret) {
		l.blame2(id, secret, "and "+secret+" belong together, and only one of them is set; set both, or neither to use the credentials that the AWS SDK finds")
	}
}

func (l *loader) isBad(key string) bool { return l.bad[strings.ToLower(key)] }

// checkFolders reports folders that would write into one another.
func (l *loader) checkFolders() {
	type folder struct{ key, path, full string }
	var folders []folder
	for _, k := range l.concrete() {
		p, ok := k.field(l.cfg).(*string)
		if !ok || !k.isPath || *p == "" || k.field(l.cfg) == any(&l.cfg.Storage.Local.Path) && l.cfg.Storage.Type == StorageS3 {
			continue
		}
		full, err := filepath.Abs(*p)
		if err != nil {
			full = filepath.Clean(*p)
		}
		folders = append(folders, folder{k.name, *p, full})
	}
	for i, b := range folders {
		for _, a := range folders[:i] {
			switch {
			case a.full == b.full:
				l.blame2(b.key, a.key, fmt.Sprintf("and %s must be separate folders; both are %q", a.key, b.path))
			case inside(a.full, b.full):
				l.blame2(b.key, a.key, fmt.Sprintf("and %s must be separate folders; %q is inside %q", a.key, a.path, b.path))
			case inside(b.full, a.full):
				l.blame2(b.key, a.key, fmt.Sprintf("and %s must be separate folders; %q is inside %q", a.key, b.path, a.path))
			}
		}
	}
}

func inside(inner, outer string) bool {
	return strings.HasPrefix(inner, strings.TrimSuffix(outer, string(filepath.Separator))+string(filepath.Separator))
}

// blame reports a problem of a key at the place that set it.
func (l *loader) blame(key, message string) { l.blame2(key, key, message) }

// blame2 is blame for a problem between two keys: the place is the second key's if the first has its default.
func (l *loader) blame2(key, other, message string) {
	from := l.cfg.origin.from
	where := from[key]
	if where == sourceDefault {
		where = from[other]
	}
	l.report(where, key+" "+message)
}

// checkGitHub reports identities of the registry that are not whole, and names that lead to nobody.
func (l *loader) checkGitHub() {
	g := l.cfg.Auth.GitHub
	const id, key = "auth.github.app.id", "auth.github.app.private_key"
	switch {
	case l.bad[id] || l.bad[key]:
	case (g.App.ID == "") != g.App.PrivateKey.IsZero():
		l.blame2(id, key, "and "+key+" belong together, and only one of them is set")
	case g.App.ID != "":
		if block, _ := pem.Decode([]byte(g.App.PrivateKey.Reveal())); block == nil || !strings.HasSuffix(block.Type, "PRIVATE KEY") {
			l.blame(key, "must be the PEM file that GitHub hands out for the App, which begins with -----BEGIN")
		}
	}
	const client, secret = "auth.github.oauth.client_id", "auth.github.oauth.client_secret"
	if g.OAuth.ClientID == "" && !g.OAuth.ClientSecret.IsZero() && !l.bad[client] {
		l.blame2(secret, client, "needs "+client+" beside it")
	}
	if len(g.Orgs) == 0 || l.bad["auth.github.orgs"] {
		return
	}
	for _, ns := range slices.Sorted(maps.Keys(g.Namespaces)) {
		if o := g.Namespaces[ns]; !holds(g.Orgs, o) {
			l.blame("auth.github.namespaces", fmt.Sprintf("gives @%s to %s, which is not in auth.github.orgs; list it there too", ns, o))
		}
	}
}

// leastSecret is how long a secret has to be that strangers may try to guess.
const leastSecret = 16

func (l *loader) checkSecrets() {
	for _, guarded := range []struct {
		key string
		Secret
	}{{"auth.github.webhook.secret", l.cfg.Auth.GitHub.Webhook.Secret}, {"metrics.token", l.cfg.Metrics.Token}} {
		if n := len(guarded.Reveal()); n > 0 && n < leastSecret {
			l.blame(guarded.key, fmt.Sprintf("must have at least %d characters", leastSecret))
		}
	}
}
