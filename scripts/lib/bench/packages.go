package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"

	"gatehouse/store/packument/packumenttest"
)

// version makes a version whose manifest has the size and the redundancy of one of a large, long-lived package: about 7 KB, most of which it
// shares with the version before it.
func version(name, number string, seed uint64) packumenttest.Package {
	r := rand.New(rand.NewPCG(7, 7)) // the same for each version, but for what follows
	change := rand.New(rand.NewPCG(seed, 1))
	word := func() string {
		var b strings.Builder
		for range 2 + r.IntN(2) {
			b.WriteString([]string{"ka", "lo", "mer", "ti", "sun", "pra", "vel", "dor", "ix", "que", "bra", "nil"}[r.IntN(12)])
		}
		return b.String()
	}
	deps := func(n int) map[string]any {
		m := map[string]any{}
		for range n {
			major, minor, patch := r.IntN(9), r.IntN(30), r.IntN(20)
			if change.IntN(4) == 0 {
				minor, patch = change.IntN(30), change.IntN(20)
			}
			m["@"+word()+"/"+word()+"-"+word()] = fmt.Sprintf("^%d.%d.%d", major, minor, patch)
		}
		return m
	}
	exports := map[string]any{}
	for range 24 {
		e := word() + word()
		exports["./"+e] = map[string]any{"import": "./dist/esm/" + e + ".mjs", "require": "./dist/cjs/" + e + ".js", "types": "./dist/types/" + e + ".d.ts"}
	}
	return packumenttest.Package{
		Name: name, Version: number, Repository: "github:acme/ui",
		Manifest: map[string]any{
			"description": "A package of the size of those that everybody has heard of, for measuring", "license": "MIT", "main": "./dist/cjs/index.js",
			"exports": exports, "dependencies": deps(18), "devDependencies": deps(45), "peerDependencies": deps(3),
			"scripts":  map[string]any{"build": "tsc -p tsconfig.build.json && node scripts/bundle.mjs", "test": "vitest run --coverage", "lint": "eslint . --max-warnings 0"},
			"engines":  map[string]any{"node": ">=18"},
			"keywords": []string{"registry", "benchmark", "large", "packument"},
			"gitHead":  fmt.Sprintf("%016x%016x%08x", change.Uint64(), change.Uint64(), change.Uint32()),
		},
	}
}

// small is a version of few words.
func small(name, number string) packumenttest.Package {
	return packumenttest.Package{Name: name, Version: number, Repository: "github:acme/ui"}
}

// sized is a version whose tarball has about size bytes that do not compress.
func sized(name, number string, size int) packumenttest.Package {
	p := small(name, number)
	r := rand.NewChaCha8([32]byte{byte(size)})
	content := make([]byte, size-600)
	_, _ = r.Read(content)
	p.Files = map[string]string{"asset.bin": string(content)}
	return p
}

func numbered(i int) string { return fmt.Sprintf("%d.%d.%d", 1+i/400, i/20%20, i%20) }

// publish sends a publish and waits for the answer.
func publish(w *wire, token string, p packumenttest.Package) error {
	_, err := w.do(put(w.RemoteAddr().String(), p.Path(), token, p.Body()), &bytes.Buffer{})
	if err != nil {
		return fmt.Errorf("publishing %s@%s: %w", p.Name, p.Version, err)
	}
	return nil
}

// publishAll publishes n versions over some connections at once.
func publishAll(address, token string, n int, make func(i int) packumenttest.Package) error {
	const connections = 8
	return all(connections, func(c int) error {
		w, err := dial(address)
		if err != nil {
			return err
		}
		defer w.Close()
		for i := c; i < n; i += connections {
			if err := publish(w, token, make(i)); err != nil {
				return err
			}
		}
		return nil
	})
}
