package s3

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"gatehouse/store/blob"
	"gatehouse/store/s3/s3test"
)

// TestLargeFails: whatever ends an upload in parts, none of them stays.
func TestLargeFails(t *testing.T) {
	s, _ := openFaulty(t, s3test.New(t), 0)
	content := random(large, 1)
	broken := errors.New("the connection broke")
	for name, c := range map[string]struct {
		content string
		end     error
		want    error
	}{
		"short":        {content[:large-1], nil, blob.ErrShort},
		"long":         {content + "x", nil, blob.ErrShort},
		"very short":   {content[:partSize], nil, blob.ErrShort},
		"reader fails": {content[:partSize+1], broken, broken},
		"fails at end": {content, broken, broken},
		"cancelled":    {content[:2*partSize+1], context.Canceled, context.Canceled},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		r := io.MultiReader(strings.NewReader(c.content), readerFunc(func([]byte) (int, error) {
			switch c.end {
			case nil:
				return 0, io.EOF
			case context.Canceled:
				cancel()
				return 1, nil
			}
			return 0, c.end
		}))
		if err := s.Put(ctx, "a", large, r); !errors.Is(err, c.want) || errors.Is(err, blob.ErrUnavailable) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		cancel()
		if left := append(all(t, s), uploads(t, s)...); len(left) > 0 || len(s.buffers) > 0 {
			t.Errorf("%s: left behind: %q, %d buffers", name, left, len(s.buffers))
		}
	}
	for name, size := range map[string]int64{"short": large + 1, "long": large - 1} {
		if err := s.Put(t.Context(), "a", size, strings.NewReader(content)); !errors.Is(err, blob.ErrShort) {
			t.Errorf("%s, readable anywhere: %v", name, err)
		}
	}
	func() {
		defer func() { recover() }()
		_ = s.Put(t.Context(), "a", large, io.MultiReader(strings.NewReader(content[:partSize+1]), readerFunc(func([]byte) (int, error) { panic("!") })))
		t.Error("a panic got lost")
	}()
	if left := append(all(t, s), uploads(t, s)...); len(left) > 0 || len(s.buffers) > 0 {
		t.Errorf("after a panic: left behind: %q, %d buffers", left, len(s.buffers))
	}
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// TestFirstComes: of many writers of one key, with content of their own against the rules, one wins and stays.
func TestFirstComes(t *testing.T) {
	server := s3test.New(t)
	s := mustOpen(t, options(t, server, server.URL))
	if !s.conditional.Load() {
		t.Fatal("the server's conditions were not found out")
	}
	for name, size := range map[string]int{"whole": 1000, "parts": partSize + 1} {
		won := ""
		var wg sync.WaitGroup
		for i := range 8 {
			content := random(size, byte(i))
			wg.Go(func() {
				if err := s.Put(t.Context(), name, int64(size), stream(content)); err != nil {
					t.Errorf("%s: %v", name, err)
				}
				seen := get(t, s, name)
				if content == seen {
					won = content // at most one writes it
				}
			})
		}
		wg.Wait()
		if got := get(t, s, name); got != won {
			t.Errorf("%s: what is there is not what the winner saw", name)
		}
		if left := uploads(t, s); len(left) > 0 {
			t.Errorf("%s: left behind: %q", name, left)
		}
	}
}

// TestWithoutConditions: on a server that ignores If-None-Match, and on one that refuses it.
func TestWithoutConditions(t *testing.T) {
	server := s3test.New(t)
	ignore := func(p *s3test.Proxy, w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("If-None-Match") != "" { // the header is signed, so it cannot be taken away
			bucket, key, _ := strings.Cut(r.URL.Path[1:], "/")
			if _, err := server.Client().DeleteObject(r.Context(), &awss3.DeleteObjectInput{Bucket: &bucket, Key: &key}); err != nil {
				t.Error(err)
			}
		}
		p.Forward(w, r)
	}
	for name, do := range map[string]s3test.Action{"ignored": ignore, "refused": s3test.Refuse("If-None-Match")} {
		t.Run(name, func(t *testing.T) {
			proxy := s3test.NewProxy(t, server.URL)
			proxy.Fail(s3test.Fault{Do: do})
			s := mustOpen(t, options(t, server, proxy.URL))
			if s.conditional.Load() {
				t.Error("that the server knows no conditions was not found out")
			}
			for key, size := range map[string]int{"whole": 1000, "parts": partSize + 1} {
				put(t, s, key, random(size, 1))
				put(t, s, key, random(size, 2))
				if get(t, s, key) != random(size, 1) {
					t.Errorf("%s: the first has not stayed", key)
				}
			}
			// The server changes while the registry runs.
			s.conditional.Store(true)
			put(t, s, "new", "1")
			if name == "refused" {
				put(t, s, "new", "2")
				s.conditional.Store(true)
				put(t, s, "parts.new", random(partSize+1, 1))
			}
			if get(t, s, "new") != "1" || len(uploads(t, s)) > 0 {
				t.Errorf("%q, and left behind: %q", get(t, s, "new"), uploads(t, s))
			}
		})
	}
}

// TestCancelAnywhere: wherever in its course an upload in parts is cancelled, it leaves no parts, and the object whole or not at all.
func TestCancelAnywhere(t *testing.T) {
	server := s3test.New(t)
	s := mustOpen(t, options(t, server, server.URL))
	content := random(large, 1)
	begun := time.Now()
	put(t, s, "a", content)
	course := time.Since(begun)
	const points = 24
	stored := 0
	for i := range points {
		if err := s.Delete(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeoutCause(t.Context(), course*time.Duration(i)/points, context.Canceled)
		err := s.Put(ctx, "a", large, []io.Reader{stream(content), strings.NewReader(content)}[i%2])
		cancel()
		o, operr := s.Open(t.Context(), "a")
		if operr == nil {
			stored++
			if got, rerr := io.ReadAll(o.Body); rerr != nil || string(got) != content {
				t.Errorf("point %d: %d bytes are there, %v", i, len(got), rerr)
			}
			o.Body.Close()
		} else if err == nil {
			t.Errorf("point %d: acknowledged, but %v", i, operr)
		}
		if left := uploads(t, s); len(left) > 0 || len(s.buffers) > 0 {
			t.Errorf("point %d: left behind: %q, %d buffers (Put: %v)", i, left, len(s.buffers), err)
		}
	}
	t.Logf("%d of %d came to their end", stored, points)
}
