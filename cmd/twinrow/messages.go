package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"twinrow/detect/key"
	"twinrow/report/progress"
)

// How twinrow talks: stdout is the product and nothing else. Messages go to
// stderr, lower case, without a full stop; progress and colour only where
// stderr (or stdout, for colour of the product) is a terminal and NO_COLOR is
// not set, and the terminal is not dumb; questions only where stdin is one too.

func (p *program) say(c *cli.Context, format string, args ...any) {
	if !c.Bool("quiet") {
		fmt.Fprintln(p.stderr, oneLine(fmt.Sprintf(format, args...)))
	}
}

// isTerminal tells whether a stream is a terminal.
func isTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// width is that of the terminal behind stdout, 100 where there is none.
func (p *program) width() int {
	if file, ok := p.stdout.(*os.File); ok {
		if columns, _, err := term.GetSize(int(file.Fd())); err == nil && columns > 0 {
			return columns
		}
	}
	return 100
}

func (p *program) colour() bool {
	forbidden, set := p.getenv("NO_COLOR")
	return isTerminal(p.stdout) && (!set || forbidden == "") && !p.dumb()
}

// dumb tells a terminal that knows no colours and writes no line over.
func (p *program) dumb() bool {
	kind, _ := p.getenv("TERM")
	return kind == "dumb"
}

// confirm asks before the world is changed. --yes answers; without a terminal
// to ask on it refuses.
func (p *program) confirm(c *cli.Context, question string) error {
	if c.Bool("yes") {
		return nil
	}
	if !isTerminal(p.stdin) || !isTerminal(p.stderr) {
		return &key.Problem{Code: key.CodeRefused, Message: question + " There is no terminal to ask on", Hint: "add --yes to go ahead without being asked"}
	}
	fmt.Fprintf(p.stderr, "%s [y/N] ", question)
	answer, err := readLine(c.Context, p.stdin)
	if err != nil {
		fmt.Fprintln(p.stderr)
		return err
	}
	if a := strings.ToLower(strings.TrimSpace(answer)); a == "y" || a == "yes" {
		return nil
	}
	return &key.Problem{Code: key.CodeRefused, Message: "not confirmed; nothing was done", Hint: "answer y, or add --yes"}
}

// readLine waits for a line, or for the end of ctx, which is its error then:
// nobody who interrupts a question should have to answer it.
func readLine(ctx context.Context, from io.Reader) (string, error) {
	line := make(chan string, 1)
	go func() {
		text, _ := bufio.NewReader(from).ReadString('\n')
		line <- text
	}()
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case text := <-line:
		return text, ctx.Err()
	}
}

func yesFlag() cli.Flag {
	return boolFlag("yes", "do not ask before changing anything")
}

// progress is a line on a terminal that is written over, or silence.
func (p *program) progress(c *cli.Context) *progress.Line {
	return progress.New(p.stderr, !c.Bool("quiet") && isTerminal(p.stderr) && !p.dumb())
}
