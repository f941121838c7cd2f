package main

import (
	"context"
	"errors"
	"fmt"

	"gatehouse/config"
	"gatehouse/store/blob"
	"gatehouse/store/disk"
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

// storage is an engine of bytes as a process needs it.
type storage interface {
	blob.Store
	Ready(ctx context.Context) error
	Close() error
}

// openStorage opens an engine of the tarballs with its settings, the one in use or another.
func openStorage(_ context.Context, cfg *config.Config, which config.StorageType) (storage, error) {
	if which != config.StorageLocal {
		return nil, fmt.Errorf("this version has no storage of the type %s", which)
	}
	blobs, err := disk.Open(cfg.Storage.Local.Path)
	if errors.Is(err, disk.ErrLocked) {
		return nil, fmt.Errorf("%w, with the tarballs in %s: stop it first, or give this one another folder (storage.local.path)", errInUse, cfg.Storage.Local.Path)
	}
	return blobs, err
}

// dataFolders are the folders of the data that the settings name, by their keys.
func dataFolders(cfg *config.Config) map[string]string {
	p := map[string]string{"metadata.leveldb.path": cfg.Metadata.LevelDB.Path}
	if cfg.Storage.Type == config.StorageLocal {
		p["storage.local.path"] = cfg.Storage.Local.Path
	}
	return p
}
