package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"gatehouse/config"
	"gatehouse/server/gate"
	"gatehouse/server/operator"
	"gatehouse/store"
	"gatehouse/store/backup"
	"gatehouse/store/blob"
	"gatehouse/store/fsck"
	"gatehouse/store/kv"
	"gatehouse/store/tokens"
)

// desk is where an operator's work is done: in a registry that runs (operator.Client), or here (operator.Desk).
type desk interface {
	Check(ctx context.Context, what operator.Check, tell func(operator.Message)) (fsck.Summary, error)
	Collect(ctx context.Context, what operator.Collect, tell func(operator.Message)) (fsck.Collected, error)
	Backup(ctx context.Context, w io.Writer, progress func(done, of backup.Counts)) (backup.Summary, error)
	Bind(ctx context.Context, what operator.Bind) (operator.Bound, error)
	Admit(ctx context.Context, what operator.Admit) (operator.Admitted, error)
	Why(ctx context.Context, what operator.Why) (gate.Why, error)
	Tokens(ctx context.Context, what operator.Listing) (operator.Listed, error)
	Revoke(ctx context.Context, what operator.Revocation) (operator.Listed, error)
}

// remains is the error of a command that has done its work and leaves something for the operator: exit code 2.
type remains struct{ what string }

func (r *remains) Error() string { return r.what }

// operatorCommand is a command with the flags of the configuration behind its own.
func operatorCommand(c *cobra.Command, run func(cmd *cobra.Command, args []string, cfg *config.Config) error) *cobra.Command {
	c.RunE = func(cmd *cobra.Command, args []string) error {
		cfg, err := config.Load(config.Process(cmd.Flags()))
		if err != nil {
			return err
		}
		return run(cmd, args, cfg)
	}
	takeSettings(c)
	return c
}

// takeSettings lets the command take every setting as a flag, and shows its own flags only: those are what its help is read for.
func takeSettings(c *cobra.Command) {
	all := pflag.NewFlagSet("", pflag.ContinueOnError)
	config.Flags(all)
	all.VisitAll(func(f *pflag.Flag) { f.Hidden = f.Name != "config" })
	c.Flags().SortFlags = false
	c.Flags().AddFlagSet(all)
	c.SetUsageTemplate(c.UsageTemplate() + "\nThe registry's settings are flags here too: \"gatehouse --help\" lists them.\n")
}

// atDesk finds the registry that runs on the data, or opens them, and calls work.
func atDesk(ctx context.Context, cfg *config.Config, work func(d desk, running bool) error) error {
	client, err := operator.Dial(ctx, cfg.Metadata.LevelDB.Path)
	if err == nil {
		return work(client, true)
	}
	if !errors.Is(err, operator.ErrNotRunning) {
		return err
	}
	return withData(ctx, cfg, func(meta kv.Store, packages *store.Store, blobs blob.Store) error {
		own, err := tokens.New(meta, packages, tokens.Options{})
		if err != nil {
			return err
		}
		return work(&operator.Desk{Store: packages, Blobs: blobs, Own: own, Alone: true, Version: version, Host: cfg.Auth.GitHub.Host, Roles: roles(cfg)}, false)
	})
}

// withData opens the data of a registry that does not run.
func withData(ctx context.Context, cfg *config.Config, work func(kv.Store, *store.Store, blob.Store) error) (err error) {
	for key, path := range dataFolders(cfg) {
		if err := existing(key, path); err != nil {
			return err
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
	packages, err := store.Open(ctx, meta, blobs.Store, store.Options{Existing: true})
	if errors.Is(err, store.ErrEmpty) {
		return fmt.Errorf("%w: is %s the right folder (metadata.leveldb.path)?", err, absolute(cfg.Metadata.LevelDB.Path))
	}
	if err != nil {
		return err
	}
	return work(meta, packages, blobs.Store)
}

var errNoRegistry = errors.New("there is no registry here")

// existing makes sure that a folder of the data is there, and ours: an operator who is somebody else, root for one, would leave files in it
// that the registry cannot write.
func existing(key, path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("%w: the folder %s does not exist (%s, or run this where the registry is run)", errNoRegistry, absolute(path), key)
	case err != nil:
		return fmt.Errorf("%s: %w", key, err)
	case !info.IsDir():
		return fmt.Errorf("%s: %s is not a folder", key, absolute(path))
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && int(stat.Uid) != os.Geteuid() {
		return fmt.Errorf("the folder %s belongs to the user with the number %d: run this as that user (sudo -u '#%d' …), or the registry could not use what is written", absolute(path), stat.Uid, stat.Uid)
	}
	return nil
}

// busy explains a lock to somebody whose command found nobody to ask.
func busy(err error) error {
	if errors.Is(err, errInUse) {
		return errors.New("the data are in use, and nobody answers at the operator's socket: a registry is starting or stopping, or another command is at work; try again")
	}
	return err
}

// printer prints what is told, findings to out and progress to the meter.
func printer(out io.Writer, m *meter) func(operator.Message) {
	return func(msg operator.Message) {
		switch {
		case msg.Finding != nil:
			m.clear()
			_, _ = fmt.Fprintln(out, findingLine(*msg.Finding))
		case msg.Fixed != "":
			m.clear()
			_, _ = fmt.Fprintln(out, "repaired: "+msg.Fixed)
		case msg.Progress != nil:
			p := *msg.Progress
			m.say(p.Bytes, func() string {
				if p.Stage == fsck.Storage {
					return fmt.Sprintf("%s: %s", p.Stage, many(p.Objects, "object"))
				}
				return fmt.Sprintf("%s: %d, with %s, %s", p.Stage, p.Packages, many(p.Tarballs, "tarball"), bytesOf(p.Bytes))
			})
		}
	}
}

func findingLine(f fsck.Finding) string {
	what := f.Package
	if f.Version != "" {
		what += "@" + f.Version
	}
	if what == "" || f.Kind == fsck.BlobOrphan {
		what = f.Blob
	}
	parts := []string{string(f.Kind)}
	if what != "" {
		parts = append(parts, what)
	}
	return strings.Join(append(parts, f.Words), ": ")
}

// absoluteFolder is the folder of a file that is to be written.
func absoluteFolder(file string) string { return filepath.Dir(absolute(file)) }
