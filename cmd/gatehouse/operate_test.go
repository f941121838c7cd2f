package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/githubauth/githubtest"
	"gatehouse/server/operator"
	"gatehouse/store/packument/packumenttest"
)

// onData are the flags that name the data in a folder.
func onData(data string) []string {
	return []string{"--metadata.leveldb.path=" + filepath.Join(data, "db"), "--storage.local.path=" + filepath.Join(data, "storage")}
}

// operate runs a command on the data in a folder and returns what it says and its exit code.
func operate(t *testing.T, data string, args ...string) (string, int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, self(t), append(args, onData(data)...)...)
	cmd.Env, cmd.Dir = []string{asGatehouse + "=1"}, t.TempDir()
	out, err := cmd.CombinedOutput()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// expectCommand makes sure of an exit code and of what a command says.
func expectCommand(t *testing.T, data string, code int, says string, args ...string) {
	t.Helper()
	out, got := operate(t, data, args...)
	if got != code || !regexp.MustCompile(says).MatchString(out) {
		t.Errorf("gatehouse %s: exit code %d, want %d, and it should say %s:\n%s", strings.Join(args, " "), got, code, says, out)
	}
}

// fill publishes versions through a registry that runs.
func fill(t *testing.T, i *instance, token, name string, versions ...string) {
	t.Helper()
	for _, v := range versions {
		p := packumenttest.Package{Name: name, Version: v, Repository: "github:acme/ui", Files: map[string]string{"filler": fmt.Sprint(rand.Uint64())}}
		if status := put(i.url+p.Path(), token, bytes.NewReader(p.Body())); status != http.StatusCreated {
			t.Errorf("publishing %s@%s: %d", name, v, status)
			return
		}
	}
}

// tarballs are the files of the tarballs of some data.
func tarballs(t *testing.T, data string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(data, "storage"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".tgz") {
			files = append(files, path)
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // a command may have been killed before it made the folder
		t.Fatal(err)
	}
	return files
}

func flip(t *testing.T, file string) {
	t.Helper()
	content, err := os.ReadFile(file)
	if err == nil {
		content[len(content)/2] ^= 1
		err = os.WriteFile(file, content, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestOperatorBesideTheRegistry: saving and checking a registry that runs and is published to, and what comes of the copy.
func TestOperatorBesideTheRegistry(t *testing.T) {
	t.Parallel()
	github := githubtest.Acme().Start()
	defer github.Close()
	data, other := t.TempDir(), t.TempDir()
	i := launch(t, self(t), data, github)
	fill(t, i, github.Wendy, "@acme/ui", "1.0.0", "1.1.0")
	fill(t, i, github.Wendy, "@acme/ui-kit", "1.0.0")
	var publisher sync.WaitGroup
	stop := make(chan struct{})
	publisher.Go(func() {
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			default:
				fill(t, i, github.Wendy, "@acme/ui", fmt.Sprintf("2.0.%d", n))
			}
		}
	})
	file := filepath.Join(t.TempDir(), "gatehouse.tar")
	expectCommand(t, data, 0, `Saved 2 packages with \d+ tarballs`, "backup", file)
	expectCommand(t, data, 1, `exists already, and a backup replaces nothing`, "backup", file)
	expectCommand(t, data, 0, `Nothing is wrong`, "fsck")
	expectCommand(t, data, 0, `Removed 0 forgotten objects`, "gc")
	close(stop)
	publisher.Wait()
	expectCommand(t, data, 1, `a registry is running on the data in .*a restore replaces nothing`, "restore", file)
	expectCommand(t, data, 1, `storage.type is local already`, "migrate", "storage", "--to", "local")
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}

	// What a kill leaves does not matter: neither to commands nor to the next start.
	i.kill()
	if _, err := os.Lstat(operator.Path(filepath.Join(data, "db"))); err != nil {
		t.Errorf("the kill was to leave a socket: %v", err)
	}
	expectCommand(t, data, 0, `Nothing is wrong`, "fsck", "--quick")
	i = launch(t, self(t), data, github)
	expectCommand(t, data, 0, `Nothing is wrong`, "fsck")
	i.terminate(t)
	if _, err := os.Lstat(operator.Path(filepath.Join(data, "db"))); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket is left: %v", err)
	}

	expectCommand(t, other, 0, `Restored 2 packages`, "restore", file)
	expectCommand(t, other, 1, `there are data already`, "restore", file)
	expectCommand(t, other, 0, `Nothing is wrong`, "fsck")
	again := launch(t, self(t), other, github)
	for _, path := range []string{"/@acme/ui", "/@acme/ui/-/ui-1.1.0.tgz", "/@acme/ui-kit/-/ui-kit-1.0.0.tgz"} {
		if status, _ := get(t, again.url+path, github.Rita); status != http.StatusOK {
			t.Errorf("%s: %d", path, status)
		}
	}
	fill(t, again, github.Wendy, "@acme/ui", "9.0.0")
	again.terminate(t)
}

func TestFsckOnDamage(t *testing.T) {
	t.Parallel()
	github := githubtest.Acme().Start()
	defer github.Close()
	data := t.TempDir()
	i := launch(t, self(t), data, github)
	fill(t, i, github.Wendy, "@acme/ui", "1.0.0", "1.1.0", "1.2.0")
	i.terminate(t)
	files := tarballs(t, data)
	flip(t, files[1])
	if err := os.Remove(files[2]); err != nil {
		t.Fatal(err)
	}
	orphan := filepath.Join(filepath.Dir(files[0]), "ui-7.0.0-00-aa.tgz")
	if err := os.WriteFile(orphan, []byte("forgotten"), 0o600); err != nil {
		t.Fatal(err)
	}
	old := time.Now().Add(-48 * time.Hour)
	if err := os.Chtimes(orphan, old, old); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "gatehouse.tar")
	expectCommand(t, data, 2, `without the tarball of @acme/ui@1.1.0(?s:.*)2 tarballs could not be saved`, "backup", file)
	expectCommand(t, t.TempDir(), 2, `Restored 1 package with 1 tarball`, "restore", file)
	expectCommand(t, data, 0, `orphan: @acme/ui/ui-7.0.0(?s:.*)Would remove 1 forgotten object \(9 B\)`, "gc", "--dry-run")
	expectCommand(t, data, 2, `tarball damaged: @acme/ui@1.1.0(?s:.*)tarball missing: @acme/ui@1.2.0(?s:.*)orphan(?s:.*)3 findings; "gatehouse fsck --help"`, "fsck")
	expectCommand(t, data, 2, `2 findings`, "fsck", "--quick") // without the flipped bit
	expectCommand(t, data, 0, `repaired: @acme/ui: withdrew 1.1.0(?s:.*)3 findings, all repaired`, "fsck", "--repair")
	expectCommand(t, data, 0, `Nothing is wrong`, "fsck")
	i = launch(t, self(t), data, github)
	if status, body := get(t, i.url+"/@acme/ui/-/ui-1.1.0.tgz", github.Rita); status != http.StatusGone || !strings.Contains(string(body), "its tarball was lost or damaged") {
		t.Errorf("%d %s", status, body)
	}
	if status, _ := get(t, i.url+"/@acme/ui/-/ui-1.0.0.tgz", github.Rita); status != http.StatusOK {
		t.Errorf("%d", status)
	}
	i.terminate(t)
}

// TestOperatorMistakes: each is one sentence and exit code 1, and makes nothing.
func TestOperatorMistakes(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	for _, c := range []struct {
		want string
		args []string
	}{
		{`there is no registry here: the folder .* does not exist`, []string{"fsck"}},
		{`there is no registry here`, []string{"gc"}},
		{`there is no registry here`, []string{"backup", "x.tar"}},
		{`name one file`, []string{"backup"}},
		{`no such file`, []string{"restore", "nowhere.tar"}},
		{`say where to with --to`, []string{"migrate", "storage"}},
		{`there is no registry here`, []string{"migrate", "storage", "--to", "s3"}},
		{`--repare is not a known flag|unknown flag`, []string{"fsck", "--repare"}},
	} {
		out, code := operate(t, data, c.args...)
		if code != 1 || !regexp.MustCompile(c.want).MatchString(out) || strings.Count(out, "\n") > 2 {
			t.Errorf("%q: exit code %d: %s", c.args, code, out)
		}
	}
	if made, err := os.ReadDir(data); err != nil || len(made) > 0 {
		t.Errorf("made: %v, %v", made, err)
	}
	for _, folder := range []string{"db", "storage"} {
		if err := os.MkdirAll(filepath.Join(data, folder), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	expectCommand(t, data, 1, `there is no registry in these data: is .*db the right folder`, "fsck")
	if os.Getuid() == 0 {
		// Files of root in the folder of somebody else would stop the registry.
		if err := os.Chown(filepath.Join(data, "db"), 65534, 65534); err != nil {
			t.Fatal(err)
		}
		expectCommand(t, data, 1, `belongs to the user with the number 65534: run this as that user`, "fsck")
	}
}

// TestRestoreCutOff: a restore that is killed, at whatever moment, is no registry, and says what to do.
func TestRestoreCutOff(t *testing.T) {
	t.Parallel()
	github := githubtest.Acme().Start()
	defer github.Close()
	data, file := t.TempDir(), filepath.Join(t.TempDir(), "gatehouse.tar")
	i := launch(t, self(t), data, github)
	for n := range 60 {
		fill(t, i, github.Wendy, fmt.Sprint("@acme/pkg-", n%6), fmt.Sprintf("1.0.%d", n))
	}
	i.terminate(t)
	expectCommand(t, data, 0, `Saved 6 packages with 60 tarballs`, "backup", file)
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}

	half := filepath.Join(t.TempDir(), "half.tar")
	if err := os.WriteFile(half, whole[:len(whole)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	other := t.TempDir()
	expectCommand(t, other, 1, `this is not a whole backup of gatehouse: it ends too early`, "restore", half)
	refusedToStart(t, other)

	begun := 0
	for round := range 12 {
		other := t.TempDir()
		cmd := exec.Command(self(t), append([]string{"restore", "-"}, onData(other)...)...)
		cmd.Env, cmd.Dir = []string{asGatehouse + "=1"}, t.TempDir()
		in, err := cmd.StdinPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		// It cannot have ended: the last bytes do not come.
		if _, err := in.Write(whole[:rand.IntN(len(whole)-2000)]); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(rand.IntN(60*(round+1))) * time.Millisecond)
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if _, err := os.Stat(filepath.Join(other, "db", "CURRENT")); err == nil && len(tarballs(t, other)) > 0 {
			begun++
			refusedToStart(t, other)
			expectCommand(t, other, 1, `there are data already`, "restore", file)
		}
		if err := errors.Join(os.RemoveAll(filepath.Join(other, "db")), os.RemoveAll(filepath.Join(other, "storage"))); err != nil {
			t.Fatal(err)
		}
		expectCommand(t, other, 0, `Restored 6 packages with 60 tarballs`, "restore", file)
	}
	if begun == 0 {
		t.Error("no restore had begun when it was killed: that proves nothing")
	}
	t.Logf("%d of 12 restores had written something when they were killed", begun)
}

func refusedToStart(t *testing.T, data string) {
	t.Helper()
	expectCommand(t, data, 1, `a restore into these data was cut off; remove both folders`, "serve", "--server.host=127.0.0.1", "--server.port=0")
	expectCommand(t, data, 1, `a restore into these data was cut off; remove both folders`, "fsck")
}

// TestRepairCutOff: a repair that is killed has done each repair wholly or not at all, and another one does the rest.
func TestRepairCutOff(t *testing.T) {
	t.Parallel()
	github := githubtest.Acme().Start()
	defer github.Close()
	data := t.TempDir()
	i := launch(t, self(t), data, github)
	for n := range 40 {
		fill(t, i, github.Wendy, fmt.Sprint("@acme/pkg-", n), "1.0.0", "1.1.0")
	}
	i.terminate(t)
	for n, file := range tarballs(t, data) {
		if n%2 == 1 {
			flip(t, file)
		}
	}
	unfinished := 0
	for round := 0; ; round++ {
		cmd := exec.Command(self(t), append([]string{"fsck", "--repair"}, onData(data)...)...)
		cmd.Env, cmd.Dir = []string{asGatehouse + "=1"}, t.TempDir()
		out := &killAtLine{cmd: cmd, left: 3 + rand.IntN(8), what: "repaired: "}
		cmd.Stdout = out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		err := cmd.Wait()
		if err == nil {
			break
		}
		unfinished++
		if round > 40 {
			t.Fatalf("it never ends: %v", err)
		}
	}
	if unfinished == 0 {
		t.Error("no repair was cut off: that proves nothing")
	}
	t.Logf("%d repairs were cut off", unfinished)
	expectCommand(t, data, 0, `Nothing is wrong`, "fsck")
	i = launch(t, self(t), data, github)
	served := 0
	for n := range 40 {
		for _, v := range []string{"1.0.0", "1.1.0"} {
			switch status, _ := get(t, i.url+fmt.Sprintf("/@acme/pkg-%d/-/pkg-%d-%s.tgz", n, n, v), github.Rita); status {
			case http.StatusOK:
				served++
			case http.StatusGone:
			default:
				t.Errorf("pkg-%d@%s: %d", n, v, status)
			}
		}
	}
	if served != 40 {
		t.Errorf("%d of 40 versions that were whole are served", served)
	}
	i.terminate(t)
}

// killAtLine kills a command when it has said something so often.
type killAtLine struct {
	cmd  *exec.Cmd
	left int
	what string
}

func (k *killAtLine) Write(p []byte) (int, error) {
	if k.left -= strings.Count(string(p), k.what); k.left <= 0 {
		_ = k.cmd.Process.Kill()
	}
	return len(p), nil
}
