// Command twinrow finds the rows of a table that happened twice, shows why,
// removes them safely, tells the people concerned, and proves that it cannot
// happen again.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() { os.Exit(start()) }

// start wires the program to the process: the first interrupt cancels, so
// that work in hand is finished or rolled back; the second one kills.
func start() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	p := &program{
		stdin:  os.Stdin,
		stdout: os.Stdout,
		stderr: os.Stderr,
		getenv: os.LookupEnv,
		now:    time.Now,
	}
	return p.run(ctx, os.Args[1:])
}
