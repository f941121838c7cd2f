package clienttest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Result is what became of one command of a client.
type Result struct {
	Command string // as a person would type it, for messages
	Output  string // what it printed, standard output and error in the order they came
	Stdout  string // standard output alone, for what is read by machine
	Code    int    // the exit code; -1 when Err is set
	Err     error  // it could not be started, or was ended at its deadline
	Took    time.Duration
}

// OK tells whether the command ended by itself with exit code 0.
func (r Result) OK() bool { return r.Err == nil && r.Code == 0 }

func (r Result) String() string {
	outcome := fmt.Sprintf("exit code %d", r.Code)
	if r.Err != nil {
		outcome = r.Err.Error()
	}
	return fmt.Sprintf("%s\n  %s after %.1fs\n  | %s", r.Command, outcome, r.Took.Seconds(),
		strings.ReplaceAll(strings.TrimRight(r.Output, "\n"), "\n", "\n  | "))
}

// Line tells whether one line of the output has all these words, in any order: each client lays out a list
// in its own way.
func (r Result) Line(words ...string) bool {
	for line := range strings.Lines(r.Output) {
		if !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(line, word) }) {
			return true
		}
	}
	return false
}

// Must fails the test, with everything the client said, unless the command succeeded.
func (r Result) Must(t testing.TB) Result {
	t.Helper()
	if !r.OK() {
		t.Fatalf("this should have succeeded:\n%v", r)
	}
	return r
}

// MustFail fails the test unless the client itself reported failure and printed each of the texts.
func (r Result) MustFail(t testing.TB, texts ...string) Result {
	t.Helper()
	if r.Err != nil || r.Code == 0 {
		t.Fatalf("this should have been refused:\n%v", r)
	}
	for _, text := range texts {
		if !strings.Contains(r.Output, text) {
			t.Fatalf("the refusal does not say %q:\n%v", text, r)
		}
	}
	return r
}

// execute runs one program to its end or its deadline. A client starts others (a packing script, a
// daemon), so it runs in a process group of its own, of which nothing is left afterwards.
func execute(dir string, env, argv []string, input string, limit time.Duration) Result {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	var stdout bytes.Buffer
	var both lockedBuffer
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Dir, cmd.Env = dir, env
	if input != "" {
		cmd.Stdin = strings.NewReader(input)
	}
	cmd.Stdout, cmd.Stderr = io.MultiWriter(&stdout, &both), &both
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	endGroup := func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.Cancel = endGroup
	cmd.WaitDelay = 2 * time.Second // what left the group may still hold the pipes

	from := time.Now()
	err := cmd.Run()
	if cmd.Process != nil {
		_ = endGroup()
	}
	r := Result{Output: both.String(), Stdout: stdout.String(), Took: time.Since(from)}
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		r.Code, r.Err = -1, fmt.Errorf("ended at its deadline of %v", limit)
	case errors.As(err, &exit):
		r.Code = exit.ExitCode()
	case err != nil:
		r.Code, r.Err = -1, err
	}
	return r
}

// lockedBuffer takes both streams of a command.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
