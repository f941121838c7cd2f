package main

import (
	"os"
	"testing"

	"gatehouse/cmd/gatehouse/clienttest"
)

// asGatehouse in the environment makes the test binary the program itself, so that tests run the real main in a process of its own,
// with its flags, its signals and its exit code, and with the race detector if they have it.
const asGatehouse = "TEST_BINARY_IS_GATEHOUSE"

func TestMain(m *testing.M) {
	if os.Getenv(asGatehouse) != "" {
		main() // exits
	}
	os.Exit(clienttest.Isolate(m))
}
