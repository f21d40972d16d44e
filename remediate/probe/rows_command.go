package probe

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os/exec"
	"strings"
	"time"

	"twinrow/detect/casefile"
)

// byCommand stands for the place of a count that a command prints.
const byCommand = "\x00command"

// commandTakes is how long one run of such a command may take.
const commandTakes = 30 * time.Second

// commandRows counts what no database of ours can: a queue's depth, the items
// of a store. Each query is a command for sh, with its arguments as $1 and so
// on, never within its text; what it prints is the count.
type commandRows struct{ output io.Writer }

// Query implements RowSource.
func (c commandRows) Query(ctx context.Context, text string, args []string) ([][]*string, error) {
	limited, cancel := context.WithTimeout(ctx, commandTakes)
	defer cancel()
	run := shell(limited, text, args...)
	var printed bytes.Buffer
	run.Stdout, run.Stderr, run.WaitDelay = &printed, c.output, time.Second
	err := run.Run()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	wrong := &casefile.Problem{Code: casefile.CodeBadInput, Message: "a command that counts could not be run", Hint: "try it by hand: it prints one whole number and ends with status 0"}
	_, exited := errors.AsType[*exec.ExitError](err)
	switch {
	case limited.Err() != nil:
		wrong.Message = "a command that counts took longer than " + commandTakes.String()
	case exited:
		wrong.Message = "a command that counts failed: " + err.Error()
	case err == nil || errors.Is(err, exec.ErrWaitDelay):
		count := strings.TrimSpace(printed.String())
		return [][]*string{{&count}}, nil
	}
	return nil, wrong
}

// Close implements RowSource.
func (commandRows) Close() error { return nil }

// by says what the count comes from.
func (c *rowCheck) by() string {
	if c.location == byCommand {
		return " by a command"
	}
	return " by SQL"
}
