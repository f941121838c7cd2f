package operator_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse/scopes"
	"gatehouse/server/operator"
	"gatehouse/store"
	"gatehouse/store/backup"
	"gatehouse/store/blob"
	"gatehouse/store/fsck"
	"gatehouse/store/memory"
	"gatehouse/store/packument"
	"gatehouse/store/packument/packumenttest"
)

var ctx = context.Background()

// desk is one on a registry with two versions.
func desk(t *testing.T) *operator.Desk {
	t.Helper()
	blobs := memory.NewBlob()
	s, err := store.Open(ctx, memory.NewKV(), blobs, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	name, err := packument.ParseName("@acme/ui")
	if err != nil {
		t.Fatal(err)
	}
	limits := packument.DefaultLimits
	limits.Tarball = 1 << 20
	for _, v := range []string{"1.0.0", "1.1.0"} {
		p := packumenttest.Package{Name: "@acme/ui", Version: v}
		u, err := packument.ReadPublish(ctx, bytes.NewReader(p.Body()), name, limits, t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.Publish(ctx, store.Publication{Upload: u, By: scopes.Principal{Login: "wendy"}})
		if err := errors.Join(err, u.Close()); err != nil {
			t.Fatal(err)
		}
	}
	return &operator.Desk{Store: s, Blobs: blobs, Version: "test"}
}

// serve listens until the test, or stop, ends it.
func serve(t *testing.T, metadata string, d *operator.Desk) (stop func()) {
	t.Helper()
	s, err := operator.Listen(metadata, d, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
	}
	t.Cleanup(stop)
	return stop
}

func dial(t *testing.T, metadata string) *operator.Client {
	t.Helper()
	c, err := operator.Dial(ctx, metadata)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestSocket(t *testing.T) {
	dir := t.TempDir()
	if _, err := operator.Dial(ctx, dir); !errors.Is(err, operator.ErrNotRunning) {
		t.Errorf("without a socket: %v", err)
	}
	stop := serve(t, dir, desk(t))
	path := operator.Path(dir)
	for name, want := range map[string]fs.FileMode{path: fs.ModeSocket | 0o600, filepath.Dir(path): fs.ModeDir | 0o700} {
		if info, err := os.Stat(name); err != nil || info.Mode() != want {
			t.Errorf("%s: %v, %v, want %v", name, info.Mode(), err, want)
		}
	}
	dial(t, dir)
	stop()
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket is left: %v", err)
	}
	if _, err := operator.Dial(ctx, dir); !errors.Is(err, operator.ErrNotRunning) {
		t.Errorf("after the end: %v", err)
	}
	// One that a kill has left: a file that nobody listens to.
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	_ = l.Close()
	if _, err := operator.Dial(ctx, dir); !errors.Is(err, operator.ErrNotRunning) {
		t.Errorf("a stale socket: %v", err)
	}
	if err := os.Chmod(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	serve(t, dir, desk(t))
	dial(t, dir)
	if info, err := os.Stat(filepath.Dir(path)); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder stays open to others: %v, %v", info.Mode(), err)
	}
}

func TestLongPath(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("long-", 20), strings.Repeat("path-", 20))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	stop := serve(t, dir, desk(t))
	if _, err := dial(t, dir).Check(ctx, operator.Check{}, func(operator.Message) {}); err != nil {
		t.Error(err)
	}
	stop()
	if left, err := os.ReadDir(filepath.Dir(operator.Path(dir))); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

func TestVerbs(t *testing.T) {
	dir, d := t.TempDir(), desk(t)
	serve(t, dir, d)
	c := dial(t, dir)
	r, err := d.Store.Record(ctx, "@acme/ui")
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Blobs.Delete(ctx, r.Versions[1].Blob); err != nil {
		t.Fatal(err)
	}
	var findings []fsck.Finding
	fixed := 0
	tell := func(m operator.Message) {
		if m.Finding != nil {
			findings = append(findings, *m.Finding)
		}
		if m.Fixed != "" {
			fixed++
		}
	}
	sum, err := c.Check(ctx, operator.Check{}, tell)
	if err != nil || len(findings) != 1 || findings[0].Version != "1.1.0" || sum.Findings != 1 || sum.Tarballs != 2 {
		t.Errorf("%+v, %+v, %v", findings, sum, err)
	}
	if sum, err = c.Check(ctx, operator.Check{Repair: true}, tell); err != nil || sum.Left() != 0 || fixed != 1 {
		t.Errorf("%+v, %d, %v", sum, fixed, err)
	}
	if got, err := c.Collect(ctx, operator.Collect{Dry: true}, tell); err != nil || got.Waiting != 1 {
		t.Errorf("%+v, %v", got, err)
	}
	var buf bytes.Buffer
	var last backup.Counts
	saved, err := c.Backup(ctx, &buf, func(done, of backup.Counts) {
		last = done
		if of.Tarballs != 1 {
			t.Errorf("of %+v", of)
		}
	})
	if err != nil || saved.Counts.Tarballs != 1 || saved.Header.By != "gatehouse test" || last.Bytes != int64(buf.Len()) {
		t.Errorf("%+v, %v", saved, err)
	}
	if _, err := backup.Restore(ctx, &buf, memory.NewKV(), memory.NewBlob(), backup.Options{}); err != nil {
		t.Error(err)
	}
}

// stuck is a storage that does not answer until the context ends.
type stuck struct {
	blob.Store
	began chan struct{}
}

func (s stuck) Open(ctx context.Context, _ string) (*blob.Object, error) {
	select {
	case s.began <- struct{}{}:
	default:
	}
	<-ctx.Done()
	return nil, ctx.Err()
}

// TestStopping: a registry that stops does not wait for the operator, and says so.
func TestStopping(t *testing.T) {
	for name, ask := range map[string]func(*operator.Client) error{
		"fsck": func(c *operator.Client) error {
			_, err := c.Check(ctx, operator.Check{}, func(operator.Message) {})
			return err
		},
		"backup": func(c *operator.Client) error {
			_, err := c.Backup(ctx, io.Discard, nil)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir, d := t.TempDir(), desk(t)
			began := make(chan struct{}, 1)
			d.Blobs = stuck{d.Blobs, began}
			stop := serve(t, dir, d)
			c := dial(t, dir)
			answer := make(chan error, 1)
			go func() { answer <- ask(c) }()
			<-began
			start := time.Now()
			stop()
			if err := <-answer; err == nil || !strings.Contains(err.Error(), "the registry is stopping") {
				t.Errorf("%v", err)
			}
			if took := time.Since(start); took > 4*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

// TestCallerLeaves: work ends when who asked for it has gone.
func TestCallerLeaves(t *testing.T) {
	dir, d := t.TempDir(), desk(t)
	began := make(chan struct{}, 1)
	d.Blobs = stuck{d.Blobs, began}
	serve(t, dir, d)
	leaving, leave := context.WithCancel(ctx)
	go func() {
		<-began
		leave()
	}()
	if _, err := dial(t, dir).Backup(leaving, io.Discard, nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	// Its hold on what was withdrawn ends with it: sweeping goes on.
	if _, err := d.Store.Unpublish(ctx, "@acme/ui", func(v string) bool { return v == "1.0.0" }, "", store.Edit{}); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		if n, err := d.Store.Sweep(ctx, true); err != nil || time.Now().After(deadline) {
			t.Fatalf("%d, %v", n, err)
		} else if n == 1 {
			break
		}
	}
}
