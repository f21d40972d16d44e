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
	_, answered := errors.AsType[*failedCheck](err)
	if ctx.Err() != nil && !answered {
		err = &interrupted{err}
	}
	if !answered {
		p.printError(err, wantsJSON(args))
	}
	return exitStatus(err)
}

func (p *program) execute(ctx context.Context, args []string) error {
	app := p.app()
	if len(args) == 0 {
		return &key.Problem{Code: key.CodeUsage, Message: "no command given", Hint: "start with `twinrow demo`, or see `twinrow --help`"}
	}
	ordered, err := flagsFirst(app.Commands, "twinrow", habits(args))
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

// habits turns what people type by habit into a verb's form: --version, help
// and help VERB.
func habits(args []string) []string {
	switch {
	case args[0] == "--version":
		return append([]string{"version"}, args[1:]...)
	case args[0] == "help" && len(args) > 1:
		return append(args[1:], "--help")
	case args[0] == "help":
		return []string{"--help"}
	}
	return args
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
// called is what is typed before a command's name.
func flagsFirst(commands []*cli.Command, called string, args []string) ([]string, error) {
	command := find(commands, args[0])
	if command == nil {
		if strings.HasPrefix(args[0], "-") {
			return args, nil
		}
		return nil, key.NotFound("command", args[0], names(commands))
	}
	if len(command.Subcommands) > 0 && len(args) > 1 && !strings.HasPrefix(args[1], "-") {
		rest, err := flagsFirst(command.Subcommands, called+" "+command.Name, args[1:])
		return append([]string{args[0]}, rest...), err
	}
	flags, operands, err := split(command, called+" "+command.Name, args[1:])
	if err != nil {
		return nil, err
	}
	return slices.Concat([]string{args[0]}, flags, []string{"--"}, operands), nil
}

// split parts a command's flags, each with its value, from its operands. A
// value that is missing, and a flag given twice that takes one value, are errors.
func split(command *cli.Command, called string, args []string) (flags, operands []string, err error) {
	given := map[string]bool{}
	for i := 0; i < len(args); i++ {
		arg := args[i]
		switch {
		case arg == "--":
			return flags, append(operands, args[i+1:]...), nil
		case arg == "-" || !strings.HasPrefix(arg, "-"):
			operands = append(operands, arg)
		default:
			name, _, joined := strings.Cut(strings.TrimLeft(arg, "-"), "=")
			flag := flagNamed(command, name)
			flags = append(flags, arg)
			if flag == nil {
				continue
			}
			if _, many := flag.(*cli.StringSliceFlag); given[flag.Names()[0]] && !many {
				return nil, nil, &key.Problem{Code: key.CodeUsage, Message: "--" + flag.Names()[0] + " is given twice", Hint: "give it once; a list is joined by commas, as in a,b"}
			}
			given[flag.Names()[0]] = true
			if joined || !takesValue(flag) {
				continue
			}
			if i++; i == len(args) {
				return nil, nil, &key.Problem{Code: key.CodeUsage, Message: "--" + flag.Names()[0] + " needs a value", Hint: "see `" + called + " --help`"}
			}
			flags = append(flags, args[i])
		}
	}
	return flags, operands, nil
}

// flagNamed is the command's flag of that name, or nil.
func flagNamed(command *cli.Command, name string) cli.Flag {
	for _, flag := range command.Flags {
		if slices.Contains(flag.Names(), name) {
			return flag
		}
	}
	return nil
}

func takesValue(flag cli.Flag) bool {
	documented, ok := flag.(cli.DocGenerationFlag)
	return ok && documented.TakesValue()
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
