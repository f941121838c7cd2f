package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"gatehouse/config"
	"gatehouse/githubauth/githubtest"
	"gatehouse/server"
)

// journal is a file that tells how often it was written to.
type journal struct {
	mu     sync.Mutex
	text   string
	writes int
	err    error
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.err != nil {
		return 0, j.err
	}
	j.text += string(p)
	j.writes++
	return len(p), nil
}

func (j *journal) has(t *testing.T, writes int, want ...string) {
	t.Helper()
	j.mu.Lock()
	defer j.mu.Unlock()
	var got []string
	for line := range strings.Lines(j.text) {
		_, n, _ := strings.Cut(strings.TrimSpace(line), "n=")
		got = append(got, n)
	}
	if j.writes != writes || strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("%d writes of %q; want %d of %q", j.writes, got, writes, want)
	}
}

func kept(format config.LogFormat) (*journal, *slog.Logger, func()) {
	j := &journal{}
	cfg := &config.Config{}
	cfg.Logger.Format = format
	log, end := newLog(cfg, j)
	return j, log, end
}

func TestAccessLogWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j, log, end := kept(config.LogText)
		log.Info(server.Answered, "n", 1)
		log.With("by", "wendy").Info(server.Answered, "n", 2)
		time.Sleep(lineWaits - 1)
		synctest.Wait()
		j.has(t, 0)
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		j.has(t, 1, "1", "2")

		// The next one waits as long, and not for what is left of the first's time.
		log.WithGroup("of").Info(server.Answered, "n", 3)
		time.Sleep(lineWaits - 1)
		synctest.Wait()
		j.has(t, 1, "1", "2")
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		j.has(t, 2, "1", "2", "3")
		end()
		j.has(t, 2, "1", "2", "3")
	})
}

// TestOtherLinesDoNotWait: what somebody may be waiting for, or what may be the last that is heard, is written at once and in its order.
func TestOtherLinesDoNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j, log, end := kept(config.LogText)
		log.Info(server.Answered, "n", 1)
		log.Warn(server.Answered, "n", 2)
		j.has(t, 1, "1", "2")
		log.Info("listening", "n", 3)
		j.has(t, 2, "1", "2", "3")
		log.Info(server.Answered, "n", 4)
		log.With("a", "b").Error("broken", "n", 5)
		j.has(t, 3, "1", "2", "3", "4", "5")
		log.Info(server.Answered, "n", 6)
		end()
		j.has(t, 4, "1", "2", "3", "4", "5", "6")
		log.Info(server.Answered, "n", 7)
		j.has(t, 5, "1", "2", "3", "4", "5", "6", "7")
	})
}

func TestLogIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j, log, end := kept(config.LogText)
		long := strings.Repeat("x", 1000)
		var want []string
		for n := range 1000 { // a thousand lines of a kilobyte, in no time
			log.Info(server.Answered, "long", long, "n", n)
			want = append(want, fmt.Sprint(n))
		}
		l := log.Handler().(gathered).lines
		if len(l.kept) > linesWait || cap(l.kept) > 2*linesWait {
			t.Errorf("%d bytes wait, in %d", len(l.kept), cap(l.kept))
		}
		log.Info(server.Answered, "long", strings.Repeat("y", 10*linesWait), "n", 1000)
		end()
		if want = append(want, "1000"); cap(l.kept) > 2*linesWait {
			t.Errorf("a long line leaves %d bytes", cap(l.kept))
		}
		j.has(t, j.writes, want...)
		if j.writes > 20 {
			t.Errorf("%d writes", j.writes)
		}
	})
}

func TestLogThatCannotBeWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j, log, end := kept(config.LogJSON)
		j.err = errors.New("no space left")
		log.Info(server.Answered, "n", 1)
		log.Error("broken", "n", 2)
		j.mu.Lock()
		j.err = nil
		j.mu.Unlock()
		log.Error("mended")
		end()
		if got := j.text; strings.Count(got, "\n") != 1 || !strings.Contains(got, "mended") {
			t.Errorf("%q", got)
		}
	})
}

// TestLogEndsWithTheProcess: in good order, each answered request has its line.
func TestLogEndsWithTheProcess(t *testing.T) {
	t.Parallel()
	github := githubtest.Acme().Start()
	defer github.Close()
	i := launch(t, self(t), t.TempDir(), github)
	const asked = 300
	var ids []string
	for range asked {
		resp, err := http.Get(i.url + "/-/ping")
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		ids = append(ids, resp.Header.Get("X-Request-Id"))
	}
	i.terminate(t)
	for n, id := range ids {
		if id == "" || bytes.Count(i.log.Bytes(), []byte(" id="+id+" ")) != 1 {
			t.Fatalf("request %d (%q) is not in the log once:\n%.5000s", n, id, i.log)
		}
	}
}
