// Bench measures a built gatehouse beside nginx serving the same bytes, in alternation, and prints a table of ratios. See scripts/bench.
//
// Everything listens on loopback, is bounded by counts, and lives in one temporary folder that goes with the run.
package main

import (
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"gatehouse/githubauth/githubtest"
)

func main() {
	binary := flag.String("binary", "", "the gatehouse to measure")
	only := flag.String("only", ".", "a pattern: the lines to measure")
	rounds := flag.Int("rounds", 5, "how often each read is measured, on each server in turn")
	scale := flag.Float64("scale", 1, "times the number of requests in a round")
	yes := flag.String("say-yes", "", "internal: be the server that nginx asks, on this address")
	flag.Parse()
	if *yes != "" {
		log.Fatal(sayYes(*yes))
	}
	wanted, err := regexp.Compile(*only)
	if err != nil {
		log.Fatal(err)
	}
	if err := measure(*binary, wanted, *rounds, *scale); err != nil {
		log.Fatal(err)
	}
}

func measure(binary string, wanted *regexp.Regexp, rounds int, scale float64) (err error) {
	dir, err := os.MkdirTemp("", "gatehouse-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-interrupted // the servers go with this process (see run)
		_ = os.RemoveAll(dir)
		os.Exit(130)
	}()

	github := githubtest.Acme(githubtest.Seed(1)).Start()
	defer github.Close()
	github.SetLimits(githubtest.Limits{})
	b := &bench{dir: dir, binary: binary, github: github, token: github.Wendy}
	if _, err := exec.LookPath("nginx"); err != nil {
		return fmt.Errorf("no nginx: %w", err)
	}

	t := &table{}
	fmt.Printf("%s, %d cores, load %s\n\n", kernel(), runtime.NumCPU(), loadAverage())
	for _, m := range []struct {
		lines string // what can be measured with these servers, for -only
		run   func(*table, *regexp.Regexp, int, float64) error
	}{
		{"cold start", b.coldStart},
		{"memory", b.memory},
		{"publish, first read, 40 publishes", b.writes},
		{"packument 3, packument 100, packument 1600, 304, tarball 10k, tarball 1m, tarball 50m, p99", b.reads},
	} {
		if slices.ContainsFunc(strings.Split(m.lines, ", "), wanted.MatchString) {
			if err := m.run(t, wanted, rounds, scale); err != nil {
				return fmt.Errorf("%s: %w", m.lines, err)
			}
		}
	}
	t.summary(os.Stdout)
	fmt.Printf("\nload at the end: %s\n", loadAverage())
	return nil
}

func loadAverage() string {
	b, _ := os.ReadFile("/proc/loadavg")
	f := strings.Fields(string(b))
	return strings.Join(f[:min(3, len(f))], " ")
}

func kernel() string {
	b, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	return "Linux " + strings.TrimSpace(string(b)) + ", " + runtime.Version()
}

func (b *bench) data(name string) string { return filepath.Join(b.dir, name) }
