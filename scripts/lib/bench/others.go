package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"gatehouse/store/packument/packumenttest"
)

// writes measures publishes, and the first read after one.
func (b *bench) writes(t *table, wanted *regexp.Regexp, rounds int, _ float64) error {
	g, err := b.gatehouse(b.data("writes"))
	if err != nil {
		return err
	}
	defer func() { g.stop() }()
	w, err := dial(g.address)
	if err != nil {
		return err
	}
	defer w.Close()
	const few, many = 10, 1600
	for name, n := range map[string]int{"@acme/few": few, "@acme/many": many} {
		if err := publishAll(g.address, b.token, n, func(i int) packumenttest.Package { return version(name, numbered(i), uint64(i)) }); err != nil {
			return err
		}
	}
	read := func(accept string) request { return get(g.address, "/@acme%2fmany", b.token, accept) }
	forms := []string{"Accept: application/json", shortType}
	for _, form := range forms {
		if _, err := w.do(read(form), nil); err != nil {
			return err
		}
	}

	took, used := map[string][]time.Duration{}, map[string]time.Duration{}
	first := map[string][]time.Duration{}
	n := 6 * rounds
	for i := range n {
		names := []string{"@acme/few", "@acme/many"}
		if i%2 == 1 {
			slices.Reverse(names)
		}
		for _, name := range names {
			p := version(name, fmt.Sprintf("9.0.%d", i), uint64(i))
			r := put(g.address, p.Path(), b.token, p.Body())
			before, began := g.cpu(), time.Now()
			if _, err := w.do(r, nil); err != nil {
				return err
			}
			took[name] = append(took[name], time.Since(began))
			spent := g.cpu().minus(before)
			used[name] += spent.user + spent.system
		}
		for _, form := range forms {
			began := time.Now()
			if _, err := w.do(read(form), nil); err != nil {
				return err
			}
			first[form] = append(first[form], time.Since(began))
		}
	}
	if wanted.MatchString("publish") {
		t.add("publish at 1600 versions / at 10", float64(median(took["@acme/many"]))/float64(median(took["@acme/few"])), 2, 1.2, false, " x",
			fmt.Sprintf("median %.1f ms against %.1f ms; CPU %.1f ms against %.1f ms", milli(median(took["@acme/many"])), milli(median(took["@acme/few"])),
				milli(used["@acme/many"]/time.Duration(n)), milli(used["@acme/few"]/time.Duration(n))))
	}
	if wanted.MatchString("first read") {
		for i, what := range []string{"full", "short"} {
			times := first[forms[i]]
			t.add("first read after a publish, 1600 versions "+what, milli(median(times)), 60, 10, false, " ms",
				fmt.Sprintf("p90 %.1f ms, worst %.1f ms", milli(quantile(times, 0.9)), milli(quantile(times, 1))))
		}
	}
	if wanted.MatchString("40 publishes") {
		return b.forty(t, g, rounds)
	}
	return nil
}

// forty publishes 40 versions at once to a package that does not exist yet, as a monorepo's release does.
func (b *bench) forty(t *table, g *gatehouse, rounds int) error {
	const n = 40
	var took []time.Duration
	for round := range rounds {
		name := fmt.Sprintf("@acme/forty%d", round)
		wires, puts := make([]*wire, n), make([]request, n)
		for i := range n {
			p := version(name, numbered(i), uint64(i))
			puts[i] = put(g.address, p.Path(), b.token, p.Body())
			var err error
			if wires[i], err = dial(g.address); err != nil {
				return err
			}
			defer wires[i].Close()
		}
		began := time.Now()
		if err := all(n, func(i int) error { _, err := wires[i].do(puts[i], nil); return err }); err != nil {
			return err
		}
		took = append(took, time.Since(began))
		_, body, err := fetch(get(g.address, strings.Replace("/"+name, "/@acme/", "/@acme%2f", 1), b.token))
		if err != nil {
			return err
		}
		if found, err := versions(body); err != nil || found != n {
			return fmt.Errorf("%d versions of %d: %w", found, n, err)
		}
	}
	t.add("40 publishes at once to a new package", median(took).Seconds(), 1, 0.2, false, " s", fmt.Sprintf("worst of %d: %.2f s; none refused, none lost", rounds, quantile(took, 1).Seconds()))
	return nil
}

func versions(body []byte) (int, error) {
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	var d struct{ Versions map[string]json.RawMessage }
	err = json.NewDecoder(z).Decode(&d)
	return len(d.Versions), err
}

// memory is measured on processes that have done nothing else.
func (b *bench) memory(t *table, _ *regexp.Regexp, _ int, _ float64) error {
	data := b.data("memory")
	g, err := b.gatehouse(data)
	if err != nil {
		return err
	}
	defer func() { g.stop() }()
	time.Sleep(time.Second)
	idle, _ := g.memory()
	t.add("memory, idle", idle, 40, 25, false, " MiB", "")

	if err := publishAll(g.address, b.token, 1600, func(i int) packumenttest.Package { return version("@acme/huge", numbered(i), uint64(i)) }); err != nil {
		return err
	}
	g.stop()
	if g, err = b.gatehouse(data); err != nil {
		return err
	}
	// The first reads build the documents: that is a part of it.
	for _, form := range []string{"Accept: application/json", shortType} {
		if _, err := load(get(g.address, "/@acme%2fhuge", b.token, form), 64, 64*10); err != nil {
			return err
		}
	}
	now, peak := g.memory()
	t.add("memory, 64 clients on the huge packument", peak, 250, 100, false, " MiB", fmt.Sprintf("the most at any time; %.0f MiB afterwards", now))
	g.stop()

	if g, err = b.gatehouse(b.data("memory-publish")); err != nil {
		return err
	}
	time.Sleep(time.Second)
	before, _ := g.memory()
	g.forgetPeak()
	var bodies [4]request
	for i := range bodies {
		p := sized(fmt.Sprintf("@acme/big%d", i), "1.0.0", 50<<20)
		bodies[i] = put(g.address, p.Path(), b.token, p.Body())
	}
	if err := all(len(bodies), func(i int) error { _, _, err := fetch(bodies[i]); return err }); err != nil {
		return err
	}
	_, peak = g.memory()
	t.add("memory, 4 clients publishing 50 MB, above idle", peak-before, 64, 32, false, " MiB", "the most at any time")
	return nil
}

// coldStart measures from the start of the process to the first 200 of a packument.
func (b *bench) coldStart(t *table, _ *regexp.Regexp, rounds int, _ float64) error {
	const packages = 10000
	data := b.data("cold")
	g, err := b.gatehouse(data)
	if err != nil {
		return err
	}
	var done atomic.Int64
	if err := publishAll(g.address, b.token, packages, func(i int) packumenttest.Package {
		done.Add(1)
		return small(fmt.Sprintf("@acme/p%d", i), "1.0.0")
	}); err != nil {
		g.stop()
		return err
	}
	var took []time.Duration
	for range rounds {
		g.stop()
		if g, err = b.gatehouse(data); err != nil {
			return err
		}
		if _, _, err := fetch(get(g.address, "/@acme%2fp77", b.token)); err != nil {
			g.stop()
			return err
		}
		took = append(took, time.Since(g.began))
	}
	g.stop()
	t.add("cold start with 10,000 packages", milli(median(took)), 200, 30, false, " ms", fmt.Sprintf("worst %.0f ms; to the first 200 of a packument, GitHub asked twice", milli(quantile(took, 1))))
	return nil
}
