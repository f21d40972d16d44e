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
	// Coarse is the step of a value that shows no seconds: a minute or a day.
	// It is 0 where there are seconds.
	Coarse time.Duration
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
	{"2006-01-02 15:04:05-07:00:00", true}, // Postgres, before zones had whole minutes
	{"2006-01-02T15:04:05-0700", true},
	{"2006-01-02T15:04:05-07", true},
	{"2006-01-02 15:04:05 -0700", true},
	{"2006-01-02 15:04:05 -07:00", true},
	{"2006-01-02 15:04:05 UTC", true},
	{"2006-01-02 15:04:05 GMT", true},
	{"2006-01-02 15:04Z07:00", true},
	{"2006-01-02T15:04Z07:00", true},
	{"20060102T150405Z07:00", true},
	{"2006-01-02 15:04:05", false},
	{"2006-01-02T15:04:05", false},
	{"2006-01-02 15:04", false},
	{"2006-01-02T15:04", false},
	{"2006-01-02", false},
	{"20060102T150405", false},
}

// ParseInstant reads a time as databases and exports write it: ISO 8601 and
// its SQL variants, or a number of seconds, milliseconds, microseconds or
// nanoseconds since 1970, told apart by magnitude (a number of seconds is
// below 1e11, that is before the year 5138). Eight or fourteen digits that
// make a date of 1900 to 2199 are that date. A time without a zone is UTC.
func ParseInstant(text string) (Instant, error) {
	trimmed := strings.TrimSpace(text)
	if at, ok := parseCompact(trimmed); ok {
		return at, nil
	}
	if at, ok := parseEpoch(trimmed); ok {
		return at, nil
	}
	if len(trimmed) < shortest {
		return Instant{}, fmt.Errorf("%q is not a time", text)
	}
	upper := strings.ToUpper(trimmed) // RFC 3339 allows t and z
	// An error costs more than all else here: what looks right is tried first.
	for _, wanted := range []bool{true, false} {
		for _, l := range layouts {
			if looksLike(upper, l.layout, l.zoned) != wanted {
				continue
			}
			if t, err := time.Parse(l.layout, upper); err == nil {
				return Instant{Time: t.UTC(), Digits: fractionDigits(upper), Coarse: coarse(l.layout), Zoned: l.zoned}, nil
			}
		}
	}
	return Instant{}, fmt.Errorf("%q is not a time", text)
}

// shortest is the least length of a time that is no number: that of a date.
const shortest = len("2006-01-02")

// looksLike tells whether a text has the marks of a layout where that has
// them, up to the seconds, and a zone behind them if it should, of a kind.
func looksLike(text, layout string, zoned bool) bool {
	stem := layout[:min(len(layout), len("2006-01-02 15:04:05"))]
	if len(text) < len(stem) {
		return false
	}
	for i := range len(stem) {
		if mark := stem[i]; (mark < '0' || mark > '9' || text[i] < '0' || text[i] > '9') && mark != text[i] {
			return false
		}
	}
	zone := strings.TrimLeft(text[len(stem):], ".,0123456789")
	if !zoned || zone == "" {
		return !zoned && zone == ""
	}
	own := layout[len(stem):]
	return (own == "Z07:00" && (zone == "Z" || len(zone) == len("+07:00"))) || len(own) == len(zone) && own[0] != 'Z'
}

// parseCompact reads 20251224 and 20251224032037. As a number the first would
// be a day in 1970 and the second one in the year 2611.
func parseCompact(text string) (Instant, bool) {
	layout, ok := map[int]string{8: "20060102", 14: "20060102150405"}[len(text)]
	if !ok || !allDigits(text) {
		return Instant{}, false
	}
	t, err := time.Parse(layout, text)
	if err != nil || t.Year() < 1900 || t.Year() > 2199 {
		return Instant{}, false
	}
	return Instant{Time: t, Coarse: coarse(layout)}, true
}

// coarse is the step of a layout without seconds.
func coarse(layout string) time.Duration {
	switch {
	case strings.Contains(layout, "05"):
		return 0
	case strings.Contains(layout, "04"):
		return time.Minute
	default:
		return 24 * time.Hour
	}
}

// parseEpoch reads a number of six digits and more, which may have a fraction
// and an exponent: SQLite prints the reals that JavaScript stored as
// 1766546437914.0 and 1.766546437914e+15.
func parseEpoch(text string) (Instant, bool) {
	negative, whole, fraction, ok := decimal(text)
	n, err := strconv.ParseInt(whole, 10, 64)
	if !ok || err != nil || len(whole) < 6 {
		return Instant{}, false
	}
	if fraction == "0" { // a real that is a whole number
		fraction = ""
	}
	digits, perSecond := 0, int64(1)
	for limit := int64(1e11); n >= limit && digits < 9; limit *= 1000 {
		digits, perSecond = digits+3, perSecond*1000
	}
	rest, err := strconv.ParseInt((fraction + "000000000")[:9-digits]+"0", 10, 64)
	if err != nil {
		return Instant{}, false
	}
	seconds, nanos := n/perSecond, n%perSecond*(1e9/perSecond)+rest/10
	if negative {
		seconds, nanos = -seconds, -nanos
	}
	return Instant{Time: time.Unix(seconds, nanos).UTC(), Digits: min(digits+len(fraction), 9), Zoned: true}, true
}

// decimal splits a number into its digits before and after the point, with an
// exponent of ten worked in.
func decimal(text string) (negative bool, whole, fraction string, ok bool) {
	negative = strings.HasPrefix(text, "-")
	if negative || strings.HasPrefix(text, "+") {
		text = text[1:]
	}
	mantissa, exponent, scaled := strings.Cut(strings.ToLower(text), "e")
	whole, fraction, dotted := strings.Cut(mantissa, ".")
	if whole == "" || dotted && fraction == "" || !allDigits(whole) || !allDigits(fraction) {
		return false, "", "", false
	}
	if scaled {
		shift, err := strconv.Atoi(exponent)
		if err != nil || shift < 0 || shift > 18 {
			return false, "", "", false
		}
		padded := fraction + strings.Repeat("0", max(0, shift-len(fraction)))
		whole, fraction = whole+padded[:shift], padded[shift:]
	}
	return negative, whole, fraction, true
}

func allDigits(text string) bool { return strings.Trim(text, "0123456789") == "" }

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
