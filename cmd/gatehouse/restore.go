package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"github.com/spf13/cobra"

	"gatehouse/config"
	"gatehouse/server/operator"
	"gatehouse/store/backup"
)

func newRestore() *cobra.Command {
	c := &cobra.Command{
		Use:   "restore FILE",
		Short: "Make a registry of a backup, where there is none",
		Long: `Make a registry of what "gatehouse backup" has saved, in the folders that the configuration names; "-" reads from standard input. There must be
nothing in them: a restore replaces nothing. To go back to a backup, stop the registry and put its folders aside first.

Everything is compared while it is read. A backup that was cut off or altered is refused, and nothing starts on what a restore that failed
has left: remove the folders, and restore again.

Exit code: 0 restored; 2 restored, but for tarballs that were damaged when they were saved; 1 not restored.`,
		Example: `  gatehouse restore /backup/gatehouse.tar
  zstdcat gatehouse.tar.zst | gatehouse restore -`,
		Args: oneFile,
	}
	return operatorCommand(c, func(cmd *cobra.Command, args []string, cfg *config.Config) error {
		in := cmd.InOrStdin()
		if args[0] != "-" {
			f, err := os.Open(args[0])
			if err != nil {
				return err
			}
			defer func() { _ = f.Close() }()
			in = f
		}
		return restore(cmd, cfg, in)
	})
}

func restore(cmd *cobra.Command, cfg *config.Config, in io.Reader) (err error) {
	ctx := cmd.Context()
	if _, err := operator.Dial(ctx, cfg.Metadata.LevelDB.Path); err == nil {
		return fmt.Errorf("a registry is running on the data in %s: a restore replaces nothing", absolute(cfg.Metadata.LevelDB.Path))
	}
	for key, path := range dataFolders(cfg) {
		if err := usable(path); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	syscall.Umask(0o077)
	meta, err := openMetadata(cfg)
	if err != nil {
		return busy(err)
	}
	defer func() { err = errors.Join(err, meta.Close()) }()
	blobs, err := openStorage(ctx, cfg, cfg.Storage.Type)
	if err != nil {
		return busy(err)
	}
	defer func() { err = errors.Join(err, blobs.close()) }()
	m := newMeter(cmd.ErrOrStderr())
	sum, err := backup.Restore(ctx, bufio.NewReaderSize(in, 1<<20), meta, blobs.Store, backup.Options{Progress: showCounts(m, "restored")})
	m.clear()
	if errors.Is(err, backup.ErrNotEmpty) {
		return fmt.Errorf("%w: %s and the storage have to be empty, and a restore replaces nothing; stop the registry and put its folders aside, or name others", err, absolute(cfg.Metadata.LevelDB.Path))
	}
	if err != nil {
		return interrupted(ctx, err, "the restore was interrupted: remove the folders of the data and restore again")
	}
	return summary(cmd.ErrOrStderr(), "Restored", sum, m)
}
