package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// runProgram runs a command line inside the test and returns what it printed.
func runProgram(ctx context.Context, stdin io.Reader, args ...string) (status int, stdout, stderr string) {
	var out, err bytes.Buffer
	p := &program{stdin: stdin, stdout: &out, stderr: &err, getenv: func(string) (string, bool) { return "", false }, now: time.Now}
	status = p.run(ctx, args)
	return status, out.String(), err.String()
}

// TestInterruptEndsAScan: a scan that waits for its input ends with 130 soon
// after it is cancelled, and leaves no case.
func TestInterruptEndsAScan(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	waiting, never := io.Pipe()
	defer never.Close()
	go func() {
		_, _ = io.WriteString(never, "a,b\n1,2\n")
		cancel()
	}()
	dir := filepath.Join(t.TempDir(), "case")
	status, stdout, stderr := runProgram(ctx, waiting, "scan", "-", "--key", "a", "--case", dir)
	if status != exitInterrupted || stdout != "" || !strings.Contains(stderr, "twinrow: interrupted") {
		t.Errorf("status %d, stdout %q, stderr %q", status, stdout, stderr)
	}
	if left, _ := os.ReadDir(filepath.Dir(dir)); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestInterruptEndsAQuestion: who interrupts a question need not answer it.
func TestInterruptEndsAQuestion(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	silent, never := io.Pipe()
	defer never.Close()
	time.AfterFunc(10*time.Millisecond, cancel)
	if answer, err := readLine(ctx, silent); !errors.Is(err, context.Canceled) || answer != "" {
		t.Errorf("got %q and %v", answer, err)
	}
	if answer, err := readLine(t.Context(), strings.NewReader("yes\nno\n")); err != nil || answer != "yes\n" {
		t.Errorf("got %q and %v", answer, err)
	}
}

// TestInterruptedBeforeItBegan keeps JSON errors one document.
func TestInterruptedBeforeItBegan(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	status, stdout, stderr := runProgram(ctx, strings.NewReader(""), "scan", "demo/tickets.csv", "--key", "id", "--format", "json", "--case", filepath.Join(t.TempDir(), "case"))
	if status != exitInterrupted || !strings.HasPrefix(stdout, `{"error":{"code":"interrupted"`) || stderr != "" {
		t.Errorf("status %d, stdout %q, stderr %q", status, stdout, stderr)
	}
}

// TestEveryHelpHasItsSections walks all verbs.
func TestEveryHelpHasItsSections(t *testing.T) {
	p := &program{}
	for _, verb := range p.app().Commands {
		lines := [][]string{{verb.Name}}
		for _, sub := range verb.Subcommands {
			lines = append(lines, []string{verb.Name, sub.Name})
		}
		for _, line := range lines {
			status, stdout, stderr := runProgram(t.Context(), strings.NewReader(""), append(line, "--help")...)
			for _, section := range []string{"EXIT STATUS", "EXAMPLE\n   twinrow " + strings.Join(line, " "), "USAGE\n   twinrow " + strings.Join(line, " ")} {
				if !strings.Contains(stdout, section) {
					t.Errorf("%v --help has no %q", line, section)
				}
			}
			if status != 0 || stderr != "" {
				t.Errorf("%v --help: status %d, stderr %q", line, status, stderr)
			}
		}
	}
}
