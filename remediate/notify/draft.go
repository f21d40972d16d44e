package notify

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"twinrow/detect/casefile"
)

// Draft writes one mail a customer into the case's directory of drafts, with
// the list for the help desk, and returns what it wrote and what it left out.
// choices hold what the plan decided about each group. Drafts that are there
// are replaced as a whole, unless one of their mails may have been sent.
// Where it fails, the drafts are as they were.
func Draft(ctx context.Context, opened *casefile.Opened, groups []*casefile.Group, choices []Choice, options Options) (*Drafts, error) {
	d, err := newDrafts(opened, &options)
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
	if n := book.mayHaveBeenSent(); n > 0 {
		return nil, &Problem{Code: casefile.CodeExists, Message: fmt.Sprintf("%d mails of this case were sent or may have been, so its drafts stay as they are", n), Hint: "see `twinrow notify status`; `notify send` goes on with the rest"}
	}
	found, err := collect(opened, groups, choices)
	if err != nil {
		return nil, err
	}
	if err := d.dropSuppressed(ctx, found, options.Suppressions); err != nil {
		return nil, err
	}
	d.Skipped = append(d.Skipped, found.skipped...)
	if err := replaceDirectory(opened.Dir, func(dir string) error { return d.write(ctx, dir, opened, found.customers, &options) }); err != nil {
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
		CreatedAt: options.Now.UTC().Format(time.RFC3339), Mails: []Mail{}, Skipped: []Skip{}, Notes: []string{}}
	var err error
	if d.From, err = parseMailbox("--from", options.From); err != nil {
		return nil, err
	}
	d.ReplyTo = d.From
	if options.ReplyTo != "" {
		d.ReplyTo, err = parseMailbox("--reply-to", options.ReplyTo)
	}
	return d, err
}

func namesAddresses(opened *casefile.Opened) bool {
	for i := range opened.Tables {
		if opened.Tables[i].Email != "" {
			return true
		}
	}
	return false
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
			d.Skipped = append(d.Skipped, Skip{Group: e.group.Number, Table: e.table.Name, Reason: IsSuppressed, Detail: reason, Address: c.address.deliver, Name: c.name})
		}
	}
	found.customers = kept
	return nil
}

const mayNotAskNote = "the API key has no right to read the suppression lists, so they were not asked; the provider itself drops mail to addresses on them"

// write puts all files into a directory that nobody sees yet.
func (d *Drafts) write(ctx context.Context, dir string, opened *casefile.Opened, customers []*customer, options *Options) error {
	width := max(4, len(fmt.Sprint(len(customers))))
	var raw bytes.Buffer
	for i, c := range customers {
		if err := ctx.Err(); err != nil {
			return err
		}
		m := Mail{ID: mailID(opened.ID, c.address), To: c.address.deliver, Name: c.name, File: fmt.Sprintf("%0*d.eml", width, i+1)}
		for _, e := range c.entries {
			m.Groups = append(m.Groups, e.group.Number)
		}
		message, err := draftMessage(opened.ID, m.ID, d.From, d.ReplyTo, Mailbox{Name: m.Name, Address: m.To},
			compose(opened.Source.Engine, c, d.ReplyTo, d.From.Name, options.Noun))
		if err != nil {
			return fmt.Errorf("filling the template: %w", err)
		}
		raw.Reset()
		if err := appendEML(&raw, message, options.Now); err != nil {
			return fmt.Errorf("writing the mail of group %d: %w", m.Groups[0], err)
		}
		m.SHA256 = casefile.Digest(raw.Bytes())
		if err := os.WriteFile(filepath.Join(dir, m.File), raw.Bytes(), 0o600); err != nil {
			return err
		}
		d.Mails = append(d.Mails, m)
	}
	return d.writeLists(dir, customers)
}

func (d *Drafts) writeLists(dir string, customers []*customer) error {
	err := casefile.WriteFile(filepath.Join(dir, SupportName), func(w io.Writer) error { return writeSupport(w, d.Mails, customers) })
	if err == nil && len(d.Skipped) > 0 {
		err = casefile.WriteFile(filepath.Join(dir, SkippedName), func(w io.Writer) error { return writeSkipped(w, d.Skipped) })
	}
	if err != nil {
		return err
	}
	return casefile.WriteJSON(filepath.Join(dir, IndexName), d)
}

// mailID names the mail to an address in a case: the same each time, so that
// the ledger knows the mail again.
func mailID(caseID string, a address) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{caseID, a.identity}, "\n")))
	return hex.EncodeToString(sum[:8])
}
