package report

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"twinrow/detect/casefile"
)

// Duration writes microseconds for a person: "79 ms", "2.02 s", "43 h 15 m
// 18 s". Hours are the largest unit, as in the reasons that the evidence
// gives; fractions of a second are kept below a minute.
func Duration(us int64) string {
	switch {
	case us < 0:
		return "-" + Duration(-us)
	case us == 0:
		return "0 s"
	case us < 1000:
		return strconv.FormatInt(us, 10) + " µs"
	case us < 1_000_000:
		return decimal(us, 1000) + " ms"
	case us < 60_000_000:
		return decimal((us+500)/1000, 1000) + " s"
	}
	seconds := (us + 500_000) / 1_000_000
	var parts []string
	for _, unit := range []struct {
		seconds int64
		name    string
	}{{3600, "h"}, {60, "m"}, {1, "s"}} {
		if n := seconds / unit.seconds; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, unit.name))
			seconds %= unit.seconds
		}
	}
	return strings.Join(parts, " ")
}

func decimal(n, unit int64) string {
	text := fmt.Sprintf("%d.%03d", n/unit, n%unit)
	return strings.TrimRight(strings.TrimRight(text, "0"), ".")
}

// Instant writes a document's time for a person, without "T" and "Z"; the
// reader is told elsewhere that it is UTC. nil gives "no time".
func Instant(at *string) string {
	if at == nil {
		return "no time"
	}
	if _, err := time.Parse(time.RFC3339Nano, *at); err != nil {
		return Plain(*at)
	}
	return strings.TrimSuffix(strings.Replace(*at, "T", " ", 1), "Z")
}

// Count writes a number with its noun: "1 row", "12,000 rows". The noun takes
// an s for all but one.
func Count[N int | int64](n N, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return Number(n) + " " + noun + "s"
}

// Sentence gives a line a capital and, where it has none yet, a full stop.
func Sentence(line string) string { return strings.TrimSuffix(Capital(line), ".") + "." }

// Capital gives a line a capital.
func Capital(line string) string {
	first, size := utf8.DecodeRuneInString(line)
	if first == utf8.RuneError {
		return line
	}
	return string(unicode.ToUpper(first)) + line[size:]
}

// Number writes a number with commas between the thousands.
func Number[N int | int64](n N) string {
	digits := strconv.FormatInt(int64(n), 10)
	start := 0
	if digits[0] == '-' {
		start = 1
	}
	for i := len(digits) - 3; i > start; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// Values writes fields' values in a row, each made Plain, with a separator
// between them; NULL is written as NULL.
func Values(f casefile.Fields, separator string) string {
	texts := make([]string, len(f))
	for i, field := range f {
		texts[i] = Value(field.Value)
	}
	return strings.Join(texts, separator)
}

// Value makes one value Plain; nil is NULL.
func Value(value *string) string {
	if value == nil {
		return "NULL"
	}
	return Plain(*value)
}
