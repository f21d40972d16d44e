package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"twinrow/detect/casefile"
	"twinrow/detect/classify"
	"twinrow/detect/scan"
	"twinrow/detect/source"
	"twinrow/remediate/apply"
	"twinrow/remediate/notify"
	"twinrow/remediate/plan"
	"twinrow/remediate/probe"
	"twinrow/remediate/survivor"
	"twinrow/report"
)

// story is the demo: every step is the verb of that name on real parts, and
// checks that it came out as told.
type story struct {
	p     *program
	c     *cli.Context
	ctx   context.Context
	dir   string
	at    place
	table string
	store *ticketStore
	shop  *shop
	steps int

	before *probe.Result
	opened *casefile.Opened
	plan   *plan.Plan
}

func (s *story) tell() error {
	for _, step := range []func() error{s.makeDuplicates, s.scan, s.planIt, s.applyIt, s.verifyIt, s.draftMails, s.proveFix, s.writePage} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// title begins a step; say adds to it.
func (s *story) title(text string) {
	s.steps++
	fmt.Fprintf(s.p.stdout, "\n%d. %s\n", s.steps, text)
}

func (s *story) say(format string, args ...any) {
	fmt.Fprintln(s.p.stdout, "   "+oneLine(fmt.Sprintf(format, args...)))
}

func (s *story) caseDir() string { return filepath.Join(s.dir, "case") }

// demoProbe is the specification that both probes are made from; it stays in
// the demo's directory, to be read and fired again.
const demoProbe = `probe: v1
name: payment-webhook
environment: demo
target: %s
vars: {payment: "pi_demo_{{.UUID}}"}
request:
  method: POST
  headers: {content-type: application/json}
  body: '{"payment_intent_id":"{{.payment}}","ticket_number":1,"customer_name":"Guest {{.Round}}","customer_email":"guest{{.Round}}@example.com"}'
fire: {copies: 5, rounds: %d}
expect:
  responses:
    - {name: ticket made, status: 201, json: {status: created}, exactly: 1}
    - {name: ticket found, status: 200, json: {status: existing}, exactly: 4}
    - {name: server errors, status: 5xx, exactly: 0}
  rows:
    - {name: one ticket, source: "${TWINROW_DEMO_SOURCE}", sql: "SELECT count(*) FROM %s WHERE payment_intent_id = %s", args: ["{{.payment}}"], exactly: 1, within: 2s}
`

// Rounds of the two probes: a few show a race, more are asked to show its absence.
const (
	roundsBefore = 4
	roundsAfter  = 20
)

// fire writes the specification and runs it.
func (s *story) fire(name string, rounds int) (*probe.Result, error) {
	placeholder := "?"
	if s.at.engine == "postgres" {
		placeholder = "$1"
	}
	text := fmt.Sprintf(demoProbe, s.shop.url, rounds, s.table, placeholder)
	path := filepath.Join(s.dir, name+".yaml")
	if err := casefile.WriteFile(path, func(w io.Writer) error { _, err := io.WriteString(w, text); return err }); err != nil {
		return nil, err
	}
	env := func(name string) (string, bool) {
		if name == "TWINROW_DEMO_SOURCE" {
			if s.at.engine == "sqlite" {
				return "sqlite:" + s.at.at, true
			}
			return s.at.at, true
		}
		return s.p.getenv(name)
	}
	spec, err := probe.ParseSpec(path, []byte(text), env)
	if err != nil {
		return nil, err
	}
	deps := s.p.probeDeps(s.c)
	deps.Env = env
	return probe.Run(s.ctx, spec, deps)
}

func (s *story) makeDuplicates() error {
	s.title("The shop: a payment webhook that looks whether a ticket is there, and makes one if not")
	result, err := s.fire("probe-before", roundsBefore)
	if err != nil {
		return err
	}
	s.before = result
	s.say("probe: %s, %d deliveries of %d payments, five at once", result.Verdict, result.Requests, result.Rounds)
	for _, reason := range result.Reasons {
		s.say("%s", reason)
	}
	if result.Verdict != probe.Fail {
		return notAsTold("the probe of the webhook as it was came to %s", result.Verdict)
	}
	return nil
}

func (s *story) scan() error {
	s.title("What happened: twinrow scan --key payment_intent_id,ticket_number --time created_at")
	opened, err := s.p.scanInto(s.ctx, &scanOptions{
		source: s.at, read: readOptions{jobs: 2}, windows: classify.DefaultWindows, dir: s.caseDir(),
		entries: []scan.Entry{{Request: source.Request{Table: s.table, Key: []string{"payment_intent_id", "ticket_number"}, Time: "created_at", Email: "customer_email", Name: "customer_name", Amount: "amount_cents"}}},
	}, s.p.progress(s.c), nil)
	if err != nil {
		return err
	}
	s.opened = opened
	if _, err := keepProbe(opened.Dir, s.before); err != nil {
		return err
	}
	var report bytes.Buffer
	doc, err := reportDocument(opened)
	if err != nil {
		return err
	}
	if err := s.p.render(&report, doc, "table"); err != nil {
		return err
	}
	for line := range strings.Lines(report.String()) {
		fmt.Fprintln(s.p.stdout, strings.TrimRight("   "+line, " \n"))
	}
	return s.checkGroups()
}

// checkGroups wants the four double tickets that the shop began with, by
// their gaps, and at least one that the probe made.
func (s *story) checkGroups() error {
	groups, err := s.opened.Groups()
	if err != nil {
		return err
	}
	seeded := map[string]casefile.Class{
		"pi_3SgCE5KI6MirOIdS0XRkjx1k": casefile.Retry, "pi_3SgIfuKI6MirOIdS1VWP7BA6": casefile.Retry,
		"pi_3ShicpKI6MirOIdS1vKqmZyR": casefile.Race, "pi_3Si5ebKI6MirOIdS0hviVDSq": casefile.Race,
	}
	made := 0
	for _, g := range groups {
		payment, _ := g.Key.Get("payment_intent_id")
		switch class, ok := seeded[payment]; {
		case ok && g.Class == class:
			delete(seeded, payment)
		case ok:
			return notAsTold("%s is a %s, not a %s", payment, g.Class, class)
		case strings.HasPrefix(payment, "pi_demo_") && g.Class == casefile.Race:
			made++
		default:
			return notAsTold("%s is a %s", payment, g.Class)
		}
	}
	if len(seeded) > 0 || made == 0 {
		return notAsTold("%d of the first four groups are missing, and %d were made by the probe", len(seeded), made)
	}
	return nil
}

func (s *story) planIt() error {
	s.title("The clean-up, as a document: twinrow plan")
	made, err := s.p.plan(s.ctx, s.opened.Dir, planOptions{keep: survivor.Default})
	if err != nil {
		return err
	}
	s.plan = made
	for _, t := range made.Tables {
		s.say("%s: %s to remove, the first of each of %s stays", t.Table, report.Count(t.Removed(), "row"), report.Count(len(t.Groups), "group"))
		for _, o := range t.Operations {
			s.say("%s: %s", o.Op, o.Does)
		}
	}
	var hazards []string
	for _, h := range made.Hazards {
		hazards = append(hazards, string(h))
	}
	s.say("hazards to consent to by name: %s", strings.Join(hazards, ", "))
	return nil
}

func (s *story) applyIt() error {
	s.title("Carried out: twinrow apply, first as a rehearsal")
	var allow []string
	for _, h := range s.plan.Hazards {
		allow = append(allow, string(h))
	}
	for _, dry := range []bool{true, false} {
		if err := s.withTarget(func(t apply.Target) error {
			result, err := apply.Run(s.ctx, t, s.opened, s.plan, apply.Options{Allow: allow, DryRun: dry})
			if err != nil {
				return err
			}
			word := "done"
			if dry {
				word = "rehearsed and rolled back"
			}
			for _, table := range result.Tables {
				s.say("%s: %s cleaned, %s to quarantine, index %s", word, report.Count(table.Groups, "group"), report.Count(table.Rows, "row"), table.Index)
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

func (s *story) withTarget(run func(apply.Target) error) error {
	target, err := apply.Open(s.ctx, s.plan.Engine, s.at.at)
	if err != nil {
		return err
	}
	defer target.Close()
	return run(target)
}

func (s *story) verifyIt() error {
	s.title("Checked: twinrow verify")
	return s.withTarget(func(t apply.Target) error {
		checked, err := apply.Verify(s.ctx, t, s.opened, s.plan)
		if err != nil {
			return err
		}
		for _, check := range checked.Checks {
			s.say("%s (%s)", check.Name, check.Detail)
		}
		if !checked.OK() {
			return notAsTold("verify found something wrong")
		}
		return nil
	})
}

func (s *story) draftMails() error {
	s.title("One mail a customer, drafted: twinrow notify draft")
	drafts, err := s.p.draft(s.c, s.opened, notify.Options{Tool: tool(), From: "Winter Gala <tickets@example.com>", ReplyTo: "help@example.com", Now: s.p.now()})
	if err != nil {
		return err
	}
	if len(drafts.Mails) < 4 {
		return notAsTold("%s drafted", report.Count(len(drafts.Mails), "mail"))
	}
	s.say("%d drafts in %s; the first of them says:", len(drafts.Mails), filepath.Join(s.opened.Dir, notify.DraftsName))
	message, err := notify.LoadMessage(s.opened, drafts.Mails[0])
	if err != nil {
		return err
	}
	for line := range strings.Lines(message.Text) {
		fmt.Fprintln(s.p.stdout, strings.TrimRight("   | "+oneLine(line), " "))
	}
	return nil
}

func (s *story) proveFix() error {
	s.title("The fix: the webhook stores first, and answers with the ticket that is there")
	s.shop.fixed.Store(true)
	result, err := s.fire("probe-after", roundsAfter)
	if err != nil {
		return err
	}
	if _, err := keepProbe(s.opened.Dir, result); err != nil {
		return err
	}
	s.say("probe: %s, %d deliveries of %d payments; the index was met %d times", result.Verdict, result.Requests, result.Rounds, s.shop.caught.Load())
	for _, reason := range result.Reasons {
		s.say("%s", reason)
	}
	if result.Verdict != probe.Pass {
		return notAsTold("the probe of the fixed webhook came to %s", result.Verdict)
	}
	return nil
}

func (s *story) writePage() error {
	doc, err := reportDocument(s.opened)
	if err != nil {
		return err
	}
	page := filepath.Join(s.dir, "report.html")
	if err := casefile.WriteFile(page, func(w io.Writer) error { return s.p.render(w, doc, "html") }); err != nil {
		return err
	}
	s.title("All of it is in " + s.dir)
	for _, made := range []struct{ path, is string }{
		{page, "the page to share"},
		{s.caseDir(), "the case: evidence, plan, journal, probes"},
		{filepath.Join(s.caseDir(), plan.SQLDir), "the same clean-up as SQL, with its way back"},
		{filepath.Join(s.caseDir(), notify.DraftsName), "the mails"},
	} {
		if _, err := os.Stat(made.path); err != nil {
			return notAsTold("%s is missing", made.path)
		}
		s.say("%-24s %s", made.path, made.is)
	}
	s.say("")
	s.say("take it all back: twinrow undo %s --yes", s.caseDir())
	return nil
}
