package s3test

import (
	"os/exec"
	"syscall"
)

// dieWithParent has the system kill the server when the test process dies without a last word.
func dieWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
