//go:build unix

package probe

import (
	"context"
	"os/exec"
	"syscall"
)

// shell makes a command of its own group, so that its end takes along what it started.
// The arguments are $1 and so on.
func shell(ctx context.Context, text string, args ...string) *exec.Cmd {
	command := exec.CommandContext(ctx, "sh", append([]string{"-c", text, "sh"}, args...)...)
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGKILL) }
	return command
}
