package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"twinrow/detect/casefile"
	"twinrow/detect/key"
	"twinrow/remediate/notify"
	"twinrow/remediate/notify/sendgrid"
	"twinrow/remediate/plan"
	"twinrow/remediate/survivor"
)

func (p *program) cmdNotify() *cli.Command {
	return command(cli.Command{
		Name:        "notify",
		Usage:       "tell every customer once, and only theirs: draft, send, status, settle",
		UsageText:   "twinrow notify draft|send|status|settle CASE [FLAG…]",
		Description: "EXAMPLE\n   twinrow notify draft incident --from tickets@example.com --reply-to help@example.com",
		Subcommands: []*cli.Command{p.cmdNotifyDraft(), p.cmdNotifySend(), p.cmdNotifyStatus(), p.cmdNotifySettle()},
		Action: func(*cli.Context) error {
			return &key.Problem{Code: key.CodeUsage, Message: "notify needs to know what to do", Hint: "the forms are `twinrow notify draft|send|status|settle CASE`"}
		},
	})
}

func (p *program) cmdNotifyDraft() *cli.Command {
	return command(cli.Command{
		Name:        "draft",
		Usage:       "write one mail a customer into the case, sending nothing",
		UsageText:   "twinrow notify draft CASE --from ADDRESS [--reply-to ADDRESS]",
		Description: "Who takes no mail is asked of SendGrid where $SENDGRID_API_KEY is set.\n\nEXAMPLE\n   twinrow notify draft incident --from tickets@example.com --reply-to help@example.com",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "from", Usage: "`ADDRESS` that the mails come from, with a name or without"},
			&cli.StringFlag{Name: "reply-to", Usage: "`ADDRESS` that answers go to (default: that of --from)"},
			&cli.StringFlag{Name: "noun", Usage: "`WORD` for one entry, as in ticket (default: made from the table's name)"},
		},
		Action: func(c *cli.Context) error {
			args, err := operands(c, "CASE")
			if err != nil {
				return err
			}
			return p.notifyDraft(c, args[0])
		},
	})
}

func (p *program) notifyDraft(c *cli.Context, dir string) error {
	opened, err := casefile.Open(dir)
	if err != nil {
		return err
	}
	options := notify.Options{Tool: tool(), From: c.String("from"), ReplyTo: c.String("reply-to"), Noun: c.String("noun"), Now: p.now()}
	if client, err := p.mailer(false); err == nil {
		options.Suppressions = client
	} else if !absent(err) {
		return err
	}
	drafts, err := p.draft(c, opened, options)
	if err != nil {
		return err
	}
	for _, note := range drafts.Notes {
		p.say(c, "%s", note)
	}
	folder := filepath.Join(dir, notify.DraftsName)
	fmt.Fprintf(p.stdout, "%d mails drafted in %s\n", len(drafts.Mails), folder)
	fmt.Fprintf(p.stdout, "for the help desk: %s\n", filepath.Join(folder, notify.SupportName))
	if len(drafts.Skipped) > 0 {
		fmt.Fprintf(p.stdout, "%d groups that nobody is written to about: %s\n", len(drafts.Skipped), filepath.Join(folder, notify.SkippedName))
	}
	return nil
}

// draft drafts by the plan's choices, or by the standard rule where there is no plan yet.
func (p *program) draft(c *cli.Context, opened *casefile.Opened, options notify.Options) (*notify.Drafts, error) {
	groups, err := opened.Groups()
	if err != nil {
		return nil, err
	}
	made, err := plan.Read(opened.Dir)
	var choices []notify.Choice
	switch {
	case err == nil:
		choices = plannedChoices(made)
		options.PlanSHA256 = made.SHA256
	case absent(err):
		p.say(c, "there is no plan yet: the first row of each group is named as the one to use")
		if choices, err = standardChoices(opened, groups); err != nil {
			return nil, err
		}
	default:
		return nil, err
	}
	return notify.Draft(c.Context, opened, groups, choices, options)
}

func plannedChoices(made *plan.Plan) []notify.Choice {
	var choices []notify.Choice
	for _, t := range made.Tables {
		for _, g := range t.Groups {
			choices = append(choices, notify.Choice{Group: g.Number, Keep: g.Keep, Remove: g.Remove})
		}
		for _, h := range t.Held {
			choices = append(choices, notify.Choice{Group: h.Number, Held: true, HeldReason: h.Reason})
		}
	}
	return choices
}

func standardChoices(opened *casefile.Opened, groups []*casefile.Group) ([]notify.Choice, error) {
	var choices []notify.Choice
	for _, g := range groups {
		chosen, err := survivor.Choose(survivor.Default, opened.TableNamed(g.Table), g)
		if err != nil {
			return nil, err
		}
		choices = append(choices, notify.Choice{Group: g.Number, Keep: chosen.Keep, Remove: chosen.Remove})
	}
	return choices, nil
}

// mailer is the client for SendGrid; a not-found Problem where no key is set.
func (p *program) mailer(sandbox bool) (*sendgrid.Client, error) {
	apiKey, _ := p.getenv("SENDGRID_API_KEY")
	if apiKey == "" {
		return nil, &key.Problem{Code: key.CodeNotFound, Message: "SENDGRID_API_KEY is not set", Hint: "set it to a key that may send mail; keys are only read from the environment"}
	}
	base, _ := p.getenv("SENDGRID_BASE_URL")
	return sendgrid.New(sendgrid.Config{Key: apiKey, BaseURL: base, Sandbox: sandbox})
}

func (p *program) cmdNotifySend() *cli.Command {
	return command(cli.Command{
		Name:        "send",
		Usage:       "send the drafts through SendGrid, each at most once",
		UsageText:   "twinrow notify send CASE [--limit N] [--only ADDRESS] [--sandbox] [--yes]",
		Description: "The key is read from $SENDGRID_API_KEY; $SENDGRID_BASE_URL names another region.\nA mail whose fate is not known is never sent again by itself: see `twinrow notify settle`.\n\nEXAMPLE\n   twinrow notify send incident --limit 3",
		Flags: []cli.Flag{
			&cli.IntFlag{Name: "limit", Usage: "send `N` mails at most"},
			&cli.StringFlag{Name: "only", Usage: "send to this `ADDRESS` only"},
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
	options := notify.SendOptions{Tool: tool(), Limit: c.Int("limit"), Only: c.String("only")}
	if made, err := plan.Read(dir); err == nil {
		options.PlanSHA256 = made.SHA256
	} else if !absent(err) {
		return err
	}
	pending, err := notify.Pending(opened, options)
	if err != nil {
		return err
	}
	if len(pending) == 0 {
		p.say(c, "nothing to send: every draft was sent, or is not to be")
		return nil
	}
	client, err := p.mailer(c.Bool("sandbox"))
	if err != nil {
		return err
	}
	if err := p.confirm(c, sendQuestion(pending)); err != nil {
		return err
	}
	sent, err := notify.Send(c.Context, opened, client, options)
	if sent != nil {
		for _, note := range sent.Notes {
			p.say(c, "%s", note)
		}
		fmt.Fprintf(p.stdout, "%d accepted, %d failed, %d unknown, %d suppressed, %d checked in the sandbox, %d left\n", sent.Accepted, sent.Failed, sent.Unknown, sent.Suppressed, sent.Checked, sent.Left)
	}
	return err
}

func sendQuestion(pending []notify.Mail) string {
	var samples []string
	for _, m := range pending[:min(3, len(pending))] {
		samples = append(samples, m.To)
	}
	more := ""
	if len(pending) > len(samples) {
		more = ", …"
	}
	return fmt.Sprintf("Send %d mails, to %s%s?", len(pending), strings.Join(samples, ", "), more)
}

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
		Description: "Look the mail up at the provider first. What is settled as failed is sent again by the next `send`.\n\nEXAMPLE\n   twinrow notify settle incident --mail 0123456789abcdef --as accepted",
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

// writeJSON prints a document as the product.
func (p *program) writeJSON(document any) error {
	encoder := json.NewEncoder(p.stdout)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(document)
}
