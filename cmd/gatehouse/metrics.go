package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"gatehouse/config"
	"gatehouse/githubauth"
	"gatehouse/server"
)

// metrics count, and may have an address of their own.
type metrics struct {
	*server.Metrics              // nil: nobody can read any
	listener        net.Listener // nil: none of their own
}

// newMetrics makes what the settings ask for. Its listener is the caller's to close.
func newMetrics(cfg *config.Config) (metrics, error) {
	if cfg.Metrics.Listen == "" && cfg.Metrics.Token.IsZero() {
		return metrics{}, nil
	}
	m := metrics{Metrics: server.NewMetrics(version)}
	if cfg.Metrics.Listen == "" {
		return m, nil
	}
	l, err := net.Listen("tcp", cfg.Metrics.Listen)
	if err != nil {
		return metrics{}, fmt.Errorf("metrics.listen: cannot listen on %s: %w", cfg.Metrics.Listen, errors.Unwrap(err))
	}
	m.listener = l
	return m, nil
}

func (m metrics) close() {
	if m.listener != nil {
		_ = m.listener.Close()
	}
}

// observe is githubauth.Options.Observe.
func (m metrics) observe() func(githubauth.Call) {
	if m.Metrics == nil {
		return nil
	}
	return func(c githubauth.Call) { m.GitHubCall(c.Endpoint, string(c.Outcome), c.Took, c.Remaining) }
}

// ask makes the metrics tell how the client uses its cache.
func (m metrics) ask(c *githubauth.Client) {
	if m.Metrics == nil {
		return
	}
	m.GitHubCache(func() server.CacheStats {
		s := c.Stats()
		return server.CacheStats{Hits: s.Hits, Misses: s.Misses, Stale: s.Stale, Entries: s.Entries}
	})
}

// serve answers at their own address, if there is one, until ctx ends.
func (m metrics) serve(ctx context.Context, log *slog.Logger) error {
	if m.listener == nil {
		return nil
	}
	s := &http.Server{
		Handler: m.Handler(), ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	stop := context.AfterFunc(ctx, func() { _ = s.Close() })
	defer stop()
	log.Info("metrics", "address", m.listener.Addr().String(), "path", server.MetricsPath)
	if err := s.Serve(m.listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("metrics.listen: %w", err)
	}
	return nil
}
