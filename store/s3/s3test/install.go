package s3test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	module  = "github.com/versity/versitygw"
	version = "v1.8.0"
)

// Install returns the path of the server's binary, which it builds if it is not in .cache yet. That takes one to two
// minutes and the Go module proxy (GOPROXY); its error says what to do about it.
func Install(ctx context.Context) (string, error) {
	root, err := moduleRoot()
	if err != nil {
		return "", err
	}
	return install(ctx, filepath.Join(root, ".cache", "versitygw-"+version))
}

func install(ctx context.Context, dir string) (string, error) {
	binary := filepath.Join(dir, "versitygw")
	if _, err := os.Stat(binary); err == nil {
		return binary, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("s3test: %w", err)
	}
	unlock, err := lock(ctx, filepath.Join(dir, "lock"))
	if err != nil {
		return "", err
	}
	defer unlock()
	if _, err := os.Stat(binary); err == nil { // built while we waited
		return binary, nil
	}
	if err := build(ctx, dir); err != nil {
		return "", fmt.Errorf("s3test: the S3 server for tests, %s@%s, could not be built: it comes from the Go module proxy, so check GOPROXY and the network: %w",
			module, version, err)
	}
	return binary, nil
}

// build builds in a folder of its own and moves the result, so that a build that is killed leaves no half of a binary.
func build(ctx context.Context, dir string) error {
	tmp, err := os.MkdirTemp(dir, "build-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	ctx, cancel := context.WithTimeout(ctx, 8*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", "install", "-trimpath", "-ldflags=-s -w", module+"/cmd/versitygw@"+version)
	cmd.Dir = tmp // outside of any workspace
	cmd.Env = append(os.Environ(), "GOBIN="+tmp, "GOFLAGS=", "GOWORK=off", "CGO_ENABLED=0", "GOOS=", "GOARCH=")
	out, err := cmd.CombinedOutput()
	if err != nil {
		lines := strings.Split(string(bytes.TrimSpace(out)), "\n")
		return fmt.Errorf("%w: %s", err, lines[len(lines)-1])
	}
	return os.Rename(filepath.Join(tmp, "versitygw"), filepath.Join(dir, "versitygw"))
}

// lock lets one process build: the tests of several packages run at once.
func lock(ctx context.Context, name string) (unlock func(), err error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("s3test: %w", err)
	}
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { f.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			f.Close()
			return nil, fmt.Errorf("s3test: %w", err)
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, fmt.Errorf("s3test: waiting for another process that builds the S3 server: %w", ctx.Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// moduleRoot finds the checkout: tests run in the folder of their package.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("s3test: %w", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("s3test: not inside of a Go module")
		}
		dir = parent
	}
}
