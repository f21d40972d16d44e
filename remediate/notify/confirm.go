package notify

import (
	"context"
	"errors"
	"fmt"
	"time"

	"twinrow/detect/casefile"
)

// Activity is what a provider can tell of mails that it handled.
type Activity interface {
	// Find looks for one of our mails by its id; nil where it is not known.
	Find(ctx context.Context, mail, to string) (*Handled, error)
	// Mails lists those to an address of which anything was heard since then;
	// subject narrows them, "" takes all.
	Mails(ctx context.Context, to, subject string, since time.Time) ([]Handled, error)
	// Begun is when the provider began with a mail, zero where it does not know.
	Begun(ctx context.Context, id string) (time.Time, error)
}

// Handled is one mail that a provider handled.
type Handled struct {
	ID, To, Subject string
	// Status is the provider's word, as "delivered".
	Status string
	// LastEvent is in UTC; zero where it is not known.
	LastEvent time.Time
}

// ConfirmOptions say how to settle.
type ConfirmOptions struct {
	Tool casefile.Tool
	// AbsentAsFailed settles as failed what the provider does not know an hour
	// after it may have been sent. Then the next send tries again.
	AbsentAsFailed bool
	// Now is the time of the call where it is zero.
	Now time.Time
	// Each is called after every mail; it may be nil.
	Each func(to string, state State, reason string)
}

// Confirmed counts what a run of Confirm did.
type Confirmed struct {
	// Accepted and Failed were settled; Absent are not known to the provider
	// and stay unknown; Elsewhere went out through another carrier; Left were
	// not asked about.
	Accepted, Failed, Absent, Elsewhere, Left int
}

// absentAfter is how long after an attempt a provider's silence is taken for an
// answer: activity is not there at once.
const absentAfter = time.Hour

// Confirm asks the provider about every mail whose fate is unknown and settles
// those that it knows. A mail that was not found stays unknown, unless the
// caller says otherwise: a provider in trouble may be late.
func Confirm(ctx context.Context, opened *casefile.Opened, provider Activity, options ConfirmOptions) (*Confirmed, error) {
	done := &Confirmed{}
	if options.Now.IsZero() {
		options.Now = time.Now()
	}
	book, err := openLedger(opened.Dir, opened.ID, opened.SHA256, options.Tool)
	if err != nil {
		return done, err
	}
	defer book.Close()
	if err := book.closeClaims(); err != nil {
		return done, err
	}
	var unknown []record
	for _, id := range book.order {
		if r := book.last[id]; r.State == Unknown {
			unknown = append(unknown, r)
		}
	}
	for i, r := range unknown {
		done.Left = len(unknown) - i
		if r.Via == "smtp" {
			done.Elsewhere++
			continue
		}
		found, err := provider.Find(ctx, r.Mail, r.To)
		if err != nil {
			return done, confirmStopped(done, err)
		}
		if err := book.confirm(r, found, options, done); err != nil {
			return done, err
		}
	}
	done.Left = 0
	return done, nil
}

// confirm records what the provider said of one mail.
func (l *ledger) confirm(r record, found *Handled, options ConfirmOptions, done *Confirmed) error {
	state, id, reason := Unknown, "", "the provider's activity does not know it so far"
	switch {
	case found != nil:
		state, id, reason = Accepted, found.ID, "found in the provider's activity: "+found.Status
		done.Accepted++
	case options.AbsentAsFailed && olderThan(r, absentAfter, options.Now):
		state, reason = Failed, "the provider's activity does not know it an hour and more after it may have been sent"
		done.Failed++
	default:
		done.Absent++
	}
	if state != Unknown { // else the ledger holds already all there is to know
		if err := l.append(Mail{ID: r.Mail, To: r.To, Groups: make([]int, r.Groups)}, state, id, reason); err != nil {
			return err
		}
	}
	if options.Each != nil {
		options.Each(r.To, state, reason)
	}
	return nil
}

func olderThan(r record, age time.Duration, now time.Time) bool {
	at, err := time.Parse(time.RFC3339Nano, r.At)
	return err == nil && now.Sub(at) > age
}

// confirmStopped says how to go on where some mails were asked about already.
func confirmStopped(done *Confirmed, cause error) error {
	if problem, ok := errors.AsType[*Problem](cause); ok && done.Accepted+done.Failed+done.Absent == 0 {
		return problem
	}
	return &Problem{Code: casefile.CodeStopped, Message: fmt.Sprintf("stopped with %s settled and %d not asked about", casefile.Count(done.Accepted+done.Failed, "mail"), done.Left), Hint: "run `twinrow notify confirm` again: it asks about those that are still unknown", Err: cause}
}
