package backup_test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/scopes"
	"gatehouse/store"
	"gatehouse/store/backup"
	"gatehouse/store/blob"
	"gatehouse/store/fsck"
	"gatehouse/store/kv"
	"gatehouse/store/memory"
	"gatehouse/store/packument/packumenttest"
	"gatehouse/store/storetest"
)

var (
	ctx   = context.Background()
	wendy = scopes.Principal{Kind: scopes.Person, ID: 1, Login: "wendy"}
	bound = scopes.Binding{Kind: scopes.GitHub, Repo: scopes.Repo{ID: 7, OwnerID: 1, Owner: "acme", Name: "ui"}}
)

var engines = storetest.Engines

func open(t *testing.T, meta kv.Store, blobs blob.Store) *store.Store {
	t.Helper()
	s, err := store.Open(ctx, meta, blobs, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func publish(t *testing.T, s *store.Store, name string, versions ...string) {
	t.Helper()
	for _, v := range versions {
		filler := make([]byte, 2000)
		for i := range filler {
			filler[i] = byte('a' + rand.IntN(26))
		}
		p := packumenttest.Package{Name: name, Version: v, Files: map[string]string{"filler": string(filler)}}
		if _, err := s.Publish(ctx, store.Publication{Upload: storetest.Upload(t, p), Binding: bound, By: wendy}); err != nil {
			t.Fatal(err)
		}
	}
}

// sample publishes something of everything.
func sample(t *testing.T, s *store.Store) {
	t.Helper()
	publish(t, s, "@acme/ui", "1.0.0", "1.1.0", "2.0.0-beta.1")
	publish(t, s, "@acme/api", "1.0.0", "1.0.1")
	publish(t, s, "@acme/gone", "1.0.0")
	edit := store.Edit{Where: bound, By: wendy}
	_, err := s.Unpublish(ctx, "@acme/ui", func(v string) bool { return v != "1.1.0" }, "", edit)
	_, err2 := s.UnpublishAll(ctx, "@acme/gone", edit)
	_, err3 := s.Star(ctx, "@acme/ui", true, wendy)
	_, err4 := s.Tag(ctx, "@acme/api", map[string]string{"old": "1.0.0"}, edit)
	if err := errors.Join(err, err2, err3, err4); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, s *store.Store, blobs blob.Store) ([]byte, backup.Summary) {
	t.Helper()
	var buf bytes.Buffer
	sum, err := backup.Write(ctx, &buf, s, blobs, backup.Options{By: "gatehouse test"})
	if err != nil {
		t.Fatal(err)
	}
	return buf.Bytes(), sum
}

// entries are the metadata, uploads apart.
func entries(t *testing.T, s *store.Store) map[string]string {
	t.Helper()
	all := map[string]string{}
	for e, err := range s.Entries(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		all[string(e.Key)] = string(e.Value)
	}
	return all
}

// sound makes sure that a check finds nothing.
func sound(t *testing.T, s *store.Store, blobs blob.Store) fsck.Summary {
	t.Helper()
	sum, err := fsck.New(s, blobs, fsck.Options{Found: func(f fsck.Finding) { t.Errorf("found: %+v", f) }}).Run(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

func TestThereAndBack(t *testing.T) {
	engines(t, func(t *testing.T, meta kv.Store, blobs blob.Store) {
		s := open(t, meta, blobs)
		sample(t, s)
		stream, sum := write(t, s, blobs)
		if sum.Counts != sum.Header.Expected || sum.Counts.Packages != 3 || sum.Counts.Tarballs != 4 || sum.Header.By != "gatehouse test" || len(sum.Damaged) != 0 {
			t.Errorf("%+v", sum)
		}
		engines(t, func(t *testing.T, meta kv.Store, blobs blob.Store) {
			back, err := backup.Restore(ctx, bytes.NewReader(stream), meta, blobs, backup.Options{})
			if err != nil || back.Counts != sum.Counts {
				t.Fatalf("%+v, %v", back, err)
			}
			restored := open(t, meta, blobs)
			if !maps.Equal(entries(t, s), entries(t, restored)) {
				t.Error("the metadata are not those that were saved")
			}
			if sum := sound(t, restored, blobs); sum.Tarballs != 4 || sum.Objects != 4 || sum.Waiting != 0 {
				t.Errorf("%+v", sum)
			}
			publish(t, restored, "@acme/ui", "3.0.0")
			if _, err := backup.Restore(ctx, bytes.NewReader(stream), meta, blobs, backup.Options{}); !errors.Is(err, backup.ErrNotEmpty) {
				t.Errorf("a second restore: %v", err)
			}
			if _, err := backup.Restore(ctx, bytes.NewReader(stream), meta, memory.NewBlob(), backup.Options{}); !errors.Is(err, backup.ErrNotEmpty) {
				t.Errorf("a restore into metadata that are there: %v", err)
			}
		})
	})
}

func TestNothing(t *testing.T) {
	blobs := memory.NewBlob()
	stream, _ := write(t, open(t, memory.NewKV(), blobs), blobs)
	meta, blobs := memory.NewKV(), memory.NewBlob()
	if sum, err := backup.Restore(ctx, bytes.NewReader(stream), meta, blobs, backup.Options{}); err != nil || sum.Counts != (backup.Counts{}) {
		t.Errorf("%+v, %v", sum, err)
	}
	open(t, meta, blobs)
}

// TestWhileOthersWrite: a backup under publishes, withdrawals and sweeps is a registry of one moment, whole.
func TestWhileOthersWrite(t *testing.T) {
	engines(t, func(t *testing.T, meta kv.Store, blobs blob.Store) {
		var mu sync.Mutex
		now := time.Now()
		s, err := store.Open(ctx, meta, blobs, store.Options{Now: func() time.Time {
			mu.Lock()
			defer mu.Unlock()
			now = now.Add(5 * time.Second) // what is withdrawn is soon to be swept, and no upload on its way taken for abandoned
			return now
		}})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 8 {
			publish(t, s, fmt.Sprint("@acme/pkg-", i), "1.0.0", "1.1.0", "1.2.0")
		}
		stop := make(chan struct{})
		var others sync.WaitGroup
		for w := range 3 {
			others.Go(func() {
				for n := 0; ; n++ {
					select {
					case <-stop:
						return
					default:
					}
					name := fmt.Sprint("@acme/pkg-", (n+w)%8)
					publish(t, s, name, fmt.Sprintf("2.%d.%d", w, n))
					oldest := ""
					_, err := s.Unpublish(ctx, name, func(v string) bool {
						if oldest == "" {
							oldest = v
						}
						return v != oldest
					}, "", store.Edit{Where: bound, By: wendy})
					_, err2 := s.Sweep(ctx, false)
					if err := errors.Join(err, err2); err != nil {
						t.Error(err)
					}
				}
			})
		}
		for round := range 5 {
			var buf bytes.Buffer
			// A slow reader: the storage changes while the stream is on its way.
			sum, err := backup.Write(ctx, slow{&buf}, s, blobs, backup.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if len(sum.Damaged) > 0 {
				t.Errorf("round %d: %+v", round, sum.Damaged)
			}
			meta, blobs := memory.NewKV(), memory.NewBlob()
			if _, err := backup.Restore(ctx, &buf, meta, blobs, backup.Options{}); err != nil {
				t.Fatal(err)
			}
			sound(t, open(t, meta, blobs), blobs)
		}
		close(stop)
		others.Wait()
		sound(t, s, blobs)
	})
}

type slow struct{ io.Writer }

func (s slow) Write(p []byte) (int, error) {
	time.Sleep(time.Millisecond)
	return s.Writer.Write(p)
}

// TestDamagedTarballs: what is lost does not keep the rest from being saved, and is told on both sides.
func TestDamagedTarballs(t *testing.T) {
	engines(t, func(t *testing.T, meta kv.Store, blobs blob.Store) {
		s := open(t, meta, blobs)
		publish(t, s, "@acme/ui", "1.0.0", "1.1.0", "1.2.0", "1.3.0", "1.4.0")
		r, err := s.Record(ctx, "@acme/ui")
		if err != nil {
			t.Fatal(err)
		}
		for i, change := range map[int]func([]byte) []byte{
			0: nil,
			1: func(b []byte) []byte { b[10] ^= 1; return b },
			2: func(b []byte) []byte { return b[:len(b)-7] },
			3: func(b []byte) []byte { return append(b, "more"...) },
		} {
			key := r.Versions[i].Blob
			o, err := blobs.Open(ctx, key)
			if err != nil {
				t.Fatal(err)
			}
			content, err := io.ReadAll(o.Body)
			if err := errors.Join(err, o.Body.Close(), blobs.Delete(ctx, key)); err != nil {
				t.Fatal(err)
			}
			if change != nil {
				content = change(content)
				if err := blobs.Put(ctx, key, int64(len(content)), bytes.NewReader(content)); err != nil {
					t.Fatal(err)
				}
			}
		}
		stream, sum := write(t, s, blobs)
		if len(sum.Damaged) != 4 || sum.Counts.Tarballs != 1 {
			t.Errorf("%+v", sum)
		}
		into, there := memory.NewKV(), memory.NewBlob()
		back, err := backup.Restore(ctx, bytes.NewReader(stream), into, there, backup.Options{})
		if err != nil || len(back.Damaged) != 4 || back.Damaged[1].Version != "1.1.0" {
			t.Errorf("%+v, %v", back, err)
		}
		found := 0
		_, err = fsck.New(open(t, into, there), there, fsck.Options{Found: func(fsck.Finding) { found++ }}).Run(ctx)
		if err != nil || found != 4 {
			t.Errorf("after the restore: %d findings, %v", found, err)
		}
	})
}

// TestCutOff: of a backup that was cut off, at whatever byte, comes no registry.
func TestCutOff(t *testing.T) {
	blobs := memory.NewBlob()
	s := open(t, memory.NewKV(), blobs)
	sample(t, s)
	stream, _ := write(t, s, blobs)
	for n := 0; n <= bytes.LastIndexByte(stream, '}'); n += 1 + rand.IntN(300) { // what follows is filling
		refused(t, stream[:n], fmt.Sprintf("cut off at %d of %d", n, len(stream)))
	}
	refused(t, append(bytes.Clone(stream), "more"...), "something behind the end")
	refused(t, []byte(strings.Repeat("no backup at all ", 100)), "something else")
}

// TestAltered: no byte of a backup can change and what comes of it be taken for what was saved.
func TestAltered(t *testing.T) {
	blobs := memory.NewBlob()
	s := open(t, memory.NewKV(), blobs)
	sample(t, s)
	stream, _ := write(t, s, blobs)
	want := entries(t, s)
	caught := 0
	for range 800 {
		altered := bytes.Clone(stream)
		altered[rand.IntN(len(altered))] ^= 1 << rand.IntN(8)
		meta, blobs := memory.NewKV(), memory.NewBlob()
		_, err := backup.Restore(ctx, bytes.NewReader(altered), meta, blobs, backup.Options{})
		if err != nil {
			caught++
			if !errors.Is(err, backup.ErrNotBackup) && !errors.Is(err, store.ErrFormat) {
				t.Errorf("%v", err)
			}
			continue
		}
		// It was the filling between members.
		restored := open(t, meta, blobs)
		if !maps.Equal(entries(t, restored), want) {
			t.Fatal("something else was restored")
		}
		sound(t, restored, blobs)
	}
	if caught < 400 {
		t.Errorf("%d of 800 were caught", caught)
	}
	// Members that are missing, twice, or in another order.
	for name, edit := range map[string]func([]member) []member{
		"without a tarball": func(m []member) []member { return without(m, "blobs/") },
		"without metadata":  func(m []member) []member { return without(m, "metadata/") },
		"twice":             func(m []member) []member { return append(m[:2:2], m[1:]...) },
		"without the end":   func(m []member) []member { return m[:len(m)-1] },
		"with more":         func(m []member) []member { return append(m, m[0]) },
		"a tarball's swap": func(m []member) []member {
			m[2].content, m[3].content = m[3].content, m[2].content
			return m
		},
	} {
		refused(t, join(t, edit(split(t, stream))), name)
	}
}

func refused(t *testing.T, stream []byte, what string) {
	t.Helper()
	meta, blobs := memory.NewKV(), memory.NewBlob()
	_, err := backup.Restore(ctx, bytes.NewReader(stream), meta, blobs, backup.Options{})
	if !errors.Is(err, backup.ErrNotBackup) {
		t.Errorf("%s: %v", what, err)
	}
	for range meta.Scan(ctx, nil, nil) {
		if _, err := store.Open(ctx, meta, blobs, store.Options{}); !errors.Is(err, store.ErrFormat) || !strings.Contains(err.Error(), "restore") {
			t.Errorf("%s: a registry opens on it: %v", what, err)
		}
		break
	}
}

type member struct {
	name    string
	content []byte
}

func split(t *testing.T, stream []byte) (all []member) {
	t.Helper()
	for r := tar.NewReader(bytes.NewReader(stream)); ; {
		h, err := r.Next()
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, member{h.Name, content})
	}
}

func join(t *testing.T, all []member) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, m := range all {
		err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: m.name, Size: int64(len(m.content)), Mode: 0o600})
		_, err2 := w.Write(m.content)
		if err := errors.Join(err, err2); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// without leaves out the first member whose name begins so.
func without(all []member, prefix string) []member {
	for i, m := range all {
		if strings.HasPrefix(m.name, prefix) {
			return append(all[:i:i], all[i+1:]...)
		}
	}
	return all
}

// TestEngineFails: an error of an engine, or the end of the context, is an error of the backup and never a part of it.
func TestEngineFails(t *testing.T) {
	blobs := memory.NewBlob()
	s := open(t, memory.NewKV(), blobs)
	sample(t, s)
	broken := errors.New("broken pipe")
	if _, err := backup.Write(ctx, failing{broken}, s, blobs, backup.Options{}); !errors.Is(err, broken) {
		t.Error(err)
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := backup.Write(cancelled, io.Discard, s, blobs, backup.Options{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	stream, _ := write(t, s, blobs)
	if _, err := backup.Restore(cancelled, bytes.NewReader(stream), memory.NewKV(), memory.NewBlob(), backup.Options{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }
