//go:build ignore

// Testreport reads "go test -json" and prints what a person wants to know: each package as it ends, the
// whole output of whatever failed, what is running when nothing was said for a while, every skipped test,
// and the counts. It exits with 1 when a test failed, a package did not build, no test ran, or, in CI, a
// test was skipped.
package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// event is one line of "go test -json"; see "go doc test2json".
type event struct {
	Action     string
	Package    string
	ImportPath string
	Test       string
	Elapsed    float64
	Output     string
}

type test struct{ pkg, name string }

func (t test) String() string { return t.pkg + " " + t.name }

type report struct {
	running map[test]time.Time
	output  map[test][]string
	broken  map[test]bool // a test of this one's children failed, or it did
	builds  map[string][]string
	skips   []string
	slow    []string
	took    map[string]float64
	counts  map[string]int
	perPkg  map[string]int
	bad     int
}

func main() {
	quick := flag.Bool("quick", false, "skipped tests are expected")
	flag.Parse()

	r := report{
		running: map[test]time.Time{}, output: map[test][]string{}, broken: map[test]bool{}, builds: map[string][]string{},
		took: map[string]float64{}, counts: map[string]int{}, perPkg: map[string]int{},
	}
	lines := make(chan string)
	go func() {
		in := bufio.NewReader(os.Stdin)
		for {
			line, err := in.ReadString('\n')
			if line != "" {
				lines <- line
			}
			if err != nil {
				close(lines)
				return
			}
		}
	}()
	const silence = 30 * time.Second
	quiet := time.NewTimer(silence)
	for open := true; open; {
		select {
		case line, ok := <-lines:
			if open = ok; !ok {
				break
			}
			var e event
			if err := json.Unmarshal([]byte(line), &e); err != nil || e.Action == "" {
				fmt.Print("    ", line) // a word of the go command itself, such as a download
				break
			}
			if r.take(e) {
				quiet.Reset(silence)
			}
		case <-quiet.C:
			r.sayRunning()
			quiet.Reset(silence)
		}
	}
	os.Exit(r.finish(*quick, os.Getenv("CI") == "true"))
}

// take files one event, and tells whether it printed something.
func (r *report) take(e event) bool {
	t := test{e.Package, e.Test}
	switch e.Action {
	case "build-output":
		r.builds[e.ImportPath] = append(r.builds[e.ImportPath], e.Output)
	case "build-fail":
		fmt.Printf("--- does not build: %s\n%s", e.ImportPath, strings.Join(r.builds[e.ImportPath], ""))
		r.bad++
		return true
	case "run":
		r.running[t] = time.Now()
	case "output":
		r.output[t] = append(r.output[t], e.Output)
	case "pass", "fail", "skip":
		delete(r.running, t)
		if e.Test == "" {
			return r.closePackage(e)
		}
		return r.closeTest(t, e)
	}
	return false
}

func (r *report) closeTest(t test, e event) bool {
	r.counts[e.Action]++
	r.perPkg[t.pkg]++
	out := r.output[t]
	delete(r.output, t)
	if e.Elapsed >= 5 && !strings.Contains(t.name, "/") {
		r.slow = append(r.slow, t.String())
		r.took[t.String()] = e.Elapsed
	}
	switch e.Action {
	case "skip":
		r.skips = append(r.skips, fmt.Sprintf("%s: %s", t, reason(out)))
	case "fail":
		r.bad++
		r.broken[test{pkg: t.pkg}] = true
		fmt.Printf("--- FAIL: %s (%.1fs)\n%s", t, e.Elapsed, strings.Join(out, ""))
		return true
	}
	return false
}

func (r *report) closePackage(e event) bool {
	t := test{pkg: e.Package}
	out := strings.Join(r.output[t], "")
	delete(r.output, t)
	switch {
	case e.Action == "skip":
		return false // no test files
	case e.Action == "pass":
		fmt.Printf("ok  \t%s\t%.1fs\t%d tests\n", e.Package, e.Elapsed, r.perPkg[e.Package])
	default:
		if !r.broken[t] { // the package fell without a test that says why: a panic, a timeout, TestMain
			r.bad++
			for running := range r.running {
				if running.pkg == e.Package {
					out = strings.Join(r.output[running], "") + out
					delete(r.running, running)
				}
			}
		}
		for line := range strings.Lines(out) {
			if !strings.HasPrefix(line, "FAIL") {
				fmt.Print(line)
			}
		}
		fmt.Printf("FAIL\t%s\t%.1fs\n", e.Package, e.Elapsed)
	}
	return true
}

// reason is what the test said when it skipped.
func reason(out []string) string {
	for _, line := range slices.Backward(out) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "---") && !strings.HasPrefix(line, "===") {
			return line
		}
	}
	return "no reason given"
}

func (r *report) sayRunning() {
	names := make([]string, 0, len(r.running))
	for t, since := range r.running {
		names = append(names, fmt.Sprintf("%s (%.0fs)", t, time.Since(since).Seconds()))
	}
	if len(names) == 0 {
		fmt.Println("    still building")
		return
	}
	slices.Sort(names)
	fmt.Printf("    still running: %s\n", strings.Join(names[:min(len(names), 4)], ", "))
}

func (r *report) finish(quick, ci bool) int {
	slices.SortFunc(r.slow, func(a, b string) int { return cmp.Compare(r.took[b], r.took[a]) })
	if len(r.slow) > 0 {
		fmt.Println("\nslowest tests:")
	}
	for _, name := range r.slow[:min(len(r.slow), 8)] {
		fmt.Printf("    %6.1fs  %s\n", r.took[name], name)
	}
	strict := ci && !quick
	if len(r.skips) > 0 {
		fmt.Printf("\nskipped tests%s:\n    %s\n", map[bool]string{true: " (a failure in CI)"}[strict], strings.Join(r.skips, "\n    "))
	}
	if strict {
		r.bad += len(r.skips)
	}
	ran := r.counts["pass"] + r.counts["fail"]
	fmt.Printf("\n%d passed, %d failed, %d skipped\n", r.counts["pass"], r.counts["fail"], r.counts["skip"])
	if ran == 0 {
		fmt.Println("no test ran")
	}
	if r.bad > 0 || ran == 0 {
		return 1
	}
	return 0
}
