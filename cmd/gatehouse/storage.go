package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gatehouse/config"
	"gatehouse/store/blob"
	"gatehouse/store/disk"
	"gatehouse/store/s3"
)

// storage is the engine that keeps the tarballs, with what differs between engines.
type storage struct {
	blob.Store // once it is open
	// reach finds out what can be found wrong while nothing is made on this machine. open comes after it.
	reach func(context.Context) error
	open  func() error
	ready func(context.Context) error
	// tidy removes what the engine itself has left and nobody sees, and returns how many of it.
	tidy  func(context.Context) (int, error)
	close func() error
	spool string // the folder for publishes on their way in
	// redirect is for how long the addresses are valid that callers are sent to; 0: none are.
	redirect time.Duration
}

// newStorage returns an engine with its settings, the one in use or another, not open yet.
func newStorage(cfg *config.Config, which config.StorageType, log *slog.Logger) *storage {
	switch which {
	case config.StorageS3:
		return bucket(cfg, log)
	default:
		return folder(cfg.Storage.Local.Path)
	}
}

func folder(path string) *storage {
	// No tarball can be called that.
	s := &storage{spool: filepath.Join(path, "%spool"), tidy: func(context.Context) (int, error) { return 0, nil }}
	s.reach = func(context.Context) error {
		if err := usable(path); err != nil {
			return fmt.Errorf("storage.local.path: %w", err)
		}
		return nil
	}
	s.open = func() error {
		d, err := disk.Open(path)
		if errors.Is(err, disk.ErrLocked) {
			return fmt.Errorf("%w, with the tarballs in %s: stop it first, or give this one another folder (storage.local.path)", errInUse, path)
		}
		if err != nil {
			return err
		}
		s.Store, s.ready, s.close = d, d.Ready, d.Close
		return nil
	}
	return s
}

// uploadAge is how old an upload in parts is that nobody works on any more.
const uploadAge = 24 * time.Hour

func bucket(cfg *config.Config, log *slog.Logger) *storage {
	nothing := func() error { return nil }
	// Beside the metadata: a system's folder for temporary files is often in memory, and in a container there may be none.
	s := &storage{spool: filepath.Join(cfg.Metadata.LevelDB.Path, "spool"), open: nothing, close: nothing}
	s.reach = func(ctx context.Context) error {
		c := cfg.Storage.S3
		b, err := s3.Open(ctx, s3.Options{
			AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey.Reveal(), Region: c.Region, Bucket: c.Bucket, Prefix: c.Prefix,
			Endpoint: c.Endpoint, PathStyle: c.PathStyle,
		})
		if err != nil {
			return fmt.Errorf("the bucket for tarballs cannot be used (storage.s3): %w", err)
		}
		s.Store, s.ready = b, b.Ready
		s.tidy = func(ctx context.Context) (int, error) { return b.AbortUnfinished(ctx, time.Now().Add(-uploadAge)) }
		if !c.Redirect {
			return nil
		}
		if own := publicURL(cfg); own != nil && sameHost(own, b.LinkHost()) {
			log.Warn("tarballs are served from here and not redirected, against storage.s3.redirect: the bucket has the registry's own host name (server.url), and clients would send their tokens there", "host", b.LinkHost())
			return nil
		}
		s.redirect = c.Expires
		return nil
	}
	return s
}

func sameHost(u *url.URL, host string) bool {
	return strings.EqualFold(strings.TrimSuffix(u.Hostname(), "."), strings.TrimSuffix(host, "."))
}

// where says in words where the tarballs are.
func where(cfg *config.Config) string {
	if cfg.Storage.Type == config.StorageS3 {
		return "the bucket " + cfg.Storage.S3.Bucket
	}
	return absolute(cfg.Storage.Local.Path)
}

// emptySpool makes the folder for publishes on their way in, without what a process that was killed has left there.
func emptySpool(path string) error {
	if err := os.RemoveAll(path); err != nil {
		return err
	}
	return os.MkdirAll(path, 0o700)
}
