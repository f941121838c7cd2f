package packument

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

// Two tarballs are inflated at a time, however many have arrived; who gives up in the meantime leaves nothing behind.
func TestReadPublishTakesTurns(t *testing.T) {
	lim := DefaultLimits
	turn := Turns(2)
	lim.Turn = turn
	var held []func()
	for range 2 {
		done, err := turn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, done)
	}
	body, dir := npmBody(t).String(), t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := ReadPublish(ctx, strings.NewReader(body), ui, lim, dir); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("without a turn: %v", err)
	}
	var invalid *Invalid
	if _, err := ReadPublish(t.Context(), strings.NewReader(`{"name":"@acme/ui"}`), ui, lim, dir); !errors.Is(err, ErrNoAttachment) {
		t.Errorf("a document waited: %v", err)
	}
	if _, err := ReadPublish(t.Context(), strings.NewReader(strings.Replace(body, `"latest"`, `"1"`, 1)), ui, lim, dir); !errors.As(err, &invalid) {
		t.Errorf("a bad manifest waited: %v", err)
	}
	finished := make(chan error)
	for range 8 {
		go func() {
			u, err := ReadPublish(t.Context(), strings.NewReader(body), ui, lim, dir)
			if err == nil {
				err = u.Close()
			}
			finished <- err
		}()
	}
	held[0]()
	held[0]() // once is enough
	for range 8 {
		if err := <-finished; err != nil {
			t.Error(err)
		}
	}
	held[1]()
	for what, tgz := range map[string][]byte{"damaged": {1, 2, 3}, "bad": pack(t, `[]`)} { // a turn ends with an error, too
		for range 3 {
			if _, err := ReadPublish(t.Context(), strings.NewReader(bodyFor(tgz).String()), ui, lim, dir); err == nil {
				t.Errorf("a %s tarball was taken", what)
			}
		}
	}
	u, err := ReadPublish(t.Context(), strings.NewReader(body), ui, lim, dir)
	if err != nil {
		t.Fatal(err)
	}
	u.Close()
	refused := errors.New("too many")
	lim.Turn = func(context.Context) (func(), error) { return nil, refused }
	if _, err := ReadPublish(t.Context(), strings.NewReader(body), ui, lim, dir); !errors.Is(err, refused) {
		t.Errorf("refused a turn: %v", err)
	}
}

// noise makes a tarball of n incompressible bytes beside the package.json.
func noise(t testing.TB, n int) []byte {
	p := make([]byte, n)
	random := rand.NewChaCha8([32]byte{1})
	random.Read(p)
	return pack(t, uiJSON, file{name: "package/noise", body: string(p)})
}

func TestReadPublishSpills(t *testing.T) {
	tgz := noise(t, spoolMemory*3)
	dir := t.TempDir()
	u, err := ReadPublish(t.Context(), strings.NewReader(bodyFor(tgz).String()), ui, DefaultLimits, dir)
	if err != nil {
		t.Fatal(err)
	}
	nothingIn(t, dir) // the file has no name
	f, ok := u.Tarball().(*os.File)
	if !ok {
		t.Fatalf("the tarball is a %T", u.Tarball())
	}
	for range 2 {
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(f); err != nil || !bytes.Equal(got, tgz) {
			t.Fatalf("the tarball reads as %d bytes, %v", len(got), err)
		}
	}
	if u.FileCount != 2 || u.UnpackedSize != int64(spoolMemory*3+len(uiJSON)) {
		t.Errorf("%d files of %d bytes", u.FileCount, u.UnpackedSize)
	}
	for range 2 {
		if err := u.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := f.Stat(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("after Close the file says %v", err)
	}
}

// Whatever goes wrong behind a large tarball, its file is closed.
func TestReadPublishLeavesNoFileOpen(t *testing.T) {
	open := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip("needs /proc")
		}
		return len(entries)
	}
	b := bodyFor(noise(t, spoolMemory*2))
	before := open()
	text := b.String()
	lim := DefaultLimits
	lim.Unpacked = 1 << 20
	for name, try := range map[string]func() error{
		"cut": func() error {
			_, err := ReadPublish(t.Context(), strings.NewReader(text[:len(text)-1]), ui, DefaultLimits, "")
			return err
		},
		"another package": func() error {
			_, err := ReadPublish(t.Context(), strings.NewReader(text), Name{Base: "x"}, DefaultLimits, "")
			return err
		},
		"unpacks to too much": func() error {
			_, err := ReadPublish(t.Context(), strings.NewReader(text), ui, lim, "")
			return err
		},
	} {
		if try() == nil {
			t.Errorf("%s: no error", name)
		}
		if after := open(); after != before {
			t.Errorf("%s: %d files are open, before %d", name, after, before)
		}
	}
}

func TestReadPublishOfABrokenConnection(t *testing.T) {
	text := npmBody(t).String()
	broken := errors.New("connection reset")
	for _, cause := range []error{broken, io.ErrUnexpectedEOF} {
		_, err := ReadPublish(t.Context(), io.MultiReader(strings.NewReader(text[:len(text)/2]), iotest.ErrReader(cause)), ui, DefaultLimits, "")
		var invalid *Invalid
		if !errors.Is(err, ErrBody) || !errors.Is(err, cause) || errors.As(err, &invalid) {
			t.Errorf("the body broke with %v: %v", cause, err)
		}
	}
	_, err := ReadPublish(t.Context(), stuck{}, ui, DefaultLimits, "")
	if !errors.Is(err, ErrBody) || !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("a reader that gives nothing: %v", err)
	}
}

type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, nil }

func TestReadPublishCancelled(t *testing.T) {
	text := npmBody(t).String()
	for at := 0; at < len(text); at += 97 {
		ctx, cancel := context.WithCancel(t.Context())
		r := io.MultiReader(strings.NewReader(text[:at]), readerFunc(func([]byte) (int, error) {
			cancel()
			return 0, errors.New("closed") // as net/http closes the body
		}))
		if _, err := ReadPublish(ctx, r, ui, DefaultLimits, ""); !errors.Is(err, context.Canceled) || errors.Is(err, ErrBody) {
			t.Fatalf("cancelled after %d bytes: %v", at, err)
		}
	}
	// Cancelled with the whole body read, before the tarball is looked at.
	ctx, cancel := context.WithCancel(t.Context())
	r := io.MultiReader(strings.NewReader(text), readerFunc(func([]byte) (int, error) { cancel(); return 0, io.EOF }))
	if _, err := ReadPublish(ctx, r, ui, DefaultLimits, ""); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled before inspection: %v", err)
	}
}

func TestReadPublishWithoutRoom(t *testing.T) {
	_, err := ReadPublish(t.Context(), strings.NewReader(bodyFor(noise(t, spoolMemory*2)).String()), ui, DefaultLimits, "/nonexistent/dir")
	var invalid *Invalid
	if !errors.Is(err, os.ErrNotExist) || errors.As(err, &invalid) || errors.Is(err, ErrBody) {
		t.Errorf("no place for the spool: %v", err)
	}
}
