package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"twinrow/detect/casefile"
	"twinrow/detect/key"
	"twinrow/remediate/notify"
	"twinrow/remediate/plan"
	"twinrow/report"
)

// samples are shown before it is asked whether to send.
const samples = 3

func (p *program) cmdNotifySend() *cli.Command {
	return command(cli.Command{
		Name:        "send",
		Usage:       "send the drafts, each at most once",
		UsageText:   "twinrow notify send CASE [--limit N] [--only ADDRESS] [--rate N] [--smtp URL] [--sandbox] [--yes]",
		Description: "Through SendGrid, with the key in $SENDGRID_API_KEY ($SENDGRID_BASE_URL names another region), or\nthrough an SMTP server: --smtp or $SMTP_URL, as smtps://user:password@mail.example.com.\nA mail whose fate is not known is never sent again by itself: see `twinrow notify confirm` and\n`twinrow notify settle`.\n\nEXAMPLE\n   twinrow notify send incident --limit 3",
		Flags: []cli.Flag{
			&cli.IntFlag{Name: "limit", Usage: "send `N` mails at most", DefaultText: "all"},
			&cli.StringFlag{Name: "only", Usage: "send to this `ADDRESS` only"},
			&cli.Float64Flag{Name: "rate", Usage: "send `N` mails a second at most, as 5 or 0.5", DefaultText: "no limit"},
			&cli.StringFlag{Name: "smtp", Usage: "`URL` of an SMTP server to use instead of SendGrid; better in $SMTP_URL, where nobody sees the password"},
			boolFlag("sandbox", "let SendGrid check the mails and send none"),
			yesFlag(),
		},
		Action: func(c *cli.Context) error {
			args, err := operands(c, "CASE")
			if err != nil {
				return err
			}
			return p.notifySend(c, args[0])
		},
	})
}

func (p *program) notifySend(c *cli.Context, dir string) error {
	opened, err := casefile.Open(dir)
	if err != nil {
		return err
	}
	options := notify.SendOptions{Tool: tool(), Limit: c.Int("limit"), Only: c.String("only"), Rate: c.Float64("rate")}
	if options.Rate < 0 || options.Limit < 0 {
		return &key.Problem{Code: key.CodeUsage, Message: "--rate and --limit count from 0", Hint: "leave them out for no limit"}
	}
	if made, err := plan.Read(dir); err == nil {
		options.PlanSHA256 = made.SHA256
	} else if !absent(err) {
		return err
	}
	cleaned, err := readCleanup(dir)
	if err != nil {
		return err
	}
	options.Removed = cleaned.removed
	pending, err := notify.Pending(opened, options)
	if err != nil {
		return err
	}
	if len(pending) == 0 {
		p.say(c, "nothing to send: every draft was sent, or is not to be")
		return nil
	}
	carrier, err := p.carrier(c.String("smtp"), c.Bool("sandbox"))
	if err != nil {
		return err
	}
	for _, m := range pending[:min(samples, len(pending))] {
		p.say(c, "to %s: %s", m.To, m.Subject)
	}
	if err := p.confirm(c, fmt.Sprintf("Send %s through %s?", report.Count(len(pending), "mail"), carrier.Name())); err != nil {
		return err
	}
	sent, err := notify.Send(c.Context, opened, carrier, options)
	if sent != nil {
		for _, note := range sent.Notes {
			p.say(c, "%s", note)
		}
		fmt.Fprintf(p.stdout, "%d accepted, %d failed, %d unknown, %d suppressed, %d checked in the sandbox, %d left\n", sent.Accepted, sent.Failed, sent.Unknown, sent.Suppressed, sent.Checked, sent.Left)
	}
	if err == nil && sent.Failed+sent.Unknown > 0 {
		return &key.Problem{
			Code:    key.CodeStopped,
			Message: fmt.Sprintf("not every mail went out: %d failed, of %d nothing is known", sent.Failed, sent.Unknown),
			Hint:    "see `twinrow notify status " + dir + "`: what failed goes out with the next `notify send`; what is unknown is settled by `notify confirm` or `notify settle`",
		}
	}
	return err
}
