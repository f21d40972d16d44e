package notify

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"twinrow/detect/casefile"
)

// SendOptions say which drafts to send.
type SendOptions struct {
	// Tool is the program that writes the ledger.
	Tool casefile.Tool
	// Limit is how many mails to send at most; 0 means all.
	Limit int
	// Only is the one address to write to; empty means all.
	Only string
	// Rate is how many mails a second are sent at most; 0 sets no limit.
	Rate float64
	// PlanSHA256 is the digest of the plan as it is now, or empty. Drafts made
	// from another plan are refused, for they could name the wrong row.
	PlanSHA256 string
	// Removed holds the groups whose copies are removed now; nil where that is
	// not known. Drafts that call others removed are refused.
	Removed map[int]bool
	// Each is called after every mail with the state it came to; it may be nil.
	Each func(m Mail, state State, reason string)
}

// Sent is what a run of Send did.
type Sent struct {
	// Accepted, Failed, Unknown and Suppressed count the mails of this run.
	Accepted, Failed, Unknown, Suppressed int
	// Checked counts those that the provider looked at in its sandbox and did
	// not send; they stay drafts.
	Checked int
	// Left counts the mails that this run was to send and did not come to.
	Left int
	// Notes say what a person ought to know.
	Notes []string
}

// Limits of a run.
const (
	// maxTries is how often one mail is attempted where it is certain that the
	// attempts before it were not taken.
	maxTries = 6
	// maxUnknown results one after another end a run: a provider that does not
	// answer would else leave nobody knowing about any mail.
	maxUnknown = 3
)

// Pending returns the drafts that Send would send, in the order it would.
func Pending(opened *casefile.Opened, options SendOptions) ([]Mail, error) {
	d, err := loadCurrent(opened, options)
	if err != nil {
		return nil, err
	}
	account, _, err := peek(opened.Dir)
	if err != nil {
		return nil, err
	}
	return pending(d.Mails, account, options)
}

func loadCurrent(opened *casefile.Opened, options SendOptions) (*Drafts, error) {
	d, err := LoadDrafts(opened)
	if err != nil {
		return nil, err
	}
	if d.PlanSHA256 != "" && options.PlanSHA256 != "" && d.PlanSHA256 != options.PlanSHA256 {
		return nil, &Problem{Code: casefile.CodeDrift, Message: "the plan was made again after the drafts, so they may name the wrong rows", Hint: "run `twinrow notify draft` again"}
	}
	for _, group := range d.Removed {
		if options.Removed != nil && !options.Removed[group] {
			return nil, &Problem{Code: casefile.CodeDrift, Message: fmt.Sprintf("the drafts say that the copies of group %d are removed, and they are back", group), Hint: "run `twinrow notify draft` again"}
		}
	}
	return d, nil
}

// pending leaves out what was sent or may have been. A mail that failed or was
// suppressed comes again: certainly nobody took it.
func pending(mails []Mail, a *account, options SendOptions) ([]Mail, error) {
	var only string
	if options.Only != "" {
		parsed, err := parseAddress(options.Only)
		if err != nil {
			return nil, &Problem{Code: casefile.CodeUsage, Message: "--only is no mail address", Err: err}
		}
		only = parsed.identity
	}
	var out []Mail
	matched := false
	for _, m := range mails {
		if only != "" && strings.ToLower(m.To) != only {
			continue
		}
		matched = true
		switch a.last[m.ID].State {
		case Claimed, Accepted, Unknown:
			continue
		}
		if options.Limit == 0 || len(out) < options.Limit {
			out = append(out, m)
		}
	}
	if only != "" && !matched {
		return nil, &Problem{Code: casefile.CodeNotFound, Message: "no draft is for the address of --only", Hint: "see `twinrow notify status` for those there are"}
	}
	return out, nil
}

// Send hands the drafts to the carrier, one after another. Each is claimed in
// the ledger before the request and its result recorded after it, so whatever
// happens in between, no mail goes out twice. The result counts what was done
// even where the error is not nil; where ctx is cancelled, the mail in hand is
// finished first.
func Send(ctx context.Context, opened *casefile.Opened, carrier Carrier, options SendOptions) (*Sent, error) {
	s := &sender{opened: opened, carrier: carrier, options: options, sent: &Sent{}, pace: pace{rate: options.Rate, now: time.Now}, wait: wait}
	return s.sent, s.run(ctx)
}

type sender struct {
	opened  *casefile.Opened
	carrier Carrier
	options SendOptions
	book    *ledger
	sent    *Sent
	// mayNotAsk is set once the carrier may not read the suppressions.
	mayNotAsk bool
	// unknown counts the unknown results one after another.
	unknown int
	// elsewhere are the addresses that were written to in another case.
	elsewhere map[string]string
	pace      pace
	wait      func(context.Context, time.Duration) error
}

func (s *sender) run(ctx context.Context) (err error) {
	s.book, err = openLedger(s.opened.Dir, s.opened.ID, s.opened.SHA256, s.options.Tool)
	if err != nil {
		return err
	}
	defer s.book.Close()
	s.book.via = s.carrier.Name()
	if err := s.book.closeClaims(); err != nil {
		return err
	}
	d, err := loadCurrent(s.opened, s.options) // under the lock: nobody drafts meanwhile
	if err != nil {
		return err
	}
	if s.elsewhere, err = writtenElsewhere(d.Also); err != nil {
		return err
	}
	mails, err := pending(d.Mails, s.book.account, s.options)
	if err != nil {
		return err
	}
	for i, m := range mails {
		s.sent.Left = len(mails) - i
		if ctx.Err() != nil {
			return s.stopped(ctx.Err())
		}
		if err := s.one(ctx, m); err != nil {
			return s.stopped(err)
		}
		s.sent.Left--
		if s.unknown == maxUnknown && s.sent.Left > 0 {
			return s.stopped(fmt.Errorf("%d mails in a row got no answer", maxUnknown))
		}
	}
	return nil
}

// closeClaims settles what a run that was killed left claimed: nobody knows
// whether those were taken.
func (l *ledger) closeClaims() error {
	for _, id := range l.order {
		if r := l.last[id]; r.State == Claimed {
			r.At, r.State, r.Draft = l.now().UTC().Format(time.RFC3339Nano), Unknown, ""
			r.Reason = "the run that was sending it ended before the answer came"
			if err := l.write(r); err != nil {
				return err
			}
			l.take(r)
		}
	}
	return nil
}

// one sends one mail and records what became of it.
func (s *sender) one(ctx context.Context, m Mail) error {
	message, err := LoadMessage(s.opened, m)
	if err != nil {
		return err
	}
	reason, err := s.suppressed(ctx, m)
	if err != nil {
		return err
	}
	if reason != "" {
		s.sent.Suppressed++
		return s.record(m, Outcome{State: Suppressed, Reason: reason})
	}
	for try := 1; ; try++ {
		if err := s.wait(ctx, s.pace.next()); err != nil {
			return err
		}
		if err := s.book.append(m, Claimed, "", ""); err != nil {
			return err
		}
		outcome := s.carrier.Send(ctx, message)
		if outcome.Again && try < maxTries {
			// Released before the wait: a run that is killed in it leaves a draft.
			if err := s.book.append(m, Drafted, "", outcome.Reason); err != nil {
				return err
			}
			if err := s.wait(ctx, outcome.Wait); err != nil {
				return err
			}
			continue
		}
		if outcome.Again {
			outcome.Stop = &Problem{Code: casefile.CodeConnection, Message: "the mail provider took no mail: " + outcome.Reason, Hint: "run `twinrow notify send` again later"}
		}
		s.count(outcome)
		return errors.Join(s.record(m, outcome), outcome.Stop)
	}
}

func (s *sender) suppressed(ctx context.Context, m Mail) (string, error) {
	if detail := s.elsewhere[strings.ToLower(m.To)]; detail != "" {
		return detail, nil
	}
	if s.mayNotAsk {
		return "", nil
	}
	reason, err := s.carrier.Suppressed(ctx, m.To)
	if errors.Is(err, ErrMayNotAsk) {
		s.mayNotAsk = true
		s.sent.Notes = append(s.sent.Notes, mayNotAskNote)
		return "", nil
	}
	return reason, err
}

func (s *sender) count(outcome Outcome) {
	if outcome.State != Unknown {
		s.unknown = 0
	}
	switch outcome.State {
	case Accepted:
		s.sent.Accepted++
	case Failed:
		s.sent.Failed++
	case Unknown:
		s.sent.Unknown++
		s.unknown++
	case Drafted:
		if outcome.Stop == nil {
			s.sent.Checked++
		}
	}
}

func (s *sender) record(m Mail, outcome Outcome) error {
	err := s.book.append(m, outcome.State, outcome.MessageID, outcome.Reason)
	if err == nil && s.options.Each != nil {
		s.options.Each(m, outcome.State, outcome.Reason)
	}
	return err
}

// stopped says how to go on. Where nothing was done yet, a Problem stands for
// itself; after that the run is one that stopped part-way.
func (s *sender) stopped(cause error) error {
	done := s.sent.Accepted + s.sent.Failed + s.sent.Unknown + s.sent.Suppressed
	var problem *Problem
	if errors.As(cause, &problem) && done == 0 {
		return cause
	}
	stop := &Problem{Code: casefile.CodeStopped, Message: fmt.Sprintf("stopped with %s accepted and %d left", casefile.Count(s.sent.Accepted, "mail"), s.sent.Left), Hint: "see `twinrow notify status`, then run `twinrow notify send` again: it goes on where this run stopped", Err: cause}
	if problem != nil && problem.Hint != "" {
		stop.Hint = problem.Hint
	}
	return stop
}

// wait returns early with the context's error.
func wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
