package clienttest

import (
	"os"
	"strings"
	"testing"
	"time"
)

// A stuck client ends at its deadline, with all it started, and what it said is not lost.
func TestDeadline(t *testing.T) {
	from := time.Now()
	r := execute(t.TempDir(), os.Environ(), []string{"sh", "-c", "echo started; sleep 60 & sleep 60"}, "", 300*time.Millisecond)
	if r.Err == nil || r.OK() || r.Code != -1 || time.Since(from) > 10*time.Second {
		t.Fatalf("after %v: %v", time.Since(from), r)
	}
	if !strings.Contains(r.Output, "started") {
		t.Fatalf("what it said is lost: %v", r)
	}
}

func TestExitCode(t *testing.T) {
	r := execute(t.TempDir(), os.Environ(), []string{"sh", "-c", "echo out; echo oops >&2; exit 3"}, "", time.Minute)
	if r.Err != nil || r.Code != 3 || r.Stdout != "out\n" || !r.Line("oops") {
		t.Fatalf("%v", r)
	}
	if r := execute(t.TempDir(), nil, []string{"/no/such/program"}, "", time.Minute); r.Err == nil || r.Code != -1 {
		t.Fatalf("a program that is not there: %v", r)
	}
}
