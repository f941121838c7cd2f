package operator

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
)

const (
	folderName = "operator"
	socketName = "socket"

	// maxPath is what every system takes in the address of a socket.
	maxPath = 100
)

// Path is where the socket of a registry is whose metadata are in a folder.
func Path(metadata string) string { return filepath.Join(metadata, folderName, socketName) }

// listen opens the socket. The caller holds the lock on the metadata, so that a socket that is there is a dead one's.
func listen(metadata string) (*net.UnixListener, error) {
	path := Path(metadata)
	folder := filepath.Dir(path)
	if err := os.Mkdir(folder, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	// It may be older, and what is in it is as good as the data.
	if err := os.Chmod(folder, 0o700); err != nil {
		return nil, err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var l *net.UnixListener
	err := reach(path, func(address string) (err error) {
		l, err = net.ListenUnix("unix", &net.UnixAddr{Name: address, Net: "unix"})
		return err
	})
	if err != nil {
		return nil, err
	}
	l.SetUnlinkOnClose(false) // by a name that may not hold any more; see Server.close
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// reach calls use with an address of the socket that is short enough.
func reach(path string, use func(address string) error) error {
	if len(path) <= maxPath {
		return use(path)
	}
	if wd, err := os.Getwd(); err == nil {
		if rel, err := filepath.Rel(wd, path); err == nil && len(rel) <= maxPath {
			return use(rel)
		}
	}
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer func() { _ = folder.Close() }()
	open := filepath.Join("/proc/self/fd", strconv.Itoa(int(folder.Fd())))
	if _, err := os.Stat(open); err != nil {
		return fmt.Errorf("the path %s is too long for a socket: choose a shorter one for the metadata", path)
	}
	return use(filepath.Join(open, socketName))
}
