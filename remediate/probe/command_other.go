//go:build !unix

package probe

import (
	"context"
	"os/exec"
)

// shell makes a command for the shell that is there.
func shell(ctx context.Context, text string) *exec.Cmd {
	return exec.CommandContext(ctx, "sh", "-c", text)
}
