package main

import (
	"fmt"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"twinrow/detect/casefile"
	"twinrow/detect/key"
	"twinrow/remediate/notify"
)

func (p *program) cmdNotifyConfirm() *cli.Command {
	return command(cli.Command{
		Name:      "confirm",
		Usage:     "ask SendGrid's email activity what became of mails",
		UsageText: "twinrow notify confirm CASE [--absent-as-failed]\n   twinrow notify confirm CASE --original [--subject TEXT] [--limit N]",
		Description: "Without --original: settles the mails whose fate is unknown. What SendGrid knows is accepted; what it\ndoes not know stays unknown, unless --absent-as-failed says otherwise.\n\n" +
			"With --original: looks whether each customer was really sent two mails with one subject in the time\nof the incident, and writes the answer into CASE/" + notify.ConfirmedName + ".\n\n" +
			"The activity is an add-on of SendGrid's; it allows six questions a minute, and twinrow keeps to that.\n\nEXAMPLE\n   twinrow notify confirm incident",
		Flags: []cli.Flag{
			boolFlag("original", "look whether the customers were sent two mails by the incident itself"),
			&cli.StringFlag{Name: "subject", Usage: "with --original: only mails with just this `TEXT` as their subject"},
			&cli.IntFlag{Name: "limit", Usage: "with --original: ask about `N` customers at most; the next run goes on", DefaultText: "all"},
			boolFlag("absent-as-failed", "settle as failed, so that the next send tries again, what SendGrid does not know an hour after it may have been sent"),
		},
		Action: func(c *cli.Context) error {
			args, err := operands(c, "CASE")
			if err != nil {
				return err
			}
			if !c.Bool("original") && (c.IsSet("subject") || c.IsSet("limit")) || c.Bool("original") && c.Bool("absent-as-failed") {
				return &key.Problem{Code: key.CodeUsage, Message: "--subject and --limit go with --original, --absent-as-failed without it", Hint: "see `twinrow notify confirm --help`"}
			}
			opened, err := casefile.Open(args[0])
			if err != nil {
				return err
			}
			if c.Bool("original") {
				return p.confirmOriginal(c, opened)
			}
			return p.confirmUnknown(c, opened)
		},
	})
}

func (p *program) confirmUnknown(c *cli.Context, opened *casefile.Opened) error {
	client, err := p.sendGrid(false)
	if err != nil {
		return err
	}
	done, err := notify.Confirm(c.Context, opened, client, notify.ConfirmOptions{Tool: tool(), AbsentAsFailed: c.Bool("absent-as-failed"),
		Each: func(to string, state notify.State, reason string) { p.say(c, "%s: %s, %s", to, state, reason) }})
	if done != nil && (err == nil || done.Accepted+done.Failed+done.Absent > 0) {
		fmt.Fprintf(p.stdout, "%d settled as accepted, %d as failed, %d stay unknown, %d not asked about\n", done.Accepted, done.Failed, done.Absent+done.Elsewhere, done.Left)
	}
	if done != nil && done.Elsewhere > 0 {
		p.say(c, "%d went through SMTP, which cannot be asked: look in the mail server's log for their Message-ID, then use `twinrow notify settle`", done.Elsewhere)
	}
	if err == nil && done.Absent > 0 {
		p.say(c, "what SendGrid does not know may still come: ask again in an hour, then use --absent-as-failed or `twinrow notify settle`")
	}
	return err
}

func (p *program) confirmOriginal(c *cli.Context, opened *casefile.Opened) error {
	client, err := p.sendGrid(false)
	if err != nil {
		return err
	}
	groups, err := opened.Groups()
	if err != nil {
		return err
	}
	doc, err := notify.ConfirmOriginal(c.Context, opened, groups, client, notify.OriginalOptions{
		Tool: tool(), Provider: client.Name(), Subject: c.String("subject"), Limit: c.Int("limit"), Now: p.now(),
		Each: func(o notify.OriginalCustomer) { p.say(c, "%s: %s", o.To, o.Reason) }})
	if doc != nil {
		fmt.Fprintf(p.stdout, "confirmed in SendGrid: two mails were sent to %s, not to %d, of %d it is not known: %s\n",
			casefile.Count(doc.Totals[notify.SentTwice], "customer"), doc.Totals[notify.NotTwice], doc.Totals[notify.NotKnown], filepath.Join(opened.Dir, notify.ConfirmedName))
	}
	return err
}
