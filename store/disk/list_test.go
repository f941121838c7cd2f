package disk

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestListPassesOver: what lies in the directory and is no object, whoever has put it there.
func TestListPassesOver(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir)
	put(t, s, "@acme/ui/one", "1")
	for _, name := range []string{"%tmp/upload", "%spool/publish", "a file.txt", "@acme/ui/caf\xc3\xa9", "@acme/.DS_Store~", "empty folder/x"} {
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("one", filepath.Join(dir, "@acme", "ui", "link")); err != nil {
		t.Fatal(err)
	}
	var got []string
	for info, err := range s.List(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, info.Key)
	}
	if !slices.Equal(got, []string{"@acme/ui/one"}) {
		t.Errorf("listed %q", got)
	}
}
