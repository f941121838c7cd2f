package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"gatehouse/config"
	"gatehouse/server/operator"
	"gatehouse/store"
	"gatehouse/store/blob"
	"gatehouse/store/kv"
	"gatehouse/store/migrate"
)

func newMigrate() *cobra.Command {
	var to string
	var quick bool
	c := &cobra.Command{
		Use:   "storage --to TYPE",
		Short: "Copy the tarballs to another storage",
		Long: `Copy every tarball from the storage in use (storage.type) to another one, with that one's own settings (storage.local.path,
storage.s3.…). The metadata need no change.

  1. stop the registry, so that nothing is published meanwhile
  2. gatehouse migrate storage --to s3
  3. set storage.type to s3, and start the registry
  4. gatehouse fsck
  5. remove the old storage when you are content: it is only read here

It may be interrupted and begun again: what is there already is compared and passed over. Each tarball's SHA-512 is compared on the way and read back.

Exit code: 0 all are there; 2 but for those that were damaged before; 1 not all are there.`,
		Example: `  gatehouse migrate storage --to local --storage.local.path /srv/tarballs`,
		Args:    cobra.NoArgs,
	}
	c.Flags().StringVar(&to, "to", "", "the `TYPE` of the storage to copy to, as storage.type has it")
	c.Flags().BoolVar(&quick, "quick", false, "compare sizes only, and do not read back what was copied")
	c = operatorCommand(c, func(cmd *cobra.Command, _ []string, cfg *config.Config) error {
		return migrateStorage(cmd, cfg, config.StorageType(to), quick)
	})
	group := &cobra.Command{Use: "migrate", Short: "Go over to another engine"}
	group.AddCommand(c)
	return group
}

func migrateStorage(cmd *cobra.Command, cfg *config.Config, to config.StorageType, quick bool) error {
	ctx := cmd.Context()
	switch {
	case to == "":
		return errors.New("say where to with --to, such as --to local")
	case to != config.StorageLocal && to != config.StorageS3:
		return fmt.Errorf("--to is %q, and there is no such storage: it has to be local or s3", to)
	case to == cfg.Storage.Type:
		return fmt.Errorf("storage.type is %s already: set it to the storage that the tarballs are in now", to)
	}
	if _, err := operator.Dial(ctx, cfg.Metadata.LevelDB.Path); err == nil {
		return errors.New("the registry is running: stop it first, so that nothing is published to the old storage meanwhile")
	}
	return withData(ctx, cfg, func(_ kv.Store, packages *store.Store, from blob.Store) (err error) {
		into, err := openStorage(ctx, cfg, to)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, into.close()) }()
		m := newMeter(cmd.ErrOrStderr())
		sum, err := migrate.Copy(ctx, packages, from, into.Store, migrate.Options{Quick: quick, Progress: func(s migrate.Summary) {
			m.say(s.Bytes, func() string {
				return fmt.Sprintf("copied %s (%s), %d were there", many(s.Copied, "tarball"), bytesOf(s.Bytes), s.There)
			})
		}})
		m.clear()
		if err != nil {
			return interrupted(ctx, err, "interrupted; begun again, it passes over what is there")
		}
		out := cmd.OutOrStdout()
		_, _ = fmt.Fprintf(out, "Copied %s (%s) %s; %d were there.\n", many(sum.Copied, "tarball"), bytesOf(sum.Bytes), m.took(sum.Bytes), sum.There)
		for _, d := range sum.Damaged {
			_, _ = fmt.Fprintf(out, "not copied: %s@%s: %v\n", d.Package, d.Version, d.Problem)
		}
		_, _ = fmt.Fprintf(out, "\nNow set storage.type to %s, start the registry and run \"gatehouse fsck\". The old storage is as it was; remove it when you are content.\n", to)
		if n := len(sum.Damaged); n > 0 {
			return &remains{many(n, "tarball") + " were damaged before; see \"gatehouse fsck\""}
		}
		return nil
	})
}
