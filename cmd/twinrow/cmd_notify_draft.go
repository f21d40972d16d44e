package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"twinrow/detect/casefile"
	"twinrow/detect/key"
	"twinrow/remediate/notify"
	"twinrow/remediate/plan"
	"twinrow/remediate/survivor"
	"twinrow/report"
	"twinrow/templates"
)

func (p *program) cmdNotifyDraft() *cli.Command {
	return command(cli.Command{
		Name:      "draft",
		Usage:     "write one mail a customer into the case, sending nothing",
		UsageText: "twinrow notify draft CASE --from ADDRESS [--reply-to ADDRESS] [FLAG…]\n   twinrow notify draft --print-fields",
		Description: "Into CASE/drafts go one .eml a customer (mail programs open it as a draft), drafts.mbox with\nall of them, preview.html to look them through, support.csv for the help desk and skipped.csv\nwith everyone who is not written to, and why. Who was sent a mail keeps it as it was.\n\n" +
			"Not written to: no or malformed address, groups that are held or drifted, rows that are not\nremoved yet although the plan will (see --before-cleanup), who was written to already, and who is\non SendGrid's lists of suppressed addresses where $SENDGRID_API_KEY is set.\n\n" +
			"A folder of --templates holds files for the language of --language, and folders named by a\nlanguage, as de, for that one. What is missing is the built-in one; en and de are built in.\n\n" +
			"EXAMPLE\n   twinrow notify draft incident --from tickets@example.com --reply-to help@example.com",
		Flags: append(addressFlags(), wordingFlags()...),
		Action: func(c *cli.Context) error {
			if c.Bool("print-fields") {
				if _, err := operands(c); err != nil {
					return err
				}
				return templates.PrintMailFields(p.stdout)
			}
			args, err := operands(c, "CASE")
			if err != nil {
				return err
			}
			return p.notifyDraft(c, args[0])
		},
	})
}

func addressFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "from", Usage: "`ADDRESS` that the mails come from, with a name or without"},
		&cli.StringFlag{Name: "reply-to", Usage: "`ADDRESS` that answers go to (default: that of --from)"},
		&cli.StringSliceFlag{Name: "also", Usage: "another `CASE` whose customers are not written to again; may be repeated"},
		boolFlag("skip-roles", "leave out addresses of an office, as info@ and billing@"),
		boolFlag("before-cleanup", "write also about rows that the plan will remove and has not yet"),
		boolFlag("sample", "print the first mail"),
		boolFlag("redact", "mask names, addresses, keys and amounts in preview.html and in the sample"),
	}
}

func wordingFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "noun", Usage: "`WORD` for one entry, as in ticket (default: made from the table's name)"},
		&cli.StringFlag{Name: "language", Usage: "`LANGUAGE` of customers whose own is not known, as de (default: en)"},
		&cli.StringFlag{Name: "language-column", Usage: "`COLUMN` that holds the customers' own, as de or de-AT"},
		&cli.StringFlag{Name: "templates", Usage: "`DIR` with templates of your own: any of subject.txt, body.txt, body.html, words.txt"},
		boolFlag("print-fields", "print what a template may use, and stop"),
		&cli.StringSliceFlag{Name: "refund", Usage: "`RULE`: money was taken more than once, and the refund is due, made or none; TABLE=RULE where tables differ"},
		&cli.StringFlag{Name: "currency", Usage: "`CODE` of the currency of all amounts, as EUR"},
		&cli.StringFlag{Name: "currency-column", Usage: "`COLUMN` that holds the currency"},
		&cli.StringFlag{Name: "amount-unit", Usage: "`UNIT` of the amounts: minor (as cents) or major (as euros) (default: what the column's name says)"},
	}
}

func (p *program) notifyDraft(c *cli.Context, dir string) error {
	opened, err := casefile.Open(dir)
	if err != nil {
		return err
	}
	if _, err := p.configOf(opened); err != nil {
		return err
	}
	options := notify.Options{
		Tool: tool(), From: c.String("from"), ReplyTo: c.String("reply-to"), Noun: c.String("noun"), Now: p.now(),
		Language: c.String("language"), LanguageColumn: c.String("language-column"),
		Refunds: c.StringSlice("refund"), Currency: c.String("currency"), CurrencyColumn: c.String("currency-column"), AmountUnit: c.String("amount-unit"),
		SkipRoles: c.Bool("skip-roles"), BeforeCleanup: c.Bool("before-cleanup"), Also: c.StringSlice("also"), Redact: c.Bool("redact"),
	}
	if options.Templates, err = mailTemplates(c.String("templates"), options.Language); err != nil {
		return err
	}
	if client, err := p.sendGrid(false); err == nil {
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
	p.drafted(c, dir, drafts)
	if c.Bool("sample") && drafts.Sample != nil {
		p.sample(drafts.Sample)
	}
	return nil
}

// drafted says what there is now.
func (p *program) drafted(c *cli.Context, dir string, drafts *notify.Drafts) {
	folder := filepath.Join(dir, notify.DraftsName)
	fmt.Fprintf(p.stdout, "%s drafted in %s\n", report.Count(len(drafts.Mails), "mail"), folder)
	fmt.Fprintf(p.stdout, "for the help desk: %s\n", filepath.Join(folder, notify.SupportName))
	if len(drafts.Skipped) > 0 {
		fmt.Fprintf(p.stdout, "%s that nobody is written to about: %s\n", report.Count(len(drafts.Skipped), "group"), filepath.Join(folder, notify.SkippedName))
	}
	waiting := 0
	for _, s := range drafts.Skipped {
		if s.Reason == notify.NotRemovedYet {
			waiting++
		}
	}
	if waiting > 0 {
		p.say(c, "%d of them wait for the clean-up: run `twinrow apply %s` first, or add --before-cleanup", waiting, dir)
	}
}

// sample prints a mail's text.
func (p *program) sample(m *notify.Message) {
	fmt.Fprintf(p.stdout, "\nTo: %s\nSubject: %s\n\n", oneLine(strings.TrimSpace(m.To.Name+" <"+m.To.Address+">")), oneLine(m.Subject))
	for line := range strings.Lines(m.Text) {
		fmt.Fprintln(p.stdout, oneLine(line))
	}
}

// mailTemplates reads a folder of templates; nil, the built-in ones, where none is named.
func mailTemplates(dir, language string) (*templates.Mails, error) {
	if dir == "" {
		return nil, nil
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return nil, &key.Problem{Code: key.CodeNotFound, Message: dir + " is no folder of templates", Hint: "name a folder with subject.txt, body.txt, body.html or words.txt", Err: err}
	}
	if language == "" {
		language = notify.DefaultLanguage
	}
	mails, err := templates.LoadMails(os.DirFS(dir), language)
	if fault, ok := errors.AsType[*templates.MailTemplateError](err); ok {
		return nil, notify.TemplateProblem(fault)
	}
	return mails, err
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
		if choices, err = plannedChoices(opened.Dir, made); err != nil {
			return nil, err
		}
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

func plannedChoices(dir string, made *plan.Plan) ([]notify.Choice, error) {
	cleaned, err := readCleanup(dir)
	if err != nil {
		return nil, err
	}
	var choices []notify.Choice
	for i := range made.Tables {
		t := &made.Tables[i]
		removes := t.Operation(plan.OpDelete) != nil
		for _, g := range t.Groups {
			choice := notify.Choice{Group: g.Number, Keep: g.Keep, Remove: g.Remove}
			switch {
			case cleaned.removed[g.Number]:
				choice.Cleanup = templates.CopiesRemoved
			case cleaned.drifted[g.Number]:
				choice.Drifted = true
			case removes:
				choice.Cleanup = templates.CopiesPlanned
			}
			choices = append(choices, choice)
		}
		for _, h := range t.Held {
			choices = append(choices, notify.Choice{Group: h.Number, Held: true, HeldReason: h.Reason})
		}
	}
	return choices, nil
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
