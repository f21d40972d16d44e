package notify

import (
	"fmt"
	"math"
	"time"
)

// whenMade is a time as a customer reads it. It is in UTC, since where the
// customer lives is not known.
func whenMade(t time.Time) string {
	return t.UTC().Format("2 January 2006 at 15:04 UTC")
}

// whenCopied says how much later, or earlier, a copy was made than the one to use.
func whenCopied(use, copied time.Time) string {
	gap := copied.Sub(use)
	switch {
	case gap == 0:
		return "made at the same time"
	case gap < 0:
		return "made " + roughly(-gap) + " earlier"
	}
	return "made " + roughly(gap) + " later"
}

// roughly is a duration in the one unit that a person would use for it.
func roughly(d time.Duration) string {
	switch {
	case d < time.Second:
		return "less than a second"
	case d < time.Minute:
		return count(int64(d/time.Second), "second")
	case d < time.Hour:
		return count(int64(math.Round(d.Minutes())), "minute")
	case d < 48*time.Hour:
		return "about " + count(int64(math.Round(d.Hours())), "hour")
	}
	return "about " + count(int64(math.Round(d.Hours()/24)), "day")
}

func count(n int64, unit string) string {
	if n == 1 {
		return "1 " + unit
	}
	return fmt.Sprintf("%d %ss", n, unit)
}

// parseTime reads a row's time as the evidence holds it.
func parseTime(text *string) (time.Time, bool) {
	if text == nil {
		return time.Time{}, false
	}
	t, err := time.Parse(time.RFC3339Nano, *text)
	return t, err == nil
}
