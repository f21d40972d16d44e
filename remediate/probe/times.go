package probe

import (
	"context"
	"regexp"
	"strconv"
	"strings"
	"time"

	"twinrow/detect/casefile"
	"twinrow/remediate/probe/internal/gate"
	"twinrow/remediate/probe/overlap"
)

// serverTimes says where the target tells, by its own clock, when it worked on
// a request: in a header of the answer, in a row, or in a log. Times that are
// taken in front of the target, before its own queue, prove nothing.
type serverTimes struct {
	// header holds one time or two; with metric it is a Server-Timing header
	// (W3C) and metric names the entry whose dur, in milliseconds, counts.
	header, metric string
	// sql returns one row, with one time or two.
	location, sql string
	args          []source
	// began and ended are regular expressions for lines of the file log, with
	// the time as their group; they are templates. ended may be missing.
	log          string
	began, ended source
	where        string
}

// templates are the parts that are filled in for each request.
func (t *serverTimes) templates() []*source {
	all := []*source{&t.began, &t.ended}
	for i := range t.args {
		all = append(all, &t.args[i])
	}
	return all
}

// needsEffect tells whether times come with what the request did rather than
// with its answer, and so perhaps later.
func (t *serverTimes) needsEffect() bool { return t.header == "" }

// timesControls is how many control rounds there are where the target tells
// its times: with 30 gaps a window can be promised from 3 rounds on.
const timesControls = 30

// openTimes makes ready what the times are read from.
func (r *runner) openTimes(ctx context.Context) error {
	t := r.spec.times
	switch {
	case t == nil:
		return nil
	case r.deps.ParseTime == nil:
		return &casefile.Problem{Code: casefile.CodeUnsupported, Message: "the target's times cannot be read here"}
	case t.log != "":
		return t.checkLog()
	case t.sql == "" || r.sources[t.location] != nil:
		return nil
	}
	if r.deps.OpenRows == nil {
		return &casefile.Problem{Code: casefile.CodeUnsupported, Message: "rows cannot be read here"}
	}
	rows, err := r.deps.OpenRows(ctx, t.location)
	if err != nil {
		return err
	}
	r.sources[t.location] = rows
	return nil
}

// noteTimes keeps what the target told of control requests. A round with an
// answer that is missing says nothing.
func (r *runner) noteTimes(ctx context.Context, v *volley, shot *gate.Shot, logged int64) error {
	t := r.spec.times
	if t == nil {
		return nil
	}
	round := make([]overlap.Request, len(shot.Answers))
	for i := range shot.Answers {
		a := &shot.Answers[i]
		if a.Status == 0 || a.Done.IsZero() || a.Early {
			return nil
		}
		round[i] = overlap.Request{Sent: a.Sent, Done: a.Done, Group: i / r.spec.copies}
		if t.header != "" {
			round[i].Work, round[i].Told = r.fromHeader(a.Header.Values(t.header))
		}
	}
	if t.needsEffect() {
		if err := r.awaitTimes(ctx, v, round, logged); err != nil {
			return err
		}
	}
	r.times().Add(round)
	return nil
}

func (r *runner) fromHeader(values []string) (overlap.Work, bool) {
	if r.spec.times.metric != "" {
		return timing(strings.Join(values, ","), r.spec.times.metric)
	}
	return r.span(strings.Join(values, " "))
}

var (
	// between parts the two times of a span.
	between = regexp.MustCompile(`[\s,;/]+`)
	// duration is the dur of a Server-Timing entry, in milliseconds.
	duration = regexp.MustCompile(`(?i)^dur\s*=\s*"?(\d{1,9})(\.\d{1,9})?"?$`)
)

// timing reads the entry of a Server-Timing header, as `db;dur=1.2, app;dur=53`.
func timing(header, metric string) (overlap.Work, bool) {
	for entry := range strings.SplitSeq(header, ",") {
		name, params, _ := strings.Cut(entry, ";")
		if !strings.EqualFold(strings.TrimSpace(name), metric) {
			continue
		}
		for param := range strings.SplitSeq(params, ";") {
			found := duration.FindStringSubmatch(strings.TrimSpace(param))
			if found == nil {
				continue
			}
			ms, err := strconv.ParseFloat(found[1]+found[2], 64)
			if err != nil {
				return overlap.Work{}, false
			}
			grain := time.Millisecond
			for range max(0, len(found[2])-1) {
				grain /= 10
			}
			return overlap.Work{Took: time.Duration(ms * float64(time.Millisecond)), Grain: max(grain, time.Nanosecond)}, true
		}
	}
	return overlap.Work{}, false
}

// span reads one time, or two with blanks, a comma, a semicolon or a slash
// between them.
func (r *runner) span(text string) (overlap.Work, bool) {
	text = strings.TrimSpace(text)
	if began, grain, err := r.deps.ParseTime(text); err == nil {
		return overlap.Work{Began: began, Grain: grain}, true
	}
	for _, at := range between.FindAllStringIndex(text, -1) {
		if w, ok := r.work2(text[:at[0]], text[at[1]:]); ok {
			return w, true
		}
	}
	return overlap.Work{}, false
}

func (r *runner) work2(from, to string) (overlap.Work, bool) {
	began, fine, err := r.deps.ParseTime(from)
	if err != nil {
		return overlap.Work{}, false
	}
	ended, grain, err := r.deps.ParseTime(to)
	if err != nil {
		return overlap.Work{}, false
	}
	// A time that ends in zeros may be written with fewer digits.
	return overlap.Work{Began: began, Ended: ended, Took: ended.Sub(began), Grain: min(fine, grain)}, true
}

// awaitTimes reads times that come with the effect of a request, again until
// each request has its own, at most timesWithin.
func (r *runner) awaitTimes(ctx context.Context, v *volley, round []overlap.Request, logged int64) error {
	read := r.rowTimes
	if r.spec.times.log != "" {
		read = func(ctx context.Context, v *volley, round []overlap.Request) error {
			return r.logTimes(v, round, logged)
		}
	}
	for began := time.Now(); ; {
		if err := read(ctx, v, round); err != nil {
			return err
		}
		if allTold(round) || time.Since(began) > timesWithin {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pollEvery):
		}
	}
}

// timesWithin is how long after the answers times may show up.
const timesWithin = 2 * time.Second

func allTold(round []overlap.Request) bool {
	for i := range round {
		if !round[i].Told {
			return false
		}
	}
	return true
}

// rowTimes asks for the row of each request that has told nothing yet.
func (r *runner) rowTimes(ctx context.Context, v *volley, round []overlap.Request) error {
	t := r.spec.times
	for i := range round {
		if round[i].Told {
			continue
		}
		c := &v.cells[v.of[i]]
		args, err := filledIn(t.args, c.moment.data(c.vars))
		if err != nil {
			return err
		}
		rows, err := r.sources[t.location].Query(ctx, t.sql, args)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			return nil // it is asked again, and the others with it
		}
		texts := make([]string, 0, 2)
		for _, cell := range rows[0] {
			if cell != nil {
				texts = append(texts, *cell)
			}
		}
		switch {
		case len(rows) > 1 || len(texts) != len(rows[0]) || len(texts) > 2:
		case len(texts) == 1:
			round[i].Work, round[i].Told = r.span(texts[0])
		default:
			round[i].Work, round[i].Told = r.work2(texts[0], texts[1])
		}
		if !round[i].Told {
			return &casefile.Problem{Code: casefile.CodeBadInput, Message: t.where + ": the statement must return one row for a request, with one time or two",
				Hint: "write it as SELECT began_at, ended_at FROM … WHERE id = $1"}
		}
	}
	return nil
}
