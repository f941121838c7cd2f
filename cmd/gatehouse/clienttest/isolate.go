// Package clienttest drives the real npm, pnpm, yarn and bun in tests, where nothing but loopback can be
// reached. Some clients go to the public registry whatever they are told; a test must neither depend on
// that nor send a private name there, so the test binary first moves into a network of its own:
//
//	func TestMain(m *testing.M) { os.Exit(clienttest.Isolate(m)) }
//
// A test then takes each [Client], sets it up as a [User] of a registry with a token, and has it do what a
// person would: publish, install, add, view, tag. Every user has a home folder of its own with an empty
// cache, and sees nothing of the machine's own configuration.
//
// The clients are installed by scripts/test in scripts/clients, pinned by a lock file. Where they are
// missing, or the kernel forbids the network, a test of theirs fails in CI and is skipped elsewhere.
package clienttest

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"testing"
)

// inside marks the copy of the test binary that runs in the network of its own.
const inside = "GATEHOUSE_TEST_INSIDE_LOOPBACK"

// notIsolated is the exit code of that copy when it can't do its work, which no test run ends with.
const notIsolated = 97

// outside says why this process can reach more than loopback; empty when it can't.
var outside = "TestMain does not call clienttest.Isolate"

// Isolate runs the tests where only loopback exists, and returns their exit code. It starts the test
// binary once more inside a new network, with the same arguments; outside CI, where the kernel forbids
// that, it runs the tests as they are and those that ask for clients are skipped. A test binary that also
// plays another part, such as a server to be killed, has to look for that before it calls Isolate.
func Isolate(m *testing.M) int {
	if slices.Contains(os.Args, "-test.fuzzworker") {
		return m.Run() // it talks to its parent through files that it would not have after another start
	}
	if os.Getenv(inside) != "" {
		os.Unsetenv(inside)
		if err := enter(); err != nil {
			fmt.Fprintf(os.Stderr, "clienttest: the network of the tests' own is not as it should be: %v\n", err)
			return notIsolated
		}
		outside = ""
		return m.Run()
	}
	code, err := rerun()
	if err == nil && code == notIsolated {
		err = errors.New("it was made, but can't be used")
	}
	if err == nil {
		return code
	}
	outside = fmt.Sprintf("this machine gives the tests no network of their own (%v); "+
		"they need CAP_SYS_ADMIN, or user namespaces allowed to ordinary users", err)
	if inCI() {
		fmt.Fprintln(os.Stderr, "clienttest:", outside)
		return 1
	}
	return m.Run()
}

// enter brings loopback up and proves that nothing else is there.
func enter() error {
	if err := raiseLoopback(); err != nil {
		return fmt.Errorf("bringing loopback up: %w", err)
	}
	interfaces, err := net.Interfaces()
	if err != nil {
		return err
	}
	for _, i := range interfaces {
		if i.Flags&net.FlagUp != 0 && i.Flags&net.FlagLoopback == 0 {
			return fmt.Errorf("interface %s is up", i.Name)
		}
	}
	return nil
}

func inCI() bool { return os.Getenv("CI") == "true" }

// missing ends a test that can't run here: it fails where everything has to be there, and is skipped elsewhere.
func missing(t testing.TB, format string, args ...any) {
	t.Helper()
	if inCI() {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}
