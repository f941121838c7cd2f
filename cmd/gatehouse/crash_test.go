package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/githubauth/githubtest"
	"gatehouse/store/packument/packumenttest"
)

func itoa(n int) string { return strconv.Itoa(n) }

// TestKilledDuringPublishes kills the registry with SIGKILL at random moments while several people publish, and starts it again. What was acknowledged is
// there with the right bytes; what was not is there whole or not at all, and can be published again; nothing is left lying about.
func TestKilledDuringPublishes(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	killedDuringPublishes(t, 25, 200*time.Millisecond, data, func() (stored []string) {
		err := filepath.WalkDir(filepath.Join(data, "storage"), func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && d.Name() != "%lock" {
				stored = append(stored, path)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
		return stored
	})
}

// TestKilledDuringPublishesToS3 is the same with the tarballs in a bucket.
func TestKilledDuringPublishesToS3(t *testing.T) {
	t.Parallel()
	b := newBucket(t)
	data := t.TempDir()
	killedDuringPublishes(t, 8, 600*time.Millisecond, data, func() []string { return b.objects(t) }, b.flags()...)
	if left, err := filepath.Glob(filepath.Join(data, "db", "spool", "*")); err != nil || len(left) > 0 {
		t.Errorf("in the spool: %q, %v", left, err)
	}
}

// killedDuringPublishes does it with these flags, after at most longest each time. stored lists what the storage holds, all of it.
func killedDuringPublishes(t *testing.T, rounds int, longest time.Duration, data string, stored func() []string, flags ...string) {
	const writers = 6
	github := githubtest.Acme().Start()
	defer github.Close()

	var mu sync.Mutex
	acknowledged := map[string]packumenttest.Package{} // by name@version
	answered, unanswered := 0, 0
	for round := range rounds {
		i := launch(t, self(t), data, github, flags...)
		var all sync.WaitGroup
		for w := range writers {
			all.Go(func() {
				for n := 0; ; n++ {
					p := packumenttest.Package{
						Name: "@acme/pkg-" + itoa(w%2), Version: fmt.Sprintf("%d.%d.%d", round, w, n), Tag: "writer-" + itoa(w), Repository: "github:acme/ui",
						Files: map[string]string{"filler": strings.Repeat(fmt.Sprint(round, w, n), 20_000)},
					}
					status := put(i.url+p.Path(), github.Wendy, bytes.NewReader(p.Body()))
					mu.Lock()
					if status == http.StatusCreated {
						acknowledged[p.Name+"@"+p.Version] = p
						answered++
					} else {
						unanswered++
					}
					mu.Unlock()
					if status == 0 {
						return
					}
					if status != http.StatusCreated {
						t.Errorf("%s@%s: %d", p.Name, p.Version, status)
						return
					}
				}
			})
		}
		time.Sleep(20*time.Millisecond + rand.N(longest)) // the moment is what is tried
		i.kill()
		all.Wait()
	}
	if answered == 0 || unanswered == 0 {
		t.Fatalf("%d publishes were answered and %d cut off: that proves nothing", answered, unanswered)
	}

	began := time.Now()
	i := launch(t, self(t), data, github, flags...)
	took := time.Since(began)
	tarballs := 0
	for w := range 2 {
		name := "@acme/pkg-" + itoa(w)
		var d struct {
			Tags     map[string]string `json:"dist-tags"`
			Versions map[string]struct{ Dist struct{ Tarball string } }
		}
		status, body := get(t, i.url+"/"+name, github.Rita)
		if err := json.Unmarshal(body, &d); status != http.StatusOK || err != nil {
			t.Fatalf("%s: %d %v", name, status, err)
		}
		for version, v := range d.Versions {
			tarballs++
			status, content := get(t, v.Dist.Tarball, github.Rita)
			if status != http.StatusOK {
				t.Errorf("%s@%s is listed, and its tarball answered with %d", name, version, status)
			}
			if p, ok := acknowledged[name+"@"+version]; ok && !bytes.Equal(content, p.Tarball()) {
				t.Errorf("%s@%s has other bytes", name, version)
			}
			delete(acknowledged, name+"@"+version)
		}
		for tag, version := range d.Tags {
			if _, ok := d.Versions[version]; !ok {
				t.Errorf("the tag %s of %s dangles: %s", tag, name, version)
			}
		}
	}
	for lost := range acknowledged {
		t.Errorf("%s was acknowledged and is lost", lost)
	}
	i.terminate(t)
	files := stored()
	for _, path := range files {
		if !strings.HasSuffix(path, ".tgz") {
			t.Errorf("left behind: %s", path)
		}
	}
	if len(files) != tarballs {
		t.Errorf("%d tarballs are listed and %d stored", tarballs, len(files))
	}
	t.Logf("%d kills; %d publishes acknowledged, %d cut off; %d versions there; the last start took %s", rounds, answered, unanswered, tarballs, took)
}
