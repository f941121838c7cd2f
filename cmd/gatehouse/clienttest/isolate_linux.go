package clienttest

import (
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"
	"unsafe"
)

const capNetAdmin = 12 // CAP_NET_ADMIN, see capabilities(7)

// rerun starts this program again in a network namespace of its own and waits for it. Root needs only
// that. Anyone else makes a user namespace too, in which they stay who they are, so that files and the
// clients' own checks for root look as always, but may bring loopback up.
func rerun() (int, error) {
	attempts := []*syscall.SysProcAttr{unprivileged()}
	if os.Geteuid() == 0 {
		// Root in a container may lack the right to make a network and have that of making a user namespace.
		attempts = []*syscall.SysProcAttr{{Cloneflags: syscall.CLONE_NEWNET}, unprivileged()}
	}
	var err error
	for _, attr := range attempts {
		var code int
		if code, err = rerunWith(attr); err == nil {
			return code, nil
		}
	}
	return 0, err
}

func unprivileged() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: os.Getuid(), HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: os.Getgid(), HostID: os.Getgid(), Size: 1}},
		AmbientCaps: []uintptr{capNetAdmin},
	}
}

func rerunWith(attr *syscall.SysProcAttr) (int, error) {
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	// The kernel ties the death signal to the thread that starts the child.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	attr.Pdeathsig = syscall.SIGKILL

	cmd := exec.Command(self, os.Args[1:]...)
	cmd.Env = append(os.Environ(), inside+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = attr
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	// "go test" asks a stuck test where it is with SIGQUIT: the answer is the child's to give.
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGQUIT)
	defer signal.Stop(signals)
	go func() {
		for s := range signals {
			_ = cmd.Process.Signal(s)
		}
	}()

	err = cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return max(exit.ExitCode(), 1), nil // -1 is a child that fell to a signal
	}
	return 0, err
}

// raiseLoopback does what "ip link set lo up" does, on machines that lack the command too. The addresses
// 127.0.0.1 and ::1 come with it.
func raiseLoopback() error {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer syscall.Close(fd)
	request := struct {
		name  [syscall.IFNAMSIZ]byte
		flags uint16
		_     [22]byte // the kernel reads and writes a struct ifreq of 40 bytes
	}{flags: syscall.IFF_UP | syscall.IFF_RUNNING}
	copy(request.name[:], "lo")
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), syscall.SIOCSIFFLAGS, uintptr(unsafe.Pointer(&request))); errno != 0 {
		return errno
	}
	return nil
}
