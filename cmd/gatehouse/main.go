// Gatehouse is a private npm registry whose permissions come from GitHub.
//
// This package reads the configuration, builds the boxes and joins them; it is the only place that sees them all. What a
// command does can be read from top to bottom: listen, open the engines, sweep, ask GitHub through githubauth, serve, and stop in reverse order.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first signal lets running requests finish; a second one ends the process at once, as it would have without us.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is the program without the process around it, and returns its exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	cmd := newCommand()
	cmd.SetArgs(args)
	cmd.SetOut(stdout)
	cmd.SetErr(stderr)
	err := cmd.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	if e, ok := errors.AsType[*ended](err); ok {
		if e.text != "" {
			_, _ = fmt.Fprintln(stderr, "gatehouse: "+e.text)
		}
		return e.code
	}
	_, _ = fmt.Fprintln(stderr, "gatehouse: "+err.Error())
	if _, ok := errors.AsType[*remains](err); ok {
		return 2
	}
	return 1
}
