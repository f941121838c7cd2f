package main

import (
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// The help of a command lists its own flags. The settings, sixty of them, are listed once, where the registry is run.
func TestHelpListsOwnFlagsOnly(t *testing.T) {
	var check func(c *cobra.Command)
	check = func(c *cobra.Command) {
		for _, sub := range c.Commands() {
			usage := sub.UsageString()
			if lists := strings.Contains(usage, "--server.port"); lists && sub.Name() != "serve" {
				t.Errorf("the help of %q lists the settings", sub.CommandPath())
			}
			check(sub)
		}
	}
	root := newCommand()
	if !strings.Contains(root.UsageString(), "--server.port") {
		t.Error("the help of gatehouse does not list the settings")
	}
	check(root)
}
