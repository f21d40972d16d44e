package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"twinrow/detect/key"
)

// Exit statuses, as the contract has them.
const (
	exitDone         = 0
	exitCheckFailed  = 1
	exitCould        = 2 // could not
	exitRefused      = 3
	exitStopped      = 4
	exitInconclusive = 5
	exitInterrupted  = 130
)

// failedCheck is how a verb says that it did its work and the answer is no.
// Nothing is printed for it: the product on stdout says it already.
type failedCheck struct{ status int }

func (f *failedCheck) Error() string { return fmt.Sprintf("the check ended with status %d", f.status) }

// interrupted wraps what a cancelled context led to.
type interrupted struct{ cause error }

func (i *interrupted) Error() string { return "interrupted" }
func (i *interrupted) Unwrap() error { return i.cause }

func exitStatus(err error) int {
	if _, ok := errors.AsType[*interrupted](err); ok {
		return exitInterrupted
	}
	if check, ok := errors.AsType[*failedCheck](err); ok {
		return check.status
	}
	if problem, ok := errors.AsType[*key.Problem](err); ok {
		switch problem.Code {
		case key.CodeRefused:
			return exitRefused
		case key.CodeStopped:
			return exitStopped
		}
	}
	return exitCould
}

// printError writes an error for a person to stderr, or as the one JSON
// document to stdout where JSON was asked for.
func (p *program) printError(err error, asJSON bool) {
	code, message, hint := describe(err)
	if asJSON {
		document := map[string]any{"error": map[string]string{"code": code, "message": message, "hint": hint}}
		encoder := json.NewEncoder(p.stdout)
		encoder.SetEscapeHTML(false)
		if encoder.Encode(document) == nil {
			return
		}
	}
	fmt.Fprintf(p.stderr, "twinrow: %s\n", oneLine(message))
	for line := range strings.Lines(hint) {
		fmt.Fprintf(p.stderr, "hint: %s\n", oneLine(line))
	}
}

func describe(err error) (code, message, hint string) {
	code, message = "error", err.Error()
	if problem, ok := errors.AsType[*key.Problem](err); ok {
		code, hint = problem.Code, problem.Hint
	}
	if _, ok := errors.AsType[*interrupted](err); ok {
		// What stopped part-way says itself how to go on.
		if code == key.CodeStopped {
			return "interrupted", message, hint
		}
		return "interrupted", "interrupted", "nothing was left half-done; run the command again when you are ready"
	}
	return code, message, hint
}

// oneLine keeps a message on its line and harmless to a terminal: a database
// or a file may have put anything into it.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			return ' '
		case r < 0x20 || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069:
			return '\uFFFD'
		}
		return r
	}, strings.TrimRight(text, "\n"))
}
