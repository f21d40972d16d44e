package classify

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"twinrow/detect/casefile"
	"twinrow/detect/source"
)

// Clock says whose time stands in the time column and what is odd about it,
// and settles in f what follows from that for every group. groups hold the
// rows in order of time; now is when the scan was made.
// columnType is the time column's, as the catalogue prints it.
func Clock(groups [][]Evidence, f *Facts, t source.Transactions, columnType string, now time.Time) *casefile.Clock {
	c := &casefile.Clock{Writes: t.Writes, Default: t.Default, StepUS: f.Step.Microseconds()}
	f.Writes = t.Writes
	formats := map[string]bool{}
	for _, rows := range groups {
		for i := range rows {
			note(c, formats, &rows[i], now)
			if i > 0 {
				order(c, rows[i-1], rows[i], f.Windows.Race)
			}
		}
	}
	c.Formats = len(formats)
	f.Disordered = c.OutOfOrder > 0
	if c.Writes == source.WritesStart && f.Step > declaredStep(t.Default+" "+columnType) {
		c.Writes, f.Writes = source.WritesApplication, source.WritesApplication
		c.Says = append(c.Says, fmt.Sprintf("the time column's default is %s, but no value shows more than %s: the application writes it", t.Default, Spell(f.Step)))
	} else {
		c.Says = append(c.Says, whose(c))
	}
	if c.Writes == "" {
		c.Writes = "unknown"
	}
	c.Says = append(c.Says, oddities(c)...)
	return c
}

// manyFormats bounds what is kept of a column in which every value has another form.
const manyFormats = 20

func note(c *casefile.Clock, formats map[string]bool, e *Evidence, now time.Time) {
	text := strings.ToLower(strings.TrimSpace(e.Value.Text))
	switch {
	case e.Value.Null:
		c.Null++
	case strings.TrimLeft(text, "+-") == "infinity" || strings.TrimLeft(text, "+-") == "inf":
		c.Infinite++
	}
	if e.At == nil {
		return
	}
	if len(formats) < manyFormats {
		formats[form(text)] = true
	}
	if e.At.Zoned {
		c.Zoned++
	} else {
		c.Zoneless++
	}
	if e.At.Time.After(now.Add(clockError)) {
		c.Future++
	}
	if e.At.Time.Before(time.Unix(0, 0)) {
		c.Before1970++
	}
}

// form is how a time is written: its digits as 0, without its fraction, its
// sign and how the zone is named.
func form(text string) string {
	text = text[:min(len(text), 64)]
	out := make([]byte, 0, len(text))
	digits, fraction := 0, false
	for i := range len(text) {
		switch c := text[i]; {
		case c >= '0' && c <= '9':
			if digits++; !fraction {
				out = append(out, '0')
			}
		case c == '.' || c == ',':
			fraction = true
		case len(out) > 10 && (c == '+' || c == '-' || c == 'z'):
			return string(append(out, 'z'))
		default:
			fraction = false
			out = append(out, c)
		}
	}
	if digits == len(text) { // a number: its magnitude tells the unit
		return fmt.Sprintf("%d digits", digits)
	}
	return string(out)
}

// order counts neighbours whose ids and times run in different orders. Within
// the race window that is no wonder: a transaction that begins first need not
// insert first.
func order(c *casefile.Clock, before, row Evidence, window time.Duration) {
	if before.ID == nil || row.ID == nil || before.At == nil || row.At == nil {
		return
	}
	c.Pairs++
	if *row.ID < *before.ID && row.At.Time.Sub(before.At.Time) > window {
		c.OutOfOrder++
	}
}

var declared = regexp.MustCompile(`\((\d)\)|date_trunc`)

// declaredStep is the step that a default and a type leave.
func declaredStep(expression string) time.Duration {
	if declared.MatchString(strings.ToLower(expression)) {
		return 24 * time.Hour // as coarse as it says
	}
	return time.Microsecond
}

func whose(c *casefile.Clock) string {
	switch c.Writes {
	case source.WritesStart:
		return "the time column is the start of the transaction by the database's clock, as its default " + c.Default + " says"
	case source.WritesStatement:
		return "the time column is the moment of the statement by the database's clock, as its default " + c.Default + " says; the transaction may have begun before"
	case source.WritesApplication:
		if c.Default != "" {
			return "the time column's default is " + c.Default + ", which does not say when the transaction began"
		}
		return "the time column has no default, so the application writes it by its own clock"
	}
	return "whose clock the time column shows is not known"
}

// oddities are sentences about times that a person should look at.
func oddities(c *casefile.Clock) []string {
	var says []string
	add := func(n int64, text string) {
		if n > 0 {
			says = append(says, casefile.Count(int(n), "row")+" "+text)
		}
	}
	if c.OutOfOrder > 0 {
		says = append(says, fmt.Sprintf("%s of %d have their ids and times in different orders, which points to several clocks", casefile.Count(c.OutOfOrder, "pair"), c.Pairs))
	}
	if c.Formats > 1 {
		says = append(says, fmt.Sprintf("times are written in %d different forms", c.Formats))
	}
	if c.Zoned > 0 && c.Zoneless > 0 {
		add(c.Zoneless, "without a zone beside others with one: UTC was assumed for them")
	}
	add(c.Future, "with a time in the future")
	add(c.Before1970, "with a time before 1970")
	add(c.Infinite, "with an infinite time")
	add(c.Null, "without a time")
	return says
}
