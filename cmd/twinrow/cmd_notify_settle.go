package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"twinrow/detect/casefile"
	"twinrow/remediate/notify"
)

func (p *program) cmdNotifyStatus() *cli.Command {
	return command(cli.Command{
		Name:        "status",
		Usage:       "show how far each mail is",
		UsageText:   "twinrow notify status CASE [--format table|json]",
		Description: "EXAMPLE\n   twinrow notify status incident --format json",
		Flags:       []cli.Flag{formatFlag("table", "table", "json")},
		Action: func(c *cli.Context) error {
			args, err := operands(c, "CASE")
			if err != nil {
				return err
			}
			format, err := chosenFormat(c, "table", "json")
			if err != nil {
				return err
			}
			status, err := notify.LoadStatus(args[0])
			if err != nil {
				return err
			}
			if format == "json" {
				return p.writeJSON(status)
			}
			for _, m := range status.Mails {
				fmt.Fprintf(p.stdout, "%-10s  %s  %s  %s\n", m.State, m.ID, oneLine(m.To), oneLine(m.Reason))
			}
			return nil
		},
	})
}

func (p *program) cmdNotifySettle() *cli.Command {
	states := []string{string(notify.Accepted), string(notify.Failed)}
	return command(cli.Command{
		Name:        "settle",
		Usage:       "say what became of a mail whose fate is unknown",
		UsageText:   "twinrow notify settle CASE --mail ID --as " + strings.Join(states, "|"),
		Description: "Look the mail up at the provider first; for SendGrid `notify confirm` does.\nWhat is settled as failed is sent again by the next `send`.\n\nEXAMPLE\n   twinrow notify settle incident --mail 0123456789abcdef --as accepted",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "mail", Usage: "`ID` of the mail, as `notify status` shows it"},
			&cli.StringFlag{Name: "as", Usage: "`STATE` that it came to: " + strings.Join(states, " or ")},
		},
		Action: func(c *cli.Context) error {
			args, err := operands(c, "CASE")
			if err != nil {
				return err
			}
			if !slices.Contains(states, c.String("as")) {
				return oneOf("--as", c.String("as"), states)
			}
			opened, err := casefile.Open(args[0])
			if err != nil {
				return err
			}
			if err := notify.Settle(opened, tool(), c.String("mail"), notify.State(c.String("as"))); err != nil {
				return err
			}
			p.say(c, "settled as %s", c.String("as"))
			return nil
		},
	})
}
