package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"twinrow/detect/key"
)

// version is the release; documents carry it.
const version = "0.1.0"

// program is twinrow as a function of its arguments, streams, environment and
// clock, so that every path can be run inside a test.
type program struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	getenv         func(string) (string, bool)
	now            func() time.Time
}

// run executes one command line (without the program's name) and returns the
// exit status.
func (p *program) run(ctx context.Context, args []string) int {
	err := p.execute(ctx, args)
	if err == nil {
		return exitDone
	}
	// A cancelled context is the cause behind whatever error it led to.
	if ctx.Err() != nil && exitStatus(err) != exitStopped {
		err = &interrupted{err}
	}
	if _, ok := errors.AsType[*failedCheck](err); !ok {
		p.printError(err, wantsJSON(args))
	}
	return exitStatus(err)
}

func (p *program) execute(ctx context.Context, args []string) error {
	app := p.app()
	if len(args) == 0 {
		return &key.Problem{Code: key.CodeUsage, Message: "no command given", Hint: "start with `twinrow demo`, or see `twinrow --help`"}
	}
	ordered, err := flagsFirst(app.Commands, args)
	if err != nil {
		return err
	}
	// The library prints help into the writer even when it fails afterwards,
	// so stdout gets it only once all went well.
	var help bytes.Buffer
	app.Writer = &help
	if err := app.RunContext(ctx, append([]string{"twinrow"}, ordered...)); err != nil {
		return err
	}
	_, err = io.Copy(p.stdout, &help)
	return err
}

// wantsJSON looks at the raw command line, because an error may come before
// it could be parsed.
func wantsJSON(args []string) bool {
	for i, arg := range args {
		name, value, joined := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		if name != "format" || !strings.HasPrefix(arg, "-") {
			continue
		}
		if !joined && i+1 < len(args) {
			value = args[i+1]
		}
		if value == "json" {
			return true
		}
	}
	return false
}

// flagsFirst moves flags before arguments, because the library ignores every
// flag that stands behind one. What is unknown stays where it is seen as such.
func flagsFirst(commands []*cli.Command, args []string) ([]string, error) {
	command := find(commands, args[0])
	if command == nil {
		if strings.HasPrefix(args[0], "-") {
			return args, nil
		}
		return nil, key.NotFound("command", args[0], names(commands))
	}
	if len(command.Subcommands) > 0 && len(args) > 1 && !strings.HasPrefix(args[1], "-") {
		rest, err := flagsFirst(command.Subcommands, args[1:])
		return append([]string{args[0]}, rest...), err
	}
	flags, operands := split(command, args[1:])
	return slices.Concat([]string{args[0]}, flags, []string{"--"}, operands), nil
}

// split parts a command's flags, each with its value, from its operands.
func split(command *cli.Command, args []string) (flags, operands []string) {
	for i := 0; i < len(args); i++ {
		arg := args[i]
		switch {
		case arg == "--":
			return flags, append(operands, args[i+1:]...)
		case arg == "-" || !strings.HasPrefix(arg, "-"):
			operands = append(operands, arg)
		default:
			flags = append(flags, arg)
			if !strings.Contains(arg, "=") && takesValue(command, strings.TrimLeft(arg, "-")) && i+1 < len(args) {
				i++
				flags = append(flags, args[i])
			}
		}
	}
	return flags, operands
}

func takesValue(command *cli.Command, name string) bool {
	for _, flag := range command.Flags {
		if slices.Contains(flag.Names(), name) {
			documented, ok := flag.(cli.DocGenerationFlag)
			return ok && documented.TakesValue()
		}
	}
	return false
}

func find(commands []*cli.Command, name string) *cli.Command {
	for _, c := range commands {
		if c.HasName(name) {
			return c
		}
	}
	return nil
}

func names(commands []*cli.Command) []string {
	var all []string
	for _, c := range commands {
		if !c.Hidden {
			all = append(all, c.Name)
		}
	}
	return all
}
