package main

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/config"
)

// newHealth is for containers, whose image has no other program to ask with.
func newHealth() *cobra.Command {
	health := &cobra.Command{
		Use:   "health",
		Short: "Ask the registry on this machine whether it can serve",
		Long: `Ask the registry that runs on this machine with the same settings whether it can serve. The exit code is 0 if it can.
Container images use it as their health check.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := config.Load(config.Process(cmd.Flags()))
			if err != nil {
				return err
			}
			host := cfg.Server.Host
			if a, err := netip.ParseAddr(host); err == nil && a.IsUnspecified() {
				host = "127.0.0.1"
				if a.Is6() {
					host = "::1"
				}
			}
			address := "http://" + net.JoinHostPort(host, strconv.Itoa(cfg.Server.Port)) + "/-/readyz"
			client := http.Client{Timeout: 5 * time.Second}
			resp, err := client.Get(address)
			if err != nil {
				return fmt.Errorf("no answer on port %d: the registry does not run, or listens elsewhere", cfg.Server.Port)
			}
			_ = resp.Body.Close()
			if resp.StatusCode != http.StatusOK {
				return fmt.Errorf("the registry runs but cannot serve (status %d): its log says why", resp.StatusCode)
			}
			cmd.Println("ok")
			return nil
		},
	}
	takeSettings(health)
	return health
}
