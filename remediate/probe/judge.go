package probe

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"twinrow/remediate/probe/expect"
)

// judgement gathers what speaks for which verdict.
type judgement struct {
	// races are upper bounds that winners or rows went past: they stand
	// whatever else went wrong.
	races []string
	// wrongs are expectations not met otherwise; unknowns are those that
	// missing answers may explain.
	wrongs, unknowns []string
}

// judge fills in the expectations, the verdict and its reasons.
//
// A race that was seen is a fail, always. Without a single answer as it
// should be, nothing was tried: inconclusive. Another expectation not met is a
// fail, unless missing answers may explain it. What then looks like a pass is
// one only if no doubt is left.
func (r *runner) judge(out *Result) {
	j := &judgement{}
	out.Expectations = []Expectation{}
	for _, st := range r.spec.judged() {
		out.Expectations = append(out.Expectations, r.judgeStep(j, st)...)
	}
	for _, w := range r.logWatches {
		out.Expectations = append(out.Expectations, r.judgeLog(j, w))
	}
	for i := range r.commands {
		if r.commands[i].step.recover > 0 {
			out.Expectations = append(out.Expectations, r.judgeRecovery(j, &r.commands[i]))
		}
	}
	idle := r.idleReason()
	doubts := r.passDoubts()
	switch {
	case len(j.races) > 0:
		out.Verdict, out.Reasons = Fail, append(j.races, j.wrongs...)
	case idle != "":
		out.Verdict, out.Reasons = Inconclusive, append([]string{idle}, r.doubts...)
	case len(j.wrongs) > 0:
		out.Verdict, out.Reasons = Fail, j.wrongs
	case len(r.doubts)+len(j.unknowns)+len(doubts) > 0:
		out.Verdict, out.Reasons = Inconclusive, slices.Concat(r.doubts, j.unknowns, doubts)
	default:
		out.Verdict, out.Reasons = Pass, []string{r.passReason()}
	}
	out.Confidence = r.confidence(out.Verdict)
}

// judgeStep judges what was expected of one step, and says of which where
// there are several.
func (r *runner) judgeStep(j *judgement, st *step) []Expectation {
	var all []Expectation
	for i := range st.replies {
		all = append(all, r.judgeResponse(j, st, i))
	}
	for i := range st.rows {
		all = append(all, r.judgeRows(j, st, &st.rows[i]))
	}
	for _, limit := range st.latency {
		all = append(all, r.judgeLatency(j, st, limit))
	}
	for i := range r.log {
		if a := &r.log[i]; a.step == st && a.rate != nil {
			all = append(all, r.judgeRate(a))
		}
	}
	for i := range all {
		all[i].Name = st.named(all[i].Name)
	}
	return all
}

// named puts the step's name before that of an expectation.
func (st *step) named(name string) string {
	if st.name == "" {
		return name
	}
	return st.name + ": " + name
}

// miss is a count that is not as expected.
type miss struct {
	round, key int
	n          int64
	outcome    expect.Outcome
	// explained is true where answers are missing that may make up for it.
	explained bool
}

func (r *runner) judgeResponse(j *judgement, st *step, index int) Expectation {
	e := &st.replies[index]
	counts, missing, rounds := r.tally(st, index)
	var misses []miss
	low, high := int64(-1), int64(0)
	for round := range counts {
		for key, n := range counts[round] {
			if low < 0 || n < low {
				low = n
			}
			high = max(high, n)
			if o := e.Count.Of(n); o != expect.Right {
				misses = append(misses, miss{rounds[round], key, n, o, o == expect.TooFew && n+missing[round][key] >= e.Count.Least()})
			}
		}
	}
	out := Expectation{Name: e.Name, Want: want(e.Count, e.PerRun) + " " + describe(e), OK: len(misses) == 0 && low >= 0, Got: r.got(low, high, misses, e.PerRun)}
	if !out.OK && high == 0 {
		out.Got += r.unfound(e)
	}
	out.Open = !out.OK && r.allExcused(misses)
	r.blame(j, st.named(e.Name), e.Count, misses, e.PerRun, r.countsWinners(st, index))
	return out
}

// tally counts the answers of one expectation, and the missing ones, for each
// round that the step took part in and each key; over the whole run as one
// round with one key.
func (r *runner) tally(st *step, index int) (counts, missing [][]int64, rounds []int) {
	perRun := st.replies[index].PerRun
	keys := len(r.spec.allKeys())
	if perRun {
		keys = 1
	}
	for i := range r.log {
		a := &r.log[i]
		if a.step != st {
			continue
		}
		if len(counts) == 0 || !perRun {
			counts, missing, rounds = append(counts, make([]int64, keys)), append(missing, make([]int64, keys)), append(rounds, a.number)
		}
		for k := range a.seen {
			o := &a.seen[k]
			key := min(o.key, keys-1)
			if slices.Contains(o.matches, index) {
				counts[len(counts)-1][key] += int64(o.times)
			}
			if o.missing() {
				missing[len(missing)-1][key] += int64(o.times)
			}
		}
		if a.torn { // more would have come
			for key := range keys {
				missing[len(missing)-1][key] += MaxRequests
			}
		}
	}
	return counts, missing, rounds
}

// countsWinners tells whether too many of an expectation are a race: winners,
// or successes that there should be none of.
func (r *runner) countsWinners(st *step, index int) bool {
	if index == st.winner() {
		return true
	}
	if most, bounded := st.replies[index].Count.Most(); !bounded || most > 0 {
		return false
	}
	return slices.ContainsFunc(r.log, func(a attack) bool {
		return a.step == st && slices.ContainsFunc(a.seen, func(o observation) bool {
			return slices.Contains(o.matches, index) && o.status >= 200 && o.status < 300
		})
	})
}

func (r *runner) judgeRows(j *judgement, st *step, c *rowCheck) Expectation {
	var misses []miss
	low, high := int64(-1), int64(0)
	var unread error
	unsettled := false
	for _, w := range r.allWatches() {
		if w.check != c {
			continue
		}
		if w.err != nil || !w.settled {
			unread, unsettled = w.err, true
			continue
		}
		if low < 0 || w.last < low {
			low = w.last
		}
		high = max(high, w.last)
		if o := w.outcome(); o != expect.Right {
			misses = append(misses, miss{w.round, max(w.key, 0), w.last, o, o == expect.TooFew && r.anyMissing()})
		}
	}
	out := Expectation{Name: c.name, Want: want(c.count, c.perRun) + c.by(), Got: r.got(low, high, misses, c.perRun), OK: len(misses) == 0 && !unsettled && low >= 0}
	out.Open = !out.OK && r.allExcused(misses)
	if unsettled {
		text := "were not read to the end"
		if unread != nil {
			text = "could not be read any more"
		}
		j.unknowns = append(j.unknowns, fmt.Sprintf("%s: the rows %s", st.named(c.name), text))
	}
	r.blame(j, st.named(c.name), c.count, misses, c.perRun, true)
	return out
}

func (r *runner) allWatches() []*watch {
	all := slices.Clone(r.watches)
	for i := range r.log {
		for _, w := range r.log[i].watches {
			if !slices.Contains(r.watches, w) {
				all = append(all, w)
			}
		}
	}
	return all
}

func (r *runner) anyMissing() bool {
	return slices.ContainsFunc(r.log, func(a attack) bool {
		return slices.ContainsFunc(a.seen, func(o observation) bool { return o.missing() })
	})
}

// blame puts an expectation that was not met where it belongs.
func (r *runner) blame(j *judgement, name string, count expect.Count, misses []miss, perRun, race bool) {
	isRace := func(m miss) bool { return m.outcome == expect.TooMany && race }
	for _, kind := range []struct {
		takes func(miss) bool
		to    *[]string
	}{
		{isRace, &j.races},
		{func(m miss) bool { return !isRace(m) && !r.excused(m) }, &j.wrongs},
		{func(m miss) bool { return !isRace(m) && r.excused(m) }, &j.unknowns},
	} {
		var these []miss
		for _, m := range misses {
			if kind.takes(m) {
				these = append(these, m)
			}
		}
		if len(these) > 0 {
			*kind.to = append(*kind.to, fmt.Sprintf("%s: %s, expected %s%s", name, r.worst(these, perRun), count, r.excuse(these[0], race)))
		}
	}
}

// allExcused tells whether no count speaks against an expectation.
func (r *runner) allExcused(misses []miss) bool {
	return !slices.ContainsFunc(misses, func(m miss) bool { return m.outcome == expect.TooMany || !r.excused(m) })
}

// excused tells whether a count that is no race says nothing about the target:
// answers are missing, or an earlier round had used the key up.
func (r *runner) excused(m miss) bool { return m.explained || m.round > 1 && !r.spec.fresh }

func (r *runner) excuse(m miss, race bool) string {
	switch {
	case m.outcome == expect.TooMany && race || !r.excused(m):
		return ""
	case m.explained:
		return "; answers are missing"
	}
	return "; an earlier round used the key up, so give every round its own by vars, or fire one round"
}

func (r *runner) judgeLatency(j *judgement, st *step, limit latencyLimit) Expectation {
	out := Expectation{Name: "latency " + limit.name, Want: "at most " + shortTime(limit.most), Got: "no answers", Open: true}
	all := r.latencies[st]
	if all.empty() {
		j.unknowns = append(j.unknowns, st.named(out.Name)+": there was no whole answer")
		return out
	}
	seen := all.at(map[string]float64{"p50": 0.50, "p95": 0.95, "p99": 0.99, "max": 1}[limit.name])
	out.Got, out.OK, out.Open = shortTime(seen), seen <= limit.most, false
	if !out.OK {
		j.wrongs = append(j.wrongs, fmt.Sprintf("%s: %s, expected %s", st.named(out.Name), out.Got, out.Want))
	}
	return out
}

func want(count expect.Count, perRun bool) string {
	if perRun {
		return count.String() + " in the run"
	}
	return count.String() + " for each key and round"
}

// describe says which answers an expectation counts.
func describe(e *expect.Response) string {
	var words []string
	if len(e.Statuses) > 0 {
		words = append(words, "with status "+e.Statuses.String())
	}
	for _, f := range e.Header {
		words = append(words, "with "+f.Name+": "+f.Value)
	}
	for text, word := range map[string]string{e.Text: "with the text ", e.NotText: "without the text "} {
		if text != "" {
			words = append(words, word+strconv.Quote(text))
		}
	}
	for _, w := range e.JSON {
		words = append(words, fmt.Sprintf("where %s is %s", w.Path, w.Text()))
	}
	for _, w := range e.NotJSON {
		words = append(words, fmt.Sprintf("where %s is not %s", w.Path, w.Text()))
	}
	return strings.Join(words, ", ")
}

// got says what was counted.
func (r *runner) got(low, high int64, misses []miss, perRun bool) string {
	switch {
	case low < 0:
		return "nothing was seen"
	case len(misses) > 0:
		return r.worst(misses, perRun)
	case perRun || low == high:
		return strconv.FormatInt(low, 10)
	}
	return fmt.Sprintf("%d to %d", low, high)
}

// worst names the count farthest from what was expected, and how often one
// was not met.
func (r *runner) worst(misses []miss, perRun bool) string {
	m := slices.MaxFunc(misses, func(a, b miss) int {
		if a.outcome != b.outcome {
			return int(a.outcome) - int(b.outcome)
		}
		if a.outcome == expect.TooFew {
			return int(b.n - a.n)
		}
		return int(a.n - b.n)
	})
	if perRun {
		return strconv.FormatInt(m.n, 10)
	}
	text := fmt.Sprintf("%d in round %d", m.n, m.round)
	if len(r.spec.keys) > 0 {
		text += " for key " + clip(r.spec.keys[m.key], 40)
	}
	rounds := map[int]bool{}
	for _, m := range misses {
		rounds[m.round] = true
	}
	return fmt.Sprintf("%s (not met in %d of %d rounds)", text, len(rounds), r.roundsSeen())
}

// shortTime is a time in few digits, its unit apart where it has one unit only.
func shortTime(d time.Duration) string {
	grain := time.Microsecond
	switch {
	case d >= time.Second:
		grain = 10 * time.Millisecond
	case d >= time.Millisecond:
		grain = 10 * time.Microsecond
	}
	text := d.Round(grain).String()
	if unit := strings.IndexFunc(text, unicode.IsLetter); d < time.Minute {
		return text[:unit] + " " + text[unit:]
	}
	return text
}

func decimal(x float64) string { return strconv.FormatFloat(x, 'f', 1, 64) }
