package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"gatehouse/config"
	"gatehouse/server/operator"
	"gatehouse/store/fsck"
)

func newFsck() *cobra.Command {
	var what operator.Check
	c := &cobra.Command{
		Use:   "fsck",
		Short: "Check that everything stored is whole, and repair it",
		Long: `Check that what the registry remembers and what it stores belong together: that every package can be read, that every tag names a version,
that every tarball is there with the bytes that were published (their SHA-512), and that nothing is forgotten in the storage.

It works on a running registry, which goes on serving, and on a stopped one. Nothing is changed without --repair.

--repair does only what is safe, and records each repair as an event:
  - a version whose tarball is lost or damaged is withdrawn: clients are told 410 and why, the number stays taken, and what is
    left of the bytes stays for a week. To keep the version, put a good copy of the file in its place before you repair
  - tags of versions that are not there are removed, and "latest" is found again
  - a record that cannot be read is moved aside, not thrown away. A package whose head is lost is then bound to no
    repository, so that nobody gets at it until you bind it
  - objects that nothing names for more than a day are removed
What can be read is never removed. Where most tarballs are missing nothing is repaired: then a folder is the wrong one, or not mounted.

Exit code: 0 nothing is wrong, or everything was repaired; 2 something is left; 1 it could not be checked.`,
		Example: `  gatehouse fsck                     check everything
  gatehouse fsck --quick             do not read the tarballs: only whether they are there, and how large
  gatehouse fsck --repair            put right what can be put right
  gatehouse fsck --config /etc/gatehouse.yaml`,
		Args: cobra.NoArgs,
	}
	c.Flags().BoolVar(&what.Repair, "repair", false, "put right what can be put right")
	c.Flags().BoolVar(&what.Quick, "quick", false, "do not read the tarballs")
	c.Flags().BoolVar(&what.Force, "force", false, "repair even if most tarballs are missing, or most files are forgotten ones")
	return operatorCommand(c, func(cmd *cobra.Command, _ []string, cfg *config.Config) error {
		return atDesk(cmd.Context(), cfg, func(d desk, _ bool) error {
			out, m := cmd.OutOrStdout(), newMeter(cmd.ErrOrStderr())
			sum, err := d.Check(cmd.Context(), what, printer(out, m))
			m.clear()
			if err != nil {
				return err
			}
			checked(out, sum, m)
			return findingsLeft(sum, what.Repair)
		})
	})
}

// checked prints what a check comes to.
func checked(out io.Writer, sum fsck.Summary, m *meter) {
	_, _ = fmt.Fprintf(out, "Checked %s, %s, %s (%s read) and %s of the storage %s.\n",
		many(sum.Packages, "package"), many(sum.Versions, "version"), many(sum.Tarballs, "tarball"), bytesOf(sum.Bytes), many(sum.Objects, "object"), m.took(sum.Bytes))
	for _, more := range []struct {
		n     int
		words string
	}{
		{sum.Waiting, "will be removed when due: uploads under way, and what was withdrawn"},
		{sum.Young, "named by nothing and too new to be forgotten"},
		{sum.Kept, "kept beside records that cannot be read"},
		{sum.Aside, "(records) moved aside by repairs"},
	} {
		if more.n > 0 {
			_, _ = fmt.Fprintf(out, "  %d %s\n", more.n, more.words)
		}
	}
	if sum.Findings == 0 {
		_, _ = fmt.Fprintln(out, "Nothing is wrong.")
	} else if sum.Left() == 0 {
		_, _ = fmt.Fprintf(out, "%s, all repaired.\n", many(sum.Findings, "finding"))
	}
}

func findingsLeft(sum fsck.Summary, repaired bool) error {
	switch n := sum.Left(); {
	case n == 0:
		return nil
	case repaired:
		return &remains{fmt.Sprintf("%s, of which %d could not be repaired", many(sum.Findings, "finding"), n)}
	default:
		return &remains{fmt.Sprintf("%s; \"gatehouse fsck --help\" says what --repair does about them", many(n, "finding"))}
	}
}

func newGC() *cobra.Command {
	var what operator.Collect
	c := &cobra.Command{
		Use:   "gc",
		Short: "Remove from the storage what nothing needs any more",
		Long: `Remove the objects of the storage that no version names: what was withdrawn, uploads that were given up, and what was forgotten for more than
a day. The registry does the first two by itself every ten minutes; what is forgotten, it leaves to this command. It works on a running
registry and on a stopped one.

Exit code: 0 done; 1 not done.`,
		Example: `  gatehouse gc --dry-run             what would be removed`,
		Args:    cobra.NoArgs,
	}
	c.Flags().BoolVar(&what.Dry, "dry-run", false, "only say what would be removed")
	c.Flags().BoolVar(&what.Force, "force", false, "remove even if it is most of what is stored")
	return operatorCommand(c, func(cmd *cobra.Command, _ []string, cfg *config.Config) error {
		return atDesk(cmd.Context(), cfg, func(d desk, _ bool) error {
			out, m := cmd.OutOrStdout(), newMeter(cmd.ErrOrStderr())
			sum, err := d.Collect(cmd.Context(), what, printer(out, m))
			m.clear()
			if err != nil {
				return err
			}
			verb := "Removed"
			if what.Dry {
				verb = "Would remove"
			}
			_, _ = fmt.Fprintf(out, "%s %s (%s) and %s or given up.\n", verb, many(sum.Orphans, "forgotten object"), bytesOf(sum.Bytes), many(sum.Due, "object")+" withdrawn")
			if left := sum.Waiting + sum.Young + sum.Kept; left > 0 {
				_, _ = fmt.Fprintf(out, "Left: %d not due yet, %d too new to be forgotten, %d beside records that cannot be read.\n", sum.Waiting, sum.Young, sum.Kept)
			}
			return nil
		})
	})
}
