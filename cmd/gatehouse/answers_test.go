package main

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"gatehouse/githubauth/githubtest"
)

// TestRestartAsksNothing: what GitHub said before a restart is good for as long as it would have been without one, and to this registry only.
func TestRestartAsksNothing(t *testing.T) {
	t.Parallel()
	github := githubtest.Acme().Start()
	defer github.Close()
	data := t.TempDir()
	install := func(i *instance, want int) int {
		t.Helper()
		github.ResetCounts()
		for _, path := range []string{"/@acme/ui", "/@acme/ui/-/ui-1.0.0.tgz"} {
			if got, _ := get(t, i.url+path, github.Rita); got != want {
				t.Errorf("%s: %d, want %d", path, got, want)
			}
		}
		return github.Counts().Total()
	}
	i := launch(t, self(t), data, github)
	fill(t, i, github.Wendy, "@acme/ui", "1.0.0")
	if install(i, http.StatusOK) == 0 {
		t.Fatal("GitHub was not asked the first time")
	}
	i.terminate(t)

	folder := filepath.Join(data, "github-cache")
	if info, err := os.Stat(folder); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder: %v %v", info, err)
	}
	again := launch(t, self(t), data, github)
	if asked := install(again, http.StatusOK); asked != 0 {
		t.Errorf("after a restart GitHub was asked %d times\n%s", asked, github.Counts())
	}
	again.terminate(t)

	// A copy of the folder tells nothing, and another registry can make nothing of it.
	stolen := filepath.Join(t.TempDir(), "github-cache")
	if err := os.CopyFS(stolen, os.DirFS(folder)); err != nil {
		t.Fatal(err)
	}
	all, err := os.ReadFile(filepath.Join(stolen, "answers"))
	if err != nil || len(all) == 0 {
		t.Fatal(len(all), err)
	}
	for _, secret := range []string{github.Rita, github.Wendy, "rita", "wendy", "acme"} {
		if bytes.Contains(all, []byte(secret)) {
			t.Errorf("%q can be read in the folder", secret)
		}
	}
	other := launch(t, self(t), t.TempDir(), github, "--auth.github.cache.path="+stolen)
	if install(other, http.StatusNotFound) == 0 {
		t.Error("another registry opened the answers")
	}
	other.terminate(t)
	if !bytes.Contains(other.log.Bytes(), []byte("written under another key")) {
		t.Errorf("its log does not say so:\n%s", other.log)
	}

	// A process that is killed keeps nothing of late, and breaks nothing.
	killed := launch(t, self(t), data, github)
	install(killed, http.StatusOK)
	killed.kill()
	left := filepath.Join(folder, "answers.1234.tmp")
	if err := os.WriteFile(left, all[:len(all)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	last := launch(t, self(t), data, github)
	install(last, http.StatusOK)
	last.terminate(t)
	if _, err := os.Stat(left); !os.IsNotExist(err) {
		t.Errorf("what the killed process left is still there: %v", err)
	}
}

// TestAnswersInMemoryOnly: without a folder nothing is written.
func TestAnswersInMemoryOnly(t *testing.T) {
	t.Parallel()
	github := githubtest.Acme().Start()
	defer github.Close()
	data := t.TempDir()
	i := launch(t, self(t), data, github, "--auth.github.cache.path=")
	fill(t, i, github.Wendy, "@acme/ui", "1.0.0")
	i.terminate(t)
	for _, folder := range []string{filepath.Join(data, "github-cache"), filepath.Join(i.cmd.Dir, "data")} {
		if _, err := os.Stat(folder); !os.IsNotExist(err) {
			t.Errorf("%s: %v", folder, err)
		}
	}
}
