package disk

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// crashDir is the environment variable that makes this test binary the child of TestKill.
const crashDir = "GATEHOUSE_TEST_DISK_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		putUntilKilled(dir)
	}
	os.Exit(m.Run())
}

// crashContent is what belongs under a key: bytes and a size that follow from it, up to a quarter of a MiB.
func crashContent(key string) string {
	h := fnv.New64a()
	h.Write([]byte(key))
	r := rand.NewChaCha8([32]byte(binary.LittleEndian.AppendUint64(make([]byte, 24), h.Sum64())))
	p := make([]byte, r.Uint64()%100*(r.Uint64()%100)*26)
	r.Read(p)
	return string(p)
}

// putUntilKilled is the child. It says "+key" for each object that was acknowledged, "-key" before one is
// deleted, and "!" and an error if something goes wrong. Writers share folders, so that they are pruned and
// made all the time.
func putUntilKilled(dir string) {
	// A line is one write, and written when say returns: the parent never reads a half, and knows of every
	// deletion that has begun.
	say := func(line string) { os.Stdout.WriteString(line + "\n") }
	say("started")
	s, err := Open(dir)
	if err != nil {
		say("!" + err.Error())
		select {}
	}
	session := rand.Uint32()
	for w := range 8 {
		go func() {
			for n := 0; ; n++ {
				key := fmt.Sprintf("@acme/%d/%d-%d-%d.tgz", n%7, session, w, n)
				content := crashContent(key)
				err := s.Put(context.Background(), key, int64(len(content)), strings.NewReader(content))
				if err == nil {
					say("+" + key)
				}
				if err == nil && n%2 == 0 {
					say("-" + key)
					err = s.Delete(context.Background(), key)
				}
				if err != nil {
					say("!" + err.Error())
					return
				}
			}
		}()
	}
	select {}
}

// TestKill kills a process that stores objects, again and again in the same directory, with SIGKILL: about the
// opening, and after some number of acknowledged objects, when the other writers are somewhere in theirs.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	acked, deleted := map[string]bool{}, map[string]bool{}
	unfinished := 0
	for round := range 10 {
		lines := rand.IntN(120)
		if round%4 == 0 {
			lines = rand.IntN(3)
		}
		if err := killAfter(t, dir, lines, acked, deleted); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		if tmp := filepath.Join(dir, tmpDir); exists(tmp) {
			unfinished += len(files(t, tmp))
		}

		s, err := Open(dir)
		if err != nil {
			t.Fatalf("round %d: after a kill: %v", round, err)
		}
		if left := files(t, filepath.Join(dir, tmpDir)); len(left) > 0 {
			t.Errorf("round %d: Open has left %q", round, left)
		}
		for key := range acked {
			if !deleted[key] && !exists(filepath.Join(dir, key)) {
				t.Errorf("round %d: %s was acknowledged and is not there", round, key)
			}
		}
		err = filepath.WalkDir(filepath.Join(dir, "@acme"), func(name string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			key, _ := filepath.Rel(dir, name)
			if get(t, s, filepath.ToSlash(key)) != crashContent(filepath.ToSlash(key)) {
				t.Errorf("round %d: a part of %s is to be seen", round, key)
			}
			return nil
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if len(acked) == len(deleted) {
		t.Fatal("no object was acknowledged and kept: the test has shown nothing")
	}
	t.Logf("%d objects were acknowledged, %d of them deleted again; the kills left %d unfinished uploads", len(acked), len(deleted), unfinished)
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// killAfter runs the child, kills it after it has said a number of lines, and notes what it has said until it
// was dead.
func killAfter(t *testing.T, dir string, lines int, acked, deleted map[string]bool) (err error) {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), crashDir+"="+dir)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		return err
	}
	if err := child.Start(); err != nil {
		return err
	}
	in := bufio.NewScanner(out)
	for said := 0; in.Scan(); said++ {
		switch line := in.Text(); line[0] {
		case '+':
			acked[line[1:]] = true
		case '-':
			deleted[line[1:]] = true
		case '!':
			err = errors.New(line[1:])
		}
		if said == lines {
			if err := child.Process.Kill(); err != nil {
				return err
			}
		}
	}
	if werr := child.Wait(); child.ProcessState.ExitCode() != -1 {
		return errors.Join(err, fmt.Errorf("the child ended by itself: %v", werr))
	}
	return err
}
