package main

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"twinrow/detect/key"
)

// formatFlag is --format with the forms a verb knows.
func formatFlag(standard string, forms ...string) cli.Flag {
	return &cli.StringFlag{Name: "format", Value: standard, Usage: "`FORM` of the output: " + strings.Join(forms, ", ")}
}

func chosenFormat(c *cli.Context, forms ...string) (string, error) {
	format := c.String("format")
	if !slices.Contains(forms, format) {
		return "", oneOf("--format", format, forms)
	}
	return format, nil
}

// oneOf is the error for a flag whose value is none of those it takes.
func oneOf(flag, value string, values []string) error {
	return &key.Problem{Code: key.CodeUsage, Message: flag + " does not know \"" + value + "\"", Hint: "it takes " + strings.Join(values, ", ")}
}

// list reads a comma-separated flag; nil where it was not given.
func list(c *cli.Context, flag string) ([]string, error) {
	if c.String(flag) == "" {
		return nil, nil
	}
	return key.SplitList(c.String(flag))
}

// boolFlag is a switch that is off unless it is given.
func boolFlag(name, usage string) cli.Flag {
	return &cli.BoolFlag{Name: name, Usage: usage, DisableDefaultText: true}
}
