//go:build !linux

package clienttest

import "errors"

var errLinuxOnly = errors.New("only Linux has network namespaces")

func rerun() (int, error) { return 0, errLinuxOnly }

func raiseLoopback() error { return errLinuxOnly }
