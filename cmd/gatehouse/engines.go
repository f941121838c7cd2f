package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"gatehouse/config"
	"gatehouse/store/leveldb"
)

// errInUse: another process has the data open.
var errInUse = errors.New("another gatehouse is running on the data")

// openMetadata opens the engine of the metadata, which it begins where there is none.
func openMetadata(cfg *config.Config) (*leveldb.Store, error) {
	meta, err := leveldb.Open(cfg.Metadata.LevelDB.Path)
	if errors.Is(err, leveldb.ErrLocked) {
		return nil, fmt.Errorf("%w in %s: stop it first, or give this one other folders (metadata.leveldb.path, storage.local.path)", errInUse, cfg.Metadata.LevelDB.Path)
	}
	return meta, err
}

// openStorage opens an engine of the tarballs for a command.
func openStorage(ctx context.Context, cfg *config.Config, which config.StorageType) (*storage, error) {
	blobs := newStorage(cfg, which, slog.New(slog.DiscardHandler)) // it only speaks of serving
	if err := blobs.reach(ctx); err != nil {
		return nil, err
	}
	return blobs, blobs.open()
}

// dataFolders are the folders of the data that the settings name, by their keys.
func dataFolders(cfg *config.Config) map[string]string {
	p := map[string]string{"metadata.leveldb.path": cfg.Metadata.LevelDB.Path}
	if cfg.Storage.Type == config.StorageLocal {
		p["storage.local.path"] = cfg.Storage.Local.Path
	}
	return p
}
