package main

import (
	"fmt"
	"io"
	"time"
)

// table collects the lines as they are measured; each is printed at once, and all together at the end.
type table struct{ lines []line }

type line struct {
	what             string
	value            string
	atLeast, aim     string
	verdict, remarks string
}

// add judges a value by its two bounds. With larger set, more is better.
func (t *table) add(what string, value, atLeast, aim float64, larger bool, unit, remarks string) {
	better := func(bound float64) bool { return larger == (value >= bound) || value == bound }
	l := line{what: what, value: fmt.Sprintf("%.2f%s", value, unit), remarks: remarks, verdict: "MISSED"}
	if atLeast != 0 {
		l.atLeast, l.aim = fmt.Sprintf("%g", atLeast), fmt.Sprintf("%g", aim)
	}
	switch {
	case atLeast == 0:
		l.verdict = ""
	case better(aim):
		l.verdict = "aim"
	case better(atLeast):
		l.verdict = "met"
	}
	t.lines = append(t.lines, l)
	l.print(noisy)
}

var noisy io.Writer = progress{}

type progress struct{}

func (progress) Write(p []byte) (int, error) { fmt.Print(string(p)); return len(p), nil }

func (l line) print(w io.Writer) {
	fmt.Fprintf(w, "%-46s %12s %8s %6s  %-7s %s\n", l.what, l.value, l.atLeast, l.aim, l.verdict, l.remarks)
}

func (t *table) summary(w io.Writer) {
	fmt.Fprintf(w, "\n")
	line{what: "what", value: "measured", atLeast: "at least", aim: "aim"}.print(w)
	for _, l := range t.lines {
		l.print(w)
	}
}

func micro(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
func milli(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
