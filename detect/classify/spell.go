package classify

import (
	"fmt"
	"strings"
	"time"
)

// Spell writes a duration for a person: "79 ms", "1 s", "43 h 15 m 18 s".
// Hours are the largest unit, so that a gap reads like a retry schedule; from a
// second on, fractions are kept to the millisecond and only below a minute.
func Spell(d time.Duration) string {
	switch {
	case d < 0:
		return "-" + Spell(-d)
	case d == 0:
		return "0 s"
	case d < time.Millisecond:
		return trim(float64(d)/float64(time.Microsecond)) + " µs"
	case d < time.Second:
		return trim(float64(d)/float64(time.Millisecond)) + " ms"
	case d < time.Minute:
		return trim(float64(d.Round(time.Millisecond))/float64(time.Second)) + " s"
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

func trim(f float64) string {
	return strings.TrimRight(strings.TrimRight(fmt.Sprintf("%.3f", f), "0"), ".")
}
