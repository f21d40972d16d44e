package notify

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"twinrow/detect/casefile"
	"twinrow/templates"
)

// Draft writes one mail a customer into the case's directory of drafts, with
// the lists for the help desk, a mailbox and a preview, and returns what it
// wrote and what it left out. choices hold what the plan decided about each
// group. Drafts that are there are replaced as a whole, except those that were
// sent or may have been, which stay as they are. Where it fails, the drafts are
// as they were.
func Draft(ctx context.Context, opened *casefile.Opened, groups []*casefile.Group, choices []Choice, options Options) (*Drafts, error) {
	d, err := newDrafts(opened, &options)
	if err != nil {
		return nil, err
	}
	c, err := newComposer(opened, d, &options)
	if err != nil {
		return nil, err
	}
	if len(groups) > 0 && len(choices) == 0 {
		return nil, &Problem{Code: casefile.CodeNotFound, Message: "no plan says yet which rows stay, so no mail can say it either", Hint: "run `twinrow plan` for this case first"}
	}
	book, err := openLedger(opened.Dir, opened.ID, opened.SHA256, options.Tool)
	if err != nil {
		return nil, err
	}
	defer book.Close()
	found, err := d.whom(ctx, opened, groups, choices, book.account, &options)
	if err != nil {
		return nil, err
	}
	if n := c.unreadableAmounts(found.customers); n > 0 {
		d.Notes = append(d.Notes, fmt.Sprintf("the amounts of %s cannot be read, so their mails name none", casefile.Count(n, "group")))
	}
	w := &draftWriter{drafts: d, composer: c, opened: opened, found: found, options: &options}
	if err := replaceDirectory(opened.Dir, func(dir string) error { return w.write(ctx, dir) }); err != nil {
		return nil, err
	}
	return d, nil
}

// newDrafts checks the options and makes the document without its mails.
func newDrafts(opened *casefile.Opened, options *Options) (*Drafts, error) {
	if !namesAddresses(opened) {
		return nil, &Problem{Code: casefile.CodeUsage, Message: "the case names no column of mail addresses, so nobody can be written to", Hint: "scan again with --email COLUMN"}
	}
	if options.From == "" {
		return nil, &Problem{Code: casefile.CodeUsage, Message: "no sender is given", Hint: `add --from "Help desk <help@example.com>"`}
	}
	if options.Now.IsZero() {
		options.Now = time.Now()
	}
	d := &Drafts{Schema: DraftsSchema, Tool: options.Tool, Case: opened.ID, CaseSHA256: opened.SHA256, PlanSHA256: options.PlanSHA256,
		CreatedAt: options.Now.UTC().Format(time.RFC3339), Mails: []Mail{}, Skipped: []Skip{}, Removed: []int{}, Notes: []string{}}
	var err error
	if d.From, err = parseMailbox("--from", options.From); err != nil {
		return nil, err
	}
	d.ReplyTo = d.From
	if options.ReplyTo != "" {
		if d.ReplyTo, err = parseMailbox("--reply-to", options.ReplyTo); err != nil {
			return nil, err
		}
	}
	d.Also, err = openAlso(opened.ID, options.Also)
	return d, err
}

func namesAddresses(opened *casefile.Opened) bool {
	return slices.ContainsFunc(opened.Tables, func(t casefile.Table) bool { return t.Email != "" })
}

// newComposer checks what the mails are to say, before anything is written.
func newComposer(opened *casefile.Opened, d *Drafts, options *Options) (*composer, error) {
	if options.Templates == nil {
		builtin, err := templates.BuiltinMails()
		if err != nil {
			return nil, err
		}
		options.Templates = builtin
	}
	if err := checkLanguage(opened, options); err != nil {
		return nil, err
	}
	money, err := newMoneyRules(opened, options)
	if err != nil {
		return nil, err
	}
	return &composer{mails: options.Templates, engine: opened.Source.Engine, noun: options.Noun, answerTo: d.ReplyTo, sender: d.From.Name, money: money, speakers: map[string]*speaker{}}, nil
}

// whom finds the customers to write to now, and lists the groups of all others.
func (d *Drafts) whom(ctx context.Context, opened *casefile.Opened, groups []*casefile.Group, choices []Choice, a *account, options *Options) (*collector, error) {
	if err := d.keepWritten(opened.Dir, a); err != nil {
		return nil, err
	}
	elsewhere, err := writtenElsewhere(d.Also)
	if err != nil {
		return nil, err
	}
	found, err := collect(opened, groups, choices, options)
	if err != nil {
		return nil, err
	}
	d.dropWritten(found, a, elsewhere)
	if err := d.dropSuppressed(ctx, found, options.Suppressions); err != nil {
		return nil, err
	}
	d.Notes = append(d.Notes, found.settleLanguages()...)
	d.Skipped = append(d.Skipped, found.skipped...)
	slices.SortStableFunc(d.Skipped, func(a, b Skip) int { return a.Group - b.Group })
	return found, nil
}

// dropSuppressed takes out the customers whom no mail is to be sent to.
func (d *Drafts) dropSuppressed(ctx context.Context, found *collector, lists Suppressions) error {
	if lists == nil {
		return nil
	}
	var kept []*customer
	for i, c := range found.customers {
		if err := ctx.Err(); err != nil {
			return err
		}
		reason, err := lists.Suppressed(ctx, c.address.deliver)
		switch {
		case errors.Is(err, ErrMayNotAsk):
			d.Notes = append(d.Notes, mayNotAskNote)
			found.customers = append(kept, found.customers[i:]...)
			return nil
		case err != nil:
			return err
		case reason == "":
			kept = append(kept, c)
			continue
		}
		for _, e := range c.entries {
			d.skip(c, e, IsSuppressed, reason)
		}
	}
	found.customers = kept
	return nil
}

const mayNotAskNote = "the API key has no right to read the suppression lists, so they were not asked; the provider itself drops mail to addresses on them"

// draftWriter puts all files of the drafts into a directory that nobody sees yet.
type draftWriter struct {
	drafts   *Drafts
	composer *composer
	opened   *casefile.Opened
	found    *collector
	options  *Options
	// number is that of the last name given; taken are the names of mails that
	// were sent before, which stay.
	number int
	taken  map[string]bool
	// refunds hold what each mail says about money.
	refunds []string
	files   *fileWriter
}

func (w *draftWriter) write(ctx context.Context, dir string) error {
	if err := w.keepFiles(dir); err != nil {
		return err
	}
	w.files = newFileWriter(dir)
	defer func() { _ = w.files.close() }() // again, where it ends early
	box, err := newMailbox(dir, w.drafts.From.Address, w.options.Now)
	if err != nil {
		return err
	}
	defer box.abort()
	page, err := newPreview(dir, w)
	if err != nil {
		return err
	}
	defer page.abort()
	for _, c := range w.found.customers {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := w.one(c, box, page); err != nil {
			return err
		}
	}
	if err := errors.Join(w.files.close(), box.close(), page.close()); err != nil {
		return err
	}
	return w.lists(dir)
}

// keepFiles copies the drafts that were sent, or may have been.
func (w *draftWriter) keepFiles(dir string) error {
	w.taken = map[string]bool{}
	for _, m := range w.drafts.Mails {
		w.refunds = append(w.refunds, "")
		w.taken[m.File] = true
		raw, err := os.ReadFile(filepath.Join(w.opened.Dir, DraftsName, filepath.Base(m.File)))
		if errors.Is(err, fs.ErrNotExist) {
			continue // the ledger still knows the mail
		} else if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(m.File)), raw, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// one writes the mail to one customer.
func (w *draftWriter) one(c *customer, box *mailbox, page *preview) error {
	d := w.drafts
	fields, err := w.composer.compose(c)
	if err != nil {
		return templateProblem(err)
	}
	m := Mail{ID: mailID(w.opened.ID, c.address), To: c.address.deliver, Name: c.name, File: w.nextFile(), Language: c.language}
	for _, e := range c.entries {
		m.Groups = append(m.Groups, e.group.Number)
		if e.cleanup == templates.CopiesRemoved {
			d.Removed = append(d.Removed, e.group.Number)
		}
	}
	message, err := draftMessage(w.composer.mails, w.opened.ID, m.ID, d.From, d.ReplyTo, Mailbox{Name: m.Name, Address: m.To}, fields)
	if err != nil {
		return templateProblem(err)
	}
	var raw bytes.Buffer
	if err := appendEML(&raw, message, w.options.Now); err != nil {
		return fmt.Errorf("writing the mail of group %d: %w", m.Groups[0], err)
	}
	m.SHA256, m.Subject = casefile.Digest(raw.Bytes()), message.Subject
	w.files.write(m.File, raw.Bytes())
	if err := box.add(raw.Bytes()); err != nil {
		return err
	}
	d.Mails = append(d.Mails, m)
	w.refunds = append(w.refunds, refundText(fields.Refund))
	return page.add(c, m, message)
}

func refundText(refund templates.MailRefund) string {
	return strings.TrimSpace(refund.State + " " + refund.Amount)
}

// nextFile is the next name that no mail of before has.
func (w *draftWriter) nextFile() string {
	width := max(4, len(fmt.Sprint(len(w.found.customers)+len(w.taken))))
	for {
		w.number++
		if name := fmt.Sprintf("%0*d.eml", width, w.number); !w.taken[name] {
			return name
		}
	}
}

func (w *draftWriter) lists(dir string) error {
	d := w.drafts
	err := casefile.WriteFile(filepath.Join(dir, SupportName), func(out io.Writer) error { return writeSupport(out, d.Mails, w.found.entries, w.refunds) })
	if err == nil && len(d.Skipped) > 0 {
		err = casefile.WriteFile(filepath.Join(dir, SkippedName), func(out io.Writer) error { return writeSkipped(out, d.Skipped) })
	}
	if err != nil {
		return err
	}
	return casefile.WriteJSON(filepath.Join(dir, IndexName), d)
}

// templateProblem gives a fault of a template its next step.
func templateProblem(err error) error {
	if fault, ok := errors.AsType[*templates.MailTemplateError](err); ok {
		return TemplateProblem(fault)
	}
	return fmt.Errorf("filling the template: %w", err)
}

// TemplateProblem is the Problem for a template that cannot be used.
func TemplateProblem(fault *templates.MailTemplateError) error {
	return &Problem{Code: casefile.CodeBadInput, Message: "the template " + fault.Error(), Hint: "`twinrow notify draft --print-fields` lists what a template may use; no draft was written"}
}

// mailID names the mail to an address in a case: the same each time, so that
// the ledger knows the mail again.
func mailID(caseID string, a address) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{caseID, a.identity}, "\n")))
	return hex.EncodeToString(sum[:8])
}
