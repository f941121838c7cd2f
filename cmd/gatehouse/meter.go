package main

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// meter shows how far long work has come: on a terminal one line that changes, elsewhere a line now and then.
type meter struct {
	w        io.Writer
	terminal bool
	began    time.Time
	last     time.Time
	width    int // of what is on the terminal's line
}

func newMeter(w io.Writer) *meter {
	now := time.Now()
	return &meter{w: w, terminal: isTerminal(w), began: now, last: now}
}

// say shows a line, if it is time for one. n are the bytes so far, for the rate.
func (m *meter) say(n int64, line func() string) {
	every := 10 * time.Second
	if m.terminal {
		every = 200 * time.Millisecond
	}
	if time.Since(m.last) < every {
		return
	}
	m.last = time.Now()
	text := line() + m.rate(n)
	if !m.terminal {
		_, _ = fmt.Fprintln(m.w, text)
		return
	}
	m.clear()
	_, _ = io.WriteString(m.w, text)
	m.width = len(text)
}

// clear makes room for other lines. It is called before something else is printed, and at the end.
func (m *meter) clear() {
	if m.width > 0 {
		_, _ = io.WriteString(m.w, "\r"+strings.Repeat(" ", m.width)+"\r")
		m.width = 0
	}
}

func (m *meter) rate(n int64) string {
	s := time.Since(m.began).Seconds()
	if s < 0.001 || n == 0 {
		return ""
	}
	return fmt.Sprintf(", %s/s", bytesOf(int64(float64(n)/s)))
}

// took says how long it was, for a summary.
func (m *meter) took(n int64) string {
	return "in " + time.Since(m.began).Round(10*time.Millisecond).String() + m.rate(n)
}

func bytesOf(n int64) string {
	units := []string{"B", "kB", "MB", "GB", "TB"}
	f, u := float64(n), 0
	for f >= 1000 && u < len(units)-1 {
		f, u = f/1000, u+1
	}
	if u == 0 {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %s", f, units[u])
}

func many[N int | int64](n N, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
