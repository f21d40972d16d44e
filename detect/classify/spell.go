package classify

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Spell writes a duration for a person: "79 ms", "1 s", "43 h 15 m 18 s".
// Hours are the largest unit, so that a gap reads like a retry schedule; from a
// second on, fractions are kept to the millisecond and only below a minute. The
// widest duration there is stands for all that are wider.
func Spell(d time.Duration) string {
	switch {
	case d < 0:
		return "-" + Spell(-d)
	case d == math.MaxInt64:
		return "more than 292 years"
	case d == 0:
		return "0 s"
	case d < time.Millisecond:
		return trim(float64(d)/float64(time.Microsecond), 3) + " µs"
	case d < time.Second:
		return trim(float64(d)/float64(time.Millisecond), 3) + " ms"
	case d < time.Minute:
		return trim(float64(d.Round(time.Millisecond))/float64(time.Second), 3) + " s"
	}
	d = d.Round(time.Second)
	var parts []string
	for _, unit := range []struct {
		size time.Duration
		name string
	}{{time.Hour, "h"}, {time.Minute, "m"}, {time.Second, "s"}} {
		if n := d / unit.size; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, unit.name))
			d %= unit.size
		}
	}
	return strings.Join(parts, " ")
}

// trim writes f with as many decimals as it has, up to those given.
func trim(f float64, decimals int) string {
	return strings.TrimRight(strings.TrimRight(strconv.FormatFloat(f, 'f', decimals, 64), "0"), ".")
}

// spellBeside is Spell, with as many digits as it takes to tell d from the
// limit that it lies beside.
func spellBeside(d, limit time.Duration) string {
	if d != limit && d > 0 && Spell(d) == Spell(limit) {
		return trim(d.Seconds(), 6) + " s"
	}
	return Spell(d)
}
