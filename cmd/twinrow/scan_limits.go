package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/urfave/cli/v2"

	"twinrow/detect/key"
	"twinrow/detect/scan"
	"twinrow/report"
)

// limits are how far a scan may go.
type limits struct {
	// throttle is bytes a second, maxRead bytes; 0 for none.
	throttle, maxRead int64
	// maxAge is that of the snapshot, 0 for any.
	maxAge time.Duration
}

func limitsOf(c *cli.Context) (limits, error) {
	l := limits{maxAge: c.Duration("max-snapshot-age")}
	if l.maxAge < 0 {
		return l, &key.Problem{Code: key.CodeUsage, Message: "--max-snapshot-age is less than 0", Hint: "write it as in --max-snapshot-age 1h"}
	}
	var err error
	if l.throttle, err = sizeFlag(c, "throttle", "--throttle 50MB/s"); err != nil {
		return l, err
	}
	l.maxRead, err = sizeFlag(c, "max-read", "--max-read 20GB")
	return l, err
}

// sizeFlag reads a size, or a size a second; 0 where the flag was not given. A
// number without a unit is refused: who writes 50 means megabytes more often
// than bytes.
func sizeFlag(c *cli.Context, flag, example string) (int64, error) {
	text := strings.TrimSpace(c.String(flag))
	if text == "" {
		return 0, nil
	}
	if !strings.ContainsAny(text, "bBkKmMgGtTpPeE") {
		if _, err := strconv.ParseFloat(strings.TrimSuffix(text, "/s"), 64); err == nil {
			return 0, &key.Problem{Code: key.CodeUsage, Message: "--" + flag + " " + text + " has no unit", Hint: "write it as in " + example + "; B is bytes, kB, MB and GB are powers of 1000, KiB, MiB and GiB of 1024"}
		}
	}
	bytes, err := humanize.ParseBytes(strings.TrimSuffix(text, "/s"))
	if err != nil || bytes == 0 || bytes > 1<<62 {
		return 0, &key.Problem{Code: key.CodeUsage, Message: "--" + flag + " " + c.String(flag) + " is no size", Hint: "write it as in " + example}
	}
	return int64(bytes), nil
}

// worthSaying is the size of a file from which on it is told what will be
// read; a server's reading is always told.
const worthSaying = 64 << 20

// foresee says what will be read and refuses what is over --max-read.
func (p *program) foresee(c *cli.Context, bounds limits) func([]scan.Forecast) error {
	return func(ahead []scan.Forecast) error {
		var all int64
		unsized := false
		var expected time.Duration
		for _, f := range ahead {
			all += f.Reads()
			unsized = unsized || f.Unsized
			expected += bounds.paced(f)
			if f.Served || f.Bytes >= worthSaying {
				p.say(c, "%s", bounds.foretell(f))
				p.say(c, "  %s: %s", f.Way, f.Reason)
			}
			if f.Unpaced && bounds.throttle > 0 {
				p.say(c, "  --throttle holds none of it back: the server reads it in a few long statements")
			}
		}
		if bounds.maxAge > 0 && expected > bounds.maxAge {
			p.say(c, "that is longer than --max-snapshot-age %s, after which the scan stops", bounds.maxAge)
		}
		switch {
		case bounds.maxRead == 0 || c.Bool("yes"):
			return nil
		case unsized:
			return &key.Problem{
				Code: key.CodeRefused, Message: fmt.Sprintf("how much the %s would read cannot be told beforehand, so it cannot be held to --max-read %s", c.Command.Name, c.String("max-read")),
				Hint: "add --yes to read it all the same, or scan the tables behind it",
			}
		case all > bounds.maxRead:
			return &key.Problem{
				Code: key.CodeRefused, Message: fmt.Sprintf("the %s would read %s, over --max-read %s", c.Command.Name, humanize.Bytes(uint64(all)), c.String("max-read")),
				Hint: "add --yes to read it all the same, or scan less with --where over an export, a standby, or a partition",
			}
		}
		return nil
	}
}

// paced is how long a reading takes if it is held back.
func (l limits) paced(f scan.Forecast) time.Duration {
	if l.throttle == 0 || f.Unpaced {
		return f.Expected
	}
	return max(f.Expected, time.Duration(float64(f.Reads())/float64(l.throttle)*float64(time.Second)))
}

// foretell says in one line what a table's reading will cost.
func (l limits) foretell(f scan.Forecast) string {
	text := "reading " + f.Table + ": " + humanize.Bytes(uint64(f.Bytes))
	if f.Rows > 0 {
		text += ", about " + report.Number(f.Rows) + " rows"
	}
	if f.Passes > 1 {
		text += fmt.Sprintf(", in %d passes so that --memory is enough", f.Passes)
	}
	if f.Unsized {
		text = "reading " + f.Table + ": a size that is not known"
	}
	if f.Besides > 0 {
		text += fmt.Sprintf(", and %s besides, %s", humanize.Bytes(uint64(f.Besides)), f.Why)
	}
	if f.Again > 0 && f.Unpaced {
		text += fmt.Sprintf(", and %s again for the times if a key repeats", humanize.Bytes(uint64(f.Again)))
	} else if f.Again > 0 {
		text += fmt.Sprintf(", and %s again if a key repeats, because the rows do not lie in the order of their times", humanize.Bytes(uint64(f.Again)))
	}
	took := l.paced(f)
	switch {
	case took == 0 && !f.Tried && f.Served:
		return text + "; how long it takes cannot be told beforehand"
	case took == 0 && !f.Tried:
		return text
	case took < time.Second:
		return text + ", expected to take less than a second"
	}
	return text + ", expected to take about " + report.Duration(roughly(took).Microseconds())
}

// roughly rounds a time that is only guessed, to two digits or so.
func roughly(d time.Duration) time.Duration {
	for _, step := range []time.Duration{time.Hour, time.Minute, time.Second} {
		if d >= 10*step {
			return d.Round(step)
		}
	}
	return d.Round(100 * time.Millisecond)
}
