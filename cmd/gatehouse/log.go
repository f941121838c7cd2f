package main

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"time"

	"gatehouse/config"
	"gatehouse/server"
)

// newLog returns the log that is asked for, and what has to be called at the end so that all of it is written.
//
// A line of the access log waits up to a tenth of a second for others to be written with it: a write for each costs more than its making. Every other
// line, and one of the access log that is a warning or worse, is written at once, after those that wait. What a kill -9, or a panic that nobody
// recovers from, can lose is therefore the last tenth of a second of answered requests that went well.
func newLog(cfg *config.Config, w io.Writer) (*slog.Logger, func()) {
	waiting := &lines{w: w}
	o := &slog.HandlerOptions{Level: cfg.Logger.Level}
	h := slog.Handler(slog.NewTextHandler(waiting, o))
	if cfg.Logger.Format == config.LogJSON {
		h = slog.NewJSONHandler(waiting, o)
	}
	return slog.New(gathered{h, waiting}), waiting.end
}

// gathered lets the lines of the access log wait, and no others.
type gathered struct {
	slog.Handler
	lines *lines
}

func (g gathered) Handle(ctx context.Context, r slog.Record) error {
	err := g.Handler.Handle(ctx, r)
	if r.Level >= slog.LevelWarn || r.Message != server.Answered {
		g.lines.flush()
	}
	return err
}

func (g gathered) WithAttrs(attrs []slog.Attr) slog.Handler {
	return gathered{g.Handler.WithAttrs(attrs), g.lines}
}

func (g gathered) WithGroup(name string) slog.Handler {
	return gathered{g.Handler.WithGroup(name), g.lines}
}

const (
	lineWaits = 100 * time.Millisecond
	linesWait = 64 << 10 // bytes
)

// lines keeps lines in their order until there are enough, or the first of them has waited. As with any log, what cannot be written is dropped.
type lines struct {
	mu    sync.Mutex
	w     io.Writer
	kept  []byte
	timer *time.Timer // runs while lines are kept
	ended bool
}

func (l *lines) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		return l.w.Write(line)
	}
	if len(l.kept)+len(line) > linesWait {
		l.write()
	}
	if len(l.kept) == 0 {
		if l.timer == nil {
			l.timer = time.AfterFunc(lineWaits, l.flush)
		} else {
			l.timer.Reset(lineWaits)
		}
	}
	l.kept = append(l.kept, line...)
	return len(line), nil
}

func (l *lines) flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.write()
}

// end writes what is kept. Lines that come later are written as they come.
func (l *lines) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.write()
	l.ended = true
}

func (l *lines) write() {
	if len(l.kept) == 0 {
		return
	}
	l.timer.Stop()
	_, _ = l.w.Write(l.kept)
	l.kept = l.kept[:0]
	if cap(l.kept) > 2*linesWait {
		l.kept = nil // a single long line must not stay
	}
}
