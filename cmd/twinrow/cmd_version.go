package main

import (
	"encoding/json"
	"fmt"
	"runtime"

	"github.com/urfave/cli/v2"
)

func (p *program) cmdVersion() *cli.Command {
	return command(cli.Command{
		Name:        "version",
		Usage:       "print the version",
		UsageText:   "twinrow version [--format text|json]",
		Description: "EXAMPLE\n   twinrow version --format json",
		Flags:       []cli.Flag{formatFlag("text", "text", "json")},
		Action: func(c *cli.Context) error {
			format, err := chosenFormat(c, "text", "json")
			if err != nil {
				return err
			}
			if _, err := operands(c); err != nil {
				return err
			}
			if format == "json" {
				return json.NewEncoder(p.stdout).Encode(map[string]string{"name": "twinrow", "version": version, "go": runtime.Version()})
			}
			_, err = fmt.Fprintf(p.stdout, "twinrow %s\n", version)
			return err
		},
	})
}
