package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// rooms says which of our packages each package may import, and which libraries live in it. What is not listed is forbidden: an arrow that points the
// wrong way, or a library that leaks out of its room, fails here and not in a review.
var rooms = map[string]struct{ imports, libraries []string }{
	"scopes":                        {},
	"config":                        {nil, []string{"github.com/knadh/koanf/v2", "github.com/knadh/koanf/maps", "github.com/spf13/pflag", "go.yaml.in/yaml/v3"}},
	"store/packument":               {},
	"store/packument/packumenttest": {},
	"store/gzipped":                 {},
	"store/kv":                      {},
	"store/kv/kvtest":               {[]string{"store/kv"}, nil},
	"store/blob":                    {},
	"store/blob/blobtest":           {[]string{"store/blob"}, nil},
	"store/leveldb":                 {[]string{"store/kv"}, []string{"github.com/syndtr/goleveldb"}},
	"store/disk":                    {[]string{"store/blob"}, nil},
	"store/s3":                      {[]string{"store/blob"}, []string{"github.com/aws/aws-sdk-go-v2", "github.com/aws/smithy-go"}},
	"store/s3/s3test":               {nil, []string{"github.com/aws/aws-sdk-go-v2"}},
	"store/memory":                  {[]string{"store/kv", "store/blob"}, nil},
	"store/storetest":               {[]string{"store/kv", "store/blob", "store/leveldb", "store/disk", "store/memory", "store/packument", "store/packument/packumenttest"}, nil},
	"store":                         {[]string{"scopes", "store/packument", "store/gzipped", "store/kv", "store/blob"}, []string{"golang.org/x/sync", "github.com/maypok86/otter/v2"}},
	"store/sessions":                {[]string{"store", "store/kv"}, nil},
	"store/tokens":                  {[]string{"scopes", "store", "store/kv"}, []string{"github.com/maypok86/otter/v2"}},
	"store/backup":                  {[]string{"store", "store/kv", "store/blob"}, nil},
	"store/migrate":                 {[]string{"store", "store/blob"}, []string{"golang.org/x/sync"}},
	"store/fsck":                    {[]string{"store", "store/packument", "store/blob"}, []string{"golang.org/x/sync"}},
	"githubauth":                    {[]string{"scopes"}, []string{"github.com/google/go-github/v60", "github.com/bradleyfalzon/ghinstallation/v2", "golang.org/x/oauth2", "golang.org/x/sync", "golang.org/x/time", "github.com/maypok86/otter/v2", "github.com/sony/gobreaker/v2"}},
	"githubauth/oauth":              {[]string{"githubauth"}, []string{"github.com/google/go-github/v60", "golang.org/x/oauth2", "golang.org/x/sync"}},
	"githubauth/oidc":               {[]string{"scopes"}, []string{"github.com/coreos/go-oidc/v3"}},
	"githubauth/githubtest":         {},
	"server/gate":                   {[]string{"scopes"}, nil},
	"server/problem":                {[]string{"server/gate", "scopes", "store", "store/packument", "store/tokens", "githubauth", "githubauth/oidc"}, []string{"github.com/gin-gonic/gin"}},
	"server/ci":                     {[]string{"server/audit", "server/gate", "server/problem", "store", "store/packument", "store/tokens", "scopes", "githubauth/oidc"}, []string{"github.com/gin-gonic/gin"}},
	"server/npm":                    {[]string{"server/audit", "server/gate", "server/problem", "store", "store/packument", "store/tokens", "store/blob", "scopes"}, []string{"github.com/gin-gonic/gin", "golang.org/x/sync"}},
	"server/people":                 {[]string{"server/audit", "server/gate", "server/problem", "store", "store/packument", "scopes"}, []string{"github.com/gin-gonic/gin", "golang.org/x/sync"}},
	"server/ui":                     {[]string{"server/gate", "server/problem", "store", "scopes"}, []string{"github.com/gin-gonic/gin"}},
	"server/audit":                  {[]string{"server/gate", "scopes", "store", "githubauth"}, []string{"github.com/gin-gonic/gin"}},
	"server/hooks":                  {[]string{"server/problem"}, []string{"github.com/gin-gonic/gin", "golang.org/x/sync"}},
	"server/login":                  {[]string{"server/audit", "server/gate", "server/problem", "store/sessions", "scopes", "githubauth", "githubauth/oauth"}, []string{"github.com/gin-gonic/gin"}},
	"server/operator":               {[]string{"scopes", "server/gate", "store", "store/backup", "store/blob", "store/fsck", "store/tokens"}, nil},
	"server":                        {[]string{"server/audit", "server/gate", "server/problem", "server/npm", "server/ui", "server/hooks", "server/people", "server/login", "server/ci"}, []string{"github.com/gin-gonic/gin", "github.com/prometheus/client_golang", "github.com/maypok86/otter/v2", "golang.org/x/time"}},
	"cmd/gatehouse":                 {[]string{"*"}, []string{"github.com/spf13/cobra", "github.com/spf13/pflag", "golang.org/x/sync", "golang.org/x/term"}},
	"cmd/gatehouse/clienttest":      {},
}

func TestLayers(t *testing.T) {
	root := filepath.Join("..", "..")
	seen := map[string]bool{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name := d.Name(); d.IsDir() && path != root && (name == "node_modules" || name == "testdata" || name == "scripts" || strings.HasPrefix(name, ".") && name != "..") {
			return filepath.SkipDir
		}
		if d.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		dir, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		dir = filepath.ToSlash(dir)
		seen[dir] = true
		room, ok := rooms[dir]
		if !ok {
			t.Errorf("%s: the package %s is in no room: add it to the table, with what it may import", path, dir)
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			ours, isOurs := strings.CutPrefix(imported, "gatehouse/")
			first, _, _ := strings.Cut(imported, "/")
			switch {
			case isOurs && !slices.Contains(room.imports, ours) && !slices.Contains(room.imports, "*"):
				t.Errorf("%s imports %s, which %s may not know", path, ours, dir)
			case !isOurs && strings.Contains(first, ".") && !slices.ContainsFunc(room.libraries, func(l string) bool {
				return imported == l || strings.HasPrefix(imported, l+"/")
			}):
				t.Errorf("%s imports %s, a library that lives elsewhere", path, imported)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for dir := range rooms {
		if !seen[dir] {
			t.Errorf("the table has a room %s that does not exist", dir)
		}
	}
}
