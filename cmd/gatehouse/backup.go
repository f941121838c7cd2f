package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"gatehouse/config"
	"gatehouse/store/backup"
)

const partial = ".partial"

func newBackup() *cobra.Command {
	c := &cobra.Command{
		Use:   "backup FILE",
		Short: "Save the whole registry, metadata and tarballs, into one file",
		Long: `Save the whole registry into one file, or, with "-", to standard output. It is the registry of one moment, also while people publish: a
running registry is asked for it and goes on serving; a stopped one is read directly.

The file is a tar archive (how it is made up: "go doc gatehouse/store/backup"). Each tarball's SHA-512 is compared while it is copied. It appears under
its name when it is whole; it is not compressed (tarballs are), and not encrypted: whoever has it has every package.
The configuration is not in it.

A tarball that is lost or damaged does not end the backup. It is named, and the exit code is 2: run "gatehouse fsck".

A drill, to be done before it is needed:
  gatehouse backup /backup/gatehouse.tar
  gatehouse restore /backup/gatehouse.tar --metadata.leveldb.path /tmp/drill/db --storage.local.path /tmp/drill/storage
  gatehouse fsck --metadata.leveldb.path /tmp/drill/db --storage.local.path /tmp/drill/storage

Exit code: 0 saved; 2 saved, but for tarballs that are damaged; 1 not saved.`,
		Example: `  gatehouse backup /backup/gatehouse-$(date +%F).tar
  gatehouse backup - | zstd | ssh backup 'cat > gatehouse.tar.zst'`,
		Args: oneFile,
	}
	return operatorCommand(c, func(cmd *cobra.Command, args []string, cfg *config.Config) error {
		return atDesk(cmd.Context(), cfg, func(d desk, _ bool) error {
			m := newMeter(cmd.ErrOrStderr())
			var sum backup.Summary
			write := func(w io.Writer) (err error) {
				sum, err = d.Backup(cmd.Context(), w, showCounts(m, "saved"))
				return err
			}
			var err error
			if args[0] == "-" {
				if isTerminal(cmd.OutOrStdout()) {
					return errors.New("a backup is nothing for a terminal: send it to a file or into a pipe")
				}
				err = write(cmd.OutOrStdout())
			} else {
				err = create(args[0], write)
			}
			m.clear()
			if err != nil {
				return interrupted(cmd.Context(), err, "the backup was interrupted, and there is none")
			}
			return summary(cmd.ErrOrStderr(), "Saved", sum, m)
		})
	})
}

func oneFile(_ *cobra.Command, args []string) error {
	if len(args) != 1 {
		return errors.New("name one file, or \"-\" for a pipe")
	}
	return nil
}

// interrupted says so in place of what broke because of it.
func interrupted(ctx context.Context, err error, words string) error {
	if ctx.Err() != nil {
		return errors.New(words)
	}
	return err
}

// create writes a file that appears under its name when it is whole and durable.
func create(name string, write func(io.Writer) error) (err error) {
	if _, err := os.Lstat(name); err == nil {
		return fmt.Errorf("%s exists already, and a backup replaces nothing", name)
	}
	f, err := os.OpenFile(name+partial, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(name + partial)
		}
	}()
	if err := write(f); err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(name+partial, name); err == nil { // unlike a rename it replaces nothing
		err = os.Remove(name + partial)
		if err != nil {
			return err
		}
	} else if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s exists already, and a backup replaces nothing", name)
	} else if err := os.Rename(name+partial, name); err != nil { // a file system without links
		return err
	}
	folder, err := os.Open(absoluteFolder(name))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// showCounts is the progress of a backup or a restore.
func showCounts(m *meter, verb string) func(done, of backup.Counts) {
	return func(done, of backup.Counts) {
		m.say(done.Bytes, func() string {
			text := verb + " "
			if done.Entries > 0 { // whoever only sees bytes pass does not know of what
				text += many(done.Packages, "package") + ", "
			}
			return text + fmt.Sprintf("%s of about %s", bytesOf(done.Bytes), bytesOf(of.Bytes))
		})
	}
}

// summary prints what a backup or a restore comes to, and returns what remains.
func summary(w io.Writer, verb string, sum backup.Summary, m *meter) error {
	_, _ = fmt.Fprintf(w, "%s %s with %s (%s) and %s of metadata %s.\n", verb,
		many(sum.Counts.Packages, "package"), many(sum.Counts.Tarballs, "tarball"), bytesOf(sum.Counts.Bytes), many(sum.Counts.Entries, "record"), m.took(sum.Counts.Bytes))
	for _, d := range sum.Damaged {
		_, _ = fmt.Fprintf(w, "without the tarball of %s@%s: %s\n", d.Package, d.Version, d.Problem)
	}
	if n := len(sum.Damaged); n > 0 {
		return &remains{many(n, "tarball") + " could not be saved, since the registry had lost them or has other bytes; see \"gatehouse fsck\""}
	}
	return nil
}
