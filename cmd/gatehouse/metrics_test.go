package main

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"

	"gatehouse/config"
	"gatehouse/githubauth/githubtest"
	"gatehouse/server"
)

// TestMetricsServed: the program's metrics, on both addresses they can have, with what it asks of GitHub.
func TestMetricsServed(t *testing.T) {
	github := githubtest.Acme(githubtest.Seed(1)).Start()
	defer github.Close()
	const token = "a-token-of-metrics"
	r, stop := started(t, github, func(cfg *config.Config) {
		cfg.Metrics = config.Metrics{Listen: "127.0.0.1:0", Token: config.NewSecret(token)}
	})
	get := func(url, token string) (int, string) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		if token != "" {
			req.Header.Set("Authorization", "Bearer "+token)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(body)
	}
	if code, _ := get(r.local+"-/whoami", github.Rita); code != http.StatusOK {
		t.Errorf("whoami: %d", code)
	}
	own, text := get("http://"+r.metrics.listener.Addr().String()+server.MetricsPath, "")
	beside, again := get(r.local+strings.TrimPrefix(server.MetricsPath, "/"), token)
	without, _ := get(r.local+strings.TrimPrefix(server.MetricsPath, "/"), "")
	if own != http.StatusOK || beside != http.StatusOK || without != http.StatusUnauthorized {
		t.Errorf("own address %d, with the token %d, without %d", own, beside, without)
	}
	for _, want := range []string{`route="/-/whoami"`, "gatehouse_github_cache_entries"} {
		if !strings.Contains(text, want) || !strings.Contains(again, want) {
			t.Errorf("%s is missing", want)
		}
	}
	stop()
}

// started runs a registry of the demo's settings, changed, inside the test. It is stopped with the test, or by stop.
func started(t *testing.T, github *githubtest.Fixture, change func(*config.Config)) (r *registry, stop func()) {
	t.Helper()
	cfg, err := demoConfig(t.TempDir(), 0, github.GitHub)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(cfg)
	}
	ctx, cancel := context.WithCancel(context.Background())
	running, ended := make(chan *registry, 1), make(chan error, 1)
	go func() { ended <- serve(ctx, cfg, slog.New(slog.DiscardHandler), func(r *registry) { running <- r }) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	select {
	case r = <-running:
	case err := <-ended:
		cancel()
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return r, stop
}
