package notify

import (
	"math"
	"time"

	"twinrow/templates"
)

// dateOf is a moment in UTC, since where the customer lives is not known.
func dateOf(t time.Time) templates.MailDate {
	t = t.UTC()
	return templates.MailDate{Year: t.Year(), Month: int(t.Month()), Day: t.Day(), Clock: t.Format("15:04")}
}

// spanBetween says how much later, or earlier, a copy was made than the one to
// use, in the one unit that a person would use for it.
func spanBetween(use, copied time.Time) templates.MailSpan {
	gap := copied.Sub(use)
	span := templates.MailSpan{Earlier: gap < 0}
	if gap < 0 {
		gap = -gap
	}
	switch {
	case gap == 0:
		span.Unit = "none"
	case gap < time.Second:
		span.Unit = "instant"
	case gap < time.Minute:
		span.N, span.Unit = int64(gap/time.Second), "second"
	case gap < time.Hour:
		span.N, span.Unit = int64(math.Round(gap.Minutes())), "minute"
	case gap < 48*time.Hour:
		span.N, span.Unit = int64(math.Round(gap.Hours())), "hour"
	default:
		span.N, span.Unit = int64(math.Round(gap.Hours()/24)), "day"
	}
	return span
}

// parseTime reads a row's time as the evidence holds it.
func parseTime(text *string) (time.Time, bool) {
	if text == nil {
		return time.Time{}, false
	}
	t, err := time.Parse(time.RFC3339Nano, *text)
	return t, err == nil
}
