//go:build !unix

package probe

import (
	"context"
	"os/exec"
)

// shell makes a command for the shell that is there; the arguments are $1 and so on.
func shell(ctx context.Context, text string, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, "sh", append([]string{"-c", text, "sh"}, args...)...)
}
