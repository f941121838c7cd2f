package store_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"gatehouse/store"
	"gatehouse/store/blob"
	"gatehouse/store/disk"
	"gatehouse/store/kv"
	"gatehouse/store/leveldb"
	"gatehouse/store/memory"
	"gatehouse/store/packument"
	"gatehouse/store/packument/packumenttest"
	"gatehouse/store/s3"
	"gatehouse/store/s3/s3test"
)

// A point is a moment in a change: before or after one of the calls that the store makes to its engines. These tests let something happen at
// every point of every change: the process is killed, or the call fails.

// faulty counts the writing calls to both engines and has something happen at one of them.
type faulty struct {
	kv.Store
	blobs blob.Store
	calls int
	at    int // the call, from 1; 0 for none
	after bool
	// happen is what does. If it returns an error, that is the call's.
	happen func() error
}

func (f *faulty) call(do func() error) error {
	f.calls++
	if f.calls != f.at {
		return do()
	}
	if !f.after {
		return f.happen()
	}
	if err := do(); err != nil {
		return err
	}
	return f.happen()
}

func (f *faulty) Apply(ctx context.Context, b kv.Batch) error {
	return f.call(func() error { return f.Store.Apply(ctx, b) })
}

func (f *faulty) Scan(ctx context.Context, from, to []byte) iter.Seq2[kv.Entry, error] {
	return f.Store.Scan(ctx, from, to)
}

type faultyBlobs struct{ f *faulty }

func (b faultyBlobs) Put(ctx context.Context, key string, size int64, r io.Reader) error {
	return b.f.call(func() error { return b.f.blobs.Put(ctx, key, size, r) })
}
func (b faultyBlobs) Open(ctx context.Context, key string) (*blob.Object, error) {
	return b.f.blobs.Open(ctx, key)
}
func (b faultyBlobs) Delete(ctx context.Context, key string) error {
	return b.f.call(func() error { return b.f.blobs.Delete(ctx, key) })
}

func at(version, file string) packumenttest.Package {
	return packumenttest.Package{Name: "@acme/ui", Version: version, Files: map[string]string{"file": file}}
}

func put(t testing.TB, s *store.Store, p packumenttest.Package, replace bool) error {
	_, err := s.Publish(ctx, store.Publication{Upload: upload(t, p), Binding: ui, By: wendy, Replace: replace})
	return err
}

// changes are what is interrupted. Each begins with 1.0.0 and 1.1.0 published, 1.0.0 tagged "old".
var changes = map[string]func(t testing.TB, s *store.Store) error{
	"first publish": func(t testing.TB, s *store.Store) error {
		p := at("0.1.0", "new")
		p.Name = "@acme/new"
		return put(t, s, p, false)
	},
	"publish":   func(t testing.TB, s *store.Store) error { return put(t, s, at("2.0.0", "new"), false) },
	"replace":   func(t testing.TB, s *store.Store) error { return put(t, s, at("1.0.0", "replaced"), true) },
	"lost race": func(t testing.TB, s *store.Store) error { return put(t, s, at("1.0.0", "other"), false) },
	"tag": func(_ testing.TB, s *store.Store) error {
		return second(s.Tag(ctx, "@acme/ui", map[string]string{"next": "1.0.0"}, edit()))
	},
	"untag": func(_ testing.TB, s *store.Store) error { return second(s.Untag(ctx, "@acme/ui", "old", edit())) },
	"deprecate": func(_ testing.TB, s *store.Store) error {
		return second(s.Deprecate(ctx, "@acme/ui", map[string]string{"1.0.0": "x"}, edit()))
	},
	"unpublish": func(_ testing.TB, s *store.Store) error {
		return second(s.Unpublish(ctx, "@acme/ui", without("1.1.0"), "", edit()))
	},
	"unpublish all": func(_ testing.TB, s *store.Store) error { return second(s.UnpublishAll(ctx, "@acme/ui", edit())) },
	"rebind": func(t testing.TB, s *store.Store) error {
		h, err := s.Head(ctx, "@acme/ui")
		if err != nil {
			t.Fatal(err)
		}
		return second(s.Rebind(ctx, "@acme/ui", store.Rebinding{To: other}, store.Edit{Where: h.Binding, By: wendy}))
	},
	"sweep": func(_ testing.TB, s *store.Store) error { return second(s.Sweep(ctx, true)) },
}

func edit() store.Edit { return store.Edit{Where: ui, By: wendy} }

func second[T any](_ T, err error) error { return err }

// prepare makes what every change begins with, and, for the sweep, something to sweep.
func prepare(t testing.TB, s *store.Store, change string) {
	for _, err := range []error{put(t, s, at("1.0.0", "a"), false), put(t, s, at("1.1.0", "b"), false),
		second(s.Tag(ctx, "@acme/ui", map[string]string{"old": "1.0.0"}, edit()))} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if change == "sweep" {
		if err := put(t, s, at("1.2.0", "c"), false); err != nil {
			t.Fatal(err)
		}
		if err := second(s.Unpublish(ctx, "@acme/ui", without("1.2.0"), "1.1.0", edit())); err != nil {
			t.Fatal(err)
		}
	}
}

// state is all that a reader can see, without the revision.
func state(t testing.TB, s *store.Store) string {
	t.Helper()
	var b strings.Builder
	for _, name := range []string{"@acme/ui", "@acme/new"} {
		head, err := s.Head(ctx, name)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		d, err := s.Document(ctx, head, packument.Full, base, false)
		if err != nil {
			t.Fatal(err)
		}
		var v struct {
			Tags     map[string]string `json:"dist-tags"`
			Versions map[string]struct {
				Deprecated string
				Dist       struct{ Integrity string }
			}
		}
		if err := json.Unmarshal(d.Body, &v); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s of %d %v %v\n", name, head.Binding.Repo.ID, v.Tags, v.Versions)
		if bound, err := s.Packages(ctx, head.Binding.Repo.ID); err != nil || !slices.Contains(bound, name) {
			t.Errorf("%s is not known to be bound to %d, but %q are: %v", name, head.Binding.Repo.ID, bound, err)
		}
		if len(v.Versions) > 0 {
			whole(t, s, name)
		}
	}
	return b.String()
}

// TestFailingCalls fails every writing call of every change once, as a full disk, as a broken one, and as an answer that got lost. What a reader sees is
// then what it was, or, where the answer got lost, perhaps what it was to be, and never anything between; the change can be made again at once; and nothing is left over.
func TestFailingCalls(t *testing.T) {
	faults := map[string]error{"full": nil, "broken": errors.New("input/output error"), "lost": errors.New("the answer got lost")}
	for name, change := range changes {
		for kind, fault := range faults {
			points := 0
			for point := 1; ; point++ {
				f := &faulty{Store: memory.NewKV(), blobs: memory.NewBlob(), after: kind == "lost"}
				f.happen = func() error {
					points++
					if fault == nil {
						return errors.Join(kv.ErrFull, blob.ErrFull)
					}
					return fault
				}
				s := open(t, f, faultyBlobs{f}, store.Options{})
				prepare(t, s, name)
				before := state(t, s)
				f.calls, f.at = 0, point
				err := change(t, s)
				reached := f.calls >= point
				f.at = 0
				if !reached {
					break // the change makes no more calls
				}
				what := fmt.Sprintf("%s, call %d %s", name, point, kind)
				if kind == "full" && err != nil && !errors.Is(err, store.ErrFull) && !errors.Is(err, store.ErrVersionExists) && name != "sweep" {
					t.Errorf("%s: %v", what, err)
				}
				after := state(t, s)
				if err != nil && kind != "lost" && after != before {
					t.Errorf("%s: it failed, and changed something:\n%s%s", what, before, after)
				}
				want := wanted(t, name)
				if after != before && after != want {
					t.Errorf("%s: neither before nor after:\n%s", what, after)
				}
				if name != "lost race" {
					if err := change(t, s); err != nil {
						t.Errorf("%s, again: %v", what, err)
					}
					if again := state(t, s); again != want {
						t.Errorf("%s, again:\n%swant\n%s", what, again, want)
					}
				}
				if _, err := s.Sweep(ctx, true); err != nil {
					t.Errorf("%s: %v", what, err)
				}
				leftovers(t, s, f.Store, nil, 0)
				state(t, s)
			}
			if points == 0 && name != "lost race" {
				t.Errorf("%s %s: no point was reached", name, kind)
			}
		}
	}
}

// wanted is what a reader sees after the change.
func wanted(t testing.TB, name string) string {
	s := open2(t)
	prepare(t, s, name)
	_ = changes[name](t, s) // a lost race fails
	return state(t, s)
}

func open2(t testing.TB) *store.Store {
	s, err := store.Open(ctx, memory.NewKV(), memory.NewBlob(), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const killAt = "TEST_KILL_AT" // a killOrder

// killOrder says to a process when to be killed, and on what data.
type killOrder struct {
	Change string
	Point  int
	After  bool
	Dir    string
	Bucket *s3.Options // nil: tarballs in Dir too
}

// TestKillPoints kills the process before and after every writing call of every change, on LevelDB with a local folder and with a bucket, opens what it
// left, and holds it against what it was and was to be.
func TestKillPoints(t *testing.T) {
	if order := os.Getenv(killAt); order != "" {
		killed(t, order)
		return
	}
	t.Run("disk", func(t *testing.T) { killPoints(t, nil) })
	t.Run("s3", func(t *testing.T) { killPoints(t, s3test.New(t)) })
}

func killPoints(t *testing.T, server *s3test.Server) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for name := range changes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := wanted(t, name)
			fresh := open2(t)
			prepare(t, fresh, name)
			before := state(t, fresh)
			for point := 1; ; point++ {
				for _, after := range []bool{false, true} {
					order := killOrder{Change: name, Point: point, After: after, Dir: t.TempDir()}
					if server != nil {
						order.Bucket = &s3.Options{Endpoint: server.URL, PathStyle: true, Region: s3test.Region, Bucket: server.Bucket(t),
							AccessKeyID: server.AccessKeyID, SecretAccessKey: server.SecretAccessKey}
					}
					text, err := json.Marshal(order)
					if err != nil {
						t.Fatal(err)
					}
					cmd := exec.Command(self, "-test.run=^TestKillPoints$")
					cmd.Env = append(os.Environ(), killAt+"="+string(text))
					out, err := cmd.CombinedOutput()
					if err == nil {
						if point == 1 && name != "lost race" {
							t.Errorf("it makes no call\n%s", out)
						}
						return // it makes no more calls
					}
					if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
						t.Fatalf("%v\n%s", err, out)
					}
					inspect(t, fmt.Sprintf("%s, call %d, after %t", name, point, after), order, before, want)
				}
			}
		})
	}
}

// killed is the process that is killed.
func killed(t *testing.T, text string) {
	var order killOrder
	if err := json.Unmarshal([]byte(text), &order); err != nil {
		t.Fatal(err)
	}
	s, f, _ := durable(t, order)
	prepare(t, s, order.Change)
	f.calls, f.at, f.after = 0, order.Point, order.After
	f.happen = func() error {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
	_ = changes[order.Change](t, s)
}

func durable(t *testing.T, order killOrder) (*store.Store, *faulty, func()) {
	t.Helper()
	meta, err := leveldb.Open(filepath.Join(order.Dir, "db"))
	if err != nil {
		t.Fatal(err)
	}
	f := &faulty{Store: meta}
	shut := func() { _ = meta.Close() }
	if order.Bucket != nil {
		if f.blobs, err = s3.Open(ctx, *order.Bucket); err != nil {
			t.Fatal(err)
		}
	} else {
		blobs, err := disk.Open(filepath.Join(order.Dir, "storage"))
		if err != nil {
			t.Fatal(err)
		}
		f.blobs = blobs
		shut = func() { _ = errors.Join(meta.Close(), blobs.Close()) }
	}
	return open(t, f, faultyBlobs{f}, store.Options{}), f, shut
}

// inspect opens what a killed process left.
func inspect(t *testing.T, what string, order killOrder, before, want string) {
	t.Helper()
	s, f, shut := durable(t, order)
	defer shut()
	if _, err := s.Sweep(ctx, true); err != nil {
		t.Errorf("%s: %v", what, err)
	}
	if got := state(t, s); got != before && got != want {
		t.Errorf("%s: neither before nor after:\n%s", what, got)
	}
	leftovers(t, s, f.Store, nil, 0)
	// As many tarballs as versions: nothing is lost, nothing lies about.
	versions := 0
	for _, name := range []string{"@acme/ui", "@acme/new"} {
		v, err := s.Versions(ctx, name)
		if err != nil {
			t.Error(err)
		}
		versions += len(v)
	}
	files := 0
	for _, err := range f.blobs.(blob.Lister).List(ctx) {
		if err != nil {
			t.Error(err)
		}
		files++
	}
	if files != versions {
		t.Errorf("%s: %d versions and %d tarballs", what, versions, files)
	}
}
