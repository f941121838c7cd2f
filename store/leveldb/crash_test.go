package leveldb

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"

	"gatehouse/store/kv"
)

// crashDir is the environment variable that makes this test binary the child of TestKill.
const crashDir = "GATEHOUSE_TEST_LEVELDB_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		writeUntilKilled(dir)
	}
	os.Exit(m.Run())
}

const crashWriters = 8

// A writer counts; step n of a writer is one batch: its counter from n-1 to n, row n, and the row before
// the last one deleted. So the counter tells all rows that there must be, and that there must not be.
func step(w, n int) kv.Batch {
	b := kv.Batch{If: []kv.Entry{{Key: counter(w)}}}
	if n > 1 {
		b.If[0].Value = count(n - 1)
	}
	b.Put = []kv.Entry{{Key: counter(w), Value: count(n)}, {Key: crashRow(w, n), Value: crashValue(w, n)}}
	if n > 2 {
		b.Delete = [][]byte{crashRow(w, n-2)}
	}
	return b
}

func counter(w int) []byte     { return fmt.Appendf(nil, "counter %d", w) }
func crashRow(w, n int) []byte { return fmt.Appendf(nil, "row %d %d", w, n) }
func count(n int) []byte       { return binary.BigEndian.AppendUint64(nil, uint64(n)) }

// crashValue is small mostly, larger than a block of the journal often, and now and then so large that it
// takes many writes of the file.
func crashValue(w, n int) []byte {
	size := 100 + n%50
	switch {
	case n%40 == 0:
		size = 2_000_000
	case n%3 == 0:
		size = 60_000
	}
	return []byte(random(size, uint64(w)<<8|uint64(n)&0xff))
}

// writeUntilKilled is the child. It says "open" and then "w n" for each step that was acknowledged.
func writeUntilKilled(dir string) {
	// A line is one write, so that the parent never reads a half.
	say := func(line string) { os.Stdout.WriteString(line + "\n") }
	say("started")
	s, err := Open(dir)
	if err != nil {
		say("Open: " + err.Error())
		select {}
	}
	say("open")
	for w := range crashWriters {
		go func() {
			n, err := reached(s, w)
			for err == nil {
				n++
				if err = s.Apply(context.Background(), step(w, n)); err == nil {
					say(fmt.Sprint(w, " ", n))
				}
			}
			say("writer: " + err.Error())
		}()
	}
	select {}
}

// reached returns the last step of a writer that the store has.
func reached(s *Store, w int) (int, error) {
	e, err := s.Get(context.Background(), counter(w))
	if errors.Is(err, kv.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return int(binary.BigEndian.Uint64(e.Value)), nil
}

// TestKill kills a process that writes, again and again on the same store, with SIGKILL: at some moment while
// it opens, and after some number of acknowledged batches, when the other writers are somewhere in theirs.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	acked := make([]int, crashWriters)
	total := 0
	for round := range 10 {
		lines := rand.IntN(150)
		if round%3 == 0 {
			lines = rand.IntN(3) // about the opening
		}
		n, err := killAfter(t, dir, lines, acked)
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		total += n

		s, err := Open(dir)
		if err != nil {
			t.Fatalf("round %d: after a kill: %v", round, err)
		}
		want := map[string]string{}
		for w := range crashWriters {
			n, err := reached(s, w)
			if err != nil {
				t.Fatal(err)
			}
			if n < acked[w] {
				t.Errorf("round %d: writer %d was acknowledged step %d, the store has %d", round, w, acked[w], n)
			}
			acked[w] = n
			if n > 0 {
				want[string(counter(w))] = string(count(n))
			}
			for _, n := range []int{n - 1, n} {
				if n > 0 {
					want[string(crashRow(w, n))] = string(crashValue(w, n))
				}
			}
		}
		for e, err := range s.Scan(t.Context(), nil, nil) {
			if err != nil {
				t.Fatal(err)
			}
			if value, there := want[string(e.Key)]; !there || value != string(e.Value) {
				t.Errorf("round %d: %q: a part of a batch, or other bytes than were put", round, e.Key)
			}
			delete(want, string(e.Key))
		}
		for key := range want {
			t.Errorf("round %d: %q is missing", round, key)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if total == 0 {
		t.Fatal("nothing was acknowledged in any round: the test has shown nothing")
	}
	t.Log(total, "batches were acknowledged")
}

// killAfter runs the child, kills it after it has said a number of lines, and notes what it has had
// acknowledged until it was dead.
func killAfter(t *testing.T, dir string, lines int, acked []int) (total int, err error) {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), crashDir+"="+dir)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		return 0, err
	}
	if err := child.Start(); err != nil {
		return 0, err
	}
	in := bufio.NewScanner(out)
	for said := 0; in.Scan(); said++ {
		line := in.Text()
		var w, n int
		if _, serr := fmt.Sscanf(line, "%d %d", &w, &n); serr == nil {
			acked[w] = n
			total++
		} else if line != "started" && line != "open" {
			err = errors.New(line)
		}
		if said == lines {
			if err := child.Process.Kill(); err != nil {
				return total, err
			}
		}
	}
	if werr := child.Wait(); werr == nil || child.ProcessState.ExitCode() != -1 {
		return total, errors.Join(err, fmt.Errorf("the child ended by itself: %v", werr))
	}
	return total, err
}
