package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"gatehouse/store/packument/packumenttest"
)

const shortType = "Accept: application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*"

// read is one line of the table: the same bytes asked of both servers.
type read struct {
	what         string
	ours, theirs request
	requests     int
	least, aim   float64
	size         int // bytes of the answer's body
}

func (b *bench) reads(t *table, wanted *regexp.Regexp, rounds int, scale float64) error {
	g, err := b.gatehouse(b.data("reads"))
	if err != nil {
		return err
	}
	defer func() { g.stop() }()
	n, err := b.nginx()
	if err != nil {
		return err
	}
	defer n.stop()
	for _, p := range []struct {
		name     string
		versions int
	}{{"@acme/p3", 3}, {"@acme/p100", 100}, {"@acme/p1600", 1600}} {
		err := publishAll(g.address, b.token, p.versions, func(i int) packumenttest.Package { return version(p.name, numbered(i), uint64(i)) })
		if err != nil {
			return err
		}
	}
	tarballs := []struct {
		name string
		size int
	}{{"@acme/t10k", 10 << 10}, {"@acme/t1m", 1 << 20}, {"@acme/t50m", 50 << 20}}
	if err := publishAll(g.address, b.token, len(tarballs), func(i int) packumenttest.Package {
		return sized(tarballs[i].name, "1.0.0", tarballs[i].size)
	}); err != nil {
		return err
	}

	var reads []*read
	for _, p := range []struct {
		versions   int
		requests   float64
		least, aim float64
	}{{3, 20000, 0.7, 1}, {100, 10000, 0.7, 1}, {1600, 1000, 0.5, 0.8}} {
		for _, form := range []string{"full", "short"} {
			path := fmt.Sprintf("/@acme%%2fp%d", p.versions)
			accept := "Accept: application/json"
			if form == "short" {
				accept = shortType
			}
			r := &read{what: fmt.Sprintf("packument %d versions %s", p.versions, form), requests: int(p.requests * scale), least: p.least, aim: p.aim}
			r.ours = get(g.address, path, b.token, accept)
			file := fmt.Sprintf("%s/p%d.json", form, p.versions)
			r.theirs = get(n.address, "/"+file, b.token, accept)
			if err := n.copy(r, file+".gz"); err != nil {
				return err
			}
			reads = append(reads, r)
			if form == "full" {
				continue
			}
			same := &read{what: fmt.Sprintf("304 %d versions", p.versions), requests: int(20000 * scale), least: 0.8, aim: 1}
			if same.ours, err = unchanged(r.ours); err != nil {
				return err
			}
			if same.theirs, err = unchanged(r.theirs); err != nil {
				return err
			}
			reads = append(reads, same)
		}
	}
	for _, p := range []struct {
		name       string
		requests   float64
		least, aim float64
	}{{"t10k", 20000, 0.5, 0.9}, {"t1m", 2000, 0.9, 1.5}, {"t50m", 40, 0.9, 1}} {
		r := &read{what: "tarball " + p.name[1:], requests: int(p.requests * scale), least: p.least, aim: p.aim}
		r.ours = get(g.address, "/@acme/"+p.name+"/-/"+p.name+"-1.0.0.tgz", b.token)
		r.theirs = get(n.address, "/"+p.name+".tgz", b.token)
		if err := n.copy(r, p.name+".tgz"); err != nil {
			return err
		}
		reads = append(reads, r)
	}
	for _, r := range reads {
		if wanted.MatchString(r.what) {
			if err := b.compare(t, g, n, r, rounds); err != nil {
				return err
			}
		}
	}
	if wanted.MatchString("p99") {
		return b.latency(t, g, n, reads)
	}
	return nil
}

// copy gives nginx what gatehouse answers, checks that it is what it should be, and that nginx answers the same.
func (n *nginx) copy(r *read, file string) error {
	_, body, err := fetch(r.ours)
	if err != nil {
		return err
	}
	if strings.HasSuffix(file, ".json.gz") {
		z, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			return err
		}
		plain, err := io.ReadAll(z)
		if err != nil || !json.Valid(plain) {
			return fmt.Errorf("%s is not what it should be: %w", r.what, err)
		}
		fmt.Printf("%s: %.1f KB of JSON, %.1f KB gzip\n", r.what, float64(len(plain))/1000, float64(len(body))/1000)
	}
	r.size = len(body)
	path := filepath.Join(n.root, file)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(path, body, 0o644); err != nil {
		return err
	}
	if _, theirs, err := fetch(r.theirs); err != nil || !bytes.Equal(theirs, body) {
		return fmt.Errorf("nginx does not serve the same bytes for %s: %w", r.what, err)
	}
	return nil
}

// unchanged asks again for what r has brought.
func unchanged(r request) (request, error) {
	header, _, err := fetch(r)
	if err != nil {
		return r, err
	}
	etag := field(header, "ETag")
	if etag == "" {
		return r, fmt.Errorf("no ETag:\n%s", header)
	}
	r.bytes = append(bytes.Clone(r.bytes[:len(r.bytes)-2]), "If-None-Match: "+etag+"\r\n\r\n"...)
	r.want = 304
	return r, nil
}

const connections = 16

// compare measures a read on both servers in turn. The ratio is the median of those of the rounds.
func (b *bench) compare(t *table, g *gatehouse, n *nginx, r *read, rounds int) error {
	var ratios, ourRate, theirRate []float64
	var ours, theirs cpu
	if _, err := load(r.ours, connections, 4*connections); err != nil {
		return err
	}
	for range rounds {
		before := g.cpu()
		took, err := load(r.ours, connections, r.requests)
		if err != nil {
			return fmt.Errorf("gatehouse, %s: %w", r.what, err)
		}
		ours = cpu{ours.user + g.cpu().minus(before).user, ours.system + g.cpu().minus(before).system}
		before = n.cpu()
		tookThem, err := load(r.theirs, connections, r.requests)
		if err != nil {
			return fmt.Errorf("nginx, %s: %w", r.what, err)
		}
		theirs = cpu{theirs.user + n.cpu().minus(before).user, theirs.system + n.cpu().minus(before).system}
		ratios = append(ratios, float64(tookThem)/float64(took))
		ourRate = append(ourRate, float64(r.requests)/took.Seconds())
		theirRate = append(theirRate, float64(r.requests)/tookThem.Seconds())
	}
	requests := time.Duration(rounds * r.requests)
	t.add(r.what, median(ratios), r.least, r.aim, true, " x", fmt.Sprintf("%.0f/s against %.0f/s; CPU per request %.1f+%.1f µs against %.1f+%.1f (user+system)",
		median(ourRate), median(theirRate), micro(ours.user/requests), micro(ours.system/requests), micro(theirs.user/requests), micro(theirs.system/requests)))
	least, aim := 40.0, 25.0
	if !strings.HasPrefix(r.what, "packument") {
		least, aim = 0, 0
	}
	t.add("  its CPU", micro((ours.user+ours.system)/requests), least, aim, false, " µs", fmt.Sprintf("answer of %.1f KB", float64(r.size)/1000))
	return nil
}

// latency measures a small read while others read the huge packument as fast as they can.
func (b *bench) latency(t *table, g *gatehouse, n *nginx, reads []*read) error {
	var small, huge *read
	for _, r := range reads {
		switch r.what {
		case "packument 3 versions short":
			small = r
		case "packument 1600 versions full":
			huge = r
		}
	}
	times := func(small, huge request) (time.Duration, time.Duration, error) {
		stop := make(chan struct{})
		var took []time.Duration
		err := all(connections+1, func(i int) error {
			if i == connections {
				defer close(stop)
				w, err := dial(small.address)
				if err != nil {
					return err
				}
				defer w.Close()
				time.Sleep(200 * time.Millisecond)
				for range 2000 {
					began := time.Now()
					if _, err := w.do(small, nil); err != nil {
						return err
					}
					took = append(took, time.Since(began))
					time.Sleep(time.Millisecond)
				}
				return nil
			}
			w, err := dial(huge.address)
			if err != nil {
				return err
			}
			defer w.Close()
			for {
				select {
				case <-stop:
					return nil
				default:
				}
				if _, err := w.do(huge, nil); err != nil {
					return err
				}
			}
		})
		return quantile(took, 0.99), median(took), err
	}
	ours, ourMedian, err := times(small.ours, huge.ours)
	if err != nil {
		return err
	}
	theirs, theirMedian, err := times(small.theirs, huge.theirs)
	if err != nil {
		return err
	}
	t.add("p99 of a small read beside 16 huge ones", milli(ours), 20, 5, false, " ms",
		fmt.Sprintf("median %.1f ms; nginx p99 %.1f ms, median %.1f ms", milli(ourMedian), milli(theirs), milli(theirMedian)))
	return nil
}
