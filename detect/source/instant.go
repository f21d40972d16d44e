package source

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Instant is a point in time read from a value, with the number of decimal
// places of a second that the value shows.
type Instant struct {
	// Time is in UTC.
	Time time.Time
	// Digits is 0 to 9: 3 for milliseconds, 6 for microseconds.
	Digits int
	// Zoned is false where the text named no zone and UTC was assumed.
	Zoned bool
}

// layouts are tried in order; fractions of a second are accepted after any
// seconds field without being named (package time's own rule).
var layouts = []struct {
	layout string
	zoned  bool
}{
	{"2006-01-02T15:04:05Z07:00", true},
	{"2006-01-02 15:04:05Z07:00", true},
	{"2006-01-02 15:04:05-07", true},
	{"2006-01-02 15:04:05-0700", true},
	{"2006-01-02T15:04:05-0700", true},
	{"2006-01-02T15:04:05-07", true},
	{"2006-01-02 15:04:05 -0700", true},
	{"2006-01-02 15:04:05 UTC", true},
	{"2006-01-02 15:04:05", false},
	{"2006-01-02T15:04:05", false},
	{"2006-01-02 15:04", false},
	{"2006-01-02T15:04", false},
	{"2006-01-02", false},
}

// ParseInstant reads a time as databases and exports write it: ISO 8601 and
// its SQL variants, or a number of seconds, milliseconds, microseconds or
// nanoseconds since 1970, told apart by magnitude (a number of seconds is
// below 1e11, that is before the year 5138). A time without a zone is UTC.
func ParseInstant(text string) (Instant, error) {
	text = strings.TrimSpace(text)
	if at, ok := parseEpoch(text); ok {
		return at, nil
	}
	for _, l := range layouts {
		if t, err := time.Parse(l.layout, text); err == nil {
			return Instant{Time: t.UTC(), Digits: fractionDigits(text), Zoned: l.zoned}, nil
		}
	}
	return Instant{}, fmt.Errorf("%q is not a time", text)
}

// parseEpoch reads a whole number, or one of seconds with a fraction.
func parseEpoch(text string) (Instant, bool) {
	whole, fraction, dotted := strings.Cut(text, ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || len(strings.TrimLeft(whole, "+-")) < 6 {
		return Instant{}, false
	}
	magnitude := max(n, -n)
	switch {
	case dotted && magnitude < 1e11:
		nanos, err := strconv.ParseInt((fraction + "000000000")[:9], 10, 64)
		if err != nil || len(fraction) == 0 || strings.Trim(fraction, "0123456789") != "" {
			return Instant{}, false
		}
		if strings.HasPrefix(whole, "-") {
			nanos = -nanos
		}
		return Instant{Time: time.Unix(n, nanos).UTC(), Digits: min(len(fraction), 9), Zoned: true}, true
	case dotted:
		return Instant{}, false
	case magnitude < 1e11:
		return Instant{Time: time.Unix(n, 0).UTC(), Zoned: true}, true
	case magnitude < 1e14:
		return Instant{Time: time.UnixMilli(n).UTC(), Digits: 3, Zoned: true}, true
	case magnitude < 1e17:
		return Instant{Time: time.UnixMicro(n).UTC(), Digits: 6, Zoned: true}, true
	default:
		return Instant{Time: time.Unix(0, n).UTC(), Digits: 9, Zoned: true}, true
	}
}

// fractionDigits counts the digits after the point that follows the seconds.
func fractionDigits(text string) int {
	_, after, ok := strings.Cut(text, ".")
	if !ok {
		_, after, ok = strings.Cut(text, ",")
	}
	if !ok {
		return 0
	}
	digits := len(after) - len(strings.TrimLeft(after, "0123456789"))
	return min(digits, 9)
}
