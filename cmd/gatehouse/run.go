package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"gatehouse/server"
)

const (
	sweepEvery = 10 * time.Minute
	// drain is how long running requests may take to finish. Orchestrators kill after 30 s as a rule.
	drain = 25 * time.Second
)

// sweep removes what was left behind, and returns how many of it.
type sweep struct {
	what string
	run  func(context.Context) (int, error)
}

// runServer answers requests and sweeps until ctx ends, then lets running requests finish.
func runServer(ctx context.Context, log *slog.Logger, r *registry, h http.Handler, sweeps []sweep, started func()) error {
	s := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       60 * time.Second,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		if err := server.Serve(s, r.listener); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	g.Go(func() error {
		<-ctx.Done()
		log.Info("stopping: running requests are being finished")
		late, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
		defer cancel()
		if err := s.Shutdown(late); err != nil {
			log.Warn("some requests did not finish in time and were cut off")
			return s.Close()
		}
		return nil
	})
	g.Go(func() error {
		every := time.NewTicker(sweepEvery)
		defer every.Stop()
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-every.C:
				for _, sweep := range sweeps {
					if n, err := sweep.run(ctx); err != nil && ctx.Err() == nil {
						log.Error("sweeping failed; it will be tried again", "what", sweep.what, "error", err)
					} else if n > 0 {
						log.Info("swept", "what", sweep.what, "removed", n)
					}
				}
			}
		}
	})
	g.Go(func() error { return r.metrics.serve(ctx, log) })
	if r.desk != nil {
		g.Go(func() error {
			if err := r.desk.Serve(ctx); err != nil {
				log.Error("commands of the operator cannot reach this registry any more", "error", err)
			}
			return nil
		})
	}
	log.Info("listening", "address", r.listener.Addr().String())
	started()
	return g.Wait()
}
